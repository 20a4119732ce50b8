//! The app's part of a plugin host: sets parameters, saves and restores the state.

use embouchure_plugin::Embouchure;
use nice_plug::context::PluginApi;
use nice_plug::context::gui::GuiContextInner;
use nice_plug::context::process::SendEventError;
use nice_plug::plugin::ParamValue;
use nice_plug::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

/// The host of one plugin.
pub struct AppHost {
    params: Arc<dyn Params>,
    by_id: BTreeMap<String, ParamPtr>,
    rate: AtomicU32,
    is_restart_wanted: AtomicBool,
}

impl AppHost {
    /// The host of `plugin`.
    pub fn new(plugin: &Embouchure) -> Arc<Self> {
        let params = plugin.params();
        let by_id = params.param_map().into_iter().map(|(id, param, _)| (id, param)).collect();
        let (rate, is_restart_wanted) = (AtomicU32::new(48_000), AtomicBool::new(false));
        Arc::new(Self { params, by_id, rate, is_restart_wanted })
    }

    /// Sets the sample rate, Hz. Every parameter jumps to its value without smoothing.
    pub fn settle(&self, rate: u32) {
        self.rate.store(rate, Relaxed);
        for param in self.by_id.values() {
            // SAFETY: `params` keeps the parameters alive.
            unsafe { param._internal_update_smoother(rate as f32, true) };
        }
    }

    /// True once after each of the plugin's requests for a restart.
    pub fn take_restart_wanted(&self) -> bool {
        self.is_restart_wanted.swap(false, Relaxed)
    }

    /// The plugin's state: parameters and session.
    pub fn state(&self) -> PluginState {
        let value = |param: &ParamPtr| match *param {
            // SAFETY: `params` keeps the parameters alive.
            ParamPtr::FloatParam(p) => ParamValue::F32(unsafe { (*p).unmodulated_plain_value() }),
            // SAFETY: as above.
            ParamPtr::IntParam(p) => ParamValue::I32(unsafe { (*p).unmodulated_plain_value() }),
            // SAFETY: as above.
            ParamPtr::BoolParam(p) => ParamValue::Bool(unsafe { (*p).unmodulated_plain_value() }),
            // SAFETY: as above.
            ParamPtr::EnumParam(p) => ParamValue::I32(unsafe { (*p).unmodulated_plain_value() }),
        };
        PluginState {
            version: Embouchure::VERSION.into(),
            params: self.by_id.iter().map(|(id, param)| (id.clone(), value(param))).collect(),
            fields: self.params.serialize_fields(),
        }
    }

    /// Restores a result of [`state`](Self::state). Unknown parameters and invalid values are ignored.
    pub fn restore(&self, mut state: PluginState) {
        Embouchure::filter_state(&mut state);
        for (id, value) in &state.params {
            let plain = match value {
                ParamValue::F32(value) if value.is_finite() => *value,
                ParamValue::I32(value) => *value as f32,
                ParamValue::Bool(value) => f32::from(*value),
                _ => continue,
            };
            if let Some(param) = self.by_id.get(id) {
                // SAFETY: `params` keeps the parameters alive.
                unsafe { param._internal_set_normalized_value(param.preview_normalized(plain)) };
            }
        }
        self.params.deserialize_fields(&state.fields);
        self.settle(self.rate.load(Relaxed));
    }
}

impl ActivateContext<Embouchure> for &AppHost {
    fn plugin_api(&self) -> PluginApi {
        PluginApi::Standalone
    }
    fn execute(&self, _task: ()) {}
    fn set_latency_samples(&self, _samples: u32) {}
    fn set_current_voice_capacity(&self, _capacity: u32) {}
}

/// The host while the plugin processes.
pub struct Processing<'a> {
    /// The host.
    pub host: &'a AppHost,
    /// A stopped transport, because the app has no timeline.
    pub transport: &'a Transport,
}

impl ProcessContext<Embouchure> for Processing<'_> {
    fn plugin_api(&self) -> PluginApi {
        PluginApi::Standalone
    }
    fn execute_background(&self, _task: ()) {}
    fn execute_gui(&self, _task: ()) {}
    fn transport(&self) -> &Transport {
        self.transport
    }
    fn next_event(&mut self) -> Option<PluginNoteEvent<Embouchure>> {
        None
    }
    fn try_send_event(
        &mut self,
        event: PluginNoteEvent<Embouchure>,
    ) -> Result<(), (PluginNoteEvent<Embouchure>, SendEventError)> {
        Err((event, SendEventError::NoOutputBuffer))
    }
    fn set_latency_samples(&self, _samples: u32) {}
    fn request_restart(&self) {
        self.host.is_restart_wanted.store(true, Relaxed);
    }
    fn set_current_voice_capacity(&self, _capacity: u32) {}
}

/// The host's interface for the editor.
pub struct EditorHost(pub Arc<AppHost>);

impl GuiContextInner for EditorHost {
    fn plugin_api(&self) -> PluginApi {
        PluginApi::Standalone
    }
    unsafe fn raw_begin_set_parameter(&self, _param: ParamPtr) {}
    unsafe fn raw_set_parameter_normalized(&self, param: ParamPtr, normalized: f32) {
        // Values and smoothers are atomics, so the editor may set them here. Knobs then move without a sound card, too.
        if self.0.by_id.values().any(|known| *known == param) {
            // SAFETY: it is one of the plugin's parameters, which `params` keeps alive.
            unsafe {
                if param._internal_set_normalized_value(normalized) {
                    param._internal_update_smoother(self.0.rate.load(Relaxed) as f32, false);
                }
            }
        }
    }
    unsafe fn raw_end_set_parameter(&self, _param: ParamPtr) {}
    fn get_state(&self) -> PluginState {
        self.0.state()
    }
    fn set_state(&self, state: PluginState) {
        self.0.restore(state);
    }
    fn request_restart(&self) {
        self.0.is_restart_wanted.store(true, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(host: &Arc<AppHost>, id: &str, normalized: f32) {
        // SAFETY: the parameter is the host's.
        unsafe { EditorHost(host.clone()).raw_set_parameter_normalized(host.by_id[id], normalized) };
    }

    #[test]
    fn a_state_comes_back_in_another_plugin() {
        let (first, second) = (Embouchure::default(), Embouchure::default());
        let (first, second) = (AppHost::new(&first), AppHost::new(&second));
        for (id, normalized) in [("room", 0.7), ("octave_fit", 0.0), ("transpose", 0.6), ("instrument_a", 0.05)] {
            set(&first, id, normalized);
        }
        let state = serde_json::to_string(&first.state()).unwrap();
        assert_ne!(state, serde_json::to_string(&second.state()).unwrap());
        second.restore(serde_json::from_str(&state).unwrap());
        assert_eq!(serde_json::to_string(&second.state()).unwrap(), state);
    }

    #[test]
    fn nonsense_in_a_state_changes_nothing() {
        let plugin = Embouchure::default();
        let host = AppHost::new(&plugin);
        let before = serde_json::to_string(&host.state()).unwrap();
        let mut state = host.state();
        state.params.insert("mix".into(), ParamValue::F32(f32::NAN));
        state.params.insert("unknown".into(), ParamValue::Bool(true));
        state.params.insert("room".into(), ParamValue::String("loud".into()));
        host.restore(state);
        assert_eq!(serde_json::to_string(&host.state()).unwrap(), before);
    }
}
