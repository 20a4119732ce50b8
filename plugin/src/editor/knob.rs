//! A rotary control over one parameter: drag up and down, Shift for fine, double-click for the default, wheel, arrow
//! keys.

use super::gesture::{Gestures, set_once};
use super::theme::{ACCENT, BODY, Canvas, DIM, GROOVE, SMALL, TEXT};
use egui::epaint::PathShape;
use egui::{Align2, EventFilter, Key, Pos2, Response, Sense, Stroke, Ui, WidgetInfo, vec2};
use nice_plug::prelude::{Param, ParamSetter};
use std::f32::consts::PI;

/// Share of the range per design unit dragged.
const DRAG: f32 = 1.0 / 180.0;
/// Shift divides all movements by this.
const FINE: f32 = 10.0;
/// Share of the range per unit of wheel: an egui wheel notch is about 50 points.
const WHEEL: f32 = 0.02 / 50.0;
/// Share of the range per press of an arrow key.
const KEY: f32 = 0.02;
/// The dial starts at half past seven and spans three quarters of a turn.
const START: f32 = 0.75 * PI;
const SPAN: f32 = 1.5 * PI;

/// Size in design units.
pub const SIZE: (f32, f32) = (84.0, 100.0);

/// Draws and handles one knob at (`x`, `y`), of [`SIZE`]. Its dial fills from `origin` (0 to 1, as the parameter is
/// normalized): the left end, or the neutral value of a parameter that goes both ways.
pub fn show<P: Param>(ui: &mut Ui, canvas: &Canvas, place: Place, param: &P, edit: &mut Edit) -> Response {
    let rect = canvas.rect(place.x, place.y, SIZE.0, SIZE.1);
    let response = ui.interact(rect, ui.scope_id().with(param.name()), Sense::click_and_drag());
    handle_pointer(ui, canvas, &response, param, edit);
    handle_wheel_and_keys(ui, &response, param, edit.setter);

    let value = param.unmodulated_normalized_value();
    let text = param.normalized_value_to_string(value, true);
    let painter = ui.painter();
    let centre = canvas.pos(place.x + SIZE.0 / 2.0, place.y + 52.0);
    let is_hot = response.hovered() || response.dragged();
    paint_dial(ui, canvas, centre, Dial { value, origin: place.origin, is_hot });
    let middle = |y| (canvas.pos(place.x + SIZE.0 / 2.0, place.y + y), Align2::CENTER_CENTER);
    canvas.text(painter, middle(10.0), SIZE.0, (SMALL, DIM), param.name());
    canvas.text(painter, middle(90.0), SIZE.0, (BODY, TEXT), &text);
    if response.has_focus() {
        canvas.focus_ring(painter, rect);
    }
    response.widget_info(|| WidgetInfo::slider(true, value.into(), param.name()));
    response
}

/// Where a knob is, in design units, and where its dial starts.
#[derive(Clone, Copy)]
pub struct Place {
    pub x: f32,
    pub y: f32,
    pub origin: f32,
}

/// The way to the host.
pub struct Edit<'a, 'b> {
    pub gestures: &'a mut Gestures,
    pub setter: &'a ParamSetter<'b>,
}

fn handle_pointer<P: Param>(ui: &Ui, canvas: &Canvas, response: &Response, param: &P, edit: &mut Edit) {
    let (gestures, setter) = (&mut *edit.gestures, edit.setter);
    if response.double_clicked() {
        gestures.end(setter, param);
        set_once(setter, param, param.default_plain_value());
        return;
    }
    if response.drag_started() {
        response.request_focus();
        gestures.begin(setter, param);
    }
    let delta = -response.drag_delta().y / canvas.px(1.0) * DRAG;
    if delta != 0.0 {
        gestures.move_by(setter, param, delta / fineness(ui));
    }
    if response.drag_stopped() {
        gestures.end(setter, param);
    }
}

fn handle_wheel_and_keys<P: Param>(ui: &Ui, response: &Response, param: &P, setter: &ParamSetter) {
    let mut delta = 0.0;
    if response.hovered() {
        // With Shift, the wheel arrives as a sideways one.
        let wheel = ui.input(|i| i.smooth_scroll_delta());
        delta += (wheel.y + wheel.x) * WHEEL;
    }
    if response.has_focus() {
        let arrows = EventFilter { vertical_arrows: true, horizontal_arrows: true, ..EventFilter::default() };
        ui.memory_mut(|m| m.set_focus_lock_filter(response.id, arrows));
        let pressed = |key| ui.input(|i| i.num_presses(key)) as f32;
        delta += KEY * (pressed(Key::ArrowUp) + pressed(Key::ArrowRight));
        delta -= KEY * (pressed(Key::ArrowDown) + pressed(Key::ArrowLeft));
        if ui.input(|i| i.key_pressed(Key::Home)) {
            set_once(setter, param, param.default_plain_value());
        }
    }
    if delta != 0.0 && !response.dragged() {
        set_once(setter, param, moved(param, delta / fineness(ui)));
    }
}

/// The value that lies `delta` of the range away, and at least one step if the parameter has steps.
fn moved<P: Param>(param: &P, delta: f32) -> P::Plain {
    let value = param.unmodulated_normalized_value();
    let delta = match param.step_count() {
        Some(n) => delta.signum() * delta.abs().max(1.0 / n as f32),
        None => delta,
    };
    param.preview_plain((value + delta).clamp(0.0, 1.0))
}

fn fineness(ui: &Ui) -> f32 {
    if ui.input(|i| i.modifiers.shift) { FINE } else { 1.0 }
}

struct Dial {
    value: f32,
    origin: f32,
    is_hot: bool,
}

fn paint_dial(ui: &Ui, canvas: &Canvas, centre: Pos2, dial: Dial) {
    let radius = canvas.px(24.0);
    let arc = |from: f32, to: f32| -> Vec<Pos2> {
        let n = 48;
        let at = |i| START + SPAN * (from + (to - from) * i as f32 / n as f32);
        (0..=n).map(|i| centre + radius * vec2(at(i).cos(), at(i).sin())).collect()
    };
    let painter = ui.painter();
    let width = canvas.px(4.0);
    painter.add(PathShape::line(arc(0.0, 1.0), Stroke::new(width, GROOVE)));
    painter.add(PathShape::line(arc(dial.origin, dial.value), Stroke::new(width, ACCENT)));
    let face = if dial.is_hot { GROOVE } else { GROOVE.gamma_multiply(0.6) };
    painter.circle_filled(centre, radius * 0.72, face);
    let angle = START + SPAN * dial.value;
    let direction = vec2(angle.cos(), angle.sin());
    let hand = [centre + direction * radius * 0.3, centre + direction * radius * 0.66];
    painter.line_segment(hand, Stroke::new(canvas.px(2.5), TEXT));
}
