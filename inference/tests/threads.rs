//! The worker's thread as the operating system sees it.
#![cfg(target_os = "linux")]

mod common;

use common::*;
use embouchure_inference::config::HOP_SIZE;
use embouchure_inference::controls::SourceControls;
use embouchure_inference::stream::{HopModel, HopOutput};
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

/// Scheduling policy and realtime priority of each worker in this process.
fn workers() -> Vec<(i32, i32)> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let stats = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("stat")).ok());
    let workers = stats.filter(|stat| stat.contains("(embouchure)"));
    let field = |stat: &str, n: usize| {
        // Counted from 1; the second, the name, ends with the bracket.
        stat.rsplit(')').next().unwrap().split_whitespace().nth(n - 3).unwrap().parse().unwrap()
    };
    workers.map(|stat| (field(&stat, 41), field(&stat, 40))).collect()
}

// One test, because the threads belong to the process.
#[test]
fn a_live_workers_priority_is_raised_or_the_refusal_is_known() {
    assert_eq!(workers(), []);
    let live = engine(48_000.0, 64, false);
    let is_raised = live.telemetry().view().worker_is_raised;
    println!("raised: {is_raised}, {:?}", workers());
    assert_eq!(workers(), if is_raised { [(libc::SCHED_FIFO, 10)] } else { [(libc::SCHED_OTHER, 0)] });
    drop(live);
    assert_eq!(workers(), [], "its thread ends with the engine");

    let offline = engine(48_000.0, 64, true);
    assert!(!offline.telemetry().view().worker_is_raised);
    assert_eq!(workers(), [(libc::SCHED_OTHER, 0)], "a bounce leaves the machine to others");
    drop(offline);

    let many: Vec<_> = (0..16).map(|i| engine(48_000.0, 64, i % 2 == 0)).collect();
    assert_eq!(workers().len(), 16);
    drop(many);
    assert_eq!(workers(), []);
}

/// Halves the smallest normal number.
struct Halving(Arc<AtomicI64>);

impl HopModel for Halving {
    fn reset(&mut self) {}
    fn hop(&mut self, samples: &[f32; HOP_SIZE], source: &SourceControls) -> HopOutput {
        let half = black_box(black_box(f32::MIN_POSITIVE) * black_box(0.5));
        self.0.store(half.to_bits().into(), SeqCst);
        FakeModel::default().hop(samples, source)
    }
}

#[test]
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
fn the_model_runs_without_subnormals() {
    let half = Arc::new(AtomicI64::new(-1));
    let mut engine = engine_with(48_000.0, 512, true, Halving(half.clone()));
    play(&mut engine, &[0.1; 2048], &even_cuts(2048, 512), WET);
    assert_eq!(half.load(SeqCst), 0);
}
