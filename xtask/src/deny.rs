//! `cargo xtask deny`: checks the dependencies against `deny.toml` with cargo-deny.

use crate::workspace;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A fixed version, so that the result is the same on every machine.
const VERSION: &str = "0.20.2";
/// Checks that need no advisory database.
const WITHOUT_DATABASE: [&str; 3] = ["licenses", "bans", "sources"];
/// Warnings that do not apply to xtask: it links fewer crates than the main workspace, so some entries of deny.toml are
/// unused.
const NOT_IN_XTASK: [&str; 6] =
    ["-A", "license-not-encountered", "-A", "license-exception-not-encountered", "-A", "unused-wrapper"];

/// Checks licences, bans and sources of both workspaces, and advisories if their database can be fetched.
pub fn run() -> Result<()> {
    let program = program()?;
    let check = |what: &[&str]| {
        workspace::run(deny(&program).arg("check").args(what))?;
        let own = workspace::root().join("xtask/Cargo.toml");
        workspace::run(deny(&program).arg("--manifest-path").arg(own).arg("check").args(NOT_IN_XTASK).args(what))
    };
    check(&WITHOUT_DATABASE)?;
    // Some machines reach only the crate registry and cannot fetch the database. The other checks work there.
    if let Err(error) = workspace::run(deny(&program).args(["fetch", "db"])) {
        println!("advisories NOT CHECKED: their database cannot be fetched ({error:#})");
        return Ok(());
    }
    check(&["--disable-fetch", "advisories"])
}

/// A cargo-deny command with this project's settings, to which a subcommand is added.
fn deny(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.arg("--config").arg(workspace::root().join("deny.toml")).current_dir(workspace::root());
    // git must fail instead of asking for a password.
    command.env("GIT_TERMINAL_PROMPT", "0");
    command
}

/// Path of cargo-deny: from PATH if it has this version, otherwise from the target folder, where it is built if
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
    // A debug build takes half as long, and the checks take only seconds either way.
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

/// `said`: output of `cargo-deny --version`.
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
