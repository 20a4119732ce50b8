//! States: damaged ones must leave the present state unchanged, those of earlier versions must load.

use super::{LIVE, RATE};
use embouchure_host::{ClapHost, Host, Session, Vst3Host, with_session_in_json};
use embouchure_tests::{
    ActivePlugin, Built, Paced, hear_instrument_change, in_both_formats, isolated, isolated_runs, phrase,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use std::path::Path;

in_both_formats!(
    a_damaged_state_leaves_the_present_state_unchanged,
    a_state_with_too_large_a_length_takes_no_memory_and_loses_nothing,
    damaged_states_do_no_harm_to_a_plugin_that_plays,
    states_loaded_while_another_thread_processes_take_effect,
    projects_of_earlier_versions_load_with_parameters_and_instruments,
);

const SESSION: Session = Session { rate: RATE, block: 512, max_block: 512 };

/// A host whose state is not the default.
pub fn host_with_a_sound<H: Built>() -> H {
    let mut host = H::built_offline();
    let (transpose, instrument) = (host.id("Transpose"), host.id("Instrument A"));
    host.set_value(transpose, 31.0).unwrap();
    host.set_value(instrument, 6.0).unwrap();
    host
}

/// Plays a clip offline. Returns the host and the output.
pub fn bounce<H: Built>(host: H) -> (H, Vec<f32>) {
    let mut plugin = ActivePlugin::new(host, SESSION);
    let heard = plugin.play(&phrase(RATE)[..40_000], &[]);
    assert!(heard.iter().all(|s| s.is_finite()) && heard.iter().any(|s| s.abs() > 0.01));
    (plugin.stop(), heard)
}

/// Strict prefixes of a state, and noise: none of them is a valid state.
fn invalid_states(good: &[u8]) -> Vec<Vec<u8>> {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut all: Vec<Vec<u8>> = (0..good.len()).map(|n| good[..n].to_vec()).collect();
    all.extend((0..400).map(|n| (0..n).map(|_| random.random()).collect()));
    all.extend([vec![0; 8], vec![0xff; 64], vec![b'{'; 100_000], vec![b'['; 100_000]]);
    all
}

fn a_damaged_state_leaves_the_present_state_unchanged<H: Built>(test: &str) {
    if !isolated(test) {
        return;
    }
    let (mut host, expected) = bounce(host_with_a_sound::<H>());
    let saved = host.save().unwrap();
    let mut invalid_states = invalid_states(&saved);
    // Valid JSON of the wrong kind, wrapped as the format requires.
    let wrong = ["", "{}", "null", "[]", "{\"fields\":null}", "{\"version\":\"0.1.0\",\"params\":[],\"fields\":{}}"];
    invalid_states.extend(wrong.iter().map(|json| H::state_of_json(json.as_bytes())));
    for bytes in &invalid_states {
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned();
        assert!(host.restore(bytes).is_err(), "{} bytes are taken for a state: {shown}", bytes.len());
        assert!(host.save().unwrap() == saved, "{} bytes change the state: {shown}", bytes.len());
    }
    assert!(bounce(host).1 == expected, "the sound has changed");
}

/// Either answer is correct, because the whole state is there.
fn a_state_with_too_large_a_length_takes_no_memory_and_loses_nothing<H: Built>(test: &str) {
    if !isolated(test) {
        return;
    }
    let (mut host, expected) = bounce(host_with_a_sound::<H>());
    let saved = host.save().unwrap();
    let json = H::json_of_state(&saved);
    for length in [u64::MAX, u64::MAX / 2, 1 << 63, 1 << 40, 1 << 34, 1 << 31, json.len() as u64 + 1] {
        // VST3 states have no length, so these are eight invalid bytes in front.
        for rest in [json, &json[..json.len() / 2], &[]] {
            let is_taken = host.restore(&[&length.to_le_bytes(), rest].concat()).is_ok();
            assert!(!is_taken || rest.len() == json.len(), "{length}, {} bytes", rest.len());
            assert!(host.save().unwrap() == saved, "{length}, {} bytes", rest.len());
        }
    }
    assert!(bounce(host).1 == expected, "the sound has changed");
}

fn damaged_states_do_no_harm_to_a_plugin_that_plays<H: Built>(test: &str) {
    if !isolated(test) {
        return;
    }
    let (mut host, expected) = bounce(host_with_a_sound::<H>());
    let invalid_states = invalid_states(&host.save().unwrap());
    let mut invalid_states = invalid_states.iter().step_by(5);
    let mut plugin = ActivePlugin::new(host, SESSION);
    let mut heard = Vec::new();
    for block in phrase(RATE)[..40_000].chunks(SESSION.block) {
        for bytes in invalid_states.by_ref().take(10) {
            assert!(plugin.host.restore(bytes).is_err());
        }
        heard.extend(plugin.play(block, &[]));
    }
    assert!(heard == expected);
    drop(plugin.stop());
}

fn states_loaded_while_another_thread_processes_take_effect<H: Built>(test: &str) {
    if !isolated_runs(test, 1) {
        return;
    }
    let mut other = H::built();
    let (instrument, transpose) = (other.id("Instrument A"), other.id("Transpose"));
    let states = [3.0, 8.0, 12.0].map(|place| {
        other.set_value(instrument, place).unwrap();
        other.set_value(transpose, 30.0 + place / 2.0).unwrap();
        other.save().unwrap()
    });
    drop(other);
    let mut host = H::built();
    let initial = host.save().unwrap();
    let mut states_to_come = (0..300).map(|i| &states[i % 3]);
    let input = vec![phrase(RATE); 2];
    let played = host.play_while(&input, LIVE, &mut Paced::new(RATE, 1.0), &mut |host| {
        let Some(state) = states_to_come.next() else { return Ok(()) };
        // Half a state must be refused.
        assert!(host.restore(&state[..state.len() / 2]).is_err());
        host.restore(state)
    });
    assert!(played.unwrap().channels.iter().flatten().all(|s| s.is_finite()));
    assert_eq!(host.value(transpose), 36.0, "the last one counts");
    host.restore(&initial).unwrap();
    let mut plugin = ActivePlugin::new(host, LIVE);
    hear_instrument_change(&mut plugin, RATE);
    drop(plugin.stop());
}

/// States of earlier versions, with their names.
fn earlier() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugin/tests/states");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let states: Vec<_> = files
        .map(|path| (path.display().to_string(), serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap()))
        .collect();
    assert!(!states.is_empty());
    states
}

