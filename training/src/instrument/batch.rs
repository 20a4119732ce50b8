//! Training sequences for the decoder, also softer than they were recorded.

use super::Recipe;
use super::performance::{HeardHop, Performance, TARGET_HOP};
use crate::random::{Draw, generator};
use candle_core::{Device, Result, Tensor};
use embouchure_inference::config::{FRAME_RATE, N_HARMONICS, N_NOISE_BANDS, NOISE_MAX_HZ};
use embouchure_inference::math::db::db_to_gain;
use embouchure_inference::nn::N_FEATURES;
use embouchure_inference::play::body::{N_POINTS, neighbours, position};
use embouchure_inference::play::decoder::Features;
use embouchure_inference::play::instrument::Statistics;
use half::f16;
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;

/// Frames of one sequence: one second.
pub const FRAMES: usize = FRAME_RATE as usize;
/// Softest level of a softened sequence, dB against the recording.
const SOFTEST_DB: f32 = -30.0;
/// Darkening of softer notes, as of brass: dB per octave above [`BRIGHT_HZ`] for every dB of level.
const DARKENING: f32 = 0.2;
/// Harmonics above this get darker, Hz.
const BRIGHT_HZ: f32 = 700.0;
/// Random gain of a sequence, as from another recording level, ± dB, so that no note is known by its level. 45
/// recordings of a trumpet: mean spectral difference 1.30 without, 1.16 with it (docs/tried.md).
const RECORDED_DB: f32 = 5.0;
/// Share of the sequences that are softened while controls are compared.
const SOFTENED: f32 = 0.5;
/// Targets are scaled so that each player's loud notes have this loudness, dB. So the threshold of silence does not
/// depend on the level of the recordings.
const COMPARED_DB: f32 = -18.0;
/// Noise is softened by this share of the tone's dB.
const NOISE_SHARE: f32 = 0.8;

/// Sequences of a training step. Rows are the frames of all sequences, one sequence after the other.
pub struct Batch {
    n_clips: usize,
    /// The decoder's inputs, scaled, `[rows]`.
    features: Vec<[f32; N_FEATURES]>,
    /// Pitch to play, Hz, `[rows]`.
    pub f0_hz: Vec<f32>,
    /// 1 for harmonics below 20 kHz, `[rows][N_HARMONICS]`.
    audible: Vec<f32>,
    /// Player of each row, one-hot, `[rows][n_players]`.
    players: Vec<f32>,
    n_players: usize,
    /// Place of every harmonic in the table of bodies: lower neighbour and weight of the next, `[rows][N_HARMONICS]`.
    pub places: Arc<Vec<(u32, f32)>>,
    /// Gain that brings the player's loud notes to [`COMPARED_DB`], linear, `[clips]`. The targets have it already.
    gains: Vec<f32>,
    /// Target amplitudes, linear, `[rows][N_HARMONICS]`.
    pub harmonics: Vec<f32>,
    /// Target noise magnitudes, linear, `[rows][N_NOISE_BANDS]`.
    pub noise: Vec<f32>,
    /// Phase of the fundamental, turns, `[clips][FRAMES · TARGET_HOP]`.
    pub turns: Arc<Vec<f64>>,
    /// Target audio, `[clips][FRAMES · TARGET_HOP]`.
    pub audio: Arc<Vec<f32>>,
    /// Seed of the synth's noise, another one for each step.
    pub seed: u64,
    /// Amplitudes below this count as silence.
    pub floor: f32,
}

/// Use of a batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Purpose {
    /// Controls are compared: disguised, and sometimes softer than recorded.
    Controls,
    /// The sound is compared: disguised, and never softened, because the recorded audio is the target.
    Sound,
    /// Held-out loss: as recorded, without disguise or change of level.
    HeldOut,
}

/// Source of batches. The same seed and index give the same batch.
pub struct Batches {
    /// Seed of all draws.
    pub(super) seed: u64,
    /// Recordings to draw from.
    pub(super) performances: Arc<Vec<Performance>>,
    /// Loudness of each player's loud notes, dB.
    pub(super) loud_db: Vec<f32>,
    /// Statistics that scale the features.
    pub(super) statistics: Statistics,
    /// How many sequences are drawn, how, and with which features.
    pub(super) recipe: Recipe,
}

