//! The bottom line: what the engine runs at, what it costs, what came late, and a warning.

use super::theme::{Canvas, SMALL};
use super::{App, buffer_menu};
use crate::notice;
use egui::{Align2, Ui};
use embouchure_inference::stream::TelemetryView;
use nice_plug::context::gui::GuiContext;

/// Outside by more than this the player is warned: the instrument was never heard there.
const TOLERANCE: f32 = 1.06;

/// Draws the line, 900 × 32 design units.
pub fn show(app: &App, ui: &mut Ui, canvas: &Canvas, host: &GuiContext, telemetry: &TelemetryView) {
    buffer_menu::show(app, ui, canvas, canvas.rect(12.0, 567.0, 150.0, 22.0), host);
    let (painter, colours) = (ui.painter(), canvas.colours);
    let left = |x| (canvas.pos(x, 578.0), Align2::LEFT_CENTER);
    let rates = match app.wiring.shared.running() {
        None => "Not running".into(),
        Some(running) => {
            let latency_ms = 1000.0 * running.latency_samples as f32 / running.host_rate;
            format!("Latency {latency_ms:.1} ms ({} samples at {} Hz)", running.latency_samples, running.host_rate)
        }
    };
    canvas.text(painter, left(174.0), 250.0, (SMALL, colours.dim), &rates);
    let out_of_range = app.playable_hz().and_then(|range_hz| warning(range_hz, telemetry.played_hz));
    if let Some(warning) = out_of_range.or_else(notice::get) {
        canvas.text(painter, left(430.0), 260.0, (SMALL, colours.alarm), warning);
    }
    let late = format!("Worker {:.1} % · late frames {}", 100.0 * telemetry.load, telemetry.late_frames);
    let colour = if telemetry.late_frames > 0 { colours.alarm } else { colours.dim };
    canvas.text(painter, (canvas.pos(888.0, 578.0), Align2::RIGHT_CENTER), 200.0, (SMALL, colour), &late);
}

fn warning([low, high]: [f32; 2], played_hz: f32) -> Option<&'static str> {
    if played_hz <= 0.0 {
        None
    } else if played_hz < low / TOLERANCE {
        Some("Below the instrument's range")
    } else if played_hz > high * TOLERANCE {
        Some("Above the instrument's range")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_player_is_warned_outside_the_range() {
        let range = [200.0, 1000.0];
        assert_eq!([0.0, 190.0, 500.0, 1050.0].map(|hz| warning(range, hz)), [None; 4]);
        assert!(warning(range, 150.0).unwrap().contains("Below"));
        assert!(warning(range, 1500.0).unwrap().contains("Above"));
    }
}
