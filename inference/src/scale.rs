//! Scales and keys.

use crate::note::NAMES;

/// A scale: the notes of an octave, relative to the key note.
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

    /// Semitones of its notes above the key note, within an octave.
    pub fn semitones(self) -> &'static [i32] {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_names() {
        assert_eq!(Key::from_name("f#"), Some(Key(6)));
        assert_eq!(["Bb", "bb", "B♭", "A#"].map(Key::from_name), [Some(Key(10)); 4]);
        assert_eq!([Key::from_name("Cb"), Key::from_name("E#")], [Some(Key(11)), Some(Key(5))]);
        assert_eq!(["H", "", "C##", "♭"].map(Key::from_name), [None; 4]);
        assert!((0..12).all(|n| Key::from_name(Key(n).name()) == Some(Key(n))));
    }
}
