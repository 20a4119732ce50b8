//! Dry and wet to the output.

use std::f32::consts::FRAC_PI_2;

/// Delays one channel by a fixed number of samples.
pub(super) struct DelayLine {
    /// The last samples in a ring; `next` is the oldest.
    ring: Vec<f32>,
    next: usize,
}

impl DelayLine {
    /// Allocates. `delay` ≥ 1, samples.
    pub fn new(delay: usize) -> Self {
        Self { ring: vec![0.0; delay.max(1)], next: 0 }
    }

    pub fn reset(&mut self) {
        self.ring.fill(0.0);
        self.next = 0;
    }

    #[inline]
    pub fn step(&mut self, input: f32) -> f32 {
        let output = std::mem::replace(&mut self.ring[self.next], input);
        self.next += 1;
        if self.next == self.ring.len() {
            self.next = 0;
        }
        output
    }
}

/// Equal-power gains of dry and wet; remembers the last ones, because a mix seldom moves.
pub(super) struct MixLaw {
    mix: f32,
    gains: (f32, f32),
}

impl MixLaw {
    pub const DRY: Self = Self { mix: 0.0, gains: (1.0, 0.0) };

    /// (dry, wet) for `mix` from 0 to 1; exactly (1, 0) and (0, 1) at the ends.
    #[inline]
    pub fn gains(&mut self, mix: f32) -> (f32, f32) {
        if mix != self.mix {
            self.mix = mix;
            self.gains = if mix >= 1.0 {
                (0.0, 1.0)
            } else if mix > 0.0 {
                let (wet, dry) = (mix * FRAC_PI_2).sin_cos();
                (dry, wet)
            } else {
                (1.0, 0.0)
            };
        }
        self.gains
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn power_is_kept_and_the_ends_are_exact() {
        let mut law = MixLaw::DRY;
        for i in 0..=100 {
            let (dry, wet) = law.gains(i as f32 / 100.0);
            assert!((dry * dry + wet * wet - 1.0).abs() < 1e-6);
        }
        assert_eq!(law.gains(1.0), (0.0, 1.0));
        assert_eq!(law.gains(0.0), (1.0, 0.0));
        assert_eq!(law.gains(0.5), law.gains(0.5));
        assert_eq!(law.gains(f32::NAN), (1.0, 0.0));
    }

    #[test]
    fn a_delay_line_delays_by_its_length() {
        let mut line = DelayLine::new(3);
        let out: Vec<f32> = (1..=6).map(|i| line.step(i as f32)).collect();
        assert_eq!(out, [0.0, 0.0, 0.0, 1.0, 2.0, 3.0]);
    }
}
