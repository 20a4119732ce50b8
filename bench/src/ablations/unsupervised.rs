//! The setting of the DDSP article: f0 is learned from the sound, compared with f0 given.
//!
//! The encoder is assumed to be perfect: it reports the right semitone, but not its frequency. The frequency of each
//! semitone is a table that the spectral loss has to learn, from gradients through the oscillator. (Engel et al. 2020,
//! "Self-supervised pitch detection by inverse audio synthesis", found that this needs synthetic data with known f0,
//! too.)

use super::parts::Without;
use super::study;
use crate::table::{Row, number};
use anyhow::{Result, ensure};
use candle_core::{Device, Tensor};
use embouchure_inference::config::{N_HARMONICS, NOISE_MAX_HZ};
use embouchure_inference::note::hz_to_midi;
use embouchure_training::instrument::{
    Batch, FRAMES, Lessons, Played, Purpose, Recipe, TARGET_HOP, TARGET_RATE, new_params, play,
};
use embouchure_training::ops::{filtered_noise, oscillator, sliding_oscillator, spectral_loss, values};
use embouchure_training::optimizer::{Optimizer, Schedule};
use embouchure_training::params::Params;
use embouchure_training::progress::Silent;
use std::path::Path;

/// Steps of each training, and one-second sequences per step. Learning f0 takes much memory.
const STEPS: usize = 400;
const CLIPS: usize = 4;
/// Name of the table: f0 of every semitone relative to its start, octaves divided by [`OCTAVES`].
const TABLE: &str = "f0";
const N_SEMITONES: usize = 128;
/// Starting f0 where nothing is known: the middle of most instruments' ranges, Hz.
const START_HZ: f32 = 300.0;
/// Octaves for a weight of 1. This scale lets a training step move f0 by some cents.
const OCTAVES: f64 = 4.0;
const RATE: f32 = 2e-3;
const WARM_UP: usize = 20;
const MAX_NORM: f32 = 3.0;

/// What the training knows about f0 at its start.
#[derive(Clone, Copy, Debug, PartialEq)]
enum F0 {
    /// The true f0, as an input of the decoder.
    Given,
    /// f0 is learned, starting this many cents above the true f0.
    OffBy(f32),
    /// f0 is learned, starting from [`START_HZ`] for every note.
    Unknown,
}

/// Results on held-out recordings.
#[derive(Clone, Copy, Debug)]
struct Outcome {
    /// Multi-scale spectral loss.
    loss: f32,
    /// Share of frames whose f0 is right within 50 cents.
    right: f32,
    /// Median error of f0, semitones.
    semitones: f32,
}

/// Runs one training for each start of f0; everything else is equal.
pub fn measure(audio: &Path) -> Result<Vec<Row>> {
    let row = |(name, f0): (&str, F0)| {
        eprintln!("f0 {name}");
        let Outcome { loss, right, semitones } = learn(audio, f0)?;
        let mut row = Row::new();
        row.insert("f0".into(), name.into());
        row.insert("steps".into(), number(STEPS as f64, 0));
        row.insert("held-out loss".into(), number(f64::from(loss), 3));
        row.insert("f0 right".into(), number(f64::from(right), 3));
        row.insert("semitones off".into(), number(f64::from(semitones), 1));
        Ok(row)
    };
    let known =
        [("given", F0::Given), ("learned, from 70 cents off", F0::OffBy(70.0)), ("learned, from 300 Hz", F0::Unknown)];
    known.into_iter().map(row).collect()
}

/// Trains by the sound alone and evaluates on the held-out recordings. Writes no files.
fn learn(audio: &Path, f0: F0) -> Result<Outcome> {
    let told = if f0 == F0::Given { Without::Nothing } else { Without::F0 };
    let study = study(audio, Recipe { sound_clips: CLIPS, ..told.recipe() })?;
    let lessons = Lessons::gather(&study, &Silent)?;
    let mut params = new_params(study.seed, study.width, lessons.n_players, &study.device)?;
    params.add_table(TABLE, N_SEMITONES, 1)?;
    ensure!(!lessons.judged.is_empty(), "ten recordings are needed, so that one can be held out");
    let mut optimizer = Optimizer::default();
    let schedule = Schedule { peak: RATE, warm_up: WARM_UP, total: STEPS };
    for step in 0..STEPS {
        let loss = distance(&params, &lessons.batches.make(step, Purpose::Sound), f0)?;
        optimizer.step(&params, &loss.backward()?, schedule.at(step), MAX_NORM)?;
        if (step + 1).is_multiple_of(50) {
            eprintln!("step {}: loss {:.3}", step + 1, loss.to_scalar::<f32>()?);
        }
    }
    judge(&params, &lessons.judged, f0)
}

fn judge(params: &Params, judged: &[Batch], f0: F0) -> Result<Outcome> {
    let (mut loss, mut cents) = (0.0, Vec::new());
    for batch in judged {
        loss += distance(params, batch, f0)?.to_scalar::<f32>()? / judged.len() as f32;
        let played = if f0 == F0::Given { batch.f0_hz.clone() } else { values(&learned_f0_hz(params, batch, f0)?)? };
        cents.extend(played.iter().zip(&batch.f0_hz).map(|(a, b)| 1200.0 * (a / b).log2().abs()));
    }
    cents.sort_by(f32::total_cmp);
    let right = cents.partition_point(|cents| *cents < 50.0) as f32 / cents.len() as f32;
    Ok(Outcome { loss, right, semitones: cents[cents.len() / 2] / 100.0 })
}

