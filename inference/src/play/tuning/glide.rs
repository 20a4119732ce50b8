//! Portamento.

use crate::config::FRAME_RATE;

/// The glide is over when less than this share of the way is left: 5 %.
const LEFT: f32 = 0.05;

/// Follows the pitch with delay. Realtime-safe.
#[derive(Clone, Copy, Debug, Default)]
pub struct Glide {
    /// Octaves (log2 of Hz); `None` between notes, so that every phrase starts on its pitch.
    at: Option<f32>,
}

impl Glide {
    /// Takes in the pitch of one hop, Hz, and returns the one to play. `time_s`: until 95 % of a step is done; 0 = off.
    pub fn hop(&mut self, f0_hz: f32, time_s: f32) -> f32 {
        let to = f0_hz.log2();
        let from = self.at.unwrap_or(to);
        if time_s.is_nan() || time_s <= 0.0 {
            self.at = Some(to);
            return f0_hz;
        }
        let at = to + (from - to) * LEFT.powf(1.0 / (time_s * FRAME_RATE).max(1e-3));
        self.at = Some(at);
        at.exp2()
    }

    /// Everything is played `octaves` higher from now on: that is no step of the melody.
    pub fn shift(&mut self, octaves: f32) {
        self.at = self.at.map(|at| at + octaves);
    }

    /// The note is over.
    pub fn rest(&mut self) {
        self.at = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_of_the_way_is_done_in_the_time() {
        let mut glide = Glide::default();
        assert_eq!(glide.hop(220.0, 0.1), 220.0, "a phrase starts on its pitch");
        let path: Vec<f32> = (0..25).map(|_| glide.hop(440.0, 0.1)).collect();
        assert!(path.is_sorted() && path[0] > 220.0);
        let cents = 1200.0 * (440.0 / path[24]).log2();
        assert!((cents - 60.0).abs() < 1.0, "5 % of an octave is left, not {cents} cents");
        glide.rest();
        assert_eq!(glide.hop(110.0, 0.1), 110.0);
    }

    #[test]
    fn another_octave_is_no_step_of_the_melody() {
        let mut glide = Glide::default();
        glide.hop(220.0, 0.1);
        let before = glide.hop(440.0, 0.1);
        glide.shift(1.0);
        let after = glide.hop(880.0, 0.1);
        assert!(after > 2.0 * before && after < 2.5 * before, "{before} {after}");
    }

    #[test]
    fn off_changes_nothing() {
        let mut glide = Glide::default();
        for f0_hz in [441.3, 97.7, 1234.5] {
            assert_eq!(glide.hop(f0_hz, 0.0), f0_hz);
            assert_eq!(glide.hop(f0_hz, f32::NAN), f0_hz);
        }
    }
}
