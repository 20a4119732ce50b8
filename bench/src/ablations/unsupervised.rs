//! The article's setting: f0 learned from the sound, beside f0 given.

use crate::table::{Row, number};
use anyhow::Result;
use candle_core::Device;
use embouchure_inference::hear::encoder::Encoder;
use embouchure_inference::play::instrument::Card;
use embouchure_training::instrument::unsupervised::{F0, Outcome, learn};
use embouchure_training::instrument::{InstrumentTraining, Without};
use embouchure_training::recordings::audio_files;
use std::path::{Path, PathBuf};

/// Steps of both, and sequences of a second in each; f0 that is learned wants memory.
const STEPS: usize = 400;
const CLIPS: usize = 4;
/// Units of the hidden layers, as shipped.
const WIDTH: usize = 160;

/// Trainings from nothing that differ in nothing else.
pub fn measure(audio: &Path) -> Result<Vec<Row>> {
    let row = |(name, f0): (&str, F0)| {
        eprintln!("f0 {name}");
        let job = InstrumentTraining {
            files: audio_files(audio)?,
            encoder: Encoder::from_bytes(embouchure_weights::ENCODER)?,
            steps: (0, STEPS),
            player: None,
            without: Without::default(),
            clips: (CLIPS, CLIPS),
            device: Device::Cpu,
            seed: 1,
            checkpoint: PathBuf::new(),
            out: PathBuf::new(),
            card: Card { width: WIDTH, ..Card::default() },
        };
        let Outcome { loss, right, semitones } = learn(&job, f0)?;
        let mut row = Row::new();
        row.insert("f0".into(), name.into());
        row.insert("steps".into(), number(STEPS as f64, 0));
        row.insert("held-out loss".into(), number(f64::from(loss), 3));
        row.insert("f0 right".into(), number(f64::from(right), 3));
        row.insert("semitones off".into(), number(f64::from(semitones), 1));
        Ok(row)
    };
    let known =
        [("given", F0::Given), ("learned, from 70 cents off", F0::OffBy(70.0)), ("learned, from 300 Hz", F0::Unknown)];
    known.into_iter().map(row).collect()
}
