//! A push button.

use super::area::Area;
use super::theme::{BODY, Canvas, SMALL};
use egui::{Align2, Response, Role, Sense, Ui, WidgetInfo};

/// Draws a button in `area`. Unless it is disabled, it responds to clicks and Enter.
pub fn show(ui: &mut Ui, canvas: &Canvas, area: Area, label: &str, is_enabled: bool) -> Response {
    show_at_size(ui, canvas, (area, BODY), label, is_enabled)
}

/// The same in small type.
pub fn show_small(ui: &mut Ui, canvas: &Canvas, area: Area, label: &str, is_enabled: bool) -> Response {
    show_at_size(ui, canvas, (area, SMALL), label, is_enabled)
}

fn show_at_size(ui: &mut Ui, canvas: &Canvas, (area, size): (Area, f32), label: &str, is_enabled: bool) -> Response {
    let rect = canvas.rect(area);
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
    canvas.text(painter, (rect.center(), Align2::CENTER_CENTER), area.width, (size, colour), label);
    if response.has_focus() {
        canvas.focus_ring(painter, rect);
    }
    response.widget_info(|| WidgetInfo::labeled(Role::Button, is_enabled, label));
    response
}
