//! Pulls the pitch to the notes of a scale.

use crate::settings::SnapSettings;

/// A note is left only when the pitch is this much nearer to another one, semitones: no flicker between two.
const HYSTERESIS: f32 = 0.15;
/// Equal temperament, A4 (MIDI 69) = 440 Hz.
const A4: (f32, f32) = (69.0, 440.0);

impl SnapSettings {
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
    pub fn hop(&mut self, f0_hz: f32, settings: &SnapSettings) -> f32 {
        if settings.strength.is_nan() || settings.strength <= 0.0 {
            self.note = None;
            return f0_hz;
        }
        let pitch = A4.0 + 12.0 * (f0_hz / A4.1).log2();
        let nearest = settings.nearest(pitch);
        let kept = self.note.filter(|note| settings.contains(*note));
        let note = match kept {
            Some(note) if (note - pitch).abs() < (nearest - pitch).abs() + HYSTERESIS => note,
            _ => nearest,
        };
        self.note = Some(note);
        f0_hz * ((note - pitch) * settings.strength.min(1.0) / 12.0).exp2()
    }

    /// The note is over.
    pub fn rest(&mut self) {
        self.note = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scale::{Key, Scale};

    fn hz(midi: f32) -> f32 {
        440.0 * ((midi - 69.0) / 12.0).exp2()
    }

    fn midi(hz: f32) -> f32 {
        69.0 + 12.0 * (hz / 440.0).log2()
    }

    #[test]
    fn off_changes_nothing() {
        assert_eq!(Snap::default().hop(451.7, &SnapSettings::default()), 451.7);
    }

    #[test]
    fn full_strength_plays_the_scale_and_half_goes_half_the_way() {
        let c_major = SnapSettings { strength: 1.0, scale: Scale::Major, ..SnapSettings::default() };
        for (sung, played) in [(60.3, 60.0), (61.2, 62.0), (65.9, 65.0), (66.6, 67.0), (71.6, 72.0), (59.4, 59.0)] {
            let heard = midi(Snap::default().hop(hz(sung), &c_major));
            assert!((heard - played).abs() < 1e-3, "{sung} becomes {heard}");
        }
        let half = SnapSettings { strength: 0.5, ..c_major };
        assert!((midi(Snap::default().hop(hz(60.4), &half)) - 60.2).abs() < 1e-3);
    }

    #[test]
    fn the_key_moves_the_scale() {
        let d_minor = SnapSettings { strength: 1.0, key: Key(2), scale: Scale::Minor };
        let played: Vec<i32> = (0..12)
            .map(|n| midi(Snap::default().hop(hz(62.0 + n as f32 + 0.05), &d_minor)).round() as i32 - 62)
            .collect();
        assert_eq!(played, [0, 2, 2, 3, 5, 5, 7, 7, 8, 10, 10, 12]);
    }

    #[test]
    fn a_pitch_between_two_notes_does_not_flicker() {
        let settings = SnapSettings { strength: 1.0, ..SnapSettings::default() };
        let mut snap = Snap::default();
        let first = snap.hop(hz(60.45), &settings);
        for wobble in [60.53, 60.47, 60.55] {
            assert!((snap.hop(hz(wobble), &settings) - first).abs() < 1e-3);
        }
        assert!((midi(snap.hop(hz(60.7), &settings)) - 61.0).abs() < 1e-3);
        snap.rest();
        assert!((midi(snap.hop(hz(60.53), &settings)) - 61.0).abs() < 1e-3);
    }
}
