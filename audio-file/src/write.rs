//! Writes [`Audio`] to a file.

use crate::{Audio, AudioFileError};
use hound::{SampleFormat, WavSpec, WavWriter};
use std::path::Path;

/// Most bytes of audio data in a wav file, whose sizes have 32 bits; the header has room beside it.
const MAX_DATA_BYTES: u64 = u32::MAX as u64 - 1024;

/// Writes a wav file of 32-bit float samples. Creates missing folders. Replaces an existing file.
///
/// # Errors
/// Each error names the file or folder and the reason.
pub fn write_wav(path: &Path, audio: &Audio) -> Result<(), AudioFileError> {
    let unwritable = |reason: String| AudioFileError::Unwritable { path: path.display().to_string(), reason };
    let n_samples = audio.channels.first().map_or(0, Vec::len);
    let n_channels = u16::try_from(audio.channels.len()).ok().filter(|n| *n > 0);
    let n_channels = n_channels.ok_or_else(|| unwritable(format!("{} channels", audio.channels.len())))?;
    if audio.channels.iter().any(|c| c.len() != n_samples) {
        return Err(unwritable("its channels differ in length".to_string()));
    }
    if n_samples as u64 * u64::from(n_channels) * 4 > MAX_DATA_BYTES {
        return Err(unwritable("it is longer than a wav file can be; cut it into parts".to_string()));
    }
    if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
        let refused = |source| AudioFileError::Folder { path: folder.display().to_string(), source };
        std::fs::create_dir_all(folder).map_err(refused)?;
    }
    let spec = WavSpec {
        channels: n_channels,
        sample_rate: audio.rate,
        bits_per_sample: 32,
        sample_format: SampleFormat::Float,
    };
    write_samples(path, audio, spec).map_err(|e| unwritable(e.to_string()))
}

fn write_samples(path: &Path, audio: &Audio, spec: WavSpec) -> Result<(), hound::Error> {
    let mut writer = WavWriter::create(path, spec)?;
    for sample_idx in 0..audio.channels[0].len() {
        for channel in &audio.channels {
            writer.write_sample(channel[sample_idx])?;
        }
    }
    writer.finalize()
}
