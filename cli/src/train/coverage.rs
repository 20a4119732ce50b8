//! Draws how long each combination of pitch and loudness was played.

use crate::font::{self, FONT};
use anyhow::Result;
use embouchure_inference::config::FRAME_RATE;
use embouchure_inference::note::{Note, hz_to_midi, midi_to_hz};
use embouchure_training::instrument::Report;
use plotters::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;

const SIZE: (u32, u32) = (900, 420);
/// Height of a cell, dB; its width is a semitone.
const CELL_DB: f32 = 2.0;
/// Seconds in a cell that give the darkest colour.
const PLENTY_S: f32 = 3.0;
const DARK: RGBColor = RGBColor(20, 60, 120);

/// Draws a PNG: semitones to the right, loudness upwards; darker cells were played longer.
pub fn draw(path: &Path, report: &Report) -> Result<()> {
    font::register()?;
    let cells = cells(report);
    let range = |values: Vec<i32>| (values.iter().min().copied(), values.iter().max().copied());
    let ((Some(low), Some(high)), (Some(softest), Some(loudest))) =
        (range(cells.keys().map(|c| c.0).collect()), range(cells.keys().map(|c| c.1).collect()))
    else {
        return Ok(());
    };
    let root = BitMapBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let db = |cell: i32| cell as f32 * CELL_DB;
    let mut chart = ChartBuilder::on(&root)
        .caption("Recorded pitch and loudness", (FONT, 18))
        .margin(10)
        .x_label_area_size(36)
        .y_label_area_size(52)
        .build_cartesian_2d(low as f32 - 0.5..high as f32 + 0.5, db(softest)..db(loudest + 1))?;
    let name = |note: &f32| Note::from_hz(midi_to_hz(note.round())).map_or(String::new(), Note::name);
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .x_desc("note")
        .y_desc("dB")
        .x_labels(12)
        .x_label_formatter(&name)
        .label_style((FONT, 12))
        .axis_desc_style((FONT, 12))
        .draw()?;
    chart.draw_series(cells.iter().map(|((note, level), seconds)| {
        let corners = [(*note as f32 - 0.5, db(*level)), (*note as f32 + 0.5, db(level + 1))];
        let shade = 0.15 + 0.85 * (seconds / PLENTY_S).min(1.0);
        Rectangle::new(corners, DARK.mix(f64::from(shade)).filled())
    }))?;
    root.present()?;
    Ok(())
}

/// Seconds by MIDI note number and loudness step.
fn cells(report: &Report) -> BTreeMap<(i32, i32), f32> {
    let mut cells = BTreeMap::new();
    for (hz, loudness_db) in report.pitched() {
        let note = hz_to_midi(hz).round() as i32;
        *cells.entry((note, (loudness_db / CELL_DB).floor() as i32)).or_default() += 1.0 / FRAME_RATE;
    }
    cells
}
