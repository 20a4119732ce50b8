//! Where everything is, in design units.

use super::knob::{Edit, Place};
use super::theme::{ALARM, BACKGROUND, BODY, Canvas, DIM, SMALL, TEXT, TITLE};
use super::{App, buffer_menu, button, knob, note, toggle};
use crate::Task;
use egui::{Align2, Button, Popup, RichText, TextWrapMode, Ui};
use embouchure_inference::stream::TelemetryView;
use nice_plug::context::gui::GuiContext;

/// Draws the whole window.
pub fn show(app: &mut App, ui: &mut Ui, canvas: &Canvas, host: &GuiContext) {
    ui.painter().rect_filled(ui.max_rect(), 0.0, BACKGROUND);
    let telemetry = app.wiring.shared.telemetry();
    header(app, ui, canvas);
    knobs(app, ui, canvas, host);
    tracking(app, ui, canvas, host, &telemetry);
    tuning(app, ui, canvas, host);
    meters(app, ui, canvas);
    status(app, ui, canvas, host, &telemetry);
}

fn header(app: &App, ui: &mut Ui, canvas: &Canvas) {
    let view = app.wiring.instruments.view();
    let left = |y| (canvas.pos(20.0, y), Align2::LEFT_CENTER);
    let painter = ui.painter();
    if view.name.is_empty() {
        canvas.text(painter, left(28.0), 290.0, (TITLE, DIM), "No instrument");
    } else {
        canvas.text(painter, left(28.0), 290.0, (TITLE, TEXT), &view.name);
        let family = format!("{} · {}", view.family, view.licence);
        canvas.text(painter, left(51.0), 290.0, (SMALL, DIM), &family);
    }
    let is_idle = !app.dialog.is_open();
    let shipped = button::show(ui, canvas, canvas.rect(318.0, 18.0, 96.0, 28.0), "Instruments", is_idle);
    shipped_menu(app, canvas, &shipped);
    if button::show(ui, canvas, canvas.rect(424.0, 18.0, 116.0, 28.0), "Open weights…", is_idle).clicked() {
        app.dialog.open(&app.wiring.instruments, &app.wiring.notifier);
    }
}

fn shipped_menu(app: &App, canvas: &Canvas, anchor: &egui::Response) {
    Popup::menu(anchor).show(|ui| {
        for (name, _) in embouchure_weights::INSTRUMENTS {
            let label = RichText::new(capitalised(name)).font(canvas.font(BODY));
            if ui.add(Button::new(label).wrap_mode(TextWrapMode::Extend)).clicked() {
                app.wiring.executor.execute_background(Task::OpenBuiltIn(name));
            }
        }
    });
}

fn knobs(app: &mut App, ui: &mut Ui, canvas: &Canvas, host: &GuiContext) {
    canvas.panel(ui.painter(), canvas.rect(16.0, 70.0, 420.0, 116.0));
    let params = app.wiring.params.clone();
    let setter = host.param_setter();
    let mut edit = Edit { gestures: &mut app.gestures, setter: &setter };
    let place = |column: usize, origin| Place { x: 16.0 + 84.0 * column as f32, y: 78.0, origin };
    knob::show(ui, canvas, place(0, 0.0), &params.mix, &mut edit);
    knob::show(ui, canvas, place(1, 0.5), &params.brightness_db, &mut edit);
    knob::show(ui, canvas, place(2, 0.5), &params.transpose_semitones, &mut edit);
    knob::show(ui, canvas, place(3, 0.0), &params.gate_db, &mut edit);
    // 0 dB in -24 to 12.
    knob::show(ui, canvas, place(4, 2.0 / 3.0), &params.gain_db, &mut edit);
}

/// What is done to the pitch, the room, and what follows the source by itself.
fn tuning(app: &mut App, ui: &mut Ui, canvas: &Canvas, host: &GuiContext) {
    canvas.panel(ui.painter(), canvas.rect(16.0, 310.0, 528.0, 112.0));
    let params = app.wiring.params.clone();
    let setter = host.param_setter();
    let mut edit = Edit { gestures: &mut app.gestures, setter: &setter };
    let place = |column: usize| Place { x: 16.0 + 84.0 * column as f32, y: 316.0, origin: 0.0 };
    knob::show(ui, canvas, place(0), &params.snap, &mut edit);
    knob::show(ui, canvas, place(1), &params.key, &mut edit);
    knob::show(ui, canvas, place(2), &params.scale, &mut edit);
    knob::show(ui, canvas, place(3), &params.glide_s, &mut edit);
    knob::show(ui, canvas, place(4), &params.room, &mut edit);
    toggle::show(ui, canvas, (416.0, 334.0), &params.room_gate, &setter);
    toggle::show(ui, canvas, (416.0, 370.0), &params.level_fit, &setter);
}

fn tracking(app: &App, ui: &mut Ui, canvas: &Canvas, host: &GuiContext, telemetry: &TelemetryView) {
    canvas.panel(ui.painter(), canvas.rect(16.0, 196.0, 420.0, 104.0));
    note::show(ui, canvas, (32.0, 206.0), telemetry);
    let (params, setter) = (&app.wiring.params, host.param_setter());
    toggle::show(ui, canvas, (312.0, 216.0), &params.octave_fit, &setter);
    toggle::show(ui, canvas, (312.0, 252.0), &params.bypass, &setter);
}

fn meters(app: &App, ui: &Ui, canvas: &Canvas) {
    canvas.panel(ui.painter(), canvas.rect(446.0, 70.0, 98.0, 230.0));
    app.input.show(ui, canvas, (447.0, 78.0), "In");
    app.output.show(ui, canvas, (495.0, 78.0), "Out");
}

fn status(app: &App, ui: &mut Ui, canvas: &Canvas, host: &GuiContext, telemetry: &TelemetryView) {
    buffer_menu::show(app, ui, canvas, canvas.rect(16.0, 430.0, 150.0, 20.0), host);
    let painter = ui.painter();
    let rates = match app.wiring.shared.running() {
        None => "Not running".into(),
        Some(running) => {
            let latency_ms = 1000.0 * running.latency_samples as f32 / running.host_rate;
            format!("Latency {latency_ms:.1} ms ({} samples at {} Hz)", running.latency_samples, running.host_rate)
        }
    };
    canvas.text(painter, (canvas.pos(178.0, 440.0), Align2::LEFT_CENTER), 250.0, (SMALL, DIM), &rates);
    let late = format!("Late frames {}", telemetry.late_frames);
    let colour = if telemetry.late_frames > 0 { ALARM } else { DIM };
    canvas.text(painter, (canvas.pos(540.0, 440.0), Align2::RIGHT_CENTER), 108.0, (SMALL, colour), &late);
    if let Some(message) = app.wiring.instruments.view().message {
        canvas.paragraph(painter, canvas.rect(20.0, 453.0, 520.0, 30.0), (SMALL, ALARM), &capitalised(&message));
    }
}

fn capitalised(name: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
    };
    name.split('-').map(word).collect::<Vec<_>>().join(" ")
}
