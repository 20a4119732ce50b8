//! `cargo xtask demo`, `train` and `bench`: builds another program of the workspace and runs it.

use crate::workspace;
use anyhow::Result;
use std::ffi::{OsStr, OsString};

/// Arguments for the other program.
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub struct Arguments {
    /// Passed on; `--help` shows what there is
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// Runs the program of `package` in the caller's working directory, so that relative paths keep their meaning.
/// `command`: arguments before the user's.
pub fn run(package: &str, command: &[&OsStr], arguments: &Arguments) -> Result<()> {
    let mut cargo = workspace::cargo();
    cargo
        .args(["run", "--release", "--package", package, "--manifest-path"])
        .arg(workspace::root().join("Cargo.toml"))
        .arg("--")
        .args(command)
        .args(&arguments.arguments);
    workspace::run(&mut cargo)
}
