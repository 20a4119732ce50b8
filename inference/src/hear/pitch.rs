//! One pitch per hop from the encoder's posteriors. A probability per pitch bin is carried from hop to hop, so that a
//! single hop cannot jump an octave.

use crate::config::{N_PITCH_BINS, bin_to_hz};
use crate::math::{exp_all, highest, scale_all, sum};
use multiversion::multiversion;

/// Share of the probability that may jump to any bin between two hops.
const JUMP: f32 = 0.0005;
/// Share that moves by one bin (20 cents) up or down between two hops.
const GLIDE: f32 = 0.2;
/// The pitch is the mean over this many bins on either side of the most probable one.
const REACH: usize = 4;
/// In hops less voiced than the first value, the second is the share that may jump, so that guesses before a note do
/// not delay it.
const VOICED: (f32, f32) = (0.8, 0.95);

/// Bins from a pitch down to the pitches whose second and third partial it is.
const OCTAVE_AND_TWELFTH: [usize; 2] = [60, 95];

/// Pitch of one hop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pitch {
    /// Hz, > 0.
    pub f0_hz: f32,
    /// Probability that this pitch sounds, 0 to 1. It is low for hiss, where the encoder finds many pitches.
    pub certainty: f32,
    /// Probability that the pitch is an octave or a twelfth lower, 0 to 1.
    pub lower: f32,
}

impl Pitch {
    /// True if the pitch is less than `octaves` from `before_hz`; false if that is 0, no pitch.
    pub fn is_within(self, octaves: f32, before_hz: f32) -> bool {
        before_hz > 0.0 && (self.f0_hz / before_hz).log2().abs() < octaves
    }
}

/// Forward filter (hidden Markov model) over pitch bins. Realtime-safe.
#[derive(Clone, Debug)]
pub struct PitchTracker {
    /// Probability of each bin.
    belief: [f32; N_PITCH_BINS],
}

impl Default for PitchTracker {
    fn default() -> Self {
        Self { belief: [1.0 / N_PITCH_BINS as f32; N_PITCH_BINS] }
    }
}

impl PitchTracker {
    /// Reads one hop: `[N_PITCH_BINS]` logits and the probability of voicing.
    pub fn hop(&mut self, pitch_logits: &[f32], voicing: f32) -> Pitch {
        let posterior = softmax(pitch_logits);
        advance(&mut self.belief, &posterior, if voicing > VOICED.0 { JUMP } else { VOICED.1 });
        let most = highest(&self.belief);
        let best = self.belief.iter().position(|b| *b == most).unwrap_or(0);
        let (mean, share) = around(&posterior, best);
        let below = |n_bins: usize| best.checked_sub(n_bins).map_or(0.0, |bin| around(&posterior, bin).1);
        let lower = OCTAVE_AND_TWELFTH.map(below).iter().sum();
        Pitch { f0_hz: bin_to_hz(mean), certainty: voicing * share, lower }
    }
}

/// Moves `belief` on by one hop: shares of it go to the neighbours and to all bins, then it is multiplied by
/// `posterior`.
#[multiversion(targets("x86_64+avx2"))]
fn advance(belief: &mut [f32; N_PITCH_BINS], posterior: &[f32; N_PITCH_BINS], jump: f32) {
    // The end bins are repeated, so that no probability leaves the range.
    let mut old = [0.0; N_PITCH_BINS + 2];
    old[1..=N_PITCH_BINS].copy_from_slice(belief);
    (old[0], old[N_PITCH_BINS + 1]) = (old[1], old[N_PITCH_BINS]);
    for i in 0..N_PITCH_BINS {
        let moved = (1.0 - GLIDE) * old[i + 1] + 0.5 * GLIDE * (old[i] + old[i + 2]);
        let expected = (1.0 - jump) * moved + jump / N_PITCH_BINS as f32;
        belief[i] = expected * (posterior[i] + 1e-9);
    }
    let total = sum(belief);
    scale_all(belief, 1.0 / total);
}

fn softmax(logits: &[f32]) -> [f32; N_PITCH_BINS] {
    let top = highest(logits);
    let mut p: [f32; N_PITCH_BINS] = std::array::from_fn(|i| logits[i] - top);
    exp_all(&mut p);
    let total = sum(&p);
    scale_all(&mut p, 1.0 / total);
    p
}

/// Mean bin of the posterior around `best`, and the share of the posterior there. The mean is finer than a bin, and
/// unlike the belief it has no memory.
fn around(posterior: &[f32; N_PITCH_BINS], best: usize) -> (f32, f32) {
    let range = best.saturating_sub(REACH)..(best + REACH + 1).min(N_PITCH_BINS);
    let (mut sum, mut weighted) = (1e-12, 1e-12 * best as f32);
    for bin in range {
        sum += posterior[bin];
        weighted += posterior[bin] * bin as f32;
    }
    (weighted / sum, sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::hz_to_bin;

    fn logits(hz: f32, strength: f32) -> Vec<f32> {
        (0..N_PITCH_BINS).map(|b| -0.5 * ((b as f32 - hz_to_bin(hz)) / 1.25).powi(2) * strength).collect()
    }

    #[test]
    fn pitch_is_finer_than_a_bin() {
        for hz in [55.0, 441.7, 1234.5, 3999.0] {
            let mut tracker = PitchTracker::default();
            let heard = tracker.hop(&logits(hz, 1.0), 1.0).f0_hz;
            assert!((1200.0 * (heard / hz).log2()).abs() < 1.0, "{heard} for {hz}");
        }
    }

    #[test]
    fn one_uncertain_hop_is_no_octave_jump_and_certain_ones_are() {
        let mut tracker = PitchTracker::default();
        for _ in 0..10 {
            tracker.hop(&logits(220.0, 1.0), 1.0);
        }
        // Mostly 440 Hz, but 220 Hz not excluded.
        let uncertain: Vec<f32> = logits(440.0, 1.0)
            .iter()
            .zip(logits(220.0, 1.0))
            .map(|(a, b)| (a.exp() * 0.9 + b.exp() * 0.1).ln())
            .collect();
        let heard = tracker.hop(&uncertain, 1.0).f0_hz;
        assert!((heard - 220.0).abs() < 3.0, "{heard}");
        for _ in 0..2 {
            tracker.hop(&logits(440.0, 1.0), 1.0);
        }
        let heard = tracker.hop(&logits(440.0, 1.0), 1.0).f0_hz;
        assert!((heard - 440.0).abs() < 3.0, "{heard}");
    }

    #[test]
    fn many_pitches_at_once_are_no_pitch() {
        let mut tracker = PitchTracker::default();
        assert!(tracker.hop(&logits(440.0, 1.0), 0.9).certainty > 0.85);
        assert!(tracker.hop(&[0.0; N_PITCH_BINS], 0.9).certainty < 0.1);
    }
}
