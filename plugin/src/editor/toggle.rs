//! A switch over one on/off parameter.

use super::gesture::set_once;
use super::hint;
use super::theme::{BODY, Canvas};
use egui::{Align2, CornerRadius, Rect, Response, Role, Sense, Ui, WidgetInfo, vec2};
use nice_plug::prelude::{BoolParam, Param, ParamSetter};

/// Width and height in design units.
pub const SIZE: (f32, f32) = (132.0, 24.0);

/// Draws and handles one switch at (`x`, `y`), of [`SIZE`]. Enter flips it when it has the focus.
pub fn show(ui: &mut Ui, canvas: &Canvas, at: (f32, f32), param: &BoolParam, setter: &ParamSetter) -> Response {
    let rect = canvas.rect(at.0, at.1, SIZE.0, SIZE.1);
    let response = ui.interact(rect, ui.scope_id().with(param.name()), Sense::click());
    let is_on = param.unmodulated_plain_value();
    if response.clicked() {
        set_once(setter, param, !is_on);
    }
    let painter = ui.painter();
    let track = Rect::from_center_size(canvas.pos(at.0 + 20.0, at.1 + 12.0), vec2(32.0, 16.0) * canvas.px(1.0));
    painter.rect_filled(
        track,
        CornerRadius::same(canvas.px(8.0) as u8),
        if is_on { canvas.colours.accent } else { canvas.colours.groove },
    );
    let offset = if is_on { 8.0 } else { -8.0 };
    painter.circle_filled(track.center() + vec2(canvas.px(offset), 0.0), canvas.px(6.0), canvas.colours.text);
    let label = (canvas.pos(at.0 + 44.0, at.1 + 12.0), Align2::LEFT_CENTER);
    canvas.text(painter, label, SIZE.0 - 44.0, (BODY, canvas.colours.text), param.name());
    if response.has_focus() {
        canvas.focus_ring(painter, rect);
    }
    response.widget_info(|| WidgetInfo::selected(Role::CheckBox, true, is_on, param.name()));
    response.on_hover_text(hint::of(param.name()))
}
