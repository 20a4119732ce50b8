//! Writes small files whole or not at all.

use std::io::Result;
use std::path::Path;

/// Replaces a file's contents by `bytes`, and creates its folder. A new file is written first and then renamed, so that
/// a full disk does not destroy the old one.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
    // A name of this process's own, because other processes may write at the same time.
    let new = path.with_extension(format!("{}.new", std::process::id()));
    let written = std::fs::write(&new, bytes).and_then(|()| std::fs::rename(&new, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&new);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_folder::TestFolder;

    #[test]
    fn a_failed_write_leaves_no_file_behind() {
        let folder = TestFolder::new("whole");
        let place = folder.path("new folder/a.json");
        write(&place, b"first").unwrap();
        write(&place, b"second").unwrap();
        assert_eq!(std::fs::read(&place).unwrap(), b"second");
        assert!(write(&folder.path("new folder"), b"in the place of a folder").is_err());
        let left = |path: &Path| std::fs::read_dir(path).unwrap().count();
        assert_eq!((left(folder.root()), left(&folder.path("new folder"))), (1, 1));
    }
}
