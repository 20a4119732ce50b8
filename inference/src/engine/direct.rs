//! The driver without a thread: every hop is computed in the call that brings its last sample, so that no frame is ever
//! late.

use super::Telemetry;
use super::hops::{Frame, Hops, Setting};
use crate::config::FRAME_RATE;
use std::collections::VecDeque;
use std::sync::Arc;

/// Room for frames beyond one per hop of latency: rounding, and samples that the resampler reads ahead.
const SPARE_FRAMES: usize = 8;

/// Runs the model in the callback.
pub(super) struct DirectDriver {
    hops: Hops,
    telemetry: Arc<Telemetry>,
    /// Frames that are still to be played, oldest first.
    frames: VecDeque<Frame>,
    offline: bool,
}

impl DirectDriver {
    /// Allocates. `n_frames`: most that wait to be played at once.
    pub fn new(hops: Hops, telemetry: Arc<Telemetry>, n_frames: usize, offline: bool) -> Self {
        Self { hops, telemetry, frames: VecDeque::with_capacity(n_frames + SPARE_FRAMES), offline }
    }

    /// Forgets the past. Realtime-safe.
    pub fn reset(&mut self) {
        self.hops.reset(self.offline);
        self.frames.clear();
    }

    /// Takes samples, and computes the hops that they complete.
    pub fn send(&mut self, setting: Setting, mut samples: &[f32]) {
        self.hops.set(setting);
        while !samples.is_empty() {
            let (taken, ready) = self.hops.take(samples);
            samples = &samples[taken..];
            let Some(ready) = ready else { continue };
            let start = Stopwatch::start();
            let (frame, output) = self.hops.run(&ready);
            self.telemetry.publish(&output, start.seconds() * FRAME_RATE);
            debug_assert!(self.frames.len() < self.frames.capacity(), "there is room for all that is not yet played");
            if self.frames.len() < self.frames.capacity() {
                self.frames.push_back(frame);
            }
        }
    }

    /// Frame of hop `hop`. Earlier frames are dropped.
    pub fn frame(&mut self, hop: u64) -> Option<Frame> {
        while self.frames.front().is_some_and(|frame| frame.hop < hop) {
            self.frames.pop_front();
        }
        self.frames.pop_front_if(|frame| frame.hop == hop)
    }
}

/// Reads the clock, which is no system call where there are threads. A target without threads may have no clock.
struct Stopwatch(#[cfg(feature = "worker")] std::time::Instant);

impl Stopwatch {
    fn start() -> Self {
        Self(
            #[cfg(feature = "worker")]
            std::time::Instant::now(),
        )
    }

    fn seconds(&self) -> f32 {
        #[cfg(feature = "worker")]
        return self.0.elapsed().as_secs_f32();
        #[cfg(not(feature = "worker"))]
        return 0.0;
    }
}
