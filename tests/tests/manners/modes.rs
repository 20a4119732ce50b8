//! Alternating offline and live playback of one instance.

use super::RATE;
use embouchure_host::{Change, Outcome, Session, with_session_in_json};
use embouchure_tests::{ActivePlugin, Built, in_both_formats, isolated_runs, phrase};
use serde_json::json;
use std::time::{Duration, Instant};

in_both_formats!(
    every_bounce_is_the_same_whatever_was_played_before,
    a_performance_after_a_bounce_never_waits,
    a_performance_after_a_bounce_loads_nothing_in_the_callback,
);

/// One session for both modes, so that they have the same latency.
const SESSION: Session = Session { rate: RATE, block: 256, max_block: 256 };
/// Limit of the processor time of a call of `process`, s. Loading two instruments would take 5 ms; a block takes less
/// than 0.1 ms.
const LOADING_S: f64 = 0.0015;
/// Samples at which the instruments change.
const MOVES: [usize; 3] = [0, 20_480, 40_960];

/// Plays a phrase in which Instrument A changes to `places` and Instrument B to the next ones. Returns the output and
/// the result of each call.
fn play<H: Built>(host: H, session: Session, places: [f64; 3], pace: f64) -> (H, Vec<f32>, Vec<Outcome>) {
    let mut plugin = ActivePlugin::new(host, session);
    let ids = [plugin.host.id("Instrument A"), plugin.host.id("Instrument B")];
    let (mut heard, mut outcomes) = (Vec::new(), Vec::new());
    let start = Instant::now();
    for (i, block) in phrase(RATE).chunks(session.block).enumerate() {
        let now = i * session.block..i * session.block + block.len();
        let moves = MOVES.iter().zip(places).filter(|(at, _)| now.contains(at));
        let start_sample = now.start;
        let changes = moves.flat_map(|(&at, place)| {
            let change = move |(id, value)| Change { at: (at - start_sample) as i64, id, value };
            ids.into_iter().zip([place, place + 1.0]).map(change)
        });
        let changes: Vec<_> = changes.collect();
        let (outcome, channels) = plugin.block(block, &changes);
        heard.extend(&channels[0]);
        outcomes.push(outcome);
        let due = Duration::from_secs_f64(now.end as f64 / RATE * pace);
        std::thread::sleep(due.saturating_sub(start.elapsed()));
    }
    (plugin.stop(), heard, outcomes)
}

fn bounce<H: Built>(mut host: H) -> (H, Vec<f32>) {
    host.set_offline(true).unwrap();
    let (host, heard, _) = play(host, SESSION, [1.0, 4.0, 8.0], 0.0);
    assert!(heard.iter().all(|s| s.is_finite()) && heard.iter().any(|s| s.abs() > 0.01));
    (host, heard)
}

/// Plays live, with instruments that no bounce has loaded.
fn live<H: Built>(mut host: H, session: Session) -> (H, Vec<Outcome>) {
    host.set_offline(false).unwrap();
    let (host, _, outcomes) = play(host, session, [12.0, 10.0, 6.0], 1.0);
    (host, outcomes)
}

fn every_bounce_is_the_same_whatever_was_played_before<H: Built>(test: &str) {
    if !isolated_runs(test, 2) {
        return;
    }
    let (host, first) = bounce(H::built());
    let (host, second) = bounce(host);
    assert!(second == first, "the second bounce of an instance");
    let (host, _) = live(host, SESSION);
    let (host, third) = bounce(host);
    assert!(third == first, "a bounce after a performance");
    drop(host);
    let (host, _) = live(H::built(), SESSION);
    let (host, fourth) = bounce(host);
    assert!(fourth == first, "a bounce of another instance after a performance");
    drop(host);
}

/// The blocks are longer than the buffer that the player chose, so the frames of a block are never ready when it
/// arrives. An offline playback waits for them; a live one must not.
fn a_performance_after_a_bounce_never_waits<H: Built>(test: &str) {
    if !isolated_runs(test, 1) {
        return;
    }
    let long_blocks = Session { rate: RATE, block: 2048, max_block: 2048 };
    let mut host = H::built();
    let saved = host.save().unwrap();
    let json = with_session_in_json(H::json_of_state(&saved), |s| s["buffer"] = json!({ "samples": 64 })).unwrap();
    host.restore(&H::state_of_json(&json)).unwrap();
    host.set_offline(true).unwrap();
    let (mut host, bounced, _) = play(host, long_blocks, [1.0; 3], 0.0);
    host.set_offline(false).unwrap();
    let (host, performed, outcomes) = play(host, long_blocks, [1.0; 3], 1.0);
    drop(host);
    assert!(bounced.iter().any(|s| s.abs() > 0.01), "silence proves nothing");
    assert!(performed != bounced, "the performance has waited for all of its sound");
    let n_waits: usize = outcomes.iter().map(|outcome| outcome.n_waits).sum();
    println!("{}: {n_waits} waits in {} calls", H::FORMAT, outcomes.len());
    // A few waits are allowed: all threads share the process's memory, and one thread's page fault may block another.
    assert!(n_waits <= outcomes.len() / 4, "{n_waits} waits in {} calls", outcomes.len());
}

fn a_performance_after_a_bounce_loads_nothing_in_the_callback<H: Built>(test: &str) {
    if !isolated_runs(test, 1) {
        return;
    }
    let (host, _) = bounce(H::built());
    let (host, outcomes) = live(host, SESSION);
    drop(host);
    let longest = outcomes.iter().map(|outcome| outcome.cpu_seconds).fold(0.0, f64::max);
    println!("{}: at most {:.2} ms of computing in a call", H::FORMAT, longest * 1e3);
    assert!(longest < LOADING_S, "{:.1} ms of computing in one call", longest * 1e3);
}
