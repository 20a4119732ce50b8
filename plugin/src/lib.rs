//! Embouchure as CLAP, VST3 and app: the host's calls go to the engine, the player's hands to the parameters.

use embouchure_inference::stream::EngineConfig;
use nice_plug::prelude::*;
use nice_plug_egui::RepaintNotifier;
use std::sync::Arc;

pub mod editor;
pub mod effect;
pub mod instruments;
pub mod params;
pub mod session;
pub mod shared;

use editor::{EmbouchureEditor, Wiring};
use effect::Effect;
use instruments::Instruments;
use params::EmbouchureParams;
use shared::{Running, Shared};

/// Seconds of audio between two wake-ups of the editor.
const REPAINT_S: f32 = 0.016;

/// One instance of the plugin.
pub struct Embouchure {
    params: Arc<EmbouchureParams>,
    instruments: Arc<Instruments>,
    shared: Arc<Shared>,
    notifier: RepaintNotifier,
    /// `None` while inactive, and if the engine could not be prepared; then audio passes untouched.
    effect: Option<Effect>,
    is_offline: bool,
    n_inputs: usize,
    samples_per_repaint: usize,
    samples_since_repaint: usize,
}

/// What runs on the framework's background thread.
#[derive(Clone, Copy, Debug)]
pub enum Task {
    /// The host has loaded a session: play its instrument.
    FollowSession,
    /// The player has chosen a shipped instrument.
    OpenBuiltIn(&'static str),
}

impl Default for Embouchure {
    fn default() -> Self {
        let params = Arc::new(EmbouchureParams::default());
        Self {
            instruments: Arc::new(Instruments::new(params.session.clone())),
            params,
            shared: Arc::default(),
            notifier: RepaintNotifier::new(),
            effect: None,
            is_offline: false,
            n_inputs: 2,
            samples_per_repaint: 0,
            samples_since_repaint: 0,
        }
    }
}

impl Plugin for Embouchure {
    const NAME: &'static str = "Embouchure";
    const VENDOR: &'static str = "Embouchure";
    const URL: &'static str = "";
    const EMAIL: &'static str = "";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const AUDIO_IO_LAYOUTS: &'static [AudioIOLayout] =
        &[layout(2, 2, "Stereo"), layout(1, 2, "Mono to stereo"), layout(1, 1, "Mono")];
    const SAMPLE_ACCURATE_AUTOMATION: bool = true;
    type Editor = EmbouchureEditor;
    type SysExMessage = ();
    type BackgroundTask = Task;

    fn task_executor(&mut self) -> TaskExecutor<Self> {
        let (instruments, notifier) = (self.instruments.clone(), self.notifier.clone());
        Box::new(move |task| {
            match task {
                Task::FollowSession => instruments.follow_session(),
                Task::OpenBuiltIn(name) => instruments.open_built_in(name),
            }
            notifier.request_repaint();
        })
    }

    fn params(&self) -> Arc<dyn Params> {
        self.params.clone()
    }

    fn editor(&mut self, executor: AsyncExecutor<Self>) -> Option<EmbouchureEditor> {
        Some(EmbouchureEditor::new(Wiring {
            params: self.params.clone(),
            instruments: self.instruments.clone(),
            shared: self.shared.clone(),
            notifier: self.notifier.clone(),
            executor,
        }))
    }

    fn activate(
        &mut self,
        layout: &AudioIOLayout,
        host: &BufferConfig,
        context: &mut impl ActivateContext<Self>,
    ) -> bool {
        // Here rather than in the background, so that an offline render starts with the right sound.
        self.params.session.take_was_loaded();
        self.instruments.follow_session();
        self.n_inputs = layout.main_input_channels.map_or(0, |n| n.get() as usize);
        self.is_offline = host.process_mode == ProcessMode::Offline;
        self.samples_per_repaint = (REPAINT_S * host.sample_rate) as usize;
        let config = EngineConfig {
            host_rate: host.sample_rate.into(),
            max_block: host.max_buffer_size as usize,
            offline: self.is_offline,
        };
        self.effect = Effect::prepare(config, self.n_inputs, self.instruments.model())
            .inspect_err(|e| self.instruments.report(e.to_string()))
            .ok();
        let engine = self.effect.as_ref().map(Effect::engine);
        let latency_samples = engine.map_or(0, |e| e.latency_samples() as u32);
        context.set_latency_samples(latency_samples);
        let running = Running { host_rate: host.sample_rate, latency_samples };
        self.shared.activated(running, engine.map(|e| e.telemetry().clone()));
        true
    }

