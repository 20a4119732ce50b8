//! The parameters that the host can automate, one row each. IDs never change.
//!
//! To add a parameter, add its row here, its field to the engine's settings, and its knob to `editor/layout.rs`.

mod kinds;
mod param_ref;
mod table;

pub use kinds::PERCENT;
pub use param_ref::ParamRef;
pub use table::{Page, Row, row};

use crate::library::Library;
use crate::library::shelf::DEFAULT_PLACE;
use crate::session::SessionField;
use embouchure_inference::controls::Room;
use embouchure_inference::play::Slot;
use embouchure_inference::scale::Key;
use embouchure_inference::settings::{BREATH_OFF_DB, Settings};
use kinds::{factor, gain_or_off, instrument, key, level_or_off, offset, scale, scale_at, semitones, share, time};
use nice_plug::prelude::*;
use std::sync::Arc;
use table::parameters;

/// Lowest value of the gate, at which it is off.
pub const GATE_OFF_DB: f32 = -90.0;
/// Threshold of a gate that is off. It is finite, so that arithmetic on it stays finite.
const NEVER_DB: f32 = -300.0;

parameters! {
    from library: &Arc<Library>;

    "Instruments" instruments: InstrumentParams {
        a: IntParam {
            id: "instrument_a",
            param: instrument(library, "Instrument A", DEFAULT_PLACE, "Own File"),
            remote: Some((Page::Main, 1)),
            hint: "Instrument A, by its place on the list; 0 = a file of your own.",
            set: |_, _| (),
        }
        b: IntParam {
            id: "instrument_b",
            param: instrument(library, "Instrument B", 0, "None"),
            remote: Some((Page::Main, 2)),
            hint: "Instrument B, by its place on the list; 0 = a file of your own, or none.",
            set: |_, _| (),
        }
        morph: FloatParam {
            id: "morph",
            param: share("Morph", 0.0),
            remote: Some((Page::Main, 3)),
            hint: "From instrument A (left) to B (right). Between them you hear one blended instrument, not two.",
            set: |settings, value| settings.sound.morph = value,
        }
    }

    "Mix" mix: MixParams {
        mix: FloatParam {
            id: "mix",
            param: share("Dry/Wet", 1.0),
            remote: Some((Page::Main, 0)),
            hint: "From your own sound (0 %) to the instrument (100 %). Your sound is delayed to match.",
            set: |settings, value| settings.mix.wet = value,
        }
        gain_db: FloatParam {
            id: "gain",
            param: offset("Output", [-24.0, 12.0], "dB", 1),
            remote: Some((Page::Main, 7)),
            hint: "Output level, dB.",
            set: |settings, value| settings.mix.gain_db = value,
        }
        bypass: BoolParam {
            id: "bypass",
            param: BoolParam::new("Bypass", false).make_bypass(),
            remote: None,
            hint: "Plays only your own sound, delayed like the instrument.",
            set: |settings, value| settings.mix.bypass = value,
        }
    }

    "Sound" sound: SoundParams {
        brightness_db: FloatParam {
            id: "brightness",
            param: offset("Brightness", [-12.0, 12.0], "dB/oct", 1),
            remote: Some((Page::Main, 4)),
            hint: "Tilts the harmonics, dB per octave. The level stays the same.",
            set: |settings, value| settings.sound.brightness_db = value,
        }
        breath_db: FloatParam {
            id: "breath",
            param: gain_or_off("Breath", 0.0, [BREATH_OFF_DB, 18.0]),
            remote: Some((Page::Main, 5)),
            hint: "More or less of the instrument's own breath, bow and key noise, dB.",
            set: |settings, value| settings.sound.breath_db = value,
        }
        dynamics: FloatParam {
            id: "dynamics",
            param: factor("Dynamics", 1.0, 2.0),
            remote: Some((Page::Main, 6)),
            hint: "Difference between soft and loud: 0 % = none, 100 % = as you play, 200 % = twice as much.",
            set: |settings, value| settings.sound.dynamics = value,
        }
        follow: FloatParam {
            id: "follow",
            param: share("Follow", 0.0),
            remote: Some((Page::Sound, 0)),
            hint: "How far the timbre follows yours: 0 % = the instrument's own, 100 % = harmonics and noise as strong as \
                   yours, consonants too.",
            set: |settings, value| settings.sound.follow = value,
        }
        attack_s: FloatParam {
            id: "attack",
            param: time("Attack", 0.0, [0.0, 1.0]),
            remote: Some((Page::Sound, 1)),
            hint: "Time in which a note fades in, ms. Tied notes do not fade.",
            set: |settings, value| settings.sound.attack_s = value,
        }
        width: FloatParam {
            id: "width",
            param: share("Width", 0.0),
            remote: Some((Page::Sound, 2)),
            hint: "Spreads noise, upper partials and the room over both channels. A mono mix loses nothing.",
            set: |settings, value| settings.sound.width = value,
        }
        room: FloatParam {
            id: "room",
            param: share("Room", Room::USUAL_AMOUNT),
            remote: Some((Page::Sound, 3)),
            hint: "Amount of reverb of the room around the instrument.",
            set: |settings, value| settings.sound.room = value,
        }
        room_decay_s: FloatParam {
            id: "room_decay",
            param: time("Room Decay", Room::USUAL_DECAY_S, [Room::DECAY_RANGE_S.0, Room::DECAY_RANGE_S.1]),
            remote: Some((Page::Sound, 4)),
            hint: "Time in which the reverb fades by 60 dB: a booth below 300 ms, a stage around 600 ms, a hall above 1 s.",
            set: |settings, value| settings.sound.room_decay_s = value,
        }
    }

    "Pitch" pitch: PitchParams {
        transpose_semitones: IntParam {
            id: "transpose",
            param: semitones("Transpose", 36),
            remote: Some((Page::Pitch, 0)),
            hint: "Transposes what you play, semitones.",
            set: |settings, value| settings.pitch.transpose_semitones += value as f32,
        }
        fine_cents: FloatParam {
            id: "fine",
            param: offset("Fine", [-100.0, 100.0], "ct", 0),
            remote: Some((Page::Pitch, 1)),
            hint: "Tunes what you play, cents.",
            set: |settings, value| settings.pitch.transpose_semitones += value / 100.0,
        }
        octave_fit: BoolParam {
            id: "octave_fit",
            param: BoolParam::new("Octave Fit", true),
            remote: Some((Page::Pitch, 2)),
            hint: "Moves your line by whole octaves into the instrument's range.",
            set: |settings, value| settings.pitch.octave_fit = value,
        }
        snap: FloatParam {
            id: "snap",
            param: share("Snap", 0.0),
            remote: Some((Page::Pitch, 3)),
            hint: "Pulls the pitch to the notes of the scale: 0 % = as you play, 100 % = exactly on them.",
            set: |settings, value| settings.pitch.snap.strength = value,
        }
        key: IntParam {
            id: "key",
            param: key("Key"),
            remote: Some((Page::Pitch, 4)),
            hint: "First note of the scale that Snap pulls to.",
            set: |settings, value| settings.pitch.snap.key = Key(value as u8),
        }
        scale: IntParam {
            id: "scale",
            param: scale("Scale"),
            remote: Some((Page::Pitch, 5)),
            hint: "Notes that Snap pulls to.",
            set: |settings, value| settings.pitch.snap.scale = scale_at(value).0,
        }
        glide_s: FloatParam {
            id: "glide",
            param: time("Glide", 0.0, [0.0, 2.0]),
            remote: Some((Page::Pitch, 6)),
            hint: "Time that the pitch takes from one note to the next, ms.",
            set: |settings, value| settings.pitch.glide_s = value,
        }
    }

    "Source" source: SourceParams {
        gate_db: FloatParam {
            id: "gate",
            param: level_or_off("Gate", -60.0, [GATE_OFF_DB, -20.0]),
            remote: Some((Page::Sound, 5)),
            hint: "Input below this level counts as silence, dBFS.",
            set: |settings, value| settings.source.gate_db = if value <= GATE_OFF_DB { NEVER_DB } else { value },
        }
        room_gate: BoolParam {
            id: "room_gate",
            param: BoolParam::new("Auto Gate", true),
            remote: Some((Page::Sound, 6)),
            hint: "Adapts the gate to the background noise and to the level of your playing.",
            set: |settings, value| settings.source.gate_follows_room = value,
        }
        level_fit: BoolParam {
            id: "level_fit",
            param: BoolParam::new("Level Fit", true),
            remote: Some((Page::Sound, 7)),
            hint: "Maps your loud notes to the instrument's loud notes. Off: your input level decides.",
            set: |settings, value| settings.source.level_fit = value,
        }
        match_level: BoolParam {
            id: "match_level",
            param: BoolParam::new("Match Level", true),
            remote: Some((Page::Pitch, 7)),
            hint: "Makes the instrument as loud as you are, so that Dry/Wet changes the sound and not the level.",
            set: |settings, value| settings.sound.match_level = value,
        }
    }
}

