//! Readout of the notes that are heard and played.

use super::theme::{Canvas, SMALL};
use egui::{Align2, Rect, Ui, vec2};
use embouchure_inference::engine::TelemetryView;
use embouchure_inference::note::Note;

/// Draws what is heard and what is played: 240 × 92 design units from (`x`, `y`).
pub fn show(ui: &Ui, canvas: &Canvas, (x, y): (f32, f32), view: &TelemetryView) {
    readout(ui, canvas, (x, y), "Heard", view.heard.note_hz());
    readout(ui, canvas, (x + 126.0, y), "Played", view.played_hz);
    confidence(ui, canvas, (x + 66.0, y + 64.0), view.heard.pitch.certainty);
}

fn readout(ui: &Ui, canvas: &Canvas, (x, y): (f32, f32), label: &str, hz: f32) {
    let painter = ui.painter();
    let at = |dx, dy| (canvas.pos(x + dx, y + dy), Align2::LEFT_CENTER);
    canvas.text(painter, at(0.0, 8.0), 120.0, (SMALL, canvas.colours.dim), label);
    let Some(note) = Note::from_hz(hz) else {
        canvas.text(painter, at(0.0, 40.0), 60.0, (30.0, canvas.colours.dim), "–");
        return;
    };
    canvas.text(painter, at(0.0, 40.0), 64.0, (30.0, canvas.colours.text), &note.name());
    canvas.text(painter, at(66.0, 32.0), 70.0, (SMALL, canvas.colours.text), &note.deviation());
    canvas.text(painter, at(66.0, 50.0), 70.0, (SMALL, canvas.colours.dim), &format!("{hz:.1} Hz"));
}

/// The tracker's certainty that there is a note, 0 to 1.
fn confidence(ui: &Ui, canvas: &Canvas, (x, y): (f32, f32), voicing: f32) {
    let painter = ui.painter();
    let voicing = voicing.clamp(0.0, 1.0);
    let bar = canvas.rect(x, y + 8.0, 60.0, 6.0);
    painter.rect_filled(bar, canvas.corner(3.0), canvas.colours.background);
    let filled = Rect::from_min_size(bar.min, vec2(bar.width() * voicing, bar.height()));
    painter.rect_filled(filled, canvas.corner(3.0), canvas.colours.accent);
    let label = (canvas.pos(x - 66.0, y + 11.0), Align2::LEFT_CENTER);
    canvas.text(painter, label, 64.0, (SMALL, canvas.colours.dim), "Certainty");
}
