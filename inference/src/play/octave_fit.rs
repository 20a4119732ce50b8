//! Octave Fit: moves a source by whole octaves into the instrument's range.

use crate::config::{FRAME_RATE, N_PITCH_BINS, hz_to_bin};
use crate::hear::Pitch;
use std::collections::VecDeque;

/// Hops in which the octave follows every note: 0.2 s. Later it changes only when the line leaves the range.
const SETTLING_HOPS: f32 = 0.2 * FRAME_RATE;
/// A hop counts with its certainty to this power.
const TRUST: i32 = 4;
/// Cost of a move by one octave, in octaves of distance from the middle of the range: for most instruments, and for one
/// that keeps the octave.
const MOVE_COST: (f32, f32) = (0.4, 1.2);
/// Weight of the distance outside the range.
const OUTSIDE_COST: f32 = 10.0;
const MOST_OCTAVES: i32 = 6;
/// Distance outside the range at which the octave changes, octaves.
const TOLERANCE: f32 = 0.25;
/// Time constant with which pitches are forgotten, hops.
const MEMORY: f32 = 2.0 * FRAME_RATE;
/// Pitch bins of 20 cents that share a place in the histogram: a semitone.
const BINS_PER_PLACE: usize = 5;
/// Places of the histogram, with room for transposition by three octaves up and down.
const N_PLACES: usize = N_PITCH_BINS / BINS_PER_PLACE + 72;

/// Changes of the median that are kept: about half an hour of music.
const N_REMEMBERED: usize = 4096;

/// The instrument that an octave is fitted to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// Playable range of the instrument, Hz.
    pub range_hz: [f32; 2],
    /// See [`Card`](crate::play::instrument::Card).
    pub keeps_octave: bool,
}

/// Finds the octaves that bring the line's median pitch into the range. The median keeps a moment of rumble from moving
/// a whistle by an octave. Realtime-safe.
///
/// The result depends on the source and on the present instrument, not on earlier instruments: all medians since the
/// beginning are kept, and run through again for a new instrument.
#[derive(Clone, Debug)]
pub struct OctaveFit {
    /// Hops per semitone, weighted by certainty; they fade.
    histogram: [f32; N_PLACES],
    /// Hops so far, weighted by certainty.
    n_hops: f32,
    /// Places of the median, oldest first, neighbours differ. The first is the median after settling.
    course: VecDeque<u8>,
    target: Option<Target>,
    octaves: f32,
}

impl Default for OctaveFit {
    /// Allocates.
    fn default() -> Self {
        Self {
            histogram: [0.0; N_PLACES],
            n_hops: 0.0,
            course: VecDeque::with_capacity(N_REMEMBERED),
            target: None,
            octaves: 0.0,
        }
    }
}

impl OctaveFit {
    /// Forgets the past. Realtime-safe.
    pub fn reset(&mut self) {
        self.histogram = [0.0; N_PLACES];
        self.n_hops = 0.0;
        self.course.clear();
        self.target = None;
        self.octaves = 0.0;
    }

    /// Sets the instrument. Returns by how many octaves the line moves.
    pub fn fit_to(&mut self, target: Target) -> f32 {
        if self.target == Some(target) {
            return 0.0;
        }
        self.target = Some(target);
        let before = self.octaves;
        let mut course = self.course.iter();
        if let Some(first) = course.next() {
            self.octaves = target.needed(octaves_of(*first));
            self.octaves = course.fold(self.octaves, |octaves, place| target.kept_or_needed(octaves, *place));
        }
        self.octaves - before
    }

    /// Takes in one voiced hop. Returns the octaves to move by.
    pub fn hop(&mut self, pitch: Pitch) -> f32 {
        let weight = pitch.certainty.powi(TRUST);
        self.n_hops += weight;
        self.histogram.iter_mut().for_each(|count| *count *= 1.0 - 1.0 / MEMORY);
        let place = (Self::place(pitch.f0_hz) + 0.5).clamp(0.0, (N_PLACES - 1) as f32);
        self.histogram[place as usize] += weight;
        let median = self.median();
        let is_settled = self.n_hops > SETTLING_HOPS;
        self.remember(median, is_settled);
        if let Some(target) = self.target {
            let is_decided = is_settled && self.course.len() > 1;
            self.octaves = match is_decided {
                true => target.kept_or_needed(self.octaves, median),
                false => target.needed(octaves_of(median)),
            };
        }
        self.octaves
    }

