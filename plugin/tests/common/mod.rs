//! A CLAP host in the test's process, on the plugin's real entry point.
#![allow(dead_code, reason = "each test file uses its part")]

use clack_extensions::audio_ports_config::{AudioPortsConfigBuffer, PluginAudioPortsConfig};
use clack_extensions::latency::PluginLatency;
use clack_extensions::params::{ParamInfo, ParamInfoBuffer, PluginParams};
use clack_extensions::render::{PluginRender, RenderMode};
use clack_extensions::state::PluginState;
use clack_host::events::event_types::ParamValueEvent;
use clack_host::prelude::*;
use clack_host::utils::ClapId;
use std::collections::BTreeMap;

pub struct Host;
pub struct HostShared;

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

pub const HOST_RATE: f64 = 48_000.0;
pub const MAX_BLOCK: usize = 256;

pub fn instance() -> PluginInstance<Host> {
    // SAFETY: the entry is this crate's own, and static.
    let entry = unsafe { PluginEntry::load_from_raw(&embouchure_plugin::clap_entry, c"/nowhere/embouchure.clap") };
    let info = HostInfo::new("test", "test", "https://example.org", "0").unwrap();
    let id = c"org.embouchure.embouchure";
    PluginInstance::new(|_| HostShared, |_| (), &entry.unwrap(), id, &info).unwrap()
}

/// Chooses the layout with these channels.
pub fn select_layout(instance: &mut PluginInstance<Host>, n_inputs: u32, n_outputs: u32) {
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
pub fn param_ids(instance: &mut PluginInstance<Host>) -> BTreeMap<String, ClapId> {
    each_param(instance, |info| info.id)
}

/// Name to highest value, as this interface carries it; the lowest is 0.
pub fn param_tops(instance: &mut PluginInstance<Host>) -> BTreeMap<String, f64> {
    each_param(instance, |info| info.max_value)
}

fn each_param<T>(instance: &mut PluginInstance<Host>, what: impl Fn(&ParamInfo) -> T) -> BTreeMap<String, T> {
    let handle = instance.plugin_handle();
    let params = handle.get_extension::<PluginParams>().unwrap();
    let mut buffer = ParamInfoBuffer::new();
    (0..params.count(&handle))
        .map(|idx| {
            let info = params.get_info(&handle, idx, &mut buffer).unwrap();
            (String::from_utf8_lossy(info.name).into_owned(), what(&info))
        })
        .collect()
}

/// What comes out for `input` in blocks of these sizes, over and over, and the latency; `settings` are made at the
/// first sample.
pub fn render(
    instance: &mut PluginInstance<Host>,
    input: &[Vec<f32>],
    n_outputs: usize,
    blocks: &[usize],
    settings: &[(&str, f64)],
) -> (Vec<Vec<f32>>, usize) {
    render_automated(instance, input, n_outputs, blocks, |start| if start == 0 { settings.to_vec() } else { vec![] })
}

/// The same with settings made before any block: those of `automation(start)` before the one that begins at `start`.
pub fn render_automated<'a>(
    instance: &mut PluginInstance<Host>,
    input: &[Vec<f32>],
    n_outputs: usize,
    blocks: &[usize],
    automation: impl Fn(usize) -> Vec<(&'a str, f64)>,
) -> (Vec<Vec<f32>>, usize) {
    let ids = param_ids(instance);
    let mut events = EventBuffer::new();
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
        for (name, value) in automation(start) {
            events.push(&ParamValueEvent::new(0, ids[name], Pckn::match_all(), value));
        }
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

/// Bounces from now on: the plugin waits for its worker and for files.
pub fn set_offline(instance: &mut PluginInstance<Host>) {
    let handle = instance.plugin_handle();
    handle.get_extension::<PluginRender>().unwrap().set(&handle, RenderMode::Offline).unwrap();
}

pub fn save(instance: &mut PluginInstance<Host>) -> String {
    let handle = instance.plugin_handle();
    let mut bytes = Vec::new();
    handle.get_extension::<PluginState>().unwrap().save(&handle, &mut bytes).unwrap();
    String::from_utf8(bytes[8..].to_vec()).unwrap()
}

/// True if the plugin took it.
pub fn load(instance: &mut PluginInstance<Host>, json: &str) -> bool {
    let handle = instance.plugin_handle();
    let bytes = [&(json.len() as u64).to_le_bytes(), json.as_bytes()].concat();
    handle.get_extension::<PluginState>().unwrap().load(&handle, &mut &bytes[..]).is_ok()
}

/// The same with anything at all, its length included.
pub fn load_bytes(instance: &mut PluginInstance<Host>, bytes: &[u8]) -> bool {
    let handle = instance.plugin_handle();
    handle.get_extension::<PluginState>().unwrap().load(&handle, &mut &bytes[..]).is_ok()
}
