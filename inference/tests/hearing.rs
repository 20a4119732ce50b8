//! Detection of notes among hum, breath, clicks, soft recordings and stereo that cancels.

mod common;

use common::{PeakModel, encoder, engine_with, play_block, random_cuts, rms, without_room};
use embouchure_inference::config::{HOP_SIZE, MODEL_RATE};
use embouchure_inference::hear::{HopInput, Microphone, Source};
use embouchure_inference::settings::Settings;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::f32::consts::TAU;

const RATE: usize = MODEL_RATE as usize;

/// Pitch of each hop, Hz; 0 = none.
fn heard(samples: &[f32]) -> Vec<f32> {
    let mut microphone = Microphone::new(&encoder());
    let hop = |samples| microphone.hop(HopInput { samples }, &without_room()).note_hz();
    samples.as_chunks::<HOP_SIZE>().0.iter().map(hop).collect()
}

fn notes(samples: &[f32]) -> usize {
    heard(samples).iter().filter(|hz| **hz > 0.0).count()
}

fn gain(db: f32) -> f32 {
    10f32.powf(db / 20.0)
}

/// A tone with partials of these amplitudes, at `level_db` (RMS).
fn tone(f0_hz: f32, partials: &[f32], level_db: f32, seconds: f32) -> Vec<f32> {
    let power: f32 = partials.iter().map(|a| 0.5 * a * a).sum();
    let sample = |i: usize| {
        let turns = (f64::from(f0_hz) * i as f64 / RATE as f64).fract() as f32;
        let wave = |(k, a): (usize, &f32)| a * (TAU * ((k + 1) as f32 * turns + 0.37 * k as f32).fract()).sin();
        gain(level_db) / power.sqrt() * partials.iter().enumerate().map(wave).sum::<f32>()
    };
    (0..(seconds * RATE as f32) as usize).map(sample).collect()
}

/// A sung line with vibrato at `level_db`; each note lasts half a second.
fn singing(notes_hz: &[f32], level_db: f32) -> Vec<f32> {
    let n = RATE / 2;
    let mut turns = 0.0f32;
    let sample = |i: usize| {
        let (note, at) = (notes_hz[i / n], (i % n) as f32 / n as f32);
        let vibrato = 1.0 + 0.01 * (TAU * 5.5 * i as f32 / RATE as f32).sin();
        turns = (turns + note * vibrato / RATE as f32).fract();
        let envelope = (at / 0.08).min(1.0) * ((1.0 - at) / 0.15).min(1.0);
        let partials: f32 = (1..=12).map(|k| (TAU * (turns * k as f32).fract()).sin() / k as f32).sum();
        1.1 * gain(level_db) * envelope * partials
    };
    (0..n * notes_hz.len()).map(sample).collect()
}

fn noise(n: usize, level_db: f32, seed: u64) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..n).map(|_| 3f32.sqrt() * gain(level_db) * rng.random_range(-1.0f32..1.0)).collect()
}

fn mixed(a: &[f32], b: &[f32]) -> Vec<f32> {
    a.iter().zip(b).map(|(a, b)| a + b).collect()
}

#[test]
fn mains_hum_is_silence_and_the_singing_over_it_is_heard() {
    let shapes: [&[f32]; 4] =
        [&[1.0], &[1.0, 0.0, 0.5, 0.0, 0.3, 0.0, 0.2], &[0.0, 1.0, 0.0, 0.6, 0.0, 0.4], &[1.0; 12]];
    let line = singing(&[220.0, 247.0, 294.0, 262.0], -20.0);
    for mains_hz in [50.0, 60.0, 50.04, 59.95] {
        for (i, shape) in shapes.iter().enumerate() {
            for level_db in [-36.0, -45.0, -54.0] {
                let hum = tone(mains_hz, shape, level_db, 5.0);
                let both =
                    mixed(&mixed(&hum, &noise(hum.len(), -80.0, 1)), &[vec![0.0; 3 * RATE], line.clone()].concat());
                let heard = heard(&both);
                let (before, after) = heard.split_at(3 * RATE / HOP_SIZE);
                let n_false = before.iter().filter(|hz| **hz > 0.0).count();
                assert!(n_false < 8, "{mains_hz} Hz, shape {i}, {level_db} dB: {n_false} hops of hum");
                let low = after.iter().filter(|hz| (1.0..150.0).contains(*hz)).count();
                let sung = after.iter().filter(|hz| **hz > 200.0).count();
                assert!(low < 10 && sung > 440, "{mains_hz} Hz, shape {i}, {level_db} dB: {low} and {sung} of 500");
            }
        }
    }
}

