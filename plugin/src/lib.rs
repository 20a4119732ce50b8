//! Embouchure as CLAP plugin, VST3 plugin and app. Maps the host's calls to the engine and the editor's to the
//! parameters.

use embouchure_inference::engine::EngineConfig;
use mute::Mute;
use nice_plug::context::PluginApi;
use nice_plug::prelude::*;
use nice_plug_egui::RepaintNotifier;
use std::path::PathBuf;
use std::sync::Arc;

pub mod audio;
pub mod buffer;
pub mod editor;
pub mod effect;
pub mod engine_choice;
pub mod instruments;
pub mod library;
mod migration;
mod mute;
pub mod params;
pub mod session;
pub mod shared;
pub mod tasks;
#[cfg(test)]
mod test_folder;
#[cfg(test)]
mod test_host;
#[cfg(test)]
mod test_library;
pub mod whole_file;

use audio::SharedAudio;
use buffer::{BlockWatch, BufferChoice};
use editor::{EmbouchureEditor, Wiring};
use effect::Effect;
use embouchure_inference::play::Slot;
use engine_choice::EngineChoice;
use instruments::Instruments;
use library::Library;
use library::presets::Preset;
use params::{EmbouchureParams, Page};
use session::{SessionField, WindowSize};
use shared::{Running, Shared};
use tasks::{Background, Tasks};

/// Seconds of audio between two wake-ups of the editor.
const REPAINT_S: f32 = 0.016;

/// One instance of the plugin.
pub struct Embouchure {
    library: Arc<Library>,
    params: Arc<EmbouchureParams>,
    instruments: Arc<Instruments>,
    shared: Arc<Shared>,
    notifier: RepaintNotifier,
    tasks: Tasks,
    /// Set in the app only.
    audio: Option<Arc<SharedAudio>>,
    /// `None` while inactive (silence), and if the engine could not be prepared (audio passes untouched).
    effect: Option<Effect>,
    is_active: bool,
    /// The host has stopped processing. The framework's call of `reset` at the next start must then change nothing.
    is_paused: bool,
    is_offline: bool,
    blocks: BlockWatch,
    /// Longest block that the present latency covers, samples.
    max_block: usize,
    /// The session leaves `max_block` to the plugin.
    is_auto: bool,
    /// Input channels of the host's layout.
    n_inputs: usize,
    /// Values of the parameters of instruments A and B in the last block.
    places: [i32; 2],
    /// Set in the app only.
    mute: Option<Mute>,
    samples_per_repaint: usize,
    samples_since_repaint: usize,
}

/// Work for the background thread.
#[derive(Clone, Debug)]
pub enum Task {
    /// Load the instruments that session and parameters name, after the host has changed either. The engine plays them
    /// once it has counted this many requested loads.
    UpdateInstruments(u32),
    /// Read the player's folders.
    Rescan,
    /// Create the player's folder for instruments.
    MakeFolder,
    /// Write a preset and list it.
    SavePreset(Box<Preset>),
    /// Delete one of the player's presets, by name.
    DeletePreset(String),
    /// Rename one of the player's presets, from the first name to the second.
    RenamePreset(String, String),
    /// Play an instrument file in a slot.
    OpenFile(Slot, PathBuf),
}

