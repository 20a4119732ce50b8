//! The whole effect as the host's audio callback sees it.

use super::clipping::Clipping;
use super::ear::Ear;
use super::mix::{DelayLine, Guard, MixLaw, Shape};
use super::resample::HopResampler;
use super::thread::{flush_subnormals, raise_priority};
use super::timing::{HopClock, latency_samples};
use super::wet::{Patience, Playback, Shapes, Stretch, WetPlayer, wait_a_little};
use super::worker::link::{Flags, Heading, InputSender, Link};
use super::worker::pace::Pace;
use super::worker::{Hearing, Worker};
use super::{HopModel, Telemetry};
use crate::controls::SourceControls;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::thread::JoinHandle;
use std::time::Instant;

/// What the host fixes before it starts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EngineConfig {
    /// Sample rate of the host, Hz.
    pub host_rate: f64,
    /// Largest block that the latency makes room for, samples. Longer ones lose nothing offline; live they need frames
    /// that cannot be there yet, which are then late like those of a slow worker.
    pub max_block: usize,
    /// The host renders faster than realtime: `process` waits for the worker, so that nothing is lost.
    pub offline: bool,
}

/// Parameters of one block. The slices hold one value per sample of the block.
#[derive(Clone, Copy, Debug)]
pub struct BlockParams<'a> {
    /// 0 = dry, 1 = wet (equal power between). Like the other slices it belongs to the input: it acts on the output with
    /// the input sample that it came with, so after the latency.
    pub mix: &'a [f32],
    /// Tilt over the harmonics, dB per octave; 0 = as learned. Read at each control frame, and where it begins to move.
    pub brightness_db: &'a [f32],
    /// How far noise, upper harmonics and room spread between two channels: 0 = the wet signal is the same in both,
    /// 1 = widest. Their mean is the same at any width, and what a single channel gets. Read like the brightness.
    pub width: &'a [f32],
    /// Linear gain of dry and wet together.
    pub output_gain: &'a [f32],
    /// The host's block goes on: these samples came in the same call as those before, from which a changed parameter cuts
    /// them.
    pub is_piece: bool,
    /// Acts on the analysis from the first sample of the block on, to the nearest hop.
    pub source: SourceControls,
}

/// Why an engine could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// The rate is not a finite number in the range that the resampler can serve.
    #[error("a sample rate of {0} Hz cannot be used: choose one between 1 kHz and 768 kHz")]
    HostRate(f64),
    /// The operating system gave no thread.
    #[error("could not start the worker thread: {0}")]
    Thread(#[from] std::io::Error),
}

/// Louder input (36 dB over full scale) is clipped for the analysis only; keeps the resampler and the model finite.
const MAX_ANALYSED: f32 = 64.0;

/// Callback side of the effect; owns the worker thread, which ends when this is dropped.
///
/// The output is a function of the input, the parameters and the sample rate: the same bit for bit however the host cuts
/// its blocks, live or offline, as long as no frame is late. With another `max_block` only the latency differs.
pub struct Engine {
    latency: usize,
    max_block: usize,
    host_rate: f64,
    offline: bool,
    pace: Pace,
    /// Samples processed since the reset.
    position: u64,
    flags: Arc<Flags>,
    sender: InputSender,
    telemetry: Arc<Telemetry>,
    /// Joined on drop.
    worker: Option<JoinHandle<()>>,
    wet: WetPlayer,
    /// What is analysed of a piece of the block, `[max_block]`.
    mono: Vec<f32>,
    /// Wet samples of a piece of the block, `[max_block]` each: the middle, and what left has more and right less.
    wet_middle: Vec<f32>,
    wet_side: Vec<f32>,
    ear: Ear,
    clipping: Clipping,
    dry: [DelayLine<f32>; 2],
    shapes: DelayLine<Shape>,
    /// The shapes of a piece of the block, delayed, `[max_block]`.
    shape: Vec<Shape>,
    mix: MixLaw,
    guard: Guard,
}

