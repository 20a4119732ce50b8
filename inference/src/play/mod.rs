//! From what is heard to what is played: octave and level are fitted to the instruments, the pitch is tuned, two voices
//! play, and both are blended.

pub mod attack;
pub mod body;
mod card;
pub mod decoder;
pub mod follow;
pub mod instrument;
mod level_fit;
mod level_match;
mod morph;
mod octave_fit;
mod player;
pub mod texture;
pub mod tuning;
mod voice;

pub use morph::blend_range;
pub use octave_fit::{OctaveFit, Target, fold_into};
pub use player::{Played, Player};
pub use voice::LoadedInstrument;

/// One of the two instruments. Indexes arrays of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// Plays alone while nothing morphs.
    A,
    /// What A morphs into; may be empty.
    B,
}

impl Slot {
    /// Both.
    pub const ALL: [Self; 2] = [Self::A, Self::B];
}
