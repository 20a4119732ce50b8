//! For all tests: the shipped networks, small deterministic models in their place, and a host that calls the engine.
#![allow(dead_code, reason = "each test file uses some of it")]

use embouchure_inference::chain::{Chain, HopOutput};
use embouchure_inference::config::N_NOISE_BANDS;
use embouchure_inference::controls::Controls;
use embouchure_inference::engine::{Change, DriverKind, Engine, EngineConfig, HopModel, Io, Loader, Model, Telemetry};
use embouchure_inference::hear::encoder::Encoder;
use embouchure_inference::hear::{Heard, HopInput, Microphone};
use embouchure_inference::nn::Backend;
use embouchure_inference::play::instrument::Instrument;
use embouchure_inference::play::{LoadedInstrument, Player};
use embouchure_inference::settings::Settings;
use embouchure_inference::synth::hop_samples;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

/// The shipped encoder, loaded once.
pub fn encoder() -> Arc<Encoder> {
    static ENCODER: LazyLock<Arc<Encoder>> = LazyLock::new(|| {
        Arc::new(Encoder::from_bytes(embouchure_weights::ENCODER).expect("the shipped encoder loads"))
    });
    ENCODER.clone()
}

/// The shipped encoder, run by `backend`.
pub fn encoder_by(backend: Backend) -> Arc<Encoder> {
    Arc::new(Encoder::with_backend(embouchure_weights::ENCODER, backend).expect("the shipped encoder loads"))
}

/// A shipped instrument.
pub fn instrument(name: &str) -> Arc<Instrument> {
    instrument_for(&encoder(), name)
}

/// A shipped instrument with the backend of `encoder`.
pub fn instrument_for(encoder: &Encoder, name: &str) -> Arc<Instrument> {
    let bytes = embouchure_weights::instrument(name).expect("it ships");
    Arc::new(Instrument::from_bytes(bytes, encoder).expect("it loads"))
}

/// The product's chain with one shipped instrument.
pub fn chain(name: &str) -> Chain<Microphone> {
    let loaded = Some(Box::new(LoadedInstrument::new(instrument(name))));
    Chain::new(Microphone::new(&encoder()), Player::new([loaded, None]))
}

/// The product's model with one or two shipped instruments.
pub fn model(first: &str, second: Option<&str>) -> (Model, Loader) {
    Model::new(&encoder(), [Some(instrument(first)), second.map(instrument)])
}

/// The same for `driver`.
pub fn model_for(driver: DriverKind, first: &str, second: Option<&str>) -> (Model, Loader) {
    Model::for_driver(driver, &encoder(), [Some(instrument(first)), second.map(instrument)])
}

/// Settings without a room.
pub fn without_room() -> Settings {
    Settings::default().with(|s| s.sound.room = 0.0)
}

/// A harmonic tone and some noise at the level of the input; the pitch depends on the hop number. It has a state, so
/// that a missing reset is found.
#[derive(Default)]
pub struct FakeModel {
    hop: u64,
    level: f32,
}

impl HopModel for FakeModel {
    fn reset(&mut self) {
        *self = Self::default();
    }

    fn hop(&mut self, input: HopInput<'_>, settings: &Settings) -> HopOutput {
        self.level += 0.7 * (rms(input.samples) - self.level);
        self.hop += 1;
        let semitones = 9.0 * (self.hop as f32 * 0.21).sin() + settings.pitch.transpose_semitones;
        let controls =
            tone(330.0 * (semitones / 12.0).exp2(), self.level).with_noise([0.1 * self.level; N_NOISE_BANDS]);
        HopOutput { heard: Heard::note(controls.f0_hz()), ..HopOutput::of(controls) }
    }
}

/// Harmonics falling by 6 dB an octave.
pub fn tone(f0_hz: f32, amplitude: f32) -> Controls {
    let sum: f32 = (1..=40).map(|k| 1.0 / k as f32).sum();
    Controls::tone(f0_hz, &(1..=40).map(|k| amplitude / (k as f32 * sum)).collect::<Vec<_>>())
}

/// A 440 Hz sine with the amplitude of the hop's peak; silence below -20 dB. The test can block it.
#[derive(Clone, Default)]
pub struct PeakModel {
    pub is_blocked: Arc<AtomicBool>,
    pub n_hops: Arc<AtomicU64>,
}

impl HopModel for PeakModel {
    fn reset(&mut self) {}

    fn hop(&mut self, input: HopInput<'_>, _settings: &Settings) -> HopOutput {
        while self.is_blocked.load(SeqCst) {
            std::thread::sleep(Duration::from_micros(200));
        }
        self.n_hops.fetch_add(1, SeqCst);
        let peak = input.samples.iter().fold(0.0f32, |peak, x| peak.max(x.abs()));
        HopOutput::of(Controls::tone(440.0, &[if peak > 0.1 { peak } else { 0.0 }]))
    }
}

pub fn engine(host_rate: f64, max_block: usize, offline: bool) -> Engine {
    engine_with(host_rate, max_block, offline, FakeModel::default())
}

pub fn engine_with(host_rate: f64, max_block: usize, offline: bool, model: impl HopModel + 'static) -> Engine {
    engine_driven(DriverKind::default(), host_rate, max_block, offline, model)
}

