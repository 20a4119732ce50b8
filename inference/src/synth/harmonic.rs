//! The harmonic part: up to 100 sines at multiples of one fundamental.
//!
//! sin(kφ) comes from the Chebyshev recurrence sin((k+1)φ) = 2cos(φ)·sin(kφ) − sin((k−1)φ) over k, for 16 samples in
//! parallel. It is 20 times cheaper than a sine of libm per harmonic, and unlike rotating phasors it does not drift
//! when the pitch glides.

use super::side::{PANS, Side};
use crate::config::{N_HARMONICS, NOISE_MAX_HZ};
use crate::math::sin_cos_turns;
use multiversion::multiversion;

/// Samples computed in parallel.
const LANES: usize = 16;
/// Harmonics fade out over this share of the band below the limit.
const EDGE: f32 = 0.1;

/// Oscillators with a common phase, and the last frame.
#[derive(Clone)]
pub struct HarmonicBank {
    host_rate: f64,
    /// Harmonics at or above this are silent, Hz.
    limit_hz: f32,
    /// Phase of the fundamental at the next sample, turns, 0 ≤ phase < 1.
    phase: f64,
    /// Fundamental of the last frame.
    f0_hz: f32,
    /// Amplitudes of the last frame, linear.
    amplitudes: [f32; N_HARMONICS],
}

impl HarmonicBank {
    /// `host_rate` in Hz, > 0.
    pub fn new(host_rate: f64) -> Self {
        let limit_hz = (host_rate as f32 / 2.0).min(NOISE_MAX_HZ);
        Self { host_rate, limit_hz, phase: 0.0, f0_hz: 440.0, amplitudes: [0.0; N_HARMONICS] }
    }

    /// Half the sample rate or 20 kHz, whichever is lower, Hz.
    pub fn limit_hz(&self) -> f32 {
        self.limit_hz
    }

    /// Clears the state.
    pub fn reset(&mut self) {
        self.phase = 0.0;
        self.amplitudes = [0.0; N_HARMONICS];
    }

    /// Sets the last frame without rendering.
    pub fn start_from(&mut self, f0_hz: f32, amplitudes: &[f32; N_HARMONICS]) {
        self.f0_hz = f0_hz;
        self.amplitudes = *amplitudes;
    }

    /// Renders from the last frame to this one; pitch and amplitudes are interpolated linearly, and the phase
    /// continues.
    ///
    /// `f0_hz` > 0. `amplitudes`: linear, ≥ 0. `out`: overwritten; the new frame is reached at the sample after it. The
    /// pitch of a silent frame is ignored: a note starts at its own pitch, with phase 0, and ends at it. Realtime-safe.
    ///
    /// Harmonics fade out linearly over the last tenth below the limit, by their frequency at each sample, so that even
    /// a jump of pitch does not alias.
    ///
    /// `side`: the side signal is added to it; `out` is the same with and without it.
    pub fn render(&mut self, f0_hz: f32, amplitudes: &[f32; N_HARMONICS], out: &mut [f32], side: Option<Side<'_>>) {
        debug_assert!(f0_hz > 0.0);
        let was_silent = is_silent(&self.amplitudes);
        let gets_silent = is_silent(amplitudes);
        if was_silent {
            self.phase = 0.0;
            self.f0_hz = f0_hz;
        }
        let end_hz = if gets_silent { self.f0_hz } else { f0_hz };
        if was_silent && gets_silent {
            out.fill(0.0);
        } else if side.is_some() {
            render_sounding::<true>(self, end_hz, amplitudes, out, side);
        } else {
            render_sounding::<false>(self, end_hz, amplitudes, out, None);
        }
        self.f0_hz = end_hz;
        self.amplitudes = *amplitudes;
    }
}

