//! The loop of a training: batches, steps, checkpoints, held-out losses.

use crate::checkpoint::{Best, Position, resume, save};
use crate::optimizer::{Optimizer, Schedule};
use crate::params::Params;
use crate::progress::{Event, Progress, Stage};
use anyhow::Result;
use candle_core::Tensor;
use std::path::Path;
use std::sync::mpsc::sync_channel;

/// Settings of a training.
pub struct Training<'a> {
    /// Checkpoint file: resumed from if it exists, written at every report.
    pub checkpoint: &'a Path,
    /// Learning rate and steps in all, those before a resume included.
    pub schedule: Schedule,
    /// Norm that the gradient is clipped to.
    pub max_norm: f32,
    /// Steps between checkpoints and reports of the losses.
    pub report_every: usize,
    /// Receives the steps and the losses, and may end the training.
    pub progress: &'a dyn Progress,
}

/// Loss of a batch, a scalar, and the parts of it that are reported, by name.
pub type Loss = (Tensor, Vec<(&'static str, f32)>);

/// Early stopping by a held-out loss.
pub struct Watch<'a> {
    /// Computes the held-out loss of the current parameters.
    pub loss: &'a dyn Fn() -> candle_core::Result<f32>,
    /// First step whose parameters may be kept as the best.
    pub from: usize,
    /// Steps between two evaluations.
    pub every: usize,
    /// Evaluations without a new best after which the training ends.
    pub patience: usize,
}

impl Watch<'_> {
    fn is_due(&self, position: &Position) -> bool {
        position.step.is_multiple_of(self.every)
    }

    /// Evaluates, and keeps a copy of the parameters if they are the best so far.
    fn evaluate(&self, params: &Params, best: &mut Best, position: &mut Position) -> Result<f32> {
        let loss = (self.loss)()?;
        if position.step >= self.from && position.best.is_none_or(|(lowest, _)| loss < lowest) {
            position.best = Some((loss, position.step));
            *best = params.tensors("\0")?;
        }
        Ok(loss)
    }

    fn is_over(&self, position: &Position) -> bool {
        position.best.is_some_and(|(_, step)| position.step - step >= self.every * self.patience)
    }
}