    fn remember(&mut self, median: u8, is_settled: bool) {
        if !is_settled {
            self.course.clear();
        }
        if self.course.back() == Some(&median) {
            return;
        }
        if self.course.len() == N_REMEMBERED {
            self.course.pop_front();
        }
        self.course.push_back(median);
    }

    /// Semitones above the histogram's first place.
    fn place(hz: f32) -> f32 {
        hz_to_bin(hz) / BINS_PER_PLACE as f32 + 36.0
    }

    /// Place of the histogram.
    fn median(&self) -> u8 {
        let half = self.histogram.iter().sum::<f32>() / 2.0;
        let mut below = 0.0;
        let is_middle = |count: &f32| {
            below += count;
            below >= half
        };
        self.histogram.iter().position(is_middle).unwrap_or(0) as u8
    }
}

/// Octaves of a place above the first place of the histogram.
fn octaves_of(place: u8) -> f32 {
    f32::from(place) / 12.0
}

impl Target {
    /// The range in octaves above the first place of the histogram.
    fn range(&self) -> [f32; 2] {
        self.range_hz.map(|hz| OctaveFit::place(hz) / 12.0)
    }

    /// `octaves` while they keep the median at `place` in the range; otherwise new ones.
    fn kept_or_needed(&self, octaves: f32, place: u8) -> f32 {
        let ([low, high], median) = (self.range(), octaves_of(place));
        let played = median + octaves;
        let is_outside = played < low - TOLERANCE || played > high + TOLERANCE;
        if is_outside { self.needed(median) } else { octaves }
    }

    /// Octaves that bring `median` into the range. Prefers the middle, because notes near the edge would soon leave the
    /// range, and few octaves.
    fn needed(&self, median: f32) -> f32 {
        let [low, high] = self.range();
        let move_cost = if self.keeps_octave { MOVE_COST.1 } else { MOVE_COST.0 };
        let cost = |octaves: f32| {
            let played = median + octaves;
            let outside = (low - played).max(played - high).max(0.0);
            (played - (low + high) / 2.0).abs() + move_cost * octaves.abs() + OUTSIDE_COST * outside
        };
        let choices = (-MOST_OCTAVES..=MOST_OCTAVES).map(|o| o as f32);
        choices.min_by(|a, b| cost(*a).total_cmp(&cost(*b))).unwrap_or(0.0)
    }
}

/// Factor by which a single note may lie outside the range: an octave, so that a melody wider than its instrument stays
/// whole.
const REACH: f32 = 2.0;

