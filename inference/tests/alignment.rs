//! The output is the input, `latency_samples` later: the dry signal to the sample, the wet signal to within a hop.
#![cfg(feature = "worker")]

mod common;

use common::*;
use embouchure_inference::engine::{DriverKind, Engine, EngineConfig, PrepareError, latency_samples};

/// A gain of one half, dB.
const HALF_DB: f32 = -6.020_6;

#[test]
fn a_dry_impulse_comes_out_after_the_latency() {
    for host_rate in [44_100.0, 48_000.0, 96_000.0, 192_000.0, 8000.0, 1234.5678] {
        for max_block in [1, 16, 32, 64, 128, 511, 2048] {
            let mut engine = engine(host_rate, max_block, false);
            let latency = engine.latency_samples();
            let mut input = vec![0.0; latency + 200];
            input[37] = 0.7;
            let cuts = even_cuts(input.len(), max_block);
            let out = play(&mut engine, &input, &cuts, Setting { gain_db: HALF_DB, ..DRY });
            let peaks: Vec<usize> = (0..out.len()).filter(|i| out[*i] != 0.0).collect();
            assert_eq!(peaks, [37 + latency], "blocks of {max_block} at {host_rate} Hz");
            assert!((out[37 + latency] - 0.35).abs() < 1e-6);
        }
    }
}

#[test]
fn a_wet_onset_is_within_a_hop_of_the_input() {
    for host_rate in [44_100.0, 48_000.0, 96_000.0, 192_000.0, 16_000.0, 8000.0] {
        for max_block in [32, 2048] {
            let hop = host_rate * 0.004;
            let latency = latency_samples(host_rate, max_block) as f64;
            // Distance from the start of the input to that of the tone, for ten positions within a hop.
            let errors = (0..10).map(|i| {
                let onset = (0.05 * host_rate + hop * f64::from(i) / 10.0) as usize;
                let input: Vec<f32> = (0..(0.1 * host_rate + latency) as usize)
                    .map(|n| if n >= onset { (0.5 + 0.4 * ((n - onset) as f32 * 0.3).cos()).min(0.9) } else { 0.0 })
                    .collect();
                let mut engine = engine_with(host_rate, max_block, true, PeakModel::default());
                let out = play(&mut engine, &input, &even_cuts(input.len(), max_block), WET);
                let first = out.iter().position(|x| *x != 0.0).unwrap();
                first as f64 - latency - onset as f64
            });
            let errors: Vec<f64> = errors.collect();
            // The tone rises from the end of the hop before the onset to the end of the hop with the onset.
            let tolerance = 0.15 * hop + 2.0;
            let name = format!("blocks of {max_block} at {host_rate} Hz: {errors:?}, hop {hop}");
            assert!(errors.iter().all(|e| *e > -hop - tolerance && *e < tolerance), "{name}");
            let mean = errors.iter().sum::<f64>() / 10.0;
            assert!((mean + hop / 2.0).abs() < 0.2 * hop, "mean {mean}: {name}");
        }
    }
}

fn play_stereo(engine: &mut Engine, input: [&[f32]; 2], n_inputs: usize, mix: f32) -> [Vec<f32>; 2] {
    let mut out = input.map(<[f32]>::to_vec);
    let [left, right] = &mut out;
    for (left, right) in left.chunks_mut(128).zip(right.chunks_mut(128)) {
        play_block(engine, &mut [left, right], n_inputs, &without_room().with(|s| s.mix.wet = mix));
    }
    out
}

