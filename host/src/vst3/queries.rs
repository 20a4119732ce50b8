//! Queries with any number, also with indices and identifiers that the plugin never gave out. VST3.

use super::Vst3Host;
use std::ffi::CStr;
use std::mem::zeroed;
use vst3::Steinberg::Vst::{
    IAudioProcessorTrait, IComponentTrait, IEditControllerTrait, IMidiMapping, IMidiMappingTrait, IUnitInfo,
    IUnitInfoTrait, String128,
};

impl Vst3Host {
    /// Calls every function that takes an index, a parameter identifier, a value or a text. The answers are dropped.
    pub(super) fn query_all(&mut self, number: u32, value: f64, text: &CStr) {
        let index = number as i32;
        let mut words: Vec<u16> = text.to_string_lossy().encode_utf16().chain([0]).collect();
        let units: Option<vst3::ComPtr<IUnitInfo>> = self.controller.cast();
        let mapping: Option<vst3::ComPtr<IMidiMapping>> = self.controller.cast();
        // SAFETY: structures and texts outlive the calls and have the sizes that VST3 defines.
        unsafe {
            self.controller.getParameterInfo(index, &mut zeroed());
            let mut written: String128 = zeroed();
            self.controller.getParamStringByValue(number, value, &mut written);
            self.controller.getParamValueByString(number, words.as_mut_ptr().cast(), &mut 0.0);
            self.controller.normalizedParamToPlain(number, value);
            self.controller.plainParamToNormalized(number, value);
            self.controller.getParamNormalized(number);
            for (kind, direction) in [(0, 0), (0, 1), (1, 0), (1, 1), (index, index)] {
                self.component.getBusCount(kind, direction);
                self.component.getBusInfo(kind, direction, index, &mut zeroed());
                self.component.activateBus(kind, direction, index, 1);
                self.processor.getBusArrangement(direction, index, &mut 0);
            }
            let (mut from, mut to): (vst3::Steinberg::Vst::RoutingInfo, _) = (zeroed(), zeroed());
            from.busIndex = index;
            self.component.getRoutingInfo(&mut from, &mut to);
            self.processor.canProcessSampleSize(index);
            if let Some(units) = units {
                units.getUnitInfo(index, &mut zeroed());
                units.getProgramListInfo(index, &mut zeroed());
                units.getProgramName(index, index, &mut written);
            }
            if let Some(mapping) = mapping {
                mapping.getMidiControllerAssignment(index, number as i16, number as i16, &mut 0);
            }
        }
    }
}
