//! Automation acts on the input sample that it was set at, so both are heard after the latency.
#![cfg(feature = "worker")]

mod common;

use common::*;
use embouchure_inference::chain::HopOutput;
use embouchure_inference::config::N_NOISE_BANDS;
use embouchure_inference::engine::HopModel;
use embouchure_inference::hear::HopInput;
use embouchure_inference::settings::Settings;

/// A steady tone with the pitch and breath of the settings.
struct Steady;

impl HopModel for Steady {
    fn reset(&mut self) {}

    fn hop(&mut self, _input: HopInput<'_>, settings: &Settings) -> HopOutput {
        let noise = 0.01 * (settings.sound.breath_db / 20.0).exp2();
        let f0_hz = 440.0 * (settings.pitch.transpose_semitones / 12.0).exp2();
        HopOutput::of(tone(f0_hz, 0.3).with_noise([noise; N_NOISE_BANDS]))
    }
}

fn usual() -> Settings {
    without_room().with(|s| s.mix.wet = 0.5)
}

/// The left channel and the latency, if the settings change at sample `at`. The block is cut there, as the framework
/// does.
fn play_step(host_rate: f64, block: usize, at: usize, after: Settings) -> (Vec<f32>, usize) {
    let mut engine = engine_with(host_rate, block, true, Steady);
    let latency = engine.latency_samples();
    let n = at + latency + (0.05 * host_rate) as usize;
    let mut left: Vec<f32> = (0..n).map(|i| 0.2 * (i as f32 * 0.05).sin()).collect();
    let mut right = left.clone();
    let mut start = 0;
    while start < n {
        let mut end = n.min((start / block + 1) * block);
        if (start + 1..end).contains(&at) {
            end = at;
        }
        let setting = if start >= at { after } else { usual() };
        play_block(&mut engine, &mut [&mut left[start..end], &mut right[start..end]], 2, &setting);
        start = end;
    }
    (left, latency)
}

/// Samples from the due time of the change to the time at which it is heard; below 0 = early.
fn lateness(host_rate: f64, block: usize, at: usize, after: Settings) -> i64 {
    let (changed, latency) = play_step(host_rate, block, at, after);
    let (unchanged, _) = play_step(host_rate, block, at, usual());
    let first = changed.iter().zip(&unchanged).position(|(a, b)| a != b).expect("the step is heard");
    first as i64 - (at + latency) as i64
}

fn everywhere(check: impl Fn(f64, usize, usize, i64)) {
    for host_rate in [44_100.0, 48_000.0, 96_000.0] {
        for block in [64, 512, 2048] {
            // Within a block, at different positions within a hop.
            for at in [5000, 5111, 5190] {
                check(host_rate, block, at, (host_rate * 0.004).ceil() as i64);
            }
        }
    }
}

#[test]
fn dry_wet_and_output_act_on_their_sample() {
    everywhere(|host_rate, block, at, _| {
        assert_eq!(lateness(host_rate, block, at, usual().with(|s| s.mix.wet = 0.9)), 0, "{host_rate} Hz, {block}");
        assert_eq!(
            lateness(host_rate, block, at, usual().with(|s| s.mix.gain_db = -200.0)),
            0,
            "{host_rate} Hz, {block}"
        );
    });
}

#[test]
fn brightness_and_width_act_on_their_sample() {
    everywhere(|host_rate, block, at, _| {
        for after in [usual().with(|s| s.sound.brightness_db = 6.0), usual().with(|s| s.sound.width = 1.0)] {
            let lateness = lateness(host_rate, block, at, after);
            // A single sample may have the same value by chance.
            assert!((0..=2).contains(&lateness), "{host_rate} Hz, blocks of {block}: {lateness}");
        }
    });
}

/// Values are interpolated linearly from frame to frame, so a change begins at its sample and makes no step.
#[test]
fn brightness_and_width_move_without_a_step() {
    let steepest = |x: &[f32]| x.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
    for at in [5000, 5111, 5190, 5191, 5192] {
        let (unchanged, _) = play_step(48_000.0, 64, at, usual());
        for after in [usual().with(|s| s.sound.brightness_db = 12.0), usual().with(|s| s.sound.width = 1.0)] {
            let (changed, latency) = play_step(48_000.0, 64, at, after);
            let change: Vec<f32> = changed.iter().zip(&unchanged).map(|(a, b)| a - b).collect();
            let (moving, moved) = change[at + latency - 10..].split_at(200);
            assert!(steepest(moving) < 1.5 * steepest(moved), "{} against {}", steepest(moving), steepest(moved));
            assert!(steepest(moved) > 1e-3, "something has changed");
        }
    }
}

#[test]
fn parameters_of_the_analysis_act_within_a_hop() {
    everywhere(|host_rate, block, at, hop| {
        for (what, after) in [
            ("transpose", usual().with(|s| s.pitch.transpose_semitones = 3.0)),
            ("breath", usual().with(|s| s.sound.breath_db = 12.0)),
        ] {
            let lateness = lateness(host_rate, block, at, after);
            assert!((-hop..=0).contains(&lateness), "{what}, {host_rate} Hz, blocks of {block}: {lateness}");
        }
        // The room acts as early, and its first reflection is heard 5 ms later.
        let lateness =
            lateness(host_rate, block, at, usual().with(|s| s.sound.room = 1.0)) - (0.005 * host_rate) as i64;
        assert!((-hop..=0).contains(&lateness), "room, {host_rate} Hz, blocks of {block}: {lateness}");
    });
}
