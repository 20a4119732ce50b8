//! The player's folder of presets.

use super::Preset;
use super::preset::FORMAT;
use crate::whole_file;
use std::io::{Error, Result};
use std::path::{Path, PathBuf};

/// The presets of a folder, in the order of file names; other files are ignored. Names are unique: a name that an
/// earlier preset has, or that `is_reserved` reserves, gets a number.
pub fn presets_in(folder: &Path, is_reserved: impl Fn(&str) -> bool) -> Vec<(PathBuf, Preset)> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|f| f.path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
    files.sort();
    let mut found: Vec<(PathBuf, Preset)> = Vec::new();
    for (path, mut preset) in files.into_iter().filter_map(|path| read(&path).map(|preset| (path, preset))) {
        let is_taken = |name: &str| is_reserved(name) || found.iter().any(|(_, preset)| preset.name == name);
        preset.name = free_name(&preset.name, is_taken);
        found.push((path, preset));
    }
    found
}

fn read(path: &Path) -> Option<Preset> {
    let mut preset: Preset = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
    // Presets of earlier versions lack this parameter and were made without its effect.
    preset.params.entry("match_level".into()).or_insert(0.0);
    let is_one = preset.format == FORMAT && preset.instruments[0].is_some();
    is_one.then_some(preset)
}

/// Writes a preset to the file of its name's preset, or to a new file.
pub fn save(folder: &Path, preset: &Preset, is_reserved: impl Fn(&str) -> bool) -> Result<()> {
    let there = presets_in(folder, is_reserved).into_iter().find(|(_, found)| found.name == preset.name);
    let path = there.map_or_else(|| free_file(folder, &preset.name), |(path, _)| path);
    let text = serde_json::to_vec_pretty(preset).map_err(Error::other)?;
    whole_file::write(&path, &text)
}

/// The name, with a number if it is taken.
fn free_name(name: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let numbered = |n: usize| if n == 1 { name.to_owned() } else { format!("{name} ({n})") };
    (1..).map(numbered).find(|name| !is_taken(name)).unwrap_or_default()
}

/// A new file for a preset's name. It gets a number if it exists, because different names may give the same file name.
fn free_file(folder: &Path, name: &str) -> PathBuf {
    // Replaces characters that file systems treat specially.
    let safe: String = name.chars().map(|c| if c.is_alphanumeric() || " -_".contains(c) { c } else { '_' }).collect();
    let numbered = |n: usize| folder.join(if n == 1 { format!("{safe}.json") } else { format!("{safe} {n}.json") });
    (1..).map(numbered).find(|path| !path.exists()).unwrap_or_else(|| numbered(1))
}
