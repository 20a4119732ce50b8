//! The encoder's training run.

use super::batch::Batches;
use super::loss::loss;
use super::net::{THROW_AWAY, encode, new_params};
use crate::checkpoint::write_atomically;
use crate::corpus::Corpus;
use crate::optimizer::Schedule;
use crate::run::{self, Training};
use anyhow::Result;
use embouchure_inference::encoder::{Card, FORMAT};
use embouchure_inference::weights::to_bytes;
use std::path::PathBuf;

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
    let training = Training {
        checkpoint: &job.checkpoint,
        schedule: Schedule { peak: PEAK_RATE, warm_up: WARM_UP, total: job.steps },
        max_norm: MAX_NORM,
        report_every: REPORT_EVERY,
    };
    let mut batches = Batches::new(job.seed, CLIPS, job.corpus);
    let progress = run::train(
        &training,
        &params,
        move |step| batches.make(step),
        |batch| loss(&params, &encode(&params, &batch.input()?)?, batch),
        None,
    )?;
    let card = Card { steps: progress.step, loss: progress.loss, ..job.card };
    write_atomically(&job.out, &to_bytes(&params.tensors(THROW_AWAY)?, &card, FORMAT)?)?;
    println!("wrote {} after {} steps, loss {:.3}", job.out.display(), progress.step, progress.loss);
    Ok(())
}
