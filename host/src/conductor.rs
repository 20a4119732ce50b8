//! What a host does on its audio thread besides calling the plugin.

use crate::Change;
use std::ops::{ControlFlow, Range};

/// Stands on the audio thread, around each call of `process`.
pub trait Conductor: Send {
    /// Length of the block that comes next, 1 to `max_block`. `usual` is the session's.
    fn block(&mut self, usual: usize) -> usize {
        usual
    }
    /// What the host does before the next block, after `n_done` samples.
    fn act(&mut self, _n_done: usize) -> Act {
        Act::Play
    }
    /// What the host automates within the next block, whose samples of the clip are `now`, in order.
    fn automate(&mut self, _now: Range<usize>) -> Vec<Change> {
        Vec::new()
    }
    /// Right before the call.
    fn before(&mut self) {}
    /// Right after the call, when `n_done` samples have been played. A break ends the playing there.
    fn after(&mut self, _n_done: usize) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// Something that hosts do between two blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Nothing.
    Play,
    /// The plugin is to forget what it heard.
    Reset,
    /// Processing stops and starts again.
    Suspend,
}

/// Plays as fast as it goes, in the usual blocks.
pub struct AsFastAsItGoes;

impl Conductor for AsFastAsItGoes {}
