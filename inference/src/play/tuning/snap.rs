//! Pulls the pitch to the notes of a scale.

use crate::note::NAMES;

/// A note is left only when the pitch is this much nearer to another one, semitones: no flicker between two.
const HYSTERESIS: f32 = 0.15;
/// Equal temperament, A4 (MIDI 69) = 440 Hz.
const A4: (f32, f32) = (69.0, 440.0);

/// Notes of a scale, counted from its key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// All twelve notes.
    #[default]
    Chromatic,
    /// Ionian.
    Major,
    /// Aeolian.
    Minor,
    /// Minor with a leading note.
    HarmonicMinor,
    /// Minor with a major sixth.
    Dorian,
    /// Major with a minor seventh.
    Mixolydian,
    /// Five notes of major.
    MajorPentatonic,
    /// Five notes of minor.
    MinorPentatonic,
    /// Minor pentatonic and the flat fifth.
    Blues,
    /// Six equal steps.
    WholeTone,
}

impl Scale {
    /// All scales, with their names.
    pub const ALL: [(Self, &'static str); 10] = [
        (Self::Chromatic, "Chromatic"),
        (Self::Major, "Major"),
        (Self::Minor, "Minor"),
        (Self::HarmonicMinor, "Harmonic Minor"),
        (Self::Dorian, "Dorian"),
        (Self::Mixolydian, "Mixolydian"),
        (Self::MajorPentatonic, "Major Pentatonic"),
        (Self::MinorPentatonic, "Minor Pentatonic"),
        (Self::Blues, "Blues"),
        (Self::WholeTone, "Whole Tone"),
    ];

    fn semitones(self) -> &'static [i32] {
        match self {
            Self::Chromatic => &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
            Self::Major => &[0, 2, 4, 5, 7, 9, 11],
            Self::Minor => &[0, 2, 3, 5, 7, 8, 10],
            Self::HarmonicMinor => &[0, 2, 3, 5, 7, 8, 11],
            Self::Dorian => &[0, 2, 3, 5, 7, 9, 10],
            Self::Mixolydian => &[0, 2, 4, 5, 7, 9, 10],
            Self::MajorPentatonic => &[0, 2, 4, 7, 9],
            Self::MinorPentatonic => &[0, 3, 5, 7, 10],
            Self::Blues => &[0, 3, 5, 6, 7, 10],
            Self::WholeTone => &[0, 2, 4, 6, 8, 10],
        }
    }
}

/// Key note, 0 = C to 11 = B.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Key(pub u8);

impl Key {
    /// "C", "C#", … "B".
    pub fn name(self) -> &'static str {
        NAMES[usize::from(self.0 % 12)]
    }

    /// Inverse of `name`, in upper or lower case, with sharps or flats: "C#", "db", "B♭".
    pub fn from_name(name: &str) -> Option<Self> {
        let mut letters = name.trim().chars();
        let letter = letters.next()?.to_ascii_uppercase();
        let natural = NAMES.iter().position(|n| n.len() == 1 && n.starts_with(letter))?;
        let step = match letters.as_str() {
            "" => 0,
            "#" | "♯" => 1,
            "b" | "B" | "♭" => 11,
            _ => return None,
        };
        Some(Self(((natural + step) % 12) as u8))
    }
}

/// What the player asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SnapWish {
    /// 0 = off, 1 = exactly on the notes.
    pub strength: f32,
    /// First note of the scale.
    pub key: Key,
    /// Notes that may sound.
    pub scale: Scale,
}

impl SnapWish {
    /// The scale's note nearest to `pitch` (MIDI, fractional).
    fn nearest(&self, pitch: f32) -> f32 {
        let octave = ((pitch - self.key.0 as f32) / 12.0).floor() * 12.0 + self.key.0 as f32;
        let semitones = self.scale.semitones().iter().flat_map(|s| [s - 12, *s, s + 12]);
        let notes = semitones.map(|s| octave + s as f32);
        notes.min_by(|a, b| (a - pitch).abs().total_cmp(&(b - pitch).abs())).unwrap_or(pitch)
    }

