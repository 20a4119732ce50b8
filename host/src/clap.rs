//! The CLAP host. State, parameters and editor go through the crate clack; calls that clack forbids go through the C
//! interface.

mod audio;
mod editor;
mod handlers;
mod queries;
mod streams;

#[cfg(target_os = "linux")]
use crate::HostWindow;
use crate::{Descriptor, Host, HostError, Layout, Parameter, Session, StreamLimits};
pub use audio::ClapAudio;
use clack_extensions::audio_ports_config::{AudioPortsConfigBuffer, PluginAudioPortsConfig};
use clack_extensions::latency::PluginLatency;
use clack_extensions::params::{ParamInfoBuffer, PluginParams};
use clack_extensions::render::{PluginRender, RenderMode};
use clack_extensions::state::PluginState;
use clack_host::events::event_types::ParamValueEvent;
use clack_host::prelude::*;
use clap_sys::entry::clap_plugin_entry;
use clap_sys::plugin::clap_plugin;
use handlers::{Handlers, MainThread, Shared};
use std::ffi::CStr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A loaded plugin, not yet active.
pub struct ClapHost {
    instance: PluginInstance<Handlers>,
    descriptor: Descriptor,
    layout: Layout,
    /// True if activated through the C interface, which clack does not know about.
    is_active: bool,
    /// Lets [`ClapAudio`] detect that this host was dropped.
    is_loaded: Arc<()>,
}

impl ClapHost {
    /// Name and version of the plugin.
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// The port configurations that the plugin offers.
    pub fn layouts(&mut self) -> Vec<Layout> {
        self.configurations().into_iter().map(|(_, layout)| layout).collect()
    }

    /// Number of times the plugin announced a changed latency.
    pub fn n_latency_changes(&mut self) -> usize {
        self.instance.access_handler(|main_thread| main_thread.n_latency_changes.get())
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

    /// Creates the first plugin of an entry that is linked into this program instead of loaded from a file.
    ///
    /// # Safety
    ///
    /// The functions of the entry must follow the CLAP specification.
    pub unsafe fn of_entry(entry: &'static clap_plugin_entry) -> Result<Self, HostError> {
        let shown = "the linked entry";
        // SAFETY: the caller guarantees the functions, and the entry is static.
        let entry = unsafe { PluginEntry::load_from_raw(entry, c"/nowhere/linked.clap") };
        Self::of_loaded(entry.map_err(|e| HostError::Load { path: shown.into(), reason: e.to_string() })?, shown)
    }

    fn of_loaded(entry: PluginEntry, shown: &str) -> Result<Self, HostError> {
        let failed = |reason: String| HostError::Load { path: shown.into(), reason };
        let factory = entry.get_plugin_factory().ok_or_else(|| HostError::NoPlugin(shown.into()))?;
        let plugin = factory.plugin_descriptors().next().ok_or_else(|| HostError::NoPlugin(shown.into()))?;
        let id = plugin.id().ok_or_else(|| HostError::NoPlugin(shown.into()))?.to_owned();
        let text = |s: Option<&CStr>| s.unwrap_or_default().to_string_lossy().into_owned();
        let descriptor = Descriptor { name: text(plugin.name()), version: text(plugin.version()) };

        let host = HostInfo::new("Embouchure test host", "The Embouchure developers", "", env!("CARGO_PKG_VERSION"))
            .map_err(|e| failed(e.to_string()))?;
        let instance = PluginInstance::new(|_| Shared::default(), |_| MainThread::default(), &entry, &id, &host)
            .map_err(|e| failed(e.to_string()))?;
        // Stereo unless the plugin has configurations: it then starts in the first of them.
        let layout = Layout { n_inputs: 2, n_outputs: 2 };
        let mut host = Self { instance, descriptor, layout, is_active: false, is_loaded: Arc::new(()) };
        if let Some(&(_, first)) = host.configurations().first() {
            host.layout = first;
        }
        Ok(host)
    }

    /// The plugin's text for a parameter value.
    pub fn text_of_value(&mut self, id: u32, value: f64) -> Option<String> {
        let plugin = self.instance.plugin_handle();
        let mut room = [0; 64];
        let text = plugin.get_extension::<PluginParams>()?.value_to_text(&plugin, ClapId::new(id), value, &mut room);
        Some(String::from_utf8_lossy(text.ok()?).trim_end_matches('\0').into())
    }

    /// The value that the plugin parses from a text.
    pub fn value_of_text(&mut self, id: u32, text: &CStr) -> Option<f64> {
        let plugin = self.instance.plugin_handle();
        plugin.get_extension::<PluginParams>()?.text_to_value(&plugin, ClapId::new(id), text)
    }

    fn raw(&mut self) -> *const clap_plugin {
        self.instance.raw_instance()
    }
}

impl Host for ClapHost {
    const FORMAT: &'static str = "CLAP";
    type Audio = ClapAudio;

    fn load(path: &Path) -> Result<Self, HostError> {
        let shown = path.display().to_string();
        // SAFETY: loading runs the file's initialisers. We load only our own plugin, and `xtask demo` does so in a
        // separate process.
        let entry = unsafe { PluginEntry::load(path) };
        Self::of_loaded(entry.map_err(|e| HostError::Load { path: shown.clone(), reason: e.to_string() })?, &shown)
    }

