//! A push button.

use super::theme::{BODY, Canvas, SMALL};
use egui::{Align2, Rect, Response, Role, Sense, Ui, WidgetInfo};

/// Draws a button in `rect`; it answers to clicks and Enter unless it is disabled.
pub fn show(ui: &mut Ui, canvas: &Canvas, rect: Rect, label: &str, is_enabled: bool) -> Response {
    show_at_size(ui, canvas, (rect, BODY), label, is_enabled)
}

/// The same with small print.
pub fn show_small(ui: &mut Ui, canvas: &Canvas, rect: Rect, label: &str, is_enabled: bool) -> Response {
    show_at_size(ui, canvas, (rect, SMALL), label, is_enabled)
}

fn show_at_size(ui: &mut Ui, canvas: &Canvas, (rect, size): (Rect, f32), label: &str, is_enabled: bool) -> Response {
    let sense = if is_enabled { Sense::click() } else { Sense::hover() };
    let response = ui.interact(rect, ui.scope_id().with(label), sense);
    let painter = ui.painter();
    let is_hot = is_enabled && (response.hovered() || response.is_pointer_button_down_on());
    painter.rect_filled(
        rect,
        canvas.corner(6.0),
        if is_hot { canvas.colours.groove } else { canvas.colours.groove.gamma_multiply(0.5) },
    );
    let colour = if is_enabled { canvas.colours.text } else { canvas.colours.dim };
    let width = rect.width() / canvas.px(1.0);
    canvas.text(painter, (rect.center(), Align2::CENTER_CENTER), width, (size, colour), label);
    if response.has_focus() {
        canvas.focus_ring(painter, rect);
    }
    response.widget_info(|| WidgetInfo::labeled(Role::Button, is_enabled, label));
    response
}
