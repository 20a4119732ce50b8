//! Runs `embouchure` as a user would.

use anyhow::{Context, Result, ensure};
use std::path::PathBuf;
use std::process::Command;

/// Path of `embouchure`, beside this program.
pub fn find() -> Result<PathBuf> {
    let here = std::env::current_exe().context("cannot find this program")?;
    let program = here.with_file_name(format!("embouchure{}", std::env::consts::EXE_SUFFIX));
    ensure!(program.exists(), "run `cargo build --release --package embouchure` first: it is measured with");
    Ok(program)
}

/// Standard output of a command.
pub fn output_of(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}
