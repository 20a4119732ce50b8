//! Finds the partials of a frame, and tests whether they are the harmonics of one note.

use crate::math::db::{db_to_power, power_to_db};
use crate::math::window::hann;
use realfft::{RealFftPlanner, RealToComplex, num_complex::Complex};
use std::sync::Arc;

/// The window is the power of two that lasts at least this long, s.
const WINDOW_S: f32 = 1.0 / 12.0;
/// Range of the partials, Hz, and their level below the loudest bin at most, dB.
const RANGE_HZ: (f32, f32) = (45.0, 5000.0);
const SPAN_DB: f32 = 35.0;
/// Height of a partial above its surroundings, dB.
const MIN_PROMINENCE_DB: f32 = 15.0;
/// Bins on each side that count as surroundings.
const SURROUNDINGS: usize = 24;
/// Least share of the partials' power in the harmonics of one note.
const MIN_COVERED: f32 = 0.85;
/// A fundamental this far below the strongest partial counts as missing, dB.
const MISSING_DB: f32 = 25.0;
/// With fewer harmonics than this, some have neighbours by accident.
const MANY: usize = 10;
/// Harmonics from this number on are ignored: those of 20 Hz are above the range.
const N_NUMBERS: usize = 256;

/// Requirements for a note whose fundamental is missing: the first two fields together, or the third.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NoteRule {
    /// Least share of the harmonics between the lowest and the highest that are present.
    pub least_filled: f32,
    /// Least number of harmonics.
    pub least_harmonics: usize,
    /// Least share of ten or more harmonics that have a neighbour: the weak ones of a very low note are not resolved.
    pub least_adjoining: f32,
}

/// One partial.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Partial {
    /// Frequency, Hz.
    pub hz: f32,
    /// Power, in the same unit for all partials of a frame.
    pub power: f32,
}

/// Finds partials. Realtime-safe once made.
pub struct PartialFinder {
    bin_hz: f32,
    window: Vec<f32>,
    fft: Arc<dyn RealToComplex<f32>>,
    frame: Vec<f32>,
    bins: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
    /// Power of each bin, dB.
    db: Vec<f32>,
    /// Capacity for the most that a frame can have.
    partials: Vec<Partial>,
}

impl PartialFinder {
    /// For samples at `rate`, Hz. Allocates.
    pub fn new(rate: u32) -> Self {
        let n = ((rate as f32 * WINDOW_S) as usize).next_power_of_two();
        let fft = RealFftPlanner::new().plan_fft_forward(n);
        Self {
            bin_hz: rate as f32 / n as f32,
            window: hann(n),
            frame: fft.make_input_vec(),
            bins: fft.make_output_vec(),
            scratch: fft.make_scratch_vec(),
            db: vec![0.0; n / 2 + 1],
            partials: Vec::with_capacity(n / 2),
            fft,
        }
    }

    /// Length of a frame, samples.
    pub fn frame_size(&self) -> usize {
        self.window.len()
    }

    /// The partials of a frame; missing samples are 0. Silence has none.
    pub fn find(&mut self, samples: impl Iterator<Item = f32>) -> Partials<'_> {
        let samples = samples.chain(std::iter::repeat(0.0));
        for ((y, x), w) in self.frame.iter_mut().zip(samples).zip(&self.window) {
            *y = x * w;
        }
        // The lengths are right by construction, so the FFT cannot fail.
        let _ = self.fft.process_with_scratch(&mut self.frame, &mut self.bins, &mut self.scratch);
        for (db, bin) in self.db.iter_mut().zip(&self.bins) {
            *db = power_to_db(bin.norm_sqr().max(1e-20));
        }
        let last = ((RANGE_HZ.1 / self.bin_hz) as usize).min(self.db.len() - 2);
        let range = (RANGE_HZ.0 / self.bin_hz) as usize..last;
        let top_db = self.db[range.clone()].iter().copied().fold(f32::MIN, f32::max);
        self.partials.clear();
        for i in range.filter(|i| self.db[*i] > top_db - SPAN_DB) {
            if is_partial(&self.db, i) {
                let (shift, db) = (peak_shift(&self.db, i), self.db[i]);
                let partial = Partial { hz: (i as f32 + shift) * self.bin_hz, power: db_to_power(db) };
                self.partials.push(partial);
            }
        }
        Partials { partials: &self.partials, bin_hz: self.bin_hz }
    }
}

