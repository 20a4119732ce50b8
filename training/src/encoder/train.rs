//! The encoder's training run.

use super::batch::Batches;
use super::loss::{Parts, loss};
use super::net::{THROW_AWAY, encode, new_params};
use crate::checkpoint::{Progress, resume, save, write_atomically};
use crate::corpus::Corpus;
use crate::optimizer::{Optimizer, Schedule};
use crate::run::{Interrupt, progress_bar};
use anyhow::Result;
use embouchure_inference::encoder::{Card, FORMAT};
use embouchure_inference::weights::to_bytes;
use std::path::PathBuf;
use std::sync::mpsc::sync_channel;

const CLIPS: usize = 16;
const PEAK_RATE: f32 = 2e-3;
const WARM_UP: usize = 200;
const MAX_NORM: f32 = 1.0;
/// Steps between checkpoints and log lines.
const REPORT_EVERY: usize = 100;

/// What to train and where to put it.
pub struct EncoderTraining {
    /// Recordings beside the synthetic tones.
    pub corpus: Corpus,
    /// Steps in all, those before a resume included.
    pub steps: usize,
    /// Decides every random draw.
    pub seed: u64,
    /// Resumed from if it exists.
    pub checkpoint: PathBuf,
    /// Weights file to write.
    pub out: PathBuf,
    /// Card of that file; steps and loss are filled in.
    pub card: Card,
}

/// Trains until done or interrupted; either way the weights so far are written.
pub fn train(job: EncoderTraining) -> Result<()> {
    let params = new_params(job.seed)?;
    let mut optimizer = Optimizer::default();
    let mut progress = resume(&job.checkpoint, &params, &mut optimizer)?;
    let schedule = Schedule { peak: PEAK_RATE, warm_up: WARM_UP, total: job.steps };
    let first = progress.step;

    // Batches are made on the second core while the first one trains.
    let (sender, batches) = sync_channel(4);
    let (seed, steps, corpus) = (job.seed, job.steps, job.corpus);
    std::thread::spawn(move || {
        let mut source = Batches::new(seed, CLIPS, corpus);
        // Ends when the receiver is gone.
        (first..steps).map(|i| source.make(i)).try_for_each(|batch| sender.send(batch))
    });

    let interrupt = Interrupt::listen()?;
    let bar = progress_bar(job.steps, first);
    let mut sums = (0.0, Parts::default());
    for batch in batches {
        let head = encode(&params, &batch.input()?)?;
        let (total, parts) = loss(&params, &head, &batch)?;
        optimizer.step(&params, &total.backward()?, schedule.at(progress.step), MAX_NORM)?;
        progress.step += 1;
        sums.0 += total.to_scalar::<f32>()?;
        sums.1.pitch += parts.pitch;
        sums.1.voicing += parts.voicing;
        sums.1.spectrum += parts.spectrum;
        bar.inc(1);
        if progress.step.is_multiple_of(REPORT_EVERY) || interrupt.raised() {
            let n = REPORT_EVERY as f32;
            progress.loss = sums.0 / n;
            let (p, v, s) = (sums.1.pitch / n, sums.1.voicing / n, sums.1.spectrum / n);
            bar.set_message(format!("loss {:.3} (pitch {p:.3}, voicing {v:.3}, spectrum {s:.3})", progress.loss));
            crate::run::log_line(&bar, progress.step);
            sums = (0.0, Parts::default());
            save(&job.checkpoint, &params, &optimizer, progress)?;
        }
        if interrupt.raised() {
            break;
        }
    }
    bar.finish();
    finish(&job.out, &params, job.card, progress)
}

fn finish(out: &std::path::Path, params: &crate::params::Params, card: Card, progress: Progress) -> Result<()> {
    let card = Card { steps: progress.step, loss: progress.loss, ..card };
    write_atomically(out, &to_bytes(&params.tensors(THROW_AWAY)?, &card, FORMAT)?)?;
    println!("wrote {} after {} steps, loss {:.3}", out.display(), progress.step, progress.loss);
    Ok(())
}
