//! Where a player's files are.

use embouchure_weights::own;
use std::path::PathBuf;

/// Places in the file system. Nothing need exist there. `None`: the system has no such place.
#[derive(Clone, Debug, Default)]
pub struct Folders {
    /// Folder of instrument files.
    pub instruments: Option<PathBuf>,
    /// Folder of preset files.
    pub presets: Option<PathBuf>,
    /// The file that lists instrument files opened lately.
    pub recent: Option<PathBuf>,
}

impl Folders {
    /// Where the system wants such files of its user.
    pub fn of_this_user() -> Self {
        let system = own::system_folders();
        Self {
            instruments: own::folder(),
            presets: system.as_ref().map(|system| system.data_dir().join("Presets")),
            recent: system.as_ref().map(|system| system.config_dir().join("recent.json")),
        }
    }
}
