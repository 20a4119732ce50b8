//! The plugin in a CLAP host inside this process, through its real entry point.

use clack_extensions::audio_ports_config::{AudioPortsConfigBuffer, PluginAudioPortsConfig};
use clack_extensions::latency::PluginLatency;
use clack_extensions::params::{ParamInfoBuffer, PluginParams};
use clack_extensions::state::PluginState;
use clack_host::events::event_types::ParamValueEvent;
use clack_host::prelude::*;
use clack_host::utils::ClapId;
use std::collections::BTreeMap;

struct Host;
struct HostShared;

impl<'a> SharedHandler<'a> for HostShared {
    fn request_restart(&self) {}
    fn request_process(&self) {}
    fn request_callback(&self) {}
}

impl HostHandlers for Host {
    type Shared<'a> = HostShared;
    type MainThread<'a> = ();
    type AudioProcessor<'a> = ();
}

const HOST_RATE: f64 = 48_000.0;
const MAX_BLOCK: usize = 256;

fn instance() -> PluginInstance<Host> {
    // SAFETY: the entry is this crate's own, and static.
    let entry = unsafe { PluginEntry::load_from_raw(&embouchure_plugin::clap_entry, c"/nowhere/embouchure.clap") };
    let info = HostInfo::new("test", "test", "https://example.org", "0").unwrap();
    let id = c"org.embouchure.embouchure";
    PluginInstance::new(|_| HostShared, |_| (), &entry.unwrap(), id, &info).unwrap()
}

/// Chooses the layout with these channels.
fn select_layout(instance: &mut PluginInstance<Host>, n_inputs: u32, n_outputs: u32) {
    let handle = instance.plugin_handle();
    let configs = handle.get_extension::<PluginAudioPortsConfig>().unwrap();
    let mut buffer = AudioPortsConfigBuffer::new();
    for idx in 0..configs.count(&handle) {
        let config = configs.get(&handle, idx, &mut buffer).unwrap();
        let channels =
            |port: Option<_>| port.map_or(0, |p: clack_extensions::audio_ports_config::MainPortInfo| p.channel_count);
        if (channels(config.main_input), channels(config.main_output)) == (n_inputs, n_outputs) {
            let id = config.id;
            configs.select(&handle, id).unwrap();
            return;
        }
    }
    panic!("no layout from {n_inputs} to {n_outputs} channels");
}

/// Name to ID.
fn param_ids(instance: &mut PluginInstance<Host>) -> BTreeMap<String, ClapId> {
    let handle = instance.plugin_handle();
    let params = handle.get_extension::<PluginParams>().unwrap();
    let mut buffer = ParamInfoBuffer::new();
    (0..params.count(&handle))
        .map(|idx| {
            let info = params.get_info(&handle, idx, &mut buffer).unwrap();
            (String::from_utf8_lossy(info.name).into_owned(), info.id)
        })
        .collect()
}

/// What comes out for `input` in blocks of these sizes, over and over, and the latency; `settings` are made at the
/// first sample.
fn render(
    instance: &mut PluginInstance<Host>,
    input: &[Vec<f32>],
    n_outputs: usize,
    blocks: &[usize],
    settings: &[(&str, f64)],
) -> (Vec<Vec<f32>>, usize) {
    let ids = param_ids(instance);
    let mut events = EventBuffer::new();
    for (name, value) in settings {
        events.push(&ParamValueEvent::new(0, ids[*name], Pckn::match_all(), *value));
    }
    let config =
        PluginAudioConfiguration { sample_rate: HOST_RATE, min_frames_count: 1, max_frames_count: MAX_BLOCK as u32 };
    let stopped = instance.activate(|_, _| (), config).unwrap();
    let handle = instance.plugin_handle();
    let latency = handle.get_extension::<PluginLatency>().unwrap().get(&handle) as usize;
    let mut processor = stopped.start_processing().unwrap();
    let mut output = vec![Vec::new(); n_outputs];
    let mut start = 0;
    for n in blocks.iter().cycle() {
        let end = input[0].len().min(start + n);
        let mut ins: Vec<Vec<f32>> = input.iter().map(|c| c[start..end].to_vec()).collect();
        let mut outs = vec![vec![f32::NAN; end - start]; n_outputs];
        let (mut in_ports, mut out_ports) =
            (AudioPorts::with_capacity(input.len(), 1), AudioPorts::with_capacity(n_outputs, 1));
        let in_buffers = in_ports.with_input_buffers([AudioPortBuffer {
            latency: 0,
            channels: AudioPortBufferType::f32_input_only(
                ins.iter_mut().map(|c| InputChannel::variable(c.as_mut_slice())),
            ),
        }]);
        let mut out_buffers = out_ports.with_output_buffers([AudioPortBuffer {
            latency: 0,
            channels: AudioPortBufferType::f32_output_only(outs.iter_mut().map(|c| c.as_mut_slice())),
        }]);
        let mut from_plugin = EventBuffer::new();
        let mut to_host = OutputEvents::from_buffer(&mut from_plugin);
        let to_plugin = InputEvents::from_buffer(&events);
        processor.process(&in_buffers, &mut out_buffers, &to_plugin, &mut to_host, None, None).unwrap();
        events.clear();
        output.iter_mut().zip(&outs).for_each(|(all, block)| all.extend_from_slice(block));
        start = end;
        if start == input[0].len() {
            break;
        }
    }
    instance.deactivate(processor.stop_processing());
    (output, latency)
}

