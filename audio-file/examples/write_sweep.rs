//! Writes the sound from which the fixtures in `tests/fixtures` are made.

#[path = "../tests/sweep/mod.rs"]
mod sweep;

fn main() -> Result<(), embouchure_audio_file::AudioFileError> {
    embouchure_audio_file::write_wav(std::path::Path::new("sweep.wav"), &sweep::sweep())
}
