//! Reads the instruments from weights/shelf.toml.

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use std::path::PathBuf;

const SHELF: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../weights/shelf.toml");

/// The fields of an instrument that the judgement needs.
#[derive(Deserialize)]
pub struct Instrument {
    /// Name, as on the command line.
    pub name: String,
    /// Folder of held-out recordings, within the data folder.
    pub judged_on: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Shelf {
    instrument: Vec<Instrument>,
}

/// Reads all instruments, or those named in `only`.
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
    /// The judge's name of the instrument: the folder of its recordings, without a register.
    pub fn kind(&self) -> String {
        let folder = self.judged_on.as_ref().and_then(|path| path.file_name()).unwrap_or_default().to_string_lossy();
        folder.trim_end_matches("_low").into()
    }
}
