//! Our own tracker, hop by hop as in the plugin.

use super::cases::Case;
use super::score::{Track, Tracker};
use anyhow::Result;
use embouchure_inference::config::{FRAME_RATE, HOP_SIZE};
use embouchure_inference::hear::encoder::Encoder;
use embouchure_inference::hear::{HopInput, Microphone, Source};
use embouchure_inference::settings::Settings;
use rayon::prelude::*;
use std::path::Path;
use std::time::{Duration, Instant};

/// Tracks every case. `encoder`: file to use instead of the built-in encoder.
pub fn track(cases: &[Case], encoder: Option<&Path>) -> Result<Tracker> {
    let encoder = crate::effect::encoder(encoder)?;
    let answers = cases.par_iter().map(|case| stream(&encoder, &case.samples)).collect::<Vec<_>>();
    let took: Duration = answers.iter().map(|(_, took)| *took).sum();
    let n_hops: usize = cases.iter().map(|case| case.samples.len() / HOP_SIZE).sum();
    Ok(Tracker {
        name: "Embouchure".into(),
        tracks: answers.into_iter().map(|(track, _)| track).collect(),
        cpu_share: took.as_secs_f64() * FRAME_RATE as f64 / n_hops as f64,
    })
}

/// Estimates for each hop of `samples`, which are at the model rate, and the time that took.
pub fn stream(encoder: &Encoder, samples: &[f32]) -> (Track, Duration) {
    let mut microphone = Microphone::new(encoder);
    let mut track = Track::default();
    let start = Instant::now();
    for (i, samples) in samples.as_chunks::<HOP_SIZE>().0.iter().enumerate() {
        let heard = microphone.hop(HopInput { samples }, &Settings::default());
        track.time_s.push((i + 1) as f64 / FRAME_RATE as f64);
        track.f0_hz.push(heard.pitch.f0_hz);
        track.voiced.push(heard.is_note);
    }
    (track, start.elapsed())
}
