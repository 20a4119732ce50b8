//! Resets at any moment, while the worker is in the middle of a hop: nothing of before is heard after them, and nothing
//! of after them is missing. Run it with a thread sanitizer, too (docs/checks.md).
#![cfg(feature = "worker")]

mod common;

use common::*;
use embouchure_inference::chain::HopOutput;
use embouchure_inference::engine::{Engine, HopModel, Io, Loader};
use embouchure_inference::hear::HopInput;
use embouchure_inference::play::Slot;
use embouchure_inference::settings::Settings;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// [`FakeModel`] that takes a while, so that a reset seldom finds the worker between two hops.
struct Busy {
    model: FakeModel,
    rng: ChaCha8Rng,
}

impl Busy {
    fn new() -> Self {
        Self { model: FakeModel::default(), rng: ChaCha8Rng::seed_from_u64(5) }
    }
}

impl HopModel for Busy {
    fn reset(&mut self) {
        self.model.reset();
    }

    fn hop(&mut self, input: HopInput<'_>, settings: &Settings) -> HopOutput {
        spin(self.rng.random_range(0..40));
        self.model.hop(input, settings)
    }
}

/// Takes `us` microseconds without giving the processor away.
fn spin(us: u64) {
    let start = Instant::now();
    while start.elapsed() < Duration::from_micros(us) {
        std::hint::spin_loop();
    }
}

/// Plays `input` in blocks of random lengths up to `max`; after some of them it lets the worker run.
fn play_at_random(engine: &mut Engine, input: &[f32], max: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
    let cuts = random_cuts(rng.random(), input.len(), max);
    play_paced(engine, input, &cuts, WET, |_| match rng.random_range(0..20) {
        0 => std::thread::sleep(Duration::from_micros(300)),
        1..5 => std::thread::yield_now(),
        5..10 => spin(rng.random_range(0..100)),
        _ => (),
    })
}

#[test]
fn offline_every_epoch_is_rendered_as_by_a_new_engine() {
    // At 1 kHz a hop has four samples, so that the worker takes many hops at once.
    for (host_rate, max_block, n_epochs) in [(48_000.0, 64, 50), (48_000.0, 1024, 50), (1000.0, 256, 100)] {
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        let mut engine = engine_with(host_rate, max_block, true, Busy::new());
        let input = padded(&phrases(host_rate, 0.1), engine.latency_samples());
        let cuts = even_cuts(input.len(), max_block);
        let expected = play(&mut engine_with(host_rate, max_block, true, Busy::new()), &input, &cuts, WET);
        assert!(rms(&expected) > 0.01);
        for epoch in 0..n_epochs {
            // Another sound, or a few resets in a row, before what is compared.
            for _ in 0..rng.random_range(0..3) {
                let n = rng.random_range(0..input.len());
                play_at_random(&mut engine, &vec![0.9; n], max_block, &mut rng);
                engine.reset();
            }
            let n = rng.random_range(1..=input.len());
            let out = play_at_random(&mut engine, &input[..n], max_block, &mut rng);
            assert!(out == expected[..n], "epoch {epoch} at {host_rate} Hz, blocks up to {max_block}");
            engine.reset();
        }
        assert_eq!(engine.telemetry().view().late_frames, 0);
    }
}

#[test]
fn live_nothing_of_an_epoch_is_heard_in_the_next() {
    let mut rng = ChaCha8Rng::seed_from_u64(12);
    let mut engine = engine_with(48_000.0, 64, false, Busy::new());
    let mut n_loud = 0;
    for epoch in 0..200 {
        let n = rng.random_range(1..3000);
        let loud = play_at_random(&mut engine, &vec![0.9; n], 64, &mut rng);
        n_loud += usize::from(loud.iter().any(|x| x.abs() > 0.1));
        engine.reset();
        let n = rng.random_range(1..3000);
        let silent = play_at_random(&mut engine, &vec![0.0; n], 64, &mut rng);
        assert!(silent.iter().all(|x| *x == 0.0), "epoch {epoch}: {n} samples of silence");
        engine.reset();
    }
    assert!(n_loud > 0, "silence proves nothing");
}

/// A request for an instrument, for the thread that loads it.
struct Wanted {
    loader: Loader,
    n_loads: u32,
    name: &'static str,
}

/// What the background thread of the plugin does.
fn load_all(wanted: Receiver<Wanted>) {
    for (i, Wanted { loader, n_loads, name }) in wanted.into_iter().enumerate() {
        let slot = if i % 3 == 0 { Slot::B } else { Slot::A };
        loader.load(n_loads, slot, Some(instrument(name)));
    }
}

#[test]
fn engines_that_are_reset_reloaded_and_dropped_leave_nothing_behind() {
    const BAND: [&str; 3] = ["trumpet", "violin", "flute"];
    let input = phrases(48_000.0, 1.0);
    let mut rng = ChaCha8Rng::seed_from_u64(13);
    let (ask, wanted) = channel();
    let background = std::thread::spawn(move || load_all(wanted));
    let encoder_users = Arc::strong_count(&encoder());
    for round in 0..12 {
        let (model, loader) = model(BAND[round % 3], None);
        let mut engine = engine_with(48_000.0, 128, round % 2 == 0, model);
        for _ in 0..30 {
            let n = rng.random_range(1..600);
            let start = rng.random_range(0..input.len() - n);
            let mut block = input[start..start + n].to_vec();
            match rng.random_range(0..4) {
                0 => engine.reset(),
                1 => {
                    let n_loads = engine.expect_load();
                    let name = BAND[rng.random_range(0..3)];
                    ask.send(Wanted { loader: loader.clone(), n_loads, name }).unwrap();
                }
                _ => (),
            }
            engine.process(Io { channels: &mut [&mut block], n_inputs: 1, is_piece: false }, &without_room(), &[]);
            assert!(block.iter().all(|x| x.is_finite()));
        }
        // Some loads are still on their way.
        drop(engine);
    }
    drop(ask);
    background.join().unwrap();
    assert_eq!(Arc::strong_count(&encoder()), encoder_users, "no model is left");
}
