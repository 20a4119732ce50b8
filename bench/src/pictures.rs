//! Pictures of three sounds: spectrogram, and what we and others hear. Drawn by Python.

use anyhow::{Context, Result, ensure};
use embouchure_audio_file::{Audio, write_wav};
use embouchure_inference::config::{FRAME_RATE, HOP_SIZE, MODEL_RATE};
use embouchure_inference::controls::SourceControls;
use embouchure_inference::encoder::Encoder;
use embouchure_inference::pipeline::Listener;
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
    let bytes = arguments.encoder.as_deref().map(std::fs::read).transpose()?;
    let encoder = Arc::new(Encoder::from_bytes(bytes.as_deref().unwrap_or(embouchure_weights::ENCODER))?);
    for (name, file) in sounds(&arguments.data)? {
        let mut samples = load_mono(&file, MODEL_RATE)?;
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

/// A whistle, the annotated voice, and a phrase (rather than a single note) of a held-out violin.
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

/// Rows of time in s, f0 in Hz, 1 if voiced, at the time when each is known.
fn track(encoder: &Arc<Encoder>, samples: &[f32]) -> Result<String> {
    let mut listener = Listener::new(encoder.clone())?;
    let mut rows = String::new();
    for (i, hop) in samples.as_chunks::<HOP_SIZE>().0.iter().enumerate() {
        let heard = listener.hop(hop, &SourceControls::default())?;
        let time_s = (i + 1) as f32 / FRAME_RATE;
        writeln!(rows, "{time_s:.5},{:.4},{}", heard.candidate_hz, u8::from(heard.f0_hz > 0.0))?;
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
