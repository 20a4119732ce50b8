//! `cargo xtask deny`: what may be linked, as `deny.toml` says, checked by cargo-deny.

use crate::workspace;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// One version, so that every machine gives the same verdict.
const VERSION: &str = "0.20.2";
/// What needs the dependencies alone.
const WITHOUT_DATABASE: [&str; 3] = ["licenses", "bans", "sources"];
/// This program links less than the main workspace, so some of what deny.toml allows does not occur in it.
const NOT_IN_XTASK: [&str; 6] =
    ["-A", "license-not-encountered", "-A", "license-exception-not-encountered", "-A", "unused-wrapper"];

/// Checks licences, bans and sources of both workspaces; advisories too where their database can be fetched.
pub fn run() -> Result<()> {
    let program = program()?;
    let check = |what: &[&str]| {
        workspace::run(deny(&program).arg("check").args(what))?;
        let own = workspace::root().join("xtask/Cargo.toml");
        workspace::run(deny(&program).arg("--manifest-path").arg(own).arg("check").args(NOT_IN_XTASK).args(what))
    };
    check(&WITHOUT_DATABASE)?;
    // A machine that reaches only the registry of Rust cannot fetch it. The other checks hold there all the same.
    if let Err(error) = workspace::run(deny(&program).args(["fetch", "db"])) {
        println!("advisories NOT CHECKED: their database cannot be fetched ({error:#})");
        return Ok(());
    }
    check(&["--disable-fetch", "advisories"])
}

/// cargo-deny with this project's settings, ready for a subcommand.
fn deny(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.arg("--config").arg(workspace::root().join("deny.toml")).current_dir(workspace::root());
    // git must fail where it would ask.
    command.env("GIT_TERMINAL_PROMPT", "0");
    command
}

/// The cargo-deny on the PATH if it has this version, otherwise one in the target folder, which is built when it is
/// missing.
fn program() -> Result<PathBuf> {
    let folder = workspace::target_folder()?.join("tools");
    let own = folder.join("bin").join(format!("cargo-deny{}", std::env::consts::EXE_SUFFIX));
    if let Some(found) = [PathBuf::from("cargo-deny"), own.clone()].into_iter().find(|path| is_wanted(path)) {
        return Ok(found);
    }
    println!("Building cargo-deny {VERSION} into {}", folder.display());
    let mut install = workspace::cargo();
    install.args(["install", "cargo-deny", "--locked", "--force", "--version", VERSION, "--root"]).arg(&folder);
    // A check takes seconds either way, and this takes half as long to build.
    install.arg("--debug");
    workspace::run(&mut install).context("cannot build cargo-deny")?;
    if !is_wanted(&own) {
        bail!("{} is not cargo-deny {VERSION}", own.display());
    }
    Ok(own)
}

fn is_wanted(program: &Path) -> bool {
    let output = Command::new(program).arg("--version").output();
    output.is_ok_and(|output| is_version(&String::from_utf8_lossy(&output.stdout)))
}

/// `said`: what `cargo-deny --version` prints.
fn is_version(said: &str) -> bool {
    said.trim().strip_prefix("cargo-deny ") == Some(VERSION)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_version_is_not_taken() {
        assert!(is_version(&format!("cargo-deny {VERSION}\n")));
        assert!(
            !is_version("cargo-deny 0.1.0\n") && !is_version(&format!("cargo-deny {VERSION}1\n")) && !is_version("")
        );
        assert!(!is_wanted(Path::new("no-program-has-this-name")));
    }
}
