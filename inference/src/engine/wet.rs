//! The wet signal on the audio thread: each control frame rendered at its place in time, or a fade if it is late.

use super::Telemetry;
use super::mix::{DelayLine, Shape};
use super::timing::HopClock;
use super::worker::link::{Flags, Frame};
use crate::config::FRAME_RATE;
use crate::controls::Controls;
use crate::synth::{Course, Synth};
use rtrb::Consumer;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::thread::Thread;
use std::time::{Duration, Instant};

/// Hops over which the last frame fades when no more come, and sound comes back when they do: 20 ms.
const FADE_HOPS: u32 = (0.02 * FRAME_RATE) as u32;
/// Offline waiting: tries before the callback lets the processor go.
const YIELDS_BEFORE_SLEEP: u32 = 100;

/// Renders hop by hop: all of a hop when its first sample is due, so nothing depends on how blocks cut it.
pub(super) struct WetPlayer {
    playback: Playback,
    telemetry: Arc<Telemetry>,
    clock: HopClock,
    /// Has the side of the hop being played.
    synth: Synth,
    /// The middle of the hop being played, `[played..len]` still to come.
    rendered: Vec<f32>,
    len: usize,
    played: usize,
    /// Frame at the end of the next hop to render.
    next: u64,
    /// Last frame that was there in time.
    held: Controls,
    /// Steps of the fade that have been taken: up with each missed frame, down again with each that is there.
    faded: u32,
}

/// A stretch of the wet signal and what shapes it; all of one length.
pub(super) struct Stretch<'a> {
    pub shapes: Shapes<'a>,
    /// Overwritten.
    pub middle: &'a mut [f32],
    /// Overwritten with what left has more and right has less than the middle.
    pub side: &'a mut [f32],
}

/// What shapes the samples of a stretch and those after it. The latter are known because all of them are delayed by more
/// than a hop.
#[derive(Clone, Copy)]
pub(super) struct Shapes<'a> {
    pub now: &'a [Shape],
    pub later: &'a DelayLine<Shape>,
    pub is_stereo: bool,
}

impl Shapes<'_> {
    fn at(&self, i: usize) -> Shape {
        self.now.get(i).copied().unwrap_or_else(|| self.later.ahead(i - self.now.len()))
    }

    /// How one of the values goes in the hop of `len` samples from sample `start` on.
    fn course(&self, start: usize, len: usize, value: impl Fn(Shape) -> f32) -> Course {
        let first = value(self.at(start));
        let moved = (1..=len).find(|i| value(self.at(start + i)) != first);
        Course { turn: moved.map_or(0, |i| i - 1), to: value(self.at(start + len)) }
    }

    fn width(&self, start: usize, len: usize) -> Course {
        if self.is_stereo { self.course(start, len, |shape| shape.width) } else { Course::straight_to(0.0) }
    }
}

/// Where frames come from.
pub(super) struct Playback {
    pub flags: Arc<Flags>,
    pub frames: Consumer<Frame>,
    /// The worker.
    pub worker: Thread,
    /// How long to wait for it.
    pub patience: Patience,
}

/// How long the callback waits for a frame that is not there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Patience {
    /// Live.
    None,
    /// While the host is ahead of the clock.
    Until(Instant),
    /// Offline.
    Endless,
}

impl Patience {
    fn is_left(self) -> bool {
        match self {
            Self::None => false,
            Self::Until(end) => Instant::now() < end,
            Self::Endless => true,
        }
    }
}

impl WetPlayer {
    /// Allocates.
    pub fn new(playback: Playback, telemetry: Arc<Telemetry>, clock: HopClock) -> Self {
        Self {
            playback,
            telemetry,
            clock,
            synth: Synth::new(clock.host_rate),
            rendered: vec![0.0; clock.max_hop_len()],
            len: 0,
            played: 0,
            next: 1,
            held: Controls::SILENT,
            faded: 0,
        }
    }

