//! The output is a function of the input alone: same bits for any blocks, live or offline, after a reset or new.
#![cfg(feature = "worker")]

mod common;

use common::*;
use embouchure_inference::chain::HopOutput;
use embouchure_inference::engine::{HopModel, latency_samples};
use embouchure_inference::hear::HopInput;
use embouchure_inference::settings::Settings;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

const RATES: [f64; 7] = [44_100.0, 48_000.0, 96_000.0, 192_000.0, 8000.0, 1234.5678, 16_000.0];

fn seconds(host_rate: f64) -> f64 {
    if host_rate > 50_000.0 { 0.25 } else { 0.6 }
}

#[test]
fn any_cut_into_blocks_gives_the_same_bits() {
    let setting = Setting { brightness_swing_db: 9.0, room: 0.5, ..WET };
    for host_rate in RATES {
        let input = padded(&phrases(host_rate, seconds(host_rate)), latency_samples(host_rate, 4096));
        let whole = play(&mut engine(host_rate, 4096, true), &input, &even_cuts(input.len(), 4096), setting);
        assert!(rms(&whole[latency_samples(host_rate, 4096)..]) > 0.02, "something sounds at {host_rate} Hz");
        let mut cuts = vec![even_cuts(input.len(), 64), even_cuts(input.len(), 511), even_cuts(input.len(), 1)];
        cuts.extend((0..4).map(|seed| random_cuts(seed, input.len(), 4096)));
        cuts.extend((4..6).map(|seed| random_cuts(seed, input.len(), 100)));
        for (i, cuts) in cuts.iter().enumerate() {
            let out = play(&mut engine(host_rate, 4096, true), &input, cuts, setting);
            assert!(out == whole, "cut {i} at {host_rate} Hz");
        }
    }
}

#[test]
fn another_largest_block_only_moves_the_output() {
    for host_rate in RATES {
        let input = phrases(host_rate, seconds(host_rate));
        let wet = |max_block: usize| {
            let mut engine = engine(host_rate, max_block, true);
            let latency = engine.latency_samples();
            assert_eq!(latency, latency_samples(host_rate, max_block));
            let input = padded(&input, latency);
            let out = play(&mut engine, &input, &even_cuts(input.len(), max_block), WET);
            assert!(out[..latency - 100.min(latency)].iter().all(|x| *x == 0.0), "silent until the first frame");
            out[latency..].to_vec()
        };
        let expected = wet(4096);
        for max_block in [1, 16, 64, 511, 1024] {
            assert!(wet(max_block) == expected, "blocks of {max_block} at {host_rate} Hz");
        }
    }
}

#[test]
fn settings_act_at_their_sample_however_blocks_are_cut() {
    let input = phrases(48_000.0, 0.4);
    let change = 7013;
    let play = |cuts: &[usize]| {
        let mut engine = engine(48_000.0, 1024, true);
        let mut out = input.clone();
        let mut start = 0;
        for n in cuts {
            let transpose_semitones = if start >= change { 12.0 } else { 0.0 };
            let settings = without_room().with(|s| s.pitch.transpose_semitones = transpose_semitones);
            play_block(&mut engine, &mut [&mut out[start..start + n]], 1, &settings);
            start += n;
        }
        out
    };
    // Every cut has a block that starts at the change.
    let with_change = |head: Vec<usize>, tail: Vec<usize>| [head, tail].concat();
    let rest = input.len() - change;
    let expected = play(&with_change(even_cuts(change, 1024), even_cuts(rest, 1024)));
    for seed in 0..5 {
        let cuts = with_change(random_cuts(seed, change, 700), random_cuts(seed + 50, rest, 90));
        assert!(play(&cuts) == expected, "cut {seed}");
    }
    assert!(play(&even_cuts(input.len(), 1024)) != expected, "the change is heard");
}

#[test]
fn after_a_reset_the_engine_is_as_new() {
    for host_rate in [44_100.0, 1234.5678] {
        let input = phrases(host_rate, 0.5);
        let cuts = even_cuts(input.len(), 300);
        let setting = Setting { wet: 0.4, brightness_swing_db: 5.0, gain_db: -2.0, room: 0.7 };
        let expected = play(&mut engine(host_rate, 512, true), &input, &cuts, setting);
        let mut used = engine(host_rate, 512, true);
        for n in [input.len() / 3, 1, input.len() / 2] {
            let loud: Vec<f32> = input[..n].iter().map(|x| 0.5 - x).collect();
            play(&mut used, &loud, &even_cuts(n, 512), WET);
            used.reset();
            assert!(play(&mut used, &input, &cuts, setting) == expected, "after {n} samples at {host_rate} Hz");
            used.reset();
            used.reset();
        }
    }
}

