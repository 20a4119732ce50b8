//! Live, a worker that is too slow costs sound, never a click, a wait or the sense of time.

mod common;

use common::*;
use embouchure_inference::config::HOP_SIZE;
use embouchure_inference::controls::{Controls, SourceControls};
use embouchure_inference::stream::{Engine, Heard, HopModel, HopOutput};
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

const RATE: f64 = 48_000.0;
const BLOCK: usize = 64;
/// Host samples per hop at 48 kHz.
const HOP: usize = 192;

struct Stage {
    engine: Engine,
    model: PeakModel,
    input_done: usize,
    out: Vec<f32>,
}

impl Stage {
    fn new() -> Self {
        let model = PeakModel::default();
        let engine = engine_with(RATE, BLOCK, false, model.clone());
        Self { engine, model, input_done: 0, out: Vec::new() }
    }

    /// Plays `n` blocks of the constant `level`; if `slowly`, gives the worker time after each.
    fn play(&mut self, level: f32, n: usize, slowly: bool) {
        let out = play_paced(&mut self.engine, &vec![level; n * BLOCK], &even_cuts(n * BLOCK, BLOCK), WET, |done| {
            // A hop needs 193 host samples, the next ones 192 each.
            let n_hops = ((self.input_done + done - 1) / HOP) as u64;
            while slowly && self.model.n_hops.load(SeqCst) < n_hops {
                std::thread::sleep(Duration::from_micros(100));
            }
            // The last frame is on its way now.
            std::thread::sleep(Duration::from_micros(if slowly { 500 } else { 0 }));
        });
        self.input_done += out.len();
        self.out.extend(out);
    }

    fn late(&self) -> u64 {
        self.engine.telemetry().view().late_frames
    }
}

#[test]
fn late_frames_fade_to_silence_and_recover_without_a_click() {
    // Any frame that is late when it should not be is the test machine's doing: then again.
    for _ in 0..20 {
        let mut stage = Stage::new();
        stage.play(0.5, 60, true);
        let late_at_first = stage.late();
        stage.model.held_up.store(true, SeqCst);
        let held_from = stage.out.len();
        stage.play(0.5, 75, false);
        let (late, silent_until) = (stage.late(), stage.out.len());
        stage.model.held_up.store(false, SeqCst);
        stage.play(0.5, 6, true);
        let late_caught_up = stage.late();
        stage.play(0.5, 60, true);
        if late_at_first > 0 || stage.late() > late_caught_up {
            continue;
        }

        assert!(rms(&stage.out[held_from - 2000..held_from]) > 0.3);
        // 75 blocks are 25 hops; two or three of them were computed before the hold.
        assert!((21..=25).contains(&late), "{late} late");
        assert!(late_caught_up - late <= 3, "counts only frames that are due");
        let silence = stage.out[held_from..silent_until].iter().position(|x| *x == 0.0 && x.is_sign_positive());
        assert!(silence.is_some());
        // At most three frames ahead of time, 20 ms of fade, and a hop of rounding.
        assert!(stage.out[held_from + 3 * HOP + 960 + HOP..silent_until].iter().all(|x| *x == 0.0));
        assert!(rms(&stage.out[held_from + HOP..held_from + 2 * HOP]) > 0.15, "held before it fades");
        assert!(rms(&stage.out[stage.out.len() - 2000..]) > 0.3, "back again");
        // A 440 Hz sine of 0.52 (the filter rings a little) and a ramp over one hop.
        let jump = stage.out.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
        assert!(jump < 0.52 * std::f32::consts::TAU * 440.0 / 48_000.0 + 0.52 / 192.0, "{jump}");
        return;
    }
    panic!("frames were late for no reason, twenty times");
}

