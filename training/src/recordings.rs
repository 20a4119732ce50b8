//! Finds recordings in folders, reads them, and runs a function on each.

use crate::progress::{Event, Progress, Stage};
use anyhow::{Context, Result};
use embouchure_audio_file::{Audio, read_recording, resample, to_mono};
use rayon::prelude::*;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use walkdir::{DirEntry, WalkDir};

/// Extensions of files that can be read.
const EXTENSIONS: [&str; 26] = [
    "wav", "wave", "bwf", "rf64", "w64", "aif", "aiff", "aifc", "caf", "flac", "mp1", "mp2", "mp3", "ogg", "oga",
    "opus", "aac", "m4a", "m4b", "mp4", "webm", "mka", "mkv", "mov", "m4r", "3gp",
];
/// Extensions of sound files that cannot be read.
const OTHER_SOUND: [&str; 23] = [
    "wma", "ape", "wv", "mpc", "dsf", "dff", "amr", "ac3", "dts", "ra", "rm", "au", "snd", "tta", "voc", "sd2", "shn",
    "spx", "m4p", "wmv", "asf", "avi", "gsm",
];

/// Recordings in files and folders.
#[derive(Debug, Default)]
pub struct Found {
    /// Recordings, sorted within each added place. Each file is there once, however many links lead to it.
    pub files: Vec<PathBuf>,
    /// Sound files that are not used, and folders that cannot be read, each with the reason.
    pub passed_over: Vec<(PathBuf, String)>,
    /// Real paths of `files`.
    seen: HashSet<PathBuf>,
}

impl Found {
    /// Adds a file, or all recordings in a folder and its subfolders. Errors if the folder cannot be read.
    pub fn add(&mut self, place: &Path) -> Result<()> {
        if place.is_file() {
            self.take(place.to_path_buf());
            return Ok(());
        }
        std::fs::read_dir(place).with_context(|| format!("cannot read the folder {}", place.display()))?;
        // Folders may link to each other. Each is walked once, not once for every path that leads to it.
        let mut folders = HashSet::new();
        let is_new = |entry: &DirEntry| {
            let is_folder = entry.file_type().is_dir();
            !is_folder || entry.path().canonicalize().map_or(true, |real| folders.insert(real))
        };
        for entry in WalkDir::new(place).follow_links(true).sort_by_file_name().into_iter().filter_entry(is_new) {
            match entry {
                Ok(entry) if entry.file_type().is_file() => self.add_file(entry.into_path()),
                Ok(_) => {}
                // A link to a folder that contains the link: its files are found without it.
                Err(error) if error.loop_ancestor().is_some() => {}
                Err(error) => {
                    let path = error.path().unwrap_or(place).to_path_buf();
                    let why = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
                    self.passed_over.push((path, format!("cannot be read ({why})")));
                }
            }
        }
        Ok(())
    }

    fn add_file(&mut self, path: PathBuf) {
        // macOS writes such a file of metadata beside each file on a disk of another system.
        if path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"._")) {
            return;
        }
        let has_one_of =
            |known: &[&str]| path.extension().is_some_and(|e| known.iter().any(|known| e.eq_ignore_ascii_case(known)));
        if has_one_of(&EXTENSIONS) {
            self.take(path);
        } else if has_one_of(&OTHER_SOUND) {
            self.passed_over.push((path, "its format is not read: convert it to wav or flac".into()));
        }
    }

    fn take(&mut self, path: PathBuf) {
        if self.seen.insert(path.canonicalize().unwrap_or_else(|_| path.clone())) {
            self.files.push(path);
        }
    }
}

/// All recordings under `folder`, sorted. If it is a file: that file.
pub fn audio_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Found::default();
    found.add(folder)?;
    Ok(found.files)
}

/// Reads a recording as one channel at `rate` Hz.
pub fn load_mono(path: &Path, rate: u32, progress: &dyn Progress) -> Result<Vec<f32>> {
    let audio = load(path, progress)?;
    Ok(resample(&to_mono(&audio), audio.rate, rate))
}

/// Reads a recording, and reports what is missing of it.
pub fn load(path: &Path, progress: &dyn Progress) -> Result<Audio> {
    let recording = read_recording(path)?;
    recording.remarks.iter().for_each(|remark| progress.tell(Event::Incomplete { path, remark }));
    Ok(recording.audio)
}

