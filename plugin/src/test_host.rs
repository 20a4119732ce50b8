//! A host for the tests of the editor. It sets parameters as asked and logs the calls.

use nice_plug::context::PluginApi;
use nice_plug::context::gui::GuiContextInner;
use nice_plug::prelude::{ParamPtr, PluginState};
use parking_lot::Mutex;

/// The log: "(" for the beginning of a gesture, "=" for a value, ")" for the end.
#[derive(Default)]
pub struct TestHost(Mutex<String>);

impl TestHost {
    pub fn log(&self) -> String {
        self.0.lock().clone()
    }
}

impl GuiContextInner for TestHost {
    fn plugin_api(&self) -> PluginApi {
        PluginApi::Clap
    }
    unsafe fn raw_begin_set_parameter(&self, _param: ParamPtr) {
        self.0.lock().push('(');
    }
    unsafe fn raw_set_parameter_normalized(&self, param: ParamPtr, normalized: f32) {
        self.0.lock().push('=');
        // SAFETY: the test holds the parameters.
        unsafe { param._internal_set_normalized_value(normalized) };
    }
    unsafe fn raw_end_set_parameter(&self, _param: ParamPtr) {
        self.0.lock().push(')');
    }
    fn get_state(&self) -> PluginState {
        unreachable!("the editor does not ask")
    }
    fn set_state(&self, _state: PluginState) {}
    fn request_restart(&self) {}
}