impl EmbouchureParams {
    /// The parameter that chooses a slot's instrument: a place on the shelf.
    pub fn instrument(&self, slot: Slot) -> &IntParam {
        match slot {
            Slot::A => &self.instruments.a,
            Slot::B => &self.instruments.b,
        }
    }

    /// Value of a slot's parameter: a place on the shelf.
    pub fn place(&self, slot: Slot) -> i32 {
        self.instrument(slot).value()
    }

    /// Values of both slots' parameters.
    pub fn places(&self) -> [i32; 2] {
        Slot::ALL.map(|slot| self.place(slot))
    }

    /// The engine's settings from all parameters. Realtime-safe.
    pub fn settings(&self) -> Settings {
        let mut settings = Settings::default();
        ROWS.iter().for_each(|row| (row.fill)(self, &mut settings));
        settings
    }

    /// The parameters on a page of a hardware controller, in their order.
    pub fn on_page(&self, page: Page) -> Vec<ParamRef<'_>> {
        let on_page = |row: &Row| row.remote.filter(|(on, _)| *on == page).map(|(_, place)| (place, (row.param)(self)));
        let mut found: Vec<(usize, ParamRef)> = ROWS.iter().filter_map(on_page).collect();
        found.sort_by_key(|(place, _)| *place);
        found.into_iter().map(|(_, param)| param).collect()
    }
}

#[cfg(test)]
mod tests;