/// True if bin `i` is a peak above its surroundings.
fn is_partial(db: &[f32], i: usize) -> bool {
    if (i.saturating_sub(2)..=i + 2).any(|j| db[j] > db[i]) {
        return false;
    }
    let around = &db[i.saturating_sub(SURROUNDINGS)..(i + SURROUNDINGS).min(db.len())];
    let mut sorted = [0.0; 2 * SURROUNDINGS];
    let sorted = &mut sorted[..around.len()];
    sorted.copy_from_slice(around);
    let (_, quarter, _) = sorted.select_nth_unstable_by(around.len() / 4, f32::total_cmp);
    db[i] - *quarter >= MIN_PROMINENCE_DB
}

/// Position of the peak relative to bin `i`, in bins, by a parabola through it and its neighbours.
fn peak_shift(db: &[f32], i: usize) -> f32 {
    let (a, b, c) = (db[i - 1], db[i], db[i + 1]);
    if a - 2.0 * b + c < 0.0 { 0.5 * (a - c) / (a - 2.0 * b + c) } else { 0.0 }
}

/// The partials of one frame.
#[derive(Clone, Copy, Debug)]
pub struct Partials<'a> {
    partials: &'a [Partial],
    bin_hz: f32,
}

impl Partials<'_> {
    /// All partials, the lowest first.
    pub fn all(&self) -> &[Partial] {
        self.partials
    }

    /// True if nearly all partials are harmonics of `f0_hz` (> 0), and its fundamental is there or `rule` holds.
    pub fn are_of_note(&self, f0_hz: f32, rule: NoteRule) -> bool {
        let strongest = self.partials.iter().map(|p| p.power).fold(0.0, f32::max);
        let weak = strongest * db_to_power(-MISSING_DB);
        let (mut total, mut covered, mut has_fundamental) = (0.0, 0.0, false);
        let mut present = [false; N_NUMBERS];
        for partial in self.partials {
            total += partial.power;
            let Some(k) = self.number(partial, f0_hz) else { continue };
            covered += partial.power;
            has_fundamental |= k == 1 && partial.power > weak;
            present[k] = true;
        }
        if covered < MIN_COVERED * total {
            return false;
        }
        has_fundamental || is_filled(&present, rule)
    }

    /// Number of the harmonic of `f0_hz` that a partial is, if it is one.
    fn number(&self, partial: &Partial, f0_hz: f32) -> Option<usize> {
        let k = (partial.hz / f0_hz).round().max(1.0);
        let tolerance = (1.2 * self.bin_hz).max(0.02 * partial.hz).min(0.3 * f0_hz);
        ((partial.hz - k * f0_hz).abs() < tolerance && (k as usize) < N_NUMBERS).then_some(k as usize)
    }
}

/// True if few harmonics between the lowest and the highest are missing, or if most of at least [`MANY`] have a
/// neighbour.
fn is_filled(present: &[bool; N_NUMBERS], rule: NoteRule) -> bool {
    let place = |is_present: &bool| *is_present;
    let (Some(lowest), Some(highest)) = (present.iter().position(place), present.iter().rposition(place)) else {
        return false;
    };
    let n = present.iter().filter(|is_present| **is_present).count();
    let n_adjoining = present.windows(3).filter(|three| three[1] && (three[0] || three[2])).count();
    let is_dense = n >= rule.least_harmonics && n as f32 >= rule.least_filled * (highest + 1 - lowest) as f32;
    is_dense || n >= MANY && n_adjoining as f32 >= rule.least_adjoining * n as f32
}
