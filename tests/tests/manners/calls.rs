//! Calls of `process` with faults other than those of the channels, and sessions that no sound card has.

use super::{LIVE, RATE};
use embouchure_host::{Audio, Block, Change, Channels, Flaw, Layout, Session, Vst3Host};
use embouchure_tests::{
    ActivePlugin, Built, hear_instrument_change, in_both_formats, isolated, isolated_runs, noise, phrase, tone,
};

in_both_formats!(
    missing_lists_do_no_harm,
    samples_of_64_bits_are_silence,
    input_and_output_may_be_one,
    a_block_longer_than_agreed_is_played,
    unusual_sessions_are_refused_or_played,
    the_mode_may_change_while_it_is_active,
    removed_while_it_is_active,
);

const N: usize = LIVE.block;
/// VST3's `kSample64`.
const DOUBLES: i32 = 1;

/// Plays one faulty block with buffers twice as long as the block. Returns whether the plugin reported success, and the
/// output buffers.
fn flawed<H: Built>(plugin: &mut ActivePlugin<H>, flaw: Flaw, changes: &[Change]) -> (bool, Vec<Vec<f32>>) {
    let (mut heard, mut played) = (noise(2, 2 * N), vec![vec![f32::NAN; 2 * N]; 2]);
    let mut block =
        Block { n_samples: N, input: Channels::all(&mut heard), output: Channels::all(&mut played), changes };
    (plugin.audio.process_flawed(&mut block, Some(flaw)).is_ok, played)
}

fn assert_plays<H: Built>(plugin: &mut ActivePlugin<H>) {
    let played = plugin.play(&noise(1, 60 * N)[0], &[]);
    assert!(played.iter().all(|s| s.is_finite()) && played[40 * N..].iter().any(|s| s.abs() > 0.05));
}

fn missing_lists_do_no_harm<H: Built>(test: &str) {
    if !isolated(test) {
        return;
    }
    let mut host = H::built_offline();
    let (mix, room) = (host.id("Dry/Wet"), host.id("Room"));
    host.set_value(mix, 0.0).unwrap();
    let mut plugin = ActivePlugin::new(host, LIVE);
    assert_plays(&mut plugin);
    for (i, flaw) in [Flaw::NoLists, Flaw::MissingChanges, Flaw::NegativeLength].into_iter().enumerate() {
        let value = 0.25 * (i + 1) as f64;
        let (is_ok, played) = flawed(&mut plugin, flaw, &[Change { at: 5, id: room, value }]);
        let is_written = |channel: &Vec<f32>| channel[..N].iter().all(|s| s.is_finite());
        let is_untouched = |channel: &Vec<f32>, from: usize| channel[from..].iter().all(|s| s.is_nan());
        let has_length = flaw != Flaw::NegativeLength || H::FORMAT == "CLAP";
        if has_length {
            assert!(is_ok && played.iter().all(is_written), "{flaw:?}");
        }
        assert!(played.iter().all(|channel| is_untouched(channel, if has_length { N } else { 0 })), "{flaw:?}");
        // Changes act where the lists exist, also in a block without samples.
        assert_eq!(plugin.host.value(room) == value, flaw != Flaw::NoLists, "{flaw:?}");
        assert_plays(&mut plugin);
    }
    drop(plugin.stop());
}

fn samples_of_64_bits_are_silence<H: Built>(test: &str) {
    if !isolated(test) {
        return;
    }
    let mut plugin = ActivePlugin::new(H::built_offline(), LIVE);
    let (_, played) = flawed(&mut plugin, Flaw::Doubles, &[]);
    // CLAP keeps 32-bit samples in a separate list, which is missing here. VST3 clears the 64-bit samples.
    let is_silent = |s: &f32| if H::FORMAT == "CLAP" { s.is_nan() } else { *s == 0.0 };
    assert!(played.iter().flatten().all(is_silent), "{:?}", &played[0][..4]);
    drop(plugin.stop());
}

#[test]
fn vst3_refuses_samples_of_64_bits() {
    let mut host = Vst3Host::built();
    assert!(host.set_up_with(LIVE, DOUBLES).is_err());
    for unknown in [-1, 2, i32::MAX] {
        assert!(host.set_up_with(LIVE, unknown).is_err(), "{unknown}");
    }
    let mut plugin = ActivePlugin::new(host, LIVE);
    assert!(plugin.play(&noise(1, 10 * N)[0], &[]).iter().all(|s| s.is_finite()));
}

/// A bounce, half dry and half wet. `shared`: for each output, the index of the input whose memory it shares.
fn bounce<H: Built>(layout: Layout, shared: Option<&[usize]>) -> Vec<Vec<f32>> {
    let mut host = H::built_offline();
    host.select_layout(layout).unwrap();
    let mix = host.id("Dry/Wet");
    host.set_value(mix, 0.5).unwrap();
    let mut plugin = ActivePlugin::new(host, LIVE);
    let mut output = vec![Vec::<f32>::new(); layout.n_outputs];
    for block in phrase(RATE)[..30_000].chunks(N) {
        let n_given = if shared.is_some() { layout.n_outputs } else { layout.n_inputs };
        let right: Vec<f32> = block.iter().map(|s| 0.5 * s).collect();
        let mut heard = [block.to_vec(), right][..n_given].to_vec();
        let mut played = vec![vec![f32::NAN; block.len()]; layout.n_outputs];
        plugin.audio.process(&mut Block {
            n_samples: block.len(),
            input: Channels::all(&mut heard),
            output: shared.map_or_else(|| Channels::all(&mut played), Channels::OfInput),
            changes: &[],
        });
        let played = if shared.is_some() { heard } else { played };
        output.iter_mut().zip(&played).for_each(|(output, played)| output.extend(played));
    }
    drop(plugin.stop());
    assert!(output.iter().flatten().all(|s| s.is_finite()));
    assert!(output.iter().all(|channel| channel.iter().any(|s| s.abs() > 0.01)), "silence proves nothing");
    output
}

