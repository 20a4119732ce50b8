//! The bottom line: latency and rate, messages, load and late frames.

use super::area::Area;
use super::theme::{Canvas, SMALL};
use super::{App, audio_page, buffer_menu, rejected};
use crate::engine_choice::EngineChoice;
use egui::{Align, Role, Sense, Ui, WidgetInfo};
use embouchure_inference::engine::TelemetryView;
use nice_plug::context::gui::GuiContext;

/// Height of the clickable items, design units.
const BUTTON: f32 = 22.0;

/// The button in the corner: the audio page in the app, the buffer menu in a plugin.
pub fn corner(app: &mut App, ui: &mut Ui, canvas: &Canvas, host: &GuiContext, area: Area) {
    if app.wiring.audio.is_some() {
        audio_page::button(app, ui, canvas, area.middle(BUTTON));
    } else {
        buffer_menu::show(app, ui, canvas, area.middle(BUTTON), host);
    }
}

/// Latency and rate.
pub fn rates(app: &App, ui: &Ui, canvas: &Canvas, area: Area) {
    let text = match app.wiring.shared.running() {
        None => "Not running".into(),
        Some(running) => {
            let latency_ms = 1000.0 * running.latency_samples as f32 / running.host_rate;
            format!("Latency {latency_ms:.1} ms ({} samples at {} Hz)", running.latency_samples, running.host_rate)
        }
    };
    canvas.line(ui.painter(), (area, Align::Min), (SMALL, canvas.colours.dim), &text);
}

/// The most important message, in at most two lines. On hover: its whole text, or advice for a warning.
pub fn message(app: &App, ui: &Ui, canvas: &Canvas, area: Area) {
    let message = rejected::message(ui.ctx());
    let message = message.or_else(|| app.wiring.audio.as_ref().and_then(|audio| audio_page::message(audio)));
    let warning = || app.warnings.shown().map(|warning| (warning.text().to_owned(), warning.advice().to_owned()));
    let Some((text, whole)) = message.map(|message| (message.clone(), message)).or_else(warning) else { return };
    let style = (SMALL, canvas.colours.alarm);
    // Height of two lines.
    let area = area.middle(30.0);
    let rect = canvas.rect(area);
    let galley = ui.painter().layout_no_wrap(text.clone(), canvas.font(SMALL), canvas.colours.alarm);
    if galley.size().x > rect.width() {
        canvas.paragraph(ui.painter(), rect, style, &text);
    } else {
        canvas.line(ui.painter(), (area, Align::Min), style, &text);
    }
    let response = ui.interact(rect, ui.scope_id().with("message"), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &text));
    response.on_hover_text(whole);
}

/// The worker's load, and late frames since the player last cleared the counter.
pub fn late_frames(app: &mut App, ui: &Ui, canvas: &Canvas, telemetry: &TelemetryView, area: Area) {
    // A new engine counts from 0.
    app.late_seen = app.late_seen.min(telemetry.late_frames);
    let n_late = telemetry.late_frames - app.late_seen;
    let failed = match telemetry.failed_frames {
        0 => String::new(),
        n => format!(" · failed {n}"),
    };
    let engine = app.wiring.shared.running().map_or(EngineChoice::Worker, |running| running.engine).label();
    let text = format!("{engine} {:.1} % · late frames {n_late}{failed}", 100.0 * telemetry.load);
    let colour = if n_late > 0 || !failed.is_empty() { canvas.colours.alarm } else { canvas.colours.dim };
    canvas.line(ui.painter(), (area, Align::Max), (SMALL, colour), &text);
    let response = ui.interact(canvas.rect(area.middle(BUTTON)), ui.scope_id().with("late"), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &text));
    if response.clicked() {
        app.late_seen = telemetry.late_frames;
    }
    response.on_hover_text(
        "Late frames: the networks were not ready in time, and the sound faded out. If the number grows, choose a larger \
         buffer or close other programs. Click to count from 0. Failed frames: the networks gave no valid result; \
         another instrument file may help.",
    );
}
