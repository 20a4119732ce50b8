//! Reads the common audio file formats at any sample rate ([`read_recording`] lists them); writes wav.
//!
//! ```
//! use embouchure_audio_file::{Audio, read, resample, to_mono, write_wav};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folder = std::env::temp_dir().join(format!("embouchure-audio-file-{}", std::process::id()));
//! let path = folder.join("tone.wav");
//! let tone: Vec<f32> = (0..4410).map(|i| (i as f32 * 0.06).sin()).collect();
//! write_wav(&path, &Audio { channels: vec![tone.clone(), tone.clone()], rate: 44_100 })?;
//!
//! let audio = read(&path)?;
//! assert_eq!((audio.channels.len(), audio.rate), (2, 44_100));
//! assert_eq!(to_mono(&audio), tone);
//! assert_eq!(resample(&tone, audio.rate, 16_000).len(), 1600);
//! # std::fs::remove_dir_all(folder)?;
//! # Ok(())
//! # }
//! ```

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
    /// One vector per channel, all of the same length. Full scale is ±1.
    pub channels: Vec<Vec<f32>>,
    /// Sample rate, Hz.
    pub rate: u32,
}

/// If the mean of all channels has less than this share of the strongest channel's power, the channels count as
/// cancelling. For comparison: a sound in one of two channels has a mean with a share of 0.25.
const CANCELLED: f64 = 0.1;

/// Mixes all channels to one: their mean, or the strongest channel where the mean cancels. Channels cancel when, for
/// example, a balanced plug is connected to a stereo input. Allocates.
pub fn to_mono(audio: &Audio) -> Vec<f32> {
    if let [only] = audio.channels.as_slice() {
        return only.clone();
    }
    let energy = |samples: &[f32]| samples.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>();
    let Some(strongest) = audio.channels.iter().rev().max_by(|a, b| energy(a).total_cmp(&energy(b))) else {
        return vec![];
    };
    let scale = 1.0 / audio.channels.len() as f32;
    let mean: Vec<f32> =
        (0..strongest.len()).map(|i| audio.channels.iter().map(|c| c[i]).sum::<f32>() * scale).collect();
    // With more than two channels, a sound in a single channel contributes less to the mean.
    let cancelled = CANCELLED * f64::from(2.0 * scale).powi(2);
    if energy(&mean) < cancelled * energy(strongest) { strongest.clone() } else { mean }
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
        let alone = [vec![0.0; 2], vec![0.8, -0.4], vec![0.0; 2], vec![0.0; 2]];
        assert_eq!(to_mono(&Audio { channels: alone.into(), rate: 1 }), [0.2, -0.1], "one of four is still the mean");
    }

    #[test]
    fn channels_that_cancel_are_heard_as_the_strongest() {
        for turned in [-1.0f32, -0.9] {
            let channels = vec![vec![0.5, -0.25], vec![0.5 * turned, -0.25 * turned]];
            assert_eq!(to_mono(&Audio { channels, rate: 1 }), [0.5, -0.25]);
        }
    }
}
