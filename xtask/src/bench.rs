//! `cargo xtask bench`: runs the measurements.

use crate::pass_on;
use anyhow::Result;

/// Builds the measuring program and runs it.
pub fn run(arguments: &pass_on::Arguments) -> Result<()> {
    pass_on::run("embouchure-bench", &[], arguments)
}
