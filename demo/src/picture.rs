//! Draws report.png: two spectrograms, one above the other, with the detected pitch.

use crate::pitch_track::{HOP_SECONDS, cents};
use crate::spectrogram::{Grid, spectrogram};
use anyhow::{Result, anyhow};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontStyle, register_font};
use std::path::Path;

const SIZE: (u32, u32) = (1600, 1120);
/// Pixels around and between the panels.
const LEFT: i32 = 110;
const RIGHT: i32 = 170;
const TOP: i32 = 130;
const BOTTOM: i32 = 80;
const GAP: i32 = 70;
const LOW_HZ: f64 = 50.0;
const HIGH_HZ: f64 = 20_000.0;
/// Range of the colours, dB below the loudest point of both panels (rounded up to tens).
const SPAN_DB: f32 = 90.0;

const BACKGROUND: RGBColor = RGBColor(16, 16, 22);
const TEXT: RGBColor = RGBColor(225, 225, 230);
const FAINT: RGBColor = RGBColor(150, 150, 160);
const PITCH: RGBColor = RGBColor(64, 240, 220);

const TITLE_FONT: &str = "ubuntu";
/// A monospaced font stays legible at small sizes without hinting and kerning, which plotters lacks.
const SMALL_FONT: &str = "hack";
/// Texts of at least this size take [`TITLE_FONT`].
const TITLE_SIZE: i32 = 24;

/// One of the two clips, with its texts.
pub struct Panel<'a> {
    /// Title above the spectrogram.
    pub title: &'a str,
    /// Mono.
    pub samples: &'a [f32],
    /// f0 from [`crate::pitch_track::track`].
    pub f0_hz: &'a [Option<f64>],
}

/// Draws `panels` (input and output, of equal length, at `rate` Hz) to a PNG.
pub fn draw(path: &Path, title: &str, subtitle: &str, panels: [&Panel; 2], rate: f64) -> Result<()> {
    for (name, bytes) in
        [(TITLE_FONT, epaint_default_fonts::UBUNTU_LIGHT), (SMALL_FONT, epaint_default_fonts::HACK_REGULAR)]
    {
        register_font(name, FontStyle::Normal, bytes).map_err(|_| anyhow!("the font {name} cannot be used"))?;
    }
    let root = BitMapBackend::new(path, SIZE).into_drawing_area();
    root.fill(&BACKGROUND)?;
    text(&root, title, (LEFT, 30), 36, TEXT, HPos::Left)?;
    text(&root, subtitle, (LEFT, 68), 17, FAINT, HPos::Left)?;

    let width = SIZE.0 as i32 - LEFT - RIGHT;
    let height = (SIZE.1 as i32 - TOP - BOTTOM - GAP) / 2;
    let grid = Grid { n_columns: width as usize, n_rows: height as usize, low_hz: LOW_HZ, high_hz: HIGH_HZ };
    let levels = panels.map(|panel| spectrogram(panel.samples, rate, &grid));
    let loudest = levels.iter().flatten().copied().fold(f32::NEG_INFINITY, f32::max);
    // For silence, scaling to the loudest point would be meaningless.
    let top_db = if loudest > -120.0 { (loudest / 10.0).ceil() * 10.0 } else { 0.0 };
    let seconds = panels[0].samples.len() as f64 / rate;

    for (index, (panel, levels)) in panels.iter().zip(&levels).enumerate() {
        let axes = Axes { left: LEFT, top: TOP + index as i32 * (height + GAP), width, height, seconds };
        text(&root, panel.title, (LEFT, axes.top - 18), 24, TEXT, HPos::Left)?;
        root.draw(&image(&axes, levels, top_db)?)?;
        draw_axes(&root, &axes)?;
        draw_pitch(&root, &axes, panel.f0_hz)?;
    }
    let label_y = SIZE.1 as i32 - BOTTOM + 52;
    text(&root, "time in seconds", (LEFT + width / 2, label_y), 17, FAINT, HPos::Center)?;
    draw_legend(&root, LEFT + width)?;
    draw_colour_bar(&root, top_db)?;
    root.present()?;
    Ok(())
}

/// Position of a panel, and the ranges of its axes.
struct Axes {
    left: i32,
    top: i32,
    width: i32,
    height: i32,
    seconds: f64,
}

