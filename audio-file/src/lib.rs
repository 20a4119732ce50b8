//! Audio files in and out: wav, flac, ogg and mp3 of any rate are read, wav is written.

use std::path::Path;

/// Decoded audio.
#[derive(Clone, Debug, PartialEq)]
pub struct Audio {
    /// One vector per channel, all of one length, full scale = 1.
    pub channels: Vec<Vec<f32>>,
    /// Hz.
    pub rate: u32,
}

/// Why a file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum AudioFileError {
    /// Stand-in until the reader is written.
    #[error("cannot read {0}")]
    Unreadable(String),
}

/// Reads a whole file. Errors name the file and what to do.
pub fn read(path: &Path) -> Result<Audio, AudioFileError> {
    Err(AudioFileError::Unreadable(path.display().to_string()))
}

/// Writes 32-bit float wav.
pub fn write_wav(path: &Path, _audio: &Audio) -> Result<(), AudioFileError> {
    Err(AudioFileError::Unreadable(path.display().to_string()))
}

/// Mean of all channels.
pub fn to_mono(audio: &Audio) -> Vec<f32> {
    let n = audio.channels.first().map_or(0, Vec::len);
    (0..n).map(|i| audio.channels.iter().map(|c| c[i]).sum::<f32>() / audio.channels.len() as f32).collect()
}

/// Resamples a whole clip with the filter's delay removed, so that time 0 stays time 0. Allocates.
pub fn resample(samples: &[f32], from_rate: u32, to_rate: u32) -> Vec<f32> {
    assert_eq!(from_rate, to_rate, "stand-in");
    samples.to_vec()
}