fn input_and_output_may_be_one<H: Built>(test: &str) {
    if !isolated(test) {
        return;
    }
    for (n_inputs, n_outputs) in [(1, 1), (1, 2), (2, 2)] {
        let layout = Layout { n_inputs, n_outputs };
        let in_place: Vec<usize> = (0..n_outputs).collect();
        assert!(bounce::<H>(layout, Some(&in_place)) == bounce::<H>(layout, None), "{layout:?}");
    }
    // No host has a reason for these layouts; the output must only be finite.
    let mut plugin = ActivePlugin::new(H::built_offline(), LIVE);
    for places in [[1, 0], [0, 0], [1, 1]] {
        let mut heard = noise(2, N);
        plugin.audio.process(&mut Block {
            n_samples: N,
            input: Channels::all(&mut heard),
            output: Channels::OfInput(&places),
            changes: &[],
        });
        assert!(heard.iter().flatten().all(|s| s.is_finite()), "{places:?}");
    }
    drop(plugin.stop());
}

fn a_block_longer_than_agreed_is_played<H: Built>(test: &str) {
    if !isolated(test) {
        return;
    }
    let play = |lengths: &[usize]| {
        let mut plugin = ActivePlugin::new(H::built_offline(), LIVE);
        let input = phrase(RATE);
        let (mut output, mut rest) = (Vec::<f32>::new(), input.as_slice());
        for &n in lengths.iter().cycle() {
            let (block, after) = rest.split_at(n.min(rest.len()));
            let (outcome, played) = plugin.block(block, &[]);
            assert!(outcome.is_ok, "a block of {n}");
            output.extend(&played[0]);
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        drop(plugin.stop());
        output
    };
    let expected = play(&[N]);
    assert!(expected.iter().any(|s| s.abs() > 0.01), "silence proves nothing");
    for lengths in [&[N + 1][..], &[5000, 1, 129], &[usize::MAX]] {
        assert!(play(lengths) == expected, "blocks of {lengths:?} where {N} were agreed");
    }
    // Live frames may be late, but every sample must be a finite number.
    let mut plugin = ActivePlugin::new(H::built(), LIVE);
    for n in [N + 1, 10_000, 3] {
        assert!(plugin.block(&phrase(RATE)[..n], &[]).1.iter().flatten().all(|s| s.is_finite()), "{n}");
    }
    drop(plugin.stop());
}

fn unusual_sessions_are_refused_or_played<H: Built>(test: &str) {
    if !isolated(test) {
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
        let mut plugin = ActivePlugin::new(host, LIVE);
        let played = plugin.play(&tone(RATE, 12_000), &[]);
        assert!(played.iter().all(|s| s.is_finite()) && played.iter().any(|s| s.abs() > 0.01), "after {session:?}");
        host = plugin.stop();
    }
}

fn the_mode_may_change_while_it_is_active<H: Built>(test: &str) {
    if !isolated(test) {
        return;
    }
    let input = &phrase(RATE)[..20_000];
    let bounce = |mut host: H| {
        host.set_offline(true).unwrap();
        let mut plugin = ActivePlugin::new(host, LIVE);
        let played = plugin.play(input, &[]);
        (plugin.stop(), played)
    };
    let (host, expected) = bounce(H::built());
    let mut plugin = ActivePlugin::new(host, LIVE);
    let instrument = plugin.host.id("Instrument A");
    let [first, second] = [plugin.host.value(instrument), 7.0];
    for is_offline in [false, true, false, true, true, false] {
        // In VST3 each block carries the mode as well.
        plugin.host.set_offline(is_offline).unwrap();
        plugin.audio = plugin.host.audio();
        for value in [second, first] {
            let played = plugin.play(input, &[Change { at: 3, id: instrument, value }]);
            assert!(played.iter().all(|s| s.is_finite()), "offline: {is_offline}");
        }
    }
    assert!(bounce(plugin.stop()).1 == expected, "it bounces as before");
}

fn removed_while_it_is_active<H: Built>(test: &str) {
    if !isolated_runs(test, 2) {
        return;
    }
    let mut survivor = ActivePlugin::new(H::built(), LIVE);
    for is_started in [true, false] {
        let mut plugin = ActivePlugin::new(H::built(), LIVE);
        let id = plugin.host.id("Instrument A");
        for value in [3.0, 6.0, 3.0] {
            plugin.play(&tone(RATE, N), &[Change { at: 0, id, value }]);
        }
        if !is_started {
            plugin.audio.stop();
        }
        plugin.drop_active();
    }
    hear_instrument_change(&mut survivor, RATE);
    survivor.drop_active();
}
