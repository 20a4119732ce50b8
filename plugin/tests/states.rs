//! Saved states: of earlier versions, of later versions, and damaged ones.

mod common;

use common::{instance, load, load_bytes, render, save, set_offline};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// States of earlier versions, each with parts that the state must contain when it is saved again.
const EARLIER: [(&str, &[&str]); 1] = [(
    include_str!("states/0.1.0-before-second-instrument.json"),
    &[
        r#""mix":{"f32":0.75}"#,
        r#""snap":{"f32":0.25}"#,
        r#""transpose":{"i32":-36}"#,
        r#""room":{"f32":0.5}"#,
        r#""room_decay":{"f32":0.6}"#,
        r#"\"instrument\":{\"kind\":\"builtin\",\"name\":\"violin\"}"#,
        r#"\"second\":null"#,
    ],
)];

fn a_second_of_tone() -> Vec<f32> {
    (0..48_000).map(|i| 0.3 * (i as f32 * 0.05).sin()).collect()
}

#[test]
fn earlier_versions_states_load_and_play_their_instrument() {
    for (state, parts) in EARLIER {
        let mut instance = instance();
        set_offline(&mut instance);
        assert!(load(&mut instance, state));
        let (loaded, _) = render(&mut instance, &[a_second_of_tone(), a_second_of_tone()], 2, &[256], &[]);
        let saved = save(&mut instance);
        for part in parts {
            assert!(saved.contains(part), "{part} is missing in {saved}");
        }
        // The instrument that plays is the session's, not the parameter's default.
        let mut other = common::instance();
        set_offline(&mut other);
        assert!(load(&mut other, &state.replace("violin", "trumpet")));
        assert_ne!(render(&mut other, &[a_second_of_tone(), a_second_of_tone()], 2, &[256], &[]).0, loaded);
    }
}

#[test]
fn a_state_from_the_future_loads_what_is_known() {
    let mut instance = instance();
    let state = r#"{"version":"99.0.0","params":{"mix":{"f32":0.5},"telepathy":{"f32":1.0}},"fields":{"session":"{\"instrument\":{\"kind\":\"builtin\",\"name\":\"oboe\"},\"hologram\":{\"x\":1}}","mind":"{}"}}"#;
    assert!(load(&mut instance, state));
    let saved = save(&mut instance);
    assert!(saved.contains(r#""mix":{"f32":0.5}"#) && saved.contains("oboe"), "{saved}");
}

#[test]
fn ten_thousand_damaged_states_do_no_harm() {
    let mut instance = instance();
    let good = save(&mut instance);
    let whole = [&(good.len() as u64).to_le_bytes(), good.as_bytes()].concat();
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    for _ in 0..10_000 {
        load_bytes(&mut instance, &damaged(&whole, &mut rng));
    }
    // The state that results can be saved, loaded and played.
    let saved = save(&mut instance);
    assert!(load(&mut instance, &saved));
    set_offline(&mut instance);
    let (played, _) = render(&mut instance, &[a_second_of_tone(), a_second_of_tone()], 2, &[256], &[]);
    assert!(played.iter().flatten().all(|x| x.is_finite()));
    assert!(load(&mut instance, &good));
    assert_eq!(save(&mut instance), good, "the damaged states have left no trace");
}

fn damaged(whole: &[u8], rng: &mut ChaCha8Rng) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    for _ in 0..rng.random_range(1..6) {
        let n = bytes.len();
        if n == 0 {
            break;
        }
        let at = rng.random_range(0..n);
        match rng.random_range(0..6) {
            0 => bytes[at] ^= 1 << rng.random_range(0..8),
            1 => bytes.truncate(at),
            2 => bytes[at] = rng.random(),
            3 => bytes.extend_from_within(at..),
            4 => drop(bytes.drain(at..n.min(at + 20))),
            // A number, a bracket or a word in the wrong place.
            _ => bytes
                .splice(at..at, [&b"-1e999"[..], b"]", b"null", b"\"", b"1e38"][rng.random_range(0..5)].iter().copied())
                .for_each(drop),
        }
    }
    // The first 8 bytes are the length. Often it is made right, so that the damage lies in the text.
    if rng.random_bool(0.7) && bytes.len() >= 8 {
        let n = (bytes.len() - 8) as u64;
        bytes[..8].copy_from_slice(&n.to_le_bytes());
    }
    bytes
}