/// Sums of the losses since the last report.
#[derive(Default)]
struct Sums {
    losses: Vec<(&'static str, f32)>,
    /// Steps in the sums.
    n: f32,
}

impl Sums {
    fn add(&mut self, loss: f32, parts: Vec<(&'static str, f32)>) {
        let all = std::iter::once(("loss", loss)).chain(parts);
        match self.losses.is_empty() {
            true => self.losses.extend(all),
            false => self.losses.iter_mut().zip(all).for_each(|(sum, (_, x))| sum.1 += x),
        }
        self.n += 1.0;
    }

    /// Returns the means, the total loss first, and starts again at 0.
    fn take_means(&mut self) -> Vec<(&'static str, f32)> {
        let Self { losses, n } = std::mem::take(self);
        losses.into_iter().map(|(name, sum)| (name, sum / n)).collect()
    }
}

/// Trains `params` until the last step, a stop, or the end of the watch's patience.
///
/// `make(step)` returns the batch of a step, always the same one for the same step; it runs on a thread of its own.
/// `loss` computes the loss of a batch. With a watch, `params` are in the end the best that it found.
pub fn train<B: Send + 'static>(
    training: &Training,
    params: &Params,
    mut make: impl FnMut(usize) -> B + Send + 'static,
    loss: impl Fn(&B) -> candle_core::Result<Loss>,
    watch: Option<Watch>,
) -> Result<Position> {
    let Training { schedule, progress, .. } = *training;
    let (mut optimizer, mut best) = (Optimizer::default(), Best::default());
    let mut position = resume(training.checkpoint, params, &mut best, &mut optimizer)?;
    let (first, total) = (position.step, schedule.total);
    let (sender, batches) = sync_channel(4);
    // The thread ends when the receiver is dropped.
    std::thread::spawn(move || (first..total).map(&mut make).try_for_each(|batch| sender.send(batch)));

    progress.tell(Event::Begin { stage: Stage::Training, done: first, total });
    let (mut sums, mut held_out) = (Sums::default(), None);
    for batch in batches {
        let (value, parts) = loss(&batch)?;
        optimizer.step(params, &value.backward()?, schedule.at(position.step), training.max_norm)?;
        position.step += 1;
        sums.add(value.to_scalar()?, parts);
        progress.tell(Event::Step);
        if let Some(watch) = watch.as_ref().filter(|watch| watch.is_due(&position)) {
            held_out = Some(watch.evaluate(params, &mut best, &mut position)?);
        }
        let is_over = watch.as_ref().is_some_and(|watch| watch.is_over(&position)) || progress.is_stop_wanted();
        if is_over || position.step.is_multiple_of(training.report_every) || position.step == total {
            let mut losses = sums.take_means();
            position.loss = losses[0].1;
            losses.extend(held_out.map(|loss| ("held out", loss)));
            progress.tell(Event::Losses { step: position.step, losses: &losses });
            save(training.checkpoint, params, &best, &optimizer, position)?;
        }
        if is_over {
            break;
        }
    }
    progress.tell(Event::End(Stage::Training));
    if !best.is_empty() {
        params.restore(&best)?;
    }
    Ok(position)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::values;
    use crate::progress::Silent;
    use std::cell::RefCell;
    use std::sync::Mutex;

    #[test]
    fn the_best_parameters_are_kept_and_a_run_without_progress_ends() {
        let folder = std::env::temp_dir().join(format!("embouchure-run-{}", std::process::id()));
        let mut params = Params::new(1, &candle_core::Device::Cpu);
        params.add_table("x", 1, 1).unwrap();
        let x = || values(params.get("x").unwrap()).unwrap()[0];
        // The first evaluation, at step 10, is too early to count. That at step 40 is the best.
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
            progress: &Silent,
        };
        let loss = |_: &()| Ok(((params.get("x")? - 1.0)?.sqr()?.mean_all()?, vec![]));
        let position = train(&training, &params, |_| (), loss, Some(watch)).unwrap();
        assert_eq!((position.best, position.step), (Some((0.5, 40)), 70));
        let seen = seen.into_inner();
        assert!(seen.windows(2).all(|pair| pair[1] > pair[0]), "{seen:?}");
        assert_eq!(x(), seen[3]);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    /// Records all events, and asks for a stop at a step.
    struct Record {
        told: Mutex<Vec<String>>,
        stop_at: usize,
    }

    impl Progress for Record {
        fn tell(&self, event: Event<'_>) {
            self.told.lock().unwrap().push(format!("{event:?}"));
        }

        fn is_stop_wanted(&self) -> bool {
            self.told.lock().unwrap().iter().filter(|event| *event == "Step").count() == self.stop_at
        }
    }

    /// Trains to step 9 or for `stop_at` steps, and returns the recorded events.
    fn told(checkpoint: &Path, stop_at: usize) -> (Position, Vec<String>) {
        let mut params = Params::new(1, &candle_core::Device::Cpu);
        params.add_table("x", 1, 1).unwrap();
        let progress = Record { told: Mutex::default(), stop_at };
        let schedule = Schedule { peak: 0.01, warm_up: 1, total: 9 };
        let training = Training { checkpoint, schedule, max_norm: 1.0, report_every: 4, progress: &progress };
        let loss = |step: &usize| Ok(((params.get("x")? + 1.0)?.sqr()?.mean_all()?, vec![("part", *step as f32)]));
        let position = train(&training, &params, |step| step, loss, None).unwrap();
        (position, progress.told.into_inner().unwrap())
    }

    #[test]
    fn a_stopped_run_keeps_its_steps_and_goes_on_from_there() {
        let folder = tempfile::tempdir().unwrap();
        let checkpoint = folder.path().join("checkpoint");
        let (position, told_first) = told(&checkpoint, 6);
        assert_eq!(position.step, 6);
        assert_eq!(told_first[0], "Begin { stage: Training, done: 0, total: 9 }");
        let losses =
            |told: &[String]| told.iter().filter(|event| event.starts_with("Losses")).cloned().collect::<Vec<_>>();
        let reports = losses(&told_first);
        assert!(reports[0].contains("step: 4") && reports[0].contains(r#"("part", 1.5)"#), "{reports:?}");
        assert!(reports[1].contains("step: 6") && reports[1].contains(r#"("part", 4.5)"#), "{reports:?}");
        assert_eq!(told_first.last().unwrap(), "End(Training)");

        let (position, told_then) = told(&checkpoint, usize::MAX);
        assert_eq!((position.step, told_then[0].as_str()), (9, "Begin { stage: Training, done: 6, total: 9 }"));
        assert_eq!(told_then.iter().filter(|event| *event == "Step").count(), 3);
    }
}
