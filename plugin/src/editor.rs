//! The window: an egui app that shows the parameters and the engine's telemetry.

mod area;
mod audio_page;
mod buffer_menu;
mod button;
mod dialog;
mod entry;
mod gesture;
mod harmonics;
mod header;
mod instrument_panel;
mod keys;
mod knob;
mod layout;
mod meter;
mod note;
mod preset_menu;
mod rejected;
mod shelf_menu;
mod status;
mod theme;
mod toggle;
mod trace;
mod tree;
mod typed_path;
mod warning;
mod window;
#[cfg(target_os = "linux")]
mod xembed;

pub use window::EmbouchureEditor;

use crate::Task;
use crate::audio::{DeviceChoice, SharedAudio};
use crate::buffer::BufferChoice;
use crate::engine_choice::EngineChoice;
use crate::instruments::{Instruments, Playing};
use crate::library::presets::Preset;
use crate::library::{InstrumentRef, Library};
use crate::params::EmbouchureParams;
use crate::session::{Theme, WindowSize};
use crate::shared::Shared;
use crate::tasks::Tasks;
use embouchure_inference::play::Slot;
use embouchure_inference::play::blend_range;
use gesture::{Gestures, set_once};
use harmonics::Harmonics;
use keys::Keyboard;
use meter::Meter;
use nice_plug::context::gui::GuiContext;
use nice_plug::prelude::Param;
use nice_plug_egui::{Frame, RepaintNotifier};
use std::sync::Arc;
use std::time::Duration;
use theme::Canvas;
use trace::Trace;
use warning::Warnings;

/// Longest time between two redraws of an open window, so that meters fall and messages appear without audio.
const REDRAW_INTERVAL: Duration = Duration::from_millis(33);
/// Time between two scans of the player's folders, s.
const RESCAN_S: f64 = 2.0;

/// Parts of the instance that the editor uses.
pub struct Wiring {
    /// Instruments and presets to choose from.
    pub library: Arc<Library>,
    /// Parameters to show and set.
    pub params: Arc<EmbouchureParams>,
    /// The instruments that play.
    pub instruments: Arc<Instruments>,
    /// Levels, latency and telemetry to show.
    pub shared: Arc<Shared>,
    /// Wakes the window.
    pub notifier: RepaintNotifier,
    /// Runs blocking work in the background.
    pub tasks: Tasks,
    /// Choice of devices; in the app only.
    pub audio: Option<Arc<SharedAudio>>,
}

/// State of the editor, kept while its window is closed.
struct App {
    wiring: Wiring,
    host: Option<GuiContext>,
    gestures: Gestures,
    dialog: dialog::OpenDialog,
    input: Meter,
    output: Meter,
    trace: Trace,
    harmonics: Harmonics,
    /// The two sounds to compare, as they were when they were last left.
    compared: [Option<Preset>; 2],
    /// Index of the compared sound that is heard.
    side: usize,
    /// Text in the search field of the instrument list.
    search: String,
    /// Index of the search result that the keyboard has selected.
    found: Option<usize>,
    /// Path typed in place of a file dialog.
    typed_path: String,
    /// The field for the path is open.
    is_path_asked: bool,
    /// Late frames at the player's last reset of the counter.
    late_seen: u64,
    warnings: Warnings,
    /// The app's audio page is open.
    is_audio_page: bool,
    /// Name typed for a preset.
    preset_name: String,
    preset_question: Option<preset_menu::Question>,
    theme: Theme,
    /// Theme and scale that egui's own style was last set for.
    styled: Option<(Theme, f32)>,
    /// Time of the last scan of the folders, s.
    scanned_s: Option<f64>,
    /// Values of the parameters of instruments A and B in the last frame.
    places: [i32; 2],
    /// What slots A and B play in this frame; empty between frames.
    views: [Playing; 2],
}

impl App {
    fn new(wiring: Wiring) -> Self {
        Self {
            wiring,
            host: None,
            gestures: Gestures::default(),
            dialog: dialog::OpenDialog::default(),
            input: Meter::default(),
            output: Meter::default(),
            trace: Trace::default(),
            harmonics: Harmonics::default(),
            compared: [None, None],
            side: 0,
            search: String::new(),
            found: None,
            typed_path: String::new(),
            is_path_asked: false,
            late_seen: 0,
            warnings: Warnings::default(),
            is_audio_page: false,
            preset_name: String::new(),
            preset_question: None,
            theme: Theme::default(),
            styled: None,
            scanned_s: None,
            places: [0; 2],
            views: Default::default(),
        }
    }

    /// Call when a window has opened.
    fn opened(&mut self, host: GuiContext) {
        // A new window has egui's default style.
        self.styled = None;
        // A window that was closed during a drag did not end the drag's gesture.
        self.gestures.end_all(&host.param_setter());
        self.host = Some(host);
        // Peaks from before the window opened are not shown.
        self.wiring.shared.input.take();
        self.wiring.shared.output.take();
        self.warnings = Warnings::default();
        self.scanned_s = None;
    }

    fn resized(&mut self, size: WindowSize) {
        self.wiring.params.session.edit(|session| session.window = size.usable());
    }

    fn ui(&mut self, ui: &mut egui::Ui, frame: &mut Frame) {
        self.show(ui);
        // After drawing, because menus that this frame opened or closed change which keys the editor takes.
        frame.set_key_capture(Keyboard::of(ui).capture());
    }

