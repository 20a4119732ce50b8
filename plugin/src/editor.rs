//! The window: an egui app over the parameters and the shared view of the engine.

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
use crate::audio::{AudioDesk, DeviceChoice};
use crate::buffer::BufferChoice;
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

/// While open, the window is redrawn at least this often, so that meters fall and messages appear without audio.
const REDRAW_INTERVAL: Duration = Duration::from_millis(33);
/// Time between two looks into the player's folders, s.
const RESCAN_S: f64 = 2.0;

/// What the editor is connected to.
pub struct Wiring {
    /// Shown and chosen from.
    pub library: Arc<Library>,
    /// Shown and set.
    pub params: Arc<EmbouchureParams>,
    /// Shown and chosen.
    pub instruments: Arc<Instruments>,
    /// Shown.
    pub shared: Arc<Shared>,
    /// Wakes the window.
    pub notifier: RepaintNotifier,
    /// Runs what takes long in the background.
    pub tasks: Tasks,
    /// Only in the app: where its sound is chosen.
    pub desk: Option<Arc<AudioDesk>>,
}

/// State of the window that outlives its being closed.
struct App {
    wiring: Wiring,
    host: Option<GuiContext>,
    gestures: Gestures,
    dialog: dialog::OpenDialog,
    input: Meter,
    output: Meter,
    trace: Trace,
    harmonics: Harmonics,
    /// The two sounds that are compared, the one that is not heard as it was left.
    compared: [Option<Preset>; 2],
    side: usize,
    /// What is looked for on the shelf, and the name that is typed for a preset.
    search: String,
    /// Which of the instruments that were found the keyboard is at, once it is used.
    found: Option<usize>,
    /// Path of a file where there is no dialog, and whether the field has been shown.
    typed_path: String,
    is_path_asked: bool,
    /// Late frames that the player has put aside.
    late_seen: u64,
    warnings: Warnings,
    /// The page on which the app's sound is chosen is open.
    is_audio_page: bool,
    preset_name: String,
    preset_question: Option<preset_menu::Question>,
    theme: Theme,
    /// What egui's own style was last made for.
    styled: Option<(Theme, f32)>,
    scanned_s: Option<f64>,
    /// Where the instruments' parameters were at the last look.
    places: [i32; 2],
    /// What both slots play in this frame; empty between frames.
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

    /// A window opens.
    fn opened(&mut self, host: GuiContext) {
        // Every window has a style of its own.
        self.styled = None;
        // A window that was closed in the middle of a drag never said so.
        self.gestures.end_all(&host.param_setter());
        self.host = Some(host);
        // What was noted while nobody looked is no news.
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
        // What was opened or closed in this frame counts from the next key on.
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
        let has_input = self.wiring.desk.as_ref().is_some_and(|desk| desk.wanted().input != DeviceChoice::Nothing);
        let range_hz = self.playable_hz();
        self.warnings.look(now_s, &warning::Seen { has_input, input_peak, telemetry: &telemetry, range_hz });
        let canvas = Canvas::fit(ui.max_rect(), self.theme);
        self.restyle(ui.ctx(), &canvas);
        layout::show(self, ui, &canvas, &host, &telemetry);
        // They share weights, which a window that is closed must not keep in memory.
        self.views = Default::default();
    }

    /// What nobody else does while the host is not processing.
    fn housekeeping(&mut self, host: &GuiContext, now_s: f64) {
        let params = &self.wiring.params;
        let places = params.places();
        let is_bounced = self.wiring.shared.running().is_some_and(|running| running.is_offline);
        if !is_bounced && ((places != self.places) | params.session.take_was_loaded()) {
            self.places = places;
            self.wiring.tasks.send(Task::Follow(0));
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

    /// The framework cannot tell the host that the session has changed; a touched parameter does.
    fn mark_unsaved(&self, host: &GuiContext) {
        let (setter, mix) = (host.param_setter(), &self.wiring.params.mix.mix);
        set_once(&setter, mix, mix.unmodulated_plain_value());
    }

    /// The host starts the plugin again with the new latency; a choice that is made again measures again.
    fn choose_buffer(&self, host: &GuiContext, choice: BufferChoice) {
        self.wiring.params.session.edit(|session| session.buffer = choice);
        self.mark_unsaved(host);
        host.request_restart();
    }

    /// Plays what is at a place of the shelf; at 0, nothing.
    fn choose(&self, host: &GuiContext, slot: Slot, place: i32, instrument: Option<InstrumentRef>) {
        let (params, setter) = (&self.wiring.params, host.param_setter());
        params.session.edit(|session| session.choose(slot, instrument, place));
        set_once(&setter, params.instrument(slot), place);
        // The parameter may be there already, and then nobody else notices.
        self.wiring.tasks.send(Task::Follow(0));
    }

    /// Where what is heard can play, Hz: A, or on the way from A to B.
    fn playable_hz(&self) -> Option<[f32; 2]> {
        let [first, second] = self.views.each_ref().map(Playing::range_hz);
        let amount = self.wiring.params.instruments.morph.value();
        first.map(|first| blend_range(first, second.unwrap_or(first), amount))
    }

    /// The sound as it is.
    fn captured(&self) -> Preset {
        let playing = Slot::ALL.map(|slot| self.wiring.instruments.source(slot));
        Preset::capture(&self.wiring.params.session.get().preset, &self.wiring.params, playing)
    }

    fn load_preset(&self, host: &GuiContext, preset: &Preset) {
        preset.apply(&self.wiring.library.shelf, &self.wiring.params, &host.param_setter());
        self.wiring.tasks.send(Task::Follow(0));
    }

    /// From one of the compared sounds to the other.
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
