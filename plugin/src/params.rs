//! What the host can automate, and the session that travels with it. IDs never change.

use crate::library::Library;
use crate::library::shelf::{DEFAULT_PLACE, N_PLACES};
use crate::session::SessionField;
use embouchure_inference::controls::{BREATH_OFF_DB, SourceControls};
use embouchure_inference::play::pipeline::Slot;
use embouchure_inference::play::tuning::{Key, Scale, SnapWish};
use embouchure_inference::synth::room::Room;
use nice_plug::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Lowest value of the gate; there it is off.
pub const GATE_OFF_DB: f32 = -90.0;
/// Threshold that no input falls below; finite, so that arithmetic on it stays finite.
const NEVER_DB: f32 = -300.0;
/// What place 0 of the shelf is called for A and for B.
const OWN_FILE: &str = "Own File";
const EMPTY: &str = "None";
/// Long enough to hide a step in level, short enough to follow a hand.
const SMOOTHING: SmoothingStyle = SmoothingStyle::Linear(20.0);

/// All parameters, and the session.
#[derive(Params)]
pub struct EmbouchureParams {
    /// Instrument and window size.
    #[persist = "session"]
    pub session: Arc<SessionField>,
    /// Place of instrument A on the [`shelf`](crate::library::shelf); 0 = a file of the player's.
    #[id = "instrument_a"]
    pub instrument_a: IntParam,
    /// The same for B, which may be empty.
    #[id = "instrument_b"]
    pub instrument_b: IntParam,
    /// From A (0) to B (1).
    #[id = "morph"]
    pub morph: FloatParam,
    /// 0 = dry, 1 = wet.
    #[id = "mix"]
    pub mix: FloatParam,
    /// Tilt over the harmonics, dB per octave.
    #[id = "brightness"]
    pub brightness_db: FloatParam,
    /// Noise of the instrument, dB above what it learned; off at its lowest.
    #[id = "breath"]
    pub breath_db: FloatParam,
    /// How much softer and louder than loud notes others are: 1 = as played.
    #[id = "dynamics"]
    pub dynamics: FloatParam,
    /// How far the harmonics are as strong against each other as the source's, 0 to 1.
    #[id = "follow"]
    pub follow: FloatParam,
    /// Time in which a note fades in, s.
    #[id = "attack"]
    pub attack_s: FloatParam,
    /// How far noise, upper partials and room spread over both channels, 0 to 1.
    #[id = "width"]
    pub width: FloatParam,
    /// Added to the detected pitch, semitones.
    #[id = "transpose"]
    pub transpose_semitones: IntParam,
    /// Added to that, cents.
    #[id = "fine"]
    pub fine_cents: FloatParam,
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
    /// Time in which that room fades by 60 dB, s.
    #[id = "room_decay"]
    pub room_decay_s: FloatParam,
    /// Bring the source's level to the instrument's.
    #[id = "level_fit"]
    pub level_fit: BoolParam,
    /// Bring the instrument to the source's loudness.
    #[id = "match_level"]
    pub match_level: BoolParam,
    /// Output level of dry and wet together, dB.
    #[id = "gain"]
    pub gain_db: FloatParam,
    /// Crossfades to the delayed input at its own level.
    #[id = "bypass"]
    pub bypass: BoolParam,
}

impl EmbouchureParams {
    /// Place on the shelf that a slot's parameter is at.
    pub fn place(&self, slot: Slot) -> i32 {
        match slot {
            Slot::A => self.instrument_a.value(),
            Slot::B => self.instrument_b.value(),
        }
    }

    /// Those of both slots.
    pub fn places(&self) -> [i32; 2] {
        Slot::ALL.map(|slot| self.place(slot))
    }

    /// The parameters that act on the analysis.
    pub fn source_controls(&self) -> SourceControls {
        let gate_db = self.gate_db.value();
        SourceControls {
            transpose_semitones: self.transpose_semitones.value() as f32 + self.fine_cents.value() / 100.0,
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
            match_level: self.match_level.value(),
            room: self.room.value(),
            room_decay_s: self.room_decay_s.value(),
            breath_db: self.breath_db.value(),
            dynamics: self.dynamics.value(),
            follow: self.follow.value(),
            attack_s: self.attack_s.value(),
            morph: self.morph.value(),
            n_swaps: 0,
        }
    }
}

