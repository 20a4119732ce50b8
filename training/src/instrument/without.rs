//! Parts of the training that can be left out, to see what they are good for.

use anyhow::{Result, bail};
use embouchure_inference::nn::N_FEATURES;

/// What is left out; nothing by default.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Without {
    /// The decoder is not told f0, though the synth plays it.
    pub f0: bool,
    /// The decoder is not told how loud the source is.
    pub loudness: bool,
    /// The decoder is not told z.
    pub z: bool,
    /// The recordings are heard as they are, never in another timbre.
    pub disguises: bool,
    /// The sound is compared from the first step on.
    pub warm_start: bool,
    /// Sequences never end in silence, and what is 40 dB below the loud notes counts as silence.
    pub silence: bool,
}

impl Without {
    /// Names that [`Without::and`] takes.
    pub const NAMES: [&str; 6] = ["f0", "loudness", "z", "disguises", "warm-start", "silence"];

    /// Leaves out `name`, too.
    pub fn and(self, name: &str) -> Result<Self> {
        Ok(match name {
            "f0" => Self { f0: true, ..self },
            "loudness" => Self { loudness: true, ..self },
            "z" => Self { z: true, ..self },
            "disguises" => Self { disguises: true, ..self },
            "warm-start" => Self { warm_start: true, ..self },
            "silence" => Self { silence: true, ..self },
            _ => bail!("{name:?} cannot be left out: name one of {}", Self::NAMES.join(", ")),
        })
    }

    /// True for features that the decoder is not told, see [`embouchure_inference::play::decoder::Features::scaled`].
    pub fn hides(&self, feature: usize) -> bool {
        match feature {
            0 => self.f0,
            1 => self.loudness,
            3..N_FEATURES => self.z,
            _ => false,
        }
    }
}
