//! Match Level: every instrument is as loud as its source (ITU-R BS.1770).
#![cfg(feature = "worker")]

mod common;

use common::{instrument, model};
use ebur128::{EbuR128, Mode};
use embouchure_inference::config::{HOP_SIZE, MODEL_RATE};
use embouchure_inference::controls::Controls;
use embouchure_inference::controls::Room;
use embouchure_inference::engine::{HopModel, Model};
use embouchure_inference::hear::HopInput;
use embouchure_inference::play::Slot;
use embouchure_inference::settings::Settings;
use embouchure_inference::synth::render_clip;
use std::f32::consts::TAU;

/// A synthetic player or singer.
struct Source {
    name: &'static str,
    /// Pitches, Hz.
    notes: [f32; 6],
    /// Ratio of each harmonic's amplitude to that of the one before.
    rolloff: f32,
    n_harmonics: usize,
    amplitude: f32,
}

const SOURCES: [Source; 4] = [
    Source {
        name: "whistle",
        notes: [880.0, 988.0, 1175.0, 1047.0, 784.0, 880.0],
        rolloff: 0.05,
        n_harmonics: 3,
        amplitude: 0.2,
    },
    Source {
        name: "bass",
        notes: [98.0, 110.0, 131.0, 147.0, 110.0, 98.0],
        rolloff: 0.8,
        n_harmonics: 30,
        amplitude: 0.08,
    },
    Source {
        name: "soprano",
        notes: [440.0, 494.0, 587.0, 659.0, 523.0, 440.0],
        rolloff: 0.5,
        n_harmonics: 12,
        amplitude: 0.4,
    },
    Source {
        name: "far from the microphone",
        notes: [220.0, 247.0, 294.0, 262.0, 196.0, 220.0],
        rolloff: 0.6,
        n_harmonics: 20,
        amplitude: 0.008,
    },
];

impl Source {
    /// Notes of 0.6 s with soft beginnings and ends, at levels from one half to one.
    fn play(&self) -> Vec<f32> {
        let n = (0.6 * MODEL_RATE as f32) as usize;
        let mut turns = 0.0f32;
        (0..6 * n)
            .map(|i| {
                let (note, t) = (i / n, (i % n) as f32 / MODEL_RATE as f32);
                let vibrato = 1.0 + 0.006 * (TAU * 5.5 * t).sin();
                turns = (turns + self.notes[note] * vibrato / MODEL_RATE as f32).fract();
                let swell = (t / 0.05).min((0.55 - t) / 0.1).clamp(0.0, 1.0);
                let level = self.amplitude * swell * [1.0, 0.6, 0.9, 1.0, 0.5, 0.8][note];
                let harmonic = |k: usize| self.rolloff.powi(k as i32) * (TAU * turns * (k + 1) as f32).sin();
                level * (0..self.n_harmonics).map(harmonic).sum::<f32>()
            })
            .collect()
    }
}

fn controls(model: &mut Model, samples: &[f32], settings: &Settings) -> Vec<Controls> {
    model.load(0);
    samples.as_chunks::<HOP_SIZE>().0.iter().map(|samples| model.hop(HopInput { samples }, settings).controls).collect()
}

/// Integrated gated loudness, LUFS.
fn loudness(samples: &[f32], rate: u32) -> f64 {
    let mut meter = EbuR128::new(1, rate, Mode::I).unwrap();
    meter.add_frames_f32(samples).unwrap();
    meter.loudness_global().unwrap()
}

/// Loudness of the instrument `name` relative to the source, dB.
fn against_source(name: &str, samples: &[f32], settings: &Settings) -> f64 {
    let (mut playing, _) = model(name, None);
    let wet = render_clip(&controls(&mut playing, samples, settings), 48_000.0, 0.0);
    loudness(&wet, 48_000) - loudness(samples, MODEL_RATE)
}

