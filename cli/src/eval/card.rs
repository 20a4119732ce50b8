//! Writes the model card of an instrument: its description, its sources, its accuracy on recordings, and a picture.

use super::picture;
use anyhow::{Context, Result};
use embouchure_inference::note::Note;
use embouchure_inference::play::instrument::{Card, Instrument, Provenance};
use embouchure_training::evaluation::Figures;
use std::fmt::Write;
use std::path::Path;

/// Writes `path` (Markdown), and a picture with the same name beside it. `spectra`: long-term spectra of all recordings
/// and of all renderings.
pub fn write(path: &Path, instrument: &Instrument, all: &[Figures], spectra: [&[f32]; 2]) -> Result<()> {
    let image = path.with_extension("png");
    picture::draw(&image, &instrument.card.name, spectra)?;
    let name = image.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let text = describe(instrument, all, &name);
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn describe(instrument: &Instrument, all: &[Figures], picture: &str) -> String {
    let Card { name, family, provenance, statistics, run, .. } = &instrument.card;
    let Provenance { licence, author, trained_on, minutes, encoder_id } = provenance;
    let date = &run.date;
    let [low, high] = statistics.f0_range_hz;
    let [softest, _, _, loudest] = statistics.loudness_db;
    let mean = Figures::mean(all);
    let mut text = format!(
        "# {name}\n\nWritten by `embouchure eval`.\n\n\
         | | |\n|---|---|\n\
         | family | {family} |\n\
         | playable range | {} ({low:.0} to {high:.0} Hz) |\n\
         | loudness of the recordings | {softest:.0} to {loudest:.0} dB |\n\
         | trained on | {minutes:.1} minutes, {date} |\n\
         | licence | {licence} |\n\
         | author | {author} |\n\
         | file | {} |\n\
         | encoder | {encoder_id} |\n\n\
         Recordings: {trained_on}.\n\n",
        Note::range(low, high),
        instrument.id,
    );
    let _ = writeln!(
        text,
        "## Played by itself\n\nMean over {} recordings that it was not trained on, pitch and level as recorded.\n\n\
         | figure | |\n|---|--:|\n\
         | multi-scale spectral loss | {:.3} |\n\
         | log-mel difference | {:.1} dB |\n\
         | loudness difference | {:.1} dB |\n\
         | pitch within 50 cents | {:.1} % |\n\
         | pitch, median difference | {:.1} cents |\n\
         | spectral centroid, rendering / recording | {:.2} |\n\
         | power above 4 kHz, rendering / recording | {:+.1} dB |\n\n\
         ![Long-term spectra of recordings and renderings]({picture})",
        all.len(),
        mean.multi_scale,
        mean.log_mel_db,
        mean.loudness_db,
        100.0 * mean.pitch_share,
        mean.cents,
        mean.centroid_ratio,
        mean.treble_db,
    );
    text
}
