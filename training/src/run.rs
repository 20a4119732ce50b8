//! What every long run shows and obeys: a progress bar, log lines without a terminal, Ctrl-C.

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Set by Ctrl-C; the run then ends after the current step and keeps what it has.
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Takes over Ctrl-C; later calls in one process share the first one's handler.
    pub fn listen() -> Result<Self> {
        let raised = Arc::new(AtomicBool::new(false));
        let flag = raised.clone();
        match ctrlc::set_handler(move || flag.store(true, Relaxed)) {
            Ok(()) | Err(ctrlc::Error::MultipleHandlers) => Ok(Self(raised)),
            Err(e) => Err(e.into()),
        }
    }

    /// True after Ctrl-C.
    pub fn raised(&self) -> bool {
        self.0.load(Relaxed)
    }
}

/// Bar with time left and the current losses.
pub fn progress_bar(total: usize, done: usize) -> ProgressBar {
    let style = "{bar:30} {pos}/{len} {per_sec} ETA {eta} {msg}";
    let bar = ProgressBar::new(total as u64).with_position(done as u64);
    bar.with_style(ProgressStyle::with_template(style).expect("the template above is valid"))
}

/// One plain line where there is no terminal to draw a bar on.
pub fn log_line(bar: &ProgressBar, step: usize) {
    if bar.is_hidden() {
        println!("step {step}: {}, {:.0} s left", bar.message(), bar.eta().as_secs_f32());
    }
}
