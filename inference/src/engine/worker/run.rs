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
/// A live worker that catches up could starve other threads. After this many hops without a pause (128 ms of audio) it
/// pauses.
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
    /// When the newest block came that is in what was received.
    newest_block: Duration,
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
        Self {
            flags,
            telemetry,
            receiver,
            hops,
            frames,
            host_rate,
            offline,
            n_restless: 0,
            epoch: 0,
            hops_epoch: 0,
            newest_block: Duration::ZERO,
        }
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
        Watch { since_block: self.flags.since(self.newest_block), block: seconds(block), missing: seconds(n_missing) }
    }

    /// Takes some input, if there is any, and returns how many samples.
    fn receive(&mut self) -> usize {
        // Before the look at the ring: the worker must not wait from a block on that it has not seen.
        self.newest_block = self.flags.newest_block();
        let mut samples = [0.0; CHUNK_SIZE];
        let (stamp, samples) = self.receiver.receive(&mut samples);
        if let Some(stamp) = stamp {
            self.begin(&stamp);
        }
        self.feed(samples, true);
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
        while self.hops.next_sample() < start && !self.is_out_of_date() && !self.flags.stop.load(Acquire) {
            let n = (start - self.hops.next_sample()).min(CHUNK_SIZE as u64);
            self.feed(&[0.0; CHUNK_SIZE][..n as usize], self.hops.hop() < hop_limit);
        }
    }

    /// A reset ends it: the ring of frames has room for one that is out of date, not for many.
    fn feed(&mut self, mut samples: &[f32], show_model: bool) {
        while !samples.is_empty() && !self.is_out_of_date() {
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
        let load = start.elapsed().as_secs_f32() * FRAME_RATE;
        // After a delay the first ones come too late. The ring is never full: it has room for all others.
        if ready.hop >= self.flags.next_hop.load(Acquire) {
            let _ = self.frames.push(EpochFrame { epoch: self.epoch, frame });
        }
        // Last, so that a hop that was published can be played.
        self.telemetry.publish(&output, load);
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
    use crate::engine::clock::{HopClock, latency_samples};
    use crate::engine::hops::Setting;
    use crate::engine::resample::HopResampler;
    use crate::engine::worker::link::{Link, StampedSender};
    use crate::hear::HopInput;
    use crate::settings::Settings;
    use rtrb::Consumer;

    /// Raises the epoch, as a reset does, in the middle of hop `resets_in`.
    struct Silent {
        flags: Arc<Flags>,
        resets_in: Option<u32>,
        n_hops: u32,
    }

    impl HopModel for Silent {
        fn reset(&mut self) {}

        fn hop(&mut self, _: HopInput<'_>, _: &Settings) -> HopOutput {
            if self.resets_in == Some(self.n_hops) {
                self.flags.epoch.fetch_add(1, Release);
            }
            self.n_hops += 1;
            HopOutput::of(Controls::SILENT)
        }
    }

    struct Stage {
        flags: Arc<Flags>,
        sender: StampedSender,
        worker: Worker,
        frames: Consumer<EpochFrame>,
    }

    impl Stage {
        fn new(host_rate: f64, max_block: usize, resets_in: Option<u32>) -> Self {
            let latency = latency_samples(host_rate, max_block);
            let Link { flags, sender, receiver, frames_in, frames_out } = Link::new(host_rate, latency, max_block);
            let clock = HopClock { host_rate };
            let resampler = HopResampler::new(&clock).unwrap();
            let model = Silent { flags: flags.clone(), resets_in, n_hops: 0 };
            let hops = Hops::new(Box::new(model), resampler, clock);
            let ends = Ends { flags: flags.clone(), telemetry: Arc::default(), receiver, frames: frames_in };
            Self { flags, sender, worker: Worker::new(ends, hops, host_rate, false), frames: frames_out }
        }

        fn send(&mut self, epoch: u32, position: u64, n: usize) {
            let stamp = Stamp { epoch, position, setting: Setting::default() };
            assert_eq!(self.sender.send(stamp, &vec![0.0; n]), n);
        }

        /// Epoch and hop of all frames that the worker sends.
        fn sent(&mut self) -> Vec<(u32, u64)> {
            while self.worker.receive() > 0 {}
            std::iter::from_fn(|| self.frames.pop().ok()).map(|sent| (sent.epoch, sent.frame.hop)).collect()
        }
    }

    #[test]
    fn what_came_too_late_does_not_take_the_place_of_what_is_still_to_be_played() {
        let mut stage = Stage::new(MODEL_RATE.into(), HOP_SIZE, None);
        // Many more hops than there is room for frames.
        stage.send(0, 0, 500 * HOP_SIZE);
        stage.flags.next_hop.store(490, Release);
        assert_eq!(stage.sent(), (490..500).map(|hop| (0, hop)).collect::<Vec<_>>());
    }

    /// At 1 kHz one piece of the input has more hops than there is room for spare frames.
    #[test]
    fn what_a_reset_makes_out_of_date_does_not_take_the_place_of_what_follows() {
        let mut stage = Stage::new(1000.0, 1, Some(2));
        stage.send(0, 0, CHUNK_SIZE);
        stage.send(1, 0, 30);
        let sent = stage.sent();
        assert_eq!(sent[..3], [(0, 0), (0, 1), (0, 2)], "the hop that was begun is the last");
        assert!(sent.len() > 6, "{sent:?}");
        assert!(sent[3..].iter().copied().eq((0..sent.len() as u64 - 3).map(|hop| (1, hop))), "{sent:?}");
    }

    #[test]
    fn a_reset_ends_the_bridging_of_a_gap() {
        let mut stage = Stage::new(MODEL_RATE.into(), HOP_SIZE, Some(2));
        stage.send(0, 1000 * HOP_SIZE as u64, HOP_SIZE);
        stage.send(1, 0, HOP_SIZE);
        assert_eq!(stage.sent(), [(0, 0), (0, 1), (0, 2), (1, 0)]);
    }

    /// The worker would otherwise wait for the block after it, and make a hop late that it has all samples of.
    #[test]
    fn a_block_that_comes_after_the_look_at_the_ring_does_not_delay_the_next_one() {
        let mut stage = Stage::new(MODEL_RATE.into(), 4 * HOP_SIZE, None);
        std::thread::sleep(Duration::from_millis(30));
        assert_eq!(stage.worker.receive(), 0);
        stage.send(0, 0, 4 * HOP_SIZE);
        stage.flags.tell_block(Instant::now());
        let wait = stage.worker.watch().next_look();
        assert!(wait <= Duration::from_millis(2), "{wait:?}");
        assert_eq!(stage.sent().len(), 4);
    }
}
