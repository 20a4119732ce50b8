//! The whole effect as the host's audio callback sees it.

use super::clipping::Clipping;
#[cfg(feature = "worker")]
use super::clock::latency_samples;
use super::clock::{HopClock, direct_latency_samples};
use super::direct::DirectDriver;
use super::driver::{Driver, DriverKind};
use super::ear::Ear;
use super::hops::{Hops, Setting};
use super::mix::{DelayLine, Guard, MixLaw, Shape};
use super::ramps::Ramps;
use super::resample::HopResampler;
use super::wet::{Shapes, Span, WetPlayer};
#[cfg(feature = "worker")]
use super::worker::WorkerDriver;
use super::{HopModel, Telemetry};
use crate::settings::Settings;
use crate::synth::hop_samples;
use std::ops::Range;
use std::sync::Arc;

/// Configuration that the host fixes at the start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EngineConfig {
    /// Sample rate of the host, Hz.
    pub host_rate: f64,
    /// Longest block that the latency allows for, samples. With the worker, longer live blocks need frames that cannot
    /// have come yet; these count as late. Offline nothing is lost.
    pub max_block: usize,
    /// The host renders faster than realtime: `process` waits for the worker.
    pub offline: bool,
    /// Where the model runs.
    pub driver: DriverKind,
}

/// One block of the host's.
pub struct Io<'a, 'b> {
    /// One or two slices of equal length, processed in place.
    pub channels: &'a mut [&'b mut [f32]],
    /// Of these the first carry input; a mono source is copied to both outputs.
    pub n_inputs: usize,
    /// The samples belong to the same block of the host's as those before: the framework cuts blocks where a parameter
    /// changes.
    pub is_piece: bool,
}

/// New settings from a sample of the block on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// Sample of the block.
    pub at: usize,
    /// The settings from there on.
    pub settings: Settings,
}

/// Errors of [`Engine::prepare`].
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// The rate is not a finite number in the range that the resampler can serve.
    #[error("a sample rate of {0} Hz cannot be used: choose one between 1 kHz and 768 kHz")]
    HostRate(f64),
    /// The operating system gave no thread.
    #[error("could not start the worker thread: {0}")]
    Thread(#[from] std::io::Error),
}

/// Limit of the analysed input: 36 dB over full scale. Keeps resampler and model finite.
const MAX_ANALYSED: f32 = 64.0;

/// Callback side of the effect; owns the driver, and with it the worker thread, which ends when this is dropped.
///
/// The output is a function of the input, the settings and the sample rate: the same bit for bit however the host cuts
/// its blocks, live or offline, as long as no frame is late. With another `max_block` only the latency differs.
pub struct Engine {
    latency: usize,
    max_block: usize,
    /// Samples processed since the reset.
    position: u64,
    /// Instruments that were asked for so far.
    n_loads: u32,
    driver: Driver,
    telemetry: Arc<Telemetry>,
    wet: WetPlayer,
    /// Downmix of a piece of the block, `[max_block]`.
    mono: Vec<f32>,
    /// Wet samples of a piece of the block, `[max_block]` each: the middle, and what left has more and right less.
    wet_middle: Vec<f32>,
    wet_side: Vec<f32>,
    ear: Ear,
    clipping: Clipping,
    ramps: Ramps,
    dry: [DelayLine<f32>; 2],
    shapes: DelayLine<Shape>,
    /// The shapes of a piece of the block, delayed, `[max_block]`.
    shape: Vec<Shape>,
    mix: MixLaw,
    guard: Guard,
}

