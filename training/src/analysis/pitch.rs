//! Offline pitch: normalised difference functions (de Cheveigné & Kawahara 2002, "YIN") joined by the cheapest path
//! (as pYIN, Mauch & Dixon 2014), so that single frames cannot jump an octave.

use super::FRAME_RATE;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex, num_complex::Complex};
use std::sync::Arc;

/// Lowest pitch looked for, Hz.
const LOWEST_HZ: f32 = 50.0;
/// Highest pitch looked for, Hz.
const HIGHEST_HZ: f32 = 4500.0;
/// Candidates kept per frame.
const N_CANDIDATES: usize = 8;
/// Cost of a frame without pitch; a periodic frame costs its aperiodicity, 0 to 1.
const UNVOICED_COST: f32 = 0.3;
/// Cost of starting or ending a note.
const SWITCH_COST: f32 = 0.15;
/// Cost of a pitch change per octave, and its maximum.
const CHANGE_COST: (f32, f32) = (2.5, 0.9);
/// Cost of a longer period, per octave, so that the shorter of two equally good ones wins. With 0.05 the lowest notes
/// of bassoon and cello were lost (docs/tried.md).
const LONG_PERIOD_COST: f32 = 0.03;
/// Frames below this level have no pitch (mean square).
const SILENT: f32 = 1e-7;

/// Pitch of one frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PitchFrame {
    /// Hz; 0 = no pitch.
    pub f0_hz: f32,
    /// Aperiodicity at that pitch, or the least one found if there is no pitch: 0 = perfectly periodic, 1 = noise.
    pub aperiodicity: f32,
}

#[derive(Clone, Copy)]
struct Candidate {
    octave: f32,
    aperiodicity: f32,
}

/// Tracks the pitch: one frame per hop of `rate / FRAME_RATE` samples. Frame `h` is centred on the end of hop `h`.
pub fn track_pitch(samples: &[f32], rate: u32) -> Vec<PitchFrame> {
    let mut difference = Difference::new(rate as usize);
    let hop = rate as usize / FRAME_RATE;
    let candidates = (0..samples.len() / hop).map(|h| difference.candidates(samples, (h + 1) * hop));
    cheapest_path(&candidates.collect::<Vec<_>>())
}

/// Computes the difference function of one frame after another.
struct Difference {
    rate: usize,
    /// Samples compared with their delayed copies.
    window: usize,
    max_lag: usize,
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
    fft: usize,
}

impl Difference {
    fn new(rate: usize) -> Self {
        let max_lag = rate / LOWEST_HZ as usize;
        let window = rate / 40;
        let fft = (window + 2 * max_lag).next_power_of_two();
        let mut planner = RealFftPlanner::new();
        let (forward, inverse) = (planner.plan_fft_forward(fft), planner.plan_fft_inverse(fft));
        Self { rate, window, max_lag, forward, inverse, fft }
    }

    /// Candidate periods of the signal around `centre`, the least aperiodic first.
    fn candidates(&mut self, samples: &[f32], centre: usize) -> Vec<Candidate> {
        let n = self.window + self.max_lag;
        let at = |i: usize| (centre + i).checked_sub(n / 2).and_then(|i| samples.get(i)).copied().unwrap_or(0.0);
        let frame: Vec<f32> = (0..n).map(at).collect();
        if frame.iter().map(|x| x * x).sum::<f32>() / (n as f32) < SILENT {
            return Vec::new();
        }
        let normalised = self.normalised_difference(&frame);
        let first = (self.rate as f32 / HIGHEST_HZ) as usize;
        let mut found = Vec::new();
        for lag in first.max(2)..self.max_lag - 1 {
            let (before, here, after) = (normalised[lag - 1], normalised[lag], normalised[lag + 1]);
            if here < before && here <= after && here < 0.8 {
                let curve = before - 2.0 * here + after;
                let shift = if curve > 0.0 { 0.5 * (before - after) / curve } else { 0.0 };
                let hz = self.rate as f32 / (lag as f32 + shift);
                let least = here - 0.25 * (before - after) * shift;
                found.push(Candidate { octave: hz.log2(), aperiodicity: least.max(0.0) });
            }
        }
        found.sort_by(|a, b| a.aperiodicity.total_cmp(&b.aperiodicity));
        // Octaves below the true pitch fit as well as it does. So the shortest good period is kept even if others fit
        // better.
        let short =
            found.iter().copied().filter(|c| c.aperiodicity < 0.25).max_by(|a, b| a.octave.total_cmp(&b.octave));
        found.truncate(N_CANDIDATES);
        found.extend(short);
        found
    }

