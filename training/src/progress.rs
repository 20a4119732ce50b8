//! Reports of a long run, and the request to stop it. This crate prints nothing and handles no signals: its caller
//! implements [`Progress`] and decides what is shown.

use std::path::Path;

/// Part of a run whose steps are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Recordings are examined for a report; one step each.
    Examining,
    /// Recordings are analysed for training; one step each.
    Analysing,
    /// A network is trained; one step per batch.
    Training,
}

/// Report of a run.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// A stage begins. `done` of its `total` steps were taken before; a resumed training has some.
    Begin {
        /// The stage.
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
        /// Name and mean of each loss, the total loss first.
        losses: &'a [(&'static str, f32)],
    },
    /// The stage has ended.
    End(Stage),
    /// A fact about the run, for display.
    Fact(&'a str),
    /// A recording is used although part of it is missing.
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
        /// The reason.
        why: &'a anyhow::Error,
    },
}

/// Receiver of a run's reports, and source of the request to stop.
pub trait Progress: Sync {
    /// Receives a report. Any thread of the run may call it.
    fn tell(&self, event: Event<'_>);

    /// True if the training shall end after the current step. It keeps the parameters so far.
    fn is_stop_wanted(&self) -> bool;
}

/// Ignores all reports and never stops a run: for tests and measurements.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn tell(&self, _: Event<'_>) {}

    fn is_stop_wanted(&self) -> bool {
        false
    }
}