impl Engine {
    /// Allocates everything and starts the worker thread, which owns `model`.
    pub fn prepare(config: EngineConfig, model: Box<dyn HopModel>) -> Result<Self, PrepareError> {
        let EngineConfig { host_rate, offline, .. } = config;
        let max_block = config.max_block.max(1);
        let clock = HopClock { host_rate };
        let invalid = PrepareError::HostRate(host_rate);
        if !(1000.0..=768_000.0).contains(&host_rate) {
            return Err(invalid);
        }
        let Ok(resampler) = HopResampler::new(&clock) else { return Err(invalid) };

        let latency = latency_samples(host_rate, max_block);
        let Link { flags, sender, receiver, frames_in, frames_out } = Link::new(host_rate, latency, max_block);
        let telemetry = Arc::<Telemetry>::default();
        let hearing = Hearing { receiver, resampler, host_rate, offline };
        let worker = Worker::new(flags.clone(), telemetry.clone(), model, hearing, frames_in);
        let (say, said) = crossbeam::channel::bounded(1);
        let worker = std::thread::Builder::new().name("embouchure".into()).spawn(move || {
            flush_subnormals();
            // A bounce may take all the time it needs, and shall leave the machine usable.
            let _ = say.send(!offline && raise_priority());
            worker.run();
        })?;
        telemetry.set_worker_is_raised(said.recv().unwrap_or(false));
        let patience = if offline { Patience::Endless } else { Patience::None };
        let playback = Playback { flags: flags.clone(), frames: frames_out, worker: worker.thread().clone(), patience };
        Ok(Self {
            latency,
            max_block,
            host_rate,
            offline,
            pace: Pace::default(),
            position: 0,
            wet: WetPlayer::new(playback, telemetry.clone(), clock),
            flags,
            sender,
            telemetry,
            worker: Some(worker),
            mono: vec![0.0; max_block],
            wet_middle: vec![0.0; max_block],
            wet_side: vec![0.0; max_block],
            ear: Ear::new(host_rate),
            clipping: Clipping::new(host_rate),
            dry: [DelayLine::new(latency, 0.0), DelayLine::new(latency, 0.0)],
            shapes: DelayLine::new(latency, Shape::DRY),
            shape: vec![Shape::DRY; max_block],
            mix: MixLaw::DRY,
            guard: Guard::new(host_rate),
        })
    }

    /// Delay between input and output, dry and wet, in samples at the host's rate.
    pub fn latency_samples(&self) -> usize {
        self.latency
    }

    /// What the engine tells about itself.
    pub fn telemetry(&self) -> &Arc<Telemetry> {
        &self.telemetry
    }

    /// Forgets the past, as if newly prepared; the worker follows with the next block. Realtime-safe.
    pub fn reset(&mut self) {
        // Before the epoch: the worker that sees the new one sees this, too.
        self.flags.next_hop.store(0, Release);
        let epoch = self.flags.epoch.load(Acquire).wrapping_add(1);
        self.flags.epoch.store(epoch, Release);
        self.position = 0;
        self.wet.reset();
        self.ear.reset();
        self.clipping.reset();
        self.guard.reset();
        self.dry.iter_mut().for_each(|line| line.reset(0.0));
    }

    /// Processes one block of any length in place. `channels`: one or two slices of equal length, of which the first
    /// `n_inputs` carry input; a mono source is copied to both outputs. Samples that are not finite count as 0.
    /// Realtime-safe, unless offline or, for a host that renders unannounced, while it is ahead of the clock.
    pub fn process(&mut self, channels: &mut [&mut [f32]], n_inputs: usize, params: &BlockParams) {
        let shortest = channels.iter().map(|c| c.len()).min().unwrap_or(0);
        let n = [params.mix, params.brightness_db, params.width, params.output_gain]
            .iter()
            .map(|p| p.len())
            .fold(shortest, usize::min);
        debug_assert!(channels.iter().all(|c| c.len() == n), "channels and parameters of one length");
        let n_inputs = n_inputs.min(channels.len());
        let so_far = if params.is_piece { self.flags.block.load(Relaxed) } else { 0 };
        self.flags.block.store(so_far.saturating_add(n as u32), Relaxed);
        let came = (!self.offline).then(Instant::now);
        if let Some(now) = came {
            self.take_time(now, n, params.is_piece);
        }
        // In pieces, so that offline each finds its frames, and live those that are there.
        for start in (0..n).step_by(self.max_block) {
            let piece = start..n.min(start + self.max_block);
            self.send_input(channels, n_inputs, piece.clone(), &params.source);
            self.take_shapes(piece.clone(), params);
            self.render_wet(piece.len(), channels.len() > 1);
            self.write_output(channels, n_inputs, piece.clone());
            self.position += piece.len() as u64;
        }
        if let Some(now) = came {
            self.flags.tell_block(now);
        }
    }

