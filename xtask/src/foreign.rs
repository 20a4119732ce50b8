//! The test of the VST3 in pedalboard, a host built on JUCE: someone else's idea of what a plugin must do.

use crate::workspace;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Runs the test; gives its last line.
pub fn run(vst3: &Path) -> Result<String> {
    let scripts = workspace::root().join("tests").join("foreign");
    let python = environment(&workspace::target_folder()?.join("foreign-hosts"), &scripts.join("requirements.txt"))?;
    println!("\nThe VST3 in pedalboard");
    let output = Command::new(python)
        .arg(scripts.join("pedalboard_vst3.py"))
        .arg(vst3)
        // Without a screen, and never on somebody's.
        .env_remove("DISPLAY")
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run python")?;
    let text = String::from_utf8_lossy(&output.stdout);
    print!("{text}");
    if !output.status.success() {
        bail!("pedalboard_vst3.py: {}", output.status);
    }
    Ok(text.lines().last().unwrap_or_default().to_owned())
}

/// A Python environment with exactly the packages that `requirements` names; gives its interpreter.
fn environment(folder: &Path, requirements: &Path) -> Result<PathBuf> {
    let wanted = std::fs::read_to_string(requirements).context("cannot read requirements.txt")?;
    let python = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    // Written last: an interrupted installation is made anew.
    let stamp = folder.join("installed-requirements.txt");
    if python.exists() && std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    let system_python = if cfg!(windows) { "python" } else { "python3" };
    workspace::run(Command::new(system_python).args(["-m", "venv"]).arg(folder))
        .context("cannot make a Python environment")?;
    workspace::run(
        Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:", "-r"])
            .arg(requirements),
    )
    .context("cannot install the Python packages of the foreign hosts (is the network reachable?)")?;
    std::fs::write(&stamp, wanted)?;
    Ok(python)
}
