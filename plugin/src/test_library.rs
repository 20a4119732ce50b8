//! Libraries for tests. None of them reads the user's own folders.

use crate::library::{Folders, Library};
use crate::params::EmbouchureParams;
use crate::test_folder::TestFolder;
use std::sync::Arc;

/// The shipped instruments and presets, without folders.
pub fn shipped() -> Arc<Library> {
    Arc::new(Library::new(Folders::default()))
}

/// The shipped instruments and presets, and those in a folder.
pub fn library_in(folder: &TestFolder) -> Arc<Library> {
    Arc::new(Library::new(Folders {
        instruments: Some(folder.path("Instruments")),
        presets: Some(folder.path("Presets")),
        recent: Some(folder.path("recent.json")),
    }))
}

/// For tests of parameters, which need a library only to name the shipped instruments.
impl Default for EmbouchureParams {
    fn default() -> Self {
        Self::new(&shipped())
    }
}
