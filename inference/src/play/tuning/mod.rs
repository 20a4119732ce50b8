//! What the player wants done to the pitch before it is played: snapped to a scale, gliding from note to note.

mod glide;
mod snap;

pub use glide::Glide;
pub use snap::Snap;
