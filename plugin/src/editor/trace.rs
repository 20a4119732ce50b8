//! The heard and the played pitch of the last seconds beside a piano keyboard, with the instrument's range.

use super::theme::{Canvas, SMALL};
use egui::{Align2, Painter, Pos2, Rect, Stroke, Ui, pos2};
use embouchure_inference::engine::TelemetryView;
use embouchure_inference::note::{Note, hz_to_midi, midi_to_hz};
use std::collections::VecDeque;

/// Time shown.
const SECONDS: f64 = 6.0;
/// Lowest note shown, MIDI number: 31 Hz.
const LOWEST: f32 = 23.0;
/// Highest note shown, MIDI number: 4.2 kHz.
const HIGHEST: f32 = 108.0;
/// Largest distance of two points that a line connects, s and semitones.
const GAP: (f64, f32) = (0.15, 4.0);

/// The pitches of the last seconds.
#[derive(Default)]
pub struct Trace {
    points: VecDeque<Point>,
}

/// Pitches at one time, MIDI numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Point {
    time_s: f64,
    heard: Option<f32>,
    played: Option<f32>,
}

impl Trace {
    /// Adds a point from the newest telemetry; `now_s` is any steady clock.
    pub fn update(&mut self, telemetry: &TelemetryView, now_s: f64) {
        // The clock starts again with each new window.
        if self.points.back().is_some_and(|newest| newest.time_s > now_s) {
            self.points.clear();
        }
        let midi = |hz: f32| (hz > 0.0).then(|| hz_to_midi(hz));
        let (heard, played) = (midi(telemetry.heard.note_hz()), midi(telemetry.played_hz));
        self.points.push_back(Point { time_s: now_s, heard, played });
        while self.points.front().is_some_and(|oldest| now_s - oldest.time_s > SECONDS) {
            self.points.pop_front();
        }
    }

    /// Draws everything into `rect`. `range_hz`: the instrument's playable range.
    pub fn show(&self, ui: &Ui, canvas: &Canvas, rect: Rect, range_hz: Option<[f32; 2]>) {
        let painter = ui.painter().with_clip_rect(rect);
        canvas.panel(&painter, rect);
        let keys = Rect::from_min_max(rect.min, pos2(rect.left() + canvas.px(46.0), rect.bottom()));
        let field = Rect::from_min_max(pos2(keys.right(), rect.top()), rect.max);
        painter.rect_filled(field, 0.0, canvas.colours.background);
        if let Some(range_hz) = range_hz {
            shade(&painter, canvas, field, range_hz);
        }
        piano(&painter, canvas, keys, field);
        let now_s = self.points.back().map_or(0.0, |newest| newest.time_s);
        let place = |time_s: f64, midi: f32| {
            let age = ((now_s - time_s) / SECONDS) as f32;
            pos2(field.right() - age * field.width(), height(field, midi))
        };
        for (colour, width, pitch) in [
            (canvas.colours.second, 3.0, (|p| p.played) as fn(&Point) -> Option<f32>),
            (canvas.colours.accent, 1.6, |p| p.heard),
        ] {
            for line in lines(&self.points, pitch) {
                let points: Vec<Pos2> = line.into_iter().map(|(time_s, midi)| place(time_s, midi)).collect();
                painter.line(points, Stroke::new(canvas.px(width), colour));
            }
        }
        legend(&painter, canvas, field);
    }
}

/// Connected lines of a pitch: time in s, MIDI number.
fn lines(points: &VecDeque<Point>, pitch: fn(&Point) -> Option<f32>) -> Vec<Vec<(f64, f32)>> {
    let mut lines: Vec<Vec<(f64, f32)>> = Vec::new();
    let mut last: Option<(f64, f32)> = None;
    for point in points {
        let here = pitch(point).map(|midi| (point.time_s, midi));
        if let Some((time_s, midi)) = here {
            let goes_on = last.is_some_and(|(t, m)| time_s - t < GAP.0 && (midi - m).abs() < GAP.1);
            match lines.last_mut() {
                Some(line) if goes_on => line.push((time_s, midi)),
                _ => lines.push(vec![(time_s, midi)]),
            }
        }
        last = here;
    }
    lines
}

fn height(rect: Rect, midi: f32) -> f32 {
    rect.bottom() - (midi - LOWEST) / (HIGHEST - LOWEST) * rect.height()
}

