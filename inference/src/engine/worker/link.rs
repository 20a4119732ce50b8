//! Rings between callback and worker: samples one way, control frames the other.
//!
//! All rings are wait-free: neither side ever waits for the other to be scheduled, as it would in the middle of a push
//! to a queue with many senders.

use crate::engine::hops::{Frame, Setting};
use crate::synth::hop_samples;
use rtrb::{Consumer, Producer, RingBuffer};
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64};
use std::time::{Duration, Instant};

/// Capacity of the sample ring, s. A worker that stops for longer loses input.
const SECONDS_IN_FLIGHT: f64 = 6.0;
/// Changes of the settings on their way, at most one per block: 85 ms of blocks of 1 at 48 kHz, if a setting changes
/// with every one; else any time.
const MARKS_IN_FLIGHT: usize = 4096;
/// Room for frames beyond one per hop of latency: rounding, and hops that the worker had begun before a reset.
const SPARE_FRAMES: usize = 32;

/// Position and setting of samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stamp {
    pub epoch: u32,
    /// Host sample, counted from the reset.
    pub position: u64,
    pub setting: Setting,
}

/// A stamp for the samples from `at` on.
struct Mark {
    /// Samples sent since the rings were made.
    at: u64,
    stamp: Stamp,
}

/// A frame and its epoch.
#[derive(Clone, Copy)]
pub(super) struct EpochFrame {
    pub epoch: u32,
    pub frame: Frame,
}

/// Seen by both threads.
pub(super) struct Flags {
    /// Raised by the audio thread at each reset. Samples and frames of another epoch are out of date.
    pub epoch: AtomicU32,
    /// The worker is to end.
    pub stop: AtomicBool,
    /// False after a panic in the model: no more frames come.
    pub alive: AtomicBool,
    /// The next hop to render, in this epoch.
    pub next_hop: AtomicU64,
    /// Samples of the newest block.
    pub block: AtomicU32,
    /// When it came, ns since `start`. Told after its samples were sent, so that it is never ahead of them.
    block_at: AtomicU64,
    start: Instant,
}

impl Flags {
    fn new(max_block: usize) -> Self {
        Self {
            epoch: AtomicU32::new(0),
            stop: AtomicBool::new(false),
            alive: AtomicBool::new(true),
            next_hop: AtomicU64::new(0),
            block: AtomicU32::new(max_block as u32),
            block_at: AtomicU64::new(0),
            start: Instant::now(),
        }
    }

    /// The samples of a block that came at `now` are sent. Realtime-safe.
    pub fn tell_block(&self, now: Instant) {
        self.block_at.store(now.duration_since(self.start).as_nanos() as u64, Release);
    }

    /// When the newest block came, since the flags were made. What was sent with it is in the rings for who asks before
    /// looking there.
    pub fn newest_block(&self) -> Duration {
        Duration::from_nanos(self.block_at.load(Acquire))
    }

    /// Time since `came`, as [`newest_block`](Self::newest_block) tells it.
    pub fn since(&self, came: Duration) -> Duration {
        self.start.elapsed().saturating_sub(came)
    }
}

/// The audio thread's end of the input.
pub(super) struct StampedSender {
    samples: Producer<f32>,
    marks: Producer<Mark>,
    n_sent: u64,
    /// Of the next sample, if nothing changes.
    stamp: Option<Stamp>,
}

/// The worker's end of the input.
pub(super) struct StampedReceiver {
    samples: Consumer<f32>,
    marks: Consumer<Mark>,
    n_received: u64,
}

/// Both ends of everything.
pub(super) struct Link {
    pub flags: Arc<Flags>,
    pub sender: StampedSender,
    pub receiver: StampedReceiver,
    /// Worker's end.
    pub frames_in: Producer<EpochFrame>,
    /// Audio thread's end.
    pub frames_out: Consumer<EpochFrame>,
}

impl Link {
    /// Allocates. `latency` and `max_block` in samples at the host's rate.
    pub fn new(host_rate: f64, latency: usize, max_block: usize) -> Self {
        let n_samples = (SECONDS_IN_FLIGHT * host_rate) as usize + 4 * max_block;
        // Room for what has been sent and not yet played; answers that come too late to be played are not sent. Short,
        // so that it stays in the caches.
        let n_frames = ((latency + max_block) as f64 / hop_samples(host_rate)) as usize + SPARE_FRAMES;
        let (samples_in, samples_out) = RingBuffer::new(n_samples);
        let (marks_in, marks_out) = RingBuffer::new(MARKS_IN_FLIGHT);
        let (frames_in, frames_out) = RingBuffer::new(n_frames);
        Self {
            flags: Arc::new(Flags::new(max_block)),
            sender: StampedSender { samples: samples_in, marks: marks_in, n_sent: 0, stamp: None },
            receiver: StampedReceiver { samples: samples_out, marks: marks_out, n_received: 0 },
            frames_in,
            frames_out,
        }
    }
}

