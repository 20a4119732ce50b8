//! The calls of CLAP's audio thread, in any order.

use crate::block::{Block, Flaw};
use crate::{Audio, Change};
use clap_sys::audio_buffer::clap_audio_buffer;
use clap_sys::events::{
    CLAP_CORE_EVENT_SPACE_ID, CLAP_EVENT_PARAM_VALUE, clap_event_header, clap_event_param_value, clap_input_events,
    clap_output_events,
};
use clap_sys::plugin::clap_plugin;
use clap_sys::process::{CLAP_PROCESS_ERROR, clap_process};
use std::ptr::{null, null_mut};
use std::sync::Weak;

/// The calls of the audio thread.
pub struct ClapAudio {
    pub(super) plugin: *const clap_plugin,
    /// Expires when the host is dropped.
    pub(super) is_loaded: Weak<()>,
}

// SAFETY: CLAP requires these calls on another thread.
unsafe impl Send for ClapAudio {}

impl ClapAudio {
    fn plugin(&self) -> *const clap_plugin {
        assert!(self.is_loaded.strong_count() > 0, "the host is gone");
        self.plugin
    }
}

// SAFETY of all calls: the plugin lives as long as `self`, and every pointer is valid for its call. Null pointers and
// calls in the wrong order are tested on purpose; the plugin must handle them.
impl Audio for ClapAudio {
    fn start(&mut self) -> bool {
        let plugin = self.plugin();
        // SAFETY: see above.
        unsafe { (*plugin).start_processing.is_some_and(|f| f(plugin)) }
    }

    fn stop(&mut self) {
        let plugin = self.plugin();
        // SAFETY: see above.
        unsafe {
            (*plugin).stop_processing.inspect(|f| f(plugin));
        }
    }

    fn reset(&mut self) {
        let plugin = self.plugin();
        // SAFETY: see above.
        unsafe {
            (*plugin).reset.inspect(|f| f(plugin));
        }
    }

    fn call<T>(
        &mut self,
        block: &mut Block,
        flaw: Option<Flaw>,
        around: impl FnOnce(&mut dyn FnMut() -> bool) -> T,
    ) -> T {
        let plugin = self.plugin();
        let mut input = block.input.raw(None);
        let mut output = block.output.raw(Some(&input));
        let has_doubles = flaw == Some(Flaw::Doubles);
        let port = |list: *mut *mut f32, n_channels: usize| clap_audio_buffer {
            data32: if has_doubles { null_mut() } else { list },
            data64: if has_doubles { list.cast() } else { null_mut() },
            channel_count: n_channels as u32,
            latency: 0,
            constant_mask: 0,
        };
        let input_port = port(input.list(), input.n_channels);
        let mut output_port = port(output.list(), output.n_channels);
        let n_missing = if flaw == Some(Flaw::MissingChanges) { 3 } else { 0 };
        let events = Events { given: block.changes.iter().map(event).collect(), n_missing };
        let in_events =
            clap_input_events { ctx: (&raw const events).cast_mut().cast(), size: Some(n_events), get: Some(event_at) };
        let out_events = clap_output_events { ctx: null_mut(), try_push: Some(take_event) };
        let has_lists = flaw != Some(Flaw::NoLists);
        let process = clap_process {
            steady_time: -1,
            frames_count: block.n_samples as u32,
            transport: null(),
            audio_inputs: if input.n_ports == 0 { null() } else { &input_port },
            audio_outputs: if output.n_ports == 0 { null_mut() } else { &mut output_port },
            audio_inputs_count: input.n_ports,
            audio_outputs_count: output.n_ports,
            in_events: if has_lists { &in_events } else { null() },
            out_events: if has_lists { &out_events } else { null() },
        };
        // SAFETY: see above.
        around(&mut || unsafe { (*plugin).process.is_some_and(|f| f(plugin, &process) != CLAP_PROCESS_ERROR) })
    }
}

/// An event list, which may announce more events than it has.
struct Events {
    given: Vec<clap_event_param_value>,
    n_missing: usize,
}

fn event(change: &Change) -> clap_event_param_value {
    clap_event_param_value {
        header: clap_event_header {
            size: size_of::<clap_event_param_value>() as u32,
            time: change.at.clamp(0, u32::MAX.into()) as u32,
            space_id: CLAP_CORE_EVENT_SPACE_ID,
            type_: CLAP_EVENT_PARAM_VALUE,
            flags: 0,
        },
        param_id: change.id,
        cookie: null_mut(),
        note_id: -1,
        port_index: -1,
        channel: -1,
        key: -1,
        value: change.value,
    }
}

extern "C" fn n_events(list: *const clap_input_events) -> u32 {
    // SAFETY: the list is the one from `process`, which outlives the call.
    let events = unsafe { &*(*list).ctx.cast::<Events>() };
    (events.given.len() + events.n_missing) as u32
}

extern "C" fn event_at(list: *const clap_input_events, index: u32) -> *const clap_event_header {
    // SAFETY: as above.
    let events = unsafe { &*(*list).ctx.cast::<Events>() };
    events.given.get(index as usize).map_or(null(), |event| &event.header)
}

extern "C" fn take_event(_list: *const clap_output_events, _event: *const clap_event_header) -> bool {
    true
}
