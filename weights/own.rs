//! The player's own instruments: files in a folder that the plugin and the command line share.

use directories::ProjectDirs;
use std::path::{Path, PathBuf};

/// Extension of instrument files.
pub const ENDING: &str = "safetensors";

/// Folders for Embouchure's data and settings of this user, as the system has them; `None` without a home folder.
pub fn system_folders() -> Option<ProjectDirs> {
    ProjectDirs::from("", "", "Embouchure")
}

/// The player's folder for instruments; it need not exist. `None` as [`system_folders`].
pub fn folder() -> Option<PathBuf> {
    Some(system_folders()?.data_dir().join("Instruments"))
}

/// Instrument files of `folder`, sorted by file name; none if the folder cannot be read. Allocates.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e.eq_ignore_ascii_case(ENDING)));
    files.sort();
    files
}
