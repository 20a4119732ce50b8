//! Pitch to a fraction of a cent, from the change of the harmonics' phases within a hop.
//!
//! The encoder finds the note at once, but its pitch wavers by some cents from hop to hop with the position of the
//! periods in its frame, and the twentieth harmonic wavers by twenty times as many Hz. The instantaneous frequency
//! (Flanagan and Golden 1966, "Phase vocoder"; Abe et al. 1996 for f0) does not waver, but it is late by half a window.
//! It is used as long as both agree.

use super::harmonics::{HarmonicMeter, Phasors, n_audible};
use crate::config::{HOP_SIZE, MODEL_RATE};
use crate::math::sin_cos_turns;
use std::f64::consts::TAU;

/// Harmonics whose phases are used.
const N_PHASES: usize = 10;
/// Phases are not compared if the pitch moved by more than this share within a hop.
const MAX_CHANGE: f32 = 0.03;
/// Least distance between the middles of two windows, samples: the phases over shorter ones are inaccurate.
const MIN_STEP: f64 = 8.0;
/// Hops over which the slope of the pitch is measured, and the share of it that is extrapolated to now.
const SLOPE_HOPS: usize = 6;
const EXTRAPOLATED: f32 = 0.7;
/// Mean difference between both pitches, cents: up to the first value that of the phases is used, beyond the second
/// that of the encoder, and a mixture between.
const AGREEMENT: (f32, f32) = (8.0, 20.0);
/// Weight of a hop in that mean.
const SMOOTHING: f32 = 0.25;
/// A hop that differs by more restarts the mean at this value, so that a pitch halfway across a leap is not heard,
/// cents.
const MAX_DIFFERENCE: f32 = 60.0;
/// Cents per unit of a ratio near 1, less 1.
const CENTS: f32 = 1731.234;

/// Refines the pitch of one source. Realtime-safe.
#[derive(Clone, Debug)]
pub struct FinePitch {
    /// Phasors of the hop before, and the pitch at which they were measured, Hz.
    before: Option<(Phasors, f32)>,
    /// Pitch from the phases in the last hops, Hz, newest last; 0 = none.
    fine_hz: [f32; SLOPE_HOPS + 1],
    /// Mean difference of the phases' pitch to the encoder's, cents.
    difference: f32,
}

impl Default for FinePitch {
    fn default() -> Self {
        Self { before: None, fine_hz: [0.0; SLOPE_HOPS + 1], difference: MAX_DIFFERENCE }
    }
}

impl FinePitch {
    /// Clears the state, between notes.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// Refined pitch of a note, Hz, after `meter` has read a hop. `heard_hz` (> 0): the encoder's pitch for that hop.
    pub fn hop(&mut self, meter: &HarmonicMeter, heard_hz: f32) -> f32 {
        let now = meter.phasors(heard_hz, 1);
        let before = self.before.replace((now, heard_hz));
        self.fine_hz.rotate_left(1);
        self.fine_hz[SLOPE_HOPS] = before.and_then(|before| advance_hz(&before, &(now, heard_hz))).unwrap_or(0.0);
        let cents = self.now_hz(now.window).map(|fine_hz| CENTS * (fine_hz / heard_hz - 1.0));
        let Some(cents) = cents.filter(|cents| cents.abs() < MAX_DIFFERENCE) else {
            self.difference = MAX_DIFFERENCE;
            return heard_hz;
        };
        self.difference += SMOOTHING * (cents - self.difference);
        let share = ((AGREEMENT.1 - self.difference.abs()) / (AGREEMENT.1 - AGREEMENT.0)).clamp(0.0, 1.0);
        heard_hz * (1.0 + share * cents / CENTS)
    }

    /// Pitch from the phases, which is that in the middle of the window, extrapolated to now, Hz.
    fn now_hz(&self, window: usize) -> Option<f32> {
        let (oldest_hz, newest_hz) = (self.fine_hz[0], self.fine_hz[SLOPE_HOPS]);
        if newest_hz <= 0.0 {
            return None;
        }
        let late_hops = (window as f32 / HOP_SIZE as f32 + 1.0) / 2.0;
        let is_whole = self.fine_hz.iter().all(|hz| *hz > 0.0);
        let slope = if is_whole { (newest_hz - oldest_hz) / SLOPE_HOPS as f32 } else { 0.0 };
        Some(newest_hz + EXTRAPOLATED * slope * late_hops)
    }
}

