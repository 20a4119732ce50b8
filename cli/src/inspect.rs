//! `embouchure inspect`: describes a weights file.

use crate::{shelf, streams};
use anyhow::{Context, Result};
use clap::Args;
use embouchure_inference::hear::encoder::{self, Encoder};
use embouchure_inference::nn::weights::{LoadError, content_id};
use embouchure_inference::note::Note;
use embouchure_inference::play::instrument::{Card, Instrument};
use safetensors::SafeTensors;
use std::borrow::Cow;
use std::fmt::Write as _;

/// Name that stands for the built-in encoder.
const ENCODER_NAME: &str = "encoder";
/// Prefix of the format of encoder files; the version follows.
const ENCODER_FORMAT: &str = "embouchure-encoder/";

/// Show what an instrument is, where it comes from and what it can play.
///
/// Checks the whole file as well: what is shown here will load.
#[derive(Args)]
pub struct InspectCommand {
    /// Name of an instrument that comes with Embouchure, "encoder", or an instrument or encoder file.
    #[arg(value_name = "NAME|FILE")]
    wanted: String,
}

impl InspectCommand {
    /// Checks the file and prints its description.
    pub fn run(self) -> Result<()> {
        let bytes = if self.wanted.eq_ignore_ascii_case(ENCODER_NAME) {
            Cow::Borrowed(embouchure_weights::ENCODER)
        } else {
            shelf::load(&self.wanted)?
        };
        let text = describe(&bytes).with_context(|| self.wanted.clone())?;
        streams::say(&text)
    }
}

/// Format and version that a weights file states, before it is checked; empty if it states none. Reads only the header.
/// Allocates.
fn read_format(bytes: &[u8]) -> Result<String, LoadError> {
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|e| LoadError::Broken(e.to_string()))?;
    Ok(header.metadata().as_ref().and_then(|m| m.get("format")).cloned().unwrap_or_default())
}

/// Checks a weights file and describes it in lines of text. Allocates.
fn describe(bytes: &[u8]) -> Result<String, LoadError> {
    let mut text = if read_format(bytes)?.starts_with(ENCODER_FORMAT) {
        describe_encoder(&Encoder::from_bytes(bytes)?.card)
    } else {
        describe_instrument(&Instrument::of_any_encoder(bytes)?.card)
    };
    let _ = writeln!(text, "file size      {} kB", bytes.len().div_ceil(1000));
    let _ = writeln!(text, "content id     {}", content_id(bytes));
    Ok(text)
}

fn describe_encoder(card: &encoder::Card) -> String {
    let rows = [
        ("encoder", card.name.clone()),
        ("licence", card.licence.clone()),
        ("author", card.author.clone()),
        ("trained on", card.trained_on.clone()),
        ("date", card.date.clone()),
        ("steps", card.steps.to_string()),
        ("loss", format!("{:.4}", card.loss)),
    ];
    table(&rows)
}

fn describe_instrument(card: &Card) -> String {
    let Card { provenance, statistics, adjustments, run, shape, .. } = card;
    let fits = match shelf::encoder().is_ok_and(|encoder| encoder.speaks_to(&provenance.encoder_id)) {
        true => "in this program",
        false => "not in this program: cannot be played here",
    };
    let [low, high] = statistics.f0_range_hz;
    let [soft, middle, loud, loudest] = statistics.loudness_db;
    let octave = if adjustments.keeps_octave { "rather the source's" } else { "rather the middle of the range" };
    let rows = [
        ("instrument", card.name.clone()),
        ("family", card.family.clone()),
        ("licence", provenance.licence.clone()),
        ("author", provenance.author.clone()),
        ("trained on", provenance.trained_on.clone()),
        ("minutes", format!("{:.1}", provenance.minutes)),
        ("date", run.date.clone()),
        ("range", format!("{} ({low:.0} to {high:.0} Hz)", Note::range(low, high))),
        (
            "loudness",
            format!("{soft:.0} to {loudest:.0} dB, half of the time above {middle:.0}, a fifth above {loud:.0}"),
        ),
        ("breath", format!("{:+.0} dB", adjustments.breath_db)),
        ("dynamics", format!("{:.0} % of the source's", 100.0 * (1.0 - adjustments.compression))),
        ("octave", octave.into()),
        ("loss", format!("{:.4}", run.loss)),
        ("width", format!("{} units", shape.width)),
        ("encoder", format!("{} ({fits})", provenance.encoder_id)),
    ];
    table(&rows)
}

fn table(rows: &[(&str, String)]) -> String {
    rows.iter().map(|(name, value)| format!("{name:<14} {value}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use embouchure_inference::config::N_Z;
    use embouchure_inference::play::instrument::{Adjustments, FORMAT, Provenance, Run, Shape, Statistics};

    fn card() -> Card {
        Card {
            name: "Flugelhorn".into(),
            family: "brass".into(),
            provenance: Provenance {
                licence: "CC0".into(),
                author: "A. Player".into(),
                trained_on: "own recordings".into(),
                minutes: 12.34,
                encoder_id: "0123456789abcdef".into(),
            },
            shape: Shape { width: 192 },
            statistics: Statistics {
                f0_range_hz: [164.8, 932.3],
                loudness_db: [-60.0, -35.0, -25.0, -15.0],
                z_mean: vec![0.0; N_Z],
                z_std: vec![1.0; N_Z],
            },
            adjustments: Adjustments { breath_db: 3.0, compression: 0.25, keeps_octave: true },
            run: Run { loss: 0.1234, date: "2025-01-31".into() },
        }
    }

    #[test]
    fn a_card_is_shown_in_the_words_of_a_musician() {
        let text = describe_instrument(&card());
        for expected in [
            "instrument     Flugelhorn\n",
            "licence        CC0\n",
            "minutes        12.3\n",
            "breath         +3 dB\n",
            "dynamics       75 % of the source's\n",
            "octave         rather the source's\n",
            "range          E3 to A#5 (165 to 932 Hz)\n",
            "encoder        0123456789abcdef (not in this program: cannot be played here)\n",
        ] {
            assert!(text.contains(expected), "{expected}\nin\n{text}");
        }
    }

    #[test]
    fn an_encoder_is_recognised_by_its_format() {
        let text = describe(embouchure_weights::ENCODER).unwrap();
        assert!(text.starts_with("encoder        encoder\n") && text.contains("steps "), "{text}");
    }

    #[test]
    fn other_files_are_refused_by_name_of_what_is_wrong() {
        let message = |bytes: &[u8]| describe(bytes).unwrap_err().to_string();
        assert!(message(b"").contains("not a whole weights file"));
        assert!(message(b"RIFF....WAVE").contains("not a whole weights file"));
        let foreign =
            embouchure_inference::nn::weights::to_bytes(&Default::default(), &card(), "someone-else/7").unwrap();
        assert!(message(&foreign).contains("someone-else/7"));
        let bare = embouchure_inference::nn::weights::to_bytes(&Default::default(), &"no card", FORMAT).unwrap();
        assert!(message(&bare).contains("card is unreadable"));
    }
}
