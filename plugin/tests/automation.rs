//! Parameters that move while a note sounds.

mod common;

use common::{HOST_RATE, instance, param_tops, render_automated, save, set_offline};
use realfft::RealFftPlanner;

const BLOCK: usize = 64;
const SECONDS: f64 = 1.5;
/// Neither the synth nor the source has anything above 20 kHz, so power above this comes from steps.
const ABOVE_HZ: f32 = 20_600.0;

/// A steady tone without anything above 10 kHz.
fn source() -> Vec<f32> {
    let sample = |i: usize| {
        let turns = (i as f64 * 262.0 / HOST_RATE).fract();
        (1..=20).map(|k| 0.12 / k as f64 * (std::f64::consts::TAU * turns * k as f64).sin()).sum::<f64>() as f32
    };
    (0..(SECONDS * HOST_RATE) as usize).map(sample).collect()
}

fn play<'a>(automation: impl Fn(usize) -> Vec<(&'a str, f64)>) -> Vec<Vec<f32>> {
    let mut instance = instance();
    set_offline(&mut instance);
    render_automated(&mut instance, &[source(), source()], 2, &[BLOCK], automation).0
}

/// Loudest share of power above [`ABOVE_HZ`] in any frame while the note is held, dB.
fn steps_db(samples: &[f32]) -> f32 {
    const SIZE: usize = 2048;
    let fft = RealFftPlanner::new().plan_fft_forward(SIZE);
    // Blackman-Harris: its sidelobes lie 92 dB down.
    let window: Vec<f32> = (0..SIZE)
        .map(|i| {
            let x = std::f32::consts::TAU * i as f32 / SIZE as f32;
            0.35875 - 0.48829 * x.cos() + 0.14128 * (2.0 * x).cos() - 0.01168 * (3.0 * x).cos()
        })
        .collect();
    let held = &samples[(0.5 * HOST_RATE) as usize..];
    let share = |frame: &[f32]| {
        let mut frame: Vec<f32> = frame.iter().zip(&window).map(|(x, w)| x * w).collect();
        let mut bins = fft.make_output_vec();
        fft.process(&mut frame, &mut bins).unwrap();
        let above = (ABOVE_HZ / HOST_RATE as f32 * SIZE as f32) as usize;
        let power = |bins: &[realfft::num_complex::Complex<f32>]| bins.iter().map(|b| b.norm_sqr()).sum::<f32>();
        10.0 * (power(&bins[above..]) / power(&bins).max(1e-12)).log10()
    };
    held.windows(SIZE).step_by(SIZE / 4).map(share).fold(-200.0, f32::max)
}

/// A triangle wave between 0 and 1, two periods a second.
fn triangle(start: usize) -> f64 {
    let phase = (start as f64 / HOST_RATE * 2.0).fract() * 2.0;
    if phase < 1.0 { phase } else { 2.0 - phase }
}

#[test]
fn no_moving_parameter_causes_zipper_noise() {
    // Instrument B and a room, so that every parameter has an effect. Octave Fit is off, because its steps are
    // intended.
    let ground = [("Instrument B", 7.0), ("Room", 0.5), ("Width", 0.5), ("Morph", 0.3), ("Octave Fit", 0.0)];
    let still = steps_db(&play(|start| if start == 0 { ground.to_vec() } else { vec![] })[0]);
    assert!(still < -80.0, "{still} dB while nothing moves");
    for (name, top) in param_tops(&mut instance()) {
        let moved = play(|start| {
            let mut settings = if start == 0 { ground.to_vec() } else { vec![] };
            settings.push((&name, top * triangle(start)));
            settings
        });
        for samples in &moved {
            assert!(samples.iter().all(|x| x.is_finite()), "{name}");
            assert!(samples.iter().all(|x| *x == 0.0 || x.abs() > f32::MIN_POSITIVE), "{name}: subnormal");
            let steps = steps_db(samples);
            println!("{name}: {steps:.1} dB");
            // The reverb's gains change from hop to hop, so its tail is a little rougher while they move.
            let limit = if name == "Room Decay" { -69.0 } else { -70.0 };
            assert!(steps < limit, "{name}: {steps} dB above {ABOVE_HZ} Hz");
        }
    }
}

#[test]
fn an_automated_swap_is_the_same_in_every_bounce_and_stays_in_the_state() {
    let swap = |start: usize| match start {
        0 => vec![("Octave Fit", 0.0)],
        48_000 => vec![("Instrument A", 4.0)],
        _ => vec![],
    };
    let bounce = play(swap);
    assert_eq!(bounce, play(swap));
    let without = play(|start| if start == 0 { vec![("Octave Fit", 0.0)] } else { vec![] });
    assert_eq!(bounce[0][..47_000], without[0][..47_000]);
    assert_ne!(bounce[0][60_000..], without[0][60_000..]);

    let mut instance = instance();
    set_offline(&mut instance);
    render_automated(&mut instance, &[source(), source()], 2, &[BLOCK], swap);
    assert!(save(&mut instance).contains(r#""instrument_a":{"i32":4}"#), "{}", save(&mut instance));
}
