//! Host samples to hops, and a model that answers each. Both drivers run this: the worker on its thread, the other in the
//! callback. What comes out is a function of what goes in, however it comes.

use super::HopModel;
use super::clock::HopClock;
use super::resample::HopResampler;
use crate::chain::HopOutput;
use crate::config::HOP_SIZE;
use crate::controls::{Controls, Room};
use crate::hear::HopInput;
use crate::settings::Settings;

/// What the synth is given for one hop. Its place in time follows from `hop` alone, see [`HopClock`].
#[derive(Clone, Copy)]
pub(super) struct Frame {
    /// Counted from the reset.
    pub hop: u64,
    pub controls: Controls,
    /// Around them.
    pub room: Room,
}

/// What is set for a sample.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Setting {
    pub settings: Settings,
    /// Instruments that were asked for so far.
    pub n_loads: u32,
}

/// A hop that has all its samples.
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
    /// Of the samples that come next.
    now: Setting,
    /// Of the sample that the hop being collected ends at, once that has come. The resampler takes some more samples
    /// before the hop is complete, and what comes with those is for the next one.
    of_hop: Option<Setting>,
    /// Host sample that comes next.
    next_sample: u64,
    /// Hop that is being collected.
    hop: u64,
}

impl Hops {
    pub fn new(model: Box<dyn HopModel>, resampler: HopResampler, clock: HopClock) -> Self {
        Self { model, resampler, clock, now: Setting::default(), of_hop: None, next_sample: 0, hop: 0 }
    }

    /// Begins anew at sample 0. Live the same player goes on after a stop of the transport; every bounce begins anew.
    pub fn reset(&mut self, offline: bool) {
        if offline {
            self.model.reset()
        } else {
            self.model.rest()
        }
        self.resampler.reset();
        (self.of_hop, self.next_sample, self.hop) = (None, 0, 0);
    }

    /// What is set for the samples that come next.
    pub fn set(&mut self, setting: Setting) {
        self.now = setting;
    }

    /// Takes samples from the front of `samples`, and a hop if they complete it. Returns how many samples were taken, at least
    /// one if there is one.
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

    /// Shows a hop to the model. If the model fails, it begins anew: what is no number would stay in its memory.
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

    /// Host samples that the hop being collected still waits for.
    #[cfg(feature = "worker")]
    pub fn n_missing(&self) -> usize {
        self.resampler.n_missing()
    }

    /// Host sample that comes next, counted from the reset.
    #[cfg(feature = "worker")]
    pub fn next_sample(&self) -> u64 {
        self.next_sample
    }

    /// Hop that is being collected, counted from the reset.
    #[cfg(feature = "worker")]
    pub fn hop(&self) -> u64 {
        self.hop
    }
}
