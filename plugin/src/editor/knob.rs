//! A knob for one parameter. A drag up or down, the wheel and the arrow keys turn it, more finely with Shift; a
//! double-click sets the default.

use super::area::{Area, Padding, REST};
use super::entry;
use super::gesture::{Gestures, set_once};
use super::theme::{Canvas, SMALL};
use crate::params::{PERCENT, ParamRef};
use egui::epaint::PathShape;
use egui::{Align, EventFilter, Key, MouseWheelUnit, Pos2, Response, Sense, Stroke, Ui, WidgetInfo, vec2};
use nice_plug::prelude::{Param, ParamSetter};
use std::f32::consts::PI;

/// Share of the range per design unit of a drag.
const DRAG: f32 = 1.0 / 180.0;
/// Shift divides all movements by this.
const FINE: f32 = 10.0;
/// Share of the range per press of an arrow key or notch of the wheel; a parameter with steps takes one step.
const NUDGE: f32 = 0.02;
/// A touchpad's distance that counts as one notch, points.
const POINTS_PER_NOTCH: f32 = 50.0;
/// The dial starts at half past seven and spans three quarters of a turn.
const START: f32 = 0.75 * PI;
const SPAN: f32 = 1.5 * PI;

/// Width of a knob, design units; its height is 100.
pub const WIDTH: f32 = 72.0;

/// Draws and handles one knob. A click on its value opens a field to type another one.
pub fn show<P: Param>(ui: &mut Ui, canvas: &Canvas, place: Place, param: &P, edit: &mut Edit) -> Response {
    let [name, _, dial, text, _] = place.area.rows([20.0, 3.0, REST, 18.0, 1.0]);
    let rect = canvas.rect(place.area);
    let response = ui.interact(rect, ui.scope_id().with(param.name()), Sense::click_and_drag());
    handle_pointer(ui, canvas, &response, param, edit);
    handle_wheel_and_keys(ui, &response, param, edit.setter);

    let value = param.unmodulated_normalized_value();
    let painter = ui.painter();
    let is_hot = response.hovered() || response.dragged();
    paint_dial(ui, canvas, canvas.pos(dial.centre()), Dial { value, origin: place.origin, is_hot });
    canvas.line(painter, (name, Align::Center), (SMALL, canvas.colours.dim), param.name());
    if response.has_focus() {
        canvas.focus_ring(painter, rect);
    }
    response.widget_info(|| WidgetInfo::slider(true, value.into(), param.name()));
    entry::show(ui, canvas, canvas.rect(text.within(Padding::even(4.0, 0.0))), param, edit.setter);
    response
}

/// Area of a knob, and the value from which its dial is filled, from 0 to 1.
#[derive(Clone, Copy)]
pub struct Place {
    pub area: Area,
    pub origin: f32,
}

/// The value from which a parameter's dial is filled: plain 0 if the range has both signs, 100 % if that lies within a
/// range in percent, else the lowest value.
pub fn origin(param: ParamRef) -> f32 {
    let [low, high] = param.range();
    if low < 0.0 && high > 0.0 {
        param.normalized(0.0)
    } else if param.unit() == PERCENT && high > 1.0 {
        param.normalized(1.0)
    } else {
        0.0
    }
}

/// Access to the host's parameters.
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
    let mut nudges = 0.0;
    if response.hovered() {
        nudges += ui.input(|i| i.events.iter().map(notches).sum::<f32>());
    }
    if response.has_focus() {
        let arrows = EventFilter { vertical_arrows: true, horizontal_arrows: true, ..EventFilter::default() };
        ui.memory_mut(|m| m.set_focus_lock_filter(response.id, arrows));
        let pressed = |key| ui.input(|i| i.num_presses(key)) as f32;
        nudges += pressed(Key::ArrowUp) + pressed(Key::ArrowRight) - pressed(Key::ArrowDown) - pressed(Key::ArrowLeft);
        if ui.input(|i| i.key_pressed(Key::Home)) {
            set_once(setter, param, param.default_plain_value());
        }
    }
    if nudges != 0.0 && !response.dragged() {
        nudge(ui, response, param, setter, nudges);
    }
}

/// Notches of a wheel event. Not smoothed as egui's own scrolling is, so that one notch is one step.
fn notches(event: &egui::Event) -> f32 {
    match event {
        // With Shift, some systems turn the wheel sideways.
        egui::Event::MouseWheel { unit: MouseWheelUnit::Point, delta, .. } => (delta.x + delta.y) / POINTS_PER_NOTCH,
        egui::Event::MouseWheel { delta, .. } => delta.x + delta.y,
        _ => 0.0,
    }
}

