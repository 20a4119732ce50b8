//! Duration of a training step, compared with PyTorch.

use crate::program;
use crate::sounds::{Segment, Timbre, render};
use crate::table::{self, Row, number};
use anyhow::{Context, Result, ensure};
use embouchure_audio_file::{Audio, write_wav};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

const RATE: u32 = 44_100;
/// Settings of the comparison: one-second sequences per step, and units of the decoder, as `embouchure train` uses
/// them.
const CLIPS: &str = "8";
const WIDTH: &str = "160";
const PYTORCH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/train_step.py");

/// Arguments of `bench train`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Recordings to train on instead of synthetic notes
    #[arg(long, value_name = "DIR")]
    audio: Option<PathBuf>,
    /// Steps that are timed
    #[arg(long, default_value_t = 20)]
    steps: usize,
    /// Python with PyTorch, see bench/peers/requirements.txt
    #[arg(long, value_name = "FILE")]
    peers: Option<PathBuf>,
    /// Where results go
    #[arg(long, value_name = "DIR", default_value = "target/bench")]
    out: PathBuf,
}

/// Trains for a few steps, prints the results and writes `train.json`.
pub fn run(arguments: &Arguments) -> Result<()> {
    let work = arguments.out.join("train");
    let audio = arguments.audio.clone().unwrap_or_else(|| work.join("notes"));
    if arguments.audio.is_none() {
        write_notes(&audio)?;
    }
    let job = Job { program: program::find()?, audio: &audio, folder: &work, steps: arguments.steps };
    let machine = crate::machine::name();
    let row = |name: &str, seconds: f64, of_ours: f64, megabytes: f64| {
        let mut row = Row::new();
        row.insert("machine".into(), machine.clone().into());
        row.insert("training".into(), name.into());
        row.insert("seconds per step".into(), number(seconds, 3));
        row.insert("of ours".into(), number(of_ours, 2));
        row.insert("peak MB".into(), number(megabytes, 0));
        row
    };
    const ALONE: f64 = f64::NAN;
    let none = ["--warm-up-steps", "0", "--sound-clips", CLIPS];
    let ours = job.seconds_per_step(|n| job.instrument(&["--sound-steps", n], &none))?;
    let mut rows = vec![row("instrument, comparing sound, 8 × 1 s", ours, 1.0, peak_megabytes())];
    if let Some(python) = &arguments.peers {
        let (seconds, megabytes) = pytorch(python, arguments.steps.min(8))?;
        rows.push(row("the same in PyTorch", seconds, seconds / ours, megabytes));
    }
    let controls = job.seconds_per_step(|n| job.instrument(&["--warm-up-steps", n], &["--sound-steps", "0"]))?;
    rows.push(row("instrument, comparing controls, 16 × 1 s", controls, ALONE, ALONE));
    rows.push(row("encoder", job.seconds_per_step(|n| job.encoder(n))?, ALONE, ALONE));
    table::print(&format!("Training on {machine}"), &rows);
    table::write_json(&arguments.out.join("train.json"), &rows)
}

/// Writes seven seconds of sung notes: enough for a batch, and quickly analysed, so that the steps dominate.
fn write_notes(folder: &Path) -> Result<()> {
    for (i, low) in [110.0, 220.0, 440.0].iter().enumerate() {
        let notes = [1.0, 0.0, 9.0 / 8.0, 4.0 / 3.0, 0.0, 1.5, 2.0, 0.0].map(|r| Segment { hz: low * r, seconds: 0.3 });
        let samples = render(Timbre::Vowel, &notes, f64::from(RATE), i as u64).samples;
        write_wav(&folder.join(format!("{low}.wav")), &Audio { channels: vec![samples], rate: RATE })?;
    }
    Ok(())
}

/// Peak memory of all child processes so far, MB.
#[cfg(target_os = "linux")]
fn peak_megabytes() -> f64 {
    // SAFETY: the structure is plain data, and the call fills it.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_CHILDREN, &mut usage);
        usage
    };
    usage.ru_maxrss as f64 / 1024.0
}

#[cfg(not(target_os = "linux"))]
fn peak_megabytes() -> f64 {
    f64::NAN
}

/// Runs PyTorch's steps. Returns seconds per step and the peak memory in MB.
fn pytorch(python: &Path, steps: usize) -> Result<(f64, f64)> {
    let said = program::output_of(Command::new(python).args(["-u", PYTORCH, &steps.to_string(), CLIPS, "1", WIDTH]))?;
    let figures: Vec<f64> = said.split_whitespace().filter_map(|figure| figure.parse().ok()).collect();
    let [seconds, megabytes] = figures[..] else { anyhow::bail!("PyTorch said {said:?}") };
    Ok((seconds, megabytes))
}

struct Job<'a> {
    program: PathBuf,
    audio: &'a Path,
    /// Temporary folder for weights and checkpoints.
    folder: &'a Path,
    steps: usize,
}

impl Job<'_> {
    /// Difference between a short and a longer run, which removes the time of analysis, start and files.
    fn seconds_per_step(&self, train: impl Fn(&str) -> Command) -> Result<f64> {
        let seconds = |steps: usize| -> Result<f64> {
            let _ = std::fs::remove_file(self.checkpoint());
            let start = Instant::now();
            let output = train(&steps.to_string()).output().context("cannot start the training")?;
            ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            Ok(start.elapsed().as_secs_f64())
        };
        const FEW: usize = 3;
        let short = seconds(FEW)?;
        let difference = seconds(FEW + self.steps)? - short;
        // On a busy machine the longer run can be the faster one; then there is no figure.
        Ok(if difference > 0.0 { difference / self.steps as f64 } else { f64::NAN })
    }

    fn checkpoint(&self) -> PathBuf {
        self.folder.join("checkpoint")
    }

    fn train(&self, what: &str, source: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["train", what, "--force", source]).arg(self.audio);
        command.arg("--out").arg(self.folder.join(what).with_extension("safetensors"));
        command.arg("--checkpoint").arg(self.checkpoint());
        command
    }

    fn encoder(&self, steps: &str) -> Command {
        let mut command = self.train("encoder", "--data");
        command.args(["--steps", steps]);
        command
    }

    fn instrument(&self, steps: &[&str], others: &[&str]) -> Command {
        let mut command = self.train("instrument", "--audio");
        command.args(["--name", "bench", "--width", WIDTH]).args(others).args(steps);
        command
    }
}
