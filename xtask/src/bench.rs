//! `cargo xtask bench`: the measurements, built first.

use crate::workspace;
use anyhow::Result;
use std::ffi::OsString;

/// Arguments of `cargo xtask bench`.
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub struct Arguments {
    /// Passed on; `--help` shows what there is
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// Runs it in the working directory of the caller, so that relative paths mean what they say.
pub fn run(arguments: &Arguments) -> Result<()> {
    let mut command = workspace::cargo();
    command
        .args(["run", "--release", "--package", "embouchure-bench", "--manifest-path"])
        .arg(workspace::root().join("Cargo.toml"))
        .arg("--")
        .args(&arguments.arguments);
    workspace::run(&mut command)
}
