//! The numbers by which training sequences are drawn from recordings.

use embouchure_inference::nn::N_FEATURES;

/// How training sequences are drawn, and which features the decoder gets. These are plain numbers, so that an
/// experiment can change one of them and nothing else.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recipe {
    /// True for the features that the decoder gets. The others are 0 in training, and their weights are 0 in the file.
    /// The order is that of [`embouchure_inference::play::decoder::Features::scaled`].
    pub told: [bool; N_FEATURES],
    /// Least share of the sequences whose input is the recording itself and not a disguise, so that the instrument
    /// itself is the source that is played best.
    pub undisguised: f32,
    /// Share of the sequences that end within the recording. The others may go on into silence after its end.
    pub whole: f32,
    /// Amplitudes below this count as silence. Above it, distances are in dB.
    pub floor: f32,
    /// Sequences per step of the first phase, which compares controls.
    pub control_clips: usize,
    /// Sequences per step of the second phase, which compares the sound and costs far more.
    pub sound_clips: usize,
}

impl Recipe {
    /// The recipe of the shipped instruments. docs/training.md measures what its parts contribute.
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