#[test]
fn live_and_offline_give_the_same_bits() {
    let input = phrases(48_000.0, 0.5);
    let cuts = random_cuts(3, input.len(), 256);
    let expected = play(&mut engine(48_000.0, 256, true), &input, &cuts, WET);
    let mut live = engine(48_000.0, 256, false);
    let telemetry = live.telemetry().clone();
    let out = play_paced(&mut live, &input, &cuts, WET, |done| {
        wait_for_hops(&telemetry, complete_hops(done, 48_000.0));
    });
    assert_eq!((telemetry.view().late_frames, telemetry.view().lost_samples), (0, 0));
    assert!(out == expected);
}

/// Counts its hops: since the last reset, and all.
struct Counting {
    model: FakeModel,
    n_hops: Arc<AtomicU64>,
    n_all: Arc<AtomicU64>,
}

impl HopModel for Counting {
    fn reset(&mut self) {
        self.model.reset();
        self.n_hops.store(0, SeqCst);
    }
    fn hop(&mut self, input: HopInput<'_>, settings: &Settings) -> HopOutput {
        let output = self.model.hop(input, settings);
        self.n_all.fetch_add(1, SeqCst);
        self.n_hops.fetch_add(1, SeqCst);
        output
    }
}

/// More hops than there are: the worker has not heard of the reset.
const OLD: u64 = u64::MAX / 2;

/// A way to play a clip.
#[derive(Clone, Copy, Debug)]
struct Way {
    host_rate: f64,
    max_block: usize,
    /// Offline may be longer than `max_block`.
    longest: usize,
    offline: bool,
    is_used: bool,
    cut: u64,
}

impl Way {
    fn random(rng: &mut ChaCha8Rng) -> Self {
        let offline = rng.random_range(0..2) == 0;
        let max_block = rng.random_range(16..1024);
        Self {
            host_rate: RATES[rng.random_range(0..RATES.len())],
            max_block,
            longest: if offline { rng.random_range(1..4 * max_block) } else { rng.random_range(1..=max_block) },
            offline,
            is_used: rng.random_range(0..2) == 0,
            cut: rng.random_range(0..u64::MAX),
        }
    }

    /// The output without its latency. Live, each block waits until the hops that it completes are computed.
    fn play(&self, input: &[f32]) -> Vec<f32> {
        let [n_hops, n_all] = [(); 2].map(|()| Arc::new(AtomicU64::new(0)));
        let model = Counting { model: FakeModel::default(), n_hops: n_hops.clone(), n_all: n_all.clone() };
        let mut engine = engine_with(self.host_rate, self.max_block, self.offline, model);
        if self.is_used {
            let noise: Vec<f32> = input.iter().take(3000).map(|x| 0.3 - x).collect();
            play(&mut engine, &noise, &random_cuts(self.cut, noise.len(), self.longest), WET);
            engine.reset();
            n_hops.store(OLD, SeqCst);
        }
        let telemetry = engine.telemetry().clone();
        let late_before = telemetry.view().late_frames;
        let latency = engine.latency_samples();
        let input = padded(input, latency);
        let out = play_paced(&mut engine, &input, &random_cuts(self.cut, input.len(), self.longest), WET, |done| {
            let due = complete_hops(done, self.host_rate);
            if !self.offline && due > 0 {
                wait_until("the worker keeps up", || (due..OLD).contains(&n_hops.load(SeqCst)));
                wait_for_hops(&telemetry, n_all.load(SeqCst));
            }
        });
        assert_eq!(telemetry.view().late_frames, late_before, "{self:?}");
        out[latency..].to_vec()
    }
}

#[test]
fn nothing_counts_but_the_input() {
    let mut rng = ChaCha8Rng::seed_from_u64(99);
    let mut n_live = 0;
    for round in 0..30 {
        let way = Way::random(&mut rng);
        let input = phrases(way.host_rate, 0.3);
        let whole = Way { max_block: 4096, longest: 4096, offline: true, is_used: false, ..way };
        let expected = whole.play(&input);
        let n_instances = if round % 3 == 0 { 16 } else { 1 };
        std::thread::scope(|scope| {
            let others: Vec<_> = (0..n_instances)
                .map(|i| {
                    let way = Way { cut: way.cut.wrapping_add(i), ..way };
                    let input = &input;
                    scope.spawn(move || (way, way.play(input)))
                })
                .collect();
            for other in others {
                let (way, out) = other.join().unwrap();
                assert!(out == expected, "{way:?}");
            }
        });
        n_live += usize::from(!way.offline);
    }
    assert!((8..22).contains(&n_live), "{n_live}");
}
