//! Detects clipped input: samples that reach full scale again and again.

use crate::config::FRAME_RATE;

/// Samples at or above this are at full scale. The largest 16-bit value is a little below 1.
pub const FULL_SCALE: f32 = 0.99995;
/// Clipping is this many samples at full scale within this time, s: several in a row, or one in each period. A
/// normalised recording has one.
const N_NEEDED: usize = 3;
const WITHIN_S: f64 = 0.02;

/// Counts clipped control frames. The count depends on the samples alone, not on how they are cut. Realtime-safe.
pub(super) struct Clipping {
    /// Samples: [`WITHIN_S`], and a control frame.
    window: u64,
    frame: u64,
    /// Positions of the last samples at full scale, oldest first; `None` before there are any.
    positions: [Option<u64>; N_NEEDED],
    /// Frame that was counted last.
    counted: Option<u64>,
}

impl Clipping {
    /// For a host's rate in Hz.
    pub fn new(host_rate: f64) -> Self {
        Self {
            window: (WITHIN_S * host_rate) as u64,
            frame: ((host_rate / f64::from(FRAME_RATE)) as u64).max(1),
            positions: [None; N_NEEDED],
            counted: None,
        }
    }

    /// Forgets the past.
    pub fn reset(&mut self) {
        (self.positions, self.counted) = ([None; N_NEEDED], None);
    }

    /// Takes in one sample of both channels at `position`. True if it is clipped, and is the first such of its control
    /// frame.
    #[inline]
    pub fn hear(&mut self, left: f32, right: f32, position: u64) -> bool {
        if left.abs() < FULL_SCALE && right.abs() < FULL_SCALE {
            return false;
        }
        self.positions.rotate_left(1);
        self.positions[N_NEEDED - 1] = Some(position);
        let is_clipped = self.positions[0].is_some_and(|first| position.saturating_sub(first) < self.window);
        let frame = position / self.frame;
        is_clipped && self.counted.replace(frame) != Some(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f32::consts::TAU;

    /// Frames of a second that are clipped.
    fn n_clipped(sample: impl Fn(usize) -> f32) -> usize {
        let mut clipping = Clipping::new(48_000.0);
        (0..48_000).filter(|i| clipping.hear(0.0, sample(*i), *i as u64)).count()
    }

    #[test]
    fn what_is_cut_off_is_counted_in_frames() {
        for hz in [100.0, 440.0, 3000.0] {
            let sine = |i: usize| (TAU * (hz * i as f32 / 48_000.0).fract()).sin();
            let n = n_clipped(|i| (1.5 * sine(i)).clamp(-1.0, 32_767.0 / 32_768.0));
            assert!((195..=250).contains(&n), "{hz} Hz: {n} of 250");
            assert_eq!(n_clipped(|i| 0.99 * sine(i)), 0);
        }
        let n = n_clipped(|i| if (24_000..24_010).contains(&i) { -1.0 } else { 0.5 });
        assert_eq!(n, 1, "ten in a row");
    }

    #[test]
    fn single_samples_at_full_scale_are_no_clipping() {
        assert_eq!(n_clipped(|i| if i == 1000 { 1.0 } else { 0.0 }), 0);
        assert_eq!(n_clipped(|i| if i % 4800 < 2 { 1.0 } else { 0.0 }), 0, "two, now and then");
    }
}
