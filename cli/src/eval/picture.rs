//! Draws the long-term spectra of recordings and renderings in one diagram.

use crate::font::{self, FONT};
use anyhow::Result;
use embouchure_inference::config::NOISE_MAX_HZ;
use embouchure_inference::math::db::power_to_db;
use embouchure_training::evaluation::bin_hz;
use plotters::prelude::*;
use std::path::Path;

const SIZE: (u32, u32) = (900, 360);
/// Frequency range of the diagram; the synth plays up to its upper end.
const HZ: (f32, f32) = (50.0, NOISE_MAX_HZ);
/// Range of levels below the loudest band, dB.
const SPAN_DB: f32 = 90.0;
/// Points of a curve per octave.
const POINTS_PER_OCTAVE: f32 = 12.0;
const COLOURS: [RGBColor; 2] = [RGBColor(40, 90, 160), RGBColor(220, 110, 30)];
const NAMES: [&str; 2] = ["recordings", "renderings"];

/// Draws two power spectra of [`bin_hz`] to a PNG.
pub fn draw(path: &Path, title: &str, spectra: [&[f32]; 2]) -> Result<()> {
    font::register()?;
    let curves = spectra.map(smoothed_db);
    let top = curves.iter().flatten().map(|(_, db)| *db).fold(f32::MIN, f32::max);
    let root = BitMapBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .caption(title, (FONT, 18))
        .margin(10)
        .x_label_area_size(32)
        .y_label_area_size(48)
        .build_cartesian_2d((HZ.0..HZ.1).log_scale(), -SPAN_DB..3.0f32)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .x_desc("Hz")
        .y_desc("dB")
        .label_style((FONT, 12))
        .axis_desc_style((FONT, 12))
        .draw()?;
    for ((curve, colour), name) in curves.into_iter().zip(COLOURS).zip(NAMES) {
        let points = curve.into_iter().map(|(hz, db)| (hz, (db - top).max(-SPAN_DB)));
        let drawn = chart.draw_series(LineSeries::new(points, colour.stroke_width(2)))?;
        drawn.label(name).legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
    }
    chart.configure_series_labels().label_font((FONT, 12)).background_style(WHITE.mix(0.8)).draw()?;
    root.present()?;
    Ok(())
}

/// Mean power in bands of a twelfth of an octave, or in the nearest bin where bins are wider: (Hz, dB).
fn smoothed_db(spectrum: &[f32]) -> Vec<(f32, f32)> {
    let n_points = ((HZ.1 / HZ.0).log2() * POINTS_PER_OCTAVE) as usize;
    let width = bin_hz(1);
    let point = |i: usize| {
        let hz = HZ.0 * (i as f32 / POINTS_PER_OCTAVE).exp2();
        let half = (0.5 / POINTS_PER_OCTAVE).exp2();
        let (low, high) = ((hz / half / width).round() as usize, (hz * half / width).round() as usize);
        let band = &spectrum[low.min(spectrum.len() - 1)..=high.min(spectrum.len() - 1)];
        (hz, power_to_db((band.iter().sum::<f32>() / band.len() as f32).max(1e-20)))
    };
    (0..=n_points).map(point).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_spectrum_is_a_flat_curve() {
        let curve = smoothed_db(&vec![0.1; 1025]);
        assert!(curve.len() > 90 && curve.iter().all(|(_, db)| (db + 10.0).abs() < 1e-3));
    }
}
