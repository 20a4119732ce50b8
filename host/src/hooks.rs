//! What a host does on its audio thread around the calls of `process`.

use crate::Change;
use std::ops::{ControlFlow, Range};

/// Callbacks on the audio thread around each call of `process`. Each has a default that does nothing special.
pub trait Hooks: Send {
    /// Length of the next block, 1 to `max_block` samples. `usual` is the session's block length.
    fn block(&mut self, usual: usize) -> usize {
        usual
    }
    /// What the host does before the next block, after `n_done` samples.
    fn action(&mut self, _n_done: usize) -> Action {
        Action::Play
    }
    /// The parameter changes within the next block, in order. `now`: the samples of the clip in that block.
    fn automate(&mut self, _now: Range<usize>) -> Vec<Change> {
        Vec::new()
    }
    /// Called directly before `process`.
    fn before(&mut self) {}
    /// Called directly after `process`, with `n_done` samples played. `Break` ends the playback.
    fn after(&mut self, _n_done: usize) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// What a host does between two blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    Play,
    /// Reset the plugin's state.
    Reset,
    /// Stop processing and start it again.
    Suspend,
}

/// Plays without pauses, in blocks of the session's length.
pub struct NoHooks;

impl Hooks for NoHooks {}
