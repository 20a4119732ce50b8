//! `cargo xtask demo`, `train` and `bench`: another program of the workspace, built first.

use crate::workspace;
use anyhow::Result;
use std::ffi::{OsStr, OsString};

/// What the other program is told.
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub struct Arguments {
    /// Passed on; `--help` shows what there is
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// Runs the program of `package` in the working directory of the caller, so that relative paths mean what they say.
/// `command`: what comes before the arguments.
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
