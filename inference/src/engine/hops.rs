//! Cuts host samples into hops and runs the model on each. Both drivers use this. The output is a function of the
//! samples and settings alone, however they are cut.

use super::HopModel;
use super::clock::HopClock;
use super::resample::HopResampler;
use crate::chain::HopOutput;
use crate::config::HOP_SIZE;
use crate::controls::{Controls, Room};
use crate::hear::HopInput;
use crate::settings::Settings;

/// Synth input for one hop. Its time follows from `hop` alone, see [`HopClock`].
#[derive(Clone, Copy)]
pub(super) struct Frame {
    /// Counted from the reset.
    pub hop: u64,
    pub controls: Controls,
    /// The room around them.
    pub room: Room,
}

/// What is set for a sample.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Setting {
    pub settings: Settings,
    /// Loads that were asked for so far.
    pub n_loads: u32,
}

/// A complete hop, with its setting.
pub(super) struct ReadyHop {
    samples: [f32; HOP_SIZE],
    setting: Setting,
    /// Counted from the reset.
    pub hop: u64,
}

/// Collects hops and runs the model on them.
pub(super) struct Hops {
    model: Box<dyn HopModel>,
    resampler: HopResampler,
    clock: HopClock,
    /// Setting of the next samples.
    now: Setting,
    /// Setting of the sample at which the present hop ends, once that has come. The resampler reads some samples beyond
    /// it; their setting is for the next hop.
    of_hop: Option<Setting>,
    /// The next host sample.
    next_sample: u64,
    /// The present hop.
    hop: u64,
}

impl Hops {
    pub fn new(model: Box<dyn HopModel>, resampler: HopResampler, clock: HopClock) -> Self {
        Self { model, resampler, clock, now: Setting::default(), of_hop: None, next_sample: 0, hop: 0 }
    }

    /// Starts again at sample 0. Live, the model keeps what it learned of the player; a bounce starts from nothing.
    pub fn reset(&mut self, offline: bool) {
        if offline {
            self.model.reset()
        } else {
            self.model.rest()
        }
        self.resampler.reset();
        (self.of_hop, self.next_sample, self.hop) = (None, 0, 0);
    }

    /// Setting of the next samples.
    pub fn set(&mut self, setting: Setting) {
        self.now = setting;
    }

    /// Takes samples from the front of `samples`, up to the end of a hop. Returns how many (at least one, if there is
    /// one), and the hop if it is complete.
    pub fn take(&mut self, samples: &[f32]) -> (usize, Option<ReadyHop>) {
        let taken = self.resampler.take(samples);
        self.next_sample += taken as u64;
        if self.of_hop.is_none() && self.next_sample as i64 >= self.clock.hop_end(self.hop) {
            self.of_hop = Some(self.now);
        }
        let Some(samples) = self.resampler.hop().copied() else { return (taken, None) };
        let ready = ReadyHop { samples, setting: self.of_hop.take().unwrap_or(self.now), hop: self.hop };
        self.hop += 1;
        (taken, Some(ready))
    }

    /// Runs the model on a hop. A model that fails is reset, because NaN would stay in its state.
    pub fn run(&mut self, ready: &ReadyHop) -> (Frame, HopOutput) {
        let Setting { settings, n_loads } = &ready.setting;
        self.model.load(*n_loads);
        let output = self.model.hop(HopInput { samples: &ready.samples }, settings);
        if !output.is_valid {
            self.model.rest();
        }
        let frame = Frame { hop: ready.hop, controls: output.controls, room: settings.room().made_valid() };
        (frame, output)
    }

    /// Host samples that the present hop still needs.
    #[cfg(feature = "worker")]
    pub fn n_missing(&self) -> usize {
        self.resampler.n_missing()
    }

    /// The next host sample, counted from the reset.
    #[cfg(feature = "worker")]
    pub fn next_sample(&self) -> u64 {
        self.next_sample
    }

    /// The present hop, counted from the reset.
    #[cfg(feature = "worker")]
    pub fn hop(&self) -> u64 {
        self.hop
    }
}