fn nudge<P: Param>(ui: &Ui, response: &Response, param: &P, setter: &ParamSetter, nudges: f32) {
    let value = param.unmodulated_normalized_value();
    let delta = match param.step_count() {
        None => nudges * NUDGE / fineness(ui),
        Some(n_steps) => {
            // A touchpad sends fractions of a notch, which add up.
            let whole = ui.data_mut(|data| {
                let rest = data.get_temp_mut_or_default::<f32>(response.id);
                let sum = *rest + nudges;
                *rest = sum.fract();
                sum.trunc()
            });
            whole / n_steps as f32
        }
    };
    let target = (value + delta).clamp(0.0, 1.0);
    if target != value {
        set_once(setter, param, param.preview_plain(target));
    }
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
    painter.add(PathShape::line(arc(0.0, 1.0), Stroke::new(width, canvas.colours.groove)));
    painter.add(PathShape::line(arc(dial.origin, dial.value), Stroke::new(width, canvas.colours.accent)));
    let face = if dial.is_hot { canvas.colours.groove } else { canvas.colours.groove.gamma_multiply(0.6) };
    painter.circle_filled(centre, radius * 0.72, face);
    let angle = START + SPAN * dial.value;
    let direction = vec2(angle.cos(), angle.sin());
    let pointer = [centre + direction * radius * 0.3, centre + direction * radius * 0.66];
    painter.line_segment(pointer, Stroke::new(canvas.px(2.5), canvas.colours.text));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::EmbouchureParams;
    use crate::session::Theme;
    use crate::test_host::TestHost;
    use egui::{Event, Modifiers, PointerButton, RawInput, pos2};

    /// A window of the design's size with one knob whose dial is at (60, 60).
    struct Bench<P> {
        egui: egui::Context,
        host: TestHost,
        gestures: Gestures,
        param: P,
        frames: u32,
    }

    impl<P: Param> Bench<P> {
        fn new(param: P) -> Self {
            let (egui, host) = (egui::Context::default(), TestHost::default());
            let mut bench = Self { egui, host, gestures: Gestures::default(), param, frames: 0 };
            bench.frame(vec![]);
            bench.frame(vec![Event::PointerMoved(pos2(60.0, 60.0))]);
            bench
        }

        fn frame(&mut self, events: Vec<Event>) {
            let screen = egui::Rect::from_min_size(Pos2::ZERO, vec2(900.0, 600.0));
            let time = Some(f64::from(self.frames) * 0.05);
            self.frames += 1;
            let input = RawInput { screen_rect: Some(screen), time, events, ..RawInput::default() };
            let setter = ParamSetter::new(&self.host);
            let mut edit = Edit { gestures: &mut self.gestures, setter: &setter };
            let mut output = self.egui.run_ui(input, |ui| {
                let place = Place { area: Area { x: 18.0, y: 8.0, width: WIDTH, height: 100.0 }, origin: 0.0 };
                show(ui, &Canvas::fit(screen, Theme::Dark), place, &self.param, &mut edit);
            });
            // Nothing is drawn here. A debug build requires that unused textures are cleared explicitly.
            output.textures_delta.clear();
        }

        fn button(&self, y: f32, pressed: bool) -> Event {
            let modifiers = Modifiers::NONE;
            Event::PointerButton { pos: pos2(60.0, y), button: PointerButton::Primary, pressed, modifiers }
        }

        fn drag(&mut self, to_y: f32) {
            self.frame(vec![self.button(60.0, true)]);
            self.frame(vec![Event::PointerMoved(pos2(60.0, 60.0 + (to_y - 60.0) / 2.0))]);
            self.frame(vec![Event::PointerMoved(pos2(60.0, to_y))]);
            self.frame(vec![self.button(to_y, false)]);
            self.frame(vec![]);
        }

        fn wheel(&mut self, unit: MouseWheelUnit, y: f32) {
            let (phase, source) = (egui::TouchPhase::Move, egui::MouseWheelSource::Unknown);
            let event = Event::MouseWheel { unit, delta: vec2(0.0, y), modifiers: Modifiers::NONE, phase, source };
            self.frame(vec![event]);
            (0..10).for_each(|_| self.frame(vec![]));
        }

        fn log(&self) -> String {
            self.host.log()
        }
    }

    #[test]
    fn a_dial_starts_at_the_value_that_changes_nothing() {
        let params = EmbouchureParams::default();
        let centre = [
            (&params.sound.brightness_db).into(),
            (&params.sound.dynamics).into(),
            (&params.pitch.transpose_semitones).into(),
        ];
        assert_eq!(centre.map(origin), [0.5; 3]);
        assert_eq!(origin((&params.sound.breath_db).into()), 40.0 / 58.0);
        let left = [
            (&params.source.gate_db).into(),
            (&params.sound.attack_s).into(),
            (&params.pitch.glide_s).into(),
            (&params.pitch.key).into(),
        ];
        assert_eq!(left.map(origin), [0.0; 4]);
        assert_eq!(origin((&params.mix.mix).into()), 0.0, "100 % is its end");
    }

    #[test]
    fn a_drag_is_one_gesture() {
        let mut bench = Bench::new(EmbouchureParams::default().source.gate_db);
        let before = bench.param.unmodulated_normalized_value();
        bench.drag(60.0 - 45.0);
        assert!((bench.param.unmodulated_normalized_value() - before - 0.25).abs() < 0.01);
        let log = bench.log();
        assert!(log.starts_with("(=") && log.ends_with("=)"), "{log}");
        assert_eq!(log.matches(['(', ')']).count(), 2, "{log}");
    }

    #[test]
    fn press_and_release_in_one_frame_set_nothing() {
        let mut bench = Bench::new(EmbouchureParams::default().source.gate_db);
        bench.frame(vec![bench.button(60.0, true), bench.button(60.0, false)]);
        bench.frame(vec![]);
        assert_eq!(bench.log().replace("()", ""), "");
    }

    #[test]
    fn a_double_click_sets_the_default() {
        let mut bench = Bench::new(EmbouchureParams::default().source.gate_db);
        bench.drag(100.0);
        assert_ne!(bench.param.unmodulated_plain_value(), bench.param.default_plain_value());
        (0..20).for_each(|_| bench.frame(vec![]));
        for pressed in [true, false, true, false] {
            bench.frame(vec![bench.button(60.0, pressed)]);
        }
        assert_eq!(bench.param.unmodulated_plain_value(), bench.param.default_plain_value());
        assert_eq!(bench.log().matches('(').count(), bench.log().matches(')').count());
    }

    #[test]
    fn a_notch_is_one_step() {
        let mut bench = Bench::new(EmbouchureParams::default().pitch.transpose_semitones);
        bench.wheel(MouseWheelUnit::Line, 1.0);
        bench.wheel(MouseWheelUnit::Line, 1.0);
        assert_eq!(bench.param.unmodulated_plain_value(), 2);
        for _ in 0..5 {
            bench.wheel(MouseWheelUnit::Point, -10.0);
        }
        assert_eq!(bench.param.unmodulated_plain_value(), 1);
    }

    #[test]
    fn small_movements_add_up_to_a_step() {
        let mut bench = Bench::new(EmbouchureParams::default().pitch.transpose_semitones);
        bench.frame(vec![bench.button(60.0, true)]);
        for i in 1..=45 {
            bench.frame(vec![Event::PointerMoved(pos2(60.0, 60.0 - i as f32))]);
        }
        // egui takes the first 6 points to tell a drag from a click.
        assert!((15..=18).contains(&bench.param.unmodulated_plain_value()), "{}", bench.param);
    }

    #[test]
    fn a_value_is_typed() {
        let mut bench = Bench::new(EmbouchureParams::default().sound.brightness_db);
        bench.frame(vec![Event::PointerMoved(pos2(60.0, 98.0))]);
        bench.frame(vec![bench.button(98.0, true)]);
        bench.frame(vec![bench.button(98.0, false)]);
        bench.frame(vec![]);
        bench.frame(vec![Event::Text("-4.5 dB".into())]);
        let enter = |key| {
            let (physical_key, pressed, repeat) = (None, true, false);
            Event::Key { key, physical_key, pressed, repeat, modifiers: Modifiers::NONE }
        };
        bench.frame(vec![enter(Key::Enter)]);
        bench.frame(vec![]);
        assert_eq!(bench.param.unmodulated_plain_value(), -4.5);
        assert_eq!(bench.log(), "(=)");
        // Nonsense and Escape change nothing.
        for (text, key) in [("loud", Key::Enter), ("3", Key::Escape)] {
            bench.frame(vec![bench.button(98.0, true)]);
            bench.frame(vec![bench.button(98.0, false)]);
            (0..12).for_each(|_| bench.frame(vec![]));
            bench.frame(vec![Event::Text(text.into())]);
            bench.frame(vec![enter(key)]);
            bench.frame(vec![]);
        }
        assert_eq!((bench.param.unmodulated_plain_value(), bench.log()), (-4.5, "(=)".into()));
    }

    #[test]
    fn arrow_keys_work_with_the_focus() {
        let mut bench = Bench::new(EmbouchureParams::default().pitch.transpose_semitones);
        let key = |key| {
            let (physical_key, pressed, repeat) = (None, true, false);
            vec![Event::Key { key, physical_key, pressed, repeat, modifiers: Modifiers::NONE }]
        };
        bench.frame(key(Key::Tab));
        (0..3).for_each(|_| bench.frame(vec![]));
        bench.frame(key(Key::ArrowUp));
        bench.frame(key(Key::ArrowUp));
        bench.frame(key(Key::ArrowDown));
        assert_eq!(bench.param.unmodulated_plain_value(), 1);
        assert_eq!(bench.log(), "(=)(=)(=)");
    }
}
