//! The thread that runs the model: chunks of input in, control frames out.

use super::link::{CHUNK_SIZE, Chunk, Frame, Link};
use super::resample::HopResampler;
use super::{HopModel, Telemetry};
use crate::config::FRAME_RATE;
use crate::controls::{Controls, SourceControls};
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::time::{Duration, Instant};

/// Polling keeps system calls out of the audio callback (waking a thread costs it 11 µs). Between this and
/// [`IDLE_POLL`] the worker looks four times per block: each look costs the worker some 10 µs, and with blocks longer
/// than the margin it has a block's time for a hop.
const POLL: Duration = Duration::from_micros(500);
/// While no input comes; still within the margin for the first hop after the pause.
const IDLE_POLL: Duration = Duration::from_millis(2);
const IDLE_AFTER: Duration = Duration::from_secs(1);
/// Of input that was lost, this much is shown to the model as silence; the rest only passes.
const MAX_GAP_HOPS: u32 = FRAME_RATE as u32;
/// Nothing a model may ask for is louder (60 dB over full scale), so that the output stays finite.
const MAX_GAIN: f32 = 1000.0;

pub(super) struct Worker {
    link: Arc<Link>,
    telemetry: Arc<Telemetry>,
    model: Box<dyn HopModel>,
    resampler: HopResampler,
    host_rate: f64,
    offline: bool,
    /// Time between two looks for input while it flows.
    poll: Duration,
    time: Time,
}

/// What the worker must know of the host.
pub(super) struct Input {
    pub resampler: HopResampler,
    pub host_rate: f64,
    pub offline: bool,
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
    pub fn new(link: Arc<Link>, telemetry: Arc<Telemetry>, model: Box<dyn HopModel>, input: Input) -> Self {
        let Input { resampler, host_rate, offline } = input;
        Self { link, telemetry, model, resampler, host_rate, offline, poll: POLL, time: Time::default() }
    }

    /// Runs until told to stop. A panic in the model ends the thread and is seen as `alive == false`.
    pub fn run(mut self) {
        let _guard = AliveGuard(self.link.clone());
        let mut last_input = Instant::now();
        let mut n_fresh = 0;
        while !self.link.stop.load(Acquire) {
            match self.link.chunks.pop() {
                Some(chunk) => {
                    self.hear(&chunk);
                    last_input = Instant::now();
                    n_fresh += chunk.len;
                }
                // Offline the callback wakes the worker.
                None if self.offline => std::thread::park_timeout(POLL),
                None if last_input.elapsed() > IDLE_AFTER => std::thread::sleep(IDLE_POLL),
                None => std::thread::sleep(self.poll(std::mem::take(&mut n_fresh))),
            }
        }
    }

    /// How long to sleep after `n_fresh` samples of input, 0 if none came since the last time.
    fn poll(&mut self, n_fresh: usize) -> Duration {
        if n_fresh > 0 {
            let quarter = Duration::from_secs_f64(n_fresh as f64 / self.host_rate / 4.0);
            self.poll = quarter.clamp(POLL, IDLE_POLL);
        }
        self.poll
    }

    fn hear(&mut self, chunk: &Chunk) {
        if chunk.epoch != self.link.epoch.load(Acquire) {
            return;
        }
        if chunk.epoch != self.time.epoch {
            self.model.reset();
            self.resampler.reset();
            self.time = Time { epoch: chunk.epoch, ..Time::default() };
        }
        self.bridge_gap(chunk.start, &chunk.source);
        self.feed(&chunk.samples[..chunk.len], &chunk.source, true);
        self.time.next_sample = chunk.start + chunk.len as u64;
    }

    /// Puts silence in the place of lost input, so that everything after it keeps its time.
    fn bridge_gap(&mut self, start: u64, source: &SourceControls) {
        let hop_limit = self.time.hop + u64::from(MAX_GAP_HOPS);
        while self.time.next_sample < start && !self.link.stop.load(Acquire) {
            let n = (start - self.time.next_sample).min(CHUNK_SIZE as u64);
            self.feed(&[0.0; CHUNK_SIZE][..n as usize], source, self.time.hop < hop_limit);
            self.time.next_sample += n;
        }
    }

    fn feed(&mut self, mut samples: &[f32], source: &SourceControls, show_model: bool) {
        while !samples.is_empty() {
            let taken = self.resampler.take(samples);
            samples = &samples[taken..];
            let Some(hop) = self.resampler.hop() else { continue };
            if show_model {
                let output = self.model.hop(hop, source);
                let controls = made_valid(output.controls);
                let played_hz = if controls.amplitude > 0.0 { controls.f0_hz } else { 0.0 };
                self.telemetry.publish(&output.heard, played_hz);
                // The queue holds all frames that are not due yet, so what a full one loses came too late anyway.
                self.link.frames.force_push(Frame { epoch: self.time.epoch, hop: self.time.hop, controls });
            }
            self.time.hop += 1;
        }
    }
}

/// Keeps the synth's promises whatever a model says: everything finite and ≥ 0, pitch > 0.
fn made_valid(controls: Controls) -> Controls {
    let gain = |x: f32| if x.is_finite() { x.clamp(0.0, MAX_GAIN) } else { 0.0 };
    Controls {
        f0_hz: if controls.f0_hz.is_finite() { controls.f0_hz.clamp(1.0, 20_000.0) } else { 440.0 },
        amplitude: gain(controls.amplitude),
        harmonic_distribution: controls.harmonic_distribution.map(gain),
        noise_magnitudes: controls.noise_magnitudes.map(gain),
    }
}

/// Tells the audio thread that no more frames will come, also when the model panics.
struct AliveGuard(Arc<Link>);

impl Drop for AliveGuard {
    fn drop(&mut self) {
        self.0.alive.store(false, Release);
    }
}