/// Frequency of the fundamental, Hz, that explains the change of phase from one window to the next.
fn advance_hz(before: &(Phasors, f32), now: &(Phasors, f32)) -> Option<f32> {
    let ((old, old_hz), (new, new_hz)) = (before, now);
    // Windows of different lengths that end a hop apart.
    let step = HOP_SIZE as f64 + (old.window as f64 - new.window as f64) / 2.0;
    if (old_hz / new_hz - 1.0).abs() > MAX_CHANGE || step < MIN_STEP {
        return None;
    }
    let expected_hz = f64::from(old_hz + new_hz) / 2.0;
    let expected_turns = expected_hz / f64::from(MODEL_RATE) * step;
    let (mut moved, mut weights) = (0.0, 1e-20);
    for i in 0..N_PHASES.min(n_audible(*new_hz)) {
        let k = (i + 1) as f32;
        // The new phasor times the conjugate of the old one, turned back by the expected angle.
        let real = new.real[i] * old.real[i] + new.imaginary[i] * old.imaginary[i];
        let imaginary = new.imaginary[i] * old.real[i] - new.real[i] * old.imaginary[i];
        let (sin, cos) = sin_cos_turns((expected_turns * f64::from(k)).fract());
        let (sin, cos) = (sin as f32, cos as f32);
        let (real, imaginary) = (real * cos + imaginary * sin, imaginary * cos - real * sin);
        if real <= 0.0 {
            continue; // Off by more than a quarter of a turn: ambiguous.
        }
        let weight = (real * real + imaginary * imaginary).sqrt().max(1e-20);
        let sine = imaginary / weight;
        moved += weight * k * sine * (1.0 + sine * sine / 6.0);
        weights += weight * k * k;
    }
    let moved_hz = f64::from(moved / weights) * f64::from(MODEL_RATE) / (TAU * step);
    Some((expected_hz + moved_hz) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Per hop: the pitch that is played, and the refined pitch for what the encoder hears.
    fn refine(f0_hz: impl Fn(usize) -> f32, heard_hz: impl Fn(usize, f32) -> f32) -> Vec<(f32, f32)> {
        let (mut meter, mut fine, mut turns) = (HarmonicMeter::default(), FinePitch::default(), 0.0);
        let hop = |t: usize| {
            meter.push(&std::array::from_fn(|_| {
                turns += f64::from(f0_hz(t)) / f64::from(MODEL_RATE);
                (1..=8).map(|k| 0.1 / k as f32 * (TAU * turns * k as f64).sin() as f32).sum()
            }));
            (f0_hz(t), fine.hop(&meter, heard_hz(t, f0_hz(t))))
        };
        (0..200).map(hop).collect()
    }

    fn cents((played, found): &(f32, f32)) -> f32 {
        1200.0 * (found / played).log2().abs()
    }

    fn wavering(t: usize, hz: f32) -> f32 {
        hz * (6.0 / 1200.0 * (t as f32 * 2.3).sin()).exp2()
    }

    #[test]
    fn a_steady_note_is_steady_whatever_the_encoder_does() {
        for hz in [65.0, 110.0, 440.0, 1500.0, 3500.0] {
            let found = refine(|_| hz, wavering);
            let mean = found[60..].iter().map(cents).sum::<f32>() / 140.0;
            // The mean error of the encoder is 3.8.
            assert!(mean < 0.7, "{hz} Hz: {mean} cents");
        }
    }

    #[test]
    fn vibrato_is_followed() {
        // 30 cents, six times a second.
        let vibrato =
            |t: usize| 440.0 * (30.0 / 1200.0 * (t as f32 * 0.004 * 6.0 * std::f32::consts::TAU).sin()).exp2();
        let found = refine(vibrato, wavering);
        let mean = found[60..].iter().map(cents).sum::<f32>() / 140.0;
        assert!(mean < 4.0, "{mean} cents");
    }

    #[test]
    fn a_new_note_has_its_pitch_as_soon_as_the_encoder_hears_it() {
        let step = |t: usize| if t < 100 { 300.0 } else { 400.0 };
        let found = refine(step, |_, hz| hz);
        let worst = found.iter().map(cents).fold(0.0, f32::max);
        assert!(worst < 8.0, "{worst} cents");
    }
}
