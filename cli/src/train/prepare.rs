//! `embouchure train prepare`: reports what can be learned from recordings, which are unusable, and what is missing.

use super::coverage;
use crate::outputs::{self, Force};
use crate::progress::Terminal;
use crate::streams;
use anyhow::{Result, ensure};
use clap::Args;
use embouchure_inference::note::Note;
use embouchure_training::instrument::Report;
use embouchure_training::recordings::Found;
use std::path::{Path, PathBuf};

/// Default name of the picture.
const PICTURE: &str = "recordings.png";

/// Say what recordings of an instrument have to teach, before training on them.
#[derive(Args)]
pub struct PrepareArguments {
    /// Recordings (wav, AIFF, flac, mp3, ogg, m4a and others), or folders of them.
    #[arg(value_name = "DIR|FILE", required = true)]
    audio: Vec<PathBuf>,
    /// Where the picture of pitch against loudness goes; recordings.png if left out.
    #[arg(long, value_name = "FILE.png")]
    picture: Option<PathBuf>,
    #[command(flatten)]
    force: Force,
}

impl PrepareArguments {
    /// Analyses the recordings, draws the picture and prints the report.
    pub fn run(self) -> Result<()> {
        let mut found = Found::default();
        self.audio.iter().try_for_each(|audio| found.add(audio))?;
        let Found { files, passed_over, .. } = found;
        let inputs: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
        let check = |picture: &Path| outputs::check(&inputs, &[picture], self.force);
        if let Some(picture) = &self.picture {
            check(picture)?;
        }
        let mut report = Report::of(&files, &Terminal::new());
        report.rejected.extend(passed_over);
        streams::say(&describe(&report))?;
        ensure!(!files.is_empty(), "there is no recording that can be read in what was named");
        ensure!(!report.used.is_empty(), "none of {} files can be used, see above", files.len());
        let picture = self.picture.as_deref().unwrap_or(Path::new(PICTURE));
        // The default picture was not requested, so it overwrites no file and its failure is not an error.
        if self.picture.is_none()
            && let Err(why) = check(picture)
        {
            return streams::say(&format!("No picture was drawn: {why}\n"));
        }
        coverage::draw(picture, &report)?;
        streams::say(&format!("Pitch and loudness: {}\n", picture.display()))
    }
}

fn describe(report: &Report) -> String {
    let seconds: f32 = report.used.iter().map(|used| used.seconds).sum();
    let mut lines = vec![format!(
        "{} recordings, {:.1} minutes; {:.1} minutes with a pitch",
        report.used.len(),
        seconds / 60.0,
        report.minutes()
    )];
    if let Some([[low, high], [softest, loudest]]) = report.ranges() {
        lines.push(format!("Pitch: {} (90 % of it)", Note::range(low, high)));
        lines.push(format!("Loudness: {softest:.0} to {loudest:.0} dB (90 % of it)"));
    }
    if let Some(decay_s) = report.decay_s() {
        lines.push(format!("Notes fade by 60 dB in {decay_s:.1} s"));
    }
    if !report.rejected.is_empty() {
        lines.push(format!("Not used: {}", report.rejected.len()));
        lines.extend(report.rejected.iter().map(|(path, reason)| format!("  {}: {reason}", path.display())));
    }
    let advice = report.advice();
    if advice.is_empty() {
        lines.push("There is enough of everything.".into());
    } else {
        lines.push("What would help:".into());
        lines.extend(advice.iter().map(|advice| format!("  {advice}")));
    }
    lines.join("\n") + "\n"
}