impl EmbouchureParams {
    /// At their defaults. `library`: names the instruments in the texts that hosts show.
    pub fn new(library: &Arc<Library>) -> Self {
        let source = SourceControls::default();
        Self {
            session: Arc::default(),
            instrument_a: instrument(library, "Instrument A", DEFAULT_PLACE, OWN_FILE),
            instrument_b: instrument(library, "Instrument B", 0, EMPTY),
            morph: share("Morph", source.morph),
            mix: share("Dry/Wet", 1.0).with_smoother(SMOOTHING),
            brightness_db: FloatParam::new("Brightness", 0.0, FloatRange::Linear { min: -12.0, max: 12.0 })
                .with_smoother(SMOOTHING)
                .with_value_to_string(Arc::new(|v| format!("{} dB/oct", signed(v, 1))))
                .with_string_to_value(Arc::new(leading_number)),
            breath_db: FloatParam::new("Breath", 0.0, FloatRange::Linear { min: BREATH_OFF_DB, max: 18.0 })
                .with_value_to_string(Arc::new(|v| or_off(v, BREATH_OFF_DB, |v| format!("{} dB", signed(v, 1)))))
                .with_string_to_value(Arc::new(|text| number_or_off(text, BREATH_OFF_DB))),
            dynamics: FloatParam::new("Dynamics", source.dynamics, FloatRange::Linear { min: 0.0, max: 2.0 })
                .with_unit(PERCENT)
                .with_value_to_string(formatters::v2s_f32_percentage(0))
                .with_string_to_value(Arc::new(|text| leading_number(text).map(|percent| percent / 100.0))),
            follow: share("Follow", source.follow),
            attack_s: FloatParam::new("Attack", 0.0, FloatRange::Skewed { min: 0.0, max: 1.0, factor: 0.5 })
                .with_value_to_string(Arc::new(time_text))
                .with_string_to_value(Arc::new(time_value)),
            width: share("Width", 0.0).with_smoother(SMOOTHING),
            transpose_semitones: IntParam::new("Transpose", 0, IntRange::Linear { min: -36, max: 36 })
                .with_value_to_string(Arc::new(|v| format!("{} st", signed(v as f32, 0))))
                .with_string_to_value(Arc::new(|text| leading_number(text).map(|v| v.round() as i32))),
            fine_cents: FloatParam::new("Fine", 0.0, FloatRange::Linear { min: -100.0, max: 100.0 })
                .with_value_to_string(Arc::new(|v| format!("{} ct", signed(v, 0))))
                .with_string_to_value(Arc::new(leading_number)),
            octave_fit: BoolParam::new("Octave Fit", source.octave_fit),
            gate_db: FloatParam::new("Gate", source.gate_db, FloatRange::Linear { min: GATE_OFF_DB, max: -20.0 })
                .with_value_to_string(Arc::new(|v| or_off(v, GATE_OFF_DB, |v| format!("{v:.1} dB"))))
                .with_string_to_value(Arc::new(|text| number_or_off(text, GATE_OFF_DB))),
            room_gate: BoolParam::new("Auto Gate", source.gate_follows_room),
            snap: share("Snap", source.snap.strength),
            key: IntParam::new("Key", 0, IntRange::Linear { min: 0, max: 11 })
                .with_value_to_string(Arc::new(|v| Key(v as u8).name().into()))
                .with_string_to_value(Arc::new(|text| Key::from_name(text).map(|key| i32::from(key.0)))),
            scale: IntParam::new("Scale", 0, IntRange::Linear { min: 0, max: Scale::ALL.len() as i32 - 1 })
                .with_value_to_string(Arc::new(|v| Scale::ALL[v as usize % Scale::ALL.len()].1.into()))
                .with_string_to_value(Arc::new(scale_value)),
            glide_s: FloatParam::new("Glide", 0.0, FloatRange::Skewed { min: 0.0, max: 2.0, factor: 0.5 })
                .with_value_to_string(Arc::new(time_text))
                .with_string_to_value(Arc::new(time_value)),
            room: share("Room", Room::USUAL_AMOUNT),
            room_decay_s: FloatParam::new(
                "Room Decay",
                source.room_decay_s,
                FloatRange::Skewed { min: Room::DECAY_RANGE_S.0, max: Room::DECAY_RANGE_S.1, factor: 0.5 },
            )
            .with_value_to_string(Arc::new(time_text))
            .with_string_to_value(Arc::new(time_value)),
            level_fit: BoolParam::new("Level Fit", source.level_fit),
            match_level: BoolParam::new("Match Level", source.match_level),
            gain_db: FloatParam::new("Output", 0.0, FloatRange::Linear { min: -24.0, max: 12.0 })
                .with_smoother(SMOOTHING)
                .with_value_to_string(Arc::new(|v| format!("{} dB", signed(v, 1))))
                .with_string_to_value(Arc::new(leading_number)),
            bypass: BoolParam::new("Bypass", false).make_bypass(),
        }
    }
}