pub fn engine_driven(
    driver: DriverKind,
    host_rate: f64,
    max_block: usize,
    offline: bool,
    model: impl HopModel + 'static,
) -> Engine {
    Engine::prepare(EngineConfig { host_rate, max_block, offline, driver }, Box::new(model)).unwrap()
}

/// Swelling phrases of a sine and noise, with pauses.
pub fn phrases(host_rate: f64, seconds: f64) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    (0..(host_rate * seconds) as usize)
        .map(|i| {
            let t = i as f64 / host_rate;
            let swell = (20.0 * t).sin().max(0.0);
            (swell * (0.4 * (std::f64::consts::TAU * 400.0 * t).sin() + rng.random_range(-0.1..0.1))) as f32
        })
        .collect()
}

/// Random block lengths from 1 to `max`, often short, with the sum `total`.
pub fn random_cuts(seed: u64, total: usize, max: usize) -> Vec<usize> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut cuts = Vec::new();
    let mut left = total;
    while left > 0 {
        let limit = if rng.random_range(0..3) == 0 { max.min(20) } else { max };
        let n = rng.random_range(1..=limit).min(left);
        cuts.push(n);
        left -= n;
    }
    cuts
}

/// `total` cut into blocks of `block`.
pub fn even_cuts(total: usize, block: usize) -> Vec<usize> {
    (0..total).step_by(block).map(|start| block.min(total - start)).collect()
}

/// Plays one block in place.
pub fn play_block(engine: &mut Engine, channels: &mut [&mut [f32]], n_inputs: usize, settings: &Settings) {
    engine.process(Io { channels, n_inputs, is_piece: false }, settings, &[]);
}

/// Settings of a run.
#[derive(Clone, Copy)]
pub struct Setting {
    pub wet: f32,
    /// Amplitude of a slow sine of the brightness, dB per octave.
    pub brightness_swing_db: f32,
    pub gain_db: f32,
    pub room: f32,
}

pub const WET: Setting = Setting { wet: 1.0, brightness_swing_db: 0.0, gain_db: 0.0, room: 0.0 };
pub const DRY: Setting = Setting { wet: 0.0, ..WET };

/// Samples between two changes of the brightness, no divisor of any block length.
const SWING_STEP: usize = 97;

impl Setting {
    /// Settings at sample `i` of the run.
    fn at(self, i: usize) -> Settings {
        let swing = self.brightness_swing_db * ((i / SWING_STEP * SWING_STEP) as f32 * 1e-3).sin();
        without_room().with(|s| {
            (s.mix.wet, s.mix.gain_db, s.sound.room, s.sound.brightness_db) =
                (self.wet, self.gain_db, self.room, swing);
        })
    }

    fn changes(self, block: std::ops::Range<usize>) -> Vec<Change> {
        let start = block.start;
        let swings = block.filter(|i| i % SWING_STEP == 0 && self.brightness_swing_db != 0.0);
        swings.map(|i| Change { at: i - start, settings: self.at(i) }).collect()
    }
}

/// Plays `input` through one channel, in blocks of the lengths `cuts`. `after_block` gets the number of samples so far.
pub fn play_paced(
    engine: &mut Engine,
    input: &[f32],
    cuts: &[usize],
    setting: Setting,
    mut after_block: impl FnMut(usize),
) -> Vec<f32> {
    let mut out = input.to_vec();
    let mut start = 0;
    for n in cuts {
        let block = start..start + n;
        let io = Io { channels: &mut [&mut out[block.clone()]], n_inputs: 1, is_piece: false };
        engine.process(io, &setting.at(start), &setting.changes(block));
        start += n;
        after_block(start);
    }
    assert_eq!(start, input.len(), "cuts cover the input");
    out
}

pub fn play(engine: &mut Engine, input: &[f32], cuts: &[usize], setting: Setting) -> Vec<f32> {
    play_paced(engine, input, cuts, setting, |_| ())
}

/// Waits until `happened`, which another thread brings about.
///
/// # Panics
/// After 20 s.
pub fn wait_until(what: &str, happened: impl Fn() -> bool) {
    let start = Instant::now();
    while !happened() {
        assert!(start.elapsed() < Duration::from_secs(20), "waited in vain: {what}");
        std::thread::sleep(Duration::from_micros(50));
    }
}

/// Waits until `n` hops were computed, since `prepare`, and their frames can be played.
///
/// # Panics
/// When it does not happen.
pub fn wait_for_hops(telemetry: &Telemetry, n: u64) {
    wait_until("the worker keeps up", || telemetry.hops() >= n);
}

/// Hops that `n` samples complete for certain: the resampler reads up to four samples ahead.
pub fn complete_hops(n: usize, host_rate: f64) -> u64 {
    ((n as f64 - 4.0) / hop_samples(host_rate)).max(0.0) as u64
}

/// `samples` and then `n` zeros.
pub fn padded(samples: &[f32], n: usize) -> Vec<f32> {
    let mut padded = samples.to_vec();
    padded.resize(samples.len() + n, 0.0);
    padded
}

pub fn rms(samples: &[f32]) -> f32 {
    (samples.iter().map(|x| x * x).sum::<f32>() / samples.len() as f32).sqrt()
}
