//! Notes: names of frequencies, and their readout.

use super::theme::{ACCENT, BACKGROUND, Canvas, DIM, SMALL, TEXT};
use egui::{Align2, Rect, Ui, vec2};
use embouchure_inference::stream::TelemetryView;

/// The font that egui brings has no sharp sign.
const NAMES: [&str; 12] = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"];

/// The nearest note of the equal temperament, A4 = 440 Hz.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Note {
    /// MIDI number.
    number: i32,
    /// Deviation, -50 to 50.
    cents: i32,
}

impl Note {
    /// `None` if nothing sounds (0 Hz), or for what is no frequency.
    pub fn from_hz(hz: f32) -> Option<Self> {
        if !(hz.is_finite() && hz > 0.0) {
            return None;
        }
        let cents = (1200.0 * (hz / 440.0).log2()).round() as i32 + 6900;
        let number = (cents + 50).div_euclid(100);
        Some(Self { number, cents: cents - 100 * number })
    }

    /// Name and octave; middle C is C4.
    pub fn name(self) -> String {
        format!("{}{}", NAMES[self.number.rem_euclid(12) as usize], self.number.div_euclid(12) - 1)
    }

    /// "+12 ct", "0 ct".
    pub fn deviation(self) -> String {
        if self.cents == 0 { "0 ct".into() } else { format!("{:+} ct", self.cents) }
    }
}

/// Draws what is heard and what is played: 300 × 92 design units from (`x`, `y`).
pub fn show(ui: &Ui, canvas: &Canvas, (x, y): (f32, f32), view: &TelemetryView) {
    readout(ui, canvas, (x, y), "Heard", view.heard.f0_hz);
    readout(ui, canvas, (x + 160.0, y), "Played", view.played_hz);
    confidence(ui, canvas, (x + 66.0, y + 64.0), view.heard.voicing);
}

fn readout(ui: &Ui, canvas: &Canvas, (x, y): (f32, f32), label: &str, hz: f32) {
    let painter = ui.painter();
    let at = |dx, dy| (canvas.pos(x + dx, y + dy), Align2::LEFT_CENTER);
    canvas.text(painter, at(0.0, 8.0), 120.0, (SMALL, DIM), label);
    let Some(note) = Note::from_hz(hz) else {
        canvas.text(painter, at(0.0, 40.0), 60.0, (30.0, DIM), "–");
        return;
    };
    canvas.text(painter, at(0.0, 40.0), 64.0, (30.0, TEXT), &note.name());
    canvas.text(painter, at(66.0, 32.0), 70.0, (SMALL, TEXT), &note.deviation());
    canvas.text(painter, at(66.0, 50.0), 70.0, (SMALL, DIM), &format!("{hz:.1} Hz"));
}

/// The tracker's certainty that there is a note, 0 to 1.
fn confidence(ui: &Ui, canvas: &Canvas, (x, y): (f32, f32), voicing: f32) {
    let painter = ui.painter();
    let voicing = voicing.clamp(0.0, 1.0);
    let bar = canvas.rect(x, y + 8.0, 60.0, 6.0);
    painter.rect_filled(bar, canvas.corner(3.0), BACKGROUND);
    let filled = Rect::from_min_size(bar.min, vec2(bar.width() * voicing, bar.height()));
    painter.rect_filled(filled, canvas.corner(3.0), ACCENT);
    let label = (canvas.pos(x - 66.0, y + 11.0), Align2::LEFT_CENTER);
    canvas.text(painter, label, 64.0, (SMALL, DIM), "Certainty");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(hz: f32) -> String {
        Note::from_hz(hz).map_or("none".into(), |n| format!("{} {}", n.name(), n.deviation()))
    }

    #[test]
    fn names_notes() {
        assert_eq!(text(440.0), "A4 0 ct");
        assert_eq!(text(261.6256), "C4 0 ct");
        assert_eq!(text(466.1638), "A#4 0 ct");
        assert_eq!(text(27.5), "A0 0 ct");
        assert_eq!(text(4978.0), "D#8 0 ct");
        assert_eq!(text(8.1758), "C-1 0 ct");
        assert_eq!(text(7.7169), "B-2 0 ct");
    }

    #[test]
    fn deviates_by_half_a_semitone_at_most() {
        assert_eq!(text(440.0 * (49.0_f32 / 1200.0).exp2()), "A4 +49 ct");
        assert_eq!(text(440.0 * (51.0_f32 / 1200.0).exp2()), "A#4 -49 ct");
        assert_eq!(text(440.0 * (-12.0_f32 / 1200.0).exp2()), "A4 -12 ct");
    }

    #[test]
    fn silence_has_no_note() {
        for hz in [0.0, -1.0, f32::NAN, f32::INFINITY] {
            assert_eq!(text(hz), "none");
        }
    }
}