/// Unit of shares.
pub const PERCENT: &str = " %";

/// Any of the parameters.
#[derive(Clone, Copy)]
pub enum ParamRef<'a> {
    /// Goes through a range without steps.
    Float(&'a FloatParam),
    /// Goes in steps.
    Int(&'a IntParam),
    /// Is on or off.
    Bool(&'a BoolParam),
}

impl ParamRef<'_> {
    /// Lowest and highest plain value.
    pub fn range(self) -> [f32; 2] {
        match self {
            Self::Float(param) => [0.0, 1.0].map(|share| param.preview_plain(share)),
            Self::Int(param) => [0.0, 1.0].map(|share| param.preview_plain(share) as f32),
            Self::Bool(_) => [0.0, 1.0],
        }
    }

    /// Place of a plain value in the range, 0 to 1.
    pub fn normalized(self, plain: f32) -> f32 {
        match self {
            Self::Float(param) => param.preview_normalized(plain),
            Self::Int(param) => param.preview_normalized(plain.round() as i32),
            Self::Bool(_) => plain,
        }
    }

    /// What follows the number.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Float(param) => param.unit(),
            Self::Int(param) => param.unit(),
            Self::Bool(param) => param.unit(),
        }
    }
}

impl<'a> From<&'a FloatParam> for ParamRef<'a> {
    fn from(param: &'a FloatParam) -> Self {
        Self::Float(param)
    }
}

impl<'a> From<&'a IntParam> for ParamRef<'a> {
    fn from(param: &'a IntParam) -> Self {
        Self::Int(param)
    }
}

impl<'a> From<&'a BoolParam> for ParamRef<'a> {
    fn from(param: &'a BoolParam) -> Self {
        Self::Bool(param)
    }
}

/// The parameters as hosts list them: in groups.
pub struct Grouped(pub Arc<EmbouchureParams>);

/// Group of a parameter.
fn group_of(id: &str) -> &'static str {
    match id {
        "instrument_a" | "instrument_b" | "morph" => "Instruments",
        "mix" | "gain" | "bypass" => "Mix",
        "transpose" | "fine" | "octave_fit" | "snap" | "key" | "scale" | "glide" => "Pitch",
        "gate" | "room_gate" | "level_fit" | "match_level" => "Source",
        _ => "Sound",
    }
}

// SAFETY: the pointers are the inner parameters', which live as long as this does.
unsafe impl Params for Grouped {
    fn param_map(&self) -> Vec<(String, ParamPtr, String)> {
        let grouped = |(id, param, _): (String, ParamPtr, String)| {
            let group = group_of(&id).to_owned();
            (id, param, group)
        };
        self.0.param_map().into_iter().map(grouped).collect()
    }

    fn serialize_fields(&self) -> BTreeMap<String, String> {
        self.0.serialize_fields()
    }

    fn deserialize_fields(&self, serialized: &BTreeMap<String, String>) {
        self.0.deserialize_fields(serialized);
    }
}

/// 0 to 100 %.
fn share(name: &str, default: f32) -> FloatParam {
    FloatParam::new(name, default, FloatRange::Linear { min: 0.0, max: 1.0 })
        .with_unit(PERCENT)
        .with_value_to_string(formatters::v2s_f32_percentage(0))
        .with_string_to_value(Arc::new(|text| leading_number(text).map(|percent| percent / 100.0)))
}

/// A place on the shelf; `none`: what place 0 is called.
fn instrument(library: &Arc<Library>, name: &str, default: i32, none: &'static str) -> IntParam {
    let (names, places) = (library.clone(), library.clone());
    let name_of = move |place: i32| if place == 0 { none.into() } else { names.shelf.name_of(place) };
    let place_of = move |text: &str| if text.trim() == none { Some(0) } else { places.shelf.place_of(text) };
    IntParam::new(name, default, IntRange::Linear { min: 0, max: N_PLACES })
        .with_value_to_string(Arc::new(name_of))
        .with_string_to_value(Arc::new(place_of))
}

/// "+3.0", "-3.0", "0.0": zero has no sign.
fn signed(value: f32, digits: usize) -> String {
    let text = format!("{value:+.digits$}");
    if text.bytes().any(|b| matches!(b, b'1'..=b'9')) { text } else { text[1..].into() }
}

