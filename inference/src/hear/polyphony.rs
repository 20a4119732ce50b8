//! Detects several notes at once: a chord has partials that no single fundamental explains.

use super::{NoteRule, PartialFinder, Partials, Persistence, Pitch};
use crate::config::{FRAME_RATE, HOP_SIZE, MODEL_RATE};

/// Hops between two analysed frames: 32 ms.
const STEP: usize = 8;
/// Samples of a frame, and the hops in them: 128 ms.
const FRAME: usize = 2048;
const N_HOPS: usize = FRAME / HOP_SIZE;
/// Requirements for a note without its fundamental. A fifth has two thirds of the harmonics of the note below both.
const RULE: NoteRule = NoteRule { least_filled: 0.7, least_harmonics: 4, least_adjoining: 0.8 };
/// Multiples of the heard pitch that are tried as the note.
const MULTIPLES: [f32; 5] = [1.0, 2.0, 3.0, 4.0, 0.5];
/// So many of the strongest partials are tried as harmonics of the note, up to this number; and the lowest note, Hz.
const N_STRONGEST: usize = 5;
const HIGHEST_NUMBER: usize = 8;
const LOWEST_HZ: f32 = 40.0;
/// Less certain pitches are not compared with the others of the frame.
const CERTAINTY: f32 = 0.45;
/// Greatest change of pitch in a frame, octaves: a glide or a new note smears the partials of a single voice.
const STEADY_OCTAVES: f32 = 0.05;
/// Time in which chords must be found, and longest that is remembered, s.
const NEEDED_S: f32 = 0.3;
const MAX_S: f32 = 0.4;
const STEP_S: f32 = STEP as f32 / FRAME_RATE;

/// Detects several notes at once. Realtime-safe once made. False positives: 4 of 3099 recordings of single notes,
/// lines, voices and whistles (a violin's double stop, two of a trombone at 43 Hz, a saxophone's highest note), and 1
/// of 107 with 1.5 s of reverberation (a singer). Found: 36 of 50 mixtures of two or three recordings longer than 2 s,
/// and 87 % of major triads, 97 % of minor triads and 77 % of fifths in five timbres from C3 to A5. Octaves are hardly
/// ever found. An analysis takes about 14 µs, in one hop of eight.
pub struct Polyphony {
    finder: PartialFinder,
    /// The last samples, newest last.
    samples: [f32; FRAME],
    /// Pitch of each hop in them, Hz, newest last; 0 = not certain.
    certain_hz: [f32; N_HOPS],
    /// Hops since the last analysed frame.
    n_hops: usize,
    persistence: Persistence,
    is_several: bool,
}

impl Default for Polyphony {
    /// Allocates.
    fn default() -> Self {
        Self {
            finder: PartialFinder::new(MODEL_RATE),
            samples: [0.0; FRAME],
            certain_hz: [0.0; N_HOPS],
            n_hops: 0,
            persistence: Persistence::new(NEEDED_S, MAX_S),
            is_several: false,
        }
    }
}

impl Polyphony {
    /// Clears all state. Realtime-safe.
    pub fn reset(&mut self) {
        self.samples = [0.0; FRAME];
        self.certain_hz = [0.0; N_HOPS];
        self.n_hops = 0;
        self.persistence = Persistence::new(NEEDED_S, MAX_S);
        self.is_several = false;
    }

    /// Reads one hop, its pitch, and whether it is above the gate's level. True while several notes sound: from 0.3 s
    /// of them on, until there is no more evidence.
    pub fn hop(&mut self, samples: &[f32; HOP_SIZE], heard: Pitch, is_loud: bool) -> bool {
        self.samples.copy_within(HOP_SIZE.., 0);
        self.samples[FRAME - HOP_SIZE..].copy_from_slice(samples);
        self.certain_hz.copy_within(1.., 0);
        self.certain_hz[N_HOPS - 1] = if heard.certainty > CERTAINTY { heard.f0_hz } else { 0.0 };
        self.n_hops = (self.n_hops + 1) % STEP;
        if self.n_hops == 0 {
            let is_chord = is_loud && self.is_chord(heard.f0_hz);
            let change_s = match () {
                _ if !is_chord => -STEP_S,
                _ if self.is_steady(heard.f0_hz) => STEP_S,
                _ => 0.0,
            };
            self.is_several = self.persistence.update(change_s);
        }
        self.is_several
    }

