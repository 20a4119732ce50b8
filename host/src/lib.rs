//! Small hosts for CLAP and VST3: they load a plugin from its file and play a clip through it in realtime-sized blocks.
//!
//! They trust the plugin no more than a host does: everything goes through the C interface of the built file. What they
//! share is [`Host`]; it also makes calls that a well-mannered host would not make.

mod block;
mod clap_calls;
mod clap_streams;
mod conductor;
mod flow;
mod gui;
mod handlers;
mod host;
mod play;
mod questions;
#[cfg(target_os = "linux")]
mod screen;
mod state;
mod vst3;

pub use block::{Block, Change, Channels, Flaw, Outcome};
pub use clap_calls::ClapAudio;
pub use conductor::{Act, AsFastAsItGoes, Conductor};
pub use flow::Flow;
pub use host::{Audio, Host};
pub use play::{Played, Session};
#[cfg(target_os = "linux")]
pub use screen::{HostWindow, ScreenError, VirtualScreen};
pub use state::{StateError, with_session, with_session_in_json};
pub use vst3::{ProcessMode, Vst3Audio, Vst3Class, Vst3Host, vst3_classes};

use clack_extensions::audio_ports_config::{AudioPortsConfigBuffer, PluginAudioPortsConfig};
use clack_extensions::latency::PluginLatency;
use clack_extensions::params::{ParamInfoBuffer, PluginParams};
use clack_extensions::render::{PluginRender, RenderMode};
use clack_extensions::state::PluginState;
use clack_host::events::event_types::ParamValueEvent;
use clack_host::prelude::*;
use handlers::{Handlers, MainThread, Shared};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// One plugin, loaded and not yet active.
pub struct ClapHost {
    instance: PluginInstance<Handlers>,
    descriptor: Descriptor,
    layout: Layout,
    /// Activated without the library around the calls, which does not know of it.
    is_active: bool,
    /// Gone with this value.
    is_loaded: Arc<()>,
}

/// What the plugin says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// Shown to the player.
    pub name: String,
    /// As in the plugin's Cargo.toml.
    pub version: String,
}

/// A parameter as the host sees it. Values are as CLAP carries them: those of this framework begin at 0, and end at 1 or at
/// the number of steps. VST3 carries them divided by the largest.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Given with every event.
    pub id: u32,
    /// Shown to the player.
    pub name: String,
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// Value of a new instance.
    pub default: f64,
}

/// Channels of one of the plugin's port configurations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Channels of the main input.
    pub n_inputs: usize,
    /// Channels of the main output.
    pub n_outputs: usize,
}

/// What went wrong between host and plugin.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The file is no shared library, or has no CLAP entry.
    #[error("cannot load {path}: {reason}")]
    Load {
        /// The file.
        path: String,
        /// As the loader says it.
        reason: String,
    },
    /// The file loads but makes no plugin.
    #[error("{0} contains no plugin")]
    NoPlugin(String),
    /// A call that every host makes was refused.
    #[error("the plugin {what}: {reason}")]
    Refused {
        /// The call.
        what: &'static str,
        /// As the plugin says it.
        reason: String,
    },
    /// The plugin lacks something that Embouchure must have.
    #[error("the plugin has no {0}")]
    Missing(String),
}

