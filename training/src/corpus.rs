//! stub
use crate::encoder::Clip;
use rand_chacha::ChaCha8Rng;
/// Recordings.
#[derive(Default)]
pub struct Corpus {}
impl Corpus {
    /// A clip.
    pub fn draw_clip(&self, _rng: &mut ChaCha8Rng) -> Option<Clip> {
        None
    }
}
