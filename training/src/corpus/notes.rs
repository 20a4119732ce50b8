//! Selects the notes of a recording whose pitch is a reliable label.

use crate::analysis::HarmonicTrack;

/// Shortest note that gives a label, hops.
const SHORTEST_NOTE: usize = 15;
/// A note ends where the pitch moves more than this from hop to hop, octaves.
const JUMP: f32 = 1.0 / 8.0;
/// If the partials that are no multiple of partial m have less than this share of a note's power, m is the fundamental.
const BESIDE: f32 = 0.1;
/// Power of a weak fundamental, and of a harmonic that counts as present, against the strongest: -20 and -27 dB.
const WEAK: f32 = 1e-2;
const PRESENT: f32 = 2e-3;
/// Harmonics that are examined, and the least share of them that a single note has between its lowest and highest.
const LOWER_HARMONICS: usize = 12;
const LEAST_FILLED: f32 = 0.75;

/// Ends notes where the pitch leaps within a hop.
pub(super) fn split_at_jumps(voiced: &mut [bool], f0_hz: &[f32]) {
    for h in 1..voiced.len() {
        voiced[h] &= (f0_hz[h] / f0_hz[h - 1]).log2().abs() < JUMP;
    }
}

/// Raises notes that were tracked an octave or a twelfth too low. Only every second or third of their harmonics sounds,
/// so the resynthesis would not have the pitch of its label. Returns true if any note changed.
pub(super) fn raise_subharmonics(f0_hz: &mut [f32], voiced: &[bool], harmonics: &HarmonicTrack) -> bool {
    let mut changed = false;
    let mut start = 0;
    for note in voiced.chunk_by(|a, b| a == b) {
        let span = start..start + note.len();
        start = span.end;
        let power_beside = |m: usize| {
            let (mut beside, mut total) = (0.0, 1e-12);
            for (i, a) in span.clone().flat_map(|h| harmonics.frame(h).iter().enumerate()) {
                total += a * a;
                beside += if (i + 1).is_multiple_of(m) { 0.0 } else { a * a };
            }
            beside / total
        };
        if let Some(m) = [4, 3, 2].into_iter().find(|m| note[0] && power_beside(*m) < BESIDE) {
            f0_hz[span].iter_mut().for_each(|f| *f *= m as f32);
            changed = true;
        }
    }
    changed
}

/// Removes notes that are two notes ringing into each other. They look like one note far below both: its fundamental is
/// missing, and so are many of the harmonics between its strong ones, which no single instrument leaves out.
pub(super) fn drop_chords(voiced: &mut [bool], harmonics: &HarmonicTrack) {
    let mut start = 0;
    for note in voiced.chunk_by_mut(|a, b| a == b) {
        let span = start..start + note.len();
        start = span.end;
        let mut power = [0.0f32; LOWER_HARMONICS];
        for h in span {
            power.iter_mut().zip(harmonics.frame(h)).for_each(|(p, a)| *p += a * a);
        }
        if is_chord(&power) {
            note.fill(false);
        }
    }
}

fn is_chord(power: &[f32; LOWER_HARMONICS]) -> bool {
    let strongest = power.iter().copied().fold(0.0, f32::max);
    let is_present = |p: &f32| *p > PRESENT * strongest;
    let (Some(lowest), Some(highest)) = (power.iter().position(is_present), power.iter().rposition(is_present)) else {
        return false;
    };
    let n_present = power.iter().filter(|p| is_present(p)).count();
    power[0] < WEAK * strongest && (n_present as f32) < LEAST_FILLED * (highest + 1 - lowest) as f32
}

/// Removes notes that are too short.
pub(super) fn drop_short(voiced: &mut [bool]) {
    for note in voiced.chunk_by_mut(|a, b| a == b) {
        if note.len() < SHORTEST_NOTE {
            note.fill(false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_notes_are_no_note_and_a_bassoon_is_one() {
        let harmonics =
            |present: &[usize]| std::array::from_fn(|i| if present.contains(&(i + 1)) { 1.0 } else { 1e-4 });
        assert!(is_chord(&harmonics(&[4, 5, 8, 10, 12])));
        assert!(is_chord(&harmonics(&[3, 5, 6, 9, 10, 12])));
        assert!(!is_chord(&harmonics(&[5, 6, 7, 8, 9, 10])), "a formant");
        assert!(!is_chord(&harmonics(&[1, 3, 5, 7, 9, 11])), "a clarinet");
        assert!(!is_chord(&harmonics(&[1])), "a whistle");
    }
}
