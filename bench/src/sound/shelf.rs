//! What weights/shelf.toml says of the instruments.

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use std::path::PathBuf;

const SHELF: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../weights/shelf.toml");

/// One instrument, as far as it is judged.
#[derive(Deserialize)]
pub struct Instrument {
    /// As on the command line.
    pub name: String,
    /// Folder of held-out recordings, within the data.
    pub judged_on: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Shelf {
    instrument: Vec<Instrument>,
}

/// All instruments, or those called `only`.
pub fn read(only: &[String]) -> Result<Vec<Instrument>> {
    let text = std::fs::read_to_string(SHELF).context(SHELF)?;
    let mut instruments = toml::from_str::<Shelf>(&text).context(SHELF)?.instrument;
    for name in only {
        ensure!(instruments.iter().any(|i| i.name == *name), "no instrument is called {name:?}");
    }
    instruments.retain(|i| only.is_empty() || only.contains(&i.name));
    Ok(instruments)
}

impl Instrument {
    /// What the judge calls it: the folder of its recordings, but for registers of one instrument.
    pub fn kind(&self) -> String {
        let folder = self.judged_on.as_ref().and_then(|path| path.file_name()).unwrap_or_default().to_string_lossy();
        folder.trim_end_matches("_low").into()
    }
}
