//! The calls of VST3's audio thread.

use super::changes::Changes;
use super::module::Module;
use super::parameters::Scales;
use crate::Audio;
use crate::block::{Block, Flaw};
use std::ptr::null_mut;
use std::sync::Arc;
use vst3::Steinberg::Vst::SymbolicSampleSizes_::{kSample32, kSample64};
use vst3::Steinberg::Vst::{
    AudioBusBuffers, AudioBusBuffers__type0, IAudioProcessor, IAudioProcessorTrait, IParameterChanges, ProcessData,
};
use vst3::Steinberg::kResultOk;
use vst3::{ComPtr, ComWrapper};

/// The plugin's processor. It keeps the plugin alive, but not initialised.
pub struct Vst3Audio {
    pub(super) processor: ComPtr<IAudioProcessor>,
    pub(super) scales: Scales,
    pub(super) mode: i32,
    /// Declared last: the library must be unloaded after its objects are released.
    pub(super) _module: Arc<Module>,
}

// SAFETY: VST3 requires these calls on another thread, and our reference counts are atomic.
unsafe impl Send for Vst3Audio {}

// SAFETY of all calls: every pointer is valid for its call. Null pointers and calls in the wrong order are tested on
// purpose; the plugin must handle them.
impl Audio for Vst3Audio {
    fn start(&mut self) -> bool {
        // SAFETY: see above.
        unsafe { self.processor.setProcessing(1) == kResultOk }
    }

    fn stop(&mut self) {
        // SAFETY: see above.
        unsafe { self.processor.setProcessing(0) };
    }

    fn reset(&mut self) {
        self.stop();
        self.start();
    }

    fn call<T>(
        &mut self,
        block: &mut Block,
        flaw: Option<Flaw>,
        around: impl FnOnce(&mut dyn FnMut() -> bool) -> T,
    ) -> T {
        let mut input = block.input.raw(None);
        let mut output = block.output.raw(Some(&input));
        let bus = |list: *mut *mut f32, n_channels: usize| AudioBusBuffers {
            numChannels: n_channels as i32,
            silenceFlags: 0,
            __field0: AudioBusBuffers__type0 { channelBuffers32: list },
        };
        let mut input_bus = bus(input.list(), input.n_channels);
        let mut output_bus = bus(output.list(), output.n_channels);
        let normalised = |id, value| value / self.scales.of(id);
        let n_missing = if flaw == Some(Flaw::MissingChanges) { 3 } else { 0 };
        let changes = Changes::new(block.changes, n_missing, normalised);
        let none = Changes::new(&[], 0, normalised);
        let has_lists = flaw != Some(Flaw::NoLists);
        let list = |changes: &ComWrapper<Changes>| {
            let changes = changes.as_com_ref::<IParameterChanges>().filter(|_| has_lists);
            changes.map_or(null_mut(), |changes| changes.as_ptr())
        };
        let sample_size = if flaw == Some(Flaw::Doubles) { kSample64 } else { kSample32 };
        let sign = if flaw == Some(Flaw::NegativeLength) { -1 } else { 1 };
        let mut data = ProcessData {
            processMode: self.mode,
            symbolicSampleSize: sample_size as i32,
            numSamples: sign * block.n_samples as i32,
            numInputs: input.n_ports as i32,
            numOutputs: output.n_ports as i32,
            inputs: if input.n_ports == 0 { null_mut() } else { &mut input_bus },
            outputs: if output.n_ports == 0 { null_mut() } else { &mut output_bus },
            inputParameterChanges: list(&changes),
            outputParameterChanges: list(&none),
            inputEvents: null_mut(),
            outputEvents: null_mut(),
            processContext: null_mut(),
        };
        // SAFETY: see above.
        around(&mut || unsafe { self.processor.process(&mut data) == kResultOk })
    }
}
