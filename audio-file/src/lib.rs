//! Audio files in and out: what musicians have, of any rate, is read ([`read_recording`] lists it), wav is written.

mod chunks;
mod decode;
mod error;
mod layout;
mod opus;
mod read;
mod resample;
mod source;
mod write;

pub use error::AudioFileError;
pub use read::{Recording, read, read_bytes, read_recording};
pub use resample::resample;
pub use write::write_wav;

/// Decoded audio.
#[derive(Clone, Debug, PartialEq)]
pub struct Audio {
    /// One vector per channel, all of one length, full scale = 1.
    pub channels: Vec<Vec<f32>>,
    /// Hz.
    pub rate: u32,
}

/// Mean of all channels. Allocates.
pub fn to_mono(audio: &Audio) -> Vec<f32> {
    if let [only] = audio.channels.as_slice() {
        return only.clone();
    }
    let n_samples = audio.channels.first().map_or(0, Vec::len);
    let scale = 1.0 / audio.channels.len() as f32;
    (0..n_samples).map(|i| audio.channels.iter().map(|c| c[i]).sum::<f32>() * scale).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mono_is_the_mean_of_the_channels() {
        let audio = Audio { channels: vec![vec![1.0, 0.5], vec![0.0, -0.5]], rate: 48_000 };
        assert_eq!(to_mono(&audio), [0.5, 0.0]);
        assert_eq!(to_mono(&Audio { channels: vec![vec![0.1]], rate: 1 }), [0.1]);
        assert!(to_mono(&Audio { channels: vec![], rate: 1 }).is_empty());
    }
}