/// How the framework makes an instance for a host: with the library and thread that all instances of the process share.
impl Default for Embouchure {
    fn default() -> Self {
        Self::new(Library::of_this_process(), Background::of_this_process())
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
    type BackgroundTask = ();

    fn filter_state(state: &mut PluginState) {
        migration::complete(state);
    }

    fn params(&self) -> Arc<dyn Params> {
        self.params.clone()
    }

    fn editor(&mut self, _executor: AsyncExecutor<Self>) -> Option<EmbouchureEditor> {
        Some(EmbouchureEditor::new(Wiring {
            library: self.library.clone(),
            params: self.params.clone(),
            instruments: self.instruments.clone(),
            shared: self.shared.clone(),
            notifier: self.notifier.clone(),
            tasks: self.tasks.clone(),
            audio: self.audio.clone(),
        }))
    }

    fn activate(
        &mut self,
        layout: &AudioIOLayout,
        host: &BufferConfig,
        context: &mut impl ActivateContext<Self>,
    ) -> bool {
        // On this thread and not in the background, so that an offline render starts with the right sound.
        self.params.session.take_was_loaded();
        self.places = self.params.places();
        self.instruments.update(0);
        self.n_inputs = layout.main_input_channels.map_or(0, |n| n.get() as usize);
        self.is_offline = host.process_mode == ProcessMode::Offline;
        self.samples_per_repaint = (REPAINT_S * host.sample_rate) as usize;
        self.mute = (context.plugin_api() == PluginApi::Standalone).then(|| Mute::new(host.sample_rate));
        let (buffer, engine_choice) = self.choose_max_block(host);
        let config = EngineConfig {
            host_rate: host.sample_rate.into(),
            max_block: self.max_block,
            offline: self.is_offline,
            driver: engine_choice.driver(),
        };
        self.effect = Effect::prepare(config, self.n_inputs, self.instruments.start(config.driver))
            .inspect_err(|e| self.instruments.report(e.to_string()))
            .ok();
        let engine = self.effect.as_ref().map(Effect::engine);
        let latency_samples = engine.map_or(0, |e| e.latency_samples() as u32);
        context.set_latency_samples(latency_samples);
        let is_raised = engine.is_some_and(|e| e.telemetry().view().worker_is_raised);
        let place = match engine_choice {
            EngineChoice::Direct => "in the callback",
            EngineChoice::Worker if is_raised => "on a worker with realtime priority",
            EngineChoice::Worker => "on a worker without realtime priority",
        };
        nice_log!(
            "longest block {} (host announces {}), latency {latency_samples}, engine {place}",
            self.max_block,
            host.max_buffer_size,
        );
        let running = Running {
            is_offline: self.is_offline,
            host_rate: host.sample_rate,
            latency_samples,
            buffer,
            engine: engine_choice,
            max_block: self.max_block as u32,
        };
        self.shared.activated(running, engine.map(|e| e.telemetry().clone()));
        (self.is_active, self.is_paused) = (true, false);
        true
    }

    fn deactivate(&mut self) {
        self.instruments.engine_stopped();
        self.shared.deactivated();
        self.effect = None;
        self.is_active = false;
    }

    /// A pause. Processing continues afterwards with the same state, because some hosts stop and start around each
    /// block.
    fn stop_processing(&mut self) {
        self.is_paused = true;
    }

    fn reset(&mut self) {
        let is_resumed = std::mem::take(&mut self.is_paused);
        if let Some(effect) = self.effect.as_mut().filter(|_| !is_resumed) {
            effect.reset();
        }
        // Nothing sounds at a reset, so a restart now interrupts nothing.
        if self.is_auto && self.blocks.needs_less_than(self.max_block) {
            self.shared.want_restart();
        }
    }

    fn process(
        &mut self,
        buffer: &mut Buffer,
        _aux: &mut AuxiliaryBuffers,
        context: &mut impl ProcessContext<Self>,
    ) -> ProcessStatus {
        let places = self.params.places();
        let is_moved = places != std::mem::replace(&mut self.places, places);
        if is_moved | self.params.session.take_was_loaded() {
            self.update_instruments();
        }
        let channels = buffer.as_slice();
        if !self.is_active {
            channels.iter_mut().for_each(|c| c.fill(0.0));
            return ProcessStatus::Normal;
        }
        let is_piece = self.watch_block(channels, context);
        let heard = self.n_inputs.min(channels.len());
        channels[..heard].iter().for_each(|c| self.shared.input.note(c));
        match &mut self.effect {
            Some(effect) => effect.process(channels, &self.params, is_piece),
            None => copy_mono_input(channels, self.n_inputs),
        }
        if let Some(mute) = &mut self.mute {
            mute.process(channels, self.shared.is_listening());
        }
        channels.iter().for_each(|c| self.shared.output.note(c));
        self.wake_editor(channels.first().map_or(0, |c| c.len()));
        ProcessStatus::Tail(self.effect.as_ref().map_or(0, Effect::tail_samples))
    }
}

impl Embouchure {
    /// An inactive instance. Its blocking work runs in `background`.
    pub fn new(library: Arc<Library>, background: Arc<Background>) -> Self {
        let params = Arc::new(EmbouchureParams::new(&library));
        let instruments = Arc::new(Instruments::new(library.clone(), params.clone()));
        let (shared, notifier) = (Arc::<Shared>::default(), RepaintNotifier::new());
        let work = Work {
            library: library.clone(),
            session: params.session.clone(),
            instruments: instruments.clone(),
            shared: shared.clone(),
            notifier: notifier.clone(),
        };
        let reports = instruments.clone();
        Self {
            tasks: Tasks::new(background, move |task| work.run(task), move |message| reports.report(message)),
            library,
            instruments,
            params,
            shared,
            notifier,
            audio: None,
            effect: None,
            is_active: false,
            is_paused: false,
            is_offline: false,
            blocks: BlockWatch::default(),
            max_block: 0,
            is_auto: false,
            n_inputs: 2,
            places: [0; 2],
            mute: None,
            samples_per_repaint: 0,
            samples_since_repaint: 0,
        }
    }

    /// An instance for the app, whose sound card is chosen through `audio`.
    pub fn as_app(audio: Arc<SharedAudio>) -> Self {
        Self { audio: Some(audio), ..Self::default() }
    }

    /// Sets the window's size to `times` the design size.
    pub fn scale_window(&self, times: f32) {
        let design = WindowSize::DESIGN;
        let size = WindowSize { width: design.width * times, height: design.height * times };
        self.params.session.edit(|session| session.window = size.usable());
    }

    /// A function that reads the latency, samples at the host's rate; 0 while inactive.
    pub fn latency(&self) -> Box<dyn Fn() -> u32 + Send> {
        let shared = self.shared.clone();
        Box::new(move || shared.running().map_or(0, |running| running.latency_samples))
    }

