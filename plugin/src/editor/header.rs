//! The top line: name, mute of the app, comparison of two sounds, theme.

use super::area::Area;
use super::theme::Canvas;
use super::{App, button};
use crate::session::Theme;
use egui::{Align, Stroke, StrokeKind, Ui};
use nice_plug::context::PluginApi;
use nice_plug::context::gui::GuiContext;

/// The plugin's name.
pub fn title(ui: &Ui, canvas: &Canvas, area: Area) {
    canvas.line(ui.painter(), (area, Align::Min), (20.0, canvas.colours.text), "Embouchure");
}

/// The app's button "Listen" or "Mute".
pub fn listen(app: &App, ui: &mut Ui, canvas: &Canvas, host: &GuiContext, area: Area) {
    if host.plugin_api() != PluginApi::Standalone {
        return;
    }
    let is_listening = app.wiring.shared.is_listening();
    let response = button::show(ui, canvas, area, if is_listening { "Mute" } else { "Listen" }, true);
    if !is_listening && !response.has_focus() {
        let stroke = Stroke::new(canvas.px(1.5), canvas.colours.alarm);
        ui.painter().rect_stroke(canvas.rect(area), canvas.corner(6.0), stroke, StrokeKind::Inside);
    }
    let hint =
        "The app starts muted, so that loudspeakers do not feed back into the microphone. Put headphones on first.";
    if response.on_hover_text(hint).clicked() {
        app.wiring.shared.listen(!is_listening);
    }
}

/// The button that switches between the compared sounds.
pub fn compare(app: &mut App, ui: &mut Ui, canvas: &Canvas, host: &GuiContext, area: Area) {
    let label = if app.side == 0 { "Sound 1 · 2" } else { "Sound 2 · 1" };
    let response = button::show(ui, canvas, area, label, true);
    let hint = "Compares two sounds. A click keeps this one and switches to the other.";
    if response.on_hover_text(hint).clicked() {
        app.compare(host);
    }
}

/// The button that switches between the dark and the light theme.
pub fn theme(app: &App, ui: &mut Ui, canvas: &Canvas, host: &GuiContext, area: Area) {
    let (label, other) = match app.theme {
        Theme::Dark => ("Light", Theme::Light),
        Theme::Light => ("Dark", Theme::Dark),
    };
    if button::show(ui, canvas, area, label, true).clicked() {
        app.wiring.params.session.edit(|session| session.theme = other);
        app.mark_unsaved(host);
    }
}