    fn deactivate(&mut self) {
        self.instruments.stopped();
        self.shared.deactivated();
        self.effect = None;
    }

    fn reset(&mut self) {
        if let Some(effect) = &mut self.effect {
            effect.reset(&self.params);
        }
    }

    fn process(
        &mut self,
        buffer: &mut Buffer,
        _aux: &mut AuxiliaryBuffers,
        context: &mut impl ProcessContext<Self>,
    ) -> ProcessStatus {
        if self.params.session.take_was_loaded() {
            self.follow_session(context);
        }
        let channels = buffer.as_slice();
        let heard = self.n_inputs.min(channels.len());
        channels[..heard].iter().for_each(|c| self.shared.input.note(c));
        match &mut self.effect {
            Some(effect) => effect.process(channels, &self.params),
            None => copy_mono_input(channels, self.n_inputs),
        }
        channels.iter().for_each(|c| self.shared.output.note(c));
        self.wake_editor(channels.first().map_or(0, |c| c.len()));
        ProcessStatus::Tail(self.effect.as_ref().map_or(0, Effect::tail_samples))
    }
}

impl Embouchure {
    fn follow_session(&self, context: &mut impl ProcessContext<Self>) {
        if self.is_offline {
            // Nobody waits for this block, and the render shall not depend on how fast a file is read.
            util::permit_alloc(|| self.instruments.follow_session());
        } else {
            context.execute_background(Task::FollowSession);
        }
    }

    fn wake_editor(&mut self, n_samples: usize) {
        self.samples_since_repaint += n_samples;
        if self.samples_since_repaint >= self.samples_per_repaint {
            self.samples_since_repaint = 0;
            self.notifier.request_repaint();
        }
    }
}

impl ClapPlugin for Embouchure {
    const CLAP_ID: &'static str = "org.embouchure.embouchure";
    const CLAP_DESCRIPTION: Option<&'static str> = Some("Whistle, hum, sing or play, and hear another instrument");
    const CLAP_MANUAL_URL: Option<&'static str> = None;
    const CLAP_SUPPORT_URL: Option<&'static str> = None;
    const CLAP_FEATURES: &'static [ClapFeature] =
        &[ClapFeature::AudioEffect, ClapFeature::PitchShifter, ClapFeature::Stereo, ClapFeature::Mono];

    fn remote_controls(&self, context: &mut impl RemoteControlsContext) {
        context.add_section("Embouchure", |section| {
            section.add_page("Main", |page| {
                page.add_param(&self.params.mix);
                page.add_param(&self.params.brightness_db);
                page.add_param(&self.params.transpose_semitones);
                page.add_param(&self.params.octave_fit);
                page.add_param(&self.params.gate_db);
                page.add_param(&self.params.gain_db);
            });
        });
    }
}

impl Vst3Plugin for Embouchure {
    const VST3_CLASS_ID: [u8; 16] = *b"EmbouchureTimbre";
    const VST3_SUBCATEGORIES: &'static [Vst3SubCategory] = &[Vst3SubCategory::Fx, Vst3SubCategory::PitchShift];
}

const fn layout(n_inputs: u32, n_outputs: u32, name: &'static str) -> AudioIOLayout {
    AudioIOLayout {
        main_input_channels: NonZeroU32::new(n_inputs),
        main_output_channels: NonZeroU32::new(n_outputs),
        names: PortNames { layout: Some(name), ..PortNames::const_default() },
        ..AudioIOLayout::const_default()
    }
}

/// What the engine would do first: the host fills only the first channel of a stereo output from a mono input.
fn copy_mono_input(channels: &mut [&mut [f32]], n_inputs: usize) {
    if let ([first, second], 1) = (channels, n_inputs) {
        second.copy_from_slice(first);
    }
}

nice_export_clap!(Embouchure);
nice_export_vst3!(Embouchure);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{InstrumentRef, Session};
    use nice_plug::context::PluginApi;
    use nice_plug::context::process::SendEventError;
    use nice_plug::params::persist::PersistentField;
    use std::path::Path;
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