impl Batches {
    /// Makes batch `index`, with as many sequences as the recipe has for this purpose.
    pub fn make(&self, index: usize, purpose: Purpose) -> Batch {
        let n_clips = match purpose {
            Purpose::Controls => self.recipe.control_clips,
            Purpose::Sound | Purpose::HeldOut => self.recipe.sound_clips,
        };
        let mut rng = generator(self.seed, index as u64);
        let mut batch = Batch {
            n_clips,
            features: vec![],
            f0_hz: vec![],
            audible: vec![],
            players: vec![],
            n_players: self.loud_db.len(),
            places: Arc::default(),
            gains: vec![],
            harmonics: vec![],
            noise: vec![],
            turns: Arc::default(),
            audio: Arc::default(),
            seed: self.seed ^ index as u64,
            floor: self.recipe.floor,
        };
        let (mut turns, mut audio, mut places) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..n_clips {
            let (performance, start) = self.draw(&mut rng);
            let softer_db = match purpose {
                Purpose::Controls if rng.chance(SOFTENED) => rng.uniform(SOFTEST_DB, 0.0),
                _ => 0.0,
            };
            let disguise = match purpose {
                Purpose::HeldOut => 0,
                _ if rng.chance(self.recipe.undisguised) => 0,
                _ => rng.index(performance.heard.len()),
            };
            let gain_db = if purpose == Purpose::HeldOut { 0.0 } else { rng.uniform(-RECORDED_DB, RECORDED_DB) };
            let compared = db_to_gain(COMPARED_DB - self.loud_db[performance.player]);
            batch.gains.push(compared);
            let level = Level { gain_db, softer_db, compared };
            self.append(&mut batch, performance, start, level, &performance.heard[disguise]);
            let f0: Vec<f32> = (0..FRAMES).map(|t| performance.f0_hz[(start + t).min(performance.len() - 1)]).collect();
            let place = |hz: f32| {
                let (low, share) = neighbours(position(hz), N_POINTS);
                ((performance.player * N_POINTS + low) as u32, share)
            };
            places.extend(f0.iter().flat_map(|f| (1..=N_HARMONICS).map(move |k| place(k as f32 * f))));
            let one_hot = (0..self.loud_db.len()).map(|player| f32::from(player == performance.player));
            batch.players.extend(one_hot.collect::<Vec<_>>().repeat(FRAMES));
            batch.f0_hz.extend(&f0);
            turns.extend(crate::analysis::phase(&f0, TARGET_HOP, super::performance::TARGET_RATE));
            let from = start * TARGET_HOP;
            let to = (from + FRAMES * TARGET_HOP).min(performance.audio.len());
            audio.extend(performance.audio[from..to].iter().map(|x| x.to_f32() * db_to_gain(gain_db) * compared));
            audio.resize(turns.len(), 0.0);
        }
        (batch.turns, batch.audio, batch.places) = (Arc::new(turns), Arc::new(audio), Arc::new(places));
        batch
    }

    /// A random recording and first hop; every hop of every recording is equally likely.
    fn draw(&self, rng: &mut ChaCha8Rng) -> (&Performance, usize) {
        let total: usize = self.performances.iter().map(Performance::len).sum();
        let mut at = rng.index(total);
        for performance in self.performances.iter() {
            if at < performance.len() {
                // Most sequences are whole, but silence after a sound is to be learned, too.
                let last_whole = performance.len().saturating_sub(FRAMES);
                return (performance, if rng.chance(self.recipe.whole) { at.min(last_whole) } else { at });
            }
            at -= performance.len();
        }
        unreachable!("`at` is below the sum of all lengths")
    }

    /// Appends the rows of one sequence: features from `disguise`, targets from `p`.
    fn append(&self, batch: &mut Batch, p: &Performance, start: usize, level: Level, disguise: &[HeardHop]) {
        let (gain, softer) = (db_to_gain(level.gain_db) * level.compared, db_to_gain(level.softer_db));
        let silence = HeardHop { voicing: 0.0, z: std::array::from_fn(|i| f16::from_f32(self.statistics.z_mean[i])) };
        for t in start..start + FRAMES {
            let over = t >= p.len();
            let at = t.min(p.len() - 1);
            let heard = if over { &silence } else { disguise.get(at).unwrap_or(&silence) };
            let loudness_db =
                if over { -100.0 } else { (p.loudness_db[at] + level.gain_db + level.softer_db).max(-100.0) };
            let f0_hz = p.f0_hz[at];
            let z = heard.z.map(f16::to_f32);
            let features = Features { f0_hz, loudness_db, voicing: heard.voicing, z: &z };
            let told = features.scaled(&self.statistics);
            batch.features.push(std::array::from_fn(|i| if self.recipe.told[i] { told[i] } else { 0.0 }));
            let gain = if over { 0.0 } else { gain };
            for (k, amplitude) in (1..=N_HARMONICS).zip(p.harmonics(at)) {
                let hz = k as f32 * f0_hz;
                let octaves_above = (hz / BRIGHT_HZ).log2().max(0.0);
                let darker = db_to_gain(level.softer_db * DARKENING * octaves_above);
                batch.audible.push(f32::from(hz <= NOISE_MAX_HZ));
                batch.harmonics.push(amplitude * gain * softer * darker);
            }
            batch.noise.extend(p.noise(at).map(|m| m * gain * softer.powf(NOISE_SHARE)));
        }
    }
}

