//! The body of an instrument: resonances at fixed frequencies, whatever note is played.
//!
//! With vibrato every partial rises and falls on the slopes of the resonances, each at its own time. Listeners tell a
//! violin from an electronic tone by that (Mathews & Kohut 1973, "Electronic simulation of violin resonances"). A
//! decoder that gets f0 as one number cannot learn so fine a curve; a table over frequency can.

use crate::config::{N_HARMONICS, NOISE_MAX_HZ};
use crate::math::{exp_all, ln, map};
use crate::nn::weights::{LoadError, Weights};
use multiversion::multiversion;

/// Points of the table, evenly spaced in pitch.
pub const N_POINTS: usize = 401;
/// Frequency of the first point, Hz; the last is at 20 kHz.
pub const MIN_HZ: f32 = 62.0;

/// Gains over frequency.
pub struct Body {
    /// `[N_POINTS]`, natural logarithms.
    log_gains: Vec<f32>,
}

/// Position of `hz` (> 0) in the table, 0 to `N_POINTS - 1`; clamped at both ends.
#[inline(always)]
pub fn position(hz: f32) -> f32 {
    let last = (N_POINTS - 1) as f32;
    (ln(hz / MIN_HZ) * (last / ln(NOISE_MAX_HZ / MIN_HZ))).clamp(0.0, last)
}

/// [`position`] of every harmonic of `f0_hz`.
pub fn positions(f0_hz: f32) -> [f32; N_HARMONICS] {
    let mut positions = std::array::from_fn(|k| (k + 1) as f32 * f0_hz);
    to_positions(&mut positions);
    positions
}

#[multiversion(targets("x86_64+avx2"))]
fn to_positions(hz: &mut [f32]) {
    map(hz, position);
}

/// Neighbours of `position` in a table of `n_points`: (index of the lower, weight of the upper).
pub fn neighbours(position: f32, n_points: usize) -> (usize, f32) {
    let low = (position as usize).min(n_points - 2);
    (low, position - low as f32)
}

/// Value of `table` between [`neighbours`].
pub fn between(table: &[f32], (low, share): (usize, f32)) -> f32 {
    table[low] + share * (table[low + 1] - table[low])
}

impl Body {
    /// Takes `body`, `[1, N_POINTS]`.
    pub fn load(weights: &mut Weights) -> Result<Self, LoadError> {
        Ok(Self { log_gains: weights.take("body", &[1, N_POINTS])? })
    }

    /// A body without resonances.
    pub fn flat() -> Self {
        Self { log_gains: vec![0.0; N_POINTS] }
    }

    /// Gains of the harmonics of `f0_hz`, > 0. Realtime-safe.
    pub fn gains(&self, f0_hz: f32) -> [f32; N_HARMONICS] {
        let mut gains = positions(f0_hz).map(|position| between(&self.log_gains, neighbours(position, N_POINTS)));
        exp_all(&mut gains);
        gains
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_reaches_from_62_hz_to_20_khz_and_goes_straight_between_its_points() {
        assert_eq!(position(MIN_HZ), 0.0);
        assert_eq!(position(10.0), 0.0);
        assert!((position(20_000.0) - 400.0).abs() < 1e-3 && position(30_000.0) == 400.0);
        let mut body = Body::flat();
        body.log_gains[100] = 1.0;
        let hz = |p: f32| MIN_HZ * (NOISE_MAX_HZ / MIN_HZ).powf(p / 400.0);
        for (p, expected) in [(99.0, 0.0), (99.5, 0.5), (100.0, 1.0), (100.25, 0.75), (101.0, 0.0), (400.0, 0.0)] {
            assert!((body.gains(hz(p))[0].ln() - expected).abs() < 1e-3, "at {p}");
        }
    }
}
