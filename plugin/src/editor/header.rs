//! The top line: name, presets, the two sounds that are compared, theme.

use super::theme::Canvas;
use super::{App, button, preset_menu};
use crate::session::Theme;
use egui::{Align2, Stroke, StrokeKind, Ui};
use nice_plug::context::PluginApi;
use nice_plug::context::gui::GuiContext;

/// Draws the line, 900 × 48 design units.
pub fn show(app: &mut App, ui: &mut Ui, canvas: &Canvas, host: &GuiContext) {
    let at = (canvas.pos(16.0, 26.0), Align2::LEFT_CENTER);
    canvas.text(ui.painter(), at, 200.0, (20.0, canvas.colours.text), "Embouchure");
    if host.plugin_api() == PluginApi::Standalone {
        listen(app, ui, canvas);
    }
    preset_menu::show(app, ui, canvas, host);
    compare(app, ui, canvas, host);
    theme(app, ui, canvas, host);
}

/// The app is muted until its player has put headphones on.
fn listen(app: &App, ui: &mut Ui, canvas: &Canvas) {
    let is_listening = app.wiring.shared.is_listening();
    let rect = canvas.rect(148.0, 12.0, 84.0, 28.0);
    let response = button::show(ui, canvas, rect, if is_listening { "Mute" } else { "Listen" }, true);
    if !is_listening && !response.has_focus() {
        let stroke = Stroke::new(canvas.px(1.5), canvas.colours.alarm);
        ui.painter().rect_stroke(rect, canvas.corner(6.0), stroke, StrokeKind::Inside);
    }
    let hint = "Muted, so that loudspeakers do not howl into the microphone. Put headphones on, then listen.";
    if response.on_hover_text(hint).clicked() {
        app.wiring.shared.listen(!is_listening);
    }
}

fn compare(app: &mut App, ui: &mut Ui, canvas: &Canvas, host: &GuiContext) {
    let label = if app.side == 0 { "Sound 1 · 2" } else { "Sound 2 · 1" };
    let response = button::show(ui, canvas, canvas.rect(660.0, 12.0, 110.0, 28.0), label, true);
    let hint = "Two sounds to compare: a click leaves this one as it is and goes to the other.";
    if response.on_hover_text(hint).clicked() {
        app.compare(host);
    }
}

fn theme(app: &App, ui: &mut Ui, canvas: &Canvas, host: &GuiContext) {
    let (label, other) = match app.theme {
        Theme::Dark => ("Light", Theme::Light),
        Theme::Light => ("Dark", Theme::Dark),
    };
    if button::show(ui, canvas, canvas.rect(804.0, 12.0, 84.0, 28.0), label, true).clicked() {
        app.wiring.params.session.edit(|session| session.theme = other);
        app.mark_unsaved(host);
    }
}
