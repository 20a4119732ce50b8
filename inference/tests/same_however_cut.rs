//! The output depends on the input alone: the bits are the same for any blocks, live or offline, new or after a reset.
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
use std::time::Duration;

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
fn the_largest_block_changes_only_the_latency() {
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
    // A busy machine makes frames late; then the test is repeated with a slower clock.
    for slowness in 1..30 {
        let mut live = engine(48_000.0, 256, false);
        let mut done = 0;
        let out = play_paced(&mut live, &input, &cuts, WET, |n| {
            std::thread::sleep(Duration::from_secs_f64(f64::from(slowness) * (n - done) as f64 / 48_000.0));
            done = n;
        });
        let view = live.telemetry().view();
        if view.late_frames == 0 {
            assert_eq!(view.lost_samples, 0);
            assert!(out == expected);
            return;
        }
    }
    panic!("frames were late at a thirtieth of realtime");
}

/// Counts its hops.
struct Counting {
    model: FakeModel,
    n_hops: Arc<AtomicU64>,
}

impl HopModel for Counting {
    fn reset(&mut self) {
        self.model.reset();
        self.n_hops.store(0, SeqCst);
    }
    fn hop(&mut self, input: HopInput<'_>, settings: &Settings) -> HopOutput {
        let output = self.model.hop(input, settings);
        self.n_hops.fetch_add(1, SeqCst);
        output
    }
}

/// More hops than there are; marks that the worker has not reset yet.
const OLD: u64 = u64::MAX / 2;

/// How a clip is played.
#[derive(Clone, Copy, Debug)]
struct Run {
    host_rate: f64,
    max_block: usize,
    /// Longest block; offline it may exceed `max_block`.
    longest: usize,
    offline: bool,
    /// The engine played something else and was reset.
    is_used: bool,
    /// Seed of the block lengths.
    cut: u64,
}

impl Run {
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

    /// The output without its latency; `None` if a frame was late because the machine was busy.
    fn play(&self, input: &[f32]) -> Option<Vec<f32>> {
        let n_hops = Arc::new(AtomicU64::new(0));
        let model = Counting { model: FakeModel::default(), n_hops: n_hops.clone() };
        let mut engine = engine_with(self.host_rate, self.max_block, self.offline, model);
        if self.is_used {
            let noise: Vec<f32> = input.iter().take(3000).map(|x| 0.3 - x).collect();
            play(&mut engine, &noise, &random_cuts(self.cut, noise.len(), self.longest), WET);
            engine.reset();
            n_hops.store(OLD, SeqCst);
        }
        let late_before = engine.telemetry().view().late_frames;
        let input = padded(input, engine.latency_samples());
        let hop = embouchure_inference::synth::hop_samples(self.host_rate);
        let mut due_before = 0;
        let out = play_paced(&mut engine, &input, &random_cuts(self.cut, input.len(), self.longest), WET, |done| {
            // The resampler reads up to four samples ahead.
            let due = ((done as f64 - 4.0) / hop).max(0.0) as u64;
            if !self.offline && due > due_before {
                wait_until("the worker keeps up", || (due..OLD).contains(&n_hops.load(SeqCst)));
                due_before = due;
                // The worker still has to send the last frame.
                std::thread::sleep(Duration::from_micros(300));
            }
        });
        let latency = engine.latency_samples();
        (engine.telemetry().view().late_frames == late_before).then(|| out[latency..].to_vec())
    }
}

#[test]
fn the_bits_depend_on_the_input_alone() {
    let mut rng = ChaCha8Rng::seed_from_u64(99);
    let mut n_live = 0;
    for round in 0..30 {
        let run = Run::random(&mut rng);
        let input = phrases(run.host_rate, 0.3);
        let whole = Run { max_block: 4096, longest: 4096, offline: true, is_used: false, ..run };
        let expected = whole.play(&input).unwrap();
        let n_instances = if round % 3 == 0 { 16 } else { 1 };
        std::thread::scope(|scope| {
            let others: Vec<_> = (0..n_instances)
                .map(|i| {
                    let run = Run { cut: run.cut.wrapping_add(i), ..run };
                    // Repeated if frames were late because the machine was busy.
                    let input = &input;
                    scope.spawn(move || (run, (0..20).find_map(|_| run.play(input))))
                })
                .collect();
            for other in others {
                let (run, out) = other.join().unwrap();
                assert!(out.unwrap_or_else(|| panic!("late twenty times: {run:?}")) == expected, "{run:?}");
            }
        });
        n_live += usize::from(!run.offline);
    }
    assert!((8..22).contains(&n_live), "{n_live}");
}
