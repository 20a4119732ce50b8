//! Audio data without packets: samples or blocks of fixed size.

use super::Refusal;
use crate::chunks::Extent;
use std::ops::Range;
use symphonia::core::audio::Channels;
use symphonia::core::codecs::audio::well_known::*;
use symphonia::core::codecs::audio::{AudioCodecId, AudioCodecParameters};

/// Storage format and position of the audio data.
pub struct Blocks {
    pub codec: AudioCodecId,
    pub rate: u32,
    pub n_channels: u16,
    /// Bytes and samples per channel of the smallest unit that can be decoded.
    pub block_bytes: u64,
    pub block_frames: u64,
    /// Range of the audio data in the file, bytes.
    pub data: Range<u64>,
    /// Announced size of the audio data in bytes, if the file holds less.
    pub announced_bytes: Option<u64>,
}

/// Limits of what counts as a sound file: channels, and samples per second. Beyond them, a moment of audio would fill
/// the memory.
const MOST_CHANNELS: u16 = 256;
pub const MOST_RATE: u32 = 3_000_000;

impl Blocks {
    /// Uncompressed samples of `bits` bits.
    pub fn of_samples(codec: AudioCodecId, bits: u32, rate: u32, n_channels: u16) -> Result<Self, Refusal> {
        let block_bytes = u64::from(n_channels) * u64::from(bits.div_ceil(8));
        Self::new(codec, rate, n_channels, (block_bytes, 1))
    }

    /// Blocks of fixed size: `block` gives the bytes and the samples per channel.
    pub fn new(codec: AudioCodecId, rate: u32, n_channels: u16, block: (u64, u64)) -> Result<Self, Refusal> {
        if n_channels == 0
            || n_channels > MOST_CHANNELS
            || rate == 0
            || rate > MOST_RATE
            || block.0 == 0
            || block.1 == 0
        {
            return Err(Refusal::Codec(format!("{n_channels} channels at {rate} Hz")));
        }
        let (block_bytes, block_frames) = block;
        Ok(Self { codec, rate, n_channels, block_bytes, block_frames, data: 0..0, announced_bytes: None })
    }

    /// Sets the range of the audio data. Returns messages for the user about it.
    pub fn set_extent(&mut self, start: u64, extent: &Extent) -> Vec<String> {
        self.data = start..extent.end;
        self.announced_bytes = extent.missing_of;
        extent.remarks()
    }

    /// Codec parameters for Symphonia, which receives up to `n_blocks` at once.
    pub fn params(&self, n_blocks: u64) -> AudioCodecParameters {
        let mut params = AudioCodecParameters::new();
        params.for_codec(self.codec).with_sample_rate(self.rate).with_channels(Channels::Discrete(self.n_channels));
        params.with_max_frames_per_packet(n_blocks * self.block_frames).with_frames_per_block(self.block_frames);
        params
    }

    /// Samples per channel in `n_bytes`; the last block may be truncated.
    pub fn n_frames(&self, n_bytes: u64) -> u64 {
        let (n_blocks, rest) = (n_bytes / self.block_bytes, n_bytes % self.block_bytes);
        n_blocks * self.block_frames + self.frames_of_truncated_block(rest)
    }

    /// Samples per channel in a block truncated to `n_bytes`.
    fn frames_of_truncated_block(&self, n_bytes: u64) -> u64 {
        let n_channels = u64::from(self.n_channels);
        // Each channel has a header that contains its first sample or its first two.
        let of_bytes = |head: u64, first: u64, piece: u64| match n_bytes.checked_sub(head * n_channels) {
            Some(rest) => first + rest / (piece * n_channels) * piece * 2,
            None => 0,
        };
        let n = match self.codec {
            CODEC_ID_ADPCM_MS => of_bytes(7, 2, 1),
            CODEC_ID_ADPCM_IMA_WAV => of_bytes(4, 1, 4),
            _ => 0,
        };
        n.min(self.block_frames)
    }
}
