//! Everything that a player sets, nested by subject. Plain values: who holds them (a plugin's parameters, a command
//! line) fills one [`Settings`] and hands it to the engine, which times and smooths them.
//!
//! A setting acts on the input sample that it was set at, and is heard with that sample, so after the latency. Those of
//! [`MixSettings`], the brightness and the width act to the sample and move in 20 ms. All others act on the hop that
//! contains the sample.

use crate::controls::Room;
use crate::scale::{Key, Scale};

/// Breath at or below this is none, dB.
pub const BREATH_OFF_DB: f32 = -40.0;

/// All of them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Settings {
    /// How the input is heard.
    pub source: SourceSettings,
    /// Which note is played.
    pub pitch: PitchSettings,
    /// What it sounds like.
    pub sound: SoundSettings,
    /// What comes out.
    pub mix: MixSettings,
}

/// How the input is heard. All act on the hop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SourceSettings {
    /// Input below this level (dBFS, RMS) is silence. Acts in the gate.
    pub gate_db: f32,
    /// The gate opens further for a source that is soft as a whole, and not for what is hardly louder than the room's
    /// noise. Acts in the gate.
    pub gate_follows_room: bool,
    /// Bring the source's level to the instrument's; otherwise it is played as loud as it comes, as from its own
    /// player. Acts on the loudness that the decoder is asked for.
    pub level_fit: bool,
}

/// Which note is played. All act on the hop, on the pitch before the decoder.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PitchSettings {
    /// Added to the heard pitch, semitones.
    pub transpose_semitones: f32,
    /// Move by whole octaves into the instrument's playable range.
    pub octave_fit: bool,
    /// Notes of a scale that the pitch is pulled to, after transposition.
    pub snap: SnapSettings,
    /// Time of the way from note to note, s; 0 = as sung.
    pub glide_s: f32,
}

/// Notes that the pitch is pulled to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SnapSettings {
    /// 0 = off, 1 = exactly on the notes.
    pub strength: f32,
    /// First note of the scale.
    pub key: Key,
    /// Notes that may sound.
    pub scale: Scale,
}

/// What it sounds like. All but brightness and width act on the hop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SoundSettings {
    /// From instrument A (0) to B (1), if there is one. Acts between the voices.
    pub morph: f32,
    /// Tilt over the harmonics, dB per octave; 0 = as learned. Acts in the synth, from its sample on.
    pub brightness_db: f32,
    /// Noise of the instrument, dB above what it learned; none at [`BREATH_OFF_DB`]. Acts on the controls.
    pub breath_db: f32,
    /// How much softer and louder notes are than loud ones, as a multiple of how it was played: 0 = all alike. Acts on
    /// the loudness that the decoder is asked for.
    pub dynamics: f32,
    /// How far the harmonics are as strong against each other as the source's, and together as loud as the decoder is
    /// asked to be, and the noise is the source's, between the notes, too: 0 = the instrument's own timbre, 1 = the
    /// source's. Acts on the controls.
    pub follow: f32,
    /// Time in which a note fades in, s; 0 = as played. Acts on the controls.
    pub attack_s: f32,
    /// How far noise, upper harmonics and room spread between two channels: 0 = the wet signal is the same in both, 1 =
    /// widest. Their mean is the same at any width, and what a single channel gets. Acts in the synth, from its sample
    /// on.
    pub width: f32,
    /// How much there is of the room around the instrument: 0 = none, 1 = as on a stage. Acts in the reverb.
    pub room: f32,
    /// Time in which that room fades by 60 dB, s. Acts in the reverb.
    pub room_decay_s: f32,
    /// Bring the instrument's loudness to the source's; otherwise it has a level of its own. Acts on the controls.
    pub match_level: bool,
}

/// What comes out. All act to the sample, and move in 20 ms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MixSettings {
    /// 0 = dry, 1 = wet, equal power between.
    pub wet: f32,
    /// Gain of dry and wet together, dB.
    pub gain_db: f32,
    /// Only the delayed input, at its own level, untouched to the last bit.
    pub bypass: bool,
}

impl Default for SourceSettings {
    fn default() -> Self {
        Self { gate_db: -60.0, gate_follows_room: true, level_fit: true }
    }
}

impl Default for PitchSettings {
    fn default() -> Self {
        Self { transpose_semitones: 0.0, octave_fit: true, snap: SnapSettings::default(), glide_s: 0.0 }
    }
}

impl Default for SoundSettings {
    fn default() -> Self {
        Self {
            morph: 0.0,
            brightness_db: 0.0,
            breath_db: 0.0,
            dynamics: 1.0,
            follow: 0.0,
            attack_s: 0.0,
            width: 0.0,
            room: Room::USUAL_AMOUNT,
            room_decay_s: Room::USUAL_DECAY_S,
            match_level: true,
        }
    }
}

impl Default for MixSettings {
    fn default() -> Self {
        Self { wet: 1.0, gain_db: 0.0, bypass: false }
    }
}

impl Settings {
    /// The same with a change.
    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// The room that they ask for.
    pub fn room(&self) -> Room {
        Room::of(self.sound.room, self.sound.room_decay_s)
    }
}