#[test]
fn low_notes_are_heard() {
    for f0_hz in [55.0, 65.4, 82.4, 98.0, 103.8, 123.5] {
        let note = tone(f0_hz, &[0.5, 1.0, 0.8, 0.6, 0.4, 0.3, 0.2], -30.0, 1.0);
        let clip = mixed(&[vec![0.0; RATE / 2], note].concat(), &noise(3 * RATE / 2, -75.0, 2));
        assert!(notes(&clip) > 215, "{f0_hz} Hz: {} of 250 hops", notes(&clip));
    }
    let gliding: Vec<f32> = singing(&[110.0, 105.0, 100.0, 98.0, 120.0, 117.0], -28.0);
    assert!(notes(&gliding) > 600, "{} of 750", notes(&gliding));
}

#[test]
fn the_tone_of_a_fan_becomes_the_noise_floor() {
    for hz in [87.0, 131.0, 240.0] {
        let fan = tone(hz, &[1.0, 0.4, 0.2], -48.0, 8.0);
        let fan = mixed(&fan, &noise(fan.len(), -66.0, 3));
        let heard = heard(&fan);
        assert!(heard[4 * RATE / HOP_SIZE..].iter().all(|heard| *heard == 0.0), "{hz} Hz");
    }
}

/// Breath noise: two resonances and a swell.
fn breath(seconds: f32, peak_db: f32, seed: u64) -> Vec<f32> {
    let n = (seconds * RATE as f32) as usize;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut out = vec![0.0; n];
    for hz in [rng.random_range(300.0f32..900.0), rng.random_range(1000.0..2500.0)] {
        let radius = (-std::f32::consts::PI * rng.random_range(80.0f32..400.0) / RATE as f32).exp();
        let (mut y1, mut y2) = (0.0, 0.0);
        for y in &mut out {
            let x = rng.random_range(-1.0f32..1.0) * (1.0 - radius);
            (y1, y2) = (x + 2.0 * radius * (TAU * hz / RATE as f32).cos() * y1 - radius * radius * y2, y1);
            *y += y1;
        }
    }
    out.iter_mut().enumerate().for_each(|(i, y)| *y *= (std::f32::consts::PI * i as f32 / n as f32).sin());
    let peak = out.iter().fold(0.0f32, |peak, y| peak.max(y.abs()));
    out.iter().map(|y| y / peak * gain(peak_db)).collect()
}

#[test]
fn breaths_clicks_and_consonants_between_phrases_are_silence() {
    let phrase = singing(&[220.0, 262.0], -20.0);
    let mut n_false = 0;
    for seed in 0..12 {
        let peak_db = [-45.0, -36.0, -28.0, -20.0][seed as usize % 4];
        let hiss: Vec<f32> = noise(RATE / 10, peak_db - 8.0, seed + 40);
        let mut click = vec![0.0; RATE / 10];
        click[100] = gain(peak_db + 10.0);
        let between = [vec![0.0; RATE / 4], breath(0.5, peak_db, seed), vec![0.0; RATE / 8], hiss, click].concat();
        let clip = [phrase.clone(), between.clone(), phrase.clone()].concat();
        let clip = mixed(&clip, &noise(clip.len(), -80.0, seed + 80));
        let heard = heard(&clip);
        let (start, end) = (phrase.len() / HOP_SIZE + 12, (phrase.len() + between.len()) / HOP_SIZE);
        n_false += heard[start..end].iter().filter(|hz| **hz > 0.0).count();
        assert!(heard[end..].iter().filter(|hz| **hz > 0.0).count() > 190, "the phrase after it");
    }
    assert!(n_false <= 4, "{n_false} hops of twelve breaths");
}

#[test]
fn a_soft_recording_is_heard_and_soft_sound_beside_a_voice_is_not() {
    for level_db in [-58.0, -66.0] {
        let line = singing(&[220.0, 247.0, 294.0, 262.0], level_db);
        let clip = mixed(&line, &noise(line.len(), -95.0, 4));
        assert!(notes(&clip) > 370, "{level_db} dB: {} of 500 hops", notes(&clip));
        let after_a_voice = [singing(&[220.0, 247.0], -20.0), clip].concat();
        assert!(heard(&after_a_voice)[280..].iter().all(|hz| *hz == 0.0), "bleeding at {level_db} dB");
    }
    let ambient = noise(4 * RATE, -62.0, 5);
    assert_eq!(notes(&ambient), 0);
}

/// Plays two channels. Returns the left output and the number of clipped input frames.
fn through_the_engine(left: &[f32], right: &[f32], cuts: &[usize]) -> (Vec<f32>, u64) {
    let mut engine = engine_with(48_000.0, 512, true, PeakModel::default());
    let (mut left, mut right, mut start) = (left.to_vec(), right.to_vec(), 0);
    for n in cuts {
        let block = start..start + n;
        play_block(&mut engine, &mut [&mut left[block.clone()], &mut right[block]], 2, &without_room());
        start += n;
    }
    (left, engine.telemetry().view().clipped_frames)
}

