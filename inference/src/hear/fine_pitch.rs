//! The pitch to a fraction of a cent, from how far the phases of the harmonics move within a hop.
//!
//! The encoder knows which note it is, and soon; but from hop to hop it wavers by some cents with where the periods lie in
//! its frame, and the twentieth harmonic wavers by twenty times as many Hz. Instantaneous frequency (Flanagan and Golden
//! 1966, "Phase vocoder"; Abe et al. 1996 for f0) does not, but looks at a whole window: so it leads as long as both agree.

use super::harmonics::{HarmonicMeter, Phasors, n_audible};
use crate::config::{HOP_SIZE, MODEL_RATE};
use crate::math::sin_cos_turns;
use std::f64::consts::TAU;

/// Harmonics whose phases count.
const N_PHASES: usize = 10;
/// A pitch that moved by more than this share within a hop has no phase in common with what it was.
const SAME: f32 = 0.03;
/// Shorter steps between windows say too little, samples.
const SHORTEST_STEP: f64 = 8.0;
/// Hops over which the pitch's way is looked at, and how much of it is trusted to go on until now.
const SLOPE_HOPS: usize = 6;
const TRUST: f32 = 0.7;
/// The encoder's pitch is left for the phases' when they differ, in the mean over some hops, by less than the first, and
/// kept beyond the second, cents.
const AGREED: (f32, f32) = (8.0, 20.0);
/// Weight of a hop in that mean.
const NEW: f32 = 0.25;
/// A hop that differs by more begins anew with this as the mean, so that half of what was before a leap is not heard, cents.
const LOST: f32 = 60.0;
/// Cents of a small ratio, less 1.
const CENTS: f32 = 1731.234;

/// Follows one source. Realtime-safe.
#[derive(Clone, Debug)]
pub struct FinePitch {
    /// Of the hop before, and the pitch that they were measured at, Hz.
    before: Option<(Phasors, f32)>,
    /// What the phases said in the last hops, Hz, newest last; 0 = nothing.
    fine_hz: [f32; SLOPE_HOPS + 1],
    /// Mean difference to the encoder's, cents.
    difference: f32,
}

impl Default for FinePitch {
    fn default() -> Self {
        Self { before: None, fine_hz: [0.0; SLOPE_HOPS + 1], difference: LOST }
    }
}

impl FinePitch {
    /// Between notes.
    pub fn rest(&mut self) {
        *self = Self::default();
    }

    /// The pitch of a note, Hz, now that `meter` has read a hop in which the encoder hears `heard_hz` (> 0).
    pub fn hop(&mut self, meter: &HarmonicMeter, heard_hz: f32) -> f32 {
        let now = meter.phasors(heard_hz, 1);
        let before = self.before.replace((now, heard_hz));
        self.fine_hz.rotate_left(1);
        self.fine_hz[SLOPE_HOPS] = before.and_then(|before| advance_hz(&before, &(now, heard_hz))).unwrap_or(0.0);
        let cents = self.now_hz(now.window).map(|fine_hz| CENTS * (fine_hz / heard_hz - 1.0));
        let Some(cents) = cents.filter(|cents| cents.abs() < LOST) else {
            self.difference = LOST;
            return heard_hz;
        };
        self.difference += NEW * (cents - self.difference);
        let share = ((AGREED.1 - self.difference.abs()) / (AGREED.1 - AGREED.0)).clamp(0.0, 1.0);
        heard_hz * (1.0 + share * cents / CENTS)
    }

    /// What the phases say of the middle of the window, and the way that it has been on since.
    fn now_hz(&self, window: usize) -> Option<f32> {
        let (oldest_hz, newest_hz) = (self.fine_hz[0], self.fine_hz[SLOPE_HOPS]);
        if newest_hz <= 0.0 {
            return None;
        }
        let late_hops = (window as f32 / HOP_SIZE as f32 + 1.0) / 2.0;
        let is_whole = self.fine_hz.iter().all(|hz| *hz > 0.0);
        let slope = if is_whole { (newest_hz - oldest_hz) / SLOPE_HOPS as f32 } else { 0.0 };
        Some(newest_hz + TRUST * slope * late_hops)
    }
}

/// Frequency of the fundamental by which the phases moved from one window to the next, Hz.
fn advance_hz(before: &(Phasors, f32), now: &(Phasors, f32)) -> Option<f32> {
    let ((old, old_hz), (new, new_hz)) = (before, now);
    // Windows of different lengths that end a hop apart.
    let step = HOP_SIZE as f64 + (old.window as f64 - new.window as f64) / 2.0;
    if (old_hz / new_hz - 1.0).abs() > SAME || step < SHORTEST_STEP {
        return None;
    }
    let expected_hz = f64::from(old_hz + new_hz) / 2.0;
    let expected_turns = expected_hz / f64::from(MODEL_RATE) * step;
    let (mut moved, mut weights) = (0.0, 1e-20);
    for i in 0..N_PHASES.min(n_audible(*new_hz)) {
        let k = (i + 1) as f32;
        // New times the old one's conjugate, turned back by what was expected.
        let real = new.real[i] * old.real[i] + new.imaginary[i] * old.imaginary[i];
        let imaginary = new.imaginary[i] * old.real[i] - new.real[i] * old.imaginary[i];
        let (sin, cos) = sin_cos_turns((expected_turns * f64::from(k)).fract());
        let (sin, cos) = (sin as f32, cos as f32);
        let (real, imaginary) = (real * cos + imaginary * sin, imaginary * cos - real * sin);
        if real <= 0.0 {
            continue; // More than a quarter of a turn: this one cannot tell.
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

    /// Pitch that is played, per hop, and what is made of what the encoder hears of it.
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
            // Of the 3.8 that the encoder is wrong in the mean.
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
    fn a_new_note_is_there_as_soon_as_the_encoder_hears_it() {
        let step = |t: usize| if t < 100 { 300.0 } else { 400.0 };
        let found = refine(step, |_, hz| hz);
        let worst = found.iter().map(cents).fold(0.0, f32::max);
        assert!(worst < 8.0, "{worst} cents");
    }
}
