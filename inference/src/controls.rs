//! What the decoder asks of the synth for one control frame: valid, physical values.

use crate::config::{N_HARMONICS, N_NOISE_BANDS};
use crate::play::tuning::SnapWish;
use crate::synth::room::Room;

/// Synth controls at one instant. Plain data, copied between threads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Controls {
    /// Fundamental, Hz, > 0 (kept at the last voiced value while the gate is shut).
    pub f0_hz: f32,
    /// Overall linear level of the harmonic part, ≥ 0.
    pub amplitude: f32,
    /// Weights of harmonics 1, 2, …: ≥ 0, summing to 1.
    pub harmonic_distribution: [f32; N_HARMONICS],
    /// Linear gain of white noise of unit variance at 48 kHz in each band, ≥ 0. The density per Hz is what counts:
    /// at another host rate the same value gives the same density.
    pub noise_magnitudes: [f32; N_NOISE_BANDS],
    /// Around both.
    pub room: Room,
}

impl Controls {
    /// Exact silence.
    pub const SILENT: Self = Self {
        f0_hz: 440.0,
        amplitude: 0.0,
        harmonic_distribution: [0.0; N_HARMONICS],
        noise_magnitudes: [0.0; N_NOISE_BANDS],
        room: Room::NONE,
    };

    /// True if rendering these controls gives exact zeros, but for the room.
    pub fn is_silent(&self) -> bool {
        self.amplitude == 0.0 && self.noise_magnitudes.iter().all(|m| *m == 0.0)
    }
}

/// Breath at or below this is none, dB.
pub const BREATH_OFF_DB: f32 = -40.0;

/// Wishes of the player that act on the analysis, one value per hop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SourceControls {
    /// Added to the detected pitch, semitones.
    pub transpose_semitones: f32,
    /// Move by whole octaves into the instrument's playable range.
    pub octave_fit: bool,
    /// Noise of the instrument, dB above what it learned; none at [`BREATH_OFF_DB`].
    pub breath_db: f32,
    /// How much softer and louder notes are than loud ones, as a multiple of how it was played: 0 = all alike.
    pub dynamics: f32,
    /// How far the harmonics are as strong against each other as the source's, and together as loud as the decoder is asked
    /// to be, and the noise is the source's, between the notes, too: 0 = the instrument's own timbre, 1 = the source's.
    pub follow: f32,
    /// Time in which a note fades in, s; 0 = as played.
    pub attack_s: f32,
    /// From instrument A (0) to B (1), if there is one.
    pub morph: f32,
    /// Instruments that were asked for so far, see [`InstrumentSlot::seat`](crate::play::pipeline::InstrumentSlot::seat).
    pub n_swaps: u32,
    /// Bring the source's level to the instrument's; otherwise it is played as loud as it comes, as from its own player.
    pub level_fit: bool,
    /// Bring the instrument's loudness to the source's; otherwise it has a level of its own.
    pub match_level: bool,
    /// Input below this level (dBFS, RMS) is silence.
    pub gate_db: f32,
    /// The gate opens further for a source that is soft as a whole, and not for what is hardly louder than the room.
    pub gate_follows_room: bool,
    /// Notes of a scale that the pitch is pulled to, after transposition.
    pub snap: SnapWish,
    /// Time of the way from note to note, s; 0 = as sung.
    pub glide_s: f32,
    /// How much there is of the room around the instrument: 0 = none, 1 = as on a stage.
    pub room: f32,
    /// Time in which that room fades by 60 dB, s.
    pub room_decay_s: f32,
}

impl Default for SourceControls {
    fn default() -> Self {
        Self {
            transpose_semitones: 0.0,
            octave_fit: true,
            level_fit: true,
            match_level: true,
            gate_db: -60.0,
            gate_follows_room: true,
            snap: SnapWish::default(),
            glide_s: 0.0,
            room: 0.0,
            room_decay_s: Room::USUAL_DECAY_S,
            breath_db: 0.0,
            dynamics: 1.0,
            follow: 0.0,
            attack_s: 0.0,
            morph: 0.0,
            n_swaps: 0,
        }
    }
}