/// Reads "-3", "+3.5 dB/oct", "3,5", "12 st".
fn leading_number(text: &str) -> Option<f32> {
    let number = text.trim().trim_end_matches(|c: char| c.is_alphabetic() || matches!(c, ' ' | '/' | '%'));
    number.replacen(',', ".", 1).parse().ok().filter(|v: &f32| v.is_finite())
}

/// "Off" at the lowest value, `off_db`, and else `text`.
fn or_off(value: f32, off_db: f32, text: impl Fn(f32) -> String) -> String {
    // Hosts show rounded values, so what rounds to the lowest value reads as off, too.
    if value < off_db + 0.05 { "Off".into() } else { text(value) }
}

fn number_or_off(text: &str, off_db: f32) -> Option<f32> {
    if text.trim().eq_ignore_ascii_case("off") { Some(off_db) } else { leading_number(text) }
}

fn scale_value(text: &str) -> Option<i32> {
    Scale::ALL.iter().position(|(_, name)| name.eq_ignore_ascii_case(text.trim())).map(|i| i as i32)
}

fn time_text(seconds: f32) -> String {
    // Less than a millisecond is as sung.
    if seconds < 0.0005 { "Off".into() } else { format!("{:.0} ms", 1000.0 * seconds) }
}

/// Milliseconds, or "0.5 s".
fn time_value(text: &str) -> Option<f32> {
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
        check_text(&params.room_decay_s);
        check_text(&params.instrument_a);
        check_text(&params.instrument_b);
        check_text(&params.morph);
        check_text(&params.breath_db);
        check_text(&params.dynamics);
        check_text(&params.follow);
        check_text(&params.attack_s);
        check_text(&params.width);
        check_text(&params.fine_cents);
        check_text(&params.level_fit);
        check_text(&params.match_level);
        check_text(&params.bypass);
    }

    #[test]
    fn hosts_see_groups_of_all_parameters() {
        let grouped = Grouped(Arc::new(EmbouchureParams::default()));
        let mut names: Vec<String> = grouped.param_map().into_iter().map(|(.., group)| group).collect();
        assert_eq!(names.len(), grouped.0.param_map().len());
        names.sort();
        let sizes: Vec<(&str, usize)> = names.chunk_by(|a, b| a == b).map(|g| (g[0].as_str(), g.len())).collect();
        assert_eq!(sizes, [("Instruments", 3), ("Mix", 3), ("Pitch", 7), ("Sound", 8), ("Source", 4)]);
        assert_eq!(grouped.serialize_fields(), grouped.0.serialize_fields());
    }

    /// A host that keeps values as shares of their range gives back what it got, and so a project is the same when it is
    /// saved again.
    #[test]
    fn defaults_survive_a_host() {
        let params = EmbouchureParams::default();
        for (id, param, _) in params.param_map() {
            // SAFETY: the parameters are still there.
            let (plain, back) = unsafe {
                let plain = param.default_plain_value();
                (plain, param.preview_plain(param.preview_normalized(plain)))
            };
            assert_eq!(plain, back, "{id}");
        }
    }

    #[test]
    fn text_reads_as_a_player_writes() {
        let params = EmbouchureParams::default();
        let plain = |text| params.brightness_db.string_to_normalized_value(text).map(|v| v * 24.0 - 12.0);
        assert_eq!(plain("-3"), Some(-3.0));
        assert_eq!(plain("+6 dB/oct"), Some(6.0));
        assert_eq!(plain("2,5"), Some(2.5));
        assert_eq!(plain("loud"), None);
        assert_eq!(plain("NaN"), None);
        assert_eq!(signed(-0.04, 1), "0.0");
        assert_eq!(signed(0.5, 1), "+0.5");
        assert_eq!(params.gate_db.normalized_value_to_string(0.0, true), "Off");
        assert_eq!(number_or_off("-60 dB", GATE_OFF_DB), Some(-60.0));
        assert_eq!((time_value("120 ms"), time_value("0.5 s"), time_value("80")), (Some(0.12), Some(0.5), Some(0.08)));
    }

    #[test]
    fn the_lowest_gate_lets_everything_pass() {
        let expected = SourceControls { room: Room::USUAL_AMOUNT, ..SourceControls::default() };
        assert_eq!(EmbouchureParams::default().source_controls(), expected);
        let params = EmbouchureParams {
            gate_db: FloatParam::new("", GATE_OFF_DB, FloatRange::Linear { min: GATE_OFF_DB, max: 0.0 }),
            ..Default::default()
        };
        assert_eq!(params.source_controls().gate_db, NEVER_DB);
    }
}
