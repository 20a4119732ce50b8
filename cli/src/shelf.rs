//! Finds instruments: shipped ones, those in the player's folder, and other files.

use anyhow::{Context, Result, bail};
use embouchure_inference::hear::encoder::Encoder;
use embouchure_inference::nn::weights::read_file;
use embouchure_inference::play::instrument::Card;
use embouchure_weights::own;
use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// The built-in encoder, which the shipped instruments use. Allocates.
pub fn encoder() -> Result<Encoder> {
    Encoder::from_bytes(embouchure_weights::ENCODER).context("the encoder of this program")
}

/// Reads the instrument called `wanted`: a shipped one, otherwise the file of that path, otherwise a file in the
/// player's folder that the plugin shows under that name. Allocates.
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
    match own_file(wanted) {
        Some(path) => Ok(Cow::Owned(read_file(&path)?)),
        None => bail!("there is no instrument and no file called {wanted:?}; the instruments are: {}", names()),
    }
}

/// The file that [`load`] would read; `None` for a shipped instrument.
pub fn file_of(wanted: &str) -> Option<PathBuf> {
    let path = PathBuf::from(wanted);
    if path.exists() { Some(path) } else { own_file(wanted) }
}

fn own_file(wanted: &str) -> Option<PathBuf> {
    let is_it = |path: &PathBuf| {
        let card = read_file(path).ok().and_then(|bytes| Card::of(&bytes).ok());
        card.is_some_and(|card| plain(&card.name) == plain(wanted))
    };
    own::folder().iter().flat_map(|folder| own::files(folder)).find(is_it)
}

/// Normalises a name: people write "French Horn", "french-horn", "french_horn".
fn plain(name: &str) -> String {
    name.trim().to_lowercase().replace([' ', '-'], "_")
}

/// Names of the shipped instruments, for a message. Allocates.
pub fn names() -> String {
    let name = |(_, bytes): &(&str, &[u8])| Card::of(bytes).map(|card| card.name).ok();
    embouchure_weights::INSTRUMENTS.iter().filter_map(name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instrument_is_found_by_its_shown_name_and_by_its_file_name() {
        let horn = embouchure_weights::instrument("french-horn").unwrap();
        for name in ["French Horn", "french_horn", "FRENCH-HORN", " french horn "] {
            assert!(&*load(name).unwrap() == horn, "{name}");
        }
        let error = load("kazoo").unwrap_err().to_string();
        assert!(error.contains("kazoo") && error.contains("French Horn"), "{error}");
    }
}
