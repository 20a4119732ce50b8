//! Standard input and output in place of files. Sound formats are read and written by jumping about, which a pipe cannot
//! do, so what comes or goes lies in a temporary file meanwhile.

use crate::outputs::is_dash;
use anyhow::{Context, Result};
use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;

/// Reads `path`, or a copy of standard input.
pub fn with_input<T>(path: &Path, read: impl FnOnce(&Path) -> Result<T>) -> Result<T> {
    if !is_dash(path) {
        return read(path);
    }
    let mut copy = tempfile::NamedTempFile::new().context("cannot keep what comes from standard input")?;
    std::io::copy(&mut std::io::stdin().lock(), &mut copy).context("cannot read standard input")?;
    read(copy.path()).context("standard input")
}

/// Writes `path`, or standard output. That somebody has stopped reading is no error.
pub fn with_output(path: &Path, write: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    if !is_dash(path) {
        return write(path);
    }
    let copy = tempfile::Builder::new().suffix(".wav").tempfile().context("cannot keep the result")?;
    write(copy.path())?;
    match std::io::copy(&mut File::open(copy.path())?, &mut std::io::stdout().lock()) {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(e).context("cannot write to standard output"),
        _ => Ok(()),
    }
}
