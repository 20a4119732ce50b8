//! Dry and wet to the output.

use std::f32::consts::FRAC_PI_2;

/// What shapes one sample of the output. It is delayed as the dry signal is, so that it acts on the input sample that it
/// came with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Shape {
    /// As in [`BlockParams`](super::BlockParams).
    pub mix: f32,
    pub brightness_db: f32,
    pub width: f32,
    pub output_gain: f32,
}

impl Shape {
    pub const DRY: Self = Self { mix: 0.0, brightness_db: 0.0, width: 0.0, output_gain: 1.0 };
}

/// Delays one value per sample by a fixed number of samples.
pub(super) struct DelayLine<T> {
    /// The last values in a ring; `next` is the oldest.
    ring: Vec<T>,
    next: usize,
}

impl<T: Copy> DelayLine<T> {
    /// Allocates. `delay` ≥ 1, samples; `past`: what came before.
    pub fn new(delay: usize, past: T) -> Self {
        Self { ring: vec![past; delay.max(1)], next: 0 }
    }

    /// Puts `past` in the place of all that came before.
    pub fn reset(&mut self, past: T) {
        self.ring.fill(past);
        self.next = 0;
    }

    /// What [`step`](Self::step) returns after `n` others, `n` < the delay.
    #[inline]
    pub fn ahead(&self, n: usize) -> T {
        let i = self.next + n;
        self.ring[if i < self.ring.len() { i } else { i - self.ring.len() }]
    }

    #[inline]
    pub fn step(&mut self, input: T) -> T {
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
        let mut line = DelayLine::new(3, 0.0);
        let out: Vec<f32> = (1..=6).map(|i| line.step(i as f32)).collect();
        assert_eq!(out, [0.0, 0.0, 0.0, 1.0, 2.0, 3.0]);
        line.step(7.0);
        assert_eq!([0, 1, 2].map(|n| line.ahead(n)), [5.0, 6.0, 7.0]);
    }
}
