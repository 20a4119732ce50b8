//! Priority and lifetime of the worker's thread, as the operating system reports them.
#![cfg(all(feature = "worker", target_os = "linux"))]

mod common;

use common::*;
use std::time::{Duration, Instant};

/// Scheduling policy and realtime priority of each worker in this process.
fn workers() -> Vec<(i32, i32)> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let stats = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("stat")).ok());
    let workers = stats.filter(|stat| stat.contains("(embouchure)"));
    let field = |stat: &str, n: usize| {
        // `n` counts from 1. Field 2, the name, ends with the bracket.
        stat.rsplit(')').next().unwrap().split_whitespace().nth(n - 3).unwrap().parse().unwrap()
    };
    workers.map(|stat| (field(&stat, 41), field(&stat, 40))).collect()
}

/// Waits, because a joined thread is listed for a short time.
fn assert_workers(expected: &[(i32, i32)], what: &str) {
    let start = Instant::now();
    while workers() != expected && start.elapsed() < Duration::from_secs(2) {
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(workers(), expected, "{what}");
}

// A single test, because it counts all threads of the process.
#[test]
fn a_live_workers_priority_is_raised_or_the_refusal_is_reported() {
    assert_eq!(workers(), []);
    let live = engine(48_000.0, 64, false);
    let is_raised = live.telemetry().view().worker_is_raised;
    println!("raised: {is_raised}, {:?}", workers());
    assert_eq!(workers(), if is_raised { [(libc::SCHED_FIFO, 10)] } else { [(libc::SCHED_OTHER, 0)] });
    drop(live);
    assert_workers(&[], "its thread ends with the engine");

    let offline = engine(48_000.0, 64, true);
    assert!(!offline.telemetry().view().worker_is_raised);
    assert_eq!(workers(), [(libc::SCHED_OTHER, 0)], "offline, the priority stays");
    drop(offline);
    assert_workers(&[], "the offline thread ends with its engine");

    let many: Vec<_> = (0..16).map(|i| engine(48_000.0, 64, i % 2 == 0)).collect();
    assert_eq!(workers().len(), 16);
    drop(many);
    assert_workers(&[], "all of many threads end");
}
