//! The training run of one instrument.

use super::batch::{Batch, Purpose};
use super::lessons::{Lessons, Study};
use super::loss::{regression, spectral};
use super::net::{as_player, new_params};
use crate::about::{About, Trained};
use crate::arrays::arrays;
use crate::checkpoint::write_atomically;
use crate::optimizer::Schedule;
use crate::progress::{Event, Progress};
use crate::run::{self, Training, Watch};
use anyhow::Result;
use embouchure_inference::nn::weights::to_bytes;
use embouchure_inference::play::instrument::{Adjustments, Card, FORMAT, Provenance, Run, Shape};
use std::path::PathBuf;

/// Highest learning rate, steps until it is reached, and the norm that gradients are clipped to.
const PEAK_RATE: f32 = 2e-3;
const WARM_UP: usize = 100;
const MAX_NORM: f32 = 3.0;
/// Steps between checkpoints and reports.
const REPORT_EVERY: usize = 50;
/// Steps between two evaluations of the held-out loss, and evaluations without progress that end the training. A violin
/// stopped so after 2,300 of 5,000 steps with the held-out loss of the usual number of steps (docs/tried.md).
const EVALUATE_EVERY: usize = 100;
const PATIENCE: usize = 5;

/// A training of an instrument: input, settings and files.
pub struct InstrumentTraining {
    /// Recordings and settings.
    pub study: Study,
    /// Steps of the first phase, which compares controls, and of the second, which compares the sound.
    pub steps: (usize, usize),
    /// Facts for the card of the weights file.
    pub about: About,
    /// Brass, strings, woodwind, voice, …
    pub family: String,
    /// Settings for the card, which are not learned.
    pub adjustments: Adjustments,
    /// Checkpoint file: resumed from if it exists.
    pub checkpoint: PathBuf,
    /// Weights file to write.
    pub out: PathBuf,
}

/// Trains until the last step, a stop, or the end of progress on held-out recordings. Then writes the best weights so
/// far.
pub fn train(job: InstrumentTraining, progress: &dyn Progress) -> Result<Trained> {
    let InstrumentTraining { study, steps, about, family, adjustments, checkpoint, out } = job;
    let lessons = Lessons::gather(&study, progress)?;
    tell_amounts(&lessons, progress);
    let params = new_params(study.seed, study.width, lessons.n_players, &study.device)?;
    progress.tell(Event::Fact(&format!("{} weights", params.n_values())));
    let training = Training {
        checkpoint: &checkpoint,
        schedule: Schedule { peak: PEAK_RATE, warm_up: WARM_UP, total: steps.0 + steps.1 },
        max_norm: MAX_NORM,
        report_every: REPORT_EVERY,
        progress,
    };
    let Lessons { batches, judged, minutes, statistics, texture, player, .. } = lessons;
    let warm = steps.0;
    let make = move |step: usize| match step < warm {
        true => (true, batches.make(step, Purpose::Controls)),
        false => (false, batches.make(step, Purpose::Sound)),
    };
    let loss = |(is_warm_start, batch): &(bool, Batch)| match is_warm_start {
        true => regression(&params, batch),
        false => spectral(&params, batch),
    };
    let held_out_loss = || {
        let losses = judged.iter().map(|batch| spectral(&params, batch)?.0.to_scalar::<f32>());
        Ok(losses.collect::<candle_core::Result<Vec<_>>>()?.iter().sum::<f32>() / judged.len() as f32)
    };
    let watch = Watch { loss: &held_out_loss, from: warm, every: EVALUATE_EVERY, patience: PATIENCE };
    let position = run::train(&training, &params, make, loss, (!judged.is_empty()).then_some(watch))?;
    let loss = position.best.map_or(position.loss, |(loss, _)| loss);
    let mut tensors = as_player(&params, player, &study.recipe.told)?;
    tensors.insert("texture".into(), texture);
    let About { name, licence, author, trained_on, date } = about;
    let card = Card {
        name,
        family,
        provenance: Provenance { licence, author, trained_on, minutes, encoder_id: study.encoder.id.clone() },
        shape: Shape { width: study.width },
        statistics,
        adjustments,
        run: Run { loss, date },
    };
    write_atomically(&out, &to_bytes(&arrays(&tensors)?, &card, FORMAT)?)?;
    Ok(Trained { steps: position.step, loss })
}

fn tell_amounts(lessons: &Lessons, progress: &dyn Progress) {
    let [low, high] = lessons.statistics.f0_range_hz;
    let Lessons { n_recordings, minutes, .. } = lessons;
    progress.tell(Event::Fact(&format!("{n_recordings} recordings, {minutes:.1} minutes, {low:.0} to {high:.0} Hz")));
}