fn session(state: &Value) -> Value {
    serde_json::from_str(state["fields"]["session"].as_str().unwrap()).unwrap()
}

fn projects_of_earlier_versions_load_with_parameters_and_instruments<H: Built>(test: &str) {
    if !isolated(test) {
        return;
    }
    for (name, state) in earlier() {
        let mut host = H::built_offline();
        host.restore(&H::state_of_json(state.to_string().as_bytes())).unwrap();
        let saved: Value = serde_json::from_slice(H::json_of_state(&host.save().unwrap())).unwrap();
        for (id, value) in state["params"].as_object().unwrap() {
            assert_eq!(&saved["params"][id], value, "{id} of {name}");
        }
        let instrument = &session(&state)["instrument"];
        assert!(instrument.is_object(), "{name} names no instrument");
        assert_eq!(&session(&saved)["instrument"], instrument, "{name}");
        let (host, heard) = bounce(host);
        drop(host);
        // The session decides which instrument plays.
        let other = if instrument["name"] == "trumpet" { "oboe" } else { "trumpet" };
        let other = with_session_in_json(state.to_string().as_bytes(), |session| {
            session["instrument"] = json!({ "kind": "builtin", "name": other });
        });
        let mut host = H::built_offline();
        host.restore(&H::state_of_json(&other.unwrap())).unwrap();
        assert!(bounce(host).1 != heard, "{name} plays the default");
    }
}

#[test]
fn a_project_of_an_earlier_version_sounds_alike_in_both_formats() {
    fn heard<H: Built>(state: &Value) -> Vec<f32> {
        let mut host = H::built_offline();
        host.restore(&H::state_of_json(state.to_string().as_bytes())).unwrap();
        bounce(host).1
    }
    for (name, state) in earlier() {
        assert!(heard::<ClapHost>(&state) == heard::<Vst3Host>(&state), "{name}");
    }
}

#[test]
fn the_state_is_the_same_in_both_formats() {
    let (mut clap, mut vst3) = (host_with_a_sound::<ClapHost>(), host_with_a_sound::<Vst3Host>());
    let (clap_state, vst3_state) = (clap.save().unwrap(), vst3.save().unwrap());
    let json = |json: &[u8]| -> Value { serde_json::from_slice(json).unwrap() };
    assert_eq!(json(ClapHost::json_of_state(&clap_state)), json(&vst3_state));
}
