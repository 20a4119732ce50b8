//! The core in a host's time: blocks of any length in and out, hops between, latency, dry path and mix. Drivers run the
//! hops: the [`worker`] on a thread of its own.

mod callback;
mod clipping;
mod clock;
mod ear;
mod mix;
mod model;
mod ramps;
mod resample;
mod telemetry;
mod wet;
mod worker;

pub use callback::{Change, Engine, EngineConfig, Io, PrepareError};
pub use clipping::FULL_SCALE;
pub use clock::latency_samples;
pub use model::{Loader, Model};
pub use telemetry::{N_SHOWN, Telemetry, TelemetryView};
pub use worker::flush_subnormals;

use crate::chain::HopOutput;
use crate::hear::HopInput;
use crate::settings::Settings;

/// What a driver runs once per hop: a [`Model`] in the product, something simple in a test.
pub trait HopModel: Send {
    /// Forgets the past, as if newly made.
    fn reset(&mut self);
    /// As [`reset`](Self::reset), but what was learned of the source and its room may stay: the same player goes on.
    fn rest(&mut self) {
        self.reset();
    }
    /// Takes the instruments that came, if no more than `n_loads` had been asked for before them.
    fn load(&mut self, _n_loads: u32) {}
    /// Takes in one hop and says what to play.
    fn hop(&mut self, input: HopInput<'_>, settings: &Settings) -> HopOutput;
}