/// [`HarmonicBank::render`] where one of both frames sounds. `WIDE`: there is a `side`; a constant, so that mono does
/// not cost more.
#[multiversion(targets("x86_64+avx2"))]
fn render_sounding<const WIDE: bool>(
    bank: &mut HarmonicBank,
    end_hz: f32,
    amplitudes: &[f32; N_HARMONICS],
    out: &mut [f32],
    mut side: Option<Side<'_>>,
) {
    let (low_hz, high_hz) = (bank.f0_hz.min(end_hz), bank.f0_hz.max(end_hz));
    let mut n_sounding = N_HARMONICS.min((bank.limit_hz / low_hz) as usize);
    while n_sounding > 0 && bank.amplitudes[n_sounding - 1] == 0.0 && amplitudes[n_sounding - 1] == 0.0 {
        n_sounding -= 1;
    }
    let n_below_edge = ((bank.limit_hz * (1.0 - EDGE) / high_hz) as usize).min(n_sounding);

    let step = 1.0 / out.len() as f64;
    for (g, group) in out.chunks_mut(LANES).enumerate() {
        let mut lanes = Lanes::default();
        for i in 0..group.len() {
            let weight = (g * LANES + i) as f64 * step;
            let hz = f64::from(bank.f0_hz) + f64::from(end_hz - bank.f0_hz) * weight;
            lanes.weight[i] = weight as f32;
            lanes.hz[i] = hz as f32;
            lanes.phase[i] = bank.phase;
            bank.phase += hz / bank.host_rate;
            bank.phase -= bank.phase.floor();
        }
        lanes.start();
        let partials = bank.amplitudes[..n_sounding].iter().zip(amplitudes).enumerate();
        for (k, (from, to)) in partials {
            if k < n_below_edge {
                lanes.add::<WIDE>(*from, *to, PANS[k]);
            } else {
                lanes.add_at_edge::<WIDE>(*from, *to, k, bank.limit_hz);
            }
        }
        group.copy_from_slice(&lanes.sum[..group.len()]);
        if let Some(side) = &mut side {
            for i in 0..group.len() {
                side.out[g * LANES + i] += side.width(lanes.weight[i]) * lanes.side[i];
            }
        }
    }
}

/// Gain of a partial at `hz`: 1, then a linear fade to 0 over the last tenth below `limit_hz`.
#[inline(always)]
pub(super) fn edge_gain(hz: f32, limit_hz: f32) -> f32 {
    ((limit_hz - hz) / (limit_hz * EDGE)).clamp(0.0, 1.0)
}

fn is_silent(amplitudes: &[f32; N_HARMONICS]) -> bool {
    amplitudes.iter().all(|a| *a == 0.0)
}

/// The recurrence for 16 samples in parallel, one per lane.
#[derive(Default)]
struct Lanes {
    /// Phase of the fundamental, turns.
    phase: [f64; LANES],
    /// Position between the two frames, 0 to 1.
    weight: [f32; LANES],
    /// Fundamental, Hz.
    hz: [f32; LANES],
    /// 2cos(φ).
    two_cos: [f32; LANES],
    /// sin(kφ) of the next harmonic.
    sine: [f32; LANES],
    /// sin((k−1)φ).
    previous: [f32; LANES],
    /// Sum of the harmonics.
    sum: [f32; LANES],
    /// Sum of each harmonic times its pan.
    side: [f32; LANES],
}

impl Lanes {
    #[inline(always)]
    fn start(&mut self) {
        for i in 0..LANES {
            let (sin, cos) = sin_cos_turns(self.phase[i]);
            self.sine[i] = sin as f32;
            self.two_cos[i] = (2.0 * cos) as f32;
        }
    }

    #[inline(always)]
    fn add<const WIDE: bool>(&mut self, from: f32, to: f32, pan: f32) {
        let slope = to - from;
        for i in 0..LANES {
            let x = (from + self.weight[i] * slope) * self.sine[i];
            self.sum[i] += x;
            if WIDE {
                self.side[i] += pan * x;
            }
        }
        self.advance();
    }

