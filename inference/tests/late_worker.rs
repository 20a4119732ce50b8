//! Live, a worker that is too slow makes the sound fade, without a click, a wait or a shift in time.
#![cfg(feature = "worker")]

mod common;

use common::*;
use embouchure_inference::chain::HopOutput;
use embouchure_inference::controls::Controls;
use embouchure_inference::engine::{Engine, HopModel};
use embouchure_inference::hear::HopInput;
use embouchure_inference::settings::Settings;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

const RATE: f64 = 48_000.0;
const BLOCK: usize = 64;
/// Host samples per hop at 48 kHz.
const HOP: usize = 192;

/// An engine with its input and output so far.
struct Stage {
    engine: Engine,
    model: PeakModel,
    block: usize,
    input: Vec<f32>,
    out: Vec<f32>,
}

impl Stage {
    fn new(block: usize) -> Self {
        let model = PeakModel::default();
        let engine = engine_with(RATE, block, false, Low(model.clone()));
        Self { engine, model, block, input: Vec::new(), out: Vec::new() }
    }

    /// Plays `n` samples of the constant `level`; if `slowly`, waits after each block until its hops are computed.
    fn play(&mut self, level: f32, n: usize, slowly: bool) {
        let input = vec![level; n];
        let n_before = self.input.len();
        let telemetry = self.engine.telemetry().clone();
        let out = play_paced(&mut self.engine, &input, &even_cuts(n, self.block), WET, |done| {
            if slowly {
                wait_for_hops(&telemetry, complete_hops(n_before + done, RATE));
            }
        });
        self.input.extend(input);
        self.out.extend(out);
    }

    fn late(&self) -> u64 {
        self.engine.telemetry().view().late_frames
    }

    /// Output for the same input, offline.
    fn undisturbed(&self) -> Vec<f32> {
        let mut engine = engine_with(RATE, self.block, true, Low(PeakModel::default()));
        play(&mut engine, &self.input, &even_cuts(self.input.len(), 1024), WET)
    }
}

impl Drop for Stage {
    /// Unblocks the worker, so that a failed test does not wait for it.
    fn drop(&mut self) {
        self.model.is_blocked.store(false, SeqCst);
    }
}

/// The tone at 55 Hz: its own slope is small, so that a step in a fade is found.
struct Low(PeakModel);

impl HopModel for Low {
    fn reset(&mut self) {
        self.0.reset();
    }
    fn hop(&mut self, input: HopInput<'_>, settings: &Settings) -> HopOutput {
        let mut output = self.0.hop(input, settings);
        output.controls = output.controls.with_f0_hz(55.0);
        output
    }
}

/// Largest step from one sample to the next.
fn steepest(samples: &[f32]) -> f32 {
    samples.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max)
}

/// Stops the worker for `stop_ms` of audio in blocks of `block`.
fn survives_a_stop(stop_ms: usize, block: usize) {
    let mut stage = Stage::new(block);
    stage.play(0.5, 4096, true);
    let late_at_first = stage.late();
    stage.model.is_blocked.store(true, SeqCst);
    let stopped_at = stage.out.len();
    stage.play(0.5, stop_ms * 48, false);
    let (late, stopped_until) = (stage.late() - late_at_first, stage.out.len());
    stage.model.is_blocked.store(false, SeqCst);
    stage.play(0.5, 1024, true);
    let late_caught_up = stage.late() - late_at_first;
    stage.play(0.5, 4096, true);
    let recovered_at = stage.out.len() - 2048;
    // A pause, in which both oscillators reset their phase, and another note.
    stage.play(0.0, 4096, true);
    let after_pause = stage.out.len();
    stage.play(0.4, 4096, true);
    assert_eq!((late_at_first, stage.late()), (0, late_caught_up), "only the stop makes frames late");

    let what = format!("stopped for {stop_ms} ms, blocks of {block}: {late} late");
    println!("{what}");
    let undisturbed = stage.undisturbed();
    let held_until = stopped_at + 2 * HOP;
    assert!(stage.out[..stopped_at] == undisturbed[..stopped_at], "{what}");
    // Some frames were computed before the stop.
    let n_stopped = (stop_ms * 48 / HOP) as u64;
    assert!(late <= n_stopped + 1 && late + (stage.engine.latency_samples() / HOP) as u64 + 2 >= n_stopped, "{what}");
    assert!(late_caught_up <= late + 2 + (block / HOP) as u64, "{what}: counts only frames that are due");
    assert_eq!(stage.engine.telemetry().view().lost_samples, 0, "{what}");
    if stop_ms >= 100 {
        let held = &stage.out[stopped_at..held_until];
        assert!(rms(held) > 0.5 * rms(&undisturbed[stopped_at..held_until]), "{what}: held before it fades");
        // The latency, 20 ms of fade, and a hop of rounding.
        let faded_at = stopped_at + stage.engine.latency_samples() + 960 + HOP;
        assert!(stage.out[faded_at..stopped_until].iter().all(|x| *x == 0.0), "{what}: faded");
    }
    let peak = undisturbed.iter().fold(0.0_f32, |peak, x| peak.max(x.abs()));
    // Only in the first note: at its end, the step depends on the phase.
    let excess = (steepest(&stage.out[2048..recovered_at]) - steepest(&undisturbed[2048..recovered_at])) / peak;
    println!("steeper by {:.1} dB of the peak", 20.0 * excess.max(1e-9).log10());
    assert!(excess < 1e-3, "{what}: a click");
    // After a silent interval the phase starts at 0, so only the level can be compared.
    let level = |samples: &[f32]| rms(&samples[recovered_at..recovered_at + 1746]);
    assert!((level(&stage.out) / level(&undisturbed) - 1.0).abs() < 0.01, "{what}: back again");
    assert!(rms(&stage.out[after_pause + 1024..]) > 0.2, "{what}: the second note sounds");
    assert!(stage.out[after_pause..] == undisturbed[after_pause..], "{what}: the second note is at its time");
}

