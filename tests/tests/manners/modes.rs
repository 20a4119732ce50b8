//! Bounces and live performances of one instance in turns.

use super::{LIVE, RATE};
use embouchure_host::{Change, Outcome, Session};
use embouchure_tests::{Built, Stage, alone_often, in_both_formats, phrase};
use std::time::{Duration, Instant};

in_both_formats!(
    every_bounce_is_the_same_whatever_was_played_before,
    a_performance_after_a_bounce_never_waits,
    a_performance_after_a_bounce_loads_nothing_in_the_callback,
);

const BOUNCE: Session = Session { rate: RATE, block: 256, max_block: 256 };

/// Seconds of computing in one call of `process` that only loading an instrument takes: that takes 20 ms and more, a block
/// some hundredths of one.
const LOADING_S: f64 = 0.008;

/// Plays a phrase in which Instrument A moves twice; gives what is heard, and what each call came to.
fn play<H: Built>(host: H, session: Session, pace: f64) -> (H, Vec<f32>, Vec<Outcome>) {
    let mut stage = Stage::new(host, session);
    let id = stage.host.id("Instrument A");
    let (mut heard, mut outcomes) = (Vec::new(), Vec::new());
    let start = Instant::now();
    for (i, block) in phrase(RATE).chunks(session.block).enumerate() {
        let at = i * session.block;
        let places = [(0, 1.0), (20_480, 4.0), (40_960, 9.0)];
        let changes = places.iter().filter(|(time, _)| *time == at).map(|&(_, value)| Change { at: 0, id, value });
        let (outcome, channels) = stage.block(block, &changes.collect::<Vec<_>>());
        heard.extend(&channels[0]);
        outcomes.push(outcome);
        let due = Duration::from_secs_f64((at + block.len()) as f64 / RATE * pace);
        std::thread::sleep(due.saturating_sub(start.elapsed()));
    }
    (stage.leave(), heard, outcomes)
}

fn bounce<H: Built>(mut host: H) -> (H, Vec<f32>) {
    host.set_offline(true).unwrap();
    let (host, heard, _) = play(host, BOUNCE, 0.0);
    assert!(heard.iter().all(|s| s.is_finite()) && heard.iter().any(|s| s.abs() > 0.01));
    (host, heard)
}

fn live<H: Built>(mut host: H) -> (H, Vec<Outcome>) {
    host.set_offline(false).unwrap();
    let (host, _, outcomes) = play(host, LIVE, 1.0);
    (host, outcomes)
}

fn every_bounce_is_the_same_whatever_was_played_before<H: Built>(test: &str) {
    if !alone_often(test, 2) {
        return;
    }
    let (host, first) = bounce(H::built());
    let (host, second) = bounce(host);
    assert!(second == first, "the second bounce of an instance");
    let (host, _) = live(host);
    let (host, third) = bounce(host);
    assert!(third == first, "a bounce after a performance");
    drop(host);
    let (host, _) = live(H::built());
    let (host, fourth) = bounce(host);
    assert!(fourth == first, "a bounce of another instance after a performance");
    drop(host);
}

/// The performance is the first after a bounce; a bounce waits for the engine in nearly every call.
fn a_performance_after_a_bounce_never_waits<H: Built>(test: &str) {
    if !alone_often(test, 1) {
        return;
    }
    let (host, _) = bounce(H::built());
    let (host, outcomes) = live(host);
    drop(host);
    let n_waits: usize = outcomes.iter().map(|outcome| outcome.n_waits).sum();
    println!("{}: {n_waits} waits in {} calls", H::FORMAT, outcomes.len());
    // The memory of a process belongs to all its threads; another one's page fault may hold this one up once.
    assert!(n_waits <= 2, "{n_waits} waits in {} calls", outcomes.len());
}

fn a_performance_after_a_bounce_loads_nothing_in_the_callback<H: Built>(test: &str) {
    if !alone_often(test, 1) {
        return;
    }
    let (host, _) = bounce(H::built());
    let (host, outcomes) = live(host);
    drop(host);
    let longest = outcomes.iter().map(|outcome| outcome.cpu_seconds).fold(0.0, f64::max);
    println!("{}: at most {:.2} ms of computing in a call", H::FORMAT, longest * 1e3);
    assert!(longest < LOADING_S, "{:.1} ms of computing in one call", longest * 1e3);
}
