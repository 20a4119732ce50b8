//! Readout of the heard and the played note.

use super::area::{Area, REST};
use super::theme::{Canvas, SMALL};
use egui::{Align, Rect, Ui, vec2};
use embouchure_inference::engine::TelemetryView;
use embouchure_inference::note::Note;

/// Draws both notes, and the certainty of the heard one.
pub fn show(ui: &Ui, canvas: &Canvas, area: Area, view: &TelemetryView) {
    let [readouts, certainty, _] = area.rows([64.0, 22.0, REST]);
    let [heard, played] = readouts.columns([REST, REST]);
    readout(ui, canvas, heard, "Heard", view.heard.note_hz());
    readout(ui, canvas, played, "Played", view.played_hz);
    confidence(ui, canvas, certainty, view.heard.pitch.certainty);
}

/// Width of a note's name, and the space between it and its figures, design units.
const NAME: [f32; 2] = [64.0, 2.0];

fn readout(ui: &Ui, canvas: &Canvas, area: Area, label: &str, hz: f32) {
    let (painter, colours) = (ui.painter(), canvas.colours);
    let [title, below] = area.rows([16.0, REST]);
    let [name, _, figures] = below.columns([NAME[0], NAME[1], REST]);
    let [_, deviation, frequency, _] = figures.rows([7.0, REST, REST, 5.0]);
    canvas.line(painter, (title, Align::Min), (SMALL, colours.dim), label);
    let Some(note) = Note::from_hz(hz) else {
        canvas.line(painter, (name, Align::Min), (30.0, colours.dim), "–");
        return;
    };
    canvas.line(painter, (name, Align::Min), (30.0, colours.text), &note.name());
    canvas.line(painter, (deviation, Align::Min), (SMALL, colours.text), &note.deviation());
    canvas.line(painter, (frequency, Align::Min), (SMALL, colours.dim), &format!("{hz:.1} Hz"));
}

/// The tracker's certainty that there is a note, 0 to 1.
fn confidence(ui: &Ui, canvas: &Canvas, area: Area, voicing: f32) {
    let painter = ui.painter();
    let voicing = voicing.clamp(0.0, 1.0);
    let [label, _, bar, _] = area.columns([NAME[0], NAME[1], 60.0, REST]);
    let bar = canvas.rect(bar.middle(6.0));
    painter.rect_filled(bar, canvas.corner(3.0), canvas.colours.background);
    let filled = Rect::from_min_size(bar.min, vec2(bar.width() * voicing, bar.height()));
    painter.rect_filled(filled, canvas.corner(3.0), canvas.colours.accent);
    canvas.line(painter, (label, Align::Min), (SMALL, canvas.colours.dim), "Certainty");
}
