//! Runs the plugin in the test's process, through its real entry point and the host that also tests the built file.
#![allow(dead_code, reason = "each test file uses its part")]

use embouchure_host::{Audio, Block, Change, Channels, ClapHost, Host, Session};
use std::collections::BTreeMap;

pub const HOST_RATE: f64 = 48_000.0;
pub const MAX_BLOCK: usize = 256;

pub fn instance() -> ClapHost {
    // SAFETY: the entry is this crate's own.
    unsafe { ClapHost::of_entry(&embouchure_plugin::clap_entry) }.unwrap()
}

/// Ids of all parameters by name.
pub fn param_ids(instance: &mut ClapHost) -> BTreeMap<String, u32> {
    instance.parameters().into_iter().map(|parameter| (parameter.name, parameter.id)).collect()
}

/// Highest values of all parameters by name, in CLAP's units; the lowest is 0.
pub fn param_tops(instance: &mut ClapHost) -> BTreeMap<String, f64> {
    instance.parameters().into_iter().map(|parameter| (parameter.name, parameter.max)).collect()
}

/// Renders `input` in blocks of these sizes, repeated, with `settings` from the first sample on. Returns output and
/// latency.
pub fn render(
    instance: &mut ClapHost,
    input: &[Vec<f32>],
    n_outputs: usize,
    blocks: &[usize],
    settings: &[(&str, f64)],
) -> (Vec<Vec<f32>>, usize) {
    render_automated(instance, input, n_outputs, blocks, |start| if start == 0 { settings.to_vec() } else { vec![] })
}

/// The same with automation: `automation(start)` gives the settings made at the beginning of the block at sample
/// `start`.
///
/// The blocks may be longer than announced, which [`Host::play`] does not do.
pub fn render_automated<'a>(
    instance: &mut ClapHost,
    input: &[Vec<f32>],
    n_outputs: usize,
    blocks: &[usize],
    automation: impl Fn(usize) -> Vec<(&'a str, f64)>,
) -> (Vec<Vec<f32>>, usize) {
    let ids = param_ids(instance);
    instance.activate(Session { rate: HOST_RATE, block: MAX_BLOCK, max_block: MAX_BLOCK }).unwrap();
    let latency = instance.latency();
    let mut audio = instance.audio();
    assert!(audio.start());
    let mut output = vec![Vec::new(); n_outputs];
    let mut start = 0;
    for n in blocks.iter().cycle() {
        let end = input[0].len().min(start + n);
        let change = |(name, value)| Change { at: 0, id: ids[name], value };
        let changes: Vec<Change> = automation(start).into_iter().map(change).collect();
        let mut ins: Vec<Vec<f32>> = input.iter().map(|c| c[start..end].to_vec()).collect();
        let mut outs = vec![vec![f32::NAN; end - start]; n_outputs];
        let (input_channels, output_channels) = (Channels::all(&mut ins), Channels::all(&mut outs));
        let mut block =
            Block { n_samples: end - start, input: input_channels, output: output_channels, changes: &changes };
        assert!(audio.process(&mut block).is_ok);
        output.iter_mut().zip(&outs).for_each(|(all, block)| all.extend_from_slice(block));
        start = end;
        if start == input[0].len() {
            break;
        }
    }
    audio.stop();
    instance.deactivate();
    (output, latency)
}

/// Renders offline from now on: the plugin waits for its worker and for files.
pub fn set_offline(instance: &mut ClapHost) {
    instance.set_offline(true).unwrap();
}

pub fn save(instance: &mut ClapHost) -> String {
    String::from_utf8(ClapHost::json_of_state(&instance.save().unwrap()).to_vec()).unwrap()
}

/// True if the plugin accepts the state.
pub fn load(instance: &mut ClapHost, json: &str) -> bool {
    load_bytes(instance, &ClapHost::state_of_json(json.as_bytes()))
}

/// The same with any bytes, including those of the length.
pub fn load_bytes(instance: &mut ClapHost, bytes: &[u8]) -> bool {
    instance.restore(bytes).is_ok()
}
