//! `embouchure list`: lists the available instruments.

use crate::streams;
use anyhow::Result;
use clap::Args;
use embouchure_inference::nn::weights::read_file;
use embouchure_inference::note::Note;
use embouchure_inference::play::instrument::Card;
use embouchure_weights::own;

/// Show the instruments that there are: those that come with Embouchure, and the files in your folder.
#[derive(Args)]
pub struct ListCommand {}

impl ListCommand {
    /// Prints one line for each instrument.
    pub fn run(self) -> Result<()> {
        let shipped = embouchure_weights::INSTRUMENTS.iter().filter_map(|(_, bytes)| Card::of(bytes).ok());
        let shipped = table(shipped.map(|card| row(&card)).collect());
        let Some(folder) = own::folder() else { return streams::say(&format!("{shipped}\n")) };
        let own = own::files(&folder).into_iter().map(|path| {
            let card =
                read_file(&path).map_err(|e| e.to_string()).and_then(|b| Card::of(&b).map_err(|e| e.to_string()));
            card.map_or_else(|why| [path.display().to_string(), why, String::new(), String::new()], |card| row(&card))
        });
        streams::say(&format!("{shipped}\n\nYour folder: {}\n{}\n", folder.display(), table(own.collect())))
    }
}

fn row(card: &Card) -> [String; 4] {
    let [low, high] = card.statistics.f0_range_hz;
    [card.name.clone(), card.family.clone(), Note::range(low, high), card.provenance.licence.clone()]
}

fn table(rows: Vec<[String; 4]>) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths = [0, 1, 2, 3].map(width);
    let line = |row: &[String; 4]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}
