//! A VST3 plugin instance: component, controller and processor are interfaces of one object.

#[cfg(target_os = "linux")]
use super::editor::Editor;
use super::handler::{Application, Handler};
use super::module::Module;
use super::parameters::{Scales, parameter_at};
use super::{Vst3Audio, accepted};
#[cfg(target_os = "linux")]
use crate::HostWindow;
use crate::{Host, HostError, Layout, Parameter, Session, StreamLimits};
use std::ffi::CStr;
use std::path::Path;
use std::ptr::null_mut;
use std::sync::{Arc, PoisonError};
use vst3::Steinberg::Vst::ProcessModes_::{kOffline, kPrefetch, kRealtime};
use vst3::Steinberg::Vst::SpeakerArr::{kMono, kStereo};
use vst3::Steinberg::Vst::SymbolicSampleSizes_::kSample32;
use vst3::Steinberg::Vst::{
    BusDirections_::{kInput, kOutput},
    BusInfo, IAudioProcessor, IAudioProcessorTrait, IComponent, IComponentHandler, IComponentTrait, IEditController,
    IEditControllerTrait, IHostApplication,
    MediaTypes_::kAudio,
    ProcessSetup,
};
use vst3::Steinberg::{FUnknown, IPlugView, IPluginBaseTrait};
use vst3::{ComPtr, ComWrapper};

/// Category of the classes that process audio.
const EFFECT: &str = "Audio Module Class";

/// Process mode that the host announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessMode {
    /// Live input.
    Realtime,
    /// Live, but some blocks come earlier than realtime.
    Prefetch,
    /// Offline, as for a bounce.
    Offline,
}

impl ProcessMode {
    fn number(self) -> i32 {
        (match self {
            Self::Realtime => kRealtime,
            Self::Prefetch => kPrefetch,
            Self::Offline => kOffline,
        }) as i32
    }
}

/// A loaded plugin.
pub struct Vst3Host {
    pub(super) component: ComPtr<IComponent>,
    pub(super) controller: ComPtr<IEditController>,
    pub(super) processor: ComPtr<IAudioProcessor>,
    handler: ComWrapper<Handler>,
    _application: ComWrapper<Application>,
    #[cfg(target_os = "linux")]
    pub(super) editor: Option<Editor>,
    #[cfg(target_os = "linux")]
    pub(super) has_run_loop: bool,
    /// Closed views that are released after the plugin; `None` releases them at once.
    #[cfg(target_os = "linux")]
    pub(super) closed_views: Option<Vec<ComPtr<IPlugView>>>,
    scales: Scales,
    layout: Layout,
    mode: ProcessMode,
    is_active: bool,
    /// Declared last: the library must be unloaded after its objects are released.
    module: Arc<Module>,
}

impl Vst3Host {
    /// Loads the first effect of a `.vst3` folder.
    pub fn load(bundle: &Path) -> Result<Self, HostError> {
        let module = Module::load(bundle)?;
        let class = module.classes()?.into_iter().find(|class| class.category == EFFECT);
        let class = class.ok_or_else(|| HostError::NoPlugin(bundle.display().to_string()))?;
        let component: ComPtr<IComponent> = module.instance(&class.id)?;
        let (application, handler) = (ComWrapper::new(Application), ComWrapper::new(Handler::default()));
        let context = application.as_com_ref::<IHostApplication>().map_or(null_mut(), |context| context.as_ptr());
        // SAFETY: the application lives as long as the plugin.
        accepted(unsafe { component.initialize(context.cast::<FUnknown>()) }, "is not initialised")?;
        let controller: ComPtr<IEditController> =
            component.cast().ok_or_else(|| HostError::Missing("controller in the same object".into()))?;
        let processor = component.cast().ok_or_else(|| HostError::Missing("audio processor".into()))?;
        let told = handler.as_com_ref::<IComponentHandler>().map_or(null_mut(), |handler| handler.as_ptr());
        // SAFETY: the handler lives as long as the plugin.
        accepted(unsafe { controller.setComponentHandler(told) }, "refused the host's handler")?;
        let mut host = Self {
            component,
            controller,
            processor,
            handler,
            _application: application,
            #[cfg(target_os = "linux")]
            editor: None,
            #[cfg(target_os = "linux")]
            has_run_loop: true,
            #[cfg(target_os = "linux")]
            closed_views: None,
            scales: Scales::default(),
            layout: Layout { n_inputs: 2, n_outputs: 2 },
            mode: ProcessMode::Realtime,
            is_active: false,
            module,
        };
        host.layout = Layout { n_inputs: host.n_channels(kInput as i32)?, n_outputs: host.n_channels(kOutput as i32)? };
        host.scales = Scales::new(&host.parameters());
        Ok(host)
    }

    fn n_channels(&mut self, direction: i32) -> Result<usize, HostError> {
        // SAFETY: the plugin fills the structure.
        unsafe {
            let mut info: BusInfo = std::mem::zeroed();
            let result = self.component.getBusInfo(kAudio as i32, direction, 0, &mut info);
            accepted(result, "does not describe a bus")?;
            Ok(info.channelCount as usize)
        }
    }

    /// Chooses the process mode of the next activation.
    pub fn set_mode(&mut self, mode: ProcessMode) {
        self.mode = mode;
    }

    /// Announces rate, largest block and mode, without activating the plugin.
    pub fn set_up(&mut self, session: Session) -> Result<(), HostError> {
        self.set_up_with(session, kSample32 as i32)
    }

