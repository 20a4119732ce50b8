//! AIFF and AIFC. The chunk `COMM` describes the format, the chunk `SSND` holds the audio data.

use super::{Blocks, Layout, Part, Refusal};
use crate::chunks::{Chunk, Style};
use crate::source::Source;
use std::ops::Range;
use symphonia::core::codecs::audio::well_known::*;

const STYLE: Style = Style::Form;

pub fn layout(source: &Source, range: Range<u64>) -> Result<Layout, Refusal> {
    let mut common = None;
    let mut sound = None;
    let mut next = STYLE.chunk(source, range.start + 12);
    while let Some(chunk) = next {
        match &chunk.id {
            b"COMM" => common = Common::read(source, &chunk).or(common),
            b"SSND" => sound = Some(chunk),
            _ => (),
        }
        let size = chunk.size.filter(|size| chunk.body + size <= range.end);
        next = size.and_then(|size| STYLE.next(source, &chunk, size));
    }
    let first = |id: &[u8; 4]| {
        let places = source.find_all(range.clone(), 4, |bytes| bytes == id);
        places.into_iter().find_map(|at| STYLE.chunk(source, at))
    };
    // The chunks behind one with a wrong size are found by a search.
    let common = common.or_else(|| Common::read(source, &first(b"COMM")?));
    let common = common.ok_or_else(|| Refusal::Codec("its chunk COMM is missing".into()))?;
    let Some(sound) = sound.or_else(|| first(b"SSND")) else { return Ok(Layout::new(Vec::new())) };

    // The audio data is preceded by an offset and a block size, usually both 0.
    let offset = source.array(sound.body).map_or(0, u32::from_be_bytes);
    let offset = if u64::from(offset) < range.end - sound.body { u64::from(offset) } else { 0 };
    let start = (sound.body + 8 + offset).min(range.end);
    let mut blocks = common.blocks()?;
    // A size of 8 or less leaves no samples: the file was not closed. The sample count in COMM may still be right.
    let of_common = u64::from(common.n_frames).checked_mul(blocks.block_bytes).map(|n| n / blocks.block_frames);
    let size = match sound.size.and_then(|size| size.checked_sub(8 + offset)) {
        Some(0) | None => of_common.filter(|n| *n > 0),
        size => size,
    };
    let extent = STYLE.extent(source, start, size, range.end);
    let remarks = blocks.set_extent(start, &extent);
    Ok(Layout { parts: vec![Part::Blocks(blocks)], remarks })
}

/// Fields of the chunk `COMM`.
struct Common {
    n_channels: u16,
    n_frames: u32,
    bits: u16,
    rate: u32,
    compression: [u8; 4],
}

impl Common {
    fn read(source: &Source, chunk: &Chunk) -> Option<Self> {
        Some(Self {
            n_channels: u16::from_be_bytes(source.array(chunk.body)?),
            n_frames: u32::from_be_bytes(source.array(chunk.body + 2)?),
            bits: u16::from_be_bytes(source.array(chunk.body + 6)?),
            rate: from_80_bits(source.array(chunk.body + 8)?),
            compression: source.array(chunk.body + 18).filter(|_| chunk.size >= Some(22)).unwrap_or(*b"NONE"),
        })
    }

    fn blocks(&self) -> Result<Blocks, Refusal> {
        let samples = |codec, bits| Blocks::of_samples(codec, bits, self.rate, self.n_channels);
        let bytes = self.bits.div_ceil(8);
        match (&self.compression, bytes) {
            (b"NONE" | b"none" | b"twos", 1) => samples(CODEC_ID_PCM_S8, 8),
            (b"NONE" | b"none" | b"twos", 2) => samples(CODEC_ID_PCM_S16BE, 16),
            (b"NONE" | b"none" | b"twos", 3) | (b"in24", _) => samples(CODEC_ID_PCM_S24BE, 24),
            (b"NONE" | b"none" | b"twos", 4) | (b"in32", _) => samples(CODEC_ID_PCM_S32BE, 32),
            (b"sowt", 1) => samples(CODEC_ID_PCM_S8, 8),
            (b"sowt", 2) => samples(CODEC_ID_PCM_S16LE, 16),
            (b"sowt", 3) | (b"42ni", _) => samples(CODEC_ID_PCM_S24LE, 24),
            (b"sowt", 4) | (b"23ni", _) => samples(CODEC_ID_PCM_S32LE, 32),
            (b"fl32" | b"FL32", _) => samples(CODEC_ID_PCM_F32BE, 32),
            (b"fl64" | b"FL64", _) => samples(CODEC_ID_PCM_F64BE, 64),
            (b"raw ", _) => samples(CODEC_ID_PCM_U8, 8),
            (b"alaw" | b"ALAW", _) => samples(CODEC_ID_PCM_ALAW, 8),
            (b"ulaw" | b"ULAW", _) => samples(CODEC_ID_PCM_MULAW, 8),
            (b"ima4", _) if self.n_channels <= 2 => {
                Blocks::new(CODEC_ID_ADPCM_IMA_QT, self.rate, self.n_channels, (34 * u64::from(self.n_channels), 64))
            }
            (other, _) => Err(Refusal::Codec(format!("{:?} in AIFC", String::from_utf8_lossy(other)))),
        }
    }
}

/// Converts an 80-bit extended float, as AIFF stores the sample rate, to an integer. Returns 0 if that is no sample
/// rate.
fn from_80_bits(bytes: [u8; 10]) -> u32 {
    let exponent = i32::from(u16::from_be_bytes([bytes[0], bytes[1]]) & 0x7fff) - 16_383;
    let mantissa = u64::from_be_bytes([bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7], bytes[8], bytes[9]]);
    if !(0..31).contains(&exponent) {
        return 0;
    }
    (mantissa as f64 * f64::from(exponent - 63).exp2()).round() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read() {
        assert_eq!(from_80_bits([0x40, 0x0e, 0xac, 0x44, 0, 0, 0, 0, 0, 0]), 44_100);
        assert_eq!(from_80_bits([0x40, 0x0f, 0xbb, 0x80, 0, 0, 0, 0, 0, 0]), 96_000);
        assert_eq!(from_80_bits([0; 10]), 0);
        assert_eq!(from_80_bits([0xff; 10]), 0);
    }
}
