//! Tests of the VST3 in other hosts: pedalboard, which is built on JUCE, and Ardour, a DAW.

use crate::workspace;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Runs the tests in pedalboard, and in Ardour if it is installed. Returns their last lines.
pub fn run(vst3: &Path) -> Result<String> {
    let scripts = workspace::root().join("tests").join("foreign");
    let python = environment(&workspace::target_folder()?.join("foreign-hosts"), &scripts.join("requirements.txt"))?;
    println!("\nThe VST3 in pedalboard");
    let pedalboard = run_script(&python, &scripts.join("pedalboard_vst3.py"), vst3)?;
    if !has_ardour() {
        return Ok(format!("{pedalboard}; Ardour is not installed"));
    }
    println!("\nThe VST3 in Ardour");
    Ok(format!("{pedalboard}; {}", run_script(&python, &scripts.join("ardour_vst3.py"), vst3)?))
}

/// Ardour is only used if it is installed already: a whole DAW is too large to install for a test.
fn has_ardour() -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let is_it = |name: &str| name.starts_with("ardour") && name.ends_with("-lua");
    std::env::split_paths(&folders)
        .flat_map(|folder| std::fs::read_dir(folder).into_iter().flatten().flatten())
        .any(|file| is_it(&file.file_name().to_string_lossy()))
}

/// Runs a script with the plugin. Returns its last line.
fn run_script(python: &Path, script: &Path, vst3: &Path) -> Result<String> {
    let output = Command::new(python)
        .arg(script)
        .arg(vst3)
        // No screen is used, so that no window appears on the user's.
        .env_remove("DISPLAY")
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run python")?;
    let text = String::from_utf8_lossy(&output.stdout);
    print!("{text}");
    if !output.status.success() {
        bail!("{}: {}", script.display(), output.status);
    }
    Ok(text.lines().last().unwrap_or_default().to_owned())
}

/// Creates a Python environment with exactly the packages in `requirements`. Returns its interpreter.
fn environment(folder: &Path, requirements: &Path) -> Result<PathBuf> {
    let wanted = std::fs::read_to_string(requirements).context("cannot read requirements.txt")?;
    let python = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    // Written last, so that an interrupted installation is repeated.
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
