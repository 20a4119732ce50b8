//! Where instruments come from: those that are shipped, those in the player's folder, and other files.

use anyhow::{Context, Result, bail};
use directories::ProjectDirs;
use embouchure_inference::encoder::Encoder;
use embouchure_inference::instrument::Card;
use embouchure_inference::weights::read_file;
use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// The encoder that is built in, to which the shipped instruments listen. Allocates.
pub fn encoder() -> Result<Encoder> {
    Encoder::from_bytes(embouchure_weights::ENCODER).context("the encoder of this program")
}

/// Content of the shipped instrument called `wanted`, or else of the file of that name, or of that in the player's folder
/// which the plugin would call so. Allocates.
pub fn load(wanted: &str) -> Result<Cow<'static, [u8]>> {
    let is_called_so = |(key, bytes): &&(&str, &[u8])| {
        plain(key) == plain(wanted) || Card::of(bytes).is_ok_and(|card| plain(&card.name) == plain(wanted))
    };
    if let Some((_, bytes)) = embouchure_weights::INSTRUMENTS.iter().find(is_called_so) {
        return Ok(Cow::Borrowed(bytes));
    }
    if Path::new(wanted).exists() {
        return Ok(Cow::Owned(read_file(Path::new(wanted))?));
    }
    let named = |path: &PathBuf| {
        let bytes = read_file(path).ok()?;
        let is_it = Card::of(&bytes).is_ok_and(|card| plain(&card.name) == plain(wanted));
        is_it.then_some(bytes)
    };
    match own_files().iter().find_map(named) {
        Some(bytes) => Ok(Cow::Owned(bytes)),
        None => bail!("there is no instrument and no file called {wanted:?}; the instruments are: {}", names()),
    }
}

/// As a person may write a name: "French Horn", "french-horn", "french_horn".
fn plain(name: &str) -> String {
    name.trim().to_lowercase().replace([' ', '-'], "_")
}

/// The player's folder for instruments, the plugin's, too; it need not exist.
pub fn folder() -> Option<PathBuf> {
    Some(ProjectDirs::from("", "", "Embouchure")?.data_dir().join("Instruments"))
}

/// Instrument files in that folder, by name. Allocates.
pub fn own_files() -> Vec<PathBuf> {
    let entries = folder().and_then(|folder| std::fs::read_dir(folder).ok()).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e.eq_ignore_ascii_case("safetensors")));
    files.sort();
    files
}

/// Names of the shipped instruments, for a message. Allocates.
pub fn names() -> String {
    let name = |(_, bytes): &(&str, &[u8])| Card::of(bytes).unwrap_or_default().name;
    embouchure_weights::INSTRUMENTS.iter().map(name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_the_window_shows_it_and_as_the_file_is_called() {
        let horn = embouchure_weights::instrument("french-horn").unwrap();
        for name in ["French Horn", "french_horn", "FRENCH-HORN", " french horn "] {
            assert!(&*load(name).unwrap() == horn, "{name}");
        }
        let error = load("kazoo").unwrap_err().to_string();
        assert!(error.contains("kazoo") && error.contains("French Horn"), "{error}");
    }
}
