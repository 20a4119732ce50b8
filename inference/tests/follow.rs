//! The Follow setting: the controls take the source's harmonics in its notes, and its noise everywhere.

mod common;

use common::{chain, without_room};
use embouchure_inference::config::{HOP_SIZE, MODEL_RATE};
use embouchure_inference::controls::Controls;
use embouchure_inference::hear::HopInput;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::f32::consts::TAU;

fn play(follow: f32, samples: &[f32]) -> Vec<Controls> {
    let mut chain = chain("clarinet");
    let settings = without_room().with(|s| (s.pitch.octave_fit, s.sound.follow) = (false, follow));
    let hop = |samples| chain.hop(HopInput { samples }, &settings).controls;
    samples.as_chunks::<HOP_SIZE>().0.iter().map(hop).collect()
}

/// Amplitude of the fundamental: soft, so that Level Fit has to raise it.
const NOTE: f32 = 0.01;

/// A note of 0.6 s; partial k has 1/k of [`NOTE`].
fn note() -> Vec<f32> {
    let sample = |i: usize| {
        let turns = 300.0 * i as f32 / MODEL_RATE as f32;
        (1..=20).map(|k| NOTE / k as f32 * (TAU * turns * k as f32).sin()).sum()
    };
    (0..150 * HOP_SIZE).map(sample).collect()
}

/// White noise of 0.6 s.
fn noise(level: f32) -> Vec<f32> {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    (0..150 * HOP_SIZE).map(|_| level * 3f32.sqrt() * random.random_range(-1.0f32..1.0)).collect()
}

fn noise_power(controls: &[Controls]) -> f32 {
    let of_hop = |c: &Controls| c.noise_magnitudes()[5..40].iter().map(|m| m * m).sum::<f32>() / 35.0;
    controls.iter().map(of_hop).sum::<f32>() / controls.len() as f32
}

#[test]
fn harmonics_follow_the_source() {
    let db = |follow: f32, k: usize| {
        let played = play(follow, &note()).pop().unwrap();
        20.0 * (played.harmonic_amplitudes()[k - 1] / played.harmonic_amplitudes()[0]).log10()
    };
    for k in 2..=8 {
        let (from, half, to) = (db(0.0, k), db(0.5, k), db(1.0, k));
        assert!((to + 20.0 * (k as f32).log10()).abs() < 0.5, "partial {k}: {to} dB");
        // The texture, which wavers by some dB, acts at half.
        assert!((half - 0.5 * (from + to)).abs() < 4.0, "partial {k}: {half} dB between {from} and {to}");
    }
}

#[test]
fn noise_follows_the_source_in_notes_and_between_them() {
    let sounds = [note(), vec![0.0; 50 * HOP_SIZE], noise(0.01), vec![0.0; 100 * HOP_SIZE]].concat();
    let db = |follow: f32, hops: std::ops::Range<usize>| 10.0 * noise_power(&play(follow, &sounds)[hops]).log10();
    let consonant = 230..340;
    assert_eq!(
        noise_power(&play(0.0, &sounds)[consonant.clone()]),
        0.0,
        "without Follow, the instrument plays no consonant"
    );
    let (half, all) = (db(0.5, consonant.clone()), db(1.0, consonant));
    assert!((all - half - 6.0).abs() < 0.1, "{half} and {all} dB");
    // The noise is raised as much as the note. Magnitudes are relative to white noise at 48 kHz, which has three times
    // the power.
    let note = play(1.0, &sounds)[149];
    let note_gain_db = 20.0 * (note.harmonic_amplitudes()[0] / NOTE).log10();
    let noise_gain_db = all - 10.0 * (3.0f32 * 0.01 * 0.01).log10();
    assert!((noise_gain_db - note_gain_db).abs() < 1.5, "noise {noise_gain_db} dB, note {note_gain_db} dB");
    assert!(db(1.0, 100..150) < db(0.0, 100..150) - 10.0, "this note has less noise than a clarinet");
    assert!(play(1.0, &sounds)[400..].iter().all(Controls::is_silent), "silence stays silence");
}

#[test]
fn ambient_noise_is_not_played() {
    let sounds = [noise(1e-4), note(), noise(1e-4)].concat();
    let played = play(1.0, &sounds);
    assert!(played[..150].iter().chain(&played[400..]).all(Controls::is_silent));
}
