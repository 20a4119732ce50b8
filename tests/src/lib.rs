//! Finds the built plugin for the tests of this package.

use std::path::{Path, PathBuf};

/// The bundled CLAP file in the target folder that the running test was built in.
///
/// # Panics
/// When it was not built.
pub fn bundled_clap() -> PathBuf {
    let test = std::env::current_exe().expect("a test has a path");
    test.ancestors()
        .map(|folder| folder.join("bundled").join("Embouchure.clap"))
        .find(|path| path.exists())
        .unwrap_or_else(|| {
            let target = test.ancestors().nth(3).unwrap_or(Path::new("target"));
            panic!("no bundled/Embouchure.clap in {}: run `cargo xtask test`, which builds it", target.display())
        })
}