    /// The same with the symbolic sample size `sample_size`, a constant of VST3.
    pub fn set_up_with(&mut self, session: Session, sample_size: i32) -> Result<(), HostError> {
        let mut setup = ProcessSetup {
            processMode: self.mode.number(),
            symbolicSampleSize: sample_size,
            maxSamplesPerBlock: session.max_block as i32,
            sampleRate: session.rate,
        };
        // SAFETY: the structure lives as long as the call.
        accepted(unsafe { self.processor.setupProcessing(&mut setup) }, "refused a set-up")
    }

    /// Flags of the restarts that the plugin requested since the last call.
    pub fn take_restart_flags(&mut self) -> Vec<i32> {
        std::mem::take(&mut self.handler.restarts.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Number of values that the plugin changed by itself.
    pub fn n_edits(&self) -> usize {
        self.handler.n_edits.load(std::sync::atomic::Ordering::Relaxed)
    }
}

impl Host for Vst3Host {
    const FORMAT: &'static str = "VST3";
    type Audio = Vst3Audio;

    fn load(path: &Path) -> Result<Self, HostError> {
        Self::load(path)
    }

    fn layout(&self) -> Layout {
        self.layout
    }

    fn select_layout(&mut self, layout: Layout) -> Result<(), HostError> {
        let arrangement = |n_channels| if n_channels == 1 { kMono } else { kStereo };
        let (mut input, mut output) = (arrangement(layout.n_inputs), arrangement(layout.n_outputs));
        // SAFETY: the numbers live as long as the call.
        let result = unsafe { self.processor.setBusArrangements(&mut input, 1, &mut output, 1) };
        accepted(result, "refused a bus arrangement")?;
        self.layout = layout;
        Ok(())
    }

    fn set_offline(&mut self, offline: bool) -> Result<(), HostError> {
        self.set_mode(if offline { ProcessMode::Offline } else { ProcessMode::Realtime });
        Ok(())
    }

    fn parameters(&mut self) -> Vec<Parameter> {
        (0..self.n_parameters()).filter_map(|index| parameter_at(&self.controller, index).ok()).collect()
    }

    fn parameter_at(&mut self, index: u32) -> Option<Parameter> {
        parameter_at(&self.controller, index as i32).ok()
    }

    fn query(&mut self, number: u32, value: f64, text: &CStr) {
        self.query_all(number, value, text);
    }

    fn value(&mut self, id: u32) -> f64 {
        self.normalised(id) * self.scales.of(id)
    }

    fn set_value(&mut self, id: u32, value: f64) -> Result<(), HostError> {
        self.set_normalised(id, value / self.scales.of(id))
    }

    fn save(&mut self) -> Result<Vec<u8>, HostError> {
        self.state(StreamLimits::WHOLE)
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), HostError> {
        self.set_state(state, StreamLimits::WHOLE)
    }

    fn save_through(&mut self, limits: StreamLimits) -> Result<Vec<u8>, HostError> {
        self.state(limits)
    }

    fn restore_through(&mut self, state: &[u8], limits: StreamLimits) -> Result<(), HostError> {
        self.set_state(state, limits)
    }

    fn state_of_json(json: &[u8]) -> Vec<u8> {
        json.to_vec()
    }

    fn json_of_state(state: &[u8]) -> &[u8] {
        state
    }

    fn activate(&mut self, session: Session) -> Result<(), HostError> {
        self.set_up(session)?;
        // SAFETY: no pointers.
        unsafe {
            for direction in [kInput, kOutput] {
                let result = self.component.activateBus(kAudio as i32, direction as i32, 0, 1);
                accepted(result, "does not activate a bus")?;
            }
            accepted(self.component.setActive(1), "refused to start")?;
        }
        self.is_active = true;
        self.turn();
        Ok(())
    }

    fn deactivate(&mut self) {
        if std::mem::take(&mut self.is_active) {
            // SAFETY: no pointers.
            unsafe { self.component.setActive(0) };
        }
    }

    fn drop_active(mut self) {
        self.is_active = false;
    }

    fn latency(&mut self) -> usize {
        // SAFETY: no pointers.
        unsafe { self.processor.getLatencySamples() as usize }
    }

    fn audio(&mut self) -> Vst3Audio {
        Vst3Audio {
            processor: self.processor.clone(),
            scales: self.scales.clone(),
            mode: self.mode.number(),
            _module: self.module.clone(),
        }
    }

    fn turn(&mut self) {
        #[cfg(target_os = "linux")]
        self.turn_run_loop();
    }

    fn take_restarts(&mut self) -> usize {
        self.take_restart_flags().len()
    }

    #[cfg(target_os = "linux")]
    fn open_editor(&mut self, window: &HostWindow) -> Result<(), HostError> {
        self.open_view(window)
    }

    #[cfg(target_os = "linux")]
    fn misuse_editor(&mut self, window: &HostWindow) {
        self.misuse_view(window);
    }

    #[cfg(target_os = "linux")]
    fn close_editor(&mut self) -> Result<(), HostError> {
        match self.close_view()? {
            0 => Ok(()),
            n => Err(HostError::Refused {
                what: "closed its editor",
                reason: format!("and left {n} handlers in the host's event loop"),
            }),
        }
    }
}

impl Drop for Vst3Host {
    fn drop(&mut self) {
        #[cfg(target_os = "linux")]
        if self.editor.is_some() {
            // Nothing can be done about an error here.
            let _ = self.close_view();
        }
        self.deactivate();
        // SAFETY: the plugin no longer uses either; the objects are released after this.
        unsafe {
            self.controller.setComponentHandler(null_mut());
            self.component.terminate();
        }
    }
}