impl StampedSender {
    /// Sends as much of `samples`, which begin at `stamp`, as there is room for, and returns how much. Realtime-safe.
    pub fn send(&mut self, stamp: Stamp, samples: &[f32]) -> usize {
        if samples.is_empty() || self.samples.is_full() {
            return 0;
        }
        if self.stamp != Some(stamp) && self.marks.push(Mark { at: self.n_sent, stamp }).is_err() {
            return 0;
        }
        let n = self.samples.push_partial_slice(samples).0.len();
        self.n_sent += n as u64;
        self.stamp = Some(Stamp { position: stamp.position + n as u64, ..stamp });
        n
    }
}

impl StampedReceiver {
    /// Fills the front of `out` with the next samples that follow each other and returns it; empty if none are there.
    /// The stamp is given if a new one starts here.
    pub fn receive<'a>(&mut self, out: &'a mut [f32]) -> (Option<Stamp>, &'a [f32]) {
        // Counted first: a mark is pushed before its samples, so that those seen here have theirs.
        let n_here = self.samples.slots();
        let stamp = self.marks.peek().ok().filter(|mark| mark.at == self.n_received).map(|mark| mark.stamp);
        if stamp.is_some() {
            let _ = self.marks.pop();
        }
        let until = self.marks.peek().map_or(u64::MAX, |mark| mark.at);
        let n = n_here.min(out.len()).min((until - self.n_received).min(out.len() as u64) as usize);
        let received = self.samples.pop_partial_slice(&mut out[..n]).0;
        self.n_received += received.len() as u64;
        (stamp, received)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    fn stamp(epoch: u32, position: u64, transpose_semitones: f32) -> Stamp {
        let settings = Settings::default().with(|s| s.pitch.transpose_semitones = transpose_semitones);
        Stamp { epoch, position, setting: Setting { settings, n_loads: 0 } }
    }

    #[test]
    fn samples_of_one_block_each_need_no_marks() {
        let mut link = Link::new(48_000.0, 400, 1);
        for position in 0..200_000 {
            assert_eq!(link.sender.send(stamp(0, position, 0.0), &[1.0]), 1, "sample {position}");
        }
        assert_eq!(link.receiver.marks.slots(), 1);
    }

    #[test]
    fn a_change_arrives_with_its_first_sample() {
        let mut link = Link::new(1000.0, 400, 8);
        let mut out = [0.0; 16];
        assert_eq!(link.receiver.receive(&mut out), (None, &[][..]));
        let stamps = [stamp(0, 0, 0.0), stamp(0, 3, 0.0), stamp(0, 5, 2.0), stamp(1, 0, 2.0)];
        for (part, h) in [&[1.0, 2.0, 3.0][..], &[4.0, 5.0], &[6.0], &[7.0, 8.0]].iter().zip(stamps) {
            assert_eq!(link.sender.send(h, part), part.len());
        }
        assert_eq!(link.receiver.receive(&mut out[..2]), (Some(stamps[0]), &[1.0, 2.0][..]));
        assert_eq!(link.receiver.receive(&mut out), (None, &[3.0, 4.0, 5.0][..]));
        assert_eq!(link.receiver.receive(&mut out), (Some(stamps[2]), &[6.0][..]));
        assert_eq!(link.receiver.receive(&mut out), (Some(stamps[3]), &[7.0, 8.0][..]));
        assert_eq!(link.receiver.receive(&mut out), (None, &[][..]));
    }

    #[test]
    fn what_has_no_room_is_not_sent_and_leaves_a_visible_gap() {
        let mut link = Link::new(1000.0, 400, 1);
        let samples = vec![0.5; 10_000];
        let n = link.sender.send(stamp(0, 0, 0.0), &samples);
        assert!((6000..10_000).contains(&n), "{n}");
        for position in n as u64..n as u64 + 9000 {
            assert_eq!(link.sender.send(stamp(0, position, position as f32), &[0.5]), 0);
        }
        let mut out = vec![0.0; 10_000];
        assert_eq!(link.receiver.receive(&mut out).1.len(), n);
        let after = stamp(0, n as u64 + 9000, 0.0);
        assert_eq!(link.sender.send(after, &[0.25]), 1);
        assert_eq!(link.receiver.receive(&mut out), (Some(after), &[0.25][..]));
    }
}
