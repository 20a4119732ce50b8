//! RIFF, RF64, BW64 and Wave64. The chunk `fmt ` describes the format, the chunk `data` holds the audio data.

use super::{Blocks, Layout, Part, Refusal, mpeg};
use crate::chunks::{Chunk, Style};
use crate::source::Source;
use std::ops::Range;
use std::sync::Arc;
use symphonia::core::codecs::audio::well_known::*;

/// Format tag that refers to a sub-format further back in the chunk.
const EXTENSIBLE: u16 = 0xfffe;
/// Offset of the sub-format.
const SUB_FORMAT: usize = 24;
const MP2: u16 = 0x50;
const MP3: u16 = 0x55;

/// Finds the audio data of a file, which may consist of several joined wav files.
pub fn layout(source: &Arc<Source>, range: Range<u64>) -> Result<Layout, Refusal> {
    let mut layout = Layout::new(Vec::new());
    let mut start = Some(range.start);
    while let Some(at) = start {
        match one(source, at..range.end, &mut layout) {
            Ok(next) => start = next.filter(|next| *next > at),
            Err(refusal) if layout.parts.is_empty() => return Err(refusal),
            Err(_) => {
                layout.remarks.push("a second recording in the file cannot be read".into());
                break;
            }
        }
    }
    Ok(layout)
}

/// Adds the recording at `range.start`. Returns the offset of the next one.
fn one(source: &Arc<Source>, range: Range<u64>, layout: &mut Layout) -> Result<Option<u64>, Refusal> {
    let magic: [u8; 4] = source.array(range.start).ok_or(Refusal::NotAudio)?;
    let (style, form_at) = match &magic {
        b"riff" => (Style::Wave64, 24),
        b"RIFX" => (Style::Form, 8),
        _ => (Style::Riff, 8),
    };
    let form: [u8; 4] = source.array(range.start + form_at).ok_or(Refusal::NotAudio)?;
    match &form {
        b"WAVE" | b"wave" => (),
        b"AVI " => return Err(Refusal::Foreign("a video (AVI)".into())),
        b"RMID" => return Err(Refusal::Foreign("a MIDI file, which holds notes and no sound".into())),
        b"sfbk" => return Err(Refusal::Foreign("a SoundFont".into())),
        _ => return Err(Refusal::NotAudio),
    }
    let first = range.start + if style == Style::Wave64 { 40 } else { 12 };
    let found = Chunks::find(style, source, first, range.end);
    let Some(data) = found.data else {
        // The file ends within its header, or is of another kind.
        return if found.format.is_some() { Ok(None) } else { Err(Refusal::NotAudio) };
    };
    let format = found.format.ok_or_else(|| Refusal::Codec("its chunk \"fmt \" is missing".into()))?;
    let extent = style.extent(source, data.body, found.data_size, range.end);
    if matches!(format.tag, MP2 | MP3) {
        let inner = mpeg::layout(source, data.body..extent.end);
        layout.parts.extend(inner.ok_or_else(|| Refusal::Codec("damaged mp3 in wav".into()))?.parts);
        if let Some(announced) = extent.missing_of {
            let n = extent.end - data.body;
            layout.remarks.push(format!("its end is missing: {announced} bytes of mp3 are announced, {n} are there"));
        }
        layout.remarks.extend(extent.remarks());
    } else {
        let mut blocks = format.blocks()?;
        layout.remarks.extend(blocks.set_extent(data.body, &extent));
        layout.parts.push(Part::Blocks(blocks));
    }
    Ok(next_file(style, source, &data, extent.end))
}

/// Offset of another file among the chunks behind the audio data.
fn next_file(style: Style, source: &Source, data: &Chunk, end: u64) -> Option<u64> {
    let mut chunk = style.next(source, data, end - data.body)?;
    loop {
        if matches!(&chunk.id, b"RIFF" | b"RIFX" | b"RF64" | b"BW64" | b"riff") {
            return Some(chunk.body - style.header_len());
        }
        chunk = style.next(source, &chunk, chunk.size?)?;
    }
}

/// The chunks that are needed.
#[derive(Default)]
struct Chunks {
    format: Option<Format>,
    data: Option<Chunk>,
    data_size: Option<u64>,
}

impl Chunks {
    fn find(style: Style, source: &Source, first: u64, end: u64) -> Self {
        let mut found = Self::default();
        let mut large_size = None;
        let mut next = style.chunk(source, first);
        while let Some(chunk) = next {
            match &chunk.id {
                b"fmt " => found.format = Format::read(style, source, &chunk).or(found.format),
                // RF64: 64-bit sizes for those that do not fit into 32 bits.
                b"ds64" => large_size = source.array(chunk.body + 8).map(u64::from_le_bytes),
                b"data" => {
                    found.data_size = chunk.size.or(large_size).filter(|size| *size < u64::MAX / 4);
                    found.data = Some(chunk);
                    break;
                }
                _ => (),
            }
            let size = chunk.size.filter(|size| chunk.body + size <= end);
            next = size.and_then(|size| style.next(source, &chunk, size));
        }
        if found.data.is_none() {
            found.data = style.search(source, first..end, b"data");
            found.data_size = found.data.and_then(|data| data.size);
        }
        found
    }
}

