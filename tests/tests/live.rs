//! Live use of the built CLAP file: latency follows the real block size, live output equals offline output, and invalid
//! input does no lasting harm.

use embouchure_host::{Action, ClapHost, Hooks, Host, Layout, Session, with_session};
use embouchure_tests::{Paced, bundled_clap, noise, phrase, worst};
use serde_json::{Value, json};

const MONO: Layout = Layout { n_inputs: 1, n_outputs: 1 };
const RATE: f64 = 48_000.0;

fn host(mix: f64) -> ClapHost {
    let mut host = ClapHost::load(&bundled_clap()).unwrap();
    host.select_layout(MONO).unwrap();
    host.set_parameter("Dry/Wet", mix).unwrap();
    host
}

fn choose_buffer(host: &mut ClapHost, choice: Value) {
    let state = host.save().unwrap();
    host.restore(&with_session(&state, |session| session["buffer"] = choice).unwrap()).unwrap();
}

fn choose_direct(host: &mut ClapHost) {
    let state = host.save().unwrap();
    host.restore(&with_session(&state, |session| session["engine"] = json!("direct")).unwrap()).unwrap();
}

fn assert_delayed(output: &[f32], input: &[f32], latency: usize) {
    let expected: Vec<f32> = vec![0.0; latency].into_iter().chain(input.iter().copied()).collect();
    let (at, difference) = worst(output, &expected);
    assert!(difference <= 1e-6, "{difference} at {at}");
}

/// The lengths of the first blocks; later blocks have the usual length.
struct Lengths(Vec<usize>);

impl Hooks for Lengths {
    fn block(&mut self, usual: usize) -> usize {
        self.0.pop().unwrap_or(usual)
    }
}

#[test]
fn a_host_that_announces_more_than_it_sends_costs_no_latency() {
    let mut host = host(0.0);
    let session = Session { rate: RATE, block: 64, max_block: 4096 };
    let input = noise(1, 4 * 48_000);
    let mut play = |session, hooks: &mut dyn Hooks| {
        let played = host.play_with(&input, session, hooks).unwrap();
        assert_delayed(&played.channels[0], &input[0], played.latency_samples);
        let restarts = host.take_restarts();
        (played.latency_samples, restarts)
    };
    let (latency, restarts) = play(session, &mut Lengths(vec![]));
    assert!(latency > 4096 && restarts == 0, "{latency}, {restarts}: a latency is announced without a restart");
    let (latency, restarts) = play(session, &mut Lengths(vec![]));
    assert!(latency <= 480 && restarts == 0, "{latency}, {restarts}");
    assert_eq!(play(session, &mut Lengths(vec![])), (latency, 0));
    let (same, restarts) = play(session, &mut Lengths(vec![700]));
    assert!(same == latency && restarts == 1, "{restarts}: a longer block asks for more room");
    let (grown, _) = play(session, &mut Lengths(vec![]));
    assert!((1024..1424).contains(&grown), "{grown}");
    assert!(host.n_latency_changes() >= 1, "announced by the extension, too");
}

#[test]
fn a_reset_is_an_occasion_to_ask_for_less_latency() {
    let mut host = host(0.0);
    let session = Session { rate: RATE, block: 128, max_block: 2048 };
    host.activate_and_deactivate(session).unwrap();
    host.take_restarts();
    let mut hooks = Paced::new(RATE, 0.01);
    hooks.actions = vec![(160_000, Action::Reset)];
    host.play_with(&noise(1, 150_000), session, &mut hooks).unwrap();
    assert_eq!(host.take_restarts(), 0);
    host.activate_and_deactivate(session).unwrap();
    let mut host = self::host(0.0);
    host.activate_and_deactivate(session).unwrap();
    host.take_restarts();
    hooks.actions = vec![(160_000, Action::Reset)];
    host.play_with(&noise(1, 170_000), session, &mut hooks).unwrap();
    assert_eq!(host.take_restarts(), 1);
}

#[test]
fn a_chosen_buffer_sets_the_latency_and_longer_blocks_lose_nothing_offline() {
    let session = Session { rate: RATE, block: 1024, max_block: 4096 };
    let input = [phrase(RATE)];
    let bounce = |choice: Value| {
        let mut host = host(1.0);
        host.set_offline(true).unwrap();
        choose_buffer(&mut host, choice);
        host.play_with(&input, session, &mut Lengths(vec![4096, 64, 1, 300, 4096])).unwrap()
    };
    let reference = bounce(json!("host"));
    assert!((4096..4496).contains(&reference.latency_samples));
    assert!(reference.channels[0].iter().any(|s| s.abs() > 0.01), "silence proves nothing");
    for n in [32, 64, 512, 2048] {
        let played = bounce(json!({ "samples": n }));
        assert!((n..n + 400).contains(&played.latency_samples), "{n}: {}", played.latency_samples);
        // Measured where brightness is constant, so that only the latency differs.
        assert!(played.aligned() == reference.aligned(), "room for {n}: {:?}", {
            worst(&played.aligned()[0], &reference.aligned()[0])
        });
    }
}

