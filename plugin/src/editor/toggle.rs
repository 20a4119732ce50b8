//! A switch for one on/off parameter.

use super::area::{Area, REST};
use super::gesture::set_once;
use super::theme::{BODY, Canvas};
use egui::{Align, CornerRadius, Rect, Response, Role, Sense, Ui, WidgetInfo, vec2};
use nice_plug::prelude::{BoolParam, Param, ParamSetter};

/// Draws and handles one switch. A click changes it, or Enter while it has the focus.
pub fn show(ui: &mut Ui, canvas: &Canvas, area: Area, param: &BoolParam, setter: &ParamSetter) -> Response {
    let [_, track, _, name] = area.columns([4.0, 32.0, 8.0, REST]);
    let rect = canvas.rect(area);
    let response = ui.interact(rect, ui.scope_id().with(param.name()), Sense::click());
    let is_on = param.unmodulated_plain_value();
    if response.clicked() {
        set_once(setter, param, !is_on);
    }
    let painter = ui.painter();
    let track = Rect::from_center_size(canvas.pos(track.centre()), vec2(32.0, 16.0) * canvas.px(1.0));
    painter.rect_filled(
        track,
        CornerRadius::same(canvas.px(8.0) as u8),
        if is_on { canvas.colours.accent } else { canvas.colours.groove },
    );
    let offset = if is_on { 8.0 } else { -8.0 };
    painter.circle_filled(track.center() + vec2(canvas.px(offset), 0.0), canvas.px(6.0), canvas.colours.text);
    canvas.line(painter, (name, Align::Min), (BODY, canvas.colours.text), param.name());
    if response.has_focus() {
        canvas.focus_ring(painter, rect);
    }
    response.widget_info(|| WidgetInfo::selected(Role::CheckBox, true, is_on, param.name()));
    response
}
