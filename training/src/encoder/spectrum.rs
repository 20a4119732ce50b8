//! Describes the newest 32 ms by log-mel bands, share of breath and attack: the values that the probe predicts from z.

use super::batch::Clip;
use super::net::{N_MEL, N_SPECTRUM};
use crate::mel::bands_of_bins;
use embouchure_inference::config::{HOP_SIZE, MODEL_RATE};
use embouchure_inference::math::db::power_to_db;
use embouchure_inference::math::window::hann;
use realfft::{RealFftPlanner, RealToComplex};
use std::sync::Arc;

/// Window, samples: 32 ms.
const WINDOW: usize = 512;
/// Rows softer than this (mean square of a window) do not count: -60 dB.
const SILENT: f32 = 1e-6;

/// Computes the values of clips: FFT plan and tables.
pub struct SpectrumFrames {
    fft: Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
    /// Mel band that each bin adds to.
    band: Vec<usize>,
}

impl SpectrumFrames {
    /// Allocates the tables.
    pub fn new() -> Self {
        Self {
            fft: RealFftPlanner::new().plan_fft_forward(WINDOW),
            window: hann(WINDOW),
            band: bands_of_bins(MODEL_RATE, WINDOW, N_MEL),
        }
    }

    /// Appends one row of `N_SPECTRUM` values per hop to `rows`, and 1 to `sounding` if the row is not silent. The
    /// values: bands (natural logarithm relative to the row's level), share of the unpitched part (0 = none, 1 = all),
    /// change of level (1 = 20 dB louder than 32 ms before).
    pub fn append(&self, clip: &Clip, rows: &mut Vec<f32>, sounding: &mut Vec<f32>) {
        let mut padded = vec![0.0; WINDOW - HOP_SIZE];
        padded.extend(clip.sum());
        let mut spectrum = self.fft.make_output_vec();
        let (breath, all) = (levels(&clip.breath), levels(&clip.sum()));
        for (hop, frame) in padded.windows(WINDOW).step_by(HOP_SIZE).enumerate() {
            let mut frame: Vec<f32> = frame.iter().zip(&self.window).map(|(x, w)| x * w).collect();
            let power = frame.iter().map(|x| x * x).sum::<f32>() / WINDOW as f32;
            self.fft.process(&mut frame, &mut spectrum).expect("buffers have the plan's sizes");
            let mut bands = [0.0f32; N_MEL];
            for (x, band) in spectrum.iter().zip(&self.band) {
                bands[*band] += x.norm_sqr();
            }
            let total = bands.iter().sum::<f32>() + 1e-12;
            rows.extend(bands.map(|b| 0.5 * (b / total + 1e-6).ln()));
            rows.push(((breath[hop] - all[hop]) / 40.0 + 1.0).clamp(0.0, 1.0));
            rows.push(((all[hop] - all[hop.saturating_sub(WINDOW / HOP_SIZE)]) / 20.0).clamp(-2.0, 2.0));
            sounding.push(f32::from(power > SILENT));
        }
    }
}

/// Level of the newest 16 ms at the end of each hop, dB.
fn levels(samples: &[f32]) -> Vec<f32> {
    let energies: Vec<f32> = samples.chunks_exact(HOP_SIZE).map(|hop| hop.iter().map(|x| x * x).sum()).collect();
    let level = |h: usize| {
        let recent = &energies[h.saturating_sub(3)..=h];
        power_to_db(recent.iter().sum::<f32>() / (recent.len() * HOP_SIZE) as f32 + 1e-7)
    };
    (0..energies.len()).map(level).collect()
}

/// Description of one hop of a recording.
pub struct Described {
    /// `N_MEL` bands (natural logarithm relative to the level of the hop); share of breath, which is unknown for a
    /// recording and counts as none; change of level (1 = 20 dB louder than 32 ms before).
    pub values: [f32; N_SPECTRUM],
    /// True if the hop is louder than silence.
    pub sounds: bool,
}

/// Describes every hop of a recording at the model rate. Allocates.
pub fn describe(samples: &[f32]) -> Vec<Described> {
    let n = samples.len() / HOP_SIZE * HOP_SIZE;
    let clip = Clip { samples: samples[..n].to_vec(), ..Clip::silent(n / HOP_SIZE) };
    let (mut rows, mut sounding) = (Vec::new(), Vec::new());
    SpectrumFrames::new().append(&clip, &mut rows, &mut sounding);
    let rows = rows.as_chunks::<N_SPECTRUM>().0.iter();
    rows.zip(sounding).map(|(values, sounds)| Described { values: *values, sounds: sounds > 0.0 }).collect()
}
