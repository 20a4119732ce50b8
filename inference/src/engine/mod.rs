//! The chain in a host's time: blocks of any length, hops, latency, dry path and mix. A driver runs the hops: the
//! worker thread, or the callback itself.

mod callback;
mod clipping;
mod clock;
mod direct;
mod driver;
mod ear;
mod hops;
mod mix;
mod model;
mod ramps;
mod resample;
mod subnormals;
mod telemetry;
mod wet;
#[cfg(feature = "worker")]
mod worker;

pub use callback::{Change, Engine, EngineConfig, Io, PrepareError};
pub use clipping::FULL_SCALE;
pub use clock::{direct_latency_samples, latency_samples};
pub use driver::DriverKind;
pub use model::{Loader, Model};
pub use subnormals::flush_subnormals;
pub use telemetry::{N_SHOWN, Telemetry, TelemetryView};

use crate::chain::HopOutput;
use crate::hear::HopInput;
use crate::settings::Settings;

/// Runs once per hop. The product's is a `Model`; tests use simpler ones.
pub trait HopModel: Send {
    /// Forgets the past, as if newly made.
    fn reset(&mut self);
    /// As [`reset`](Self::reset), but what was learned of the source and its room may stay: the same player goes on.
    fn rest(&mut self) {
        self.reset();
    }
    /// Takes over the instruments that are due at `n_loads` loads.
    fn load(&mut self, _n_loads: u32) {}
    /// Takes in one hop and says what to play.
    fn hop(&mut self, input: HopInput<'_>, settings: &Settings) -> HopOutput;
}

/// A chain keeps its instruments; a `Model` takes new ones while it runs.
impl<S: crate::hear::Source> HopModel for crate::chain::Chain<S> {
    fn reset(&mut self) {
        Self::reset(self);
    }

    fn rest(&mut self) {
        Self::rest(self);
    }

    fn hop(&mut self, input: HopInput<'_>, settings: &Settings) -> HopOutput {
        Self::hop(self, input, settings)
    }
}