/// Runs `examine` on every file, on all cores, as `stage`. Returns the results in the order of `files`.
pub fn examine_all<T: Send>(
    stage: Stage,
    files: &[PathBuf],
    progress: &dyn Progress,
    examine: impl Fn(&Path) -> Result<T> + Sync,
) -> Vec<Result<T>> {
    progress.tell(Event::Begin { stage, done: 0, total: files.len() });
    let examined = files.par_iter().map(|path| {
        let result = examine(path);
        progress.tell(Event::Step);
        result
    });
    let examined = examined.collect();
    progress.tell(Event::End(stage));
    examined
}

/// Runs `analyse` on every file, on all cores. Files that fail are reported and left out. Errors if none is left.
pub fn analyse_all<T: Send>(
    files: &[PathBuf],
    progress: &dyn Progress,
    analyse: impl Fn(&Path) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let mut analysed = Vec::new();
    for (path, result) in files.iter().zip(examine_all(Stage::Analysing, files, progress, analyse)) {
        match result {
            Ok(made) => analysed.push(made),
            Err(error) => progress.tell(Event::LeftOut { path, why: &error }),
        }
    }
    anyhow::ensure!(!analysed.is_empty() || files.is_empty(), "none of {} files could be used", files.len());
    Ok(analysed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_with(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, b"").unwrap();
        }
        folder
    }

    fn found(folder: &Path) -> (Vec<String>, Vec<String>) {
        let mut found = Found::default();
        found.add(folder).unwrap();
        let shown = |path: &Path| path.strip_prefix(folder).unwrap().display().to_string().replace('\\', "/");
        (found.files.iter().map(|p| shown(p)).collect(), found.passed_over.iter().map(|(p, _)| shown(p)).collect())
    }

    #[test]
    fn folders_of_any_name_are_searched() {
        let folder = folder_with(&["b.WAV", "heldout/a.flac", "notes.txt", "old/tape.wma", "old/memo.m4a"]);
        let (files, passed_over) = found(folder.path());
        assert_eq!(files, ["b.WAV", "heldout/a.flac", "old/memo.m4a"]);
        assert_eq!(passed_over, ["old/tape.wma"]);
        let folder = folder_with(&["a.au", "b.snd", "c.tta", "d.wmv", "e.mkv", "f.txt"]);
        assert_eq!(found(folder.path()).0, ["e.mkv"]);
        assert_eq!(found(folder.path()).1, ["a.au", "b.snd", "c.tta", "d.wmv"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_lead_to_each_file_once_and_loops_end() {
        let folder = folder_with(&["t/s/a.wav", "t/s/b.wav", "elsewhere/c.wav"]);
        let link = |from: &str, to: &str| std::os::unix::fs::symlink(to, folder.path().join(from)).unwrap();
        link("t/s/loop", "..");
        link("t/again", "s");
        link("t/far", "../elsewhere");
        link("t/a-link.wav", "s/a.wav");
        link("t/broken.wav", "nothing");
        let (files, passed_over) = found(&folder.path().join("t"));
        let mut names: Vec<&str> = files.iter().map(|file| file.rsplit('/').next().unwrap()).collect();
        names.sort();
        assert_eq!(names, ["a-link.wav", "b.wav", "c.wav"], "{files:?}");
        assert_eq!(passed_over, ["broken.wav"]);
    }

    /// Each walk through them would be a path of its own, and there are a thousand million walks.
    #[cfg(unix)]
    #[test]
    fn folders_that_link_to_each_other_are_read_once() {
        let names: Vec<String> = (0..12).map(|i| format!("f{i:02}")).collect();
        let files: Vec<String> = names.iter().map(|name| format!("{name}/{name}.wav")).collect();
        let folder = folder_with(&files.iter().map(String::as_str).collect::<Vec<_>>());
        for from in &names {
            for to in names.iter().filter(|to| *to != from) {
                let place = folder.path().join(from).join(format!("to {to}"));
                std::os::unix::fs::symlink(format!("../{to}"), place).unwrap();
            }
        }
        assert_eq!(found(folder.path()).0.len(), 12);
    }
}
