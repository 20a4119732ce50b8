//! A host that renders faster than it plays and does not say so.

mod common;

use common::{FakeModel, engine_with};
use embouchure_inference::config::HOP_SIZE;
use embouchure_inference::controls::SourceControls;
use embouchure_inference::stream::{BlockParams, HopModel, HopOutput};
use std::time::Duration;

const RATE: f64 = 48_000.0;
const BLOCK: usize = 512;

/// As slow as the networks are on a slow machine.
#[derive(Default)]
struct SlowModel(FakeModel);

impl HopModel for SlowModel {
    fn reset(&mut self) {
        self.0.reset();
    }

    fn hop(&mut self, samples: &[f32; HOP_SIZE], source: &SourceControls) -> HopOutput {
        std::thread::sleep(Duration::from_micros(700));
        self.0.hop(samples, source)
    }
}

/// Two seconds as fast as it goes, and the number of late frames.
fn render(offline: bool) -> (Vec<f32>, u64) {
    let mut engine = engine_with(RATE, BLOCK, offline, SlowModel::default());
    let constant = |value: f32| vec![value; BLOCK];
    let (one, zero) = (constant(1.0), constant(0.0));
    let mut out = Vec::new();
    for block in 0..2 * RATE as usize / BLOCK {
        let mut samples: Vec<f32> = (0..BLOCK).map(|i| 0.3 * ((block * BLOCK + i) as f32 * 0.03).sin()).collect();
        let params = BlockParams {
            mix: &one,
            brightness_db: &zero,
            width: &zero,
            output_gain: &one,
            source: SourceControls::default(),
        };
        engine.process(&mut [&mut samples], 1, &params);
        out.extend(samples);
    }
    (out, engine.telemetry().view().late_frames)
}

#[test]
fn loses_nothing() {
    let (bounce, _) = render(true);
    let (unannounced, n_late) = render(false);
    // Nobody can know it of the first block.
    assert!(n_late <= 5, "{n_late} late frames");
    let from = RATE as usize / 10;
    let first_difference = (from..bounce.len()).find(|i| bounce[*i] != unannounced[*i]);
    assert_eq!(first_difference, None, "of {} samples", bounce.len());
}
