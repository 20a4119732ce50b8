//! `cargo xtask train`: the same as `embouchure train`.

use crate::pass_on;
use anyhow::Result;

/// Builds the command line and runs its command `train`.
pub fn run(arguments: &pass_on::Arguments) -> Result<()> {
    pass_on::run("embouchure", &["train".as_ref()], arguments)
}
