//! A peak meter with hold.

use super::area::{Area, Padding, REST};
use super::theme::{Canvas, SMALL, lower_part};
use egui::{Align, Role, Sense, Stroke, Ui, WidgetInfo};
use embouchure_inference::engine::FULL_SCALE;

const FLOOR_DB: f32 = -60.0;
const TOP_DB: f32 = 6.0;
/// Speed at which bar and held peak fall, slow enough to read.
const FALL_DB_PER_S: f32 = 30.0;
/// Time for which a peak is held.
const HOLD_S: f64 = 1.5;

/// State of one meter.
#[derive(Debug)]
pub struct Meter {
    level_db: f32,
    hold_db: f32,
    held_since_s: f64,
    updated_s: f64,
    /// The peak has reached full scale since the player last cleared the clip light.
    has_clipped: bool,
}

impl Default for Meter {
    fn default() -> Self {
        Self { level_db: FLOOR_DB, hold_db: FLOOR_DB, held_since_s: 0.0, updated_s: 0.0, has_clipped: false }
    }
}

impl Meter {
    /// Updates the meter with the linear peak since the last call; `now_s` is any steady clock.
    pub fn update(&mut self, peak: f32, now_s: f64) {
        self.has_clipped |= peak >= FULL_SCALE;
        let peak_db = (20.0 * peak.log10()).clamp(FLOOR_DB, 99.0);
        // The clock starts again with each new window.
        let elapsed_s = (now_s - self.updated_s).max(0.0);
        let fall_db = FALL_DB_PER_S * elapsed_s as f32;
        self.updated_s = now_s;
        self.level_db = peak_db.max(self.level_db - fall_db);
        if self.level_db >= self.hold_db || now_s < self.held_since_s {
            self.hold_db = self.level_db;
            self.held_since_s = now_s;
        } else if now_s - self.held_since_s > HOLD_S {
            self.hold_db = self.level_db.max(self.hold_db - fall_db);
        }
    }

    /// Present level, dB.
    pub fn level_db(&self) -> f32 {
        self.level_db
    }

    /// The held peak as text.
    fn text(&self) -> String {
        if self.hold_db <= FLOOR_DB { "-inf".into() } else { format!("{:.1}", self.hold_db) }
    }

    /// Draws the meter. A click clears its clip light and its held peak.
    pub fn show(&mut self, ui: &Ui, canvas: &Canvas, area: Area, label: &str) {
        let [name, _, light, _, column, _, hold] = area.rows([18.0, 2.0, 6.0, 4.0, REST, 2.0, 20.0]);
        let [light, column] = [light, column].map(|part| canvas.rect(part.within(Padding::even(12.0, 0.0))));
        let rect = canvas.rect(area);
        let response = ui.interact(rect, ui.scope_id().with(("meter", label)), Sense::click());
        if response.clicked() {
            self.has_clipped = false;
            self.hold_db = self.level_db;
        }
        let (painter, colours) = (ui.painter(), canvas.colours);
        let share = |db: f32| (db - FLOOR_DB) / (TOP_DB - FLOOR_DB);
        painter.rect_filled(column, canvas.corner(3.0), colours.background);
        if self.level_db > FLOOR_DB {
            let bar = lower_part(column, share(self.level_db));
            let colour = if self.level_db > 0.0 { colours.alarm } else { colours.level };
            painter.rect_filled(bar, canvas.corner(3.0), colour);
        }
        let line = |db: f32, width: f32, colour| {
            let y = lower_part(column, share(db)).top();
            painter.hline(column.x_range(), y, Stroke::new(canvas.px(width), colour));
        };
        line(0.0, 1.0, colours.dim);
        if self.hold_db > FLOOR_DB {
            line(self.hold_db, 2.0, colours.text);
        }
        painter.rect_filled(light, canvas.corner(2.0), if self.has_clipped { colours.alarm } else { colours.groove });
        let hold_colour = if self.hold_db > 0.0 { colours.alarm } else { colours.text };
        canvas.line(painter, (name, Align::Center), (SMALL, colours.dim), label);
        canvas.line(painter, (hold, Align::Center), (SMALL, hold_colour), &self.text());
        response.widget_info(|| WidgetInfo::labeled(Role::Meter, true, format!("{label} {}", self.text())));
        response.on_hover_text("Held peak, dBFS. The light shows that full scale was reached; a click clears it.");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rises_at_once_holds_and_falls() {
        let mut meter = Meter::default();
        meter.update(0.5, 10.0);
        assert!((meter.level_db + 6.02).abs() < 0.01 && meter.hold_db == meter.level_db);
        meter.update(0.0, 11.0);
        assert!((meter.level_db + 36.02).abs() < 0.01, "{meter:?}");
        assert_eq!(meter.text(), "-6.0");
        assert!(!meter.has_clipped);
        meter.update(0.0, 11.4);
        assert_eq!(meter.text(), "-6.0");
        for tick in 0..200 {
            meter.update(0.0, 11.5 + 0.02 * tick as f64);
        }
        assert_eq!(meter.text(), "-inf");
    }

    #[test]
    fn a_new_windows_clock_does_not_freeze_it() {
        let mut meter = Meter::default();
        meter.update(0.999, 1000.0);
        assert!(!meter.has_clipped, "the loudest that the plugin plays");
        // The highest sample of a 16-bit converter.
        meter.update(32_767.0 / 32_768.0, 1000.0);
        assert!(meter.has_clipped);
        meter.update(0.0, 0.0);
        (1..400).for_each(|tick| meter.update(0.0, 0.02 * tick as f64));
        assert_eq!(meter.text(), "-inf");
    }
}
