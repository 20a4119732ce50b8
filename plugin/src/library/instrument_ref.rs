//! References to instruments, as sessions and presets store them.

use embouchure_weights::DEFAULT_INSTRUMENT;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Names an instrument, without its weights.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum InstrumentRef {
    /// A shipped instrument.
    BuiltIn {
        /// Key in `embouchure_weights::INSTRUMENTS`.
        name: String,
    },
    /// One of the player's weights files.
    File {
        /// Name on its card, to show while the file cannot be read.
        #[serde(default)]
        name: String,
        /// Path of the file when it was chosen.
        path: PathBuf,
        /// Content id of the file when it was chosen; empty if unknown.
        #[serde(default)]
        id: String,
    },
}

impl InstrumentRef {
    /// Names a shipped instrument.
    pub fn built_in(name: &str) -> Self {
        Self::BuiltIn { name: name.into() }
    }

    /// Names a file whose content has this `id`. A path that is not Unicode is stored approximately, because a project
    /// file cannot contain it.
    pub fn file(name: &str, path: &Path, id: &str) -> Self {
        Self::File { name: name.into(), path: path.to_string_lossy().into_owned().into(), id: id.into() }
    }

    /// True for the same content, or for the same path where the content is unknown.
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File { id, path, .. }, Self::File { id: other_id, path: other_path, .. }) => {
                if id.is_empty() || other_id.is_empty() { path == other_path } else { id == other_id }
            }
            _ => self == other,
        }
    }

    /// Its name in messages.
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