#[test]
fn stereo_that_cancels_is_played_the_same_however_blocks_are_cut() {
    let left: Vec<f32> = (0..24_000).map(|i| 0.4 * (i as f32 * 0.03).sin()).collect();
    let cuts = random_cuts(1, left.len(), 512);
    let (in_phase, _) = through_the_engine(&left, &left, &cuts);
    for right_gain in [-1.0f32, -0.9, -0.6] {
        let right: Vec<f32> = left.iter().map(|x| right_gain * x).collect();
        let (out, _) = through_the_engine(&left, &right, &cuts);
        assert!(rms(&out) > 0.9 * rms(&in_phase), "{right_gain}: {} and {}", rms(&out), rms(&in_phase));
        assert_eq!(out, through_the_engine(&left, &right, &random_cuts(2, left.len(), 512)).0);
    }
}

#[test]
fn a_clipped_channel_is_counted_however_blocks_are_cut() {
    let left: Vec<f32> = (0..48_000).map(|i| (1.5 * (i as f32 * 0.03).sin()).clamp(-1.0, 1.0)).collect();
    let right: Vec<f32> = left.iter().map(|x| 0.1 * x).collect();
    for seed in 0..3 {
        let cuts = random_cuts(seed, left.len(), 512);
        let clipped_frames = |left: &[f32], right: &[f32]| through_the_engine(left, right, &cuts).1;
        assert_eq!(clipped_frames(&left, &right), clipped_frames(&right, &left));
        assert!((245..=250).contains(&clipped_frames(&left, &right)), "nearly all of a second");
        assert_eq!(clipped_frames(&right, &right), 0);
    }
}

/// Shares of the hops in which several notes are heard, and in which notes are too soft.
fn warned(samples: &[f32], settings: &Settings) -> [f32; 2] {
    let mut microphone = Microphone::new(&encoder());
    let hops = samples.as_chunks::<HOP_SIZE>().0;
    let heard: Vec<_> = hops.iter().map(|samples| microphone.hop(HopInput { samples }, settings)).collect();
    let share = |n: usize| n as f32 / hops.len() as f32;
    [
        share(heard.iter().filter(|heard| heard.is_several_notes).count()),
        share(heard.iter().filter(|heard| heard.is_too_soft).count()),
    ]
}

#[test]
fn notes_that_are_too_soft_are_distinguished_from_other_sound() {
    let auto = without_room();
    let line = |level_db: f32| singing(&[220.0, 247.0, 294.0, 262.0, 220.0, 247.0, 294.0, 262.0], level_db);
    let n = line(0.0).len();
    let fixed = auto.with(|s| {
        s.source.gate_follows_room = false;
        s.source.gate_db = -50.0;
    });
    let [_, far_away] = warned(&line(-70.0), &fixed);
    assert!(far_away > 0.6, "a singer far from the microphone: {far_away}");
    for (what, samples) in [
        ("a usual voice", line(-20.0)),
        ("a soft one", line(-35.0)),
        ("silence", vec![0.0; n]),
        ("ambient noise", noise(n, -60.0, 2)),
        ("hum", tone(50.0, &[1.0, 0.5, 0.3], -50.0, 4.0)),
    ] {
        for settings in [&auto, &fixed] {
            assert_eq!(warned(&samples, settings), [0.0; 2], "{what}");
        }
    }
    let fan = mixed(&tone(131.0, &[1.0, 0.4, 0.2], -48.0, 8.0), &noise(8 * RATE, -66.0, 3));
    assert_eq!(warned(&fan, &auto), [0.0; 2]);
    let [_, learned] = warned(&fan, &fixed);
    assert!(learned < 0.4, "until the noise floor is known: {learned}");
}

#[test]
fn several_notes_are_distinguished_from_one() {
    let chord = |notes_hz: &[f32]| {
        let notes = notes_hz.iter().map(|hz| tone(*hz, &[1.0, 0.6, 0.4, 0.3, 0.2, 0.1], -25.0, 2.0));
        notes.reduce(|all, note| mixed(&all, &note)).unwrap_or_default()
    };
    for notes_hz in [&[261.63, 329.63, 392.0][..], &[220.0, 261.63, 329.63], &[196.0, 246.94]] {
        let [several, _] = warned(&chord(notes_hz), &without_room());
        assert!(several > 0.5, "{notes_hz:?}: {several}");
    }
    // Two singers with vibrato, a sixth apart.
    let [low, high] = [[220.0, 247.0, 294.0, 262.0], [370.0, 415.0, 494.0, 440.0]];
    let [several, _] = warned(&mixed(&singing(&low, -20.0), &singing(&high, -20.0)), &without_room());
    assert!(several > 0.1, "two singers: {several}");
    for (what, samples) in [
        ("one singer", singing(&low, -20.0)),
        ("an octave", chord(&[220.0, 440.0])),
        ("a whistle", tone(1500.0, &[1.0, 0.02], -20.0, 2.0)),
        ("hiss", noise(2 * RATE, -20.0, 6)),
    ] {
        assert_eq!(warned(&samples, &without_room())[0], 0.0, "{what}");
    }
}
