//! The player's folder of presets.

use super::Preset;
use super::preset::FORMAT;
use crate::whole_file;
use std::io::{Error, Result};
use std::path::{Path, PathBuf};

/// The presets of a folder, by file name; other files are left out. Each has a name of its own: one that has the name of
/// another, or a name that `is_kept`, gets a number.
pub fn presets_in(folder: &Path, is_kept: impl Fn(&str) -> bool) -> Vec<(PathBuf, Preset)> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|f| f.path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
    files.sort();
    let mut found: Vec<(PathBuf, Preset)> = Vec::new();
    for (path, mut preset) in files.into_iter().filter_map(|path| read(&path).map(|preset| (path, preset))) {
        let is_taken = |name: &str| is_kept(name) || found.iter().any(|(_, preset)| preset.name == name);
        preset.name = free_name(&preset.name, is_taken);
        found.push((path, preset));
    }
    found
}

fn read(path: &Path) -> Option<Preset> {
    let mut preset: Preset = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
    // A preset of an earlier version, which had no such parameter, sounds as it did.
    preset.params.entry("match_level".into()).or_insert(0.0);
    let is_one = preset.format == FORMAT && preset.instruments[0].is_some();
    is_one.then_some(preset)
}

/// Writes a preset over the one of its name, or to a new file.
pub fn save(folder: &Path, preset: &Preset, is_kept: impl Fn(&str) -> bool) -> Result<()> {
    let there = presets_in(folder, is_kept).into_iter().find(|(_, found)| found.name == preset.name);
    let path = there.map_or_else(|| free_file(folder, &preset.name), |(path, _)| path);
    let text = serde_json::to_vec_pretty(preset).map_err(Error::other)?;
    whole_file::write(&path, &text)
}

/// The name, with a number if it is taken.
fn free_name(name: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let numbered = |n: usize| if n == 1 { name.to_owned() } else { format!("{name} ({n})") };
    (1..).map(numbered).find(|name| !is_taken(name)).unwrap_or_default()
}

/// A file for a name that has none. Different names may come to the same letters.
fn free_file(folder: &Path, name: &str) -> PathBuf {
    // What a file system may take for something else.
    let safe: String = name.chars().map(|c| if c.is_alphanumeric() || " -_".contains(c) { c } else { '_' }).collect();
    let numbered = |n: usize| folder.join(if n == 1 { format!("{safe}.json") } else { format!("{safe} {n}.json") });
    (1..).map(numbered).find(|path| !path.exists()).unwrap_or_else(|| numbered(1))
}