impl ClapHost {
    /// Loads the first plugin of a `.clap` file (on macOS a `.clap` folder).
    pub fn load(path: &Path) -> Result<Self, HostError> {
        let shown = path.display().to_string();
        let failed = |reason: String| HostError::Load { path: shown.clone(), reason };
        // SAFETY: loading runs the file's initialisers. We load our own plugin, and `xtask demo` does so in a process
        // of its own.
        let entry = unsafe { PluginEntry::load(path) }.map_err(|e| failed(e.to_string()))?;
        let factory = entry.get_plugin_factory().ok_or_else(|| HostError::NoPlugin(shown.clone()))?;
        let plugin = factory.plugin_descriptors().next().ok_or_else(|| HostError::NoPlugin(shown.clone()))?;
        let id = plugin.id().ok_or_else(|| HostError::NoPlugin(shown.clone()))?.to_owned();
        let text = |s: Option<&std::ffi::CStr>| s.unwrap_or_default().to_string_lossy().into_owned();
        let descriptor = Descriptor { name: text(plugin.name()), version: text(plugin.version()) };

        let host = HostInfo::new("Embouchure test host", "The Embouchure developers", "", env!("CARGO_PKG_VERSION"))
            .map_err(|e| failed(e.to_string()))?;
        let instance = PluginInstance::new(|_| Shared::default(), |_| MainThread::default(), &entry, &id, &host)
            .map_err(|e| failed(e.to_string()))?;
        // The channel count before any choice: a plugin starts in its first configuration.
        let layout = Layout { n_inputs: 2, n_outputs: 2 };
        let mut host = Self { instance, descriptor, layout, is_active: false, is_loaded: Arc::new(()) };
        if let Some(&(_, first)) = host.configurations().first() {
            host.layout = first;
        }
        Ok(host)
    }

    /// The present port configuration.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Name and version.
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// All parameters, in the plugin's order.
    pub fn parameters(&mut self) -> Vec<Parameter> {
        let plugin = self.instance.plugin_handle();
        let n_parameters = plugin.get_extension::<PluginParams>().map_or(0, |params| params.count(&plugin));
        (0..n_parameters).filter_map(|index| self.described_parameter(index)).collect()
    }

    fn described_parameter(&mut self, index: u32) -> Option<Parameter> {
        let plugin = self.instance.plugin_handle();
        let mut buffer = ParamInfoBuffer::new();
        let info = plugin.get_extension::<PluginParams>()?.get_info(&plugin, index, &mut buffer)?;
        Some(Parameter {
            id: info.id.get(),
            name: String::from_utf8_lossy(info.name).into_owned(),
            min: info.min_value,
            max: info.max_value,
            default: info.default_value,
        })
    }

    /// Present value of the parameter called `name`.
    pub fn parameter(&mut self, name: &str) -> Result<f64, HostError> {
        let id = self.parameter_named(name)?.id;
        let plugin = self.instance.plugin_handle();
        let params = plugin.get_extension::<PluginParams>().ok_or(HostError::Missing("parameters".into()))?;
        params.get_value(&plugin, ClapId::new(id)).ok_or_else(|| HostError::Missing(format!("value for {name:?}")))
    }

    /// Sets the parameter called `name` by an event while the plugin is inactive, so that it holds from the first
    /// sample on, without a ramp.
    pub fn set_parameter(&mut self, name: &str, value: f64) -> Result<(), HostError> {
        let id = self.parameter_named(name)?.id;
        self.flush(id, value)
    }

    fn flush(&mut self, id: u32, value: f64) -> Result<(), HostError> {
        let event = [ParamValueEvent::new(0, ClapId::new(id), Pckn::match_all(), value)];
        let plugin = self.instance.inactive_plugin_handle().filter(|_| !self.is_active);
        let mut plugin =
            plugin.ok_or(HostError::Refused { what: "takes no parameter", reason: "it is active".into() })?;
        let params = plugin.get_extension::<PluginParams>().ok_or(HostError::Missing("parameters".into()))?;
        let mut answers = EventBuffer::new();
        params.flush(
            &mut plugin,
            &InputEvents::from_buffer(&event.as_slice()),
            &mut OutputEvents::from_buffer(&mut answers),
        );
        Ok(())
    }

    /// Port configurations that the plugin offers.
    pub fn layouts(&mut self) -> Vec<Layout> {
        self.configurations().into_iter().map(|(_, layout)| layout).collect()
    }

