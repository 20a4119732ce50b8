//! A host that renders faster than realtime without announcing it.
#![cfg(feature = "worker")]

mod common;

use common::{FakeModel, PeakModel, engine_with, play_block, without_room};
use embouchure_inference::chain::HopOutput;
use embouchure_inference::engine::{HopModel, Io};
use embouchure_inference::hear::HopInput;
use embouchure_inference::settings::Settings;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

const RATE: f64 = 48_000.0;
const BLOCK: usize = 512;

/// As slow as the networks on a slow machine.
#[derive(Default)]
struct SlowModel(FakeModel);

impl HopModel for SlowModel {
    fn reset(&mut self) {
        self.0.reset();
    }

    fn hop(&mut self, input: HopInput<'_>, settings: &Settings) -> HopOutput {
        std::thread::sleep(Duration::from_micros(700));
        self.0.hop(input, settings)
    }
}

/// Two seconds as fast as possible, and the number of late frames.
fn render(offline: bool) -> (Vec<f32>, u64) {
    let mut engine = engine_with(RATE, BLOCK, offline, SlowModel::default());
    let mut out = Vec::new();
    for block in 0..2 * RATE as usize / BLOCK {
        let mut samples: Vec<f32> = (0..BLOCK).map(|i| 0.3 * ((block * BLOCK + i) as f32 * 0.03).sin()).collect();
        play_block(&mut engine, &mut [&mut samples], 1, &without_room());
        out.extend(samples);
    }
    (out, engine.telemetry().view().late_frames)
}

#[test]
fn an_unannounced_render_has_the_bits_of_a_bounce() {
    let (bounce, _) = render(true);
    let (unannounced, n_late) = render(false);
    // The engine cannot know of the render in the first block.
    assert!(n_late <= 5, "{n_late} late frames");
    let from = RATE as usize / 10;
    let first_difference = (from..bounce.len()).find(|i| bounce[*i] != unannounced[*i]);
    assert_eq!(first_difference, None, "of {} samples", bounce.len());
}

#[test]
fn a_live_block_that_automation_cuts_does_not_wait() {
    let model = PeakModel::default();
    let is_blocked = model.is_blocked.clone();
    is_blocked.store(true, SeqCst);
    let mut engine = engine_with(RATE, 1024, false, model);
    let start = Instant::now();
    // A hundred blocks of 16 pieces, as fast as possible. If each piece counted as a block, each would wait half a
    // second for the blocked worker.
    for piece in 0..1600 {
        let io = Io { channels: &mut [&mut [0.3; 64]], n_inputs: 1, is_piece: piece > 0 };
        engine.process(io, &without_room(), &[]);
    }
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    assert!(engine.telemetry().view().late_frames > 0, "the worker was blocked");
    is_blocked.store(false, SeqCst);
}
