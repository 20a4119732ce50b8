//! The plugin framework as this project uses it: the published crate with the lines changed that `patches/` names.
//!
//! A patch file is called `CRATE-VERSION.patch` and holds what `diff -U0` prints: changed lines, no context. The mended
//! crate goes into an ignored folder, from which `[patch.crates-io]` in Cargo.toml takes it.

mod hunks;

use crate::workspace;
use anyhow::{Context, Result, bail};
use hunks::{Fit, Patch};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// Cargo's own error names this folder when a build is tried before it is there.
const FOLDER: &str = "patched/run cargo xtask setup first";
/// Goes into the stamp, so that a change here makes the folder anew.
const MADE_BY: &str = "1";

/// Makes every mended crate that is not there yet, or was made from another patch.
pub fn ensure() -> Result<()> {
    for mended in all()? {
        mended.ensure()?;
    }
    Ok(())
}

/// A crate and what is changed in it.
struct Mended {
    name: String,
    version: String,
    patch: String,
}

fn all() -> Result<Vec<Mended>> {
    let folder = workspace::root().join("patches");
    let mut paths: Vec<PathBuf> = fs::read_dir(&folder)
        .with_context(|| format!("cannot read {}", folder.display()))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    paths.retain(|path| path.extension().is_some_and(|e| e == "patch"));
    paths.iter().map(|path| Mended::read(path)).collect()
}

impl Mended {
    fn read(path: &Path) -> Result<Self> {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let (name, version) =
            stem.rsplit_once('-').with_context(|| format!("{} is not called CRATE-VERSION.patch", path.display()))?;
        let patch = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Self { name: name.into(), version: version.into(), patch })
    }

    fn ensure(&self) -> Result<()> {
        let folder = workspace::root().join(FOLDER).join(&self.name);
        let stamp_file = folder.join("mended-by");
        let stamp = self.stamp();
        if fs::read_to_string(&stamp_file).is_ok_and(|found| found == stamp) {
            return Ok(());
        }
        println!("Mending {} {}", self.name, self.version);
        let published = self.published()?;
        // Complete or not there at all, also when this is interrupted.
        let unfinished = folder.with_extension("unfinished");
        for old in [&unfinished, &folder] {
            if old.exists() {
                fs::remove_dir_all(old).with_context(|| format!("cannot remove {}", old.display()))?;
            }
        }
        copy(&published, &unfinished)?;
        for patch in Patch::read(&self.patch)? {
            let file = unfinished.join(&patch.file);
            let text = fs::read_to_string(&file).with_context(|| format!("{} has no {}", self.name, patch.file))?;
            fs::write(&file, self.apply(&patch, &text)?)?;
        }
        // Its warnings are its makers' business.
        let manifest = unfinished.join("Cargo.toml");
        let quiet = fs::read_to_string(&manifest)? + "\n[lints.rust]\nwarnings = \"allow\"\n";
        fs::write(&manifest, quiet)?;
        fs::write(unfinished.join("mended-by"), stamp)?;
        fs::rename(&unfinished, &folder)?;
        Ok(())
    }

    fn apply(&self, patch: &Patch, text: &str) -> Result<String> {
        for hunk in &patch.hunks {
            let what = format!("patches/{}-{}.patch, {} line {}", self.name, self.version, patch.file, hunk.line);
            match hunk.fit(text) {
                Fit::Exact => {}
                Fit::Needless => bail!("{what}: the crate has this change already; remove it from the patch"),
                Fit::Elsewhere(line) => bail!("{what}: these lines are at line {line} now; move the hunk"),
                Fit::Nowhere => bail!("{what}: the crate has changed here; see whether it still needs mending"),
            }
        }
        Ok(patch.apply(text))
    }

    fn stamp(&self) -> String {
        let digest = Sha256::digest(&self.patch);
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{MADE_BY} {} {hex}\n", self.version)
    }

    /// The folder of the crate as published. Cargo fetches it and checks what it got.
    fn published(&self) -> Result<PathBuf> {
        let project = workspace::root().join("patched").join(format!("published-{}", self.name));
        fs::create_dir_all(&project)?;
        let manifest = format!(
            "[package]\nname = \"published\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[lib]\npath = \"lib.rs\"\n\
             [workspace]\n[dependencies.{}]\nversion = \"={}\"\n",
            self.name, self.version
        );
        fs::write(project.join("Cargo.toml"), manifest)?;
        fs::write(project.join("lib.rs"), "")?;
        // The versions that the build wants anyway.
        fs::copy(workspace::root().join("Cargo.lock"), project.join("Cargo.lock"))?;
        let output = workspace::cargo()
            .args(["metadata", "--format-version", "1"])
            .current_dir(&project)
            .stderr(Stdio::inherit())
            .output()
            .context("cannot run cargo")?;
        if !output.status.success() {
            bail!("cargo cannot fetch {} {}: see above", self.name, self.version);
        }
        let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).context("cargo metadata")?;
        let is_it = |p: &&serde_json::Value| p["name"] == *self.name && p["version"] == *self.version;
        let package = metadata["packages"].as_array().and_then(|packages| packages.iter().find(is_it));
        let manifest = package.and_then(|p| p["manifest_path"].as_str()).context("cargo metadata lacks the crate")?;
        Ok(Path::new(manifest).parent().context("a manifest lies in a folder")?.to_owned())
    }
}

/// Copies what belongs to the crate, not what cargo keeps beside it.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (name, kind) = (entry.file_name(), entry.file_type()?);
        if name == "Cargo.lock" || name.to_string_lossy().starts_with('.') {
            continue;
        }
        if kind.is_dir() {
            copy(&entry.path(), &to.join(name))?;
        } else {
            fs::write(to.join(name), fs::read(entry.path())?)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hunk_still_changes_what_is_published() {
        for mended in all().unwrap() {
            let published = mended.published().unwrap();
            let patches = Patch::read(&mended.patch).unwrap();
            assert!(!patches.is_empty());
            for patch in patches {
                let text = fs::read_to_string(published.join(&patch.file)).unwrap();
                let applied = mended.apply(&patch, &text).unwrap();
                assert_ne!(applied, text);
                // A version that had it all would be told.
                let error = mended.apply(&patch, &applied).unwrap_err().to_string();
                assert!(error.contains(&patch.file), "{error}");
            }
        }
    }
}