    fn update_instruments(&mut self) {
        let n_loads = self.effect.as_mut().map_or(0, Effect::expect_load);
        if self.is_offline {
            // An offline block has no deadline, and the render must not depend on how fast a file is read.
            util::permit_alloc(|| self.instruments.update(n_loads));
        } else {
            self.tasks.update_instruments(n_loads);
        }
    }

    /// Sets `max_block` for this start; returns the session's choices that it follows from. The direct engine has the
    /// same latency for all blocks, so it never has to start again because of them.
    fn choose_max_block(&mut self, host: &BufferConfig) -> (BufferChoice, EngineChoice) {
        self.blocks.start(host.max_buffer_size as usize, host.sample_rate, !self.is_offline);
        let session = self.params.session.get();
        let is_worker = session.engine == EngineChoice::Worker;
        self.max_block = if is_worker { session.buffer } else { BufferChoice::Host }.max_block(&self.blocks);
        self.is_auto = is_worker && session.buffer == BufferChoice::Auto;
        (session.buffer, session.engine)
    }

    /// Requests a restart if the latency has to change, at most once for each reason: a block was longer than
    /// `max_block`, so its frames were late; the player chose another block; a shorter one suffices. Returns true if
    /// the framework cut these samples from the same host block as those before.
    fn watch_block(&mut self, channels: &[&mut [f32]], context: &mut impl ProcessContext<Self>) -> bool {
        let live = channels.first().filter(|_| !self.is_offline);
        let is_piece = live.is_some_and(|channel| self.blocks.measure(channel));
        if self.is_auto && self.blocks.needs_more_than(self.max_block) {
            // Requests it only once until the next start, even if the host does not restart.
            self.is_auto = false;
            self.shared.want_restart();
        }
        if self.shared.take_restart_wanted() {
            context.request_restart();
        }
        is_piece
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
            for page in Page::ALL {
                section.add_page(page.name(), |controls| {
                    self.params.on_page(page).into_iter().for_each(|param| param.add_to(controls));
                });
            }
        });
    }
}

impl Vst3Plugin for Embouchure {
    const VST3_CLASS_ID: [u8; 16] = *b"EmbouchureTimbre";
    const VST3_SUBCATEGORIES: &'static [Vst3SubCategory] = &[Vst3SubCategory::Fx, Vst3SubCategory::PitchShift];
}

/// Runs an instance's tasks on the background thread.
struct Work {
    library: Arc<Library>,
    session: Arc<SessionField>,
    instruments: Arc<Instruments>,
    shared: Arc<Shared>,
    notifier: RepaintNotifier,
}

impl Work {
    fn run(&self, task: Task) {
        let Library { shelf, presets, .. } = &*self.library;
        match task {
            Task::UpdateInstruments(n_loads) => self.update_instruments(n_loads),
            Task::Rescan => self.library.rescan(),
            Task::MakeFolder => {
                self.report_failure(shelf.make_folder(), "the folder for instruments could not be made");
                shelf.rescan();
            }
            Task::SavePreset(preset) => {
                self.report_failure(presets.save(&preset), &format!("the preset {:?} could not be saved", preset.name));
                presets.rescan();
            }
            Task::DeletePreset(name) => {
                self.report_failure(presets.delete(&name), &format!("the preset {name:?} could not be deleted"));
                presets.rescan();
            }
            Task::RenamePreset(from, to) => self.rename_preset(&from, &to),
            Task::OpenFile(slot, path) => self.instruments.open_file(slot, &path),
        }
        self.notifier.request_repaint();
    }

    fn update_instruments(&self, n_loads: u32) {
        self.instruments.update(n_loads);
        let session = self.session.get();
        let is_other = |running: Running| (running.buffer, running.engine) != (session.buffer, session.engine);
        if self.shared.running().is_some_and(is_other) {
            self.shared.want_restart();
        }
    }

    fn rename_preset(&self, from: &str, to: &str) {
        let presets = &self.library.presets;
        let renamed = presets.rename(from, to);
        if renamed.is_err() {
            // The editor has already put the new name into the session.
            self.session.edit(|session| {
                if session.preset == to {
                    session.preset = from.into();
                }
            });
        }
        self.report_failure(renamed, &format!("the preset {from:?} could not be renamed"));
        presets.rescan();
    }

    /// Shows the error of a failed task.
    fn report_failure(&self, done: std::io::Result<()>, failure: &str) {
        if let Err(e) = done {
            self.instruments.report(format!("{failure}: {e}"));
        }
    }
}

const fn layout(n_inputs: u32, n_outputs: u32, name: &'static str) -> AudioIOLayout {
    AudioIOLayout {
        main_input_channels: NonZeroU32::new(n_inputs),
        main_output_channels: NonZeroU32::new(n_outputs),
        names: PortNames { layout: Some(name), ..PortNames::const_default() },
        ..AudioIOLayout::const_default()
    }
}

/// Copies a mono input to the second output channel, which the host leaves unfilled. With an engine, the engine does
/// this.
fn copy_mono_input(channels: &mut [&mut [f32]], n_inputs: usize) {
    if let ([first, second], 1) = (channels, n_inputs) {
        second.copy_from_slice(first);
    }
}

nice_export_clap!(Embouchure);
nice_export_vst3!(Embouchure);

#[cfg(test)]
mod tests;
