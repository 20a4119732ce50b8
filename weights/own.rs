//! The player's own instruments: files in a folder of which plugin and command line know.

use directories::ProjectDirs;
use std::path::{Path, PathBuf};

/// Ending of instrument files.
pub const ENDING: &str = "safetensors";

/// Where the system wants Embouchure's data and settings of its user.
pub fn system_folders() -> Option<ProjectDirs> {
    ProjectDirs::from("", "", "Embouchure")
}

/// The player's folder for instruments; it need not exist.
pub fn folder() -> Option<PathBuf> {
    Some(system_folders()?.data_dir().join("Instruments"))
}

/// Instrument files of a folder, by file name. A folder that cannot be read is empty. Allocates.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e.eq_ignore_ascii_case(ENDING)));
    files.sort();
    files
}
