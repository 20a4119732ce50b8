//! Places of the player's files.

use embouchure_weights::own;
use std::path::PathBuf;

/// Places in the file system. They need not exist. `None`: the system has no such place.
#[derive(Clone, Debug, Default)]
pub struct Folders {
    /// Folder of instrument files.
    pub instruments: Option<PathBuf>,
    /// Folder of preset files.
    pub presets: Option<PathBuf>,
    /// The file that lists recently opened instrument files.
    pub recent: Option<PathBuf>,
}

impl Folders {
    /// The operating system's places for such files of this user.
    pub fn of_this_user() -> Self {
        let system = own::system_folders();
        Self {
            instruments: own::folder(),
            presets: system.as_ref().map(|system| system.data_dir().join("Presets")),
            recent: system.as_ref().map(|system| system.config_dir().join("recent.json")),
        }
    }
}