#[test]
fn mono_is_copied_to_both_channels_and_dry_stereo_keeps_its_channels() {
    let left = phrases(48_000.0, 0.3);
    let right: Vec<f32> = left.iter().rev().map(|x| 0.5 * x).collect();
    let ignored = vec![f32::NAN; left.len()];
    let latency = latency_samples(48_000.0, 128);
    let stereo = |input, n_inputs, mix| play_stereo(&mut engine(48_000.0, 128, true), input, n_inputs, mix);

    let mono = play(&mut engine(48_000.0, 128, true), &left, &even_cuts(left.len(), 128), Setting { wet: 0.5, ..WET });
    assert!(stereo([&left, &ignored], 1, 0.5) == [mono.clone(), mono]);

    let dry = stereo([&left, &right], 2, 0.0);
    assert!(dry[0][latency..] == left[..left.len() - latency]);
    assert!(dry[1][latency..] == right[..left.len() - latency]);

    // The wet signal is that of the mean of both channels, and equal in both.
    let mean: Vec<f32> = left.iter().zip(&right).map(|(l, r)| 0.5 * l + 0.5 * r).collect();
    let wet = stereo([&left, &right], 2, 1.0);
    let expected = play(&mut engine(48_000.0, 128, true), &mean, &even_cuts(mean.len(), 128), WET);
    assert!(rms(&expected) > 0.01 && wet == [expected.clone(), expected]);
}

#[test]
fn the_mix_has_equal_power_and_exact_ends() {
    let input = phrases(48_000.0, 0.3);
    let cuts = even_cuts(input.len(), 64);
    let at =
        |mix: f32| play(&mut engine(48_000.0, 64, true), &input, &cuts, Setting { wet: mix, gain_db: HALF_DB, ..WET });
    let (dry, wet) = (at(0.0), at(1.0));
    let latency = latency_samples(48_000.0, 64);
    assert!(dry[latency..].iter().zip(&input).all(|(y, x)| (y - 0.5 * x).abs() < 1e-6));
    for mix in [0.25, 0.5, 0.9f32] {
        let (s, c) = (mix * std::f32::consts::FRAC_PI_2).sin_cos();
        for ((y, d), w) in at(mix).iter().zip(&dry).zip(&wet) {
            assert!((y - (c * d + s * w)).abs() < 1e-6);
        }
    }
}

#[test]
fn empty_and_too_long_blocks_are_processed() {
    let input = phrases(48_000.0, 0.4);
    let expected = play(&mut engine(48_000.0, 64, true), &input, &even_cuts(input.len(), 64), WET);
    let mut cuts = vec![0];
    cuts.extend(even_cuts(input.len(), 1000).iter().flat_map(|n| [*n, 0]));
    assert!(play(&mut engine(48_000.0, 64, true), &input, &cuts, WET) == expected);
    play_block(&mut engine(48_000.0, 64, false), &mut [], 0, &without_room());
    play_block(&mut engine(48_000.0, 0, false), &mut [&mut []], 1, &without_room());
}

#[test]
fn nan_and_extreme_levels_leave_the_output_finite() {
    let mut input = phrases(48_000.0, 0.4);
    input[100] = f32::NAN;
    input[3000..3100].fill(f32::INFINITY);
    input[5000] = f32::MAX;
    input[5001] = f32::MIN;
    let cuts = even_cuts(input.len(), 256);
    for mix in [0.0, 1.0] {
        let out = play(&mut engine(48_000.0, 256, true), &input, &cuts, Setting { wet: mix, ..WET });
        assert!(out.iter().all(|x| x.is_finite()));
        let tail = &out[input.len() / 2..];
        assert!(rms(tail) > 0.01 && tail.iter().all(|x| x.abs() < 2.0));
    }
}

#[test]
fn rates_out_of_range_are_refused() {
    for host_rate in [0.0, -48_000.0, 999.0, 800_000.0, f64::NAN, f64::INFINITY] {
        let config = EngineConfig { host_rate, max_block: 64, offline: false, driver: DriverKind::default() };
        let result = Engine::prepare(config, Box::new(FakeModel::default()));
        assert!(matches!(result, Err(PrepareError::HostRate(_))), "{host_rate}");
        latency_samples(host_rate, usize::MAX);
    }
    for host_rate in [1000.0, 768_000.0, 31_415.926_5] {
        let input = phrases(host_rate, 0.1);
        let out = play(&mut engine(host_rate, 512, true), &input, &even_cuts(input.len(), 512), WET);
        assert!(out.iter().all(|x| x.is_finite()));
    }
}
