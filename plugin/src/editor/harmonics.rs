//! Bars that show the levels of the played harmonics.

use super::theme::{Canvas, SMALL, lower_part};
use egui::{Align2, Rect, Ui, pos2};
use embouchure_inference::engine::{N_SHOWN, TelemetryView};

const FLOOR_DB: f32 = -80.0;
/// Speed at which bars fall, dB per second.
const FALL_DB_PER_S: f32 = 120.0;

/// Levels of the bars.
pub struct Harmonics {
    /// Levels shown, dB; they rise at once and fall slowly.
    shown_db: [f32; N_SHOWN],
    updated_s: f64,
}

impl Default for Harmonics {
    fn default() -> Self {
        Self { shown_db: [FLOOR_DB; N_SHOWN], updated_s: 0.0 }
    }
}

impl Harmonics {
    /// Updates the bars from the newest telemetry; `now_s` is any steady clock.
    pub fn update(&mut self, telemetry: &TelemetryView, now_s: f64) {
        let fall_db = FALL_DB_PER_S * (now_s - self.updated_s).clamp(0.0, 1.0) as f32;
        self.updated_s = now_s;
        let is_silent = telemetry.played_hz <= 0.0;
        for (shown, amplitude) in self.shown_db.iter_mut().zip(telemetry.harmonics) {
            let level_db = if is_silent { FLOOR_DB } else { (20.0 * amplitude.log10()).clamp(FLOOR_DB, 0.0) };
            *shown = level_db.max(*shown - fall_db).max(FLOOR_DB);
        }
    }

    /// Draws the bars into `rect`.
    pub fn show(&self, ui: &Ui, canvas: &Canvas, rect: Rect) {
        let painter = ui.painter();
        canvas.panel(painter, rect);
        let inner = rect.shrink(canvas.px(10.0));
        let step = inner.width() / N_SHOWN as f32;
        // The bars begin below the label.
        let top = inner.top() + canvas.px(10.0);
        for (k, level_db) in self.shown_db.iter().enumerate() {
            let left = inner.left() + k as f32 * step;
            let column = Rect::from_min_max(pos2(left, top), pos2(left + 0.7 * step, inner.bottom()));
            painter.rect_filled(column, canvas.corner(1.5), canvas.colours.background);
            if *level_db > FLOOR_DB {
                let bar = lower_part(column, 1.0 - level_db / FLOOR_DB);
                painter.rect_filled(bar, canvas.corner(1.5), canvas.colours.second);
            }
        }
        let at = (pos2(inner.right(), rect.top() + canvas.px(11.0)), Align2::RIGHT_CENTER);
        canvas.text(painter, at, 200.0, (SMALL, canvas.colours.dim), "Harmonics");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_rise_at_once_and_fall_after_the_note() {
        let mut harmonics = Harmonics::default();
        let mut view = TelemetryView { played_hz: 440.0, ..TelemetryView::default() };
        view.harmonics[0] = 0.1;
        harmonics.update(&view, 5.0);
        assert!((harmonics.shown_db[0] + 20.0).abs() < 0.01 && harmonics.shown_db[1] == FLOOR_DB);
        view.played_hz = 0.0;
        harmonics.update(&view, 5.1);
        assert!((harmonics.shown_db[0] + 32.0).abs() < 0.01, "{}", harmonics.shown_db[0]);
        harmonics.update(&view, 5.9);
        assert_eq!(harmonics.shown_db[0], FLOOR_DB);
    }
}