    /// A host that counts tasks and does none.
    struct Host {
        transport: Transport,
        n_tasks: AtomicU32,
    }

    impl ActivateContext<Embouchure> for Host {
        fn plugin_api(&self) -> PluginApi {
            PluginApi::Clap
        }
        fn execute(&self, _task: Task) {}
        fn set_latency_samples(&self, _samples: u32) {}
        fn set_current_voice_capacity(&self, _capacity: u32) {}
    }

    impl ProcessContext<Embouchure> for Host {
        fn plugin_api(&self) -> PluginApi {
            PluginApi::Clap
        }
        fn execute_background(&self, _task: Task) {
            self.n_tasks.fetch_add(1, Relaxed);
        }
        fn execute_gui(&self, _task: Task) {}
        fn transport(&self) -> &Transport {
            &self.transport
        }
        fn next_event(&mut self) -> Option<PluginNoteEvent<Embouchure>> {
            None
        }
        fn try_send_event(
            &mut self,
            _event: PluginNoteEvent<Embouchure>,
        ) -> Result<(), (PluginNoteEvent<Embouchure>, SendEventError)> {
            Ok(())
        }
        fn set_latency_samples(&self, _samples: u32) {}
        fn request_restart(&self) {}
        fn set_current_voice_capacity(&self, _capacity: u32) {}
    }

    struct Bench {
        plugin: Embouchure,
        host: Host,
    }

    impl Bench {
        fn new(process_mode: ProcessMode) -> Self {
            let mut plugin = Embouchure::default();
            let mut host = Host { transport: Transport::new(48_000.0), n_tasks: AtomicU32::new(0) };
            let config =
                BufferConfig { sample_rate: 48_000.0, min_buffer_size: None, max_buffer_size: 64, process_mode };
            assert!(plugin.activate(&Embouchure::AUDIO_IO_LAYOUTS[0], &config, &mut host));
            plugin.reset();
            Self { plugin, host }
        }

        fn load_session_with_missing_file(&self) {
            let instrument = InstrumentRef::file("", Path::new("/nowhere"), "");
            self.plugin.params.session.set(Session { instrument, ..Session::default() });
        }

        fn is_missing_file_reported(&self) -> bool {
            self.plugin.instruments.view().message.is_some_and(|m| m.contains("/nowhere"))
        }

        fn process(&mut self) {
            let (mut left, mut right) = ([0.0; 64], [0.0; 64]);
            let mut buffer = Buffer::default();
            // SAFETY: both channels have 64 samples.
            unsafe {
                buffer.set_slices(64, |slices| *slices = vec![&mut left, &mut right]);
            }
            let mut aux = AuxiliaryBuffers { inputs: &mut [], outputs: &mut [] };
            let status = self.plugin.process(&mut buffer, &mut aux, &mut self.host);
            assert!(matches!(status, ProcessStatus::Tail(n) if n > 24_000), "{status:?}");
        }
    }

    #[test]
    fn a_session_loaded_while_active_is_followed_in_the_background() {
        let mut bench = Bench::new(ProcessMode::Realtime);
        bench.process();
        assert_eq!(bench.host.n_tasks.load(Relaxed), 0);
        bench.load_session_with_missing_file();
        (0..3).for_each(|_| bench.process());
        assert_eq!(bench.host.n_tasks.load(Relaxed), 1);
        bench.plugin.task_executor()(Task::FollowSession);
        assert!(bench.is_missing_file_reported());
    }

    #[test]
    fn offline_it_is_followed_at_once() {
        let mut bench = Bench::new(ProcessMode::Offline);
        bench.load_session_with_missing_file();
        bench.process();
        assert_eq!(bench.host.n_tasks.load(Relaxed), 0);
        assert!(bench.is_missing_file_reported());
    }

    #[test]
    fn an_engine_that_cannot_be_made_leaves_the_input_audible() {
        let mut channels = [[0.5_f32, -0.5], [0.0, 0.0]];
        let [left, right] = &mut channels;
        copy_mono_input(&mut [left, right], 1);
        assert_eq!(channels, [[0.5, -0.5]; 2]);
    }
}