    /// Forgets the past; frames of older epochs that still come are thrown away when they are met.
    pub fn reset(&mut self) {
        self.playback.discard_all();
        self.synth.reset();
        (self.len, self.played) = (0, 0);
        self.next = 1;
        self.held = Controls::SILENT;
        self.faded = 0;
    }

    /// How long to wait for frames from now on.
    pub fn set_patience(&mut self, patience: Patience) {
        self.playback.patience = patience;
    }

    /// Plays a stretch, the first sample of which belongs to input sample `start`; calls must follow each other.
    pub fn render(&mut self, start: i64, stretch: Stretch<'_>) {
        let Stretch { shapes, middle, side } = stretch;
        let silent_until = self.clock.hop_end(0);
        let n_silent = (silent_until - start).clamp(0, middle.len() as i64) as usize;
        middle[..n_silent].fill(0.0);
        side[..n_silent].fill(0.0);
        let mut i = n_silent;
        while i < middle.len() {
            if self.played == self.len {
                self.render_hop(&shapes, i);
            }
            let n = (middle.len() - i).min(self.len - self.played);
            let played = self.played..self.played + n;
            middle[i..i + n].copy_from_slice(&self.rendered[played.clone()]);
            side[i..i + n].copy_from_slice(&self.synth.side()[played]);
            self.played += n;
            i += n;
        }
    }

    /// The way to the next frame. After a reset it leads from silence, after late frames from where the fade is, so
    /// there is never a step. `start`: its first sample in `shapes`.
    fn render_hop(&mut self, shapes: &Shapes<'_>, start: usize) {
        match self.playback.frame(self.next) {
            Some(controls) => {
                self.held = controls;
                self.faded = self.faded.saturating_sub(1);
            }
            None => {
                self.telemetry.count_late_frame();
                self.faded = (self.faded + 1).min(FADE_HOPS);
            }
        }
        let gain = (FADE_HOPS - self.faded) as f32 / FADE_HOPS as f32;
        let mut target = self.held;
        if gain < 1.0 {
            target.amplitude *= gain;
            target.noise_magnitudes = target.noise_magnitudes.map(|m| m * gain);
        }
        self.len = self.clock.hop_len(self.next).min(self.rendered.len());
        self.played = 0;
        let brightness_db = shapes.course(start, self.len, |shape| shape.brightness_db);
        let width = shapes.width(start, self.len);
        self.synth.render_shaped(&target, brightness_db, width, &mut self.rendered[..self.len]);
        self.next += 1;
        self.playback.flags.next_hop.store(self.next, Release);
    }
}

impl Playback {
    /// Frame `hop`, if it is there; what came too late for its turn is skipped.
    fn frame(&mut self, hop: u64) -> Option<Controls> {
        let epoch = self.flags.epoch.load(Acquire);
        loop {
            self.wait();
            let frame = self.frames.peek().ok()?;
            if frame.epoch == epoch && frame.hop > hop {
                return None;
            }
            let due = (frame.epoch == epoch && frame.hop == hop).then_some(frame.controls);
            self.discard(1);
            if due.is_some() {
                return due;
            }
        }
    }

    fn discard_all(&mut self) {
        self.discard(self.frames.slots());
    }

    fn discard(&mut self, n: usize) {
        if let Ok(frames) = self.frames.read_chunk(n) {
            frames.commit_all();
        }
    }

    /// Waits until there is a frame, none can come any more, or there is no time left. Live that is at once.
    fn wait(&self) {
        for n in 0u32.. {
            // A dying worker may have left a last frame, so look after asking.
            let was_alive = self.flags.alive.load(Acquire);
            if !was_alive || !self.frames.is_empty() || !self.patience.is_left() {
                return;
            }
            wait_a_little(&self.worker, n);
        }
    }
}

/// One turn of waiting for `worker`, after `n` others. Never live.
pub(super) fn wait_a_little(worker: &Thread, n: u32) {
    worker.unpark();
    if n < YIELDS_BEFORE_SLEEP {
        std::thread::yield_now();
    } else {
        std::thread::sleep(Duration::from_micros(100));
    }
}
