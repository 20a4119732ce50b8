//! The numbers by which lessons are drawn from recordings.

use embouchure_inference::nn::N_FEATURES;

/// How sequences are drawn, and what the decoder is told of them. Plain numbers, so that an experiment can change one of
/// them and nothing else.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recipe {
    /// Features that the decoder is told. The others are 0 in training, and their weights are 0 in the file. The order is
    /// that of [`embouchure_inference::play::decoder::Features::scaled`].
    pub told: [bool; N_FEATURES],
    /// Share of the sequences that are heard as they were recorded, at least: a player of the instrument itself is heard
    /// best.
    pub undisguised: f32,
    /// Share of the sequences that end with the recording at the latest. The others may end in silence.
    pub whole: f32,
    /// Amplitudes below this count as silence. Above it every dB counts alike.
    pub floor: f32,
    /// Sequences per step while controls are compared.
    pub control_clips: usize,
    /// Sequences per step while the sound is compared, which costs far more.
    pub sound_clips: usize,
}

impl Recipe {
    /// The one by which instruments are trained. docs/training.md says what its parts are good for.
    pub const USUAL: Self = Self {
        told: [true; N_FEATURES],
        undisguised: 0.45,
        whole: 0.85,
        // -90 dB, so that silence is learned as well as sound.
        floor: 3e-5,
        control_clips: 16,
        sound_clips: 6,
    };
}
