//! Finds recordings in a folder of the layout `train/INSTRUMENT`, `source/KIND`, `heldout/…`, and works through them.

use anyhow::{Context, Result};
use embouchure_audio_file::{read, resample, to_mono};
use indicatif::ProgressBar;
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// Never trained on: these are what the results are measured with.
const HELD_OUT: [&str; 5] = [
    "heldout",
    "source/voice_f0",
    "source/whistle/ppA.flac",
    "source/voice/smstools__vignesh.flac",
    "source/voice_vowels/Sven-o-53.flac",
];
const EXTENSIONS: [&str; 4] = ["flac", "wav", "mp3", "ogg"];

/// All audio files under `folder`, sorted, without those held out; of a file, itself.
pub fn training_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = audio_files(folder)?;
    found.retain(|path| folder.is_file() || !is_held_out(path));
    Ok(found)
}

/// True for what is never trained on.
pub fn is_held_out(path: &Path) -> bool {
    let path = path.to_string_lossy().replace('\\', "/");
    HELD_OUT.iter().any(|held| path.contains(&format!("/{held}/")) || path.ends_with(&format!("/{held}")))
}

/// All audio files under `folder`, sorted; of a file, itself.
pub fn audio_files(folder: &Path) -> Result<Vec<PathBuf>> {
    if folder.is_file() {
        return Ok(vec![folder.to_path_buf()]);
    }
    let mut found = Vec::new();
    collect(folder, &mut found)?;
    found.sort();
    Ok(found)
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read the folder {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, found)?;
        } else if path.extension().is_some_and(|e| EXTENSIONS.iter().any(|known| e.eq_ignore_ascii_case(known))) {
            found.push(path);
        }
    }
    Ok(())
}

/// One channel at `rate`.
pub fn load_mono(path: &Path, rate: u32) -> Result<Vec<f32>> {
    let audio = read(path)?;
    Ok(resample(&to_mono(&audio), audio.rate, rate))
}

/// Runs `examine` on every file, on all cores, with a progress bar.
pub fn examine_all<T: Send>(
    verb: &str,
    files: &[PathBuf],
    examine: impl Fn(&Path) -> Result<T> + Sync,
) -> Vec<Result<T>> {
    let bar = ProgressBar::new(files.len() as u64).with_message(verb.to_string());
    let examined = files.par_iter().map(|path| {
        let result = examine(path);
        bar.inc(1);
        result
    });
    let examined = examined.collect();
    bar.finish_and_clear();
    examined
}

/// As [`examine_all`]; files that fail are named and left out.
pub fn prepare_all<T: Send>(
    verb: &str,
    files: &[PathBuf],
    prepare: impl Fn(&Path) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let mut prepared = Vec::new();
    for (path, result) in files.iter().zip(examine_all(verb, files, prepare)) {
        match result {
            Ok(made) => prepared.push(made),
            Err(error) => eprintln!("left out {}: {error:#}", path.display()),
        }
    }
    anyhow::ensure!(!prepared.is_empty() || files.is_empty(), "none of {} files could be used", files.len());
    Ok(prepared)
}