    /// True if no single note explains the partials of the frame.
    fn is_chord(&mut self, heard_hz: f32) -> bool {
        let partials = self.finder.find(self.samples.iter().copied());
        let is_note = |f0_hz: f32| f0_hz > LOWEST_HZ && partials.are_of_note(f0_hz, RULE);
        !partials.all().is_empty()
            && !MULTIPLES.iter().any(|m| is_note(m * heard_hz))
            && !strongest_hz(partials).iter().any(|hz| (1..=HIGHEST_NUMBER).any(|k| is_note(hz / k as f32)))
    }

    fn is_steady(&self, heard_hz: f32) -> bool {
        self.certain_hz.iter().all(|hz| *hz == 0.0 || (hz / heard_hz).log2().abs() < STEADY_OCTAVES)
    }
}

/// Frequencies of the strongest partials, Hz; 0 where there are fewer.
fn strongest_hz(partials: Partials) -> [f32; N_STRONGEST] {
    let (mut hz, mut powers) = ([0.0; N_STRONGEST], [0.0; N_STRONGEST]);
    for partial in partials.all() {
        let at = powers.iter().position(|power| partial.power > *power);
        if let Some(at) = at {
            hz.copy_within(at..N_STRONGEST - 1, at + 1);
            powers.copy_within(at..N_STRONGEST - 1, at + 1);
            (hz[at], powers[at]) = (partial.hz, partial.power);
        }
    }
    hz
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f32::consts::TAU;

    /// Share of two seconds in which several notes are detected. `heard_hz`: the heard pitch.
    fn share(sample: impl Fn(usize) -> f32, heard_hz: f32) -> f32 {
        let mut polyphony = Polyphony::default();
        let heard = Pitch { f0_hz: heard_hz, certainty: 0.9, lower: 0.0 };
        let n = 500;
        let hop = |h: usize| polyphony.hop(&std::array::from_fn(|i| sample(h * HOP_SIZE + i)), heard, true);
        (0..n).map(hop).filter(|is_several| *is_several).count() as f32 / n as f32
    }

    fn note(f0_hz: f32, i: usize) -> f32 {
        let turns = f0_hz * i as f32 / MODEL_RATE as f32;
        (1..=8).map(|k| 0.1 * (TAU * (turns * k as f32 % 1.0) + k as f32).sin() / k as f32).sum()
    }

    #[test]
    fn triads_are_several_notes_whatever_pitch_is_heard() {
        for notes in
            [[261.63, 329.63, 392.0], [220.0, 261.63, 329.63], [196.0, 246.94, 293.66], [261.63, 329.63, 523.25]]
        {
            for heard_hz in [notes[0], notes[1], 0.25 * notes[0], 500.0] {
                let share = share(|i| notes.iter().map(|hz| note(*hz, i)).sum(), heard_hz);
                assert!(share > 0.7, "{notes:?} heard as {heard_hz} Hz: {share}");
            }
        }
    }

    #[test]
    fn one_note_is_never_several_even_if_another_pitch_is_heard() {
        for hz in [55.0, 110.0, 261.63, 700.0, 1500.0] {
            for heard_hz in [hz, 2.0 * hz, 0.5 * hz, 1.3 * hz] {
                assert_eq!(share(|i| note(hz, i), heard_hz), 0.0, "{hz} Hz heard as {heard_hz}");
                assert_eq!(share(|i| note(hz, i) + note(2.0 * hz, i), heard_hz), 0.0, "and its octave");
            }
        }
    }

    #[test]
    fn short_chords_are_ignored_and_the_end_of_a_chord_is_found_soon() {
        let chord = |i: usize| note(261.63, i) + note(329.63, i) + note(392.0, i);
        let after = |from_s: f32, to_s: f32| {
            let is_there = move |i: usize| (from_s..to_s).contains(&(i as f32 / MODEL_RATE as f32));
            share(move |i| if is_there(i) { chord(i) } else { note(261.63, i) }, 261.63)
        };
        assert_eq!(after(0.5, 0.7), 0.0, "two tenths of a second");
        let seconds = 2.0 * after(0.5, 1.5);
        assert!((0.7..1.3).contains(&seconds), "{seconds} s of a second");
    }

    #[test]
    fn noise_and_silence_are_no_notes() {
        let mut seed = 1u32;
        let noise: Vec<f32> = std::iter::repeat_with(|| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            seed as f32 / u32::MAX as f32 - 0.5
        })
        .take(500 * HOP_SIZE)
        .collect();
        assert_eq!(share(|i| noise[i], 300.0), 0.0);
        assert_eq!(share(|_| 0.0, 300.0), 0.0);
    }
}
