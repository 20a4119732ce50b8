//! How sessions and presets name an instrument.

use embouchure_weights::DEFAULT_INSTRUMENT;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Names an instrument without holding it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum InstrumentRef {
    /// One of those in the binary.
    BuiltIn {
        /// Key in `embouchure_weights::INSTRUMENTS`.
        name: String,
    },
    /// A weights file of the player's.
    File {
        /// Name on its card, to show while the file cannot be read.
        #[serde(default)]
        name: String,
        /// Where it was.
        path: PathBuf,
        /// Content id when the session was made; empty if not known.
        #[serde(default)]
        id: String,
    },
}

impl InstrumentRef {
    /// Names one of the instruments in the binary.
    pub fn built_in(name: &str) -> Self {
        Self::BuiltIn { name: name.into() }
    }

    /// Names a file whose content has this `id`. A path that is not Unicode is stored approximately, because a
    /// project file cannot hold it.
    pub fn file(name: &str, path: &Path, id: &str) -> Self {
        Self::File { name: name.into(), path: path.to_string_lossy().into_owned().into(), id: id.into() }
    }

    /// True for the same content, or where that is not known, the same file.
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File { id, path, .. }, Self::File { id: other_id, path: other_path, .. }) => {
                if id.is_empty() || other_id.is_empty() { path == other_path } else { id == other_id }
            }
            _ => self == other,
        }
    }

    /// For messages.
    pub fn name(&self) -> &str {
        match self {
            Self::BuiltIn { name } => name,
            Self::File { name, path, .. } if name.is_empty() => path.to_str().unwrap_or_default(),
            Self::File { name, .. } => name,
        }
    }
}

impl Default for InstrumentRef {
    fn default() -> Self {
        Self::built_in(DEFAULT_INSTRUMENT)
    }
}
