//! Level over time and log frequency, for diagrams. This program judges the built plugin from outside, so it has its
//! own window and dB functions.

use realfft::RealFftPlanner;
use std::f64::consts::TAU;

/// Window length, s: long enough to separate the harmonics of a low note, short enough to show vibrato.
const WINDOW_SECONDS: f64 = 0.05;
/// Zero-padding factor: the finer spectrum draws low harmonics smoothly.
const PADDING: usize = 4;

/// Size and frequency range of the diagram.
pub struct Grid {
    /// Number of columns, spread evenly over the clip.
    pub n_columns: usize,
    /// Number of rows, spread evenly over log frequency; row 0 is the highest.
    pub n_rows: usize,
    /// Frequency at the lower edge of the last row, Hz.
    pub low_hz: f64,
    /// Frequency at the upper edge of row 0, Hz.
    pub high_hz: f64,
}

/// Levels in dB, `[n_rows * n_columns]`, row by row; a full-scale sine is 0 dB. Allocates.
pub fn spectrogram(samples: &[f32], rate: f64, grid: &Grid) -> Vec<f32> {
    let window_size = (WINDOW_SECONDS * rate).round() as usize;
    let fft_size = (window_size * PADDING).next_power_of_two();
    let window: Vec<f64> =
        (0..window_size).map(|i| 0.5 - 0.5 * (TAU * (i as f64 + 0.5) / window_size as f64).cos()).collect();
    let full_scale = window.iter().sum::<f64>() / 2.0;
    let fft = RealFftPlanner::<f64>::new().plan_fft_forward(fft_size);
    let (mut frame, mut spectrum) = (fft.make_input_vec(), fft.make_output_vec());
    let bin_hz = rate / fft_size as f64;
    let edge_hz = |row: usize| grid.high_hz * (grid.low_hz / grid.high_hz).powf(row as f64 / grid.n_rows as f64);

    let mut levels = vec![f32::NEG_INFINITY; grid.n_rows * grid.n_columns];
    for column in 0..grid.n_columns {
        let centre = (column as f64 + 0.5) / grid.n_columns as f64 * samples.len() as f64;
        let start = centre as isize - (window_size / 2) as isize;
        frame.fill(0.0);
        for (offset, (value, gain)) in frame.iter_mut().zip(&window).enumerate() {
            let position = usize::try_from(start + offset as isize).ok();
            *value = position.and_then(|p| samples.get(p)).map_or(0.0, |s| f64::from(*s) * gain);
        }
        fft.process(&mut frame, &mut spectrum).expect("buffers come from the plan");
        let db: Vec<f64> = spectrum.iter().map(|bin| 20.0 * (bin.norm() / full_scale).max(1e-9).log10()).collect();
        for row in 0..grid.n_rows {
            let (top, bottom) = (edge_hz(row) / bin_hz, edge_hz(row + 1) / bin_hz);
            levels[row * grid.n_columns + column] = loudest_between(&db, bottom, top) as f32;
        }
    }
    levels
}

/// Largest value in a range of bins, which may be narrower than a bin; silence above Nyquist.
fn loudest_between(db: &[f64], bottom: f64, top: f64) -> f64 {
    if top > (db.len() - 1) as f64 {
        return f64::NEG_INFINITY;
    }
    let at = |bin: f64| {
        let below = bin.floor() as usize;
        let above = (below + 1).min(db.len() - 1);
        db[below] + (db[above] - db[below]) * bin.fract()
    };
    let inside = (bottom.ceil() as usize..=top.floor() as usize).map(|bin| db[bin]);
    inside.fold(at(bottom).max(at(top)), f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sine_is_a_line_at_its_pitch_and_level() {
        let samples: Vec<f32> =
            (0..48_000).map(|i| (0.1 * (TAU * 1000.0 * i as f64 / 48_000.0).sin()) as f32).collect();
        let grid = Grid { n_columns: 10, n_rows: 400, low_hz: 50.0, high_hz: 20_000.0 };
        let levels = spectrogram(&samples, 48_000.0, &grid);
        let column: Vec<f32> = (0..grid.n_rows).map(|row| levels[row * grid.n_columns + 5]).collect();
        let loudest = (0..grid.n_rows).max_by(|a, b| column[*a].total_cmp(&column[*b])).unwrap();
        let row_of_1k = 400.0 * (1000.0_f64 / 20_000.0).ln() / (50.0_f64 / 20_000.0).ln();
        assert!((loudest as f64 - row_of_1k).abs() <= 2.0, "row {loudest}, expected {row_of_1k}");
        assert!((column[loudest] + 20.0).abs() < 0.2, "{} dB", column[loudest]);
        assert!(column[loudest + 60] < -80.0 && column[loudest - 60] < -80.0);
    }
}
