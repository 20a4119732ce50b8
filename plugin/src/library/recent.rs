//! Recently opened instrument files, of all sessions of all processes.

use crate::whole_file;
use parking_lot::RwLock;
use std::path::{Path, PathBuf};

const N_RECENT: usize = 10;

/// The list, stored in a small file.
pub struct Recent {
    /// The file; `None`: the list is not stored.
    list: Option<PathBuf>,
    files: RwLock<Vec<PathBuf>>,
}

impl Recent {
    /// An empty list until [`Recent::rescan`]; `list` is the file that stores it.
    pub fn new(list: Option<PathBuf>) -> Self {
        Self { list, files: RwLock::default() }
    }

    /// The newest first. Waits for no disk.
    pub fn files(&self) -> Vec<PathBuf> {
        self.files.read().clone()
    }

    /// Reads the list from its file. Blocks.
    pub fn rescan(&self) {
        if let Some(list) = &self.list {
            *self.files.write() = read(list);
        }
    }

    /// Adds `path` to the list. A failure is not reported, because it does no harm. Blocks.
    pub fn add(&self, path: &Path) {
        let Some(list) = &self.list else { return };
        // Another process may have added files since the last read.
        let mut files = read(list);
        files.retain(|file| file != path);
        files.insert(0, path.into());
        files.truncate(N_RECENT);
        if let Ok(text) = serde_json::to_vec(&files) {
            let _ = whole_file::write(list, &text);
        }
        self.rescan();
    }
}

fn read(list: &Path) -> Vec<PathBuf> {
    std::fs::read(list).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_folder::TestFolder;

    #[test]
    fn the_last_ten_are_kept_once_each() {
        let folder = TestFolder::new("recent");
        let list = folder.path("new folder/recent.json");
        let recent = Recent::new(Some(list.clone()));
        recent.rescan();
        assert!(recent.files().is_empty());
        for i in [1, 2, 3, 2] {
            recent.add(Path::new(&format!("{i}")));
        }
        assert_eq!(recent.files(), ["2", "3", "1"].map(PathBuf::from));
        let another = Recent::new(Some(list.clone()));
        another.rescan();
        assert_eq!(another.files(), recent.files(), "the file remembers");
        (0..20).for_each(|i| recent.add(Path::new(&format!("{i}"))));
        assert_eq!(recent.files().len(), N_RECENT);
        std::fs::write(&list, b"garbage").unwrap();
        recent.rescan();
        assert!(recent.files().is_empty());
        let nowhere = Recent::new(None);
        nowhere.add(Path::new("1"));
        assert!(nowhere.files().is_empty());
    }
}
