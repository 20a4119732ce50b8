//! How long a step of training takes.

use crate::sounds::{Segment, Timbre, render};
use crate::table::{self, Row, number};
use anyhow::Result;
use embouchure_audio_file::{Audio, write_wav};
use embouchure_inference::encoder::{self, Encoder};
use embouchure_inference::instrument;
use embouchure_training::corpus::Corpus;
use embouchure_training::encoder::EncoderTraining;
use embouchure_training::instrument::InstrumentTraining;
use embouchure_training::recordings::training_files;
use std::path::{Path, PathBuf};
use std::time::Instant;

const RATE: u32 = 44_100;
/// As `embouchure train` has it.
const WIDTH: usize = 160;

/// Arguments of `bench train`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Recordings to train on instead of synthetic notes
    #[arg(long, value_name = "DIR")]
    audio: Option<PathBuf>,
    /// Steps that are timed
    #[arg(long, default_value_t = 20)]
    steps: usize,
    /// Where results go
    #[arg(long, value_name = "DIR", default_value = "target/bench")]
    out: PathBuf,
}

/// Trains for a few steps, prints and writes `train.json`.
pub fn run(arguments: &Arguments) -> Result<()> {
    let work = arguments.out.join("train");
    let audio = arguments.audio.clone().unwrap_or_else(|| work.join("notes"));
    if arguments.audio.is_none() {
        write_notes(&audio)?;
    }
    let job = Job { files: training_files(&audio)?, folder: &work, steps: arguments.steps };
    let machine = crate::machine::name();
    let rows = [
        ("encoder", job.seconds_per_step(|job, n| job.encoder(n))?),
        ("instrument, comparing controls", job.seconds_per_step(|job, n| job.instrument((n, 0)))?),
        ("instrument, comparing sound", job.seconds_per_step(|job, n| job.instrument((0, n)))?),
    ];
    let row = |(name, seconds): (&str, f64)| {
        let mut row = Row::new();
        row.insert("machine".into(), machine.clone().into());
        row.insert("training".into(), name.into());
        row.insert("seconds per step".into(), number(seconds, 3));
        row
    };
    let rows = rows.map(row);
    table::print(&format!("Training on {machine}"), &rows);
    table::write_json(&arguments.out.join("train.json"), &rows)
}

/// Seven seconds of sung notes: enough for a batch, little to analyse, so that the steps dominate.
fn write_notes(folder: &Path) -> Result<()> {
    for (i, low) in [110.0, 220.0, 440.0].iter().enumerate() {
        let notes = [1.0, 0.0, 9.0 / 8.0, 4.0 / 3.0, 0.0, 1.5, 2.0, 0.0].map(|r| Segment { hz: low * r, seconds: 0.3 });
        let samples = render(Timbre::Vowel, &notes, f64::from(RATE), i as u64).samples;
        write_wav(&folder.join(format!("{low}.wav")), &Audio { channels: vec![samples], rate: RATE })?;
    }
    Ok(())
}

struct Job<'a> {
    files: Vec<PathBuf>,
    /// For weights and checkpoints, which nobody needs afterwards.
    folder: &'a Path,
    steps: usize,
}

impl Job<'_> {
    /// A run of some steps and a longer one: the difference is free of analysis, start and files.
    fn seconds_per_step(&self, train: impl Fn(&Self, usize) -> Result<()>) -> Result<f64> {
        let seconds = |steps| -> Result<f64> {
            let _ = std::fs::remove_file(self.checkpoint());
            let start = Instant::now();
            train(self, steps)?;
            Ok(start.elapsed().as_secs_f64())
        };
        const FEW: usize = 3;
        let short = seconds(FEW)?;
        let difference = seconds(FEW + self.steps)? - short;
        // On a machine that is busy with other things the longer run can be the faster one: then there is no figure.
        Ok(if difference > 0.0 { difference / self.steps as f64 } else { f64::NAN })
    }

    fn checkpoint(&self) -> PathBuf {
        self.folder.join("checkpoint")
    }

    fn encoder(&self, steps: usize) -> Result<()> {
        let text = String::new;
        let card = encoder::Card {
            name: "bench".into(),
            licence: text(),
            author: text(),
            trained_on: text(),
            steps: 0,
            loss: 0.0,
            date: text(),
        };
        embouchure_training::encoder::train(EncoderTraining {
            corpus: Corpus::analyse(&self.files)?,
            steps,
            seed: 1,
            checkpoint: self.checkpoint(),
            out: self.folder.join("encoder.safetensors"),
            card,
        })
    }

    fn instrument(&self, steps: (usize, usize)) -> Result<()> {
        embouchure_training::instrument::train(InstrumentTraining {
            files: self.files.clone(),
            encoder: Encoder::from_bytes(embouchure_weights::ENCODER)?,
            steps,
            player: None,
            seed: 1,
            checkpoint: self.checkpoint(),
            out: self.folder.join("instrument.safetensors"),
            card: instrument::Card { name: "bench".into(), width: WIDTH, ..Default::default() },
        })
    }
}
