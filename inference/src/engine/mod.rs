//! Host blocks to model hops and back: wait-free rings, worker thread, latency.

mod clipping;
mod ear;
mod effect;
mod mix;
mod resample;
mod telemetry;
mod thread;
mod timing;
mod wet;
mod worker;

pub use clipping::FULL_SCALE;
pub use effect::{BlockParams, Engine, EngineConfig, PrepareError};
pub use telemetry::{N_SHOWN, Telemetry, TelemetryView};
pub use thread::flush_subnormals;
pub use timing::latency_samples;

use crate::config::HOP_SIZE;
use crate::controls::{Controls, SourceControls};

/// What the worker runs once per hop: the networks in the product, something simple in a test.
pub trait HopModel: Send {
    /// Forgets the past, as if newly made.
    fn reset(&mut self);
    /// As [`reset`](Self::reset), but what was learned of the source and its room may stay: the same player goes on.
    fn rest(&mut self) {
        self.reset();
    }
    /// Reads one hop of audio at the model rate and says what to play.
    fn hop(&mut self, samples: &[f32; HOP_SIZE], source: &SourceControls) -> HopOutput;
}

/// Result of one hop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HopOutput {
    /// What to play.
    pub controls: Controls,
    /// What was heard: for meters and for the f0 track, before transposition.
    pub heard: Heard,
}

/// What the tracker hears in one hop.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Heard {
    /// Detected fundamental, Hz; 0 = unvoiced or gated.
    pub f0_hz: f32,
    /// The most likely fundamental, Hz, > 0, whether or not anything sounds.
    pub candidate_hz: f32,
    /// Probability that the hop is voiced, 0 to 1.
    pub voicing: f32,
    /// A-weighted level, dB.
    pub loudness_db: f32,
    /// Several notes have been sounding at once for a moment.
    pub is_several_notes: bool,
    /// Notes have been softer than a note must be for a moment, and none is loud enough.
    pub is_too_soft: bool,
    /// The networks failed, and silence stands in their place.
    pub has_failed: bool,
}