#[test]
fn a_blocked_worker_makes_the_sound_fade_and_nothing_else() {
    for (stop_ms, block) in [(5, 64), (20, 64), (100, 64), (1000, 64), (5000, 64), (20, 1), (1000, 1), (100, 511)] {
        survives_a_stop(stop_ms, block);
    }
}

#[test]
fn lost_input_is_counted_and_later_input_keeps_its_time() {
    let mut stage = Stage::new(BLOCK);
    stage.play(0.0, 30 * BLOCK, true);
    stage.model.is_blocked.store(true, SeqCst);
    // Six seconds fit into the ring; the rest is lost, and all of it is silence.
    stage.play(0.0, 6750 * BLOCK, false);
    let lost = stage.engine.telemetry().view().lost_samples;
    assert!((2000 * BLOCK as u64..2500 * BLOCK as u64).contains(&lost), "{lost}");
    stage.model.is_blocked.store(false, SeqCst);
    // Slower than realtime, until 100 blocks in a row have no late frame.
    let pause = || std::thread::sleep(Duration::from_millis(3));
    let mut n_in_time = 0;
    for _ in 0..3000 {
        let late = stage.late();
        stage.play(0.0, BLOCK, false);
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
        stage.play(0.6, BLOCK, false);
        pause();
    }
    let first = stage.out[onset..].iter().position(|x| *x != 0.0).unwrap() as i64;
    let error = first - stage.engine.latency_samples() as i64;
    assert!((-(HOP as i64) - 10..10).contains(&error), "onset is off by {error}");
    assert_eq!(stage.engine.telemetry().view().lost_samples, lost, "no more is lost");
}

/// Sounds for some hops, then panics.
struct PanickingModel(usize);

impl HopModel for PanickingModel {
    fn reset(&mut self) {}
    fn hop(&mut self, _input: HopInput<'_>, _settings: &Settings) -> HopOutput {
        assert!(self.0 > 0, "this panic is part of a test");
        self.0 -= 1;
        HopOutput::of(tone(440.0, 0.5))
    }
}

#[test]
fn offline_a_worker_that_panics_gives_silence_and_no_hang() {
    let mut engine = engine_with(RATE, 512, true, PanickingModel(50));
    let input = vec![0.1; 400_000];
    let out = play(&mut engine, &input, &even_cuts(input.len(), 512), WET);
    let end = 50 * HOP + engine.latency_samples();
    assert!(rms(&out[end - 3000..end - HOP]) > 0.1);
    assert!(out[end + 960 + HOP..].iter().all(|x| *x == 0.0));
    engine.reset();
    assert!(play(&mut engine, &input, &even_cuts(input.len(), 512), WET).iter().all(|x| *x == 0.0));
}

/// Gives invalid values.
struct InvalidModel(usize);

impl HopModel for InvalidModel {
    fn reset(&mut self) {}
    fn hop(&mut self, _input: HopInput<'_>, _settings: &Settings) -> HopOutput {
        self.0 += 1;
        let invalid = [f32::NAN, f32::INFINITY, -1.0, f32::MAX, 0.0][self.0 % 5];
        let controls = Controls::new(invalid, [invalid; 100], [invalid; 64]);
        HopOutput::of(controls)
    }
}

#[test]
fn invalid_controls_give_a_finite_output() {
    let input = vec![0.1; 48_000];
    for mix in [0.0, 0.5, 1.0] {
        let out = play(
            &mut engine_with(RATE, 512, true, InvalidModel(0)),
            &input,
            &even_cuts(48_000, 512),
            Setting { wet: mix, brightness_swing_db: 100.0, ..WET },
        );
        assert!(out.iter().all(|x| x.is_finite()));
    }
}

#[test]
fn dropping_an_engine_ends_its_thread() {
    let model = PeakModel::default();
    let alive = std::sync::Arc::downgrade(&model.is_blocked);
    for offline in [false, true] {
        let mut engine = engine_with(RATE, 512, offline, model.clone());
        play(&mut engine, &[0.1; 2000], &even_cuts(2000, 512), WET);
    }
    drop(model);
    assert!(alive.upgrade().is_none(), "the thread and its model are dropped");
}

/// Gives NaN from its 50th hop on, until it is reset.
struct FailingModel {
    hop: usize,
    has_failed: bool,
}

impl HopModel for FailingModel {
    fn reset(&mut self) {
        self.has_failed = false;
    }

    fn hop(&mut self, _input: HopInput<'_>, _settings: &Settings) -> HopOutput {
        self.hop += 1;
        self.has_failed |= self.hop == 50;
        HopOutput {
            is_valid: !self.has_failed,
            ..HopOutput::of(tone(440.0, if self.has_failed { f32::NAN } else { 0.3 }))
        }
    }
}

#[test]
fn failed_networks_are_counted_and_reset() {
    let mut engine = engine_with(48_000.0, 256, true, FailingModel { hop: 0, has_failed: false });
    let input = vec![0.1; 48_000];
    let out = play(&mut engine, &input, &even_cuts(input.len(), 256), WET);
    assert_eq!(engine.telemetry().view().failed_frames, 1);
    assert!(out.iter().all(|x| x.is_finite()));
    // 100 ms after the failure it plays as before.
    let at = engine.latency_samples() + 50 * 192;
    assert!((rms(&out[at + 4800..at + 9600]) / rms(&out[at - 9600..at - 4800]) - 1.0).abs() < 0.1);
}