    /// Difference between the frame and its copy at each lag, divided by the energy of both: 0 = equal, 1 = unrelated.
    fn normalised_difference(&mut self, frame: &[f32]) -> Vec<f32> {
        let spectrum = |x: &[f32]| {
            let mut padded = x.to_vec();
            padded.resize(self.fft, 0.0);
            let mut out = self.forward.make_output_vec();
            self.forward.process(&mut padded, &mut out).expect("buffers have the plan's sizes");
            out
        };
        let (head, whole) = (spectrum(&frame[..self.window]), spectrum(frame));
        let mut product: Vec<Complex<f32>> = head.iter().zip(&whole).map(|(a, b)| a.conj() * b).collect();
        // The inverse transform wants exact zeros here, and rounding leaves small values.
        product[0].im = 0.0;
        product[self.fft / 2].im = 0.0;
        let mut correlation = self.inverse.make_output_vec();
        self.inverse.process(&mut product, &mut correlation).expect("a real correlation");
        let mut energy = vec![0.0f64; frame.len() + 1];
        for (i, x) in frame.iter().enumerate() {
            energy[i + 1] = energy[i] + (*x as f64) * (*x as f64);
        }
        let of_head = energy[self.window];
        let ratio = |lag: usize| {
            let of_delayed = energy[lag + self.window] - energy[lag];
            let product = correlation[lag] as f64 / self.fft as f64;
            1.0 - 2.0 * product / (of_head + of_delayed + 1e-12)
        };
        (0..self.max_lag).map(|lag| ratio(lag) as f32).collect()
    }
}

/// Viterbi path over the candidates and "no pitch" (state 0).
fn cheapest_path(frames: &[Vec<Candidate>]) -> Vec<PitchFrame> {
    let mut costs = vec![0.0f32];
    let mut back: Vec<Vec<usize>> = Vec::with_capacity(frames.len());
    for (t, now) in frames.iter().enumerate() {
        let before: &[Candidate] = if t == 0 { &[] } else { &frames[t - 1] };
        let cheapest = |to: Option<&Candidate>| {
            let from = std::iter::once(None).chain(before.iter().map(Some));
            let price = |(from, cost): (Option<&Candidate>, &f32)| cost + transition(from, to);
            let prices = from.zip(&costs).map(price).enumerate();
            prices.min_by(|a, b| a.1.total_cmp(&b.1)).expect("state 0 always exists")
        };
        let silence = cheapest(None);
        let mut next = vec![(silence.0, silence.1 + UNVOICED_COST)];
        for candidate in now {
            let (from, cost) = cheapest(Some(candidate));
            let long = (HIGHEST_HZ.log2() - candidate.octave) * LONG_PERIOD_COST;
            next.push((from, cost + candidate.aperiodicity + long));
        }
        back.push(next.iter().map(|(from, _)| *from).collect());
        costs = next.iter().map(|(_, cost)| *cost).collect();
    }
    let mut state = (0..costs.len()).min_by(|a, b| costs[*a].total_cmp(&costs[*b])).unwrap_or(0);
    let mut path = vec![PitchFrame::default(); frames.len()];
    for t in (0..frames.len()).rev() {
        path[t] = match state.checked_sub(1) {
            Some(i) => PitchFrame { f0_hz: frames[t][i].octave.exp2(), aperiodicity: frames[t][i].aperiodicity },
            None => PitchFrame { f0_hz: 0.0, aperiodicity: frames[t].first().map_or(1.0, |c| c.aperiodicity) },
        };
        state = back[t][state];
    }
    path
}

/// Cost of the step from one candidate to the next; `None` is "no pitch".
fn transition(from: Option<&Candidate>, to: Option<&Candidate>) -> f32 {
    match (from, to) {
        (Some(a), Some(b)) => ((a.octave - b.octave).abs() * CHANGE_COST.0).min(CHANGE_COST.1),
        (None, None) => 0.0,
        _ => SWITCH_COST,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sawtooth(hz: f32, rate: u32) -> Vec<f32> {
        let sample = |i: u32| {
            let phase = std::f32::consts::TAU * hz * i as f32 / rate as f32;
            (1..=10)
                .take_while(|k| *k as f32 * hz < rate as f32 * 0.45)
                .map(|k| (phase * k as f32).sin() / k as f32)
                .sum()
        };
        (0..rate / 2).map(sample).collect()
    }

    #[test]
    fn finds_known_pitches_without_octave_errors() {
        for hz in [60.0, 110.0, 233.1, 440.0, 987.8, 2100.0, 4000.0] {
            let track = track_pitch(&sawtooth(hz, 48_000), 48_000);
            for frame in &track[15..110] {
                let cents = 1200.0 * (frame.f0_hz / hz).log2();
                assert!(cents.abs() < 8.0, "{hz} Hz heard as {}", frame.f0_hz);
            }
        }
    }

    #[test]
    fn noise_and_silence_have_no_pitch() {
        let mut rng = crate::random::generator(1, 1);
        let noise = crate::random::normal_noise(&mut rng, 24_000);
        let voiced = track_pitch(&noise, 48_000).iter().filter(|f| f.f0_hz > 0.0).count();
        assert!(voiced < 3, "{voiced} of 125 frames");
        assert!(track_pitch(&[0.0; 24_000], 48_000).iter().all(|f| f.f0_hz == 0.0));
    }
}
