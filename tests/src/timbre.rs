//! Recognises which instrument plays by the levels of its harmonics.

use crate::{ActivePlugin, Built};
use embouchure_host::Change;
use std::f64::consts::TAU;
use std::time::{Duration, Instant};

/// Frequency of the input tone, Hz.
const F0_HZ: f64 = 440.0;
/// Most measurements until the timbre must be stable.
const MOST_WINDOWS: usize = 40;
const N_HARMONICS: usize = 16;
/// Length of a measurement, s: whole periods of the tone and its octaves at all rates in use.
const WINDOW_S: f64 = 0.25;
/// Values of the parameter Instrument A whose timbres differ by at least 10 dB from each other and from most others.
/// Two measurements of one instrument differ by less than 1 dB.
const PLACES: [f64; 2] = [7.0, 11.0];
/// A mean difference over the harmonics of at least this, dB, means another instrument.
const OTHER_DB: f64 = 5.0;

/// A steady tone with harmonics.
pub fn tone(rate: f64, n_samples: usize) -> Vec<f32> {
    let at = |i: usize| TAU * F0_HZ * i as f64 / rate;
    (0..n_samples)
        .map(|i| (1..6).map(|k| 0.15 / f64::from(k) * (at(i) * f64::from(k)).sin()).sum::<f64>() as f32)
        .collect()
}

/// Plays a tone live, changes Instrument A, and waits until the other instrument is heard. The plugin stays active, so
/// only its background thread can load the instrument.
///
/// # Panics
/// If no other instrument is heard within half a minute.
pub fn hear_instrument_change<H: Built>(plugin: &mut ActivePlugin<H>, rate: f64) {
    let id = plugin.host.id("Instrument A");
    let value = if (plugin.host.value(id) - PLACES[0]).abs() < 0.5 { PLACES[1] } else { PLACES[0] };
    let input = tone(rate, (WINDOW_S * rate) as usize);
    // Wait until the tone is steady: on an overloaded machine a late frame fades it for a moment.
    (0..6).for_each(|_| drop(plugin.play(&input, &[])));
    let mut before = timbre(&plugin.play(&input, &[]), rate);
    let stands = (0..MOST_WINDOWS).any(|_| {
        let last = std::mem::replace(&mut before, timbre(&plugin.play(&input, &[]), rate));
        distance_db(&before, &last) < OTHER_DB / 2.0
    });
    assert!(stands, "the tone does not stand");
    plugin.play(&input, &[Change { at: 0, id, value }]);
    let start = Instant::now();
    loop {
        plugin.host.turn();
        let distance = distance_db(&timbre(&plugin.play(&input, &[]), rate), &before);
        if distance > OTHER_DB {
            println!("{}: {distance:.1} dB after {:?}", H::FORMAT, start.elapsed());
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "Instrument A moved and the sound did not: {distance} dB");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Levels of the tone's harmonics, dB below the strongest. Computed here, because a judge of the built plugin must
/// share no code with it.
fn timbre(samples: &[f32], rate: f64) -> Vec<f64> {
    let level = |k: usize| {
        let step = TAU * F0_HZ * k as f64 / rate;
        let sum = samples.iter().enumerate().fold((0.0, 0.0), |(re, im), (i, x)| {
            let (sin, cos) = (step * i as f64).sin_cos();
            // Hann window, because the segment's ends do not match.
            let x = f64::from(*x) * (0.5 - 0.5 * (TAU * i as f64 / samples.len() as f64).cos());
            (re + x * cos, im + x * sin)
        });
        10.0 * (sum.0 * sum.0 + sum.1 * sum.1 + 1e-12).log10()
    };
    let levels: Vec<f64> = (1..=N_HARMONICS).map(level).collect();
    let strongest = levels.iter().copied().fold(f64::MIN, f64::max);
    levels.iter().map(|level| (level - strongest).max(-40.0)).collect()
}

fn distance_db(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f64>() / a.len() as f64
}
