//! `embouchure eval`: compares an instrument with recordings that it was not trained on.

mod card;
mod picture;

use crate::number::parse_within;
use crate::offline;
use crate::outputs::{self, Force};
use crate::progress::Terminal;
use crate::render::GateOptions;
use crate::{shelf, streams};
use anyhow::{Context, Result, ensure};
use clap::Args;
use embouchure_audio_file::{Audio, write_wav};
use embouchure_inference::engine::{DriverKind, Model};
use embouchure_inference::math::db::db_to_power;
use embouchure_inference::play::instrument::Instrument;
use embouchure_inference::settings::Settings;
use embouchure_training::evaluation::{Figures, RATE, compare, long_term_spectrum};
use embouchure_training::recordings::{Found, load_mono};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const BLOCK_SIZE: usize = 512;

/// Play recordings of an instrument through the instrument itself and compare, as JSON.
///
/// The recordings should not be among those it was trained on. Pitch and level are played as they are recorded.
#[derive(Args)]
pub struct EvalCommand {
    /// Name of an instrument that comes with Embouchure, or an instrument file.
    #[arg(value_name = "NAME|FILE")]
    instrument: String,
    /// Recording, or a folder of them; may be given more than once.
    #[arg(long, value_name = "DIR|FILE", required = true)]
    audio: Vec<PathBuf>,
    /// How far the recordings' own timbre is followed, as `render --follow`.
    #[arg(long, value_name = "0..1", default_value = "0", value_parser = |s: &str| parse_within(s, 0.0, 1.0))]
    follow: f32,
    #[command(flatten)]
    gate: GateOptions,
    /// Write each pair here, to listen to: NAME.recording.wav and NAME.rendering.wav.
    #[arg(long, value_name = "DIR")]
    pairs: Option<PathBuf>,
    /// Write a model card here (Markdown), and a picture beside it.
    #[arg(long, value_name = "FILE")]
    card: Option<PathBuf>,
    #[command(flatten)]
    force: Force,
}

impl EvalCommand {
    /// Renders, compares, and prints the figures.
    pub fn run(self) -> Result<()> {
        let recordings = self.recordings()?;
        let pairs = self.pairs(&recordings);
        self.check_files(&recordings, &pairs)?;
        let encoder = Arc::new(shelf::encoder()?);
        let bytes = shelf::load(&self.instrument)?;
        let instrument = Instrument::from_bytes(&bytes, &encoder).with_context(|| self.instrument.clone())?;
        let instrument = Arc::new(instrument);
        let (mut files, mut all) = (Vec::<Value>::new(), Vec::new());
        let mut spectra = [Vec::new(), Vec::new()];
        let progress = Terminal::new();
        for (i, path) in recordings.iter().enumerate() {
            let recording = load_mono(path, RATE, &progress).with_context(|| path.display().to_string())?;
            let (model, _) = Model::for_driver(DriverKind::Direct, &encoder, [Some(instrument.clone()), None]);
            let rendering = self.render(&recording, model)?;
            let figures = compare(&recording, &rendering)?;
            files.push(json!({ "file": path.display().to_string(), "figures": figures }));
            all.push(figures);
            add_spectrum(&mut spectra[0], &recording, 0.0);
            add_spectrum(&mut spectra[1], &rendering, figures.gain_db);
            if let Some(paths) = pairs.get(i) {
                write_pair(paths, [recording, rendering])?;
            }
        }
        let report = json!({
            "instrument": instrument.card.name,
            "id": instrument.id,
            "mean": Figures::mean(&all),
            "recordings": files,
        });
        if let Some(path) = &self.card {
            card::write(path, &instrument, &all, [&spectra[0], &spectra[1]])?;
        }
        streams::say(&(serde_json::to_string_pretty(&report)? + "\n"))
    }

    /// Output paths for each recording and its rendering. Names that occur twice get a number.
    fn pairs(&self, recordings: &[PathBuf]) -> Vec<[PathBuf; 2]> {
        let Some(folder) = &self.pairs else { return Vec::new() };
        let mut taken = HashSet::new();
        let pair = |recording: &PathBuf| {
            let stem = recording.file_stem().unwrap_or_default().to_string_lossy();
            let numbered = |n: usize| if n == 1 { stem.to_string() } else { format!("{stem}-{n}") };
            // Some file systems ignore the case of letters.
            let name = (1..).map(numbered).find(|name| taken.insert(name.to_lowercase())).unwrap_or_default();
            ["recording", "rendering"].map(|kind| folder.join(format!("{name}.{kind}.wav")))
        };
        recordings.iter().map(pair).collect()
    }

    fn check_files(&self, recordings: &[PathBuf], pairs: &[[PathBuf; 2]]) -> Result<()> {
        let card = self.card.as_ref();
        ensure!(
            card.is_none_or(|card| card.extension().is_none_or(|e| !e.eq_ignore_ascii_case("png"))),
            "the picture beside the card ends in .png: choose another name for the card"
        );
        let (instrument, picture) = (shelf::file_of(&self.instrument), card.map(|card| card.with_extension("png")));
        let inputs: Vec<&Path> = recordings.iter().chain(&instrument).map(PathBuf::as_path).collect();
        let outputs = card.into_iter().chain(&picture).chain(pairs.iter().flatten());
        outputs::check(&inputs, &outputs.map(PathBuf::as_path).collect::<Vec<_>>(), self.force)
    }

    fn render(&self, recording: &[f32], model: Model) -> Result<Vec<f32>> {
        let settings = Settings::default().with(|s| {
            (s.pitch.octave_fit, s.source.level_fit, s.sound.match_level) = (false, false, false);
            (s.sound.follow, s.sound.room) = (self.follow, 0.0);
            (s.source.gate_db, s.source.gate_follows_room) = (self.gate.gate, !self.gate.fixed_gate);
        });
        let audio = Audio { rate: RATE, channels: vec![recording.to_vec()] };
        let mut rendered = offline::render(audio, Box::new(model), BLOCK_SIZE, &settings, |_| ())?;
        ensure!(rendered.complete, "the engine lost part of the sound: please report this");
        Ok(rendered.audio.channels.swap_remove(0))
    }

    fn recordings(&self) -> Result<Vec<PathBuf>> {
        let mut found = Found::default();
        self.audio.iter().try_for_each(|audio| found.add(audio))?;
        ensure!(!found.files.is_empty(), "there is no recording that can be read to compare with");
        Ok(found.files)
    }
}

/// Adds the long-term spectrum of `samples`, scaled by `gain_db` to the other sound's level.
fn add_spectrum(sum: &mut Vec<f32>, samples: &[f32], gain_db: f32) {
    let spectrum = long_term_spectrum(samples);
    sum.resize(spectrum.len(), 0.0);
    let gain = db_to_power(gain_db);
    sum.iter_mut().zip(spectrum).for_each(|(sum, power)| *sum += gain * power);
}

fn write_pair(paths: &[PathBuf; 2], pair: [Vec<f32>; 2]) -> Result<()> {
    for (path, samples) in paths.iter().zip(pair) {
        write_wav(path, &Audio { rate: RATE, channels: vec![samples] })?;
    }
    Ok(())
}