fn shade(painter: &Painter, canvas: &Canvas, field: Rect, range_hz: [f32; 2]) {
    let [low, high] = range_hz.map(|hz| height(field, hz_to_midi(hz)));
    let shaded = Rect::from_min_max(pos2(field.left(), high), pos2(field.right(), low));
    painter.rect_filled(shaded, 0.0, canvas.colours.second.gamma_multiply(0.13));
    let stroke = Stroke::new(canvas.px(1.0), canvas.colours.second.gamma_multiply(0.5));
    painter.hline(field.x_range(), high, stroke);
    painter.hline(field.x_range(), low, stroke);
}

fn piano(painter: &Painter, canvas: &Canvas, keys: Rect, field: Rect) {
    let key = (keys.height() / (HIGHEST - LOWEST)).max(1.0);
    let left = keys.left() + canvas.px(6.0);
    let whites = Rect::from_min_max(pos2(left, keys.top()), pos2(left + keys.width() * 0.36, keys.bottom()));
    painter.rect_filled(whites, 0.0, canvas.colours.dim);
    for midi in LOWEST as i32 + 1..HIGHEST as i32 {
        let y = height(keys, midi as f32);
        let across = |from: f32, to: f32| {
            Rect::from_min_max(pos2(left, y + from * key), pos2(left + whites.width() * 0.62, y + to * key))
        };
        match midi.rem_euclid(12) {
            1 | 3 | 6 | 8 | 10 => _ = painter.rect_filled(across(-0.5, 0.5), 0.0, canvas.colours.panel),
            0 => octave(painter, canvas, (keys, field), midi),
            _ => {}
        }
    }
}

/// The line of a C through the field, and its name.
fn octave(painter: &Painter, canvas: &Canvas, (keys, field): (Rect, Rect), midi: i32) {
    let y = height(keys, midi as f32);
    painter.hline(field.x_range(), y, Stroke::new(canvas.px(0.7), canvas.colours.groove));
    // A name at the bottom edge would be cut off.
    if keys.bottom() - y < canvas.px(SMALL / 2.0) {
        return;
    }
    let name = Note::from_hz(midi_to_hz(midi as f32)).map_or_else(String::new, |note| note.name());
    let at = (pos2(keys.right() - canvas.px(4.0), y), Align2::RIGHT_CENTER);
    canvas.text(painter, at, 30.0, (SMALL, canvas.colours.dim), &name);
}

fn legend(painter: &Painter, canvas: &Canvas, field: Rect) {
    let mut x = field.left() + canvas.px(10.0);
    for (name, colour) in [("heard", canvas.colours.accent), ("played", canvas.colours.second)] {
        let y = field.top() + canvas.px(12.0);
        painter.hline(x..=x + canvas.px(14.0), y, Stroke::new(canvas.px(3.0), colour));
        let at = (pos2(x + canvas.px(19.0), y), Align2::LEFT_CENTER);
        canvas.text(painter, at, 60.0, (SMALL, canvas.colours.dim), name);
        x += canvas.px(68.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(heard_hz: f32, played_hz: f32) -> TelemetryView {
        let mut view = TelemetryView { played_hz, ..TelemetryView::default() };
        (view.heard.is_note, view.heard.pitch.f0_hz) = (heard_hz > 0.0, heard_hz);
        view
    }

    #[test]
    fn lines_break_at_rests_and_leaps_and_old_points_go() {
        let mut trace = Trace::default();
        for (i, hz) in [440.0, 441.0, 0.0, 440.0, 880.0, 881.0].into_iter().enumerate() {
            trace.update(&view(hz, 0.0), i as f64 * 0.03);
        }
        let heard = lines(&trace.points, |p| p.heard);
        assert_eq!(heard.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1, 2]);
        assert!((heard[0][0].1 - 69.0).abs() < 1e-4 && (heard[2][0].1 - 81.0).abs() < 1e-4);
        assert!(lines(&trace.points, |p| p.played).is_empty());
        trace.update(&view(440.0, 220.0), 6.1);
        assert!(trace.points.iter().all(|p| p.time_s >= 0.1));
        trace.update(&view(440.0, 220.0), 0.0);
        assert_eq!(trace.points.len(), 1, "a new window has a new clock");
    }
}
