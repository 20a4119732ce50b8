//! Detects several notes at once. A pitch tracker finds a period in many chords, too, far below all of their notes.

use super::FRAME_RATE;
use embouchure_inference::hear::{NoteRule, PartialFinder};

/// Hops from one examined frame to the next.
const STEP: usize = 15;
/// The share is counted over at least this many frames, because a few prove nothing.
const LEAST_FRAMES: usize = 8;
/// Partials that one note must have, even without its fundamental.
const RULE: NoteRule = NoteRule { least_filled: 0.65, least_harmonics: 1, least_adjoining: f32::INFINITY };
/// Multiples of the tracked pitch that may be the note's: trackers are sometimes an octave or two off.
const MULTIPLES: [f32; 5] = [1.0, 2.0, 3.0, 4.0, 0.5];
/// Hops to each side in which the pitch must be steady, and its largest change there, so that one note fills the
/// window.
const STEADY_HOPS: usize = 12;
const STEADY_OCTAVES: f32 = 0.05;

/// Share of the frames with a steady pitch in which several notes sound. `f0_hz`: Hz per hop, 0 = no pitch.
pub fn share_of_chords(samples: &[f32], rate: u32, f0_hz: &[f32]) -> f32 {
    let (mut n, mut n_chords) = (0, 0);
    let mut finder = PartialFinder::new(rate);
    let half = finder.frame_size() / 2;
    for (h, f0) in f0_hz.iter().enumerate().step_by(STEP) {
        if !is_steady(f0_hz, h) {
            continue;
        }
        let centre = (h + 1) * rate as usize / FRAME_RATE;
        let before = std::iter::repeat_n(0.0, half.saturating_sub(centre));
        let frame = before.chain(samples.iter().skip(centre.saturating_sub(half)).copied());
        let partials = finder.find(frame);
        if partials.all().is_empty() {
            continue;
        }
        n += 1;
        n_chords += usize::from(!MULTIPLES.iter().any(|m| partials.are_of_note(m * f0, RULE)));
    }
    n_chords as f32 / n.max(LEAST_FRAMES) as f32
}

fn is_steady(f0_hz: &[f32], h: usize) -> bool {
    let near = &f0_hz[h.saturating_sub(STEADY_HOPS)..(h + STEADY_HOPS + 1).min(f0_hz.len())];
    f0_hz[h] > 0.0 && near.iter().all(|f| (f / f0_hz[h]).log2().abs() < STEADY_OCTAVES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::track_pitch;
    use std::f32::consts::TAU;

    const RATE: u32 = 48_000;

    /// Two seconds of notes at once, each with the harmonics that `amplitude(k)` says.
    fn chord(notes: &[f32], amplitude: impl Fn(usize) -> f32) -> Vec<f32> {
        let sample = |i: usize| {
            let turns = i as f32 / RATE as f32;
            let note = |f: &f32| {
                (1..=8).map(|k| 0.1 * amplitude(k) * (TAU * ((f * k as f32 * turns) % 1.0)).sin()).sum::<f32>()
            };
            notes.iter().map(note).sum()
        };
        (0..2 * RATE as usize).map(sample).collect()
    }

    fn share(samples: &[f32]) -> f32 {
        let f0_hz: Vec<f32> = track_pitch(samples, RATE).iter().map(|p| p.f0_hz).collect();
        share_of_chords(samples, RATE, &f0_hz)
    }

    #[test]
    fn one_note_is_no_chord_whatever_its_harmonics() {
        for hz in [70.0, 110.0, 261.6, 440.0, 1500.0] {
            for (name, amplitude) in [
                ("sawtooth", (|k| 1.0 / k as f32) as fn(usize) -> f32),
                ("clarinet", |k| if k % 2 == 1 { 1.0 } else { 0.05 }),
                ("whistle", |k| if k == 1 { 1.0 } else { 0.0 }),
                ("formant", |k| if (4..8).contains(&k) { 1.0 } else { 0.1 }),
            ] {
                let share = share(&chord(&[hz], amplitude));
                assert!(share < 0.05, "{name} at {hz} Hz: {share}");
            }
        }
    }

    #[test]
    fn chords_are_found_although_they_have_a_period() {
        for notes in
            [[261.63, 329.63, 392.0], [523.25, 659.26, 783.99], [220.0, 277.18, 329.63], [261.63, 329.63, 523.25]]
        {
            let share = share(&chord(&notes, |k| 1.0 / k as f32));
            assert!(share > 0.8, "{notes:?}: {share}");
        }
    }
}