    fn show(&mut self, ui: &mut egui::Ui) {
        let Some(host) = self.host.clone() else { return };
        Keyboard::of(ui).leave_to_host(ui);
        ui.ctx().request_repaint_after(REDRAW_INTERVAL);
        let now_s = ui.input(|i| i.time);
        self.housekeeping(&host, now_s);
        self.theme = self.wiring.params.session.get().theme;
        self.views = Slot::ALL.map(|slot| self.wiring.instruments.playing(slot));
        let telemetry = self.wiring.shared.telemetry();
        let input_peak = self.wiring.shared.input.take();
        self.input.update(input_peak, now_s);
        self.output.update(self.wiring.shared.output.take(), now_s);
        self.trace.update(&telemetry, now_s);
        self.harmonics.update(&telemetry, now_s);
        let has_input = self.wiring.audio.as_ref().is_some_and(|audio| audio.wanted().input != DeviceChoice::Nothing);
        let range_hz = self.playable_hz();
        self.warnings.update(now_s, &warning::Observed { has_input, input_peak, telemetry: &telemetry, range_hz });
        let canvas = Canvas::fit(ui.max_rect(), self.theme);
        self.restyle(ui.ctx(), &canvas);
        layout::show(self, ui, &canvas, &host, &telemetry);
        // They share weights, which a closed window must not keep in memory.
        self.views = Default::default();
    }

    /// Loads instruments and requests restarts, as `process` does, because the host may not be processing.
    fn housekeeping(&mut self, host: &GuiContext, now_s: f64) {
        let params = &self.wiring.params;
        let places = params.places();
        let is_offline = self.wiring.shared.running().is_some_and(|running| running.is_offline);
        if !is_offline && ((places != self.places) | params.session.take_was_loaded()) {
            self.places = places;
            self.wiring.tasks.send(Task::UpdateInstruments(0));
        }
        if self.wiring.instruments.take_is_unsaved() {
            self.mark_unsaved(host);
        }
        if self.wiring.shared.take_restart_wanted() {
            host.request_restart();
        }
        if self.scanned_s.is_none_or(|at| !(0.0..RESCAN_S).contains(&(now_s - at))) {
            self.scanned_s = Some(now_s);
            self.wiring.tasks.send(Task::Rescan);
        }
    }

    fn restyle(&mut self, context: &egui::Context, canvas: &Canvas) {
        let wanted = Some((self.theme, canvas.px(1.0)));
        if self.styled != wanted {
            self.styled = wanted;
            theme::apply(context, self.theme, canvas.px(1.0));
        }
    }

    /// Tells the host that the session has changed. The framework has no call for that, so it sets a parameter to its
    /// value.
    fn mark_unsaved(&self, host: &GuiContext) {
        let (setter, mix) = (host.param_setter(), &self.wiring.params.mix.mix);
        set_once(&setter, mix, mix.unmodulated_plain_value());
    }

    /// Stores the choice and requests a restart, with which the latency changes. The same choice again measures again.
    fn choose_buffer(&self, host: &GuiContext, choice: BufferChoice) {
        self.wiring.params.session.edit(|session| session.buffer = choice);
        self.mark_unsaved(host);
        host.request_restart();
    }

    /// Stores the choice and requests a restart, with which the latency changes.
    fn choose_engine(&self, host: &GuiContext, choice: EngineChoice) {
        self.wiring.params.session.edit(|session| session.engine = choice);
        self.mark_unsaved(host);
        host.request_restart();
    }

    /// Plays the instrument at `place` of the shelf. `place` 0: not on the shelf, or none.
    fn choose(&self, host: &GuiContext, slot: Slot, place: i32, instrument: Option<InstrumentRef>) {
        let (params, setter) = (&self.wiring.params, host.param_setter());
        params.session.edit(|session| session.choose(slot, instrument, place));
        set_once(&setter, params.instrument(slot), place);
        // If the parameter has this value already, no change of it loads the instrument.
        self.wiring.tasks.send(Task::UpdateInstruments(0));
    }

    /// Playable range of the sound, Hz: that of A, blended with B's by the morph.
    fn playable_hz(&self) -> Option<[f32; 2]> {
        let [first, second] = self.views.each_ref().map(Playing::range_hz);
        let amount = self.wiring.params.instruments.morph.value();
        first.map(|first| blend_range(first, second.unwrap_or(first), amount))
    }

    /// The present sound as a preset.
    fn captured(&self) -> Preset {
        let playing = Slot::ALL.map(|slot| self.wiring.instruments.source(slot));
        Preset::capture(&self.wiring.params.session.get().preset, &self.wiring.params, playing)
    }

    fn load_preset(&self, host: &GuiContext, preset: &Preset) {
        preset.apply(&self.wiring.library.shelf, &self.wiring.params, &host.param_setter());
        self.wiring.tasks.send(Task::UpdateInstruments(0));
    }

    /// Switches from one of the compared sounds to the other.
    fn compare(&mut self, host: &GuiContext) {
        self.compared[self.side] = Some(self.captured());
        self.side = 1 - self.side;
        if let Some(other) = self.compared[self.side].clone() {
            self.load_preset(host, &other);
        }
    }
}

#[cfg(test)]
pub use layout::shown;
#[cfg(test)]
mod tests;