/// Moves a pitch that lies more than an octave outside the range by octaves to within an octave of it, so that a hiss
/// taken for a note does not squeak. Realtime-safe.
pub fn fold_into(f0_hz: f32, range_hz: [f32; 2]) -> f32 {
    let [low, high] = range_hz;
    let down = (f0_hz / (high * REACH)).log2().ceil().max(0.0);
    let up = (low / REACH / f0_hz).log2().ceil().max(0.0);
    f0_hz * (up - down).exp2()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn sure(f0_hz: f32) -> Pitch {
        Pitch { f0_hz, certainty: 0.98, lower: 0.0 }
    }

    const TRUMPET: Target = Target { range_hz: [175.0, 930.0], keeps_octave: false };

    fn fitted_to(target: Target) -> OctaveFit {
        let mut fit = OctaveFit::default();
        fit.fit_to(target);
        fit
    }

    #[test]
    fn a_whistle_and_a_bass_land_in_range() {
        for hz in [40.0, 82.0, 300.0, 1500.0, 3900.0] {
            let mut fit = fitted_to(TRUMPET);
            let played = hz * fit.hop(sure(hz)).exp2();
            assert!((TRUMPET.range_hz[0]..=TRUMPET.range_hz[1]).contains(&played), "{hz} Hz played as {played}");
        }
    }

    #[test]
    fn an_instrument_may_keep_the_octave_of_what_it_can_play() {
        let violin = |keeps_octave| Target { range_hz: [217.0, 2095.0], keeps_octave };
        let octaves = |hz: f32, keeps: bool| fitted_to(violin(keeps)).hop(sure(hz));
        assert_eq!([octaves(1450.0, false), octaves(1450.0, true)], [-1.0, 0.0]);
        assert_eq!(
            [octaves(110.0, true), octaves(3000.0, true)],
            [1.0, -1.0],
            "what it cannot play is moved all the same"
        );
    }

    #[test]
    fn the_octave_stays_within_a_melody() {
        let mut fit = fitted_to(TRUMPET);
        let octaves: Vec<f32> = (0..1000).map(|i| fit.hop(sure(700.0 + 350.0 * (i as f32 * 0.02).sin()))).collect();
        assert!(octaves[60..].windows(2).all(|w| w[0] == w[1]));
    }

    #[test]
    fn a_tune_that_begins_at_the_edge_of_the_range_stays_in_one_octave() {
        let mut fit = fitted_to(TRUMPET);
        let octaves: Vec<f32> = (0..1000).map(|i| fit.hop(sure(880.0 + 0.8 * i as f32))).collect();
        assert!(octaves.iter().all(|o| *o == -1.0));
        let mut fit = fitted_to(TRUMPET);
        assert_eq!(fit.hop(sure(140.0)), 1.0, "a low voice goes up no further than it must");
    }

    #[test]
    fn a_moment_of_rumble_does_not_move_a_whistle() {
        let mut fit = fitted_to(TRUMPET);
        let before: Vec<f32> = (0..10).map(|_| fit.hop(sure(1200.0))).collect();
        (0..8).for_each(|_| _ = fit.hop(sure(38.0)));
        let after: Vec<f32> = (0..500).map(|_| fit.hop(sure(1200.0))).collect();
        assert!(before.iter().chain(&after).all(|o| *o == -1.0));
    }

    #[test]
    fn an_uncertain_beginning_does_not_decide() {
        let mut fit = fitted_to(TRUMPET);
        (0..30).for_each(|_| _ = fit.hop(Pitch { f0_hz: 70.0, certainty: 0.6, lower: 0.0 }));
        let octaves: Vec<f32> = (0..200).map(|_| fit.hop(sure(180.0))).collect();
        assert_eq!(octaves[199], 1.0);
    }

    #[test]
    fn single_notes_far_outside_are_folded_by_octaves() {
        for hz in [20.0f32, 80.0, 88.0, 500.0, 1850.0, 1870.0, 7000.0] {
            let folded = fold_into(hz, TRUMPET.range_hz);
            assert!(
                (TRUMPET.range_hz[0] / REACH..=TRUMPET.range_hz[1] * REACH).contains(&folded),
                "{hz} Hz to {folded}"
            );
            let octaves = (folded / hz).log2();
            assert!((octaves - octaves.round()).abs() < 1e-4);
        }
        assert_eq!([88.0, 1850.0].map(|hz| fold_into(hz, TRUMPET.range_hz)), [88.0, 1850.0]);
    }

    #[test]
    fn the_octave_does_not_depend_on_who_played_before() {
        let band = [[175.0, 930.0], [247.0, 1480.0], [62.0, 620.0], [217.0, 2095.0], [130.0, 880.0]];
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let (mut differs, mut swapped) = (0, fitted_to(TRUMPET));
        let mut alone = band.map(|range_hz| fitted_to(Target { range_hz, keeps_octave: range_hz[1] > 2000.0 }));
        let (mut now, mut semitones) = (0, 0.0f32);
        for hop in 0..20_000 {
            if rng.random_range(0..60) == 0 {
                now = rng.random_range(0..band.len());
                let target = alone[now].target.expect("it has one");
                swapped.fit_to(target);
            }
            semitones = (semitones + rng.random_range(-1.5..1.5) + if hop % 3000 == 0 { 12.0 } else { 0.0 }) * 0.998;
            let pitch = Pitch { certainty: rng.random_range(0.3..1.0), ..sure(330.0 * (semitones / 12.0).exp2()) };
            let octaves = alone.each_mut().map(|fit| fit.hop(pitch));
            let played = swapped.hop(pitch);
            assert_eq!(played, octaves[now], "hop {hop}");
            differs += u32::from(octaves.iter().any(|o| *o != octaves[0]));
        }
        assert!(differs > 1000, "the instruments want other octaves: {differs}");
    }

    #[test]
    fn another_instrument_moves_the_line_at_once() {
        let mut fit = fitted_to(TRUMPET);
        (0..500).for_each(|_| _ = fit.hop(sure(1200.0)));
        assert_eq!(fit.octaves, -1.0);
        assert_eq!(fit.fit_to(Target { range_hz: [247.0, 2095.0], keeps_octave: true }), 1.0);
        assert_eq!(fit.fit_to(TRUMPET), -1.0);
        assert_eq!(fit.fit_to(TRUMPET), 0.0);
    }
}