/// Changes of a sequence's level.
#[derive(Clone, Copy)]
struct Level {
    /// As if the recording level had been higher, dB.
    gain_db: f32,
    /// As if it had been played softer, ≤ 0 dB.
    softer_db: f32,
    /// Gain of the targets, linear; see [`COMPARED_DB`].
    compared: f32,
}

impl Batch {
    /// The decoder's inputs, scaled, `[clips, FRAMES, N_FEATURES]`.
    pub fn features(&self, device: &Device) -> Result<Tensor> {
        let values = self.features.as_flattened();
        Tensor::from_slice(values, (self.n_clips, FRAMES, N_FEATURES), device)
    }

    /// Player of each row, one-hot, `[clips · FRAMES, n_players]`.
    pub fn players(&self, device: &Device) -> Result<Tensor> {
        Tensor::from_slice(&self.players, (self.n_clips * FRAMES, self.n_players), device)
    }

    /// `[clips, FRAMES, N_HARMONICS]`: 1 for harmonics below 20 kHz.
    pub fn audible(&self, device: &Device) -> Result<Tensor> {
        Tensor::from_slice(&self.audible, (self.n_clips, FRAMES, N_HARMONICS), device)
    }

    /// Gain of each clip to the level of the targets, linear, `[clips, 1, 1]`.
    pub fn gains(&self, device: &Device) -> Result<Tensor> {
        Tensor::from_slice(&self.gains, (self.n_clips, 1, 1), device)
    }

    /// Measured harmonic amplitudes, `[clips, FRAMES, N_HARMONICS]`.
    pub fn harmonics(&self, device: &Device) -> Result<Tensor> {
        Tensor::from_slice(&self.harmonics, (self.n_clips, FRAMES, N_HARMONICS), device)
    }

    /// Measured noise, `[clips, FRAMES, N_NOISE_BANDS]`.
    pub fn noise(&self, device: &Device) -> Result<Tensor> {
        Tensor::from_slice(&self.noise, (self.n_clips, FRAMES, N_NOISE_BANDS), device)
    }
}

#[cfg(test)]
pub mod tests {
    use super::super::performance::Copies;
    use super::*;
    use crate::progress::Silent;
    use embouchure_audio_file::{Audio, write_wav};
    use embouchure_inference::config::N_Z;
    use embouchure_inference::hear::encoder::Encoder;

    /// Two sequences of a synthesised recording at `gain`.
    pub fn batch(gain: f32) -> Batch {
        let sample = |i: usize| {
            let t = i as f32 / 48_000.0;
            let tone = |k: usize| (std::f32::consts::TAU * 330.0 * k as f32 * t).sin() / k as f32;
            gain * (0.3 + 0.2 * (5.0 * t).sin()) * (1..=6).map(tone).sum::<f32>()
        };
        let path = std::env::temp_dir().join(format!("embouchure-batch-{}-{gain}.wav", std::process::id()));
        let channels = vec![(0..96_000).map(sample).collect()];
        write_wav(&path, &Audio { channels, rate: 48_000 }).unwrap();
        let encoder = Encoder::from_bytes(embouchure_weights::ENCODER).unwrap();
        let mut performances = Performance::of(&path, 0, Copies { number: 0, share: 1.0 }, &encoder, &Silent).unwrap();
        std::fs::remove_file(path).unwrap();
        // The draws of the disguises depend on the file's name, which contains the process id.
        performances[0].heard.truncate(1);
        let loud_db = vec![performances[0].loudness_db.iter().copied().fold(f32::MIN, f32::max)];
        let statistics = Statistics {
            f0_range_hz: [330.0; 2],
            loudness_db: [-20.0; 4],
            z_mean: vec![0.0; N_Z],
            z_std: vec![1.0; N_Z],
        };
        let recipe = Recipe { sound_clips: 2, ..Recipe::USUAL };
        Batches { seed: 1, performances: Arc::new(performances), loud_db, statistics, recipe }.make(0, Purpose::HeldOut)
    }

    #[test]
    fn targets_do_not_depend_on_the_level_of_the_recording() {
        let (loud, soft) = (batch(0.8), batch(0.02));
        let near = |a: &[f32], b: &[f32]| {
            let (difference, size) =
                a.iter().zip(b).fold((0.0, 0.0), |(d, s), (a, b)| (d + (a - b).abs(), s + a.abs()));
            assert!(size > 0.0 && difference < 0.01 * size, "{difference} of {size}");
        };
        near(&loud.audio, &soft.audio);
        near(&loud.harmonics, &soft.harmonics);
        let loudness = |batch: &Batch| batch.features[100][1];
        assert!(loudness(&loud) - loudness(&soft) > 0.5, "the loudness feature shows the level");
        assert!((soft.gains[0] / loud.gains[0] - 40.0).abs() < 1.0, "the gains bring both to one level");
    }
}
