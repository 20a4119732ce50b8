//! Dry and wet to the output.

use std::f32::consts::FRAC_PI_2;

/// Shape of one output sample. It is delayed like the dry signal, so that it acts on the input sample that it came
/// with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Shape {
    /// 0 = dry, 1 = wet.
    pub mix: f32,
    /// As in [`SoundSettings`](crate::settings::SoundSettings).
    pub brightness_db: f32,
    pub width: f32,
    /// Linear.
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

    /// Fills the line with `past`.
    pub fn reset(&mut self, past: T) {
        self.ring.fill(past);
        self.next = 0;
    }

    /// The value that [`step`](Self::step) returns after `n` more calls; `n` < the delay.
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

/// Highest output of an input below full scale: -0.01 dB.
const CEILING: f32 = 0.9988;
/// Time constant with which the guard lets go, s.
const RELEASE_S: f64 = 0.08;

/// Above this gain the guard opens in one inaudible step; the exponential would never reach 1.
const ALL_BUT_OPEN: f32 = 0.999;

/// Limiter: keeps the sum of dry and wet below full scale, or below the input if that is louder. It acts at once,
/// releases slowly, and changes no bit of a signal that needs no limiting.
pub(super) struct Guard {
    gain: f32,
    release: f32,
}

impl Guard {
    /// `rate` in Hz, > 0.
    pub fn new(rate: f64) -> Self {
        Self { gain: 1.0, release: (1.0 - (-1.0 / (RELEASE_S * rate)).exp()) as f32 }
    }

    pub fn reset(&mut self) {
        self.gain = 1.0;
    }

    /// Releases the guard at once.
    #[inline]
    pub fn open(&mut self) -> f32 {
        self.gain = 1.0;
        self.gain
    }

    /// Gain of one sample of all channels. `loudest`: of the sum; `dry`: of the input alone, delayed.
    #[inline]
    pub fn gain(&mut self, loudest: f32, dry: f32) -> f32 {
        if self.gain < 1.0 {
            let gain = self.gain + self.release * (1.0 - self.gain);
            self.gain = if gain > ALL_BUT_OPEN { 1.0 } else { gain };
        }
        let most = dry.max(CEILING);
        if loudest * self.gain > most {
            self.gain = most / loudest;
        }
        self.gain
    }
}

/// Equal-power gains of dry and wet. Caches the last ones, because a mix seldom moves.
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
    fn the_guard_touches_only_what_is_too_loud_and_lets_go_slowly() {
        let mut guard = Guard::new(48_000.0);
        assert!((0..1000).all(|i| guard.gain(i as f32 / 1001.0, 0.0) == 1.0));
        assert!((1.5 * guard.gain(1.5, 0.2) - CEILING).abs() < 1e-6);
        assert!(guard.gain(0.5, 0.2) < 0.7, "no step back");
        assert!((0..48_000).map(|_| guard.gain(0.5, 0.2)).last() == Some(1.0));
        assert_eq!(guard.gain(2.0, 2.0), 1.0, "the input is as loud");
        assert_eq!(guard.gain(f32::NAN, 0.0), 1.0);
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
