//! What each part of an instrument's training is good for: the same training without it.

mod f0;
mod unsupervised;

use crate::program;
use crate::table::{self, Row, number};
use anyhow::{Result, ensure};
use embouchure_training::instrument::Without;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

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

/// Trains each, prints and writes `ablations.json`, `f0_from_sound.json` and `f0_learned.json`.
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
    let program = program::find()?;
    let all: Vec<Option<&str>> = std::iter::once(None).chain(Without::NAMES.map(Some)).collect();
    for some in all.chunks(arguments.jobs.max(1)) {
        let started = some.iter().map(|without| {
            eprintln!("without {}", without.unwrap_or("nothing"));
            Ok(train(&program, arguments, *without, &work).stdout(std::process::Stdio::null()).spawn()?)
        });
        for mut child in started.collect::<Result<Vec<_>>>()? {
            ensure!(child.wait()?.success(), "a training failed, see above");
        }
    }
    let rows: Vec<Row> = all.iter().map(|w| judge(&program, arguments, *w, &work)).collect::<Result<_>>()?;
    table::print("What the training's parts are good for", &rows);
    table::write_json(&arguments.out.join("ablations.json"), &rows)
}

impl Arguments {
    /// What the trainings have in common.
    fn run(&self) -> String {
        let name = self.audio.file_name().unwrap_or_default().to_string_lossy();
        let (warm_up, sound) = (self.warm_up_steps, self.sound_steps);
        format!("recordings of {name}, {warm_up} steps that compare controls and {sound} that compare the sound")
    }
}

fn weights(work: &Path, without: Option<&str>) -> PathBuf {
    work.join(without.unwrap_or("nothing")).with_extension("safetensors")
}

fn train(program: &Path, arguments: &Arguments, without: Option<&str>, work: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(["train", "instrument", "--force", "--name", "ablation", "--audio"]).arg(&arguments.audio);
    command.arg("--out").arg(weights(work, without));
    command.args(["--warm-up-steps", &arguments.warm_up_steps.to_string()]);
    command.args(["--sound-steps", &arguments.sound_steps.to_string()]);
    command.args(without.map(|part| ["--without", part]).into_iter().flatten());
    command.env("RAYON_NUM_THREADS", "1");
    command
}

fn judge(program: &Path, arguments: &Arguments, without: Option<&str>, work: &Path) -> Result<Row> {
    let weights = weights(work, without);
    let ours = program::said(Command::new(program).arg("eval").arg(&weights).arg("--audio").arg(&arguments.judged_on))?;
    let ours: Value = serde_json::from_str(&ours)?;
    let mean = |name: &str| ours["mean"][name].as_f64().unwrap_or(f64::NAN);
    let mut row = Row::new();
    row.insert("run".into(), arguments.run().into());
    row.insert("without".into(), without.unwrap_or("nothing").into());
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
