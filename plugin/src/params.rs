//! What the host can automate, and the session that travels with it. IDs never change.

use crate::session::SessionField;
use embouchure_inference::controls::SourceControls;
use embouchure_inference::tuning::{Key, Scale, SnapWish};
use nice_plug::prelude::*;
use std::sync::Arc;

/// Lowest value of the gate; there it is off.
pub const GATE_OFF_DB: f32 = -90.0;
/// Threshold that no input falls below; finite, so that arithmetic on it stays finite.
const NEVER_DB: f32 = -300.0;
/// Long enough to hide a step in level, short enough to follow a hand.
const SMOOTHING: SmoothingStyle = SmoothingStyle::Linear(20.0);

/// All parameters, and the session.
#[derive(Params)]
pub struct EmbouchureParams {
    /// Instrument and window size.
    #[persist = "session"]
    pub session: Arc<SessionField>,
    /// 0 = dry, 1 = wet.
    #[id = "mix"]
    pub mix: FloatParam,
    /// Tilt over the harmonics, dB per octave.
    #[id = "brightness"]
    pub brightness_db: FloatParam,
    /// Added to the detected pitch, semitones.
    #[id = "transpose"]
    pub transpose_semitones: IntParam,
    /// Move by whole octaves into the instrument's range.
    #[id = "octave_fit"]
    pub octave_fit: BoolParam,
    /// Input below this level is silence, dBFS; off at [`GATE_OFF_DB`].
    #[id = "gate"]
    pub gate_db: FloatParam,
    /// The gate follows the room's noise and the level of the source.
    #[id = "room_gate"]
    pub room_gate: BoolParam,
    /// How far the pitch is pulled to the notes of the scale, 0 to 1.
    #[id = "snap"]
    pub snap: FloatParam,
    /// First note of that scale, 0 = C to 11 = B.
    #[id = "key"]
    pub key: IntParam,
    /// Index into [`Scale::ALL`].
    #[id = "scale"]
    pub scale: IntParam,
    /// Time of the way from note to note, s.
    #[id = "glide"]
    pub glide_s: FloatParam,
    /// How much there is of the room around the instrument, 0 to 1.
    #[id = "room"]
    pub room: FloatParam,
    /// Bring the source's level to the instrument's.
    #[id = "level_fit"]
    pub level_fit: BoolParam,
    /// Output level of dry and wet together, dB.
    #[id = "gain"]
    pub gain_db: FloatParam,
    /// Crossfades to the delayed input at its own level.
    #[id = "bypass"]
    pub bypass: BoolParam,
}

impl EmbouchureParams {
    /// The parameters that act on the analysis.
    pub fn source_controls(&self) -> SourceControls {
        let gate_db = self.gate_db.value();
        SourceControls {
            transpose_semitones: self.transpose_semitones.value() as f32,
            octave_fit: self.octave_fit.value(),
            gate_db: if gate_db <= GATE_OFF_DB { NEVER_DB } else { gate_db },
            gate_follows_room: self.room_gate.value(),
            snap: SnapWish {
                strength: self.snap.value(),
                key: Key(self.key.value() as u8),
                scale: Scale::ALL[self.scale.value() as usize % Scale::ALL.len()].0,
            },
            glide_s: self.glide_s.value(),
            level_fit: self.level_fit.value(),
            room: self.room.value(),
        }
    }
}

impl Default for EmbouchureParams {
    fn default() -> Self {
        let source = SourceControls::default();
        Self {
            session: Arc::default(),
            mix: FloatParam::new("Dry/Wet", 1.0, FloatRange::Linear { min: 0.0, max: 1.0 })
                .with_smoother(SMOOTHING)
                .with_unit(" %")
                .with_value_to_string(formatters::v2s_f32_percentage(0))
                .with_string_to_value(formatters::s2v_f32_percentage()),
            brightness_db: FloatParam::new("Brightness", 0.0, FloatRange::Linear { min: -12.0, max: 12.0 })
                .with_smoother(SMOOTHING)
                .with_value_to_string(Arc::new(|v| format!("{} dB/oct", signed(v, 1))))
                .with_string_to_value(Arc::new(leading_number)),
            transpose_semitones: IntParam::new("Transpose", 0, IntRange::Linear { min: -36, max: 36 })
                .with_value_to_string(Arc::new(|v| format!("{} st", signed(v as f32, 0))))
                .with_string_to_value(Arc::new(|text| leading_number(text).map(|v| v.round() as i32))),
            octave_fit: BoolParam::new("Octave Fit", source.octave_fit),
            gate_db: FloatParam::new("Gate", source.gate_db, FloatRange::Linear { min: GATE_OFF_DB, max: -20.0 })
                .with_value_to_string(Arc::new(gate_text))
                .with_string_to_value(Arc::new(gate_value)),
            room_gate: BoolParam::new("Auto Gate", source.gate_follows_room),
            snap: FloatParam::new("Snap", source.snap.strength, FloatRange::Linear { min: 0.0, max: 1.0 })
                .with_unit(" %")
                .with_value_to_string(formatters::v2s_f32_percentage(0))
                .with_string_to_value(formatters::s2v_f32_percentage()),
            key: IntParam::new("Key", 0, IntRange::Linear { min: 0, max: 11 })
                .with_value_to_string(Arc::new(|v| Key(v as u8).name().into()))
                .with_string_to_value(Arc::new(|text| Key::from_name(text).map(|key| i32::from(key.0)))),
            scale: IntParam::new("Scale", 0, IntRange::Linear { min: 0, max: Scale::ALL.len() as i32 - 1 })
                .with_value_to_string(Arc::new(|v| Scale::ALL[v as usize % Scale::ALL.len()].1.into()))
                .with_string_to_value(Arc::new(scale_value)),
            glide_s: FloatParam::new("Glide", 0.0, FloatRange::Skewed { min: 0.0, max: 2.0, factor: 0.5 })
                .with_value_to_string(Arc::new(glide_text))
                .with_string_to_value(Arc::new(glide_value)),
            room: FloatParam::new("Room", source.room, FloatRange::Linear { min: 0.0, max: 1.0 })
                .with_unit(" %")
                .with_value_to_string(formatters::v2s_f32_percentage(0))
                .with_string_to_value(formatters::s2v_f32_percentage()),
            level_fit: BoolParam::new("Level Fit", source.level_fit),
            gain_db: FloatParam::new("Output", 0.0, FloatRange::Linear { min: -24.0, max: 12.0 })
                .with_smoother(SMOOTHING)
                .with_value_to_string(Arc::new(|v| format!("{} dB", signed(v, 1))))
                .with_string_to_value(Arc::new(leading_number)),
            bypass: BoolParam::new("Bypass", false).make_bypass(),
        }
    }
}

