//! Core Audio Format. The chunk `desc` describes the format, the chunk `data` holds the audio data.

use super::{Blocks, Container, Layout, Part, Refusal, Stream};
use crate::chunks::{Chunk, Style};
use crate::source::{Source, View};
use std::ops::Range;
use std::sync::Arc;
use symphonia::core::codecs::audio::well_known::*;

const STYLE: Style = Style::Caf;
/// Bytes of the file's header, and of the edit count before the samples.
const HEADER: u64 = 8;
const EDITS: u64 = 4;

pub fn layout(source: &Arc<Source>, range: Range<u64>) -> Result<Layout, Refusal> {
    let mut description = None;
    let mut data = None;
    let mut next = STYLE.chunk(source, range.start + HEADER);
    while let Some(chunk) = next {
        match &chunk.id {
            b"desc" => description = Description::read(source, &chunk),
            b"data" => data = Some(chunk),
            _ => (),
        }
        let size = chunk.size.filter(|size| chunk.body + size <= range.end && data.is_none());
        next = size.and_then(|size| STYLE.next(source, &chunk, size));
    }
    let description = description.ok_or_else(|| Refusal::Codec("its chunk \"desc\" is missing".into()))?;
    let Some(data) = data else { return Ok(Layout::new(Vec::new())) };
    let start = (data.body + EDITS).min(range.end);
    let size = data.size.and_then(|size| size.checked_sub(EDITS));
    let extent = STYLE.extent(source, start, size, range.end);
    let Some(blocks) = description.blocks() else {
        // The packet sizes are in another chunk. Symphonia's reader uses them, if it finds that chunk.
        let mut head = source.bytes(range.start..data.body);
        let size = (extent.end - data.body).to_be_bytes();
        let n = head.len();
        head[n - 8..].copy_from_slice(&size);
        return Ok(Stream::of(Container::Caf, View::new(source, range).with_head(head)).into());
    };
    let mut blocks = blocks?;
    let remarks = blocks.set_extent(start, &extent);
    Ok(Layout { parts: vec![Part::Blocks(blocks)], remarks })
}

/// Fields of the chunk `desc`.
struct Description {
    rate: f64,
    format: [u8; 4],
    flags: u32,
    bytes_per_packet: u32,
    n_channels: u32,
    bits: u32,
}

impl Description {
    fn read(source: &Source, chunk: &Chunk) -> Option<Self> {
        let number = |at: u64| Some(u32::from_be_bytes(source.array(chunk.body + at)?));
        Some(Self {
            rate: f64::from_be_bytes(source.array(chunk.body)?),
            format: source.array(chunk.body + 8)?,
            flags: number(12)?,
            bytes_per_packet: number(16)?,
            n_channels: number(24)?,
            bits: number(28)?,
        })
    }

    /// `None` for codecs that are stored in packets.
    fn blocks(&self) -> Option<Result<Blocks, Refusal>> {
        let n_channels = u16::try_from(self.n_channels).unwrap_or(0);
        let rate = self.rate.clamp(0.0, 1e8).round() as u32;
        let samples = |codec, bits| Some(Blocks::of_samples(codec, bits, rate, n_channels));
        let (is_float, is_little_endian) = (self.flags & 1 != 0, self.flags & 2 != 0);
        let of_packet = self.bytes_per_packet.checked_div(self.n_channels).unwrap_or(0);
        let bytes = of_packet.max(self.bits.div_ceil(8));
        match (&self.format, is_float, bytes, is_little_endian) {
            (b"lpcm", false, 1, _) => samples(CODEC_ID_PCM_S8, 8),
            (b"lpcm", false, 2, true) => samples(CODEC_ID_PCM_S16LE, 16),
            (b"lpcm", false, 2, false) => samples(CODEC_ID_PCM_S16BE, 16),
            (b"lpcm", false, 3, true) => samples(CODEC_ID_PCM_S24LE, 24),
            (b"lpcm", false, 3, false) => samples(CODEC_ID_PCM_S24BE, 24),
            (b"lpcm", false, 4, true) => samples(CODEC_ID_PCM_S32LE, 32),
            (b"lpcm", false, 4, false) => samples(CODEC_ID_PCM_S32BE, 32),
            (b"lpcm", true, 4, true) => samples(CODEC_ID_PCM_F32LE, 32),
            (b"lpcm", true, 4, false) => samples(CODEC_ID_PCM_F32BE, 32),
            (b"lpcm", true, 8, true) => samples(CODEC_ID_PCM_F64LE, 64),
            (b"lpcm", true, 8, false) => samples(CODEC_ID_PCM_F64BE, 64),
            (b"alaw", ..) => samples(CODEC_ID_PCM_ALAW, 8),
            (b"ulaw", ..) => samples(CODEC_ID_PCM_MULAW, 8),
            (b"ima4", ..) if n_channels <= 2 => {
                let block = (34 * u64::from(n_channels), 64);
                Some(Blocks::new(CODEC_ID_ADPCM_IMA_QT, rate, n_channels, block))
            }
            (b"lpcm", _, bytes, _) => Some(Err(Refusal::Codec(format!("samples of {} bits in CAF", 8 * bytes)))),
            _ => None,
        }
    }
}
