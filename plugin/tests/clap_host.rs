//! The plugin in a CLAP host inside this process, through its real entry point.

mod common;

use common::{MAX_BLOCK, instance, load, param_ids, render, save};
use embouchure_host::{Host, Layout};
use embouchure_plugin::library::Library;
use embouchure_plugin::params::{EmbouchureParams, ROWS};

/// Different in each channel, without period, and never 0.
fn signal(n_channels: usize, n_samples: usize) -> Vec<Vec<f32>> {
    let sample = |c: usize, i: usize| 0.25 + 0.2 * ((i * i % 1009) as f32 * 0.01 + c as f32).sin();
    (0..n_channels).map(|c| (0..n_samples).map(|i| sample(c, i)).collect()).collect()
}

/// Asserts that the output from sample `from` on is exactly the input, delayed by the latency.
fn assert_delayed(input: &[Vec<f32>], (output, latency): &(Vec<Vec<f32>>, usize), from: usize) {
    assert!(*latency > 0);
    for (c, output) in output.iter().enumerate() {
        let input = &input[c.min(input.len() - 1)];
        for i in from.max(*latency)..output.len() {
            assert_eq!(output[i], input[i - latency], "channel {c}, sample {i}, latency {latency}");
        }
    }
}

/// Samples after which all smoothing has ended.
const SETTLED: usize = 4_000;

#[test]
fn dry_is_the_delayed_input_in_every_layout() {
    for (n_inputs, n_outputs) in [(2, 2), (1, 2), (1, 1)] {
        let mut instance = instance();
        instance.select_layout(Layout { n_inputs, n_outputs }).unwrap();
        let input = signal(n_inputs, 12_000);
        let rendered = render(&mut instance, &input, n_outputs, &[256, 1, 97, 64], &[("Dry/Wet", 0.0)]);
        assert_delayed(&input, &rendered, SETTLED);
    }
}

#[test]
fn bypass_is_the_delayed_input_whatever_the_gain() {
    let mut instance = instance();
    let input = signal(2, 12_000);
    let gain_db = -10.0;
    let plain_gain = (gain_db + 24.0) / 36.0;
    let rendered = render(&mut instance, &input, 2, &[256], &[("Bypass", 1.0), ("Output", plain_gain)]);
    assert_delayed(&input, &rendered, SETTLED);
    let (output, _) = render(&mut instance, &input, 2, &[256], &[("Bypass", 0.0), ("Dry/Wet", 0.0)]);
    let ratio = output[0][11_999] / rendered.0[0][11_999];
    assert!((20.0 * ratio.log10() - gain_db as f32).abs() < 1e-3, "{ratio}");
}

#[test]
fn blocks_larger_than_announced_pass() {
    let mut instance = instance();
    let input = signal(2, 12_000);
    let rendered = render(&mut instance, &input, 2, &[3 * MAX_BLOCK + 5], &[("Dry/Wet", 0.0)]);
    assert_delayed(&input, &rendered, SETTLED);
}

#[test]
fn parameter_text_goes_both_ways() {
    let mut instance = instance();
    let ids = param_ids(&mut instance);
    let names: Vec<&str> = ids.keys().map(String::as_str).collect();
    let params = EmbouchureParams::new(&Library::of_this_process());
    let mut expected: Vec<&str> = ROWS.iter().map(|row| (row.param)(&params).name()).collect();
    expected.sort();
    assert_eq!(names, expected);
    let mut text = |name: &str, value: f64| instance.text_of_value(ids[name], value).unwrap();
    assert_eq!(text("Dry/Wet", 0.25), "25 %");
    assert_eq!(text("Gate", 0.0), "Off");
    assert_eq!(text("Bypass", 1.0), "On");
    assert_eq!([text("Instrument A", 0.0), text("Instrument A", 4.0)], ["Own File", "Violin"]);
    assert_eq!([text("Breath", 0.0), text("Attack", 0.0)], ["Off", "Off"]);
    for id in names.into_iter().map(|name| ids[name]) {
        for value in [0.0, 0.3, 1.0] {
            let shown = instance.text_of_value(id, value).unwrap();
            let c_text = std::ffi::CString::new(shown.clone()).unwrap();
            let read = instance.value_of_text(id, &c_text).unwrap();
            assert_eq!(instance.text_of_value(id, read).unwrap(), shown, "parameter {id}");
        }
    }
}

#[test]
fn state_survives_a_round_trip() {
    let mut first = instance();
    render(&mut first, &signal(2, 512), 2, &[256], &[("Dry/Wet", 0.25), ("Transpose", 48.0)]);
    let state = save(&mut first);
    let mut second = instance();
    assert_ne!(save(&mut second), state);
    assert!(load(&mut second, &state));
    assert_eq!(save(&mut second), state);
}

const MISSING: &str = r#"{\"instrument\":{\"kind\":\"file\",\"name\":\"Oboe\",\"path\":\"/nowhere/oboe.safetensors\",\"id\":\"0123456789abcdef\"}}"#;

fn state_with_session(session: &str) -> String {
    format!(r#"{{"version":"0.1.0","params":{{}},"fields":{{"session":"{session}"}}}}"#)
}

#[test]
fn a_missing_file_stays_in_the_state_and_audio_goes_on() {
    let mut instance = instance();
    assert!(load(&mut instance, &state_with_session(MISSING)));
    let input = signal(2, 12_000);
    let rendered = render(&mut instance, &input, 2, &[256], &[("Dry/Wet", 0.0)]);
    assert_delayed(&input, &rendered, SETTLED);
    let saved = save(&mut instance);
    assert!(saved.contains("/nowhere/oboe.safetensors") && saved.contains("0123456789abcdef"), "{saved}");
}

#[test]
fn garbage_state_does_no_harm() {
    let mut instance = instance();
    let before = save(&mut instance);
    for garbage in ["", "{", "[]", "null", r#"{"version":1}"#] {
        load(&mut instance, garbage);
        assert_eq!(save(&mut instance), before, "{garbage}");
    }
    for session in ["", "null", "17", r#"{\"instrument\":[]}"#, r#"{\"window\":{\"width\":null}}"#] {
        load(&mut instance, &state_with_session(session));
        assert_eq!(save(&mut instance), before, "{session}");
    }
    let input = signal(2, 12_000);
    let rendered = render(&mut instance, &input, 2, &[256], &[("Dry/Wet", 0.0)]);
    assert_delayed(&input, &rendered, SETTLED);
}
