//! Standard input and output in place of files. A wav file needs random access while it is written, which a pipe lacks,
//! so output goes to a temporary file first.

use crate::outputs::is_dash;
use anyhow::{Context, Result};
use embouchure_audio_file::{Recording, read_bytes, read_recording};
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

/// Reads the recording `path`, or standard input.
pub fn read(path: &Path) -> Result<Recording> {
    if !is_dash(path) {
        return Ok(read_recording(path)?);
    }
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_to_end(&mut bytes).context("cannot read standard input")?;
    Ok(read_bytes(bytes, "standard input")?)
}

/// Writes a text to standard output, unchanged.
pub fn say(text: &str) -> Result<()> {
    unless_closed(std::io::stdout().lock().write_all(text.as_bytes()))
}

/// Ignores the error when the reader of standard output has closed it, as `head` does.
fn unless_closed<T>(written: std::io::Result<T>) -> Result<()> {
    match written {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(e).context("cannot write to standard output"),
        _ => Ok(()),
    }
}

/// Calls `write` with `path`, or with a temporary file that is then copied to standard output.
pub fn with_output(path: &Path, write: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    if !is_dash(path) {
        return write(path);
    }
    let copy = tempfile::NamedTempFile::new().context("cannot keep the result")?;
    write(copy.path())?;
    unless_closed(std::io::copy(&mut File::open(copy.path())?, &mut std::io::stdout().lock()))
}