    /// Chooses a port configuration; the plugin must offer it.
    pub fn select_layout(&mut self, layout: Layout) -> Result<(), HostError> {
        let configurations = self.configurations();
        let Some(&(id, _)) = configurations.iter().find(|(_, l)| *l == layout) else {
            return Err(HostError::Missing(format!(
                "configuration with {} inputs and {} outputs",
                layout.n_inputs, layout.n_outputs
            )));
        };
        let plugin = self.instance.plugin_handle();
        let config = plugin.get_extension::<PluginAudioPortsConfig>().ok_or(HostError::Missing("ports".into()))?;
        config
            .select(&plugin, id)
            .map_err(|e| HostError::Refused { what: "refused a port configuration", reason: e.to_string() })?;
        self.layout = layout;
        Ok(())
    }

    /// Tells the plugin that it may take its time (a bounce), or must not (a live input).
    pub fn set_offline(&mut self, offline: bool) -> Result<(), HostError> {
        let plugin = self.instance.plugin_handle();
        let render = plugin.get_extension::<PluginRender>().ok_or(HostError::Missing("render mode".into()))?;
        let mode = if offline { RenderMode::Offline } else { RenderMode::Realtime };
        render
            .set(&plugin, mode)
            .map_err(|e| HostError::Refused { what: "refused a render mode", reason: e.to_string() })
    }

    /// Times that the plugin asked to be started again, since the last call.
    pub fn take_restarts_wanted(&mut self) -> usize {
        self.instance.access_shared_handler(|shared| shared.restarts_wanted.swap(0, Ordering::AcqRel))
    }

    /// Times that the plugin announced another latency.
    pub fn n_latency_changes(&mut self) -> usize {
        self.instance.access_handler(|main_thread| main_thread.n_latency_changes.get())
    }

    /// What a host stores in its project.
    pub fn save_state(&mut self) -> Result<Vec<u8>, HostError> {
        let plugin = self.instance.plugin_handle();
        let state = plugin.get_extension::<PluginState>().ok_or(HostError::Missing("state".into()))?;
        let mut bytes = Vec::new();
        state
            .save(&plugin, &mut bytes)
            .map_err(|e| HostError::Refused { what: "did not save its state", reason: e.to_string() })?;
        Ok(bytes)
    }

    /// Restores what [`save_state`](Self::save_state) gave.
    pub fn load_state(&mut self, mut bytes: &[u8]) -> Result<(), HostError> {
        let plugin = self.instance.plugin_handle();
        let state = plugin.get_extension::<PluginState>().ok_or(HostError::Missing("state".into()))?;
        state
            .load(&plugin, &mut bytes)
            .map_err(|e| HostError::Refused { what: "did not load a state", reason: e.to_string() })
    }

    fn parameter_named(&mut self, name: &str) -> Result<Parameter, HostError> {
        let parameters = self.parameters();
        let names: Vec<_> = parameters.iter().map(|p| p.name.clone()).collect();
        parameters
            .into_iter()
            .find(|p| p.name == name)
            .ok_or_else(|| HostError::Missing(format!("parameter {name:?}; it has {}", names.join(", "))))
    }

    fn configurations(&mut self) -> Vec<(ClapId, Layout)> {
        let plugin = self.instance.plugin_handle();
        let Some(config) = plugin.get_extension::<PluginAudioPortsConfig>() else { return Vec::new() };
        let mut buffer = AudioPortsConfigBuffer::new();
        let mut found = Vec::new();
        for index in 0..config.count(&plugin) {
            if let Some(c) = config.get(&plugin, index, &mut buffer) {
                let n_inputs = c.main_input.map_or(0, |port| port.channel_count as usize);
                let n_outputs = c.main_output.map_or(0, |port| port.channel_count as usize);
                found.push((c.id, Layout { n_inputs, n_outputs }));
            }
        }
        found
    }

    fn latency(&mut self) -> usize {
        let plugin = self.instance.plugin_handle();
        plugin.get_extension::<PluginLatency>().map_or(0, |latency| latency.get(&plugin) as usize)
    }
}
