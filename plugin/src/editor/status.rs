//! The bottom line: what the engine runs at, what it costs, what came late, and a warning.

use super::theme::{Canvas, SMALL};
use super::{App, audio_page, buffer_menu, rejected};
use egui::{Align2, Role, Sense, Ui, WidgetInfo};
use embouchure_inference::engine::TelemetryView;
use nice_plug::context::gui::GuiContext;

/// Room for the message, design units.
const MESSAGE: f32 = 262.0;

/// Draws the line, 900 × 32 design units.
pub fn show(app: &mut App, ui: &mut Ui, canvas: &Canvas, host: &GuiContext, telemetry: &TelemetryView) {
    let corner = canvas.rect(12.0, 567.0, 150.0, 22.0);
    if app.wiring.desk.is_some() {
        audio_page::button(app, ui, canvas, corner);
    } else {
        buffer_menu::show(app, ui, canvas, corner, host);
    }
    let rates = match app.wiring.shared.running() {
        None => "Not running".into(),
        Some(running) => {
            let latency_ms = 1000.0 * running.latency_samples as f32 / running.host_rate;
            format!("Latency {latency_ms:.1} ms ({} samples at {} Hz)", running.latency_samples, running.host_rate)
        }
    };
    let at = (canvas.pos(174.0, 578.0), Align2::LEFT_CENTER);
    canvas.text(ui.painter(), at, 250.0, (SMALL, canvas.colours.dim), &rates);
    message(app, ui, canvas);
    late_frames(app, ui, canvas, telemetry);
}

/// The one thing that matters most now, in two lines if need be; the whole of it, or what to do, on hover.
fn message(app: &App, ui: &Ui, canvas: &Canvas) {
    let said = rejected::said(ui.ctx());
    let said = said.or_else(|| app.wiring.desk.as_ref().and_then(|desk| audio_page::said(desk)));
    let warning = || app.warnings.said().map(|warning| (warning.text().to_owned(), warning.advice().to_owned()));
    let Some((text, whole)) = said.map(|said| (said.clone(), said)).or_else(warning) else { return };
    let style = (SMALL, canvas.colours.alarm);
    let rect = canvas.rect(430.0, 563.0, MESSAGE, 30.0);
    let galley = ui.painter().layout_no_wrap(text.clone(), canvas.font(SMALL), canvas.colours.alarm);
    if galley.size().x > rect.width() {
        canvas.paragraph(ui.painter(), rect, style, &text);
    } else {
        canvas.text(ui.painter(), (rect.left_center(), Align2::LEFT_CENTER), MESSAGE, style, &text);
    }
    let response = ui.interact(rect, ui.scope_id().with("message"), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &text));
    response.on_hover_text(whole);
}

/// Load, and late frames since the player last put them aside.
fn late_frames(app: &mut App, ui: &Ui, canvas: &Canvas, telemetry: &TelemetryView) {
    // A new engine counts from 0.
    app.late_seen = app.late_seen.min(telemetry.late_frames);
    let n_late = telemetry.late_frames - app.late_seen;
    let failed = match telemetry.failed_frames {
        0 => String::new(),
        n => format!(" · failed {n}"),
    };
    let text = format!("Worker {:.1} % · late frames {n_late}{failed}", 100.0 * telemetry.load);
    let colour = if n_late > 0 || !failed.is_empty() { canvas.colours.alarm } else { canvas.colours.dim };
    let at = (canvas.pos(888.0, 578.0), Align2::RIGHT_CENTER);
    canvas.text(ui.painter(), at, 200.0, (SMALL, colour), &text);
    let response = ui.interact(canvas.rect(700.0, 567.0, 188.0, 22.0), ui.scope_id().with("late"), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &text));
    if response.clicked() {
        app.late_seen = telemetry.late_frames;
    }
    response.on_hover_text(
        "Late frames: moments in which the networks were not ready in time and the sound faded. If there are more and \
         more, choose a larger buffer or close other programs. Click to count from 0. Failed: frames for which the \
         networks gave no sound; another instrument file may help.",
    );
}