/// Fields of the chunk `fmt `.
struct Format {
    tag: u16,
    n_channels: u16,
    rate: u32,
    block_align: u16,
    bits: u16,
    is_big_endian: bool,
}

impl Format {
    /// Parses a chunk of any length; the first 14 bytes are required.
    fn read(style: Style, source: &Source, chunk: &Chunk) -> Option<Self> {
        let bytes = source.bytes(chunk.body..chunk.body + chunk.size?.min(64));
        let is_big_endian = style == Style::Form;
        let word = |at: usize| {
            let word: [u8; 2] = bytes.get(at..at + 2)?.try_into().ok()?;
            Some(if is_big_endian { u16::from_be_bytes(word) } else { u16::from_le_bytes(word) })
        };
        let (high, low) = if is_big_endian { (4, 6) } else { (6, 4) };
        let tag = word(0)?;
        let sub_format = word(SUB_FORMAT).filter(|_| tag == EXTENSIBLE);
        Some(Self {
            tag: sub_format.unwrap_or(tag),
            n_channels: word(2)?,
            rate: u32::from(word(high)?) << 16 | u32::from(word(low)?),
            block_align: word(12)?,
            bits: word(14).unwrap_or(8),
            is_big_endian,
        })
    }

    fn blocks(&self) -> Result<Blocks, Refusal> {
        let samples = |codec, bits| Blocks::of_samples(codec, bits, self.rate, self.n_channels);
        let n_channels = u64::from(self.n_channels.max(1));
        let block = |codec, head: u64, first: u64| {
            let rest = u64::from(self.block_align).checked_sub(head * n_channels).filter(|_| self.n_channels <= 2);
            let rest = rest.ok_or_else(|| Refusal::Codec("ADPCM of more than two channels".into()))?;
            let block = (u64::from(self.block_align), first + 2 * rest / n_channels);
            Blocks::new(codec, self.rate, self.n_channels, block)
        };
        let big = self.is_big_endian;
        match (self.tag, self.bytes_per_sample()) {
            (1, 1) => samples(CODEC_ID_PCM_U8, 8),
            (1, 2) => samples(if big { CODEC_ID_PCM_S16BE } else { CODEC_ID_PCM_S16LE }, 16),
            (1, 3) => samples(if big { CODEC_ID_PCM_S24BE } else { CODEC_ID_PCM_S24LE }, 24),
            (1, 4) => samples(if big { CODEC_ID_PCM_S32BE } else { CODEC_ID_PCM_S32LE }, 32),
            (3, 4) => samples(if big { CODEC_ID_PCM_F32BE } else { CODEC_ID_PCM_F32LE }, 32),
            (3, 8) => samples(if big { CODEC_ID_PCM_F64BE } else { CODEC_ID_PCM_F64LE }, 64),
            (6, _) => samples(CODEC_ID_PCM_ALAW, 8),
            (7, _) => samples(CODEC_ID_PCM_MULAW, 8),
            (2, _) => block(CODEC_ID_ADPCM_MS, 7, 2),
            (0x11, _) => block(CODEC_ID_ADPCM_IMA_WAV, 4, 1),
            (tag, bytes) => Err(Refusal::Codec(format!("{} in wav", tag_name(tag, bytes)))),
        }
    }

    /// Stored bytes per sample; the significant bits may be fewer.
    fn bytes_per_sample(&self) -> u16 {
        let of_bits = self.bits.div_ceil(8);
        match self.block_align.checked_div(self.n_channels) {
            Some(of_block) if of_block >= of_bits && of_block * self.n_channels == self.block_align => of_block,
            _ => of_bits,
        }
    }
}

fn tag_name(tag: u16, bytes: u16) -> String {
    let name = match tag {
        1 | 3 => return format!("samples of {} bits", 8 * bytes),
        0x22 => "TrueSpeech",
        0x31 => "GSM 6.10",
        0x40 | 0x64 => "G.726",
        0xff | 0x1600..=0x1610 => "AAC",
        0x160..=0x163 => "Windows Media audio",
        0x92 | 0x2000 => "Dolby Digital (AC-3)",
        0x2001 => "DTS",
        0x674f..=0x6771 => "ogg vorbis",
        0xf1ac => "FLAC",
        _ => return format!("the codec {tag:#06x}"),
    };
    name.into()
}