    /// A host that does not say that it renders faster than it plays shows it, and can wait.
    fn take_time(&mut self, now: Instant, n: usize, is_piece: bool) {
        let length_s = n as f64 / self.host_rate;
        if is_piece {
            return self.pace.piece(length_s);
        }
        let spare = self.pace.block(now, length_s);
        self.wet.set_patience(if spare.is_zero() { Patience::None } else { Patience::Until(now + spare) });
    }

    fn send_input(&mut self, channels: &[&mut [f32]], n_inputs: usize, piece: Range<usize>, source: &SourceControls) {
        let n = piece.len();
        for ((x, i), position) in self.mono.iter_mut().zip(piece).zip(self.position..) {
            let [left, right] = input(channels, n_inputs, i);
            if self.clipping.hear(left, right, position) {
                self.telemetry.count_clipped_frame();
            }
            *x = self.ear.hear(left, right).clamp(-MAX_ANALYSED, MAX_ANALYSED);
        }
        let heading = Heading { epoch: self.flags.epoch.load(Acquire), position: self.position, source: *source };
        self.send(heading, n);
    }

    /// Sends the first `n` samples of `mono`. Offline waits for room; live what finds none is lost, and the worker puts
    /// silence in its place.
    fn send(&mut self, mut heading: Heading, n: usize) {
        let mut rest = &self.mono[..n];
        for n_waits in 0.. {
            let n_sent = self.sender.send(heading, rest);
            heading.position += n_sent as u64;
            rest = &rest[n_sent..];
            match &self.worker {
                _ if rest.is_empty() => return,
                Some(worker) if self.offline && self.flags.alive.load(Acquire) => {
                    wait_a_little(worker.thread(), n_waits);
                }
                _ => return self.telemetry.count_lost_samples(rest.len() as u64),
            }
        }
    }

    /// Takes in what shapes the samples of `piece`, and gives what shapes those that sound now.
    fn take_shapes(&mut self, piece: Range<usize>, params: &BlockParams) {
        for (to, i) in piece.enumerate() {
            let new = Shape {
                mix: params.mix[i],
                brightness_db: params.brightness_db[i],
                width: params.width[i],
                output_gain: params.output_gain[i],
            };
            if self.position == 0 && to == 0 {
                self.shapes.reset(new);
            }
            self.shape[to] = self.shapes.step(new);
        }
    }

    fn render_wet(&mut self, n: usize, is_stereo: bool) {
        let shapes = Shapes { now: &self.shape[..n], later: &self.shapes, is_stereo };
        let (middle, side) = (&mut self.wet_middle[..n], &mut self.wet_side[..n]);
        let start = self.position as i64 - self.latency as i64;
        self.wet.render(start, Stretch { shapes, middle, side });
    }

    fn write_output(&mut self, channels: &mut [&mut [f32]], n_inputs: usize, piece: Range<usize>) {
        let wet = self.wet_middle.iter().zip(&self.wet_side);
        for (i, ((middle, side), shape)) in piece.zip(wet.zip(&self.shape)) {
            let [left, right] = input(channels, n_inputs, i);
            let dry = [self.dry[0].step(left), self.dry[1].step(right)];
            let (dry_gain, wet_gain) = self.mix.gains(shape.mix);
            // Adding 0 turns -0 into 0; without a side the channels are the middle to the last bit.
            let wet = if *side == 0.0 { [*middle; 2] } else { [middle + side, middle - side] };
            let sum = [0, 1].map(|c| dry[c] * dry_gain + wet[c] * wet_gain);
            let loudest = |channels: [f32; 2]| channels[0].abs().max(channels[1].abs());
            let guard = match wet_gain {
                // Bypassed or dry: untouched to the last bit.
                0.0 => self.guard.open(),
                _ => self.guard.gain(loudest(sum), loudest(dry)),
            };
            for (channel, sample) in channels.iter_mut().zip(sum) {
                channel[i] = sample * guard * shape.output_gain;
            }
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.flags.stop.store(true, Release);
        if let Some(worker) = self.worker.take() {
            worker.thread().unpark();
            // An Err is a panic of the model, already reported by the panic hook.
            let _ = worker.join();
        }
    }
}

/// Left and right of sample `i`; one input stands for both.
#[inline]
fn input(channels: &[&mut [f32]], n_inputs: usize, i: usize) -> [f32; 2] {
    let sample = |channel: usize| Some(channels[channel][i]).filter(|x| x.is_finite()).unwrap_or(0.0);
    match n_inputs {
        0 => [0.0; 2],
        1 => [sample(0); 2],
        _ => [sample(0), sample(1)],
    }
}
