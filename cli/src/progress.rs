//! Shows the progress of a long run: a bar on a terminal, lines elsewhere. Ctrl-C ends a training.

use crate::streams;
use embouchure_training::progress::{Event, Progress, Stage};
use indicatif::{ProgressBar, ProgressStyle};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Shows progress on the terminal.
pub struct Terminal {
    /// Bar of the present stage.
    bar: Mutex<ProgressBar>,
    /// Set by Ctrl-C.
    is_interrupted: Arc<AtomicBool>,
}

impl Terminal {
    /// Starts without a bar.
    pub fn new() -> Self {
        Self { bar: Mutex::new(ProgressBar::hidden()), is_interrupted: Arc::default() }
    }

    fn bar(&self) -> ProgressBar {
        self.bar.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }

    fn begin(&self, stage: Stage, done: usize, total: usize) {
        let bar = ProgressBar::new(total as u64).with_position(done as u64);
        let bar = match stage {
            Stage::Examining => bar.with_message("examining"),
            Stage::Analysing => bar.with_message("analysing"),
            Stage::Training => {
                self.listen();
                let style = "{bar:30} {pos}/{len} {per_sec} ETA {eta} {msg}";
                bar.with_style(ProgressStyle::with_template(style).expect("the template above is valid"))
            }
        };
        *self.bar.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = bar;
    }

    /// Handles Ctrl-C from now on. Before the training begins, Ctrl-C ends the program as usual: there is nothing to
    /// save.
    fn listen(&self) {
        let flag = self.is_interrupted.clone();
        if let Err(error) = ctrlc::set_handler(move || flag.store(true, Relaxed)) {
            self.warn(&format!("note: Ctrl-C ends this training without writing what was learned: {error}"));
        }
    }

    fn warn(&self, line: &str) {
        self.bar().suspend(|| eprintln!("{line}"));
    }

    /// Sets the bar's message; prints a line if there is no terminal for a bar.
    fn show_losses(&self, step: usize, losses: &[(&str, f32)]) {
        let bar = self.bar();
        let losses: Vec<String> = losses.iter().map(|(name, loss)| format!("{name} {loss:.3}")).collect();
        let losses = losses.join(", ");
        if bar.is_hidden() {
            say(&format!("step {step}: {losses}, {:.0} s left", bar.eta().as_secs_f32()));
        }
        bar.set_message(losses);
    }
}

/// Prints a line on standard output. Errors are ignored: hours of training must not end because of them.
fn say(line: &str) {
    let _ = streams::say(&format!("{line}\n"));
}

impl Progress for Terminal {
    fn tell(&self, event: Event<'_>) {
        match event {
            Event::Begin { stage, done, total } => self.begin(stage, done, total),
            Event::Step => self.bar().inc(1),
            Event::Losses { step, losses } => self.show_losses(step, losses),
            Event::End(Stage::Training) => self.bar().finish(),
            Event::End(_) => self.bar().finish_and_clear(),
            Event::Fact(text) => say(text),
            Event::Incomplete { path, remark } => self.warn(&format!("note: {}: {remark}", path.display())),
            Event::LeftOut { path, why } => self.warn(&format!("left out {}: {why:#}", path.display())),
        }
    }

    fn is_stop_wanted(&self) -> bool {
        self.is_interrupted.load(Relaxed)
    }
}
