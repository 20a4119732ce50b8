//! Instrument files that were opened lately, in all sessions.

use crate::whole_file;
use embouchure_weights::own;
use parking_lot::RwLock;
use std::path::{Path, PathBuf};

const N_RECENT: usize = 10;

static FILES: RwLock<Vec<PathBuf>> = RwLock::new(Vec::new());

/// The newest first. Waits for no disk; [`rescan`] does.
pub fn files() -> Vec<PathBuf> {
    FILES.read().clone()
}

/// Reads what all sessions remember.
pub fn rescan() {
    if let Some(place) = place() {
        *FILES.write() = read(&place);
    }
}

/// Remembers `path`. Failing to does no harm, so it says nothing.
pub fn add(path: &Path) {
    if let Some(place) = place() {
        add_at(&place, path);
        rescan();
    }
}

fn place() -> Option<PathBuf> {
    // The tests shall not fill the player's own list.
    if cfg!(test) { None } else { Some(own::system_folders()?.config_dir().join("recent.json")) }
}

fn read(place: &Path) -> Vec<PathBuf> {
    std::fs::read(place).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
}

fn add_at(place: &Path, path: &Path) {
    let mut files = read(place);
    files.retain(|file| file != path);
    files.insert(0, path.into());
    files.truncate(N_RECENT);
    if let Ok(text) = serde_json::to_vec(&files) {
        let _ = whole_file::write(place, &text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_folder::TestFolder;

    #[test]
    fn the_last_ten_are_kept_once_each() {
        let folder = TestFolder::new("recent");
        let place = folder.path("new folder/recent.json");
        assert!(read(&place).is_empty());
        for i in [1, 2, 3, 2] {
            add_at(&place, Path::new(&format!("{i}")));
        }
        assert_eq!(read(&place), ["2", "3", "1"].map(PathBuf::from));
        (0..20).for_each(|i| add_at(&place, Path::new(&format!("{i}"))));
        assert_eq!(read(&place).len(), N_RECENT);
        std::fs::write(&place, b"garbage").unwrap();
        assert!(read(&place).is_empty());
    }
}