#[test]
fn lost_input_is_counted_and_what_follows_keeps_its_time() {
    let mut stage = Stage::new();
    stage.play(0.0, 30, true);
    stage.model.held_up.store(true, SeqCst);
    // Six seconds fit; three of silence and more are lost.
    stage.play(0.0, 6750, false);
    let lost = stage.engine.telemetry().view().lost_samples;
    assert!((2000 * BLOCK as u64..2500 * BLOCK as u64).contains(&lost), "{lost}");
    stage.model.held_up.store(false, SeqCst);
    // Slower than realtime, until no frame is late any more.
    let pause = || std::thread::sleep(Duration::from_millis(3));
    let mut n_in_time = 0;
    for _ in 0..3000 {
        let late = stage.late();
        stage.play(0.0, 1, false);
        pause();
        n_in_time = if stage.late() == late { n_in_time + 1 } else { 0 };
        if n_in_time == 100 {
            break;
        }
    }
    assert_eq!(n_in_time, 100, "the worker catches up");
    let lost = stage.engine.telemetry().view().lost_samples;
    let onset = stage.out.len();
    for _ in 0..30 {
        stage.play(0.6, 1, false);
        pause();
    }
    let first = stage.out[onset..].iter().position(|x| *x != 0.0).unwrap() as i64;
    let error = first - stage.engine.latency_samples() as i64;
    assert!((-(HOP as i64) - 10..10).contains(&error), "onset is off by {error}");
    assert_eq!(stage.engine.telemetry().view().lost_samples, lost, "no more is lost");
}

/// Sounds for some hops, then panics.
struct DyingModel(usize);

impl HopModel for DyingModel {
    fn reset(&mut self) {}
    fn hop(&mut self, _samples: &[f32; HOP_SIZE], _source: &SourceControls) -> HopOutput {
        assert!(self.0 > 0, "this panic is part of a test");
        self.0 -= 1;
        HopOutput { controls: tone(440.0, 0.5), heard: Heard::default() }
    }
}

#[test]
fn offline_a_dead_worker_ends_in_silence_not_in_a_hang() {
    let mut engine = engine_with(RATE, 512, true, DyingModel(50));
    let input = vec![0.1; 400_000];
    let out = play(&mut engine, &input, &even_cuts(input.len(), 512), WET);
    let dies = 50 * HOP + engine.latency_samples();
    assert!(rms(&out[dies - 3000..dies - HOP]) > 0.1);
    assert!(out[dies + 960 + HOP..].iter().all(|x| *x == 0.0));
    engine.reset();
    assert!(play(&mut engine, &input, &even_cuts(input.len(), 512), WET).iter().all(|x| *x == 0.0));
}

/// Says things that no decoder should.
struct MadModel(usize);

impl HopModel for MadModel {
    fn reset(&mut self) {}
    fn hop(&mut self, _samples: &[f32; HOP_SIZE], _source: &SourceControls) -> HopOutput {
        self.0 += 1;
        let nonsense = [f32::NAN, f32::INFINITY, -1.0, f32::MAX, 0.0][self.0 % 5];
        let controls = Controls {
            f0_hz: nonsense,
            amplitude: [0.5, nonsense][self.0 % 2],
            harmonic_distribution: [nonsense; 100],
            noise_magnitudes: [nonsense; 64],
        };
        HopOutput { controls, heard: Heard::default() }
    }
}

#[test]
fn a_model_that_talks_nonsense_cannot_make_the_output_infinite() {
    let input = vec![0.1; 48_000];
    for mix in [0.0, 0.5, 1.0] {
        let out = play(
            &mut engine_with(RATE, 512, true, MadModel(0)),
            &input,
            &even_cuts(48_000, 512),
            Setting { mix, brightness_swing_db: 100.0, ..WET },
        );
        assert!(out.iter().all(|x| x.is_finite()));
    }
}

#[test]
fn dropping_an_engine_ends_its_thread() {
    let model = PeakModel::default();
    let alive = std::sync::Arc::downgrade(&model.held_up);
    for offline in [false, true] {
        let mut engine = engine_with(RATE, 512, offline, model.clone());
        play(&mut engine, &[0.1; 2000], &even_cuts(2000, 512), WET);
    }
    drop(model);
    assert!(alive.upgrade().is_none(), "the model is gone with the thread that owned it");
}
