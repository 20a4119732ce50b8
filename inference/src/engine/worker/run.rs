//! The worker thread: samples in, control frames out.

use super::link::{EpochFrame, Flags, Stamp, StampedReceiver};
use super::watch::Watch;
use crate::config::FRAME_RATE;
use crate::engine::Telemetry;
use crate::engine::hops::{Hops, ReadyHop};
use rtrb::Producer;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::time::{Duration, Instant};

/// Longest sleep of an offline worker, which the callback wakes.
const OFFLINE_POLL: Duration = Duration::from_micros(500);
/// Most samples taken from the ring at once: a hop at 48 kHz.
const CHUNK_SIZE: usize = 192;
/// A live worker that catches up could starve other threads. After this many hops without a pause (128 ms of audio) it pauses.
const HOPS_BEFORE_REST: usize = 32;
const REST: Duration = Duration::from_millis(1);
/// Most hops of lost input that the model gets as silence; further hops are skipped.
const MAX_GAP_HOPS: u32 = FRAME_RATE as u32;

pub(super) struct Worker {
    flags: Arc<Flags>,
    telemetry: Arc<Telemetry>,
    receiver: StampedReceiver,
    hops: Hops,
    frames: Producer<EpochFrame>,
    host_rate: f64,
    offline: bool,
    /// Hops since the last pause.
    n_restless: usize,
    /// Of the samples that come next, and of those that the hops began with.
    epoch: u32,
    hops_epoch: u32,
}

/// The worker's ends of what it shares with the callback.
pub(super) struct Ends {
    pub flags: Arc<Flags>,
    pub telemetry: Arc<Telemetry>,
    pub receiver: StampedReceiver,
    pub frames: Producer<EpochFrame>,
}

impl Worker {
    pub fn new(ends: Ends, hops: Hops, host_rate: f64, offline: bool) -> Self {
        let Ends { flags, telemetry, receiver, frames } = ends;
        Self { flags, telemetry, receiver, hops, frames, host_rate, offline, n_restless: 0, epoch: 0, hops_epoch: 0 }
    }

    /// Runs until told to stop. A panic in the model ends the thread and is seen as `alive == false`.
    pub fn run(mut self) {
        let _guard = AliveGuard(self.flags.clone());
        while !self.flags.stop.load(Acquire) {
            match self.receive() {
                // Offline the callback wakes the worker.
                0 if self.offline => std::thread::park_timeout(OFFLINE_POLL),
                0 => self.rest(self.watch().next_look()),
                _ if self.n_restless >= HOPS_BEFORE_REST && !self.offline => self.rest(REST),
                _ => {}
            }
        }
    }

    fn rest(&mut self, time: Duration) {
        self.n_restless = 0;
        // Parked, so that a callback that has time to wait can wake it.
        std::thread::park_timeout(time);
    }

    fn watch(&self) -> Watch {
        let block = self.flags.block.load(Relaxed).max(1) as usize;
        let n_missing = self.hops.n_missing().next_multiple_of(block);
        let seconds = |n_samples: usize| Duration::from_secs_f64(n_samples as f64 / self.host_rate);
        Watch { since_block: self.flags.since_block(), block: seconds(block), missing: seconds(n_missing) }
    }

    /// Takes some input, if there is any, and returns how many samples.
    fn receive(&mut self) -> usize {
        let mut samples = [0.0; CHUNK_SIZE];
        let (stamp, samples) = self.receiver.receive(&mut samples);
        if let Some(stamp) = stamp {
            self.begin(&stamp);
        }
        if !self.is_out_of_date() {
            self.feed(samples, true);
        }
        samples.len()
    }

    /// The samples that come next are those of `stamp`.
    fn begin(&mut self, stamp: &Stamp) {
        self.epoch = stamp.epoch;
        if self.is_out_of_date() {
            return;
        }
        if stamp.epoch != self.hops_epoch {
            self.hops.reset(self.offline);
            self.hops_epoch = stamp.epoch;
        }
        self.hops.set(stamp.setting);
        self.bridge_gap(stamp.position);
    }

    /// The samples that come next are from before a reset.
    fn is_out_of_date(&self) -> bool {
        self.epoch != self.flags.epoch.load(Acquire)
    }

    /// Puts silence in the place of lost input, so that everything after it keeps its time.
    fn bridge_gap(&mut self, start: u64) {
        let hop_limit = self.hops.hop() + u64::from(MAX_GAP_HOPS);
        while self.hops.next_sample() < start && !self.flags.stop.load(Acquire) {
            let n = (start - self.hops.next_sample()).min(CHUNK_SIZE as u64);
            self.feed(&[0.0; CHUNK_SIZE][..n as usize], self.hops.hop() < hop_limit);
        }
    }

    fn feed(&mut self, mut samples: &[f32], show_model: bool) {
        while !samples.is_empty() {
            let (taken, ready) = self.hops.take(samples);
            samples = &samples[taken..];
            if let Some(ready) = ready.filter(|_| show_model) {
                self.run_hop(&ready);
            }
        }
    }

    fn run_hop(&mut self, ready: &ReadyHop) {
        self.n_restless += 1;
        let start = Instant::now();
        let (frame, output) = self.hops.run(ready);
        self.telemetry.publish(&output, start.elapsed().as_secs_f32() * FRAME_RATE);
        // After a delay the first ones come too late. The ring is never full: it has room for all others.
        if ready.hop >= self.flags.next_hop.load(Acquire) {
            let _ = self.frames.push(EpochFrame { epoch: self.epoch, frame });
        }
    }
}

/// Tells the audio thread that no more frames will come, also when the model panics.
struct AliveGuard(Arc<Flags>);

impl Drop for AliveGuard {
    fn drop(&mut self) {
        self.0.alive.store(false, Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::HopOutput;
    use crate::config::{HOP_SIZE, MODEL_RATE};
    use crate::controls::Controls;
    use crate::engine::HopModel;
    use crate::engine::clock::HopClock;
    use crate::engine::hops::Setting;
    use crate::engine::resample::HopResampler;
    use crate::engine::worker::link::Link;
    use crate::hear::HopInput;
    use crate::settings::Settings;

    struct Silent;

    impl HopModel for Silent {
        fn reset(&mut self) {}

        fn hop(&mut self, _: HopInput<'_>, _: &Settings) -> HopOutput {
            HopOutput::of(Controls::SILENT)
        }
    }

    #[test]
    fn what_came_too_late_does_not_take_the_place_of_what_is_still_to_be_played() {
        let host_rate = f64::from(MODEL_RATE);
        let Link { flags, mut sender, receiver, frames_in, mut frames_out } = Link::new(host_rate, HOP_SIZE, HOP_SIZE);
        let clock = HopClock { host_rate };
        let resampler = HopResampler::new(&clock).unwrap();
        let hops = Hops::new(Box::new(Silent), resampler, clock);
        let ends = Ends { flags: flags.clone(), telemetry: Arc::default(), receiver, frames: frames_in };
        let mut worker = Worker::new(ends, hops, host_rate, false);
        // Many more hops than there is room for frames.
        let stamp = Stamp { epoch: 0, position: 0, setting: Setting::default() };
        assert_eq!(sender.send(stamp, &[0.0; 500 * HOP_SIZE]), 500 * HOP_SIZE);
        flags.next_hop.store(490, Release);
        while worker.receive() > 0 {}
        let hops: Vec<u64> = std::iter::from_fn(|| frames_out.pop().ok()).map(|sent| sent.frame.hop).collect();
        assert_eq!(hops, (490..500).collect::<Vec<_>>());
    }
}