    fn contains(&self, note: f32) -> bool {
        self.nearest(note) == note
    }
}

/// Remembers the note that sounds. Realtime-safe.
#[derive(Clone, Copy, Debug, Default)]
pub struct Snap {
    note: Option<f32>,
}

impl Snap {
    /// Takes in the pitch of one hop, Hz, and returns the one to play.
    pub fn hop(&mut self, f0_hz: f32, wish: &SnapWish) -> f32 {
        if wish.strength.is_nan() || wish.strength <= 0.0 {
            self.note = None;
            return f0_hz;
        }
        let pitch = A4.0 + 12.0 * (f0_hz / A4.1).log2();
        let nearest = wish.nearest(pitch);
        let kept = self.note.filter(|note| wish.contains(*note));
        let note = match kept {
            Some(note) if (note - pitch).abs() < (nearest - pitch).abs() + HYSTERESIS => note,
            _ => nearest,
        };
        self.note = Some(note);
        f0_hz * ((note - pitch) * wish.strength.min(1.0) / 12.0).exp2()
    }

    /// The note is over.
    pub fn rest(&mut self) {
        self.note = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hz(midi: f32) -> f32 {
        440.0 * ((midi - 69.0) / 12.0).exp2()
    }

    fn midi(hz: f32) -> f32 {
        69.0 + 12.0 * (hz / 440.0).log2()
    }

    #[test]
    fn off_changes_nothing() {
        assert_eq!(Snap::default().hop(451.7, &SnapWish::default()), 451.7);
    }

    #[test]
    fn full_strength_plays_the_scale_and_half_goes_half_the_way() {
        let c_major = SnapWish { strength: 1.0, scale: Scale::Major, ..SnapWish::default() };
        for (sung, played) in [(60.3, 60.0), (61.2, 62.0), (65.9, 65.0), (66.6, 67.0), (71.6, 72.0), (59.4, 59.0)] {
            let heard = midi(Snap::default().hop(hz(sung), &c_major));
            assert!((heard - played).abs() < 1e-3, "{sung} becomes {heard}");
        }
        let half = SnapWish { strength: 0.5, ..c_major };
        assert!((midi(Snap::default().hop(hz(60.4), &half)) - 60.2).abs() < 1e-3);
    }

    #[test]
    fn the_key_moves_the_scale() {
        let d_minor = SnapWish { strength: 1.0, key: Key(2), scale: Scale::Minor };
        let played: Vec<i32> = (0..12)
            .map(|n| midi(Snap::default().hop(hz(62.0 + n as f32 + 0.05), &d_minor)).round() as i32 - 62)
            .collect();
        assert_eq!(played, [0, 2, 2, 3, 5, 5, 7, 7, 8, 10, 10, 12]);
    }

    #[test]
    fn keys_have_names() {
        assert_eq!(Key::from_name("f#"), Some(Key(6)));
        assert_eq!(["Bb", "bb", "B♭", "A#"].map(Key::from_name), [Some(Key(10)); 4]);
        assert_eq!([Key::from_name("Cb"), Key::from_name("E#")], [Some(Key(11)), Some(Key(5))]);
        assert_eq!(["H", "", "C##", "♭"].map(Key::from_name), [None; 4]);
        assert!((0..12).all(|n| Key::from_name(Key(n).name()) == Some(Key(n))));
    }

    #[test]
    fn a_pitch_between_two_notes_does_not_flicker() {
        let wish = SnapWish { strength: 1.0, ..SnapWish::default() };
        let mut snap = Snap::default();
        let first = snap.hop(hz(60.45), &wish);
        for wobble in [60.53, 60.47, 60.55] {
            assert!((snap.hop(hz(wobble), &wish) - first).abs() < 1e-3);
        }
        assert!((midi(snap.hop(hz(60.7), &wish)) - 61.0).abs() < 1e-3);
        snap.rest();
        assert!((midi(snap.hop(hz(60.53), &wish)) - 61.0).abs() < 1e-3);
    }
}
