//! Parameters, by the plugin's controller.

use super::{Vst3Host, accepted, text};
use crate::{HostError, Parameter};
use vst3::Steinberg::Vst::{IEditControllerTrait, ParameterInfo};

impl Vst3Host {
    /// The parameter at `index`, which may be any number: what the plugin says, without a look at its count.
    pub fn parameter_at(&mut self, index: i32) -> Result<Parameter, HostError> {
        // SAFETY: the plugin fills the structure.
        let info = unsafe {
            let mut info: ParameterInfo = std::mem::zeroed();
            accepted(self.controller.getParameterInfo(index, &mut info), "does not describe a parameter")?;
            info
        };
        // SAFETY: no pointers.
        let plain = |normalised| unsafe { self.controller.normalizedParamToPlain(info.id, normalised) };
        Ok(Parameter {
            id: info.id,
            name: text(info.title.iter().map(|&unit| unit as u16)),
            min: plain(0.0),
            max: plain(1.0),
            default: plain(info.defaultNormalizedValue),
        })
    }

    /// Number of parameters.
    pub fn n_parameters(&mut self) -> i32 {
        // SAFETY: no pointers.
        unsafe { self.controller.getParameterCount() }
    }

    pub(super) fn normalised(&self, id: u32, value: f64) -> f64 {
        // SAFETY: no pointers.
        unsafe { self.controller.plainParamToNormalized(id, value) }
    }

    pub(super) fn plain_value(&self, id: u32) -> f64 {
        // SAFETY: no pointers.
        unsafe { self.controller.normalizedParamToPlain(id, self.controller.getParamNormalized(id)) }
    }

    /// Sets a normalised value as the controller, whether the plugin processes or not.
    pub fn set_normalised(&mut self, id: u32, value: f64) -> Result<(), HostError> {
        // SAFETY: no pointers.
        accepted(unsafe { self.controller.setParamNormalized(id, value) }, "takes no parameter")
    }
}
