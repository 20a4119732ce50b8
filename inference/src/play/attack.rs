//! Attack: fades in the first moments of a note.

use crate::config::FRAME_RATE;
use std::f32::consts::FRAC_PI_2;

/// Hops since the note began. A tied note does not begin anew.
#[derive(Clone, Copy, Debug, Default)]
pub struct Attack {
    n_hops: u32,
}

impl Attack {
    /// Gain of one hop, 0 to 1. `is_sounding`: false ends the note. `attack_s`: time until the note has its full level,
    /// s; 0 = as played. Realtime-safe.
    pub fn hop(&mut self, is_sounding: bool, attack_s: f32) -> f32 {
        if !is_sounding {
            self.n_hops = 0;
            return 1.0;
        }
        self.n_hops = self.n_hops.saturating_add(1);
        let share = self.n_hops as f32 / (attack_s * FRAME_RATE);
        if share < 1.0 { (share * FRAC_PI_2).sin().powi(2) } else { 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_fades_in_once() {
        let mut attack = Attack::default();
        let note: Vec<f32> = (0..100).map(|_| attack.hop(true, 0.2)).collect();
        assert!(note[0] < 0.01 && note.windows(2).all(|pair| pair[1] >= pair[0]));
        assert!((note[24] - 0.5).abs() < 0.05, "half of it after half the time: {}", note[24]);
        assert_eq!(note[49..], [1.0; 51]);
        attack.hop(false, 0.2);
        assert!(attack.hop(true, 0.2) < 0.01);
        assert_eq!(Attack::default().hop(true, 0.0), 1.0);
        assert_eq!(Attack::default().hop(true, f32::NAN), 1.0);
    }
}
