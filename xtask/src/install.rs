//! `cargo xtask install`: copies the plugins to the folders where hosts look for them. Changes nothing else.

use crate::bundle;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// Bundles the plugins and copies both formats.
pub fn run(arguments: &bundle::Arguments) -> Result<()> {
    let bundles = bundle::run(arguments)?;
    let folders = PluginFolders::of_user()?;
    for (bundle, folder) in [(&bundles.clap, &folders.clap), (&bundles.vst3, &folders.vst3)] {
        let installed = replace(bundle, folder)?;
        println!("Installed {}", installed.display());
    }
    println!("The app is {}", bundles.app.display());
    println!("If your host runs, let it scan for plugins again.");
    Ok(())
}

struct PluginFolders {
    clap: PathBuf,
    vst3: PathBuf,
}

impl PluginFolders {
    fn of_user() -> Result<Self> {
        let variable = |name| std::env::var_os(name).map(PathBuf::from).with_context(|| format!("{name} is not set"));
        Ok(if cfg!(windows) {
            let common = variable("LOCALAPPDATA")?.join("Programs").join("Common");
            Self { clap: common.join("CLAP"), vst3: common.join("VST3") }
        } else if cfg!(target_os = "macos") {
            let plugins = variable("HOME")?.join("Library/Audio/Plug-Ins");
            Self { clap: plugins.join("CLAP"), vst3: plugins.join("VST3") }
        } else {
            let home = variable("HOME")?;
            Self { clap: home.join(".clap"), vst3: home.join(".vst3") }
        })
    }
}

/// Copies `source` (file or folder) into `folder`. The old version stays in place until the new one is completely
/// copied beside it. Old files are never overwritten, so a host that has them open keeps them.
fn replace(source: &Path, folder: &Path) -> Result<PathBuf> {
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let name = source.file_name().context("a bundle has a name")?.to_string_lossy();
    let destination = folder.join(&*name);
    // A hidden name without a plugin extension keeps scanners from loading the incomplete copy.
    let incoming = folder.join(format!(".{name}.incoming"));
    let outgoing = folder.join(format!(".{name}.outgoing"));
    remove(&incoming)?;
    remove(&outgoing)?;
    copy(source, &incoming).with_context(|| format!("cannot copy to {}", incoming.display()))?;
    if destination.is_dir() || (cfg!(windows) && destination.exists()) {
        // A rename cannot replace a folder or, on Windows, a loaded file; so the old version is renamed first.
        fs::rename(&destination, &outgoing).with_context(|| format!("cannot replace {}", destination.display()))?;
    }
    fs::rename(&incoming, &destination).with_context(|| format!("cannot replace {}", destination.display()))?;
    if remove(&outgoing).is_err() {
        // On Windows a host may still have the old file open. The next install removes it.
        eprintln!("The old version is still in use: {}", outgoing.display());
    }
    Ok(destination)
}

fn copy(source: &Path, destination: &Path) -> Result<()> {
    if !source.is_dir() {
        fs::copy(source, destination)?;
        return Ok(());
    }
    fs::create_dir_all(destination)?;
    for entry in fs::read_dir(source)? {
        let entry = entry?;
        copy(&entry.path(), &destination.join(entry.file_name()))?;
    }
    Ok(())
}

fn remove(path: &Path) -> Result<()> {
    if path.is_dir() {
        fs::remove_dir_all(path)?;
    } else if path.exists() {
        fs::remove_file(path)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_files_and_folders_completely() {
        let base = std::env::temp_dir().join(format!("embouchure-install-{}", std::process::id()));
        let (source, folder) = (base.join("built"), base.join("plugins"));
        for round in ["first", "second"] {
            let _ = fs::remove_dir_all(&source);
            fs::create_dir_all(source.join("E.vst3/Contents")).unwrap();
            fs::write(source.join("E.clap"), round).unwrap();
            fs::write(source.join("E.vst3/Contents").join(round), round).unwrap();
            replace(&source.join("E.clap"), &folder).unwrap();
            replace(&source.join("E.vst3"), &folder).unwrap();
        }
        assert_eq!(fs::read_to_string(folder.join("E.clap")).unwrap(), "second");
        let mut left: Vec<_> = fs::read_dir(&folder).unwrap().map(|e| e.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["E.clap", "E.vst3"], "nothing else stays behind");
        let inside: Vec<_> =
            fs::read_dir(folder.join("E.vst3/Contents")).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(inside, ["second"], "no file of the old version stays");
        fs::remove_dir_all(&base).unwrap();
    }
}
