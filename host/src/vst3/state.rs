//! Saves and loads the state, which in VST3 is only the plugin's JSON.

use super::stream::Stream;
use super::{Vst3Host, accepted};
use crate::{HostError, StreamLimits};
use vst3::ComWrapper;
use vst3::Steinberg::IBStream;
use vst3::Steinberg::Vst::{IComponentTrait, IEditControllerTrait};

impl Vst3Host {
    pub(super) fn state(&mut self, limits: StreamLimits) -> Result<Vec<u8>, HostError> {
        let stream = ComWrapper::new(Stream::new(Vec::new(), limits));
        let pointer = stream.as_com_ref::<IBStream>().map_or(std::ptr::null_mut(), |stream| stream.as_ptr());
        // SAFETY: the stream lives as long as the call.
        accepted(unsafe { self.component.getState(pointer) }, "did not save its state")?;
        Ok(stream.bytes())
    }

    /// Hands the state to the component, then from its beginning to the controller, as hosts do.
    pub(super) fn set_state(&mut self, state: &[u8], limits: StreamLimits) -> Result<(), HostError> {
        let [of_component, of_controller] = [(); 2].map(|()| ComWrapper::new(Stream::new(state.to_vec(), limits)));
        let pointer = |stream: &ComWrapper<Stream>| {
            stream.as_com_ref::<IBStream>().map_or(std::ptr::null_mut(), |stream| stream.as_ptr())
        };
        // SAFETY: as above.
        unsafe {
            accepted(self.component.setState(pointer(&of_component)), "did not load a state")?;
            self.controller.setComponentState(pointer(&of_controller));
        }
        Ok(())
    }
}
