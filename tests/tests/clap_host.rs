//! The built CLAP file in a host: latency, block sizes, port configurations, state.

use embouchure_host::{ClapHost, Host, Layout, Played, Session, with_session};
use embouchure_tests::{bundled_clap, noise, phrase, worst};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const MIX: &str = "Dry/Wet";
const RATES: [f64; 2] = [44_100.0, 48_000.0];
const MONO: Layout = Layout { n_inputs: 1, n_outputs: 1 };
const MONO_TO_STEREO: Layout = Layout { n_inputs: 1, n_outputs: 2 };
const STEREO: Layout = Layout { n_inputs: 2, n_outputs: 2 };

fn host(layout: Layout, mix: f64) -> ClapHost {
    let mut host = ClapHost::load(&bundled_clap()).unwrap();
    host.select_layout(layout).unwrap();
    host.set_offline(true).unwrap();
    host.set_parameter(MIX, mix).unwrap();
    host
}

fn assert_sound(played: &Played) {
    assert!(played.channels.iter().flatten().all(|s| s.is_finite() && s.abs() < 8.0), "not a sane signal");
}

#[test]
fn dry_is_the_input_delayed_by_the_reported_latency() {
    for rate in RATES {
        for layout in [MONO, MONO_TO_STEREO, STEREO] {
            for block in [64, 511, 4096] {
                let input = noise(layout.n_inputs, 30_000);
                let played = host(layout, 0.0).play(&input, Session { rate, block, max_block: block }).unwrap();
                assert!(played.latency_samples > 0, "an analysis takes time");
                assert_eq!(played.channels.len(), layout.n_outputs);
                for (channel, output) in played.channels.iter().enumerate() {
                    let mut expected = vec![0.0; played.latency_samples];
                    expected.extend(&input[channel.min(layout.n_inputs - 1)]);
                    let (at, difference) = worst(output, &expected);
                    assert!(
                        difference <= 1e-6,
                        "channel {channel} of {layout:?} at {rate} Hz, blocks of {block}: {difference} at {at}"
                    );
                }
            }
        }
    }
}

#[test]
fn wet_does_not_depend_on_block_size() {
    for rate in RATES {
        let input = [phrase(rate)];
        let play = |block| {
            let mut host = host(MONO_TO_STEREO, 1.0);
            let played = host.play(&input, Session { rate, block, max_block: 4096 }).unwrap();
            assert_sound(&played);
            assert!(played.channels[0].iter().any(|s| s.abs() > 0.01), "silence proves nothing");
            played
        };
        let reference = play(4096);
        for block in [64, 511] {
            let played = play(block);
            assert_eq!(played.latency_samples, reference.latency_samples);
            for (a, b) in played.channels.iter().zip(&reference.channels) {
                let (at, difference) = worst(a, b);
                let same = a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits());
                assert!(same, "blocks of {block} at {rate} Hz differ by {difference} at {at}");
            }
        }
    }
}

#[test]
fn wet_is_aligned_whatever_the_largest_block() {
    for rate in RATES {
        let input = [phrase(rate)];
        let play = |max_block| {
            let played = host(MONO, 1.0).play(&input, Session { rate, block: max_block, max_block }).unwrap();
            assert_sound(&played);
            played.aligned().remove(0)
        };
        let reference = play(4096);
        for max_block in [64, 511] {
            // Equal up to rounding. A shift by one sample would differ by 0.02.
            let (at, difference) = worst(&play(max_block), &reference);
            assert!(difference <= 1e-5, "largest block {max_block} at {rate} Hz: {difference} at {at}");
        }
    }
}

#[test]
fn an_instance_can_be_started_again() {
    let mut host = host(MONO, 1.0);
    let session = Session { rate: 48_000.0, block: 256, max_block: 256 };
    let input = [phrase(48_000.0)];
    let first = host.play(&input, session).unwrap();
    host.play(&[phrase(44_100.0)], Session { rate: 44_100.0, ..session }).unwrap();
    let again = host.play(&input, session).unwrap();
    assert_eq!(worst(&first.channels[0], &again.channels[0]).1, 0.0, "the first playing left something behind");
}

#[test]
fn state_survives_a_round_trip() {
    let mut first = ClapHost::load(&bundled_clap()).unwrap();
    let parameters = first.parameters();
    assert!(!parameters.is_empty());
    for parameter in &parameters {
        // A value that is not the default and that a switch or an integer parameter can have.
        let value = if parameter.default == parameter.max { parameter.min } else { parameter.max };
        first.set_parameter(&parameter.name, value).unwrap();
    }
    let state = first.save().unwrap();
    let mut second = ClapHost::load(&bundled_clap()).unwrap();
    assert_ne!(second.save().unwrap(), state, "the values above are not the defaults");
    second.restore(&state).unwrap();
    assert_eq!(second.save().unwrap(), state);
    for parameter in &parameters {
        assert_eq!(second.parameter(&parameter.name).unwrap(), first.parameter(&parameter.name).unwrap());
    }
}

