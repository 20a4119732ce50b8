//! Pictures of three sounds: spectrogram and the pitch that each tracker finds. Drawn by Python.

use crate::pitch::ours;
use anyhow::{Context, Result, ensure};
use embouchure_audio_file::{Audio, write_wav};
use embouchure_inference::config::MODEL_RATE;
use embouchure_inference::hear::encoder::Encoder;
use embouchure_training::progress::Silent;
use embouchure_training::recordings::{audio_files, load_mono};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers");
const SECONDS: usize = 8;

/// Arguments of `bench pictures`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Folder with `heldout/violin`, `source/whistle`, `source/voice_f0`
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Where pictures go
    #[arg(long, value_name = "DIR", default_value = "target/bench")]
    out: PathBuf,
    /// Encoder file instead of the built-in one
    #[arg(long, value_name = "FILE")]
    encoder: Option<PathBuf>,
    /// Python with swift-f0, ai-edge-litert and matplotlib
    #[arg(long, value_name = "FILE")]
    peers: PathBuf,
    /// DDSP-VST's own pitch network (.tflite)
    #[arg(long, value_name = "FILE")]
    ddsp_vst: PathBuf,
}

/// Draws `f0_NAME.png` for each sound.
pub fn run(arguments: &Arguments) -> Result<()> {
    let folder = arguments.out.join("pictures");
    let encoder = crate::effect::encoder(arguments.encoder.as_deref())?;
    for (name, file) in sounds(&arguments.data)? {
        let mut samples = load_mono(&file, MODEL_RATE, &Silent)?;
        samples.truncate(SECONDS * MODEL_RATE as usize);
        let ours = track(&encoder, &samples)?;
        write_wav(&folder.join(format!("{name}.wav")), &Audio { channels: vec![samples], rate: MODEL_RATE })?;
        std::fs::create_dir_all(folder.join("Embouchure"))?;
        std::fs::write(folder.join(format!("Embouchure/{name}.csv")), ours)?;
    }
    let others = ["--only", "SwiftF0", "--only", "DDSP-VST", "--ddsp-vst"];
    python(&arguments.peers, "pitch.py", |c| c.arg(&folder).args(others).arg(&arguments.ddsp_vst))?;
    python(&arguments.peers, "f0_pictures.py", |c| c.arg(&folder).arg(&arguments.out))
}

/// Files of a whistle, the annotated voice, and a phrase (not a single note) of a held-out violin.
fn sounds(data: &Path) -> Result<[(&'static str, PathBuf); 3]> {
    let first = |folder: &str| audio_files(&data.join(folder))?.into_iter().next().context("no recording");
    let is_phrase = |file: &PathBuf| file.to_string_lossy().contains("Medley");
    let violin = audio_files(&data.join("heldout/violin"))?.into_iter().find(is_phrase).context("no violin")?;
    Ok([
        ("whistle", data.join("source/whistle/ppAslow.flac")),
        ("voice", first("source/voice_f0")?),
        ("violin", violin),
    ])
}

/// Rows of time in s, f0 in Hz and 1 if voiced; the time is when the estimate is known.
fn track(encoder: &Arc<Encoder>, samples: &[f32]) -> Result<String> {
    let (track, _) = ours::stream(encoder, samples);
    let mut rows = String::new();
    for ((time_s, f0_hz), voiced) in track.time_s.iter().zip(&track.f0_hz).zip(&track.voiced) {
        writeln!(rows, "{time_s:.5},{f0_hz:.4},{}", u8::from(*voiced))?;
    }
    Ok(rows)
}

fn python(python: &Path, script: &str, with: impl FnOnce(&mut Command) -> &mut Command) -> Result<()> {
    let mut command = Command::new(python);
    command.arg(Path::new(SCRIPTS).join(script));
    let status = with(&mut command).status().with_context(|| python.display().to_string())?;
    ensure!(status.success(), "{script} failed, see above");
    Ok(())
}
