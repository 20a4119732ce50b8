//! Calls of `process` with something wrong that is no channel, and sessions that no sound card has.

use super::{LIVE, RATE};
use embouchure_host::{Audio, Block, Change, Channels, Flaw, Layout, Session, Vst3Host};
use embouchure_tests::{
    Built, Stage, alone, alone_often, hear_instrument_change, in_both_formats, noise, phrase, tone,
};

in_both_formats!(
    lists_that_are_not_there_do_no_harm,
    samples_of_64_bits_are_silence,
    input_and_output_may_be_one,
    a_block_longer_than_agreed_is_played,
    sessions_that_nobody_has_are_refused_or_played,
    the_mode_may_change_while_it_is_active,
    removed_while_it_is_active,
);

const N: usize = LIVE.block;
/// `kSample64` of VST3.
const DOUBLES: i32 = 1;

/// One block with room for samples twice as large; gives what lies in the output's room afterwards, and whether it is well.
fn flawed<H: Built>(stage: &mut Stage<H>, flaw: Flaw, changes: &[Change]) -> (bool, Vec<Vec<f32>>) {
    let (mut heard, mut played) = (noise(2, 2 * N), vec![vec![f32::NAN; 2 * N]; 2]);
    let mut block =
        Block { n_samples: N, input: Channels::all(&mut heard), output: Channels::all(&mut played), changes };
    (stage.audio.process_flawed(&mut block, Some(flaw)).is_ok, played)
}

fn is_well<H: Built>(stage: &mut Stage<H>) {
    let played = stage.play(&noise(1, 60 * N)[0], &[]);
    assert!(played.iter().all(|s| s.is_finite()) && played[40 * N..].iter().any(|s| s.abs() > 0.05));
}

fn lists_that_are_not_there_do_no_harm<H: Built>(test: &str) {
    if !alone(test) {
        return;
    }
    let mut host = H::built_offline();
    let (mix, room) = (host.id("Dry/Wet"), host.id("Room"));
    host.set_value(mix, 0.0).unwrap();
    let mut stage = Stage::new(host, LIVE);
    is_well(&mut stage);
    for (i, flaw) in [Flaw::NoLists, Flaw::MissingChanges, Flaw::NegativeLength].into_iter().enumerate() {
        let value = 0.25 * (i + 1) as f64;
        let (is_ok, played) = flawed(&mut stage, flaw, &[Change { at: 5, id: room, value }]);
        let is_written = |channel: &Vec<f32>| channel[..N].iter().all(|s| s.is_finite());
        let is_untouched = |channel: &Vec<f32>, from: usize| channel[from..].iter().all(|s| s.is_nan());
        let has_length = flaw != Flaw::NegativeLength || H::FORMAT == "CLAP";
        if has_length {
            assert!(is_ok && played.iter().all(is_written), "{flaw:?}");
        }
        assert!(played.iter().all(|channel| is_untouched(channel, if has_length { N } else { 0 })), "{flaw:?}");
        // Changes that are there act, and so do those of a block without samples.
        assert_eq!(stage.host.value(room) == value, flaw != Flaw::NoLists, "{flaw:?}");
        is_well(&mut stage);
    }
    drop(stage.leave());
}

fn samples_of_64_bits_are_silence<H: Built>(test: &str) {
    if !alone(test) {
        return;
    }
    let mut stage = Stage::new(H::built_offline(), LIVE);
    let (_, played) = flawed(&mut stage, Flaw::Doubles, &[]);
    // CLAP has the 32-bit samples in a list of their own, which is not there. In VST3 a double is written whole.
    let is_silent = |s: &f32| if H::FORMAT == "CLAP" { s.is_nan() } else { *s == 0.0 };
    assert!(played.iter().flatten().all(is_silent), "{:?}", &played[0][..4]);
    drop(stage.leave());
}

#[test]
fn vst3_refuses_samples_of_64_bits() {
    let mut host = Vst3Host::built();
    assert!(host.set_up_with(LIVE, DOUBLES).is_err());
    for unknown in [-1, 2, i32::MAX] {
        assert!(host.set_up_with(LIVE, unknown).is_err(), "{unknown}");
    }
    let mut stage = Stage::new(host, LIVE);
    assert!(stage.play(&noise(1, 10 * N)[0], &[]).iter().all(|s| s.is_finite()));
}

/// A bounce of half dry, half wet sound. `shared` are the places of the outputs in the input.
fn bounce<H: Built>(layout: Layout, shared: Option<&[usize]>) -> Vec<Vec<f32>> {
    let mut host = H::built_offline();
    host.select_layout(layout).unwrap();
    let mix = host.id("Dry/Wet");
    host.set_value(mix, 0.5).unwrap();
    let mut stage = Stage::new(host, LIVE);
    let mut output = vec![Vec::<f32>::new(); layout.n_outputs];
    for block in phrase(RATE)[..30_000].chunks(N) {
        let n_given = if shared.is_some() { layout.n_outputs } else { layout.n_inputs };
        let right: Vec<f32> = block.iter().map(|s| 0.5 * s).collect();
        let mut heard = [block.to_vec(), right][..n_given].to_vec();
        let mut played = vec![vec![f32::NAN; block.len()]; layout.n_outputs];
        stage.audio.process(&mut Block {
            n_samples: block.len(),
            input: Channels::all(&mut heard),
            output: shared.map_or_else(|| Channels::all(&mut played), Channels::OfInput),
            changes: &[],
        });
        let played = if shared.is_some() { heard } else { played };
        output.iter_mut().zip(&played).for_each(|(output, played)| output.extend(played));
    }
    drop(stage.leave());
    assert!(output.iter().flatten().all(|s| s.is_finite()));
    assert!(output.iter().all(|channel| channel.iter().any(|s| s.abs() > 0.01)), "silence proves nothing");
    output
}

