//! The driver without a thread: the bits of the worker, one hop of latency at any block size, and no allocation.

mod common;

use common::*;
use embouchure_inference::engine::{DriverKind, Engine, HopModel, direct_latency_samples};
use embouchure_inference::play::Slot;

const RATES: [f64; 7] = [44_100.0, 48_000.0, 96_000.0, 192_000.0, 8000.0, 1234.5678, 16_000.0];

fn direct(host_rate: f64, max_block: usize, model: impl HopModel + 'static) -> Engine {
    engine_driven(DriverKind::Direct, host_rate, max_block, true, model)
}

/// Output without its latency.
#[cfg(feature = "worker")]
fn wet(mut engine: Engine, input: &[f32], cuts: impl Fn(usize) -> Vec<usize>) -> Vec<f32> {
    let latency = engine.latency_samples();
    let input = padded(input, latency);
    let setting = Setting { brightness_swing_db: 6.0, room: 0.5, ..WET };
    play(&mut engine, &input, &cuts(input.len()), setting)[latency..].to_vec()
}

#[test]
fn latency_is_a_hop_at_any_block_size() {
    assert!(direct_latency_samples(48_000.0) <= 230);
    for host_rate in RATES {
        for max_block in [1, 64, 2048, 16_384] {
            let engine = direct(host_rate, max_block, FakeModel::default());
            assert_eq!(engine.latency_samples(), direct_latency_samples(host_rate));
        }
    }
}

#[test]
#[cfg(feature = "worker")]
fn the_bits_are_those_of_the_worker() {
    for host_rate in RATES {
        let input = phrases(host_rate, 0.4);
        let expected = wet(engine(host_rate, 512, true), &input, |n| even_cuts(n, 512));
        assert!(rms(&expected) > 0.01);
        for (seed, longest) in [(1, 1), (2, 64), (3, 1000), (4, 16_384)] {
            let out = wet(direct(host_rate, longest, FakeModel::default()), &input, |n| random_cuts(seed, n, longest));
            assert!(out == expected, "blocks of up to {longest} at {host_rate} Hz");
        }
    }
}

#[test]
#[cfg(feature = "worker")]
fn the_bits_are_those_of_the_worker_with_the_shipped_networks() {
    let input = phrases(48_000.0, 1.0);
    let (model, _) = model("trumpet", None);
    let expected = wet(engine_with(48_000.0, 512, true, model), &input, |n| even_cuts(n, 512));
    let out = wet(direct(48_000.0, 300, chain("trumpet")), &input, |n| random_cuts(5, n, 300));
    assert!(rms(&expected) > 0.001 && out == expected);
}

/// With a swap, a morph and a reset.
#[test]
#[cfg(feature = "worker")]
fn so_they_are_while_instruments_come_and_go() {
    let input = phrases(44_100.0, 1.0);
    let played = |driver, cuts: &dyn Fn(usize) -> Vec<usize>| {
        let (model, loader) = model_for(driver, "trumpet", Some("flute"));
        let mut engine = engine_driven(driver, 44_100.0, 512, true, model);
        play(&mut engine, &input[..9000], &even_cuts(9000, 100), WET);
        engine.reset();
        let latency = engine.latency_samples();
        let mut out = padded(&input, latency);
        let third = input.len() / 3;
        let cuts = [cuts(third), cuts(third), cuts(out.len() - 2 * third)].concat();
        let mut start = 0;
        for n in cuts {
            if start == third {
                loader.load(engine.expect_load(), Slot::A, Some(instrument("violin")));
            } else if start == 2 * third {
                loader.load(engine.expect_load(), Slot::B, Some(instrument("cello")));
            }
            let morph = if start < third { 0.0 } else { 0.7 };
            let settings = without_room().with(|s| s.sound.morph = morph);
            play_block(&mut engine, &mut [&mut out[start..start + n]], 1, &settings);
            start += n;
        }
        out[latency..].to_vec()
    };
    let expected = played(DriverKind::Worker, &|n| even_cuts(n, 512));
    assert!(rms(&expected) > 0.001);
    for seed in 0..3 {
        assert!(played(DriverKind::Direct, &|n| random_cuts(seed, n, 700)) == expected, "cut {seed}");
    }
}

#[test]
fn no_frame_is_ever_late() {
    for longest in [1, 48, 511, 4096] {
        let mut engine = engine_driven(DriverKind::Direct, 48_000.0, 256, false, chain("trumpet"));
        let input = phrases(48_000.0, 1.0);
        let out = play(&mut engine, &input, &random_cuts(7, input.len(), longest), WET);
        assert_eq!(engine.telemetry().view().late_frames, 0);
        assert!(rms(&out) > 0.001);
    }
}

#[test]
fn after_a_reset_the_engine_is_as_new() {
    let input = phrases(44_100.0, 0.5);
    let cuts = even_cuts(input.len(), 300);
    let expected = play(&mut direct(44_100.0, 512, FakeModel::default()), &input, &cuts, WET);
    let mut used = direct(44_100.0, 512, FakeModel::default());
    play(&mut used, &input[..5000], &even_cuts(5000, 512), WET);
    used.reset();
    assert!(play(&mut used, &input, &cuts, WET) == expected);
}
