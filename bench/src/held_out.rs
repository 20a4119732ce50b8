//! Recordings that are used for measurements and that no shipped network was trained on. Trainings leave them out by
//! `--exclude`, as weights/README.md says.

use std::path::Path;

const HELD_OUT: [&str; 5] = [
    "heldout",
    "source/voice_f0",
    "source/whistle/ppA.flac",
    "source/voice/smstools__vignesh.flac",
    "source/voice_vowels/Sven-o-53.flac",
];

/// True for recordings that are never trained on.
pub fn is_held_out(path: &Path) -> bool {
    let path = path.to_string_lossy().replace('\\', "/");
    HELD_OUT.iter().any(|held| path.contains(&format!("/{held}/")) || path.ends_with(&format!("/{held}")))
}
