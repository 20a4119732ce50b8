//! The shipped networks, a small deterministic model in their place, and a host that calls the engine.
#![allow(dead_code, reason = "each test file uses its part")]

use embouchure_inference::config::HOP_SIZE;
use embouchure_inference::controls::{Controls, SourceControls};
use embouchure_inference::engine::{BlockParams, Engine, EngineConfig, Heard, HopModel, HopOutput};
use embouchure_inference::hear::encoder::Encoder;
use embouchure_inference::nn::Backend;
use embouchure_inference::play::instrument::Instrument;
use embouchure_inference::synth::room::Room;
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

/// A shipped instrument.
pub fn instrument(name: &str) -> Arc<Instrument> {
    instrument_for(&encoder(), name)
}

/// A shipped instrument, run as `encoder` is.
pub fn instrument_for(encoder: &Encoder, name: &str) -> Arc<Instrument> {
    let bytes = embouchure_weights::instrument(name).expect("it ships");
    Arc::new(Instrument::from_bytes(bytes, encoder).expect("it loads"))
}

/// The shipped encoder by `backend`.
pub fn encoder_by(backend: Backend) -> Arc<Encoder> {
    Arc::new(Encoder::with_backend(embouchure_weights::ENCODER, backend).expect("the shipped encoder loads"))
}

/// Follows the input's level with a harmonic tone and some noise; pitch wanders with the hop number. Has a memory, so
/// that a forgotten reset shows.
#[derive(Default)]
pub struct FakeModel {
    hop: u64,
    level: f32,
}

impl HopModel for FakeModel {
    fn reset(&mut self) {
        *self = Self::default();
    }

    fn hop(&mut self, samples: &[f32; HOP_SIZE], source: &SourceControls) -> HopOutput {
        let rms = (samples.iter().map(|x| x * x).sum::<f32>() / HOP_SIZE as f32).sqrt();
        self.level += 0.7 * (rms - self.level);
        self.hop += 1;
        let semitones = 9.0 * (self.hop as f32 * 0.21).sin() + source.transpose_semitones;
        let mut controls = tone(330.0 * (semitones / 12.0).exp2(), self.level);
        controls.noise_magnitudes.fill(0.1 * self.level);
        controls.room = Room::of(source.room, source.room_decay_s);
        HopOutput {
            controls,
            heard: Heard { f0_hz: controls.f0_hz, voicing: 1.0, loudness_db: -20.0, ..Heard::default() },
        }
    }
}

/// Harmonics falling by 6 dB an octave.
pub fn tone(f0_hz: f32, amplitude: f32) -> Controls {
    let mut controls = Controls { f0_hz, amplitude, ..Controls::SILENT };
    let sum: f32 = (1..=40).map(|k| 1.0 / k as f32).sum();
    for (k, weight) in (1..=40).zip(&mut controls.harmonic_distribution) {
        *weight = 1.0 / (k as f32 * sum);
    }
    controls
}

/// A 440 Hz sine as loud as the hop's peak; nothing below -20 dB. Can be held up from outside.
#[derive(Clone, Default)]
pub struct PeakModel {
    pub held_up: Arc<AtomicBool>,
    pub n_hops: Arc<AtomicU64>,
}

impl HopModel for PeakModel {
    fn reset(&mut self) {}

    fn hop(&mut self, samples: &[f32; HOP_SIZE], _source: &SourceControls) -> HopOutput {
        while self.held_up.load(SeqCst) {
            std::thread::sleep(Duration::from_micros(200));
        }
        self.n_hops.fetch_add(1, SeqCst);
        let peak = samples.iter().fold(0.0f32, |peak, x| peak.max(x.abs()));
        let mut controls = Controls { amplitude: if peak > 0.1 { peak } else { 0.0 }, ..Controls::SILENT };
        controls.harmonic_distribution[0] = 1.0;
        HopOutput { controls, heard: Heard::default() }
    }
}

pub fn engine(host_rate: f64, max_block: usize, offline: bool) -> Engine {
    engine_with(host_rate, max_block, offline, FakeModel::default())
}

pub fn engine_with(host_rate: f64, max_block: usize, offline: bool, model: impl HopModel + 'static) -> Engine {
    Engine::prepare(EngineConfig { host_rate, max_block, offline }, Box::new(model)).unwrap()
}

/// Swelling noise-and-sine phrases with pauses between them.
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

/// Block lengths from 1 to `max`, often short, that add up to `total`.
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

/// Parameters held over a block: wet unless said otherwise.
#[derive(Clone, Copy)]
pub struct Held {
    pub mix: f32,
    pub brightness_db: f32,
    pub width: f32,
    pub output_gain: f32,
    pub is_piece: bool,
    pub source: SourceControls,
}

impl Default for Held {
    fn default() -> Self {
        let source = SourceControls::default();
        Self { mix: 1.0, brightness_db: 0.0, width: 0.0, output_gain: 1.0, is_piece: false, source }
    }
}

/// Plays one block in place.
pub fn play_block(engine: &mut Engine, channels: &mut [&mut [f32]], n_inputs: usize, held: Held) {
    let n = channels.first().map_or(0, |channel| channel.len());
    let params = BlockParams {
        mix: &vec![held.mix; n],
        brightness_db: &vec![held.brightness_db; n],
        width: &vec![held.width; n],
        output_gain: &vec![held.output_gain; n],
        is_piece: held.is_piece,
        source: held.source,
    };
    engine.process(channels, n_inputs, &params);
}

/// Parameters held over a run.
#[derive(Clone, Copy)]
pub struct Setting {
    pub mix: f32,
    /// Brightness swings by this much over the samples of the run, dB per octave.
    pub brightness_swing_db: f32,
    pub gain: f32,
    pub room: f32,
}

pub const WET: Setting = Setting { mix: 1.0, brightness_swing_db: 0.0, gain: 1.0, room: 0.0 };
pub const DRY: Setting = Setting { mix: 0.0, ..WET };

/// Plays `input` through one channel, in blocks of the lengths `cuts`. `after_block` gets the samples done so far.
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
        let brightness: Vec<f32> =
            (start..start + n).map(|i| setting.brightness_swing_db * (i as f32 * 1e-3).sin()).collect();
        let params = BlockParams {
            mix: &vec![setting.mix; *n],
            brightness_db: &brightness,
            width: &vec![0.0; *n],
            output_gain: &vec![setting.gain; *n],
            is_piece: false,
            source: SourceControls { room: setting.room, ..SourceControls::default() },
        };
        engine.process(&mut [&mut out[start..start + n]], 1, &params);
        start += n;
        after_block(start);
    }
    assert_eq!(start, input.len(), "cuts cover the input");
    out
}

pub fn play(engine: &mut Engine, input: &[f32], cuts: &[usize], setting: Setting) -> Vec<f32> {
    play_paced(engine, input, cuts, setting, |_| ())
}

/// Waits for what another thread does.
///
/// # Panics
/// When it does not happen.
pub fn wait_until(what: &str, happened: impl Fn() -> bool) {
    let start = Instant::now();
    while !happened() {
        assert!(start.elapsed() < Duration::from_secs(20), "waited in vain: {what}");
        std::thread::sleep(Duration::from_micros(50));
    }
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
