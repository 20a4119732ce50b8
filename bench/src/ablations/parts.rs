//! Parts of the training that are left out, to see what they are good for.

use embouchure_inference::nn::N_FEATURES;
use embouchure_training::instrument::Recipe;

/// The usual training, and what is left out of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Without {
    /// Everything is there.
    Nothing,
    /// The decoder is not told f0, though the synth plays it.
    F0,
    /// The decoder is not told how loud the source is.
    Loudness,
    /// The decoder is not told z.
    Z,
    /// The recordings are heard as they are, never in another timbre.
    Disguises,
    /// The sound is compared from the first step on.
    WarmStart,
    /// Sequences never end in silence, and amplitudes below -40 dB count as silence.
    Silence,
}

impl Without {
    /// All of them, with names for tables and files.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::Nothing, "nothing"),
        (Self::F0, "f0"),
        (Self::Loudness, "loudness"),
        (Self::Z, "z"),
        (Self::Disguises, "disguises"),
        (Self::WarmStart, "warm-start"),
        (Self::Silence, "silence"),
    ];

    /// The recipe without it.
    pub fn recipe(self) -> Recipe {
        let usual = Recipe::USUAL;
        let not_told = |hidden: fn(usize) -> bool| Recipe { told: std::array::from_fn(|i| !hidden(i)), ..usual };
        match self {
            Self::Nothing | Self::WarmStart => usual,
            Self::F0 => not_told(|feature| feature == 0),
            Self::Loudness => not_told(|feature| feature == 1),
            Self::Z => not_told(|feature| (3..N_FEATURES).contains(&feature)),
            Self::Disguises => Recipe { undisguised: 1.0, ..usual },
            Self::Silence => Recipe { whole: 1.0, floor: 1e-2, ..usual },
        }
    }

    /// Of these steps, those that compare controls and those that compare the sound.
    pub fn steps(self, (controls, sound): (usize, usize)) -> (usize, usize) {
        if self == Self::WarmStart { (0, controls + sound) } else { (controls, sound) }
    }
}
