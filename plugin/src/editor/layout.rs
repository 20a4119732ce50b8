//! Where everything is, in design units.

use super::knob::{Edit, Place};
use super::theme::Canvas;
use super::{App, audio_page, header, instrument_panel, knob, note, status, toggle, typed_path};
use egui::Ui;
use embouchure_inference::engine::TelemetryView;
use nice_plug::context::gui::GuiContext;

/// Draws the whole window.
pub fn show(app: &mut App, ui: &mut Ui, canvas: &Canvas, host: &GuiContext, telemetry: &TelemetryView) {
    ui.painter().rect_filled(ui.max_rect(), 0.0, canvas.colours.background);
    header::show(app, ui, canvas, host);
    instrument_panel::show(app, ui, canvas, host);
    pictures(app, ui, canvas);
    sound(app, ui, canvas, host);
    pitch(app, ui, canvas, host, telemetry);
    status::show(app, ui, canvas, host, telemetry);
    typed_path::show(app, ui, canvas);
    audio_page::show(app, ui, canvas);
}

/// Left edge of a column of knobs.
fn column_x(column: usize) -> f32 {
    16.0 + knob::SIZE.0 * column as f32
}

fn pictures(app: &mut App, ui: &Ui, canvas: &Canvas) {
    let range_hz = app.playable_hz();
    app.trace.show(ui, canvas, canvas.rect(260.0, 56.0, 536.0, 186.0), range_hz);
    app.harmonics.show(ui, canvas, canvas.rect(260.0, 248.0, 536.0, 68.0));
    canvas.panel(ui.painter(), canvas.rect(804.0, 56.0, 84.0, 260.0));
    app.input.show(ui, canvas, (808.0, 60.0), "In");
    app.output.show(ui, canvas, (846.0, 60.0), "Out");
}

fn sound(app: &mut App, ui: &mut Ui, canvas: &Canvas, host: &GuiContext) {
    canvas.panel(ui.painter(), canvas.rect(12.0, 324.0, 728.0, 112.0));
    canvas.panel(ui.painter(), canvas.rect(748.0, 324.0, 140.0, 112.0));
    let params = app.wiring.params.clone();
    let setter = host.param_setter();
    let mut edit = Edit { gestures: &mut app.gestures, setter: &setter };
    let place = |column: usize, origin| Place { x: column_x(column), y: 330.0, origin };
    knob::show(ui, canvas, place(0, 0.0), &params.mix, &mut edit);
    knob::show(ui, canvas, place(1, 0.5), &params.brightness_db, &mut edit);
    // 0 dB in -40 to 18.
    knob::show(ui, canvas, place(2, 40.0 / 58.0), &params.breath_db, &mut edit);
    knob::show(ui, canvas, place(3, 0.5), &params.dynamics, &mut edit);
    knob::show(ui, canvas, place(4, 0.0), &params.follow, &mut edit);
    knob::show(ui, canvas, place(5, 0.0), &params.attack_s, &mut edit);
    knob::show(ui, canvas, place(6, 0.0), &params.width, &mut edit);
    knob::show(ui, canvas, place(7, 0.0), &params.room, &mut edit);
    knob::show(ui, canvas, place(8, 0.0), &params.room_decay_s, &mut edit);
    // 0 dB in -24 to 12.
    knob::show(ui, canvas, place(9, 2.0 / 3.0), &params.gain_db, &mut edit);
    for (row, param) in [&params.octave_fit, &params.level_fit, &params.match_level, &params.room_gate, &params.bypass]
        .into_iter()
        .enumerate()
    {
        toggle::show(ui, canvas, (752.0, 327.0 + 21.0 * row as f32), param, &setter);
    }
}

fn pitch(app: &mut App, ui: &mut Ui, canvas: &Canvas, host: &GuiContext, telemetry: &TelemetryView) {
    canvas.panel(ui.painter(), canvas.rect(12.0, 444.0, 520.0, 112.0));
    canvas.panel(ui.painter(), canvas.rect(540.0, 444.0, 348.0, 112.0));
    let params = app.wiring.params.clone();
    let setter = host.param_setter();
    let mut edit = Edit { gestures: &mut app.gestures, setter: &setter };
    let place = |column: usize, origin| Place { x: column_x(column), y: 450.0, origin };
    knob::show(ui, canvas, place(0, 0.5), &params.transpose_semitones, &mut edit);
    knob::show(ui, canvas, place(1, 0.5), &params.fine_cents, &mut edit);
    knob::show(ui, canvas, place(2, 0.0), &params.snap, &mut edit);
    knob::show(ui, canvas, place(3, 0.0), &params.key, &mut edit);
    knob::show(ui, canvas, place(4, 0.0), &params.scale, &mut edit);
    knob::show(ui, canvas, place(5, 0.0), &params.glide_s, &mut edit);
    knob::show(ui, canvas, place(6, 0.0), &params.gate_db, &mut edit);
    note::show(ui, canvas, (580.0, 452.0), telemetry);
}
