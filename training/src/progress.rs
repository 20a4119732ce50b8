//! What a long run tells of itself while it goes, and how it is asked to stop. This crate prints nothing and handles no
//! signals: who runs it decides what is shown, and where.

use std::path::Path;

/// Part of a run whose steps are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Looks at recordings for a report; one step each.
    Examining,
    /// Takes recordings apart to learn from them; one step each.
    Analysing,
    /// Trains a network.
    Training,
}

/// What a run tells.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// A stage begins, after `done` of `total` steps: a resumed training has some.
    Begin {
        /// Which.
        stage: Stage,
        /// Steps before this run.
        done: usize,
        /// Steps in all.
        total: usize,
    },
    /// The stage has taken one more step.
    Step,
    /// Losses by name after `step` steps: the mean since the last report, and the last held-out loss if there is one.
    Losses {
        /// Steps taken, those before a resume included.
        step: usize,
        /// The whole loss first.
        losses: &'a [(&'static str, f32)],
    },
    /// The stage is over.
    End(Stage),
    /// A fact about the run, in a few words.
    Fact(&'a str),
    /// A recording is used, but part of it is missing.
    Incomplete {
        /// Its file.
        path: &'a Path,
        /// What is missing.
        remark: &'a str,
    },
    /// A recording is not used.
    LeftOut {
        /// Its file.
        path: &'a Path,
        /// Why.
        why: &'a anyhow::Error,
    },
}

/// Is told what a run does, by any of its threads.
pub trait Progress: Sync {
    /// Takes note of it.
    fn tell(&self, event: Event<'_>);

    /// True if the training is to end after the current step. It keeps what it has learned.
    fn is_stop_wanted(&self) -> bool;
}

/// Tells nobody, and never stops: for tests and measurements.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn tell(&self, _: Event<'_>) {}

    fn is_stop_wanted(&self) -> bool {
        false
    }
}