    fn layout(&self) -> Layout {
        self.layout
    }

    fn select_layout(&mut self, layout: Layout) -> Result<(), HostError> {
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

    fn set_offline(&mut self, offline: bool) -> Result<(), HostError> {
        let plugin = self.instance.plugin_handle();
        let render = plugin.get_extension::<PluginRender>().ok_or(HostError::Missing("render mode".into()))?;
        let mode = if offline { RenderMode::Offline } else { RenderMode::Realtime };
        render
            .set(&plugin, mode)
            .map_err(|e| HostError::Refused { what: "refused a render mode", reason: e.to_string() })
    }

    fn parameters(&mut self) -> Vec<Parameter> {
        let plugin = self.instance.plugin_handle();
        let n_parameters = plugin.get_extension::<PluginParams>().map_or(0, |params| params.count(&plugin));
        (0..n_parameters).filter_map(|index| self.parameter_at(index)).collect()
    }

    fn parameter_at(&mut self, index: u32) -> Option<Parameter> {
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

    fn query(&mut self, number: u32, value: f64, text: &CStr) {
        self.query_all(number, value, text);
    }

    fn value(&mut self, id: u32) -> f64 {
        let plugin = self.instance.plugin_handle();
        let params = plugin.get_extension::<PluginParams>();
        params.and_then(|params| params.get_value(&plugin, ClapId::new(id))).unwrap_or(f64::NAN)
    }

    fn set_value(&mut self, id: u32, value: f64) -> Result<(), HostError> {
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

    fn save(&mut self) -> Result<Vec<u8>, HostError> {
        let plugin = self.instance.plugin_handle();
        let state = plugin.get_extension::<PluginState>().ok_or(HostError::Missing("state".into()))?;
        let mut bytes = Vec::new();
        state
            .save(&plugin, &mut bytes)
            .map_err(|e| HostError::Refused { what: "did not save its state", reason: e.to_string() })?;
        Ok(bytes)
    }

    fn restore(&mut self, mut state: &[u8]) -> Result<(), HostError> {
        let plugin = self.instance.plugin_handle();
        let extension = plugin.get_extension::<PluginState>().ok_or(HostError::Missing("state".into()))?;
        extension
            .load(&plugin, &mut state)
            .map_err(|e| HostError::Refused { what: "did not load a state", reason: e.to_string() })
    }

    fn save_through(&mut self, limits: StreamLimits) -> Result<Vec<u8>, HostError> {
        self.state_through(limits)
    }

    fn restore_through(&mut self, state: &[u8], limits: StreamLimits) -> Result<(), HostError> {
        self.set_state_through(state, limits)
    }

    fn state_of_json(json: &[u8]) -> Vec<u8> {
        [&(json.len() as u64).to_le_bytes(), json].concat()
    }

    fn json_of_state(state: &[u8]) -> &[u8] {
        state.get(8..).unwrap_or_default()
    }

    fn activate(&mut self, session: Session) -> Result<(), HostError> {
        // SAFETY: the plugin lives as long as the host. The order of calls is part of what is tested.
        let is_active = unsafe {
            let plugin = self.raw();
            (*plugin).activate.is_some_and(|f| f(plugin, session.rate, 1, session.max_block as u32))
        };
        self.is_active = is_active;
        self.turn();
        let refused = HostError::Refused { what: "refused to start", reason: "activate gave false".into() };
        if is_active { Ok(()) } else { Err(refused) }
    }

    fn deactivate(&mut self) {
        if std::mem::take(&mut self.is_active) {
            // SAFETY: as above.
            unsafe {
                let plugin = self.raw();
                (*plugin).deactivate.inspect(|f| f(plugin));
            }
        }
    }

    fn drop_active(mut self) {
        self.is_active = false;
    }

    fn latency(&mut self) -> usize {
        let plugin = self.instance.plugin_handle();
        plugin.get_extension::<PluginLatency>().map_or(0, |latency| latency.get(&plugin) as usize)
    }

    fn audio(&mut self) -> ClapAudio {
        ClapAudio { plugin: self.raw(), is_loaded: Arc::downgrade(&self.is_loaded) }
    }

    fn turn(&mut self) {
        if self.instance.access_shared_handler(|shared| shared.callback_wanted.swap(false, Ordering::AcqRel)) {
            self.instance.call_on_main_thread_callback();
        }
    }

    fn take_restarts(&mut self) -> usize {
        self.instance.access_shared_handler(|shared| shared.restarts_wanted.swap(0, Ordering::AcqRel))
    }

    #[cfg(target_os = "linux")]
    fn open_editor(&mut self, window: &HostWindow) -> Result<(), HostError> {
        self.show_editor(window)
    }

    #[cfg(target_os = "linux")]
    fn misuse_editor(&mut self, window: &HostWindow) {
        self.misuse_gui(window);
    }

    #[cfg(target_os = "linux")]
    fn close_editor(&mut self) -> Result<(), HostError> {
        self.destroy_editor()
    }
}

impl Drop for ClapHost {
    fn drop(&mut self) {
        Host::deactivate(self);
    }
}
