//! Sound without packets: samples or blocks of them, one behind the other.

use super::Refusal;
use crate::chunks::Extent;
use std::ops::Range;
use symphonia::core::audio::Channels;
use symphonia::core::codecs::audio::well_known::*;
use symphonia::core::codecs::audio::{AudioCodecId, AudioCodecParameters};

/// How samples are stored, and where.
pub struct Blocks {
    pub codec: AudioCodecId,
    pub rate: u32,
    pub n_channels: u16,
    /// Bytes and samples per channel of the smallest piece that can be decoded.
    pub block_bytes: u64,
    pub block_frames: u64,
    /// Where it lies.
    pub data: Range<u64>,
    /// Bytes that the file announces, if it holds fewer.
    pub announced_bytes: Option<u64>,
}

/// Most channels and samples per second that are believed: what says more is no sound file, and a moment of it would fill
/// the memory.
const MOST_CHANNELS: u16 = 256;
pub const MOST_RATE: u32 = 3_000_000;

impl Blocks {
    /// Samples of one size. `None` if nothing is stored so.
    pub fn of_samples(codec: AudioCodecId, bits: u32, rate: u32, n_channels: u16) -> Result<Self, Refusal> {
        let block_bytes = u64::from(n_channels) * u64::from(bits.div_ceil(8));
        Self::new(codec, rate, n_channels, (block_bytes, 1))
    }

    /// Blocks of a number of bytes and of samples per channel.
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

    /// Puts them where they lie, and returns what is to be said about that.
    pub fn lie(&mut self, start: u64, extent: &Extent) -> Vec<String> {
        self.data = start..extent.end;
        self.announced_bytes = extent.missing_of;
        extent.remarks()
    }

    /// For Symphonia, which gets up to `n_blocks` at once.
    pub fn params(&self, n_blocks: u64) -> AudioCodecParameters {
        let mut params = AudioCodecParameters::new();
        params.for_codec(self.codec).with_sample_rate(self.rate).with_channels(Channels::Discrete(self.n_channels));
        params.with_max_frames_per_packet(n_blocks * self.block_frames).with_frames_per_block(self.block_frames);
        params
    }

    /// Samples per channel in `n_bytes`, whose last block may be cut off.
    pub fn n_frames(&self, n_bytes: u64) -> u64 {
        let (n_blocks, rest) = (n_bytes / self.block_bytes, n_bytes % self.block_bytes);
        n_blocks * self.block_frames + self.frames_of_torn_block(rest)
    }

    /// Samples per channel in the first `n_bytes` of a block.
    fn frames_of_torn_block(&self, n_bytes: u64) -> u64 {
        let n_channels = u64::from(self.n_channels);
        // Each channel has a head that holds its first two samples, or the first one.
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
