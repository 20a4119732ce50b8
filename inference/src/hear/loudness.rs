//! A-weighted loudness over the last 8 to 64 ms.

use crate::biquad::quiet_to_zero;
use crate::config::{FRAME_SIZE, HOP_SIZE, MODEL_RATE};
use crate::math::db::power_to_db;
use crate::math::sum;

/// Loudness of silence, dB.
pub const LOUDNESS_FLOOR_DB: f32 = -100.0;

/// Shortest window, samples: 8 ms.
const MIN_WINDOW: f32 = 128.0;
/// Window without a pitch, samples: 16 ms.
const UNPITCHED_WINDOW: f32 = 256.0;

/// Measures the A-weighted level of a stream at the model rate. Realtime-safe.
///
/// The window is a whole number of periods of the heard pitch: the level of a low voice does not ripple, and that of a
/// high whistle is not delayed.
#[derive(Clone, Debug)]
pub struct LoudnessMeter {
    filter: AWeighting,
    /// Squares of the last weighted samples, newest last.
    squares: [f32; FRAME_SIZE],
}

impl Default for LoudnessMeter {
    fn default() -> Self {
        Self { filter: AWeighting::new(MODEL_RATE as f64), squares: [0.0; FRAME_SIZE] }
    }
}

impl LoudnessMeter {
    /// Reads one hop.
    pub fn push(&mut self, samples: &[f32; HOP_SIZE]) {
        self.squares.copy_within(HOP_SIZE.., 0);
        for (square, x) in self.squares[FRAME_SIZE - HOP_SIZE..].iter_mut().zip(samples) {
            let y = self.filter.next(*x as f64) as f32;
            *square = y * y;
        }
        self.filter.sections.iter_mut().for_each(|section| section.y = quiet_to_zero(section.y));
    }

    /// Current level, dB, 0 dB = mean square 1 at 1 kHz. `f0_hz`: heard pitch, 0 = none.
    pub fn level_db(&self, f0_hz: f32) -> f32 {
        let window = Self::window(f0_hz);
        let whole = window as usize;
        let newest = &self.squares[FRAME_SIZE - whole..];
        let part = self.squares[FRAME_SIZE - (whole + 1).min(FRAME_SIZE)] * window.fract();
        let mean = (sum(newest) + part) / window;
        power_to_db(mean.max(1e-12)).max(LOUDNESS_FLOOR_DB)
    }

    fn window(f0_hz: f32) -> f32 {
        if f0_hz <= 0.0 {
            return UNPITCHED_WINDOW;
        }
        let period = MODEL_RATE as f32 / f0_hz;
        ((MIN_WINDOW / period).ceil() * period).min((FRAME_SIZE - 1) as f32)
    }

    /// Level of a whole clip, one value per hop. `f0_hz`: one value per hop. Allocates.
    pub fn clip(samples: &[f32], f0_hz: &[f32]) -> Vec<f32> {
        let mut meter = Self::default();
        let (hops, _) = samples.as_chunks::<HOP_SIZE>();
        let level = |(hop, f0): (_, &f32)| {
            meter.push(hop);
            meter.level_db(*f0)
        };
        hops.iter().zip(f0_hz).map(level).collect()
    }
}

/// Poles on the low side of the A curve (IEC 61672), Hz; the curve has as many zeros at 0 Hz. Its poles at 12.2 kHz are
/// left out: they lie above the Nyquist frequency of the model rate.
const A_POLES_HZ: [f64; 4] = [20.598997, 20.598997, 107.65265, 737.86223];

/// Gain that the meter applies to power at `hz`, 1 at 1 kHz.
pub fn a_weight(hz: f32) -> f32 {
    let share = |hz: f32, pole: f64| hz * hz / (hz * hz + (pole * pole) as f32);
    A_POLES_HZ.into_iter().map(|pole| share(hz, pole) / share(1000.0, pole)).product()
}

/// The A curve as a filter, 0 dB at 1 kHz.
#[derive(Clone, Debug)]
struct AWeighting {
    sections: [HighPass; 4],
    gain: f64,
}

impl AWeighting {
    fn new(rate: f64) -> Self {
        let at_1k = |pole: f64| (1.0 + (pole / 1000.0) * (pole / 1000.0)).sqrt();
        Self {
            sections: A_POLES_HZ.map(|hz| HighPass::new(hz, rate)),
            gain: A_POLES_HZ.iter().map(|p| at_1k(*p)).product(),
        }
    }

    fn next(&mut self, x: f64) -> f64 {
        self.sections.iter_mut().fold(x * self.gain, |x, section| section.next(x))
    }
}

/// First-order high pass, bilinear transform.
#[derive(Clone, Debug)]
struct HighPass {
    b: f64,
    a: f64,
    x: f64,
    y: f64,
}

impl HighPass {
    fn new(hz: f64, rate: f64) -> Self {
        let k = (std::f64::consts::PI * hz / rate).tan();
        Self { b: 1.0 / (1.0 + k), a: (1.0 - k) / (1.0 + k), x: 0.0, y: 0.0 }
    }

    fn next(&mut self, x: f64) -> f64 {
        let y = self.b * (x - self.x) + self.a * self.y;
        self.x = x;
        self.y = y;
        y
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(f0_hz: f32) -> Vec<f32> {
        let step = std::f32::consts::TAU * f0_hz / MODEL_RATE as f32;
        let tone: Vec<f32> = (0..32_000).map(|i| (i as f32 * step).sin()).collect();
        LoudnessMeter::clip(&tone, &vec![f0_hz; 500])
    }

    #[test]
    fn follows_the_a_curve() {
        for (hz, db) in [(50.0, -30.2), (100.0, -19.1), (250.0, -8.6), (1000.0, 0.0)] {
            let got = levels(hz)[400] + 3.01;
            assert!((got - db).abs() < 0.5, "{hz} Hz: {got} dB for {db}");
        }
    }

    #[test]
    fn a_steady_tone_does_not_ripple() {
        for hz in [43.0, 97.0, 111.1, 440.0, 3000.0] {
            let steady = &levels(hz)[300..];
            let (low, high) = steady.iter().fold((f32::MAX, f32::MIN), |(l, h), x| (l.min(*x), h.max(*x)));
            assert!(high - low < 0.3, "{hz} Hz ripples by {} dB", high - low);
        }
    }

    #[test]
    fn silence_is_the_floor() {
        assert_eq!(LoudnessMeter::clip(&[0.0; 640], &[0.0; 10]), vec![LOUDNESS_FLOOR_DB; 10]);
    }
}