#[test]
fn every_instrument_is_as_loud_as_its_source() {
    for source in SOURCES {
        let samples = source.play();
        for (name, _) in embouchure_weights::INSTRUMENTS {
            let [dry, usual] = [0.0, Room::USUAL_AMOUNT]
                .map(|room| against_source(name, &samples, &Settings::default().with(|s| s.sound.room = room)));
            println!("{}, {name}: {dry:.1} dB, in its room {usual:.1} dB", source.name);
            assert!(dry.abs() < 1.5, "{name} is {dry} dB louder than {}", source.name);
            // The gain of a room depends on the pitch.
            assert!(usual.abs() < 2.5, "{name} is {usual} dB louder than {} in its room", source.name);
        }
    }
}

#[test]
fn the_room_does_not_make_an_instrument_louder() {
    let samples = SOURCES[2].play();
    for (room, room_decay_s) in [(0.0, 0.25), (1.0, 0.25), (1.0, 1.5)] {
        let difference = against_source(
            "oboe",
            &samples,
            &Settings::default().with(|s| {
                s.sound.room = room;
                s.sound.room_decay_s = room_decay_s;
            }),
        );
        assert!(difference.abs() < 3.0, "{difference} dB in a room of {room}, {room_decay_s} s");
    }
}

#[test]
fn match_level_keeps_the_dynamics_setting() {
    let second = MODEL_RATE as usize;
    let tone = |i: usize| {
        let level = if (i / second).is_multiple_of(2) { 0.3 } else { 0.075 };
        level
            * (1..=8)
                .map(|k| (TAU * (i as f32 * 330.0 / MODEL_RATE as f32).fract() * k as f32).sin() / k as f32)
                .sum::<f32>()
    };
    let samples: Vec<f32> = (0..8 * second).map(tone).collect();
    let difference = |dynamics: f32| {
        let (mut playing, _) = model("trumpet", None);
        let wet = render_clip(
            &controls(&mut playing, &samples, &Settings::default().with(|s| s.sound.dynamics = dynamics)),
            48_000.0,
            0.0,
        );
        // The second half of a loud second and of a soft one.
        loudness(&wet[6 * 48_000 + 24_000..7 * 48_000], 48_000)
            - loudness(&wet[7 * 48_000 + 24_000..8 * 48_000], 48_000)
    };
    let [none, half, whole] = [0.0, 0.5, 1.0].map(difference);
    println!("12 dB become {none}, {half}, {whole}");
    assert!(none.abs() < 2.0 && (half - 6.0).abs() < 2.0 && (whole - 12.0).abs() < 3.0, "{none} {half} {whole}");
}

/// An instrument that is loaded during a note has the level of the one before.
#[test]
fn a_swap_keeps_the_level() {
    // The gain of a room depends on the frequency, and a steady tone has few partials.
    let settings = Settings::default().with(|s| s.sound.room = 0.0);
    let samples: Vec<f32> = (0..2 * MODEL_RATE as usize)
        .map(|i| {
            0.05 * (1..=8)
                .map(|k| (TAU * (i as f32 * 311.0 / MODEL_RATE as f32).fract() * k as f32).sin() / k as f32)
                .sum::<f32>()
        })
        .collect();
    let (before, after) = samples.split_at(MODEL_RATE as usize);
    for (first, second) in [("trumpet", "ah"), ("ah", "alto-flute"), ("violin", "trombone"), ("bassoon", "violin")] {
        let (mut playing, loader) = model(first, None);
        let mut played = controls(&mut playing, before, &settings);
        loader.load(0, Slot::A, Some(instrument(second)));
        played.extend(controls(&mut playing, after, &settings));
        let wet = render_clip(&played, 48_000.0, 0.0);
        let whole = loudness(&wet[24_000..48_000], 48_000);
        for (i, part) in wet[48_000..].chunks_exact(9_600).enumerate() {
            let mut meter = EbuR128::new(1, 48_000, Mode::M).unwrap();
            // Twice, because the meter needs 400 ms.
            (0..2).for_each(|_| meter.add_frames_f32(part).unwrap());
            let moved = meter.loudness_momentary().unwrap() - whole;
            println!("{first} to {second}, after {:.1} s: {moved:.1} dB", 0.2 * i as f32);
            assert!(moved.abs() < if i < 2 { 4.0 } else { 1.5 }, "{first} to {second}: {moved} dB");
        }
    }
}
