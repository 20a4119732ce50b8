//! The driver that runs the model on a worker thread. Samples go there through a ring, control frames come back through
//! another. Live, the callback never waits.

mod link;
mod pace;
mod run;
mod thread;
mod watch;

use super::hops::{Frame, Hops, Setting};
use super::{EngineConfig, Telemetry, flush_subnormals};
use link::{EpochFrame, Flags, Link, Stamp, StampedSender};
use pace::Pace;
use rtrb::Consumer;
use run::{Ends, Worker};
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Offline waiting: tries before the callback lets the processor go.
const YIELDS_BEFORE_SLEEP: u32 = 100;

/// The callback's side; the worker ends when this is dropped.
pub(super) struct WorkerDriver {
    flags: Arc<Flags>,
    sender: StampedSender,
    frames: Consumer<EpochFrame>,
    telemetry: Arc<Telemetry>,
    /// Joined on drop.
    thread: Option<JoinHandle<()>>,
    wait: WaitPolicy,
    pace: Pace,
    host_rate: f64,
    offline: bool,
    /// When the present block came; `None` offline.
    came: Option<Instant>,
}

/// How long the callback waits for a frame that is not there.
#[derive(Clone, Copy, Debug, PartialEq)]
enum WaitPolicy {
    /// Live.
    Never,
    /// While the host is ahead of the clock.
    Until(Instant),
    /// Offline.
    Always,
}

impl WaitPolicy {
    fn has_time(self) -> bool {
        match self {
            Self::Never => false,
            Self::Until(end) => Instant::now() < end,
            Self::Always => true,
        }
    }
}

impl WorkerDriver {
    /// Allocates, and starts the thread, which owns `hops`. `latency`: of the effect, samples.
    pub fn start(config: EngineConfig, latency: usize, hops: Hops, telemetry: Arc<Telemetry>) -> std::io::Result<Self> {
        let EngineConfig { host_rate, max_block, offline, .. } = config;
        let Link { flags, sender, receiver, frames_in, frames_out } = Link::new(host_rate, latency, max_block);
        let ends = Ends { flags: flags.clone(), telemetry: telemetry.clone(), receiver, frames: frames_in };
        let worker = Worker::new(ends, hops, host_rate, offline);
        let (say, said) = crossbeam::channel::bounded(1);
        let thread = std::thread::Builder::new().name("embouchure".into()).spawn(move || {
            flush_subnormals();
            // A bounce may take all the time it needs, and shall leave the machine usable.
            let _ = say.send(!offline && thread::raise_priority());
            worker.run();
        })?;
        telemetry.set_worker_is_raised(said.recv().unwrap_or(false));
        Ok(Self {
            flags,
            sender,
            frames: frames_out,
            telemetry,
            thread: Some(thread),
            wait: if offline { WaitPolicy::Always } else { WaitPolicy::Never },
            pace: Pace::default(),
            host_rate,
            offline,
            came: None,
        })
    }

    /// Starts a new epoch; the worker follows with the next block. Frames of older epochs that still come are skipped.
    /// Realtime-safe.
    pub fn reset(&mut self) {
        // Stored before the epoch, so that a worker that sees the new epoch sees this, too.
        self.flags.next_hop.store(0, Release);
        let epoch = self.flags.epoch.load(Acquire).wrapping_add(1);
        self.flags.epoch.store(epoch, Release);
        self.discard(self.frames.slots());
    }

    /// A block of `n` samples came. `is_piece`: it goes on with the block before.
    pub fn begin_block(&mut self, n: usize, is_piece: bool) {
        let so_far = if is_piece { self.flags.block.load(Relaxed) } else { 0 };
        self.flags.block.store(so_far.saturating_add(n as u32), Relaxed);
        self.came = (!self.offline).then(Instant::now);
        let Some(now) = self.came else { return };
        let length_s = n as f64 / self.host_rate;
        if is_piece {
            return self.pace.piece(length_s);
        }
        // A host that does not say that it renders faster than it plays shows it, and can wait.
        let spare = self.pace.block(now, length_s);
        self.wait = if spare.is_zero() { WaitPolicy::Never } else { WaitPolicy::Until(now + spare) };
    }

    /// All samples of the block were sent.
    pub fn end_block(&mut self) {
        if let Some(now) = self.came {
            self.flags.tell_block(now);
        }
    }

    /// Sends samples; the first belongs to host sample `position`. Offline it waits for room in the ring. Live, samples
    /// that find no room are lost, and the worker puts silence in their place.
    pub fn send(&mut self, position: u64, setting: Setting, samples: &[f32]) {
        let mut stamp = Stamp { epoch: self.flags.epoch.load(Acquire), position, setting };
        let mut rest = samples;
        for n_waits in 0.. {
            let n_sent = self.sender.send(stamp, rest);
            stamp.position += n_sent as u64;
            rest = &rest[n_sent..];
            match &self.thread {
                _ if rest.is_empty() => return,
                Some(_) if self.offline && self.flags.alive.load(Acquire) => self.wait_a_little(n_waits),
                _ => return self.telemetry.count_lost_samples(rest.len() as u64),
            }
        }
    }

    /// Frame of hop `hop`, if it has come; frames that came too late are skipped.
    pub fn frame(&mut self, hop: u64) -> Option<Frame> {
        let epoch = self.flags.epoch.load(Acquire);
        loop {
            self.wait_for_frame();
            let EpochFrame { epoch: sent_in, frame } = *self.frames.peek().ok()?;
            if sent_in == epoch && frame.hop > hop {
                return None;
            }
            let due = (sent_in == epoch && frame.hop == hop).then_some(frame);
            self.discard(1);
            if due.is_some() {
                return due;
            }
        }
    }

    /// Sets the next hop to render: the worker need not send earlier ones.
    pub fn set_next_hop(&mut self, hop: u64) {
        self.flags.next_hop.store(hop, Release);
    }

    fn discard(&mut self, n: usize) {
        if let Ok(frames) = self.frames.read_chunk(n) {
            frames.commit_all();
        }
    }

    /// Waits until there is a frame, none can come any more, or there is no time left. Live that is at once.
    fn wait_for_frame(&self) {
        for n in 0u32.. {
            // A dying worker may have left a last frame, so look after asking.
            let was_alive = self.flags.alive.load(Acquire);
            if !was_alive || !self.frames.is_empty() || !self.wait.has_time() {
                return;
            }
            self.wait_a_little(n);
        }
    }

    /// One turn of waiting, after `n` others. Never live.
    fn wait_a_little(&self, n: u32) {
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
        if n < YIELDS_BEFORE_SLEEP {
            std::thread::yield_now();
        } else {
            std::thread::sleep(Duration::from_micros(100));
        }
    }
}

impl Drop for WorkerDriver {
    fn drop(&mut self) {
        self.flags.stop.store(true, Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // An Err is a panic of the model, already reported by the panic hook.
            let _ = thread.join();
        }
    }
}
