//! The worker thread: samples in, control frames out.

use super::link::{Flags, Frame, Stamp, StampedReceiver};
use super::watch::Watch;
use crate::config::{FRAME_RATE, HOP_SIZE};
use crate::engine::clock::HopClock;
use crate::engine::resample::HopResampler;
use crate::engine::{HopModel, Telemetry};
use crate::hear::HopInput;
use crate::settings::Settings;
use rtrb::Producer;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::time::{Duration, Instant};

/// In case the callback has nothing to wake the worker for.
const OFFLINE_POLL: Duration = Duration::from_micros(500);
/// Most samples taken from the ring at once: a hop at 48 kHz.
const CHUNK_SIZE: usize = 192;
/// A live worker that catches up has the priority to stop all else; after this many hops without a pause (128 ms of
/// audio) it makes one.
const HOPS_BEFORE_REST: usize = 32;
const REST: Duration = Duration::from_millis(1);
/// Of input that was lost, this much is shown to the model as silence; the rest only passes.
const MAX_GAP_HOPS: u32 = FRAME_RATE as u32;

pub(super) struct Worker {
    flags: Arc<Flags>,
    telemetry: Arc<Telemetry>,
    model: Box<dyn HopModel>,
    inbox: Inbox,
    frames: Producer<Frame>,
    /// Hops since the last pause.
    n_restless: usize,
    /// Of the samples that come next.
    now: Setting,
    /// Of the sample that the hop being collected ends at, once that has come. The resampler takes some more samples
    /// before the hop is complete, and what comes with those is for the next one.
    of_hop: Option<Setting>,
    time: Time,
    /// Of the samples that come next.
    epoch: u32,
}

/// Where input comes from.
pub(super) struct Inbox {
    pub receiver: StampedReceiver,
    pub resampler: HopResampler,
    pub clock: HopClock,
    pub offline: bool,
}

/// What is set for a sample.
#[derive(Clone, Copy, Default)]
struct Setting {
    settings: Settings,
    n_loads: u32,
}

/// Where the worker is in the input.
#[derive(Clone, Copy, Default)]
struct Time {
    epoch: u32,
    /// Host sample that comes next.
    next_sample: u64,
    /// Hop that is being collected.
    hop: u64,
}

impl Worker {
    pub fn new(
        flags: Arc<Flags>,
        telemetry: Arc<Telemetry>,
        model: Box<dyn HopModel>,
        inbox: Inbox,
        frames: Producer<Frame>,
    ) -> Self {
        Self {
            flags,
            telemetry,
            model,
            inbox,
            frames,
            n_restless: 0,
            now: Setting::default(),
            of_hop: None,
            time: Time::default(),
            epoch: 0,
        }
    }

    /// Runs until told to stop. A panic in the model ends the thread and is seen as `alive == false`.
    pub fn run(mut self) {
        let _guard = AliveGuard(self.flags.clone());
        while !self.flags.stop.load(Acquire) {
            match self.receive() {
                // Offline the callback wakes the worker.
                0 if self.inbox.offline => std::thread::park_timeout(OFFLINE_POLL),
                0 => self.rest(self.watch().next_look()),
                _ if self.n_restless >= HOPS_BEFORE_REST && !self.inbox.offline => self.rest(REST),
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
        let n_missing = self.inbox.resampler.n_missing().next_multiple_of(block);
        let seconds = |n_samples: usize| Duration::from_secs_f64(n_samples as f64 / self.inbox.clock.host_rate);
        Watch { since_block: self.flags.since_block(), block: seconds(block), missing: seconds(n_missing) }
    }

    /// Takes some input, if there is any, and returns how many samples.
    fn receive(&mut self) -> usize {
        let mut samples = [0.0; CHUNK_SIZE];
        let (stamp, samples) = self.inbox.receiver.receive(&mut samples);
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
        if stamp.epoch != self.time.epoch {
            // Live the same player goes on after a stop of the transport; every bounce begins anew.
            if self.inbox.offline {
                self.model.reset()
            } else {
                self.model.rest()
            }
            self.inbox.resampler.reset();
            self.time = Time { epoch: stamp.epoch, ..Time::default() };
            self.of_hop = None;
        }
        self.now = Setting { settings: stamp.settings, n_loads: stamp.n_loads };
        self.bridge_gap(stamp.position);
    }

    /// The samples that come next are from before a reset.
    fn is_out_of_date(&self) -> bool {
        self.epoch != self.flags.epoch.load(Acquire)
    }

    /// Puts silence in the place of lost input, so that everything after it keeps its time.
    fn bridge_gap(&mut self, start: u64) {
        let hop_limit = self.time.hop + u64::from(MAX_GAP_HOPS);
        while self.time.next_sample < start && !self.flags.stop.load(Acquire) {
            let n = (start - self.time.next_sample).min(CHUNK_SIZE as u64);
            self.feed(&[0.0; CHUNK_SIZE][..n as usize], self.time.hop < hop_limit);
        }
    }

    fn feed(&mut self, mut samples: &[f32], show_model: bool) {
        while !samples.is_empty() {
            let taken = self.inbox.resampler.take(samples);
            samples = &samples[taken..];
            self.time.next_sample += taken as u64;
            let hop_end = self.inbox.clock.hop_end(self.time.hop);
            if self.of_hop.is_none() && self.time.next_sample as i64 >= hop_end {
                self.of_hop = Some(self.now);
            }
            let Some(hop) = self.inbox.resampler.hop().copied() else { continue };
            if show_model {
                let setting = self.of_hop.take().unwrap_or(self.now);
                self.run_hop(&hop, &setting);
            }
            self.time.hop += 1;
        }
    }

    fn run_hop(&mut self, samples: &[f32; HOP_SIZE], Setting { settings, n_loads }: &Setting) {
        self.n_restless += 1;
        let start = Instant::now();
        self.model.load(*n_loads);
        let output = self.model.hop(HopInput { samples }, settings);
        let load = start.elapsed().as_secs_f32() * FRAME_RATE;
        if !output.is_valid {
            // What is no number stays in the networks' memory: without it they begin anew in the next hop.
            self.telemetry.count_failed_frame();
            self.model.rest();
        }
        self.telemetry.publish(&output.heard, &output.controls, load);
        // After a delay the first ones come too late. The ring is never full: it has room for all others.
        if self.time.hop >= self.flags.next_hop.load(Acquire) {
            let room = settings.room().made_valid();
            let Time { epoch, hop, .. } = self.time;
            let _ = self.frames.push(Frame { epoch, hop, controls: output.controls, room });
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
    use crate::config::MODEL_RATE;
    use crate::controls::Controls;
    use crate::engine::worker::link::Link;

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
        let inbox = Inbox { receiver, resampler, clock, offline: false };
        let mut worker = Worker::new(flags.clone(), Arc::default(), Box::new(Silent), inbox, frames_in);
        // Many more hops than there is room for frames.
        let stamp = Stamp { epoch: 0, position: 0, settings: Settings::default(), n_loads: 0 };
        assert_eq!(sender.send(stamp, &[0.0; 500 * HOP_SIZE]), 500 * HOP_SIZE);
        flags.next_hop.store(490, Release);
        while worker.receive() > 0 {}
        let hops: Vec<u64> = std::iter::from_fn(|| frames_out.pop().ok()).map(|frame| frame.hop).collect();
        assert_eq!(hops, (490..500).collect::<Vec<_>>());
    }
}
