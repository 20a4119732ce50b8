//! What a host does on its audio thread besides calling the plugin.

use std::ops::ControlFlow;

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
    /// A knob that the host moves at the first sample of the next block, after `n_done` samples.
    fn automate(&mut self, _n_done: usize) -> Option<Automation> {
        None
    }
    /// All that the host moves within the next block of `n` samples, in order: offset in the block and value.
    fn automate_within(&mut self, n_done: usize, _n: usize) -> Vec<(i64, Automation)> {
        self.automate(n_done).into_iter().map(|first| (0, first)).collect()
    }
    /// Right before the call.
    fn before(&mut self) {}
    /// Right after the call, when `n_done` samples have been played. A break ends the playing there.
    fn after(&mut self, _n_done: usize) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// A parameter's new value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Automation {
    /// The parameter's.
    pub id: u32,
    /// From `min` to `max` of the parameter.
    pub value: f64,
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
