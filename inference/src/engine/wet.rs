//! The wet signal on the audio thread: each control frame rendered at its place in time, or a fade if it is late.

use super::Telemetry;
use super::clock::HopClock;
use super::driver::Driver;
use super::hops::Frame;
use super::mix::{DelayLine, Shape};
use crate::config::FRAME_RATE;
use crate::controls::{Controls, Room};
use crate::synth::{HopShape, RampTo, Synth};
use std::sync::Arc;

/// Hops over which the last frame fades out when frames are late, and in when they come back: 20 ms.
const FADE_HOPS: u32 = (0.02 * FRAME_RATE) as u32;

/// Renders whole hops: each when its first sample is due, so that the output does not depend on the blocks.
pub(super) struct WetPlayer {
    telemetry: Arc<Telemetry>,
    clock: HopClock,
    /// Holds the side of the present hop.
    synth: Synth,
    /// The middle of the present hop; `[played..len]` is still to be played.
    rendered: Vec<f32>,
    len: usize,
    played: usize,
    /// The next hop to render.
    next: u64,
    /// The last frame that was in time.
    held: Controls,
    room: Room,
    /// Steps of the fade: one more with each late frame, one less with each frame in time.
    faded: u32,
}

/// A span of the wet signal; all slices have one length.
pub(super) struct Span<'a> {
    pub shapes: Shapes<'a>,
    /// Overwritten.
    pub middle: &'a mut [f32],
    /// Overwritten with what left has more and right has less than the middle.
    pub side: &'a mut [f32],
}

/// Shapes of the samples of a span, and of the samples after it. The latter are known, because shapes are delayed by
/// more than a hop.
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

    /// Ramp of one value in the hop of `len` samples that begins at sample `start`.
    fn ramp(&self, start: usize, len: usize, value: impl Fn(Shape) -> f32) -> RampTo {
        let first = value(self.at(start));
        let moved = (1..=len).find(|i| value(self.at(start + i)) != first);
        RampTo { start: moved.map_or(0, |i| i - 1), to: value(self.at(start + len)) }
    }

    fn width(&self, start: usize, len: usize) -> RampTo {
        if self.is_stereo { self.ramp(start, len, |shape| shape.width) } else { RampTo::over_hop(0.0) }
    }
}

impl WetPlayer {
    /// Allocates.
    pub fn new(telemetry: Arc<Telemetry>, clock: HopClock) -> Self {
        Self {
            telemetry,
            clock,
            synth: Synth::new(clock.host_rate),
            rendered: vec![0.0; clock.max_hop_len()],
            len: 0,
            played: 0,
            next: 1,
            held: Controls::SILENT,
            room: Room::NONE,
            faded: 0,
        }
    }

    /// Forgets the past.
    pub fn reset(&mut self) {
        self.synth.reset();
        (self.len, self.played) = (0, 0);
        self.next = 1;
        (self.held, self.room) = (Controls::SILENT, Room::NONE);
        self.faded = 0;
    }

    /// Renders a span. Its first sample belongs to input sample `start`; spans must be consecutive.
    pub fn render(&mut self, driver: &mut Driver, start: i64, span: Span<'_>) {
        let Span { shapes, middle, side } = span;
        let silent_until = self.clock.hop_end(0);
        let n_silent = (silent_until - start).clamp(0, middle.len() as i64) as usize;
        middle[..n_silent].fill(0.0);
        side[..n_silent].fill(0.0);
        let mut i = n_silent;
        while i < middle.len() {
            if self.played == self.len {
                self.render_hop(driver, &shapes, i);
            }
            let n = (middle.len() - i).min(self.len - self.played);
            let played = self.played..self.played + n;
            middle[i..i + n].copy_from_slice(&self.rendered[played.clone()]);
            side[i..i + n].copy_from_slice(&self.synth.side()[played]);
            self.played += n;
            i += n;
        }
    }

    /// Renders from the last frame to the next one. After a reset that is from silence, after late frames from the
    /// present state of the fade, so that there is never a step. `start`: first sample of the hop in `shapes`.
    fn render_hop(&mut self, driver: &mut Driver, shapes: &Shapes<'_>, start: usize) {
        match driver.frame(self.next) {
            Some(Frame { controls, room, .. }) => {
                (self.held, self.room) = (controls, room);
                self.faded = self.faded.saturating_sub(1);
            }
            None => {
                self.telemetry.count_late_frame();
                self.faded = (self.faded + 1).min(FADE_HOPS);
            }
        }
        let gain = (FADE_HOPS - self.faded) as f32 / FADE_HOPS as f32;
        let target = if gain < 1.0 { self.held.scaled(gain, gain) } else { self.held };
        self.len = self.clock.hop_len(self.next).min(self.rendered.len());
        self.played = 0;
        let shape = HopShape {
            brightness_db: shapes.ramp(start, self.len, |shape| shape.brightness_db),
            width: shapes.width(start, self.len),
            room: self.room,
        };
        self.synth.render_shaped(&target, shape, &mut self.rendered[..self.len]);
        self.next += 1;
        driver.set_next_hop(self.next);
    }
}
