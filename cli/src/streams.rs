//! Standard input and output in place of files. Wav is written by jumping about, which a pipe cannot do, so what goes lies
//! in a temporary file first.

use crate::outputs::is_dash;
use anyhow::{Context, Result};
use embouchure_audio_file::{Recording, read_bytes, read_recording};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

/// Reads the recording `path`, or what comes from standard input.
pub fn read(path: &Path) -> Result<Recording> {
    if !is_dash(path) {
        return Ok(read_recording(path)?);
    }
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_to_end(&mut bytes).context("cannot read standard input")?;
    Ok(read_bytes(bytes, "standard input")?)
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