fn input_and_output_may_be_one<H: Built>(test: &str) {
    if !alone(test) {
        return;
    }
    for (n_inputs, n_outputs) in [(1, 1), (1, 2), (2, 2)] {
        let layout = Layout { n_inputs, n_outputs };
        let in_place: Vec<usize> = (0..n_outputs).collect();
        assert!(bounce::<H>(layout, Some(&in_place)) == bounce::<H>(layout, None), "{layout:?}");
    }
    // No host has a reason for these; the samples must be numbers, whichever.
    let mut stage = Stage::new(H::built_offline(), LIVE);
    for places in [[1, 0], [0, 0], [1, 1]] {
        let mut heard = noise(2, N);
        stage.audio.process(&mut Block {
            n_samples: N,
            input: Channels::all(&mut heard),
            output: Channels::OfInput(&places),
            changes: &[],
        });
        assert!(heard.iter().flatten().all(|s| s.is_finite()), "{places:?}");
    }
    drop(stage.leave());
}

fn a_block_longer_than_agreed_is_played<H: Built>(test: &str) {
    if !alone(test) {
        return;
    }
    let play = |lengths: &[usize]| {
        let mut stage = Stage::new(H::built_offline(), LIVE);
        let input = phrase(RATE);
        let (mut output, mut rest) = (Vec::<f32>::new(), input.as_slice());
        for &n in lengths.iter().cycle() {
            let (block, after) = rest.split_at(n.min(rest.len()));
            let (outcome, played) = stage.block(block, &[]);
            assert!(outcome.is_ok, "a block of {n}");
            output.extend(&played[0]);
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        drop(stage.leave());
        output
    };
    let expected = play(&[N]);
    assert!(expected.iter().any(|s| s.abs() > 0.01), "silence proves nothing");
    for lengths in [&[N + 1][..], &[5000, 1, 129], &[usize::MAX]] {
        assert!(play(lengths) == expected, "blocks of {lengths:?} where {N} were agreed");
    }
    // A performance may be late, but never without numbers.
    let mut stage = Stage::new(H::built(), LIVE);
    for n in [N + 1, 10_000, 3] {
        assert!(stage.block(&phrase(RATE)[..n], &[]).1.iter().flatten().all(|s| s.is_finite()), "{n}");
    }
    drop(stage.leave());
}

fn sessions_that_nobody_has_are_refused_or_played<H: Built>(test: &str) {
    if !alone(test) {
        return;
    }
    let rates = [0.0, -48_000.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e-300, 1.0, 999.0, 800_000.0, 1e300];
    let blocks = [0, 1, 1 << 20, i32::MAX as usize, 1 << 31, u32::MAX as usize];
    let sessions = rates.map(|rate| Session { rate, block: N, max_block: N }).into_iter();
    let sessions = sessions.chain(blocks.map(|max_block| Session { rate: RATE, block: N, max_block }));
    let mut host = H::built();
    for session in sessions {
        if host.activate(session).is_ok() {
            let mut audio = host.audio();
            let _ = (host.latency(), audio.start());
            for n in [N, 0, 1000] {
                let (mut heard, mut played) = (noise(2, n), vec![vec![f32::NAN; n]; 2]);
                audio.process(&mut Block {
                    n_samples: n,
                    input: Channels::all(&mut heard),
                    output: Channels::all(&mut played),
                    changes: &[],
                });
                assert!(played.iter().flatten().all(|s| s.is_finite()), "{n} samples of {session:?}");
            }
            audio.stop();
            host.deactivate();
        }
        let mut stage = Stage::new(host, LIVE);
        let played = stage.play(&tone(RATE, 12_000), &[]);
        assert!(played.iter().all(|s| s.is_finite()) && played.iter().any(|s| s.abs() > 0.01), "after {session:?}");
        host = stage.leave();
    }
}

fn the_mode_may_change_while_it_is_active<H: Built>(test: &str) {
    if !alone(test) {
        return;
    }
    let input = &phrase(RATE)[..20_000];
    let bounce = |mut host: H| {
        host.set_offline(true).unwrap();
        let mut stage = Stage::new(host, LIVE);
        let played = stage.play(input, &[]);
        (stage.leave(), played)
    };
    let (host, expected) = bounce(H::built());
    let mut stage = Stage::new(host, LIVE);
    let instrument = stage.host.id("Instrument A");
    let [first, second] = [stage.host.value(instrument), 7.0];
    for is_offline in [false, true, false, true, true, false] {
        // In VST3 each block carries the mode, too.
        stage.host.set_offline(is_offline).unwrap();
        stage.audio = stage.host.audio();
        for value in [second, first] {
            let played = stage.play(input, &[Change { at: 3, id: instrument, value }]);
            assert!(played.iter().all(|s| s.is_finite()), "offline: {is_offline}");
        }
    }
    assert!(bounce(stage.leave()).1 == expected, "it bounces as before");
}

fn removed_while_it_is_active<H: Built>(test: &str) {
    if !alone_often(test, 2) {
        return;
    }
    let mut survivor = Stage::new(H::built(), LIVE);
    for is_started in [true, false] {
        let mut stage = Stage::new(H::built(), LIVE);
        let id = stage.host.id("Instrument A");
        for value in [3.0, 6.0, 3.0] {
            stage.play(&tone(RATE, N), &[Change { at: 0, id, value }]);
        }
        if !is_started {
            stage.audio.stop();
        }
        stage.abandon();
    }
    hear_instrument_change(&mut survivor, RATE);
    survivor.abandon();
}
