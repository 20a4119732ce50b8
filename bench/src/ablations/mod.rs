//! Ablations: trains an instrument without one part of the training at a time.

mod f0;
mod parts;
mod unsupervised;

use crate::program;
use crate::table::{self, Row, number};
use anyhow::Result;
use candle_core::Device;
use embouchure_inference::hear::encoder::Encoder;
use embouchure_inference::play::instrument::Adjustments;
use embouchure_training::about::About;
use embouchure_training::instrument::{self, InstrumentTraining, Recipe, Study};
use embouchure_training::progress::Silent;
use embouchure_training::recordings::audio_files;
use parts::Without;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Units of the hidden layers, as in the shipped instruments.
const WIDTH: usize = 160;

/// Arguments of `bench ablations`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Recordings to train on
    #[arg(long, value_name = "DIR")]
    audio: PathBuf,
    /// Recordings of the same instrument to judge with
    #[arg(long, value_name = "DIR")]
    judged_on: PathBuf,
    /// Steps that compare controls, and steps that compare the sound
    #[arg(long, value_name = "N", default_value_t = 600)]
    warm_up_steps: usize,
    /// See above
    #[arg(long, value_name = "N", default_value_t = 300)]
    sound_steps: usize,
    /// Only ask what becomes of f0 that is learned from the sound
    #[arg(long)]
    f0_alone: bool,
    /// Trainings side by side
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// Where results go
    #[arg(long, value_name = "DIR", default_value = "target/bench")]
    out: PathBuf,
}

/// Runs all trainings, prints the results and writes `ablations.json`, `f0_from_sound.json` and `f0_learned.json`.
pub fn run(arguments: &Arguments) -> Result<()> {
    let rows = f0::measure()?;
    table::print("Where the spectral loss leads a wrong f0", &rows);
    table::write_json(&arguments.out.join("f0_from_sound.json"), &rows)?;
    let rows = unsupervised::measure(&arguments.audio)?;
    table::print("f0 given and learned", &rows);
    table::write_json(&arguments.out.join("f0_learned.json"), &rows)?;
    if arguments.f0_alone {
        return Ok(());
    }
    let work = arguments.out.join("ablations");
    std::fs::create_dir_all(&work)?;
    // Looked for first, because the trainings take long.
    let program = program::find()?;
    for some in Without::ALL.chunks(arguments.jobs.max(1)) {
        side_by_side(some, |without, name| train(arguments, without, &weights(&work, name)))?;
    }
    let row = |(_, name): &(Without, &str)| judge(&program, arguments, name, &weights(&work, name));
    let rows: Vec<Row> = Without::ALL.iter().map(row).collect::<Result<_>>()?;
    table::print("What the training's parts are good for", &rows);
    table::write_json(&arguments.out.join("ablations.json"), &rows)
}

impl Arguments {
    /// Description of the settings that all trainings share.
    fn run(&self) -> String {
        let name = self.audio.file_name().unwrap_or_default().to_string_lossy();
        let (warm_up, sound) = (self.warm_up_steps, self.sound_steps);
        format!("recordings of {name}, {warm_up} steps that compare controls and {sound} that compare the sound")
    }
}

/// Runs `train` for several ablations in parallel, each on one core.
fn side_by_side(some: &[(Without, &str)], train: impl Fn(Without, &str) -> Result<()> + Sync) -> Result<()> {
    std::thread::scope(|scope| {
        let started = some.iter().map(|(without, name)| {
            eprintln!("without {name}");
            let train = &train;
            scope.spawn(move || {
                let core = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
                core.install(|| train(*without, name))
            })
        });
        let started: Vec<_> = started.collect();
        let ended = started.into_iter().map(|thread| thread.join().expect("a training does not panic"));
        ended.collect()
    })
}

fn weights(work: &Path, name: &str) -> PathBuf {
    work.join(name).with_extension("safetensors")
}

fn train(arguments: &Arguments, without: Without, out: &Path) -> Result<()> {
    let job = InstrumentTraining {
        study: study(&arguments.audio, without.recipe())?,
        steps: without.steps((arguments.warm_up_steps, arguments.sound_steps)),
        about: About {
            name: "ablation".into(),
            licence: String::new(),
            author: String::new(),
            trained_on: String::new(),
            date: String::new(),
        },
        family: String::new(),
        adjustments: Adjustments::default(),
        checkpoint: out.with_extension("checkpoint"),
        out: out.to_path_buf(),
    };
    instrument::train(job, &Silent)?;
    Ok(())
}

/// Prepares the recordings as a user's training would, with this recipe.
fn study(audio: &Path, recipe: Recipe) -> Result<Study> {
    Ok(Study {
        files: audio_files(audio)?,
        encoder: Encoder::from_bytes(embouchure_weights::ENCODER)?,
        player: None,
        recipe,
        width: WIDTH,
        device: Device::Cpu,
        seed: 1,
    })
}

fn judge(program: &Path, arguments: &Arguments, without: &str, weights: &Path) -> Result<Row> {
    let ours =
        program::output_of(Command::new(program).arg("eval").arg(weights).arg("--audio").arg(&arguments.judged_on))?;
    let ours: Value = serde_json::from_str(&ours)?;
    let mean = |name: &str| ours["mean"][name].as_f64().unwrap_or(f64::NAN);
    let mut row = Row::new();
    row.insert("run".into(), arguments.run().into());
    row.insert("without".into(), without.into());
    for (column, value, digits) in [
        ("multi-scale loss", mean("multi_scale"), 3),
        ("log-mel dB", mean("log_mel_db"), 1),
        ("loudness dB", mean("loudness_db"), 1),
        ("centroid ratio", mean("centroid_ratio"), 2),
        ("above 4 kHz, dB", mean("treble_db"), 1),
    ] {
        row.insert(column.into(), number(value, digits));
    }
    Ok(row)
}
