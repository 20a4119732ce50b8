//! Harmonic amplitudes by projection on the harmonics of a known f0. The projection follows glides of f0. The runtime's
//! [`HarmonicMeter`](embouchure_inference::hear::HarmonicMeter) cannot see the future, so it projects on a steady f0.

use super::FRAME_RATE;
use realfft::num_complex::Complex;

/// Periods under the window.
const PERIODS: f32 = 4.0;
/// Limits of the window's length, seconds.
const WINDOW_S: (f32, f32) = (0.008, 0.06);

/// Amplitudes of all frames, `[frames][harmonics]`, linear, ≥ 0.
#[derive(Clone, Debug, Default)]
pub struct HarmonicTrack {
    n_harmonics: usize,
    amplitudes: Vec<f32>,
}

impl HarmonicTrack {
    /// The same amplitudes in every frame.
    pub fn constant(n_frames: usize, amplitudes: &[f32]) -> Self {
        Self { n_harmonics: amplitudes.len(), amplitudes: amplitudes.repeat(n_frames) }
    }

    /// A track whose frames `fill(frame, amplitudes)` writes.
    pub fn from_frames(n_harmonics: usize, n_frames: usize, mut fill: impl FnMut(usize, &mut [f32])) -> Self {
        let mut amplitudes = vec![0.0; n_frames * n_harmonics];
        amplitudes.chunks_exact_mut(n_harmonics).enumerate().for_each(|(frame, out)| fill(frame, out));
        Self { n_harmonics, amplitudes }
    }

    /// Amplitudes of one frame.
    pub fn frame(&self, frame: usize) -> &[f32] {
        &self.amplitudes[frame * self.n_harmonics..][..self.n_harmonics]
    }
}

/// Measures `n_harmonics` harmonics at the end of every hop; those above `top_hz` are 0. `f0_hz`: one value per hop,
/// all > 0 (see [`fill_gaps`]).
pub fn harmonic_amplitudes(
    samples: &[f32],
    rate: u32,
    f0_hz: &[f32],
    n_harmonics: usize,
    top_hz: f32,
) -> HarmonicTrack {
    let hop = rate as usize / FRAME_RATE;
    let turns = phase(f0_hz, hop, rate);
    let rotors: Vec<Complex<f32>> =
        turns.iter().map(|p| Complex::from_polar(1.0, -std::f32::consts::TAU * p.fract() as f32)).collect();
    let mut amplitudes = vec![0.0; f0_hz.len() * n_harmonics];
    for (h, out) in amplitudes.chunks_exact_mut(n_harmonics).enumerate() {
        let length = (PERIODS / f0_hz[h]).clamp(WINDOW_S.0, WINDOW_S.1) * rate as f32;
        let n = ((top_hz / f0_hz[h]) as usize).min(n_harmonics);
        project(samples, &rotors, (h + 1) * hop, length as usize / 2, &mut out[..n]);
    }
    HarmonicTrack { n_harmonics, amplitudes }
}

/// Phase of the fundamental at every sample, turns. f0 moves linearly from one hop's end to the next.
pub fn phase(f0_hz: &[f32], hop: usize, rate: u32) -> Vec<f64> {
    let mut turns = 0.0;
    let mut out = Vec::with_capacity(f0_hz.len() * hop);
    for (h, to) in f0_hz.iter().enumerate() {
        let from = f0_hz[h.saturating_sub(1)];
        for i in 1..=hop {
            turns += (from + (to - from) * i as f32 / hop as f32) as f64 / rate as f64;
            out.push(turns);
        }
    }
    out
}

/// Replaces missing values (0) by the nearest known one before them, or after them at the start.
pub fn fill_gaps(f0_hz: &[f32]) -> Vec<f32> {
    let mut last = f0_hz.iter().copied().find(|f| *f > 0.0).unwrap_or(440.0);
    let fill = |f: &f32| {
        if *f > 0.0 {
            last = *f;
        }
        last
    };
    f0_hz.iter().map(fill).collect()
}

/// Hann-windowed projection, `half` samples to each side of `centre`. `rotors`: e^(-jφ) of the fundamental per sample.
fn project(samples: &[f32], rotors: &[Complex<f32>], centre: usize, half: usize, out: &mut [f32]) {
    let end = samples.len().min(rotors.len());
    let range = centre.saturating_sub(half)..(centre + half).min(end);
    let window = |i: usize| {
        let x = (i as f32 - centre as f32) / half as f32;
        0.5 + 0.5 * (std::f32::consts::PI * x).cos()
    };
    let weights: Vec<f32> = range.clone().map(window).collect();
    let total: f32 = weights.iter().sum::<f32>().max(1e-9);
    let base = &rotors[range.clone()];
    let mut turned: Vec<Complex<f32>> =
        samples[range].iter().zip(&weights).zip(base).map(|((x, w), r)| r * (x * w)).collect();
    for amplitude in out {
        *amplitude = 2.0 * turned.iter().sum::<Complex<f32>>().norm() / total;
        turned.iter_mut().zip(base).for_each(|(t, r)| *t *= r);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_the_amplitudes_of_a_glide() {
        let f0: Vec<f32> = (0..250).map(|h| 200.0 + h as f32).collect();
        let turns = phase(&f0, 192, 48_000);
        let tone = |p: &f64| {
            let p = (std::f64::consts::TAU * p) as f32;
            0.5 * p.sin() + 0.1 * (3.0 * p).cos() + 0.02 * (20.0 * p).sin()
        };
        let x: Vec<f32> = turns.iter().map(tone).collect();
        let track = harmonic_amplitudes(&x, 48_000, &f0, 30, 20_000.0);
        for h in [60, 125, 200] {
            let frame = track.frame(h);
            for (k, expected) in [(0, 0.5), (1, 0.0), (2, 0.1), (19, 0.02)] {
                assert!((frame[k] - expected).abs() < 0.003, "harmonic {}: {}", k + 1, frame[k]);
            }
        }
    }

    #[test]
    fn gaps_are_filled_from_before() {
        assert_eq!(fill_gaps(&[0.0, 5.0, 0.0, 7.0, 0.0]), [5.0, 5.0, 5.0, 7.0, 7.0]);
    }
}
