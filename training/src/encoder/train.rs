//! The encoder's training run.

use super::batch::Batches;
use super::loss::loss;
use super::net::{PROBE, encode, new_params};
use crate::about::{About, Trained};
use crate::arrays::{arrays, tensors};
use crate::checkpoint::write_atomically;
use crate::corpus::Corpus;
use crate::optimizer::Schedule;
use crate::progress::Progress;
use crate::run::{self, Training};
use anyhow::Result;
use candle_core::{Device, Tensor};
use embouchure_inference::hear::encoder::{Card, Encoder, FORMAT};
use embouchure_inference::nn::weights::{Weights, to_bytes};
use std::collections::HashMap;
use std::path::PathBuf;

/// Clips in each step, one second each.
const CLIPS: usize = 16;
/// Highest learning rate, steps until it is reached, and the norm that gradients are clipped to.
const PEAK_RATE: f32 = 2e-3;
const WARM_UP: usize = 200;
const MAX_NORM: f32 = 1.0;
/// Highest learning rate of an improvement, lower because the encoder shall move less.
const IMPROVING_RATE: f32 = 1e-3;
/// Steps between checkpoints and reports.
const REPORT_EVERY: usize = 100;

/// A training of the encoder: input, settings and files.
pub struct EncoderTraining {
    /// Recordings, used beside the synthetic tones.
    pub corpus: Corpus,
    /// Steps in all, those before a resume included.
    pub steps: usize,
    /// Device that the network is trained on.
    pub device: Device,
    /// Seed of all random draws.
    pub seed: u64,
    /// Checkpoint file: resumed from if it exists.
    pub checkpoint: PathBuf,
    /// Weights file to write.
    pub out: PathBuf,
    /// Encoder to start from. Its z is kept, so that its instruments play with the new encoder.
    pub improve: Option<Improve>,
    /// Facts for the card of the weights file.
    pub about: About,
}

/// An encoder to improve.
pub struct Improve {
    encoder: Encoder,
    /// Its parameters, to start from.
    tensors: HashMap<String, Tensor>,
}

impl Improve {
    /// Reads an encoder file. Errors if it is damaged or of another version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let (weights, _) = Weights::from_bytes::<Card>(bytes, FORMAT)?;
        Ok(Self { encoder: Encoder::from_bytes(bytes)?, tensors: tensors(weights.arrays())? })
    }

    /// Ids of the encoders whose z is kept: this one, and those whose z it keeps.
    fn keeps_z_of(&self) -> Vec<String> {
        let of = &self.encoder;
        of.card.keeps_z_of.iter().cloned().chain([of.id.clone()]).collect()
    }
}

/// Trains until the last step or a stop, and then writes the weights so far.
pub fn train(job: EncoderTraining, progress: &dyn Progress) -> Result<Trained> {
    let params = new_params(job.seed, &job.device)?;
    if let Some(improve) = &job.improve {
        params.start_from(&improve.tensors)?;
    }
    let peak = if job.improve.is_some() { IMPROVING_RATE } else { PEAK_RATE };
    let training = Training {
        checkpoint: &job.checkpoint,
        schedule: Schedule { peak, warm_up: WARM_UP, total: job.steps },
        max_norm: MAX_NORM,
        report_every: REPORT_EVERY,
        progress,
    };
    let keeps_z_of = job.improve.as_ref().map(Improve::keeps_z_of).unwrap_or_default();
    let steps_before = job.improve.as_ref().map_or(0, |improve| improve.encoder.card.steps);
    let mut batches = Batches::new(job.seed, CLIPS, job.corpus, job.improve.map(|improve| improve.encoder));
    let position = run::train(
        &training,
        &params,
        move |step| batches.make(step),
        |batch| loss(&params, &encode(&params, &batch.input(params.device())?)?, batch),
        None,
    )?;
    let About { name, licence, author, trained_on, date } = job.about;
    let (steps, loss) = (steps_before + position.step, position.loss);
    let card = Card { name, licence, author, trained_on, steps, loss, date, keeps_z_of };
    write_atomically(&job.out, &to_bytes(&arrays(&params.tensors(PROBE)?)?, &card, FORMAT)?)?;
    Ok(Trained { steps: position.step, loss })
}
