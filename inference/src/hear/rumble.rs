//! Removes rumble before the analysis: handling noise, breath on the microphone, the lowest octave of mains hum.

use crate::biquad::Biquad;
use crate::config::{HOP_SIZE, MODEL_RATE};

/// Corner of the filter, Hz. The lowest note of a bass voice is 65 Hz. The lowest notes of a bass guitar lose their
/// fundamental, but the encoder hears the pitch from the harmonics, too.
const CORNER_HZ: f64 = 60.0;
/// Qualities of the sections of a fourth-order Butterworth filter.
const QUALITIES: [f64; 2] = [0.541_196_1, 1.306_563];

/// High pass before the analysis; the dry signal bypasses it. Realtime-safe.
#[derive(Clone, Debug)]
pub struct RumbleFilter {
    sections: [Biquad; 2],
}

impl Default for RumbleFilter {
    fn default() -> Self {
        Self { sections: QUALITIES.map(section) }
    }
}

impl RumbleFilter {
    /// Filters one hop.
    pub fn hop(&mut self, samples: &[f32; HOP_SIZE]) -> [f32; HOP_SIZE] {
        let filtered = samples.map(|x| self.sections.iter_mut().fold(x as f64, |x, section| section.next(x)) as f32);
        self.sections.iter_mut().for_each(Biquad::end_tail);
        filtered
    }

    /// Filters a whole clip; a last incomplete hop is dropped. Allocates.
    pub fn clip(samples: &[f32]) -> Vec<f32> {
        let mut filter = Self::default();
        samples.as_chunks::<HOP_SIZE>().0.iter().flat_map(|hop| filter.hop(hop)).collect()
    }
}

/// Second-order high pass (Bristow-Johnson, "Audio EQ Cookbook").
fn section(quality: f64) -> Biquad {
    let (sin, cos) = (std::f64::consts::TAU * CORNER_HZ / MODEL_RATE as f64).sin_cos();
    let alpha = sin / (2.0 * quality);
    let a0 = 1.0 + alpha;
    let b0 = (1.0 + cos) / 2.0 / a0;
    Biquad::new([b0, -2.0 * b0, b0], [-2.0 * cos / a0, (1.0 - alpha) / a0])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gain_db(hz: f32) -> f32 {
        let tone = |i: usize| (std::f32::consts::TAU * hz * i as f32 / MODEL_RATE as f32).sin();
        let x: Vec<f32> = (0..32_000).map(tone).collect();
        let mut filter = RumbleFilter::default();
        let y: Vec<f32> = x.as_chunks::<HOP_SIZE>().0.iter().flat_map(|hop| filter.hop(hop)).collect();
        let power = y[16_000..].iter().map(|y| y * y).sum::<f32>() / 16_000.0;
        10.0 * (2.0 * power).log10()
    }

    #[test]
    fn after_a_loud_note_zeros_are_zeros_within_a_sixth_of_a_second() {
        let mut filter = RumbleFilter::default();
        for i in 0..100 {
            filter.hop(&std::array::from_fn(|k| ((64 * i + k) as f32 * 0.05).sin()));
        }
        let silent = (0..100).position(|_| filter.hop(&[0.0; HOP_SIZE]) == [0.0; HOP_SIZE]);
        assert!(silent.is_some_and(|hops| hops < 42), "{silent:?}");
    }

    #[test]
    fn it_removes_rumble_and_passes_voices() {
        assert!(gain_db(20.0) < -35.0 && gain_db(38.0) < -14.0);
        assert!((gain_db(60.0) + 3.0).abs() < 0.2);
        assert!(gain_db(110.0).abs() < 0.1 && gain_db(3000.0).abs() < 0.05);
    }
}