    /// Harmonic `k`, counted from 0.
    #[inline(always)]
    fn add_at_edge<const WIDE: bool>(&mut self, from: f32, to: f32, k: usize, limit_hz: f32) {
        let slope = to - from;
        for i in 0..LANES {
            let gain = edge_gain((k + 1) as f32 * self.hz[i], limit_hz);
            let x = (from + self.weight[i] * slope) * gain * self.sine[i];
            self.sum[i] += x;
            if WIDE {
                self.side[i] += PANS[k] * x;
            }
        }
        self.advance();
    }

    #[inline(always)]
    fn advance(&mut self) {
        for i in 0..LANES {
            let next = self.two_cos[i] * self.sine[i] - self.previous[i];
            self.previous[i] = self.sine[i];
            self.sine[i] = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::TAU;

    const HOP: usize = 192;

    /// Frames of a gliding, swelling tone: (f0_hz, amplitudes).
    fn frames(f0_hz: impl Fn(f64) -> f64, roll_off: f32) -> Vec<(f32, [f32; N_HARMONICS])> {
        (0..60)
            .map(|h| {
                let mut amplitudes = [0.0; N_HARMONICS];
                for (k, a) in (1..).zip(&mut amplitudes) {
                    *a = 0.2 / (k as f32).powf(roll_off) * (1.0 + 0.5 * ((h * k) as f32 * 0.3).sin());
                }
                (f0_hz(h as f64 / 250.0) as f32, amplitudes)
            })
            .collect()
    }

    fn rendered(frames: &[(f32, [f32; N_HARMONICS])], rate: f64) -> Vec<f32> {
        let mut bank = HarmonicBank::new(rate);
        bank.start_from(frames[0].0, &frames[0].1);
        let mut out = vec![0.0; (frames.len() - 1) * HOP];
        for (frame, hop) in frames[1..].iter().zip(out.chunks_mut(HOP)) {
            bank.render(frame.0, &frame.1, hop, None);
        }
        out
    }

    /// The definition: one sine per harmonic and sample in f64.
    fn naive(frames: &[(f32, [f32; N_HARMONICS])], rate: f64) -> Vec<f64> {
        let limit = (rate / 2.0).min(20_000.0);
        let mut phase = 0.0;
        let mut out = Vec::new();
        for pair in frames.windows(2) {
            for j in 0..HOP {
                let w = j as f64 / HOP as f64;
                let hz = f64::from(pair[0].0) + w * (f64::from(pair[1].0) - f64::from(pair[0].0));
                let sample = (0..N_HARMONICS).map(|i| {
                    let k = (i + 1) as f64;
                    let a = f64::from(pair[0].1[i]) + w * (f64::from(pair[1].1[i]) - f64::from(pair[0].1[i]));
                    let edge = ((limit - k * hz) / (0.1 * limit)).clamp(0.0, 1.0);
                    a * edge * (TAU * k * phase).sin()
                });
                out.push(sample.sum());
                phase += hz / rate;
            }
        }
        out
    }

    fn snr_db(actual: &[f32], expected: &[f64]) -> f64 {
        let signal: f64 = expected.iter().map(|x| x * x).sum();
        let error: f64 = actual.iter().zip(expected).map(|(a, e)| (f64::from(*a) - e).powi(2)).sum();
        10.0 * (signal / error).log10()
    }

    #[test]
    fn equals_the_naive_sum_at_rest_and_in_glides() {
        type Pitch = fn(f64) -> f64;
        let cases: [(&str, Pitch, f32); 6] = [
            ("220 Hz", |_| 220.0, 1.0),
            ("55 Hz, flat spectrum", |_| 55.0, 0.0),
            ("220 Hz, flat spectrum", |_| 220.0, 0.0),
            ("vibrato", |t| 440.0 * (1.0 + 0.03 * (TAU * 5.5 * t).sin()), 1.0),
            ("glide over two octaves", |t| 110.0 * (8.3 * t).exp2(), 1.0),
            ("jumps past the edge", |t| if (t * 25.0).fract() < 0.5 { 300.0 } else { 1900.0 }, 0.5),
        ];
        for (name, f0_hz, roll_off) in cases {
            for rate in [44_100.0, 48_000.0, 96_000.0] {
                let frames = frames(f0_hz, roll_off);
                let snr = snr_db(&rendered(&frames, rate), &naive(&frames, rate));
                assert!(snr > 90.0, "{name} at {rate} Hz: {snr:.1} dB");
            }
        }
    }

    /// Measures everything further than 60 Hz from 5, 10 and 15 kHz.
    #[test]
    fn a_high_note_does_not_alias() {
        use realfft::RealFftPlanner;
        const N: usize = 44_100;
        let rate = 44_100.0;
        let mut bank = HarmonicBank::new(rate);
        let amplitudes = [0.01; N_HARMONICS];
        bank.start_from(5000.0, &amplitudes);
        let mut samples = vec![0.0; N];
        for hop in samples.chunks_mut(176) {
            bank.render(5000.0, &amplitudes, hop, None);
        }
        for (i, x) in samples.iter_mut().enumerate() {
            *x *= 0.5 - 0.5 * (TAU * i as f64 / N as f64).cos() as f32;
        }
        let fft = RealFftPlanner::<f32>::new().plan_fft_forward(N);
        let mut bins = fft.make_output_vec();
        fft.process(&mut samples, &mut bins).unwrap();
        let is_partial = |hz: usize| [5000, 10_000, 15_000].iter().any(|p| hz.abs_diff(*p) < 60);
        let wanted: f32 = bins.iter().enumerate().filter(|(hz, _)| is_partial(*hz)).map(|(_, b)| b.norm_sqr()).sum();
        let rest: f32 = bins.iter().enumerate().filter(|(hz, _)| !is_partial(*hz)).map(|(_, b)| b.norm_sqr()).sum();
        let alias_db = 10.0 * (rest / wanted).log10();
        assert!(alias_db < -100.0, "{alias_db} dB");
    }

    #[test]
    fn a_sine_keeps_pitch_and_level() {
        for rate in [8000.0, 44_100.0, 192_000.0] {
            let mut bank = HarmonicBank::new(rate);
            let mut amplitudes = [0.0; N_HARMONICS];
            amplitudes[0] = 0.5;
            bank.start_from(1000.0, &amplitudes);
            let mut samples = vec![0.0; rate as usize];
            for hop in samples.chunks_mut(100) {
                bank.render(1000.0, &amplitudes, hop, None);
            }
            for (i, x) in samples.iter().enumerate() {
                let expected = 0.5 * (TAU * 1000.0 * i as f64 / rate).sin();
                assert!((f64::from(*x) - expected).abs() < 1e-6, "sample {i}");
            }
        }
    }

    #[test]
    fn notes_start_and_end_at_their_pitch() {
        let mut amplitudes = [0.0; N_HARMONICS];
        amplitudes[0] = 1.0;
        let mut bank = HarmonicBank::new(48_000.0);
        let mut hop = [0.0; HOP];
        bank.render(100.0, &[0.0; N_HARMONICS], &mut hop, None);
        assert_eq!(hop, [0.0; HOP]);
        bank.render(2000.0, &amplitudes, &mut hop, None);
        for (i, x) in hop.iter().enumerate() {
            let expected = i as f64 / HOP as f64 * (TAU * 2000.0 * i as f64 / 48_000.0).sin();
            assert!((f64::from(*x) - expected).abs() < 1e-6, "sample {i}");
        }
        bank.render(100.0, &[0.0; N_HARMONICS], &mut hop, None);
        for (i, x) in hop.iter().enumerate() {
            let expected = (1.0 - i as f64 / HOP as f64) * (TAU * 2000.0 * (HOP + i) as f64 / 48_000.0).sin();
            assert!((f64::from(*x) - expected).abs() < 1e-6, "sample {i}");
        }
    }

    #[test]
    fn sine_and_cosine_are_exact() {
        for i in 0..10_000 {
            let turns = f64::from(i) / 10_000.0;
            let (sin, cos) = sin_cos_turns(turns);
            assert!((sin - (TAU * turns).sin()).abs() < 1e-11 && (cos - (TAU * turns).cos()).abs() < 1e-11, "{turns}");
        }
    }
}
