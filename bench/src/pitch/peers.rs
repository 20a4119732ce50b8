//! Other trackers on the same sounds, run by a Python script.

use super::cases::Case;
use super::score::{Track, Tracker};
use anyhow::{Context, Result, ensure};
use embouchure_audio_file::{Audio, write_wav};
use embouchure_inference::config::MODEL_RATE;
use std::path::Path;
use std::process::Command;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/pitch.py");

/// Writes the sounds to `folder`, runs the script and reads its tracks.
pub fn track(cases: &[Case], python: &Path, ddsp_vst: Option<&Path>, folder: &Path) -> Result<Vec<Tracker>> {
    for (i, case) in cases.iter().enumerate() {
        let audio = Audio { channels: vec![case.samples.clone()], rate: MODEL_RATE };
        write_wav(&folder.join(format!("{i:03}.wav")), &audio)?;
    }
    let mut names = vec!["SwiftF0", "torchcrepe tiny"];
    let mut command = Command::new(python);
    command.args(["-u", SCRIPT]).arg(folder);
    if let Some(model) = ddsp_vst {
        names.push("DDSP-VST");
        command.arg("--ddsp-vst").arg(model);
    }
    let status = command.status().with_context(|| python.display().to_string())?;
    ensure!(status.success(), "the other trackers failed, see above");
    names.iter().map(|name| read_tracker(name, cases.len(), folder)).collect()
}

fn read_tracker(name: &str, n_cases: usize, folder: &Path) -> Result<Tracker> {
    let folder = folder.join(name.replace(' ', "_"));
    let tracks = (0..n_cases).map(|i| read_track(&folder.join(format!("{i:03}.csv"))));
    let cpu_share = std::fs::read_to_string(folder.join("cpu_share"))?.trim().parse()?;
    Ok(Tracker { name: name.into(), tracks: tracks.collect::<Result<_>>()?, cpu_share })
}

/// Parses rows of time in s, f0 in Hz, and voicing 0 or 1.
fn read_track(path: &Path) -> Result<Track> {
    let mut track = Track::default();
    for line in std::fs::read_to_string(path).with_context(|| path.display().to_string())?.lines() {
        let values: Vec<f64> = line.split(',').map(str::parse).collect::<Result<_, _>>()?;
        let [time_s, f0_hz, voiced] = values[..] else { anyhow::bail!("{}: {line}", path.display()) };
        track.time_s.push(time_s);
        track.f0_hz.push(f0_hz as f32);
        track.voiced.push(voiced > 0.5);
    }
    Ok(track)
}