fn distance(params: &Params, batch: &Batch, f0: F0) -> candle_core::Result<Tensor> {
    let device = params.device();
    let (audible, f0_hz) = match f0 {
        F0::Given => (batch.audible(device)?, None),
        _ => {
            let f0_hz = learned_f0_hz(params, batch, f0)?;
            (audible(&f0_hz)?, Some(f0_hz))
        }
    };
    let no_body = audible.ones_like()?;
    let Played { harmonic_amplitudes: amplitudes, noise_magnitudes } = play(params, batch, &audible, &no_body)?;
    let tone = match &f0_hz {
        Some(f0_hz) => sliding_oscillator(&amplitudes, &turns(f0_hz)?, TARGET_HOP)?,
        None => oscillator(&amplitudes, batch.turns.clone(), TARGET_HOP)?,
    };
    let noise = filtered_noise(&noise_magnitudes, TARGET_HOP, batch.seed)?;
    spectral_loss(&(tone + noise)?, batch.audio.clone())
}

/// Learned f0 of each frame, Hz, `[clips, FRAMES]`.
fn learned_f0_hz(params: &Params, batch: &Batch, f0: F0) -> candle_core::Result<Tensor> {
    let semitone = |hz: &f32| (hz_to_midi(*hz).round().max(0.0) as u32).min(N_SEMITONES as u32 - 1);
    let semitones: Vec<u32> = batch.f0_hz.iter().map(semitone).collect();
    let n_rows = semitones.len();
    let octaves = params.get(TABLE)?.index_select(&Tensor::from_vec(semitones, n_rows, params.device())?, 0)?;
    let start_hz = |right_hz: &f32| match f0 {
        F0::OffBy(cents) => right_hz * (cents / 1200.0).exp2(),
        _ => START_HZ,
    };
    let start_hz = Tensor::from_vec(batch.f0_hz.iter().map(start_hz).collect(), (n_rows, 1), params.device())?;
    ((octaves * (OCTAVES * std::f64::consts::LN_2))?.exp()? * start_hz)?.reshape((n_rows / FRAMES, FRAMES))
}

/// 1 for harmonics up to [`NOISE_MAX_HZ`], else 0, `[clips, FRAMES, N_HARMONICS]`.
fn audible(f0_hz: &Tensor) -> candle_core::Result<Tensor> {
    let numbers: Vec<f32> = (1..=N_HARMONICS).map(|k| k as f32).collect();
    let hz =
        f0_hz.detach().unsqueeze(2)?.broadcast_mul(&Tensor::from_vec(numbers, (1, 1, N_HARMONICS), f0_hz.device())?)?;
    hz.le(f64::from(NOISE_MAX_HZ))?.to_dtype(f0_hz.dtype())
}

/// Phase of the fundamental at every sample, turns from 0 to 1, `[clips, FRAMES · TARGET_HOP]`. Equals
/// [`embouchure_training::analysis::phase`].
fn turns(f0_hz: &Tensor) -> candle_core::Result<Tensor> {
    let (clips, frames) = f0_hz.dims2()?;
    let device: &Device = f0_hz.device();
    let before = Tensor::cat(&[&f0_hz.narrow(1, 0, 1)?, &f0_hz.narrow(1, 0, frames - 1)?], 1)?;
    let (hop, rate) = (TARGET_HOP as f64, f64::from(TARGET_RATE));
    // Contributions of f0 before the hop and of f0 at its end to the phase at sample i of the hop.
    let late = |i: usize| (i * (i + 1)) as f64 / (2.0 * hop * rate);
    let of_end: Vec<f32> = (1..=TARGET_HOP).map(|i| late(i) as f32).collect();
    let of_before: Vec<f32> = (1..=TARGET_HOP).map(|i| (i as f64 / rate - late(i)) as f32).collect();
    let row = |values: Vec<f32>| Tensor::from_vec(values, (1, 1, TARGET_HOP), device);
    let (end, start) = (f0_hz.unsqueeze(2)?, before.unsqueeze(2)?);
    let within = (end.broadcast_mul(&row(of_end)?)? + start.broadcast_mul(&row(of_before)?)?)?;
    let whole = within.narrow(2, TARGET_HOP - 1, 1)?.squeeze(2)?;
    let earlier: Vec<f32> = (0..frames * frames).map(|i| f32::from(u8::from(i / frames < i % frames))).collect();
    let begun = whole.contiguous()?.matmul(&Tensor::from_vec(earlier, (frames, frames), device)?)?;
    let turns = within.broadcast_add(&begun.unsqueeze(2)?)?.reshape((clips, frames * TARGET_HOP))?;
    &turns - turns.detach().floor()?
}

#[cfg(test)]
mod tests {
    use super::*;
    use embouchure_training::analysis::phase;

    #[test]
    fn the_phase_is_that_of_the_synth() -> candle_core::Result<()> {
        let f0_hz: Vec<f32> = (0..20).map(|t| 200.0 + 13.0 * t as f32).collect();
        let found = values(&turns(&Tensor::from_vec(f0_hz.clone(), (1, 20), &Device::Cpu)?)?)?;
        for (found, expected) in found.iter().zip(phase(&f0_hz, TARGET_HOP, TARGET_RATE)) {
            let off = (f64::from(*found) - expected).rem_euclid(1.0);
            assert!(off.min(1.0 - off) < 1e-4, "{found} for {expected}");
        }
        Ok(())
    }
}
