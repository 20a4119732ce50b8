//! Access to parameters through the plugin's controller.

use super::{Vst3Host, accepted, text};
use crate::{HostError, Parameter};
use std::collections::HashMap;
use vst3::ComPtr;
use vst3::Steinberg::Vst::{IEditController, IEditControllerTrait, ParameterInfo};

/// Largest value of each parameter: the number of steps, or 1. VST3's normalised value is the value divided by it.
#[derive(Clone, Default)]
pub(super) struct Scales(HashMap<u32, f64>);

impl Scales {
    pub(super) fn new(parameters: &[Parameter]) -> Self {
        Self(parameters.iter().map(|parameter| (parameter.id, parameter.max)).collect())
    }

    pub(super) fn of(&self, id: u32) -> f64 {
        self.0.get(&id).copied().unwrap_or(1.0)
    }
}

/// The controller's description of a parameter. The index is not checked against the plugin's count.
pub(super) fn parameter_at(controller: &ComPtr<IEditController>, index: i32) -> Result<Parameter, HostError> {
    // SAFETY: the plugin fills the structure.
    let info = unsafe {
        let mut info: ParameterInfo = std::mem::zeroed();
        accepted(controller.getParameterInfo(index, &mut info), "does not describe a parameter")?;
        info
    };
    let max = f64::from(info.stepCount.max(1));
    let name = text(info.title.iter().copied());
    Ok(Parameter { id: info.id, name, min: 0.0, max, default: info.defaultNormalizedValue * max })
}

impl Vst3Host {
    /// Number of parameters.
    pub(super) fn n_parameters(&self) -> i32 {
        // SAFETY: no pointers.
        unsafe { self.controller.getParameterCount() }
    }

    /// Present value of a parameter, 0 to 1.
    pub(super) fn normalised(&self, id: u32) -> f64 {
        // SAFETY: no pointers.
        unsafe { self.controller.getParamNormalized(id) }
    }

    /// Sets a normalised value through the controller, while processing or not. Valid values are 0 to 1; others are
    /// passed on.
    pub fn set_normalised(&mut self, id: u32, value: f64) -> Result<(), HostError> {
        // SAFETY: no pointers.
        accepted(unsafe { self.controller.setParamNormalized(id, value) }, "takes no parameter")
    }
}