/// Different in each channel, without period, and never 0.
fn signal(n_channels: usize, n_samples: usize) -> Vec<Vec<f32>> {
    let sample = |c: usize, i: usize| 0.25 + 0.2 * ((i * i % 1009) as f32 * 0.01 + c as f32).sin();
    (0..n_channels).map(|c| (0..n_samples).map(|i| sample(c, i)).collect()).collect()
}

/// From `from` on, the output is the input, delayed by the latency, to the last bit.
fn assert_delayed(input: &[Vec<f32>], (output, latency): &(Vec<Vec<f32>>, usize), from: usize) {
    assert!(*latency > 0);
    for (c, output) in output.iter().enumerate() {
        let input = &input[c.min(input.len() - 1)];
        for i in from.max(*latency)..output.len() {
            assert_eq!(output[i], input[i - latency], "channel {c}, sample {i}, latency {latency}");
        }
    }
}

/// Well past all smoothing.
const SETTLED: usize = 4_000;

#[test]
fn dry_is_the_delayed_input_in_every_layout() {
    for (n_inputs, n_outputs) in [(2, 2), (1, 2), (1, 1)] {
        let mut instance = instance();
        select_layout(&mut instance, n_inputs, n_outputs);
        let input = signal(n_inputs as usize, 12_000);
        let rendered = render(&mut instance, &input, n_outputs as usize, &[256, 1, 97, 64], &[("Dry/Wet", 0.0)]);
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
    let expected = [
        "Auto Gate",
        "Brightness",
        "Bypass",
        "Dry/Wet",
        "Gate",
        "Glide",
        "Key",
        "Level Fit",
        "Octave Fit",
        "Output",
        "Room",
        "Scale",
        "Snap",
        "Transpose",
    ];
    assert_eq!(names, expected);
    let handle = instance.plugin_handle();
    let params = handle.get_extension::<PluginParams>().unwrap();
    let text = |name: &str, value: f64| {
        let mut buffer = [0u8; 64];
        let bytes = params.value_to_text(&handle, ids[name], value, &mut buffer).unwrap();
        String::from_utf8_lossy(bytes).trim_end_matches('\0').to_string()
    };
    assert_eq!(text("Dry/Wet", 0.25), "25 %");
    assert_eq!(text("Gate", 0.0), "Off");
    assert_eq!(text("Bypass", 1.0), "On");
    for name in names {
        for value in [0.0, 0.3, 1.0] {
            let shown = text(name, value);
            let c_text = std::ffi::CString::new(shown.clone()).unwrap();
            let read = params.text_to_value(&handle, ids[name], &c_text).unwrap();
            assert_eq!(text(name, read), shown, "{name}");
        }
    }
}

fn save(instance: &mut PluginInstance<Host>) -> String {
    let handle = instance.plugin_handle();
    let mut bytes = Vec::new();
    handle.get_extension::<PluginState>().unwrap().save(&handle, &mut bytes).unwrap();
    String::from_utf8(bytes[8..].to_vec()).unwrap()
}

/// True if the plugin took it.
fn load(instance: &mut PluginInstance<Host>, json: &str) -> bool {
    let handle = instance.plugin_handle();
    let bytes = [&(json.len() as u64).to_le_bytes(), json.as_bytes()].concat();
    handle.get_extension::<PluginState>().unwrap().load(&handle, &mut &bytes[..]).is_ok()
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
