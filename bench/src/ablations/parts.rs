//! The parts of the training that are removed, one at a time.

use embouchure_inference::nn::N_FEATURES;
use embouchure_training::instrument::Recipe;

/// The part that is removed from the usual training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Without {
    /// Nothing is removed.
    Nothing,
    /// The decoder does not receive f0; the synth still plays it.
    F0,
    /// The decoder does not receive loudness.
    Loudness,
    /// The decoder does not receive z.
    Z,
    /// The recordings are never heard in another timbre.
    Disguises,
    /// The sound is compared from the first step, without steps that compare controls.
    WarmStart,
    /// Sequences never end in silence, and amplitudes below -40 dB count as silence.
    Silence,
}

impl Without {
    /// All ablations, with names for tables and files.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::Nothing, "nothing"),
        (Self::F0, "f0"),
        (Self::Loudness, "loudness"),
        (Self::Z, "z"),
        (Self::Disguises, "disguises"),
        (Self::WarmStart, "warm-start"),
        (Self::Silence, "silence"),
    ];

    /// The recipe without this part.
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

    /// Divides steps between comparing controls and comparing sound. `(controls, sound)` are the usual numbers.
    pub fn steps(self, (controls, sound): (usize, usize)) -> (usize, usize) {
        if self == Self::WarmStart { (0, controls + sound) } else { (controls, sound) }
    }
}
