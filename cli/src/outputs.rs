//! Checks the output files of a command before its work begins, so that no file is lost by overwriting and no result is
//! lost at the end.

use anyhow::{Context, Result, bail, ensure};
use std::fs::OpenOptions;
use std::io::{IsTerminal, Write};
use std::path::Path;

/// Stands for standard input or standard output.
pub const DASH: &str = "-";

/// Whether existing files may be overwritten.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct Force {
    /// Overwrite files that are there already, without asking.
    #[arg(long)]
    pub force: bool,
}

/// True if the path stands for standard input or output.
pub fn is_dash(path: &Path) -> bool {
    path.as_os_str() == DASH
}

/// Creates the folders of `outputs`. Fails if an output cannot be written, or would overwrite one of `inputs` or
/// another output. Asks before overwriting existing files; fails if nobody can be asked.
pub fn check(inputs: &[&Path], outputs: &[&Path], force: Force) -> Result<()> {
    ensure!(outputs.iter().filter(|output| is_dash(output)).count() < 2, "only one file can go to standard output");
    for (i, output) in outputs.iter().enumerate().filter(|(_, output)| !is_dash(output)) {
        check_place(output)?;
        for input in inputs {
            ensure!(!is_same(input, output), "{} would be overwritten: choose another name", input.display());
        }
        let is_twice = outputs[..i].iter().any(|other| is_same(other, output));
        ensure!(!is_twice, "{} would be written twice: choose another name", output.display());
        check_writable(output)?;
    }
    // Asked last, so that nobody is asked in vain.
    outputs.iter().filter(|output| is_file(output) && !force.force).try_for_each(|output| ask(output))
}

/// Compares by identity where both files exist, so that links are recognised; otherwise by path.
fn is_same(a: &Path, b: &Path) -> bool {
    let is_one_file = same_file::is_same_file(a, b).unwrap_or(false);
    let full = |path: &Path| Some(folder_of(path).canonicalize().ok()?.join(path.file_name()?));
    is_one_file || full(a).zip(full(b)).is_some_and(|(a, b)| a == b)
}

fn is_file(path: &Path) -> bool {
    // Devices and pipes lose nothing when written to.
    !is_dash(path) && path.metadata().is_ok_and(|m| m.is_file())
}

fn check_place(output: &Path) -> Result<()> {
    ensure!(!output.is_dir(), "{} is a folder: name a file in it", output.display());
    let folder = folder_of(output);
    let cannot = || format!("cannot make the folder {}: choose another place", folder.display());
    std::fs::create_dir_all(folder).with_context(cannot)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."))
}

/// Writes a test file and removes it.
fn check_writable(output: &Path) -> Result<()> {
    let cannot = || format!("cannot write {}: choose another place, or change who may", output.display());
    if output.exists() {
        OpenOptions::new().append(true).open(output).with_context(cannot)?;
        return Ok(());
    }
    OpenOptions::new().write(true).create_new(true).open(output).with_context(cannot)?;
    std::fs::remove_file(output).with_context(cannot)
}

fn ask(output: &Path) -> Result<()> {
    if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
        bail!("{} is there already: choose another name, or say --force to overwrite it", output.display());
    }
    eprint!("{} is there already. Overwrite it? [y/N] ", output.display());
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    ensure!(answer.trim().eq_ignore_ascii_case("y"), "nothing was written");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORCE: Force = Force { force: true };

    fn message(inputs: &[&Path], outputs: &[&Path], force: Force) -> String {
        check(inputs, outputs, force).map_or_else(|e| format!("{e:#}"), |()| "fine".into())
    }

    #[test]
    fn overwriting_an_input_is_refused_even_by_force() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("in.wav"), b"recording").unwrap();
        std::fs::hard_link(path("in.wav"), path("hard.wav")).unwrap();
        let mut same = vec![path("in.wav"), path("hard.wav"), path("./in.wav")];
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(path("in.wav"), path("soft.wav")).unwrap();
            same.push(path("soft.wav"));
        }
        for output in same {
            assert!(message(&[&path("in.wav")], &[&output], FORCE).contains("would be overwritten"), "{output:?}");
        }
        let twice = message(&[], &[&path("a.wav"), &path("./a.wav")], FORCE);
        assert!(twice.contains("written twice"), "{twice}");
        assert_eq!(std::fs::read(path("in.wav")).unwrap(), b"recording");
    }

    #[test]
    fn unwritable_outputs_are_reported_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        assert!(message(&[], &[folder.path()], FORCE).contains("is a folder"));
        std::fs::write(path("file"), b"").unwrap();
        assert!(message(&[], &[&path("file/in it.wav")], FORCE).contains("cannot make the folder"));
        assert_eq!(message(&[], &[&path("new.wav")], Force::default()), "fine");
        assert!(!path("new.wav").exists(), "only tried");
        std::fs::write(path("old.wav"), b"old").unwrap();
        assert!(message(&[], &[&path("old.wav")], Force::default()).contains("--force"));
        assert_eq!(message(&[], &[&path("old.wav"), Path::new(DASH)], FORCE), "fine");
        assert_eq!(std::fs::read(path("old.wav")).unwrap(), b"old");
    }
}
