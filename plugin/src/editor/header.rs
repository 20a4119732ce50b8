//! The top line: name, presets, the two sounds that are compared, theme.

use super::theme::{BODY, Canvas};
use super::{App, button, preset_menu};
use crate::session::Theme;
use egui::{Align2, Ui};
use nice_plug::context::gui::GuiContext;

/// Draws the line, 900 × 48 design units.
pub fn show(app: &mut App, ui: &mut Ui, canvas: &Canvas, host: &GuiContext) {
    let at = (canvas.pos(16.0, 26.0), Align2::LEFT_CENTER);
    canvas.text(ui.painter(), at, 200.0, (20.0, canvas.colours.text), "Embouchure");
    preset_menu::show(app, ui, canvas, host);
    compare(app, ui, canvas, host);
    theme(app, ui, canvas, host);
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
    let at = (canvas.pos(160.0, 26.0), Align2::LEFT_CENTER);
    canvas.text(ui.painter(), at, 60.0, (BODY, canvas.colours.dim), env!("CARGO_PKG_VERSION"));
}
