//! Libraries for tests: none of them sees what the player has.

use crate::library::{Folders, Library};
use crate::params::EmbouchureParams;
use crate::test_folder::TestFolder;
use std::sync::Arc;

/// What is shipped, and no folder.
pub fn shipped() -> Arc<Library> {
    Arc::new(Library::new(Folders::default()))
}

/// What is shipped, and what is in a folder.
pub fn library_in(folder: &TestFolder) -> Arc<Library> {
    Arc::new(Library::new(Folders {
        instruments: Some(folder.path("Instruments")),
        presets: Some(folder.path("Presets")),
        recent: Some(folder.path("recent.json")),
    }))
}

/// For tests of parameters, which need no library but to name the shipped instruments.
impl Default for EmbouchureParams {
    fn default() -> Self {
        Self::new(&shipped())
    }
}