impl Axes {
    fn x(&self, seconds: f64) -> i32 {
        self.left + (seconds / self.seconds * f64::from(self.width)).round() as i32
    }

    fn y(&self, hz: f64) -> i32 {
        self.top + ((HIGH_HZ / hz).ln() / (HIGH_HZ / LOW_HZ).ln() * f64::from(self.height)).round() as i32
    }
}

type Area<'a> = DrawingArea<BitMapBackend<'a>, plotters::coord::Shift>;

fn image(axes: &Axes, levels: &[f32], top_db: f32) -> Result<BitMapElement<'static, (i32, i32)>> {
    let pixels = levels.iter().flat_map(|db| magma((db - top_db) / SPAN_DB + 1.0)).collect();
    BitMapElement::with_owned_buffer((axes.left, axes.top), (axes.width as u32, axes.height as u32), pixels)
        .ok_or_else(|| anyhow!("the spectrogram has the wrong size"))
}

fn draw_axes(root: &Area, axes: &Axes) -> Result<()> {
    let (right, bottom) = (axes.left + axes.width, axes.top + axes.height);
    for hz in [50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 10_000.0, 20_000.0] {
        let label = if hz < 1000.0 { format!("{hz} Hz") } else { format!("{} kHz", hz / 1000.0) };
        let y = axes.y(hz);
        line(root, [(axes.left - 7, y), (axes.left, y)], TEXT.into())?;
        line(root, [(axes.left, y), (right, y)], WHITE.mix(0.10))?;
        text(root, &label, (axes.left - 13, y), 16, TEXT, HPos::Right)?;
    }
    for octave in 2..=9 {
        let y = axes.y(440.0 * 2.0_f64.powf(f64::from(octave) - 4.75));
        line(root, [(right, y), (right + 7, y)], FAINT.into())?;
        text(root, &format!("C{octave}"), (right + 13, y), 16, FAINT, HPos::Left)?;
    }
    let step = nice_step(axes.seconds / 10.0);
    for tick in 0..=(axes.seconds / step + 1e-9) as usize {
        let seconds = tick as f64 * step;
        let x = axes.x(seconds);
        line(root, [(x, bottom), (x, bottom + 7)], TEXT.into())?;
        text(root, &format!("{}", (seconds * 1000.0).round() / 1000.0), (x, bottom + 20), 16, TEXT, HPos::Center)?;
    }
    let frame = [(axes.left - 1, axes.top - 1), (right, axes.top - 1), (right, bottom), (axes.left - 1, bottom)];
    root.draw(&PathElement::new([&frame[..], &frame[..1]].concat(), FAINT))?;
    Ok(())
}

/// The smallest of 1, 2, 5 times a power of ten that is at least `seconds`.
fn nice_step(seconds: f64) -> f64 {
    let magnitude = 10.0_f64.powf(seconds.max(1e-3).log10().floor());
    [1.0, 2.0, 5.0, 10.0].map(|m| m * magnitude).into_iter().find(|step| *step >= seconds).unwrap_or(10.0 * magnitude)
}

fn draw_pitch(root: &Area, axes: &Axes, f0_hz: &[Option<f64>]) -> Result<()> {
    // A jump of more than a fourth within one hop is a new note or an error; a connecting line would hide which.
    const JUMP_CENTS: f64 = 500.0;
    let mut strokes: Vec<Vec<(i32, i32)>> = Vec::new();
    let mut previous: Option<f64> = None;
    for (frame, f0) in f0_hz.iter().enumerate() {
        if let Some(f0) = *f0 {
            let point = (axes.x(frame as f64 * HOP_SECONDS).min(axes.left + axes.width - 1), axes.y(f0));
            match strokes.last_mut() {
                Some(stroke) if previous.is_some_and(|p| cents(f0, p).abs() < JUMP_CENTS) => stroke.push(point),
                _ => strokes.push(vec![point]),
            }
        }
        previous = *f0;
    }
    // A dark line below the bright one keeps it visible on black and on the yellow of a loud fundamental.
    for style in [BLACK.mix(0.6).stroke_width(5), PITCH.stroke_width(2)] {
        for stroke in &strokes {
            root.draw(&PathElement::new(stroke.clone(), style))?;
        }
    }
    Ok(())
}