/// "+3.0", "-3.0", "0.0": zero has no sign.
fn signed(value: f32, digits: usize) -> String {
    let text = format!("{value:+.digits$}");
    if text.bytes().any(|b| matches!(b, b'1'..=b'9')) { text } else { text[1..].into() }
}

/// Reads "-3", "+3.5 dB/oct", "12 st".
fn leading_number(text: &str) -> Option<f32> {
    let number = text.trim().trim_end_matches(|c: char| c.is_alphabetic() || matches!(c, ' ' | '/' | '%'));
    number.parse().ok().filter(|v: &f32| v.is_finite())
}

fn gate_text(value: f32) -> String {
    // Hosts show rounded values, so what rounds to the lowest value reads as off, too.
    if value < GATE_OFF_DB + 0.05 { "Off".into() } else { format!("{value:.1} dB") }
}

fn gate_value(text: &str) -> Option<f32> {
    if text.trim().eq_ignore_ascii_case("off") { Some(GATE_OFF_DB) } else { leading_number(text) }
}

fn scale_value(text: &str) -> Option<i32> {
    Scale::ALL.iter().position(|(_, name)| name.eq_ignore_ascii_case(text.trim())).map(|i| i as i32)
}

fn glide_text(seconds: f32) -> String {
    // Less than a millisecond is as sung.
    if seconds < 0.0005 { "Off".into() } else { format!("{:.0} ms", 1000.0 * seconds) }
}

/// Milliseconds, or "0.5 s".
fn glide_value(text: &str) -> Option<f32> {
    let text = text.trim().to_lowercase();
    if text == "off" {
        return Some(0.0);
    }
    let in_seconds = text.ends_with('s') && !text.ends_with("ms");
    leading_number(&text).map(|v| if in_seconds { v } else { v / 1000.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_text(param: &impl Param) {
        for step in 0..=20 {
            let text = param.normalized_value_to_string(step as f32 / 20.0, true);
            let value = param.string_to_normalized_value(&text).unwrap_or_else(|| panic!("{text:?} is not read"));
            assert_eq!(param.normalized_value_to_string(value, true), text, "{}", param.name());
        }
    }

    #[test]
    fn text_goes_both_ways() {
        let params = EmbouchureParams::default();
        check_text(&params.mix);
        check_text(&params.brightness_db);
        check_text(&params.transpose_semitones);
        check_text(&params.octave_fit);
        check_text(&params.gate_db);
        check_text(&params.gain_db);
        check_text(&params.room_gate);
        check_text(&params.snap);
        check_text(&params.key);
        check_text(&params.scale);
        check_text(&params.glide_s);
        check_text(&params.room);
        check_text(&params.level_fit);
        check_text(&params.bypass);
    }

    #[test]
    fn text_reads_as_a_player_writes() {
        let params = EmbouchureParams::default();
        let plain = |text| params.brightness_db.string_to_normalized_value(text).map(|v| v * 24.0 - 12.0);
        assert_eq!(plain("-3"), Some(-3.0));
        assert_eq!(plain("+6 dB/oct"), Some(6.0));
        assert_eq!(plain("loud"), None);
        assert_eq!(plain("NaN"), None);
        assert_eq!(signed(-0.04, 1), "0.0");
        assert_eq!(signed(0.5, 1), "+0.5");
        assert_eq!(gate_text(GATE_OFF_DB), "Off");
        assert_eq!(gate_value("-60 dB"), Some(-60.0));
        assert_eq!(
            (glide_value("120 ms"), glide_value("0.5 s"), glide_value("80")),
            (Some(0.12), Some(0.5), Some(0.08))
        );
    }

    #[test]
    fn the_lowest_gate_lets_everything_pass() {
        assert_eq!(EmbouchureParams::default().source_controls(), SourceControls::default());
        let params = EmbouchureParams {
            gate_db: FloatParam::new("", GATE_OFF_DB, FloatRange::Linear { min: GATE_OFF_DB, max: 0.0 }),
            ..Default::default()
        };
        assert_eq!(params.source_controls().gate_db, NEVER_DB);
    }
}
