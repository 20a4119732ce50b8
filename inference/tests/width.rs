//! Width: the same bits for any blocks, the mono sound as the mean of both channels, and both channels silent when the
//! worker is late.
#![cfg(feature = "worker")]

mod common;

use common::*;
use embouchure_inference::chain::HopOutput;
use embouchure_inference::config::N_NOISE_BANDS;
use embouchure_inference::controls::Controls;
use embouchure_inference::engine::{Change, Engine, HopModel, Io};
use embouchure_inference::hear::HopInput;
use embouchure_inference::settings::Settings;
use std::sync::atomic::Ordering::SeqCst;

/// Plays `input` wet into two channels. `width`: of the sample; it changes every 100 samples.
fn play_wide(
    engine: &mut Engine,
    input: &[f32],
    cuts: &[usize],
    room: f32,
    width: impl Fn(usize) -> f32,
) -> [Vec<f32>; 2] {
    let (mut left, mut right) = (input.to_vec(), vec![f32::NAN; input.len()]);
    let settings = |i: usize| without_room().with(|s| (s.sound.room, s.sound.width) = (room, width(i)));
    let mut start = 0;
    for n in cuts {
        let block = start..start + n;
        let changes: Vec<Change> =
            block.clone().filter(|i| i % 100 == 0).map(|i| Change { at: i - start, settings: settings(i) }).collect();
        let channels = &mut [&mut left[block.clone()], &mut right[block]];
        engine.process(Io { channels, n_inputs: 1, is_piece: false }, &settings(start / 100 * 100), &changes);
        start += n;
    }
    [left, right]
}

fn bits(samples: &[f32]) -> Vec<u32> {
    samples.iter().map(|x| x.to_bits()).collect()
}

#[test]
fn the_mean_of_both_channels_is_the_mono_sound_at_any_width() {
    for host_rate in [44_100.0, 48_000.0, 1234.5678] {
        let input = phrases(host_rate, 0.5);
        let cuts = even_cuts(input.len(), 300);
        let mono = play(&mut engine(host_rate, 512, true), &input, &cuts, Setting { room: 0.7, ..WET });
        let wide = |width: f32| play_wide(&mut engine(host_rate, 512, true), &input, &cuts, 0.7, |_| width);
        for nothing in [0.0, -3.0, f32::NAN] {
            let [left, right] = wide(nothing);
            assert!(bits(&left) == bits(&mono) && bits(&right) == bits(&mono), "width {nothing} at {host_rate} Hz");
        }
        let [left, right] = wide(1.0);
        assert!(wide(7.0) == [left.clone(), right.clone()], "1 is the widest");
        for ((l, r), m) in left.iter().zip(&right).zip(&mono) {
            assert!((0.5 * (l + r) - m).abs() < 1e-7, "{l} and {r} around {m} at {host_rate} Hz");
        }
        let side: Vec<f32> = left.iter().zip(&right).map(|(l, r)| 0.5 * (l - r)).collect();
        let ratio = rms(&side) / rms(&mono);
        assert!((0.1..0.8).contains(&ratio), "side against middle: {ratio} at {host_rate} Hz");
    }
}

#[test]
fn any_cut_into_blocks_gives_the_same_wide_bits() {
    let width = |i: usize| 0.5 + 0.5 * (i as f32 * 1e-3).sin();
    for host_rate in [44_100.0, 96_000.0] {
        let input = phrases(host_rate, 0.4);
        let play = |cuts: &[usize]| play_wide(&mut engine(host_rate, 1024, true), &input, cuts, 0.5, width);
        let expected = play(&even_cuts(input.len(), 1024));
        assert!(expected[0] != expected[1]);
        for seed in 0..4 {
            assert!(play(&random_cuts(seed, input.len(), 1024)) == expected, "cut {seed} at {host_rate} Hz");
        }
    }
}

/// Noise while there is input. Can be blocked.
struct Noisy(PeakModel);

impl HopModel for Noisy {
    fn reset(&mut self) {
        self.0.reset();
    }
    fn hop(&mut self, input: HopInput<'_>, settings: &Settings) -> HopOutput {
        let mut output = self.0.hop(input, settings);
        output.controls = Controls::SILENT.with_noise([0.1 * output.controls.amplitude(); N_NOISE_BANDS]);
        output
    }
}

#[test]
fn a_late_worker_silences_both_channels() {
    let model = PeakModel::default();
    let mut engine = engine_with(48_000.0, 64, false, Noisy(model.clone()));
    let telemetry = engine.telemetry().clone();
    let mut play = |n: usize| play_wide(&mut engine, &vec![0.5; n], &even_cuts(n, 64), 0.0, |_| 1.0);
    let sounds = |x: &[f32]| x.iter().any(|x| *x != 0.0);
    let mut both_sound = false;
    for block in 1..=20 {
        both_sound = play(192).iter().all(|channel| sounds(channel));
        wait_for_hops(&telemetry, complete_hops(192 * block, 48_000.0));
    }
    assert!(both_sound);
    model.is_blocked.store(true, SeqCst);
    let [left, right] = play(9600);
    model.is_blocked.store(false, SeqCst);
    for channel in [left, right] {
        assert!(!sounds(&channel[channel.len() - 480..]));
    }
}