fn draw_legend(root: &Area, right: i32) -> Result<()> {
    let y = TOP - 18;
    root.draw(&PathElement::new(vec![(right - 400, y), (right - 360, y)], PITCH.stroke_width(3)))?;
    text(root, "pitch as YIN finds it in this audio", (right - 350, y), 16, FAINT, HPos::Left)
}

fn draw_colour_bar(root: &Area, top_db: f32) -> Result<()> {
    let (left, width) = (SIZE.0 as i32 - 90, 16);
    let (top, bottom) = (TOP, SIZE.1 as i32 - BOTTOM);
    for y in top..bottom {
        let share = (bottom - y) as f32 / (bottom - top) as f32;
        let [r, g, b] = magma(share);
        line(root, [(left, y), (left + width, y)], RGBColor(r, g, b).into())?;
    }
    for below in (0..=SPAN_DB as i32).step_by(10) {
        let y = top + (bottom - top) * below / SPAN_DB as i32;
        line(root, [(left + width, y), (left + width + 5, y)], TEXT.into())?;
        text(root, &format!("{}", top_db as i32 - below), (left + width + 10, y), 16, TEXT, HPos::Left)?;
    }
    text(root, "dB", (left + width / 2, top - 18), 16, TEXT, HPos::Center)
}

fn line(root: &Area, ends: [(i32, i32); 2], colour: RGBAColor) -> Result<()> {
    root.draw(&PathElement::new(ends.to_vec(), colour))?;
    Ok(())
}

/// `at`: the vertical centre of the text, and the horizontal end that `align` names.
fn text(root: &Area, words: &str, at: (i32, i32), size: i32, colour: RGBColor, align: HPos) -> Result<()> {
    let font = if size >= TITLE_SIZE { TITLE_FONT } else { SMALL_FONT };
    let style = (font, size).into_font().color(&colour).pos(Pos::new(align, VPos::Center));
    root.draw_text(words, &style, at)?;
    Ok(())
}

/// The colour map "magma" (S. van der Walt and N. Smith, public domain), interpolated from nine points. 0 is black, 1
/// nearly white.
fn magma(level: f32) -> [u8; 3] {
    const POINTS: [[f32; 3]; 9] = [
        [0.0, 0.0, 4.0],
        [28.0, 16.0, 68.0],
        [79.0, 18.0, 123.0],
        [129.0, 37.0, 129.0],
        [181.0, 54.0, 122.0],
        [229.0, 80.0, 100.0],
        [251.0, 135.0, 97.0],
        [254.0, 194.0, 135.0],
        [252.0, 253.0, 191.0],
    ];
    let position = level.clamp(0.0, 1.0) * (POINTS.len() - 1) as f32;
    let below = (position as usize).min(POINTS.len() - 2);
    let share = position - below as f32;
    std::array::from_fn(|i| (POINTS[below][i] + (POINTS[below + 1][i] - POINTS[below][i]) * share).round() as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_reach_both_ends_and_survive_nonsense() {
        assert_eq!(magma(0.0), [0, 0, 4]);
        assert_eq!(magma(1.0), [252, 253, 191]);
        assert_eq!(magma(f32::NEG_INFINITY), [0, 0, 4]);
        assert_eq!(magma(5.0), [252, 253, 191]);
    }

    #[test]
    fn ticks_are_round_numbers() {
        for (seconds, step) in [(0.9, 1.0), (1.0, 1.0), (1.2, 2.0), (4.0, 5.0), (0.03, 0.05), (7.0, 10.0)] {
            assert!((nice_step(seconds) - step).abs() < 1e-9, "{seconds} gave {}", nice_step(seconds));
        }
    }

    #[test]
    fn draws_a_clip_and_silence() {
        let path = std::env::temp_dir().join(format!("embouchure-picture-{}.png", std::process::id()));
        let whistle = crate::melody::whistle(48_000.0).samples;
        let f0_hz = crate::pitch_track::track(&whistle, 48_000.0);
        let silence = vec![0.0; whistle.len()];
        let panels = [
            &Panel { title: "Input", samples: &whistle, f0_hz: &f0_hz },
            &Panel { title: "Output", samples: &silence, f0_hz: &[] },
        ];
        draw(&path, "title", "subtitle", panels, 48_000.0).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        assert!(bytes.starts_with(b"\x89PNG") && bytes.len() > 50_000, "{} bytes", bytes.len());
        std::fs::remove_file(&path).unwrap();
    }
}
