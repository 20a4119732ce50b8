//! Measures many instances on one machine.

use super::Figure;
use super::realtime::{RATE, Session, run};
use crate::effect::Networks;
use anyhow::Result;
use embouchure_inference::config::FRAME_RATE;
use embouchure_inference::engine::DriverKind;
use std::time::Instant;

const N_INSTANCES: usize = 8;
/// Duration of the observation of the idle machine, s, and the shortest interruption that counts, s.
const WATCH_SECONDS: f64 = 10.0;
const MARGIN_SECONDS: f64 = 0.0033;
/// Duration of each try of the search, s.
const TRY_SECONDS: f64 = 5.0;
const MOST: usize = 512;
/// Share of frames that may be late in a try. A shared machine interrupts every program now and then.
const TOLERATED: f64 = 0.01;
/// Number of instances that a large session needs.
const ENOUGH: f64 = 32.0;

fn n_cores() -> usize {
    std::thread::available_parallelism().map_or(1, |n| n.get())
}

/// Late frames of eight instances at blocks of 64, while another program uses all it gets of one core.
pub fn beside_a_busy_program(networks: &Networks, driver: DriverKind, seconds: f64) -> Result<Vec<Figure>> {
    let session = Session { n_instances: N_INSTANCES, driver, block: 64, seconds, n_threads: n_cores(), busy: true };
    let outcome = run(networks, session)?;
    let name = format!("{N_INSTANCES} instances, blocks of 64, {seconds} s, one core busy");
    Ok(vec![
        Figure::new(format!("late frames, {name}"), outcome.late_frames as f64, 0).at_most(0.0),
        Figure::new(format!("lost samples, {name}"), outcome.lost_samples as f64, 0).at_most(0.0),
        Figure::new(format!("callbacks past their deadline, {name}"), outcome.n_overruns as f64, 0).at_most(0.0),
    ])
}

/// How often the machine interrupts a program that only reads the clock, for longer than the worker's margin.
pub fn interruptions_by_the_machine() -> Vec<Figure> {
    let (mut last, start) = (Instant::now(), Instant::now());
    let (mut longest, mut n_long) = (0.0f64, 0.0);
    while start.elapsed().as_secs_f64() < WATCH_SECONDS {
        let now = Instant::now();
        let gap = (now - last).as_secs_f64();
        longest = longest.max(gap);
        n_long += if gap > MARGIN_SECONDS { 60.0 / WATCH_SECONDS } else { 0.0 };
        last = now;
    }
    vec![
        Figure::new("the machine alone: longest stop of a program that watches the clock, ms", 1e3 * longest, 1),
        Figure::new("the same: stops over 3.3 ms a minute", n_long, 0),
    ]
}

/// Largest number of instances that run in realtime at blocks of 128: with less than 1 % of late frames (worker), or of
/// rounds past their deadline (direct).
pub fn how_many(networks: &Networks, driver: DriverKind) -> Result<Vec<Figure>> {
    let keeps_up = |n_instances| -> Result<bool> {
        let n_threads = n_cores();
        let session = Session { n_instances, driver, block: 128, seconds: TRY_SECONDS, n_threads, busy: false };
        let outcome = run(networks, session)?;
        let (n_faults, n_all) = match driver {
            DriverKind::Worker => (outcome.late_frames, n_instances as f64 * TRY_SECONDS * FRAME_RATE as f64),
            DriverKind::Direct => (outcome.n_overruns, n_threads as f64 * TRY_SECONDS * RATE / 128.0),
        };
        eprintln!("{n_instances} instances: {n_faults} faults of {n_all:.0}");
        Ok((n_faults as f64) < TOLERATED * n_all && outcome.lost_samples == 0)
    };
    let most = search(keeps_up)?;
    let faults = match driver {
        DriverKind::Worker => "late frames",
        DriverKind::Direct => "callbacks past their deadline",
    };
    let name = format!("instances at blocks of 128 with less than 1 % of {faults} in {TRY_SECONDS} s");
    Ok(vec![Figure::new(name, most as f64, 0).at_least(ENOUGH)])
}

/// Largest n with `holds(n)`, by doubling and then bisection.
fn search(holds: impl Fn(usize) -> Result<bool>) -> Result<usize> {
    let (mut good, mut bad) = (0, 1);
    while bad <= MOST && holds(bad)? {
        (good, bad) = (bad, 2 * bad);
    }
    while bad - good > 1 {
        let middle = usize::midpoint(good, bad);
        if holds(middle)? { good = middle } else { bad = middle }
    }
    Ok(good)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_search_finds_the_last_that_holds() {
        for most in [0, 1, 2, 3, 7, 8, 100] {
            assert_eq!(search(|n| Ok(n <= most)).unwrap(), most);
        }
    }
}