impl Engine {
    /// Allocates everything, and starts the worker thread if there is one.
    pub fn prepare(config: EngineConfig, model: Box<dyn HopModel>) -> Result<Self, PrepareError> {
        let host_rate = config.host_rate;
        let max_block = config.max_block.max(1);
        let clock = HopClock { host_rate };
        let invalid = PrepareError::HostRate(host_rate);
        if !(1000.0..=768_000.0).contains(&host_rate) {
            return Err(invalid);
        }
        let Ok(resampler) = HopResampler::new(&clock) else { return Err(invalid) };

        let telemetry = Arc::<Telemetry>::default();
        let hops = Hops::new(model, resampler, clock);
        let (driver, latency) = start(EngineConfig { max_block, ..config }, hops, &telemetry)?;
        Ok(Self {
            latency,
            max_block,
            position: 0,
            n_loads: 0,
            driver,
            wet: WetPlayer::new(telemetry.clone(), clock),
            telemetry,
            mono: vec![0.0; max_block],
            wet_middle: vec![0.0; max_block],
            wet_side: vec![0.0; max_block],
            ear: Ear::new(host_rate),
            clipping: Clipping::new(host_rate),
            ramps: Ramps::new(host_rate),
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

    /// Announces a load. Returns the number of loads so far, for [`Loader::load`](super::Loader::load): the instrument
    /// plays from the next samples on, or as soon as it is loaded. Realtime-safe.
    pub fn expect_load(&mut self) -> u32 {
        self.n_loads = self.n_loads.wrapping_add(1);
        self.n_loads
    }

    /// Forgets the past, as if newly prepared. Settings jump to their values in the next block. Realtime-safe.
    pub fn reset(&mut self) {
        self.position = 0;
        self.driver.reset();
        self.wet.reset();
        self.ear.reset();
        self.clipping.reset();
        self.guard.reset();
        self.dry.iter_mut().for_each(|line| line.reset(0.0));
    }

    /// Processes one block of any length in place. `settings` hold from its first sample on, each of `changes` from its
    /// own sample on; changes are ordered. Input that is not finite counts as 0. Realtime-safe, except with the worker
    /// offline, or while a host that renders unannounced is ahead of the clock.
    pub fn process(&mut self, io: Io<'_, '_>, settings: &Settings, changes: &[Change]) {
        let Io { channels, n_inputs, is_piece } = io;
        let n = channels.iter().map(|c| c.len()).min().unwrap_or(0);
        debug_assert!(channels.iter().all(|c| c.len() == n), "channels of one length");
        let n_inputs = n_inputs.min(channels.len());
        self.driver.begin_block(n, is_piece);
        let (mut start, mut settings) = (0, settings);
        for change in changes {
            let end = change.at.clamp(start, n);
            self.process_part(channels, n_inputs, start..end, settings);
            (start, settings) = (end, &change.settings);
        }
        self.process_part(channels, n_inputs, start..n, settings);
        self.driver.end_block();
    }

    /// Processes samples with the same settings, in pieces of at most `max_block`, so that frames have come for each.
    fn process_part(&mut self, channels: &mut [&mut [f32]], n_inputs: usize, part: Range<usize>, settings: &Settings) {
        match self.position {
            0 => self.ramps.jump(settings),
            _ => self.ramps.aim(settings),
        }
        for start in part.clone().step_by(self.max_block) {
            let piece = start..part.end.min(start + self.max_block);
            self.send_input(channels, n_inputs, piece.clone(), settings);
            self.take_shapes(piece.len());
            self.render_wet(piece.len(), channels.len() > 1);
            self.write_output(channels, n_inputs, piece.clone());
            self.position += piece.len() as u64;
        }
    }

    fn send_input(&mut self, channels: &[&mut [f32]], n_inputs: usize, piece: Range<usize>, settings: &Settings) {
        let n = piece.len();
        for ((x, i), position) in self.mono.iter_mut().zip(piece).zip(self.position..) {
            let [left, right] = input(channels, n_inputs, i);
            if self.clipping.hear(left, right, position) {
                self.telemetry.count_clipped_frame();
            }
            *x = self.ear.hear(left, right).clamp(-MAX_ANALYSED, MAX_ANALYSED);
        }
        let setting = Setting { settings: *settings, n_loads: self.n_loads };
        self.driver.send(self.position, setting, &self.mono[..n]);
    }

    /// Delays the shapes of the next `n` samples; `shape` gets those of the samples that sound now.
    fn take_shapes(&mut self, n: usize) {
        for i in 0..n {
            let new = self.ramps.step();
            if self.position == 0 && i == 0 {
                self.shapes.reset(new);
            }
            self.shape[i] = self.shapes.step(new);
        }
    }

    fn render_wet(&mut self, n: usize, is_stereo: bool) {
        let shapes = Shapes { now: &self.shape[..n], later: &self.shapes, is_stereo };
        let (middle, side) = (&mut self.wet_middle[..n], &mut self.wet_side[..n]);
        let start = self.position as i64 - self.latency as i64;
        self.wet.render(&mut self.driver, start, Span { shapes, middle, side });
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

/// The driver that is asked for, and the latency of the effect with it, samples. Allocates.
fn start(config: EngineConfig, hops: Hops, telemetry: &Arc<Telemetry>) -> Result<(Driver, usize), PrepareError> {
    let EngineConfig { host_rate, max_block, offline, driver } = config;
    match driver {
        #[cfg(feature = "worker")]
        DriverKind::Worker => {
            let latency = latency_samples(host_rate, max_block);
            Ok((Driver::Worker(Box::new(WorkerDriver::start(config, latency, hops, telemetry.clone())?)), latency))
        }
        DriverKind::Direct => {
            let latency = direct_latency_samples(host_rate);
            let n_frames = ((latency + max_block) as f64 / hop_samples(host_rate)) as usize;
            Ok((Driver::Direct(Box::new(DirectDriver::new(hops, telemetry.clone(), n_frames, offline))), latency))
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
