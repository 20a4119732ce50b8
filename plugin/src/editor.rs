//! The window: an egui app over the parameters and the shared view of the engine.

mod buffer_menu;
mod button;
mod dialog;
mod gesture;
mod knob;
mod layout;
mod meter;
mod note;
mod theme;
mod toggle;
mod window;

pub use window::EmbouchureEditor;

use crate::Embouchure;
use crate::buffer::BufferChoice;
use crate::instruments::Instruments;
use crate::params::EmbouchureParams;
use crate::session::WindowSize;
use crate::shared::Shared;
use gesture::Gestures;
use meter::Meter;
use nice_plug::context::gui::GuiContext;
use nice_plug::prelude::{AsyncExecutor, Param};
use nice_plug_egui::RepaintNotifier;
use std::sync::Arc;
use std::time::Duration;
use theme::Canvas;

/// While open, the window is redrawn at least this often, so that meters fall and messages appear without audio.
const REDRAW_INTERVAL: Duration = Duration::from_millis(33);

/// What the editor is connected to.
pub struct Wiring {
    /// Shown and set.
    pub params: Arc<EmbouchureParams>,
    /// Shown and chosen.
    pub instruments: Arc<Instruments>,
    /// Shown.
    pub shared: Arc<Shared>,
    /// Wakes the window.
    pub notifier: RepaintNotifier,
    /// Runs a session's loading in the background.
    pub executor: AsyncExecutor<Embouchure>,
}

/// State of the window that outlives its being closed.
struct App {
    wiring: Wiring,
    host: Option<GuiContext>,
    gestures: Gestures,
    dialog: dialog::OpenDialog,
    input: Meter,
    output: Meter,
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
        }
    }

    /// A window opens.
    fn opened(&mut self, context: &egui::Context, host: GuiContext) {
        theme::apply(context);
        // A window that was closed in the middle of a drag never said so.
        self.gestures.end_all(&host.param_setter());
        self.host = Some(host);
        // What was noted while nobody looked is no news.
        self.wiring.shared.input.take();
        self.wiring.shared.output.take();
    }

    fn resized(&mut self, size: WindowSize) {
        self.wiring.params.session.edit(|session| session.window = size.usable());
    }

    fn ui(&mut self, ui: &mut egui::Ui) {
        let Some(host) = self.host.clone() else { return };
        ui.ctx().request_repaint_after(REDRAW_INTERVAL);
        self.housekeeping(&host);
        let now_s = ui.input(|i| i.time);
        self.input.update(self.wiring.shared.input.take(), now_s);
        self.output.update(self.wiring.shared.output.take(), now_s);
        let canvas = Canvas::fit(ui.max_rect());
        layout::show(self, ui, &canvas, &host);
    }

    /// What nobody else does while the host is not processing.
    fn housekeeping(&self, host: &GuiContext) {
        if self.wiring.params.session.take_was_loaded() {
            self.wiring.executor.execute_background(crate::Task::FollowSession);
        }
        if self.wiring.instruments.take_is_unsaved() {
            self.mark_unsaved(host);
        }
        if self.wiring.shared.take_restart_wanted() {
            host.request_restart();
        }
    }

    /// The framework cannot tell the host that the session has changed; a touched parameter does.
    fn mark_unsaved(&self, host: &GuiContext) {
        let (setter, mix) = (host.param_setter(), &self.wiring.params.mix);
        setter.begin_set_parameter(mix);
        setter.set_parameter_normalized(mix, mix.unmodulated_normalized_value());
        setter.end_set_parameter(mix);
    }

    /// The host starts the plugin again with the new latency; a choice that is made again measures again.
    fn choose_buffer(&self, host: &GuiContext, choice: BufferChoice) {
        self.wiring.params.session.edit(|session| session.buffer = choice);
        self.mark_unsaved(host);
        host.request_restart();
    }
}
