//! Small files that are written whole or not at all.

use std::io::Result;
use std::path::Path;

/// Puts `bytes` in the place of a file, and makes its folder. The new file is renamed when it is whole: a full disk must
/// not cost what was there.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
    // Other processes write their own.
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
    fn what_cannot_be_written_leaves_nothing_behind() {
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
