//! What every long run shows and obeys: a progress bar, log lines without a terminal, Ctrl-C.

use crate::checkpoint::{Best, Progress, resume, save};
use crate::optimizer::{Optimizer, Schedule};
use crate::params::Params;
use anyhow::Result;
use candle_core::Tensor;
use indicatif::{ProgressBar, ProgressStyle};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::sync_channel;

/// Set by Ctrl-C; the run then ends after the current step and keeps what it has.
struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Takes over Ctrl-C; later calls in one process share the first one's handler.
    fn listen() -> Result<Self> {
        let raised = Arc::new(AtomicBool::new(false));
        let flag = raised.clone();
        match ctrlc::set_handler(move || flag.store(true, Relaxed)) {
            Ok(()) | Err(ctrlc::Error::MultipleHandlers) => Ok(Self(raised)),
            Err(e) => Err(e.into()),
        }
    }

    /// True after Ctrl-C.
    fn raised(&self) -> bool {
        self.0.load(Relaxed)
    }
}

/// Bar with time left and the current losses.
fn progress_bar(total: usize, done: usize) -> ProgressBar {
    let style = "{bar:30} {pos}/{len} {per_sec} ETA {eta} {msg}";
    let bar = ProgressBar::new(total as u64).with_position(done as u64);
    bar.with_style(ProgressStyle::with_template(style).expect("the template above is valid"))
}

/// One plain line where there is no terminal to draw a bar on.
fn log_line(bar: &ProgressBar, step: usize) {
    if bar.is_hidden() {
        println!("step {step}: {}, {:.0} s left", bar.message(), bar.eta().as_secs_f32());
    }
}

/// How a network is trained.
pub struct Training<'a> {
    /// Resumed from if it exists, and written at every report.
    pub checkpoint: &'a Path,
    /// Learning rate and steps in all, those before a resume included.
    pub schedule: Schedule,
    /// The gradient is clipped to this norm.
    pub max_norm: f32,
    /// Steps between checkpoints and log lines.
    pub report_every: usize,
}

/// A loss and the parts of it that are worth showing.
pub type Loss = (Tensor, Vec<(&'static str, f32)>);

/// How a training is watched on recordings that are not trained on.
pub struct Watch<'a> {
    /// Held-out loss of the parameters as they are.
    pub loss: &'a dyn Fn() -> candle_core::Result<f32>,
    /// First step that may be kept and that counts for an end, and the steps between two looks.
    pub from: usize,
    /// See above.
    pub every: usize,
    /// Looks without a new best after which the training ends.
    pub patience: usize,
}

impl Watch<'_> {
    fn is_due(&self, progress: &Progress) -> bool {
        progress.step.is_multiple_of(self.every)
    }

    /// Looks, and remembers the parameters if they are the best so far.
    fn look(&self, params: &Params, best: &mut Best, progress: &mut Progress) -> Result<f32> {
        let loss = (self.loss)()?;
        if progress.step >= self.from && progress.best.is_none_or(|(lowest, _)| loss < lowest) {
            progress.best = Some((loss, progress.step));
            *best = params.tensors("\0")?;
        }
        Ok(loss)
    }

    fn is_enough(&self, progress: &Progress) -> bool {
        progress.best.is_some_and(|(_, step)| progress.step - step >= self.every * self.patience)
    }
}

/// Trains `params` until done, interrupted or no longer getting better. `make` gives the batch of a step, the same one
/// for the same step, and runs on a thread of its own; `loss` is asked for every batch. With a watch, the parameters are
/// in the end those that it found best.
pub fn train<B: Send + 'static>(
    training: &Training,
    params: &Params,
    mut make: impl FnMut(usize) -> B + Send + 'static,
    loss: impl Fn(&B) -> candle_core::Result<Loss>,
    watch: Option<Watch>,
) -> Result<Progress> {
    let (mut optimizer, mut best) = (Optimizer::default(), Best::default());
    let mut progress = resume(training.checkpoint, params, &mut best, &mut optimizer)?;
    let (first, total) = (progress.step, training.schedule.total);
    let (sender, batches) = sync_channel(4);
    // Ends when the receiver is gone.
    std::thread::spawn(move || (first..total).map(&mut make).try_for_each(|batch| sender.send(batch)));

    let interrupt = Interrupt::listen()?;
    let bar = progress_bar(total, first);
    let mut sums: Vec<(&str, f32)> = Vec::new();
    let (mut n, mut held_out) = (0.0, None);
    for batch in batches {
        let (value, parts) = loss(&batch)?;
        optimizer.step(params, &value.backward()?, training.schedule.at(progress.step), training.max_norm)?;
        progress.step += 1;
        n += 1.0;
        let value = value.to_scalar::<f32>()?;
        let shown = std::iter::once(("loss", value)).chain(parts);
        match sums.is_empty() {
            true => sums.extend(shown),
            false => sums.iter_mut().zip(shown).for_each(|(sum, (_, x))| sum.1 += x),
        }
        bar.inc(1);
        if let Some(watch) = watch.as_ref().filter(|watch| watch.is_due(&progress)) {
            held_out = Some(watch.look(params, &mut best, &mut progress)?);
        }
        let is_enough = watch.as_ref().is_some_and(|watch| watch.is_enough(&progress));
        if is_enough
            || progress.step.is_multiple_of(training.report_every)
            || interrupt.raised()
            || progress.step == total
        {
            progress.loss = sums[0].1 / n;
            let mut line: Vec<String> = sums.iter().map(|(name, sum)| format!("{name} {:.3}", sum / n)).collect();
            line.extend(held_out.map(|loss| format!("held out {loss:.3}")));
            bar.set_message(line.join(", "));
            log_line(&bar, progress.step);
            sums.clear();
            n = 0.0;
            save(training.checkpoint, params, &best, &optimizer, progress)?;
        }
        if interrupt.raised() || is_enough {
            break;
        }
    }
    bar.finish();
    if !best.is_empty() {
        params.restore(&best)?;
    }
    Ok(progress)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::values;
    use std::cell::RefCell;

    #[test]
    fn the_best_parameters_are_kept_and_nothing_gained_ends_it() {
        let folder = std::env::temp_dir().join(format!("embouchure-run-{}", std::process::id()));
        let mut params = Params::new(1, &candle_core::Device::Cpu);
        params.add_table("x", 1, 1).unwrap();
        let x = || values(params.get("x").unwrap()).unwrap()[0];
        // The first look is too early to count, the one at step 40 is the best.
        let losses = [0.1, 0.9, 0.8, 0.5, 0.6, 0.7, 0.8, 0.1, 0.1];
        let seen = RefCell::new(Vec::new());
        let look = || {
            seen.borrow_mut().push(x());
            Ok(losses[seen.borrow().len() - 1])
        };
        let watch = Watch { loss: &look, from: 20, every: 10, patience: 3 };
        let training = Training {
            checkpoint: &folder.join("checkpoint"),
            schedule: Schedule { peak: 0.01, warm_up: 1, total: 90 },
            max_norm: 1.0,
            report_every: 50,
        };
        let loss = |_: &()| Ok(((params.get("x")? - 1.0)?.sqr()?.mean_all()?, vec![]));
        let progress = train(&training, &params, |_| (), loss, Some(watch)).unwrap();
        assert_eq!((progress.best, progress.step), (Some((0.5, 40)), 70));
        let seen = seen.into_inner();
        assert!(seen.windows(2).all(|pair| pair[1] > pair[0]), "{seen:?}");
        assert_eq!(x(), seen[3]);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