/// Live, in blocks of any length, and offline: the worker's bits, a hop late.
#[test]
fn the_direct_engine_plays_the_workers_bits_with_one_latency() {
    let input = [phrase(RATE)];
    let session = |block| Session { rate: RATE, block, max_block: 4096 };
    let mut worker = host(1.0);
    worker.set_offline(true).unwrap();
    let reference = worker.play_with(&input, session(512), &mut Lengths(vec![])).unwrap();
    assert!(reference.channels[0].iter().any(|s| s.abs() > 0.01), "silence proves nothing");
    for (block, is_offline) in [(64, true), (4096, true), (32, false), (64, false), (511, false), (2048, false)] {
        let mut direct = host(1.0);
        choose_direct(&mut direct);
        direct.set_offline(is_offline).unwrap();
        // Not even as fast as it goes can make a frame late.
        let played = direct.play_with(&input, session(block), &mut Lengths(vec![1, 4096, 7])).unwrap();
        assert!(played.latency_samples <= 230, "{} with blocks of {block}", played.latency_samples);
        let n = reference.aligned()[0].len().min(played.aligned()[0].len());
        let (ours, theirs) = (&played.aligned()[0][..n], &reference.aligned()[0][..n]);
        assert!(ours == theirs, "blocks of {block}, offline {is_offline}: {:?}", worst(ours, theirs));
        assert_eq!(direct.take_restarts(), 0);
    }
}

#[test]
fn live_a_block_beyond_the_chosen_buffer_only_makes_frames_late() {
    let session = Session { rate: RATE, block: 1024, max_block: 4096 };
    let input = noise(1, 48_000);
    for mix in [0.0, 1.0] {
        let mut host = host(mix);
        choose_buffer(&mut host, json!({ "samples": 64 }));
        let played = host.play_with(&input, session, &mut Paced::new(RATE, 1.0)).unwrap();
        assert!(played.latency_samples <= 480);
        assert!(played.channels[0].iter().all(|s| s.is_finite()));
        if mix == 0.0 {
            assert_delayed(&played.channels[0], &input[0], played.latency_samples);
        }
        // One restart announces the latency. The player's choice causes no further requests.
        assert!(host.take_restarts() <= 1);
    }
}

#[test]
fn a_performance_sounds_like_its_bounce_bit_for_bit() {
    let session = Session { rate: RATE, block: 256, max_block: 256 };
    let input = [phrase(RATE)];
    let mut offline = host(1.0);
    offline.set_offline(true).unwrap();
    let bounce = offline.play(&input, session).unwrap();
    assert!(bounce.channels[0].iter().any(|s| s.abs() > 0.01), "silence proves nothing");
    let mut live = host(1.0);
    // A busy machine makes frames late. Then the test is repeated with a slower clock, which is as valid.
    for slowness in 1..12_u32 {
        let mut hooks = Paced::new(RATE, f64::from(slowness)).cut(slowness.into());
        let played = live.play_with(&input, session, &mut hooks).unwrap();
        assert_eq!(played.latency_samples, bounce.latency_samples);
        if played.channels == bounce.channels {
            println!("equal at {slowness} times the time");
            return;
        }
    }
    panic!("live and offline differ at a twelfth of realtime");
}

#[test]
fn nonsense_in_the_input_ends_with_its_block() {
    let session = Session { rate: RATE, block: 64, max_block: 64 };
    for mix in [0.0, 0.5, 1.0] {
        let play = |replacement: [f32; 4]| {
            let mut host = host(mix);
            host.set_offline(true).unwrap();
            let mut input = phrase(RATE);
            for block in [100, 300, 301] {
                for (i, x) in input[block * 64..(block + 1) * 64].iter_mut().enumerate() {
                    *x = replacement[i % 4];
                }
            }
            host.play(&[input], session).unwrap().channels
        };
        let clean = play([0.0; 4]);
        assert!(clean[0].iter().any(|s| s.abs() > 0.01), "silence proves nothing");
        let nonsense = play([f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -f32::NAN]);
        assert!(nonsense == clean, "counts as silence, and nothing of it stays");
        let huge = play([f32::MAX, -f32::MAX, 1e30, -1e30]);
        assert!(huge[0].iter().all(|s| s.is_finite()) || mix < 1.0, "the wet signal stays finite");
    }
}

#[test]
fn subnormal_input_is_silence() {
    let input = vec![f32::MIN_POSITIVE / 8.0; 20_000];
    let session = Session { rate: RATE, block: 256, max_block: 256 };
    let played = host(0.0).play(&[input], session).unwrap();
    assert!(played.channels[0].iter().all(|s| *s == 0.0), "the callback flushes subnormal numbers to zero");
}
