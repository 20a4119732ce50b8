//! Queries with any number, also with indices and identifiers that the plugin never gave out. CLAP.

use crate::ClapHost;
use clap_sys::ext::audio_ports::{CLAP_EXT_AUDIO_PORTS, clap_plugin_audio_ports};
use clap_sys::ext::audio_ports_config::{CLAP_EXT_AUDIO_PORTS_CONFIG, clap_plugin_audio_ports_config};
use clap_sys::ext::note_ports::{CLAP_EXT_NOTE_PORTS, clap_plugin_note_ports};
use clap_sys::ext::params::{CLAP_EXT_PARAMS, clap_plugin_params};
use clap_sys::ext::remote_controls::{CLAP_EXT_REMOTE_CONTROLS, clap_plugin_remote_controls};
use clap_sys::plugin::clap_plugin;
use std::ffi::{CStr, c_char};
use std::mem::zeroed;

/// Sizes of text buffers, bytes. Hosts may offer very small ones.
const BUFFER_SIZES: [usize; 4] = [0, 1, 2, 256];

impl ClapHost {
    /// Calls every function that takes an index, a parameter identifier, a value or a text. The answers are dropped.
    pub(super) fn query_all(&mut self, number: u32, value: f64, text: &CStr) {
        let plugin = self.raw();
        // SAFETY: the plugin lives as long as the host; buffers have the announced size, and structures outlive the
        // calls.
        unsafe {
            if let Some(params) = extension::<clap_plugin_params>(plugin, CLAP_EXT_PARAMS) {
                params.get_info.map(|f| f(plugin, number, &mut zeroed()));
                params.get_value.map(|f| f(plugin, number, &mut 0.0));
                for room in BUFFER_SIZES {
                    let mut written = vec![0 as c_char; room];
                    let (to, room) = (written.as_mut_ptr(), room as u32);
                    params.value_to_text.map(|f| f(plugin, number, value, to, room));
                }
                params.text_to_value.map(|f| f(plugin, number, text.as_ptr(), &mut 0.0));
            }
            for is_input in [true, false] {
                if let Some(ports) = extension::<clap_plugin_audio_ports>(plugin, CLAP_EXT_AUDIO_PORTS) {
                    ports.get.map(|f| f(plugin, number, is_input, &mut zeroed()));
                }
                if let Some(ports) = extension::<clap_plugin_note_ports>(plugin, CLAP_EXT_NOTE_PORTS) {
                    ports.get.map(|f| f(plugin, number, is_input, &mut zeroed()));
                }
            }
            if let Some(config) = extension::<clap_plugin_audio_ports_config>(plugin, CLAP_EXT_AUDIO_PORTS_CONFIG) {
                config.get.map(|f| f(plugin, number, &mut zeroed()));
                // A valid number would select another layout than the one that the host has noted.
                if number > 100 {
                    config.select.map(|f| f(plugin, number));
                }
            }
            if let Some(pages) = extension::<clap_plugin_remote_controls>(plugin, CLAP_EXT_REMOTE_CONTROLS) {
                pages.get.map(|f| f(plugin, number, &mut zeroed()));
            }
        }
    }
}

unsafe fn extension<'a, T>(plugin: *const clap_plugin, name: &CStr) -> Option<&'a T> {
    // SAFETY: the caller guarantees the plugin; the extension with this name has this type.
    unsafe { (*plugin).get_extension.and_then(|f| f(plugin, name.as_ptr()).cast::<T>().as_ref()) }
}