#[test]
fn damaged_states_are_refused_or_ignored() {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let mut host = host(MONO, 0.5);
    let good = host.save().unwrap();
    let mut damaged: Vec<Vec<u8>> = vec![vec![], vec![0; 8], vec![0xff; 64], good[..good.len() / 2].to_vec()];
    // Invalid JSON behind a correct length.
    damaged.push([&3_u64.to_le_bytes()[..], b"{}}"].concat());
    damaged.push([&15_u64.to_le_bytes()[..], b"{\"fields\":null}"].concat());
    for _ in 0..20 {
        let mut bytes = good.clone();
        for _ in 0..random.random_range(1..8) {
            let at = random.random_range(0..bytes.len());
            bytes[at] = random.random();
        }
        damaged.push(bytes);
        damaged.push((0..random.random_range(0..400)).map(|_| random.random()).collect());
    }
    for bytes in &damaged {
        // Either answer is correct; only a crash fails the test.
        let _ = host.restore(bytes);
    }
    let session = Session { rate: 48_000.0, block: 300, max_block: 300 };
    assert_sound(&host.play(&[phrase(48_000.0)], session).unwrap());
    host.restore(&good).unwrap();
    assert_eq!(host.save().unwrap(), good, "a good state heals");
}

#[test]
fn two_instances_do_not_disturb_each_other() {
    let session = Session { rate: 48_000.0, block: 128, max_block: 128 };
    let input = [phrase(48_000.0)];
    let alone = host(MONO, 1.0).play(&input, session).unwrap();
    // Each instance needs a thread of its own: it belongs to one main thread.
    std::thread::scope(|scope| {
        let others: Vec<_> = (0..2).map(|_| scope.spawn(|| host(MONO, 1.0).play(&input, session).unwrap())).collect();
        for other in others {
            assert_eq!(worst(&other.join().unwrap().channels[0], &alone.channels[0]).1, 0.0);
        }
    });
}

#[test]
fn a_bad_instrument_file_leaves_the_old_sound_and_a_good_one_replaces_it() {
    let session = Session { rate: 48_000.0, block: 512, max_block: 512 };
    let input = [phrase(session.rate)];
    let folder = std::env::temp_dir().join(format!("embouchure-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut host = host(MONO, 1.0);
    let saved = host.save().unwrap();
    let old = host.play(&input, session).unwrap().channels;
    assert!(worst(&old[0], &vec![0.0; old[0].len()]).1 > 0.01, "the default instrument sounds");

    let trumpet = embouchure_weights::instrument(embouchure_weights::DEFAULT_INSTRUMENT).unwrap();
    let truncated = &trumpet[..trumpet.len() / 2];
    let foreign = embouchure_weights::ENCODER;
    let mut not_a_number = trumpet.to_vec();
    let last = not_a_number.len() - 4;
    not_a_number[last..].copy_from_slice(&f32::NAN.to_le_bytes());
    let bad: [(&str, Option<&[u8]>); 4] =
        [("truncated", Some(truncated)), ("foreign", Some(foreign)), ("nan", Some(&not_a_number)), ("missing", None)];
    let mut choose = |name: &str, content: Option<&[u8]>| {
        let path = folder.join(name);
        if let Some(content) = content {
            std::fs::write(&path, content).unwrap();
        }
        let chosen = serde_json::json!({ "kind": "file", "name": name, "path": path });
        host.restore(&with_session(&saved, |session| session["instrument"] = chosen).unwrap()).unwrap();
        let played = host.play(&input, session).unwrap().channels;
        let reference = String::from_utf8_lossy(&host.save().unwrap()[8..]).contains(name);
        (played, reference)
    };
    for (name, content) in bad {
        let (played, keeps_reference) = choose(name, content);
        assert_eq!(played, old, "{name}: the old sound keeps playing");
        assert!(keeps_reference, "{name}: the project still names the file");
    }

    // The same trumpet with a changed output bias counts as another instrument.
    let mut other = trumpet.to_vec();
    for value in other[trumpet.len() - 2000..].as_chunks_mut::<4>().0 {
        *value = (f32::from_le_bytes(*value) * 0.5).to_le_bytes();
    }
    assert_ne!(choose("other", Some(&other)).0, old);
    std::fs::remove_dir_all(&folder).unwrap();
}
