//! Musical note names of frequencies.

/// ASCII: terminals and the editor's font have no sharp sign.
pub(crate) const NAMES: [&str; 12] = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"];

/// Fractional MIDI number of a frequency (Hz, > 0); A4 = 440 Hz is 69.
pub fn hz_to_midi(hz: f32) -> f32 {
    69.0 + 12.0 * (hz / 440.0).log2()
}

/// Inverse of [`hz_to_midi`], Hz.
pub fn midi_to_hz(midi: f32) -> f32 {
    440.0 * ((midi - 69.0) / 12.0).exp2()
}

/// A note of equal temperament with A4 = 440 Hz, and the deviation of a frequency from it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Note {
    /// MIDI number.
    number: i32,
    /// Deviation of the frequency from the note, -50 to 50.
    cents: i32,
}

impl Note {
    /// The nearest note. `None` if `hz` is 0 (nothing sounds), negative or not finite.
    pub fn from_hz(hz: f32) -> Option<Self> {
        if !(hz.is_finite() && hz > 0.0) {
            return None;
        }
        let cents = (1200.0 * (hz / 440.0).log2()).round() as i32 + 6900;
        let number = (cents + 50).div_euclid(100);
        Some(Self { number, cents: cents - 100 * number })
    }

    /// Name and octave; middle C is C4.
    pub fn name(self) -> String {
        format!("{}{}", NAMES[self.number.rem_euclid(12) as usize], self.number.div_euclid(12) - 1)
    }

    /// Names of the ends of a range: `"E3 to A#5"`, with a dash for an invalid frequency. Allocates.
    pub fn range(low_hz: f32, high_hz: f32) -> String {
        let [low, high] = [low_hz, high_hz].map(|hz| Self::from_hz(hz).map_or("-".into(), Self::name));
        format!("{low} to {high}")
    }

    /// "+12 ct", "0 ct".
    pub fn deviation(self) -> String {
        if self.cents == 0 { "0 ct".into() } else { format!("{:+} ct", self.cents) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(hz: f32) -> String {
        Note::from_hz(hz).map_or("none".into(), |n| format!("{} {}", n.name(), n.deviation()))
    }

    #[test]
    fn names_notes() {
        assert_eq!(text(440.0), "A4 0 ct");
        assert_eq!(text(261.6256), "C4 0 ct");
        assert_eq!(text(466.1638), "A#4 0 ct");
        assert_eq!(text(27.5), "A0 0 ct");
        assert_eq!(text(4978.0), "D#8 0 ct");
        assert_eq!(text(8.1758), "C-1 0 ct");
        assert_eq!(text(7.7169), "B-2 0 ct");
    }

    #[test]
    fn deviates_by_half_a_semitone_at_most() {
        assert_eq!(text(440.0 * (49.0_f32 / 1200.0).exp2()), "A4 +49 ct");
        assert_eq!(text(440.0 * (51.0_f32 / 1200.0).exp2()), "A#4 -49 ct");
        assert_eq!(text(440.0 * (-12.0_f32 / 1200.0).exp2()), "A4 -12 ct");
    }

    #[test]
    fn silence_has_no_note() {
        for hz in [0.0, -1.0, f32::NAN, f32::INFINITY] {
            assert_eq!(text(hz), "none");
        }
    }

    #[test]
    fn notes_have_their_names() {
        let notes =
            [(440.0, "A4"), (261.6, "C4"), (246.9, "B3"), (27.5, "A0"), (8.18, "C-1"), (4186.0, "C8"), (92.0, "F#2")];
        for (f0_hz, expected) in notes {
            assert_eq!(Note::from_hz(f0_hz).map(Note::name).as_deref(), Some(expected));
        }
    }
}
