//! Builds test files byte by byte.
#![allow(dead_code, reason = "each test uses some of them")]

use embouchure_audio_file::{Audio, Recording, read_bytes};

/// Frequency of the samples in [`ramp`], Hz.
pub const RATE: u32 = 44_100;

/// Stereo, 16 bits, little-endian. Neighbouring values differ, so that a shift is detected.
pub fn ramp(n_frames: usize) -> Vec<u8> {
    (0..n_frames).flat_map(|i| [value(i), -value(i)]).flat_map(i16::to_le_bytes).collect()
}

fn value(i: usize) -> i16 {
    ((i * 7919 + 13) % 60_000) as i16 as i32 as i16 / 2
}

/// The first `n_frames` of [`ramp`] as decoded audio.
pub fn ramp_audio(n_frames: usize) -> Audio {
    let left: Vec<f32> = (0..n_frames).map(|i| f32::from(value(i)) / 32_768.0).collect();
    let right = left.iter().map(|v| -v).collect();
    Audio { channels: vec![left, right], rate: RATE }
}

/// 16-bit samples with their bytes swapped.
pub fn swapped(samples: &[u8]) -> Vec<u8> {
    samples.chunks_exact(2).flat_map(|s| [s[1], s[0]]).collect()
}

/// Reads a file from memory.
pub fn read_file(bytes: &[u8]) -> Recording {
    read_bytes(bytes.to_vec(), "x").unwrap_or_else(|e| panic!("{e}"))
}

/// A padded RIFF chunk with its true size.
pub fn chunk(id: &[u8; 4], content: &[u8]) -> Vec<u8> {
    sized(id, content.len() as u32, content)
}

/// A RIFF chunk that announces another size.
pub fn sized(id: &[u8; 4], size: u32, content: &[u8]) -> Vec<u8> {
    let padding = &[0][..content.len() % 2];
    [&id[..], &size.to_le_bytes(), content, padding].concat()
}

/// A RIFF file of these chunks.
pub fn riff(chunks: &[Vec<u8>]) -> Vec<u8> {
    let content = chunks.concat();
    riff_sized(b"RIFF", content.len() as u32 + 4, &content)
}

/// The same with another identifier and another announced size.
pub fn riff_sized(magic: &[u8; 4], size: u32, content: &[u8]) -> Vec<u8> {
    [&magic[..], &size.to_le_bytes(), b"WAVE", content].concat()
}

/// Content of `fmt `, 16 bytes.
pub fn format(tag: u16, n_channels: u16, block_align: u16, bits: u16) -> Vec<u8> {
    let bytes_per_s = RATE * u32::from(block_align);
    [&tag.to_le_bytes()[..], &n_channels.to_le_bytes(), &RATE.to_le_bytes(), &bytes_per_s.to_le_bytes()]
        .into_iter()
        .chain([&block_align.to_le_bytes()[..], &bits.to_le_bytes()])
        .flatten()
        .copied()
        .collect()
}

/// The chunk `fmt ` of [`ramp`].
pub fn ramp_format() -> Vec<u8> {
    chunk(b"fmt ", &format(1, 2, 4, 16))
}

/// A chunk of AIFF.
pub fn form_chunk(id: &[u8; 4], size: u32, content: &[u8]) -> Vec<u8> {
    let padding = &[0][..content.len() % 2];
    [&id[..], &size.to_be_bytes(), content, padding].concat()
}

/// A page of ogg, its checksum included.
pub fn ogg_page(flags: u8, granule: u64, sequence: u32, packets: &[Vec<u8>]) -> Vec<u8> {
    let lengths: Vec<u8> = packets.iter().flat_map(|p| lacing(p.len())).collect();
    let mut page =
        [&b"OggS\0"[..], &[flags], &granule.to_le_bytes(), &7u32.to_le_bytes(), &sequence.to_le_bytes()].concat();
    page.extend([0; 4]);
    page.push(lengths.len() as u8);
    page.extend(lengths);
    page.extend(packets.concat());
    let crc = page.iter().fold(0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte) << 24, |crc, _| crc << 1 ^ if crc >> 31 == 1 { 0x04c1_1db7 } else { 0 })
    });
    page[22..26].copy_from_slice(&crc.to_le_bytes());
    page
}

fn lacing(len: usize) -> Vec<u8> {
    let mut lengths = vec![255; len / 255];
    lengths.push((len % 255) as u8);
    lengths
}

/// A Matroska element.
pub fn element(id: &[u8], content: &[u8]) -> Vec<u8> {
    let len = (content.len() as u64 | 1 << 56).to_be_bytes();
    [id, &len, content].concat()
}
