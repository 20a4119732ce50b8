//! Patches the plugin framework: applies the changes in `patches/` to the published crates.
//!
//! A patch file is called `CRATE-VERSION.patch` and contains the output of `diff -U0`: changed lines without context.
//! The patched crate is written to an ignored folder, which `[patch.crates-io]` in Cargo.toml refers to.

mod hunks;

use crate::workspace;
use anyhow::{Context, Result, bail};
use hunks::{Fit, Patch};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// Cargo's error message contains this path when someone builds before the folder exists.
const FOLDER: &str = "patched/run cargo xtask setup first";
/// Part of the stamp: change it to recreate the folders after a change of this code.
const STAMP_VERSION: &str = "1";

/// Creates every patched crate that is missing or was made from another patch.
pub fn ensure() -> Result<()> {
    for patched in all()? {
        patched.ensure()?;
    }
    Ok(())
}

/// A crate and its patches.
struct PatchedCrate {
    name: String,
    version: String,
    patch: String,
}

fn all() -> Result<Vec<PatchedCrate>> {
    let folder = workspace::root().join("patches");
    let mut paths: Vec<PathBuf> = fs::read_dir(&folder)
        .with_context(|| format!("cannot read {}", folder.display()))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    paths.retain(|path| path.extension().is_some_and(|e| e == "patch"));
    paths.iter().map(|path| PatchedCrate::read(path)).collect()
}

impl PatchedCrate {
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
        // Complete this folder under another name first, so that an interruption leaves no incomplete crate.
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
        // Warnings in published crates are not ours to fix.
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
        format!("{STAMP_VERSION} {} {hex}\n", self.version)
    }

    /// Folder of the published crate. Cargo fetches it and checks its checksum.
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
        // Use the versions that the main workspace has locked.
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

/// Copies the crate's files, without those that cargo adds.
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
        for patched in all().unwrap() {
            let published = patched.published().unwrap();
            let patches = Patch::read(&patched.patch).unwrap();
            assert!(!patches.is_empty());
            for patch in patches {
                let text = fs::read_to_string(published.join(&patch.file)).unwrap();
                let applied = patched.apply(&patch, &text).unwrap();
                assert_ne!(applied, text);
                // Patches that the crate already contains must be reported.
                let error = patched.apply(&patch, &applied).unwrap_err().to_string();
                assert!(error.contains(&patch.file), "{error}");
            }
        }
    }
}
