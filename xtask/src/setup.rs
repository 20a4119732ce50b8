//! `cargo xtask setup`: installs the system packages that building and testing need.

use crate::system::{self, Job};
use crate::workspace;
use anyhow::{Result, bail};
use std::process::Command;

/// Wait if another apt is running, for instance the one that sets up a fresh machine.
const WAIT_FOR_LOCK: [&str; 2] = ["-o", "DPkg::Lock::Timeout=200"];

/// Installs everything that `cargo xtask test` needs from the system.
pub fn run() -> Result<()> {
    install(&[Job::Build, Job::Test])
}

/// Installs the missing packages of `jobs`, as root on Debian and its derivatives. As another user it fails with the
/// command to run. On other systems it prints the packages and continues.
pub fn install(jobs: &[Job]) -> Result<()> {
    let missing = system::missing(jobs)?;
    missing.mention();
    if missing.packages.is_empty() || !missing.is_debian {
        return Ok(());
    }
    let names = missing.packages.join(" ");
    if !is_root() {
        bail!(
            "system packages are missing. Install them with\n    sudo apt-get update && \
             sudo apt-get install -y --no-install-recommends {names}"
        );
    }
    println!("Installing {names}");
    workspace::run(apt_get().args(["update", "-q"]))?;
    workspace::run(apt_get().args(["install", "-q", "-y", "--no-install-recommends"]).args(&missing.packages))
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive").args(WAIT_FOR_LOCK);
    command
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
