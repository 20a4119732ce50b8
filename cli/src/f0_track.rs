//! Records what the engine heard in each hop.

use embouchure_inference::chain::HopOutput;
use embouchure_inference::config::{HOP_SIZE, MODEL_RATE};
use embouchure_inference::engine::HopModel;
use embouchure_inference::hear::{Heard, HopInput};
use embouchure_inference::settings::Settings;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// A model that records what it hears, and otherwise behaves like the model inside.
pub struct HopRecorder<M> {
    model: M,
    track: Track,
}

/// Recorded hops. Clones share one track: one is kept, one is given to [`HopRecorder`].
#[derive(Clone, Default)]
pub struct Track(Arc<Mutex<Vec<Hop>>>);

/// The recorded part of a hop.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Hop {
    /// Fundamental, Hz; 0 = no note.
    pub f0_hz: f32,
    pub is_several_notes: bool,
    pub is_too_soft: bool,
}

impl<M> HopRecorder<M> {
    pub fn new(model: M, track: Track) -> Self {
        Self { model, track }
    }
}

impl<M: HopModel> HopModel for HopRecorder<M> {
    fn reset(&mut self) {
        self.track.with(Vec::clear);
        self.model.reset();
    }

    // The lock is free while rendering, and rendering is offline, so locking is allowed here.
    fn hop(&mut self, input: HopInput<'_>, settings: &Settings) -> HopOutput {
        let output = self.model.hop(input, settings);
        let Heard { is_several_notes, is_too_soft, .. } = output.heard;
        self.track.with(|heard| heard.push(Hop { f0_hz: output.heard.note_hz(), is_several_notes, is_too_soft }));
        output
    }
}

impl Track {
    /// An empty track with memory for a clip of `n_samples` at `rate` and the silence after it. Allocates.
    pub fn for_clip(n_samples: usize, rate: u32) -> Self {
        let n_hops = n_hops(n_samples, rate) + 1000;
        Self(Arc::new(Mutex::new(Vec::with_capacity(n_hops))))
    }

    /// The hops that end within a clip of `n_samples` at `rate`. Allocates.
    pub fn within_clip(&self, n_samples: usize, rate: u32) -> Vec<Hop> {
        self.with(|heard| heard.iter().take(n_hops(n_samples, rate)).copied().collect())
    }

    fn with<R>(&self, f: impl FnOnce(&mut Vec<Hop>) -> R) -> R {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn n_hops(n_samples: usize, rate: u32) -> usize {
    (n_samples as u64 * u64::from(MODEL_RATE) / (u64::from(rate) * HOP_SIZE as u64)) as usize
}

/// Writes the rows `time_s,f0_hz`, one per hop. The time is the hop's end in the input.
pub fn write_csv(mut out: impl Write, f0_hz: &[f32]) -> io::Result<()> {
    writeln!(out, "time_s,f0_hz")?;
    for (hop_idx, f0_hz) in f0_hz.iter().enumerate() {
        let time_s = ((hop_idx + 1) * HOP_SIZE) as f64 / f64::from(MODEL_RATE);
        writeln!(out, "{time_s:.3},{f0_hz:.2}")?;
    }
    out.flush()
}

/// The 5th and 95th percentile of the voiced hops, Hz: the range without single wrong hops. Allocates.
pub fn range_hz(f0_hz: &[f32]) -> Option<[f32; 2]> {
    let mut voiced: Vec<f32> = f0_hz.iter().copied().filter(|f| *f > 0.0).collect();
    voiced.sort_by(f32::total_cmp);
    let last = voiced.len().checked_sub(1)?;
    Some([0.05, 0.95].map(|q| voiced[(last as f32 * q).round() as usize]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use embouchure_inference::controls::Controls;

    /// A model that reports the first sample of each hop.
    struct First;

    impl HopModel for First {
        fn reset(&mut self) {}
        fn hop(&mut self, input: HopInput<'_>, _settings: &Settings) -> HopOutput {
            HopOutput { heard: Heard::note(input.samples[0]), ..HopOutput::of(Controls::SILENT) }
        }
    }

    #[test]
    fn each_hop_is_recorded_once_and_reset_starts_again() {
        let track = Track::for_clip(3200, 16_000);
        let mut model = HopRecorder::new(First, track.clone());
        let settings = Settings::default();
        for f0_hz in [1.0, 2.0, 3.0] {
            assert_eq!(model.hop(HopInput { samples: &[f0_hz; HOP_SIZE] }, &settings).heard.note_hz(), f0_hz);
        }
        let f0_hz = |n_samples: usize, rate: u32| -> Vec<f32> {
            track.within_clip(n_samples, rate).iter().map(|heard| heard.f0_hz).collect()
        };
        assert_eq!(f0_hz(192, 16_000), [1.0, 2.0, 3.0]);
        assert_eq!(f0_hz(191, 16_000), [1.0, 2.0]);
        assert_eq!(f0_hz(48_000, 48_000), [1.0, 2.0, 3.0]);
        model.reset();
        model.hop(HopInput { samples: &[4.0; HOP_SIZE] }, &settings);
        assert_eq!(f0_hz(48_000, 48_000), [4.0]);
    }

    #[test]
    fn rows_are_stamped_with_the_end_of_the_hop() {
        let mut csv = Vec::new();
        write_csv(&mut csv, &[0.0, 440.0, 441.256]).unwrap();
        assert_eq!(String::from_utf8(csv).unwrap(), "time_s,f0_hz\n0.004,0.00\n0.008,440.00\n0.012,441.26\n");
    }

    #[test]
    fn the_range_leaves_out_silence_and_outliers() {
        assert_eq!(range_hz(&[0.0, 0.0]), None);
        assert_eq!(range_hz(&[0.0, 220.0]), Some([220.0, 220.0]));
        let mut f0_hz: Vec<f32> = (0..=100).map(|i| 200.0 + i as f32).collect();
        f0_hz.extend([31.0, 4900.0]);
        let [low, high] = range_hz(&f0_hz).unwrap();
        assert!((203.0..206.0).contains(&low) && (295.0..298.0).contains(&high), "{low} {high}");
    }
}
