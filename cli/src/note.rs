//! Names of notes.

const NAMES: [&str; 12] = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"];

/// Name of the tempered note nearest to `f0_hz` (> 0), with A4 = 440 Hz: `"A4"`, `"F#2"`. Allocates.
pub fn name(f0_hz: f32) -> String {
    let key = (69.0 + 12.0 * (f0_hz / 440.0).log2()).round() as i32;
    format!("{}{}", NAMES[key.rem_euclid(12) as usize], key.div_euclid(12) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_have_their_names() {
        let notes =
            [(440.0, "A4"), (261.6, "C4"), (246.9, "B3"), (27.5, "A0"), (8.18, "C-1"), (4186.0, "C8"), (92.0, "F#2")];
        for (f0_hz, expected) in notes {
            assert_eq!(name(f0_hz), expected);
        }
    }
}
