//! FLAC: repairs the header and splits joined files.

use super::{Container, Layout, Part, Stream};
use crate::source::{Source, View};
use std::ops::Range;
use std::sync::Arc;

/// Bytes of the marker, the first block's header, and that block, STREAMINFO.
const HEAD: usize = 42;
/// Smallest and largest block that FLAC allows, samples.
const BLOCK: (u16, u16) = (16, 65_535);
/// Longest frame header, shortest frame, and the range that is searched for the last frame, bytes.
const LONGEST_HEADER: u64 = 16;
const SHORTEST_FRAME: usize = 8;
const LONGEST_FRAME: u64 = 1 << 20;

pub fn layout(source: &Arc<Source>, range: Range<u64>) -> Layout {
    let is_start = |b: &[u8]| b.starts_with(b"fLaC") && b[4] & 0x7f == 0 && b[5..] == [0, 0, 34];
    let mut starts = source.find_all(range.clone(), 8, is_start);
    if starts.first() != Some(&range.start) {
        starts.insert(0, range.start);
    }
    let ends = starts.iter().skip(1).copied().chain([range.end]);
    let parts = starts.iter().zip(ends).map(|(start, end)| part(source, *start..end));
    Layout::new(parts.collect())
}

fn part(source: &Arc<Source>, range: Range<u64>) -> Part {
    let mut view = View::new(source, range.start..end_of_last(source, range.clone()));
    if let Some(head) = repaired_head(source, range) {
        view = view.with_head(head);
    }
    Part::Stream(Stream::of(Container::Flac, view))
}

/// The file's head, corrected by the first frame's header; `None` if they agree. Encoders that stream write block sizes
/// of 0, and a reader would look for frames of the wrong size.
fn repaired_head(source: &Source, range: Range<u64>) -> Option<Vec<u8>> {
    let mut head = source.bytes(range.start..range.start + HEAD as u64);
    let at = first_frame(source, range)?;
    let frame = Frame::parse(&source.bytes(at..at + LONGEST_HEADER))?;
    let before = head.clone();
    if head.len() < HEAD {
        return None;
    }
    let word = |head: &[u8], at: usize| u16::from_be_bytes([head[at], head[at + 1]]);
    let (smallest, largest) = (word(&head, 8), word(&head, 10));
    let is_good = smallest >= BLOCK.0 && largest >= smallest && largest >= frame.block;
    // The blocks are either all of one size or of varying size.
    if !is_good || frame.is_variable == (smallest == largest) {
        let (smallest, largest) = if frame.is_variable { BLOCK } else { (frame.block, frame.block) };
        head[8..10].copy_from_slice(&smallest.to_be_bytes());
        head[10..12].copy_from_slice(&largest.to_be_bytes());
    }
    let bytes = |head: &[u8], at: usize| u32::from_be_bytes([0, head[at], head[at + 1], head[at + 2]]);
    if bytes(&head, 15) != 0 && bytes(&head, 12) > bytes(&head, 15) {
        // Clears the frame sizes: any size is allowed.
        head[12..18].fill(0);
    }
    // 20 bits of rate, 3 of channels, 5 of bits per sample, 36 of length.
    let mut numbers = u64::from_be_bytes(head[18..26].try_into().ok()?);
    let mut set = |value: Option<u32>, from: u32, n_bits: u32| {
        let mask = ((1u64 << n_bits) - 1) << from;
        numbers = value.map_or(numbers, |value| numbers & !mask | u64::from(value) << from);
    };
    set(frame.rate, 44, 20);
    set(Some(frame.n_channels - 1), 41, 3);
    set(frame.bits.map(|bits| bits - 1), 36, 5);
    head[18..26].copy_from_slice(&numbers.to_be_bytes());
    (head != before).then_some(head)
}

/// Offset of the first frame, behind the metadata blocks.
fn first_frame(source: &Source, range: Range<u64>) -> Option<u64> {
    let mut at = range.start + 4;
    loop {
        let [kind, size @ ..]: [u8; 4] = source.array(at)?;
        at += 4 + u64::from(u32::from_be_bytes([0, size[0], size[1], size[2]]));
        if kind & 0x80 != 0 || at >= range.end {
            return (at < range.end).then_some(at);
        }
    }
}

/// Offset at which the last frame ends, found by its checksum. Bytes behind it would make a reader reject that frame.
fn end_of_last(source: &Source, range: Range<u64>) -> u64 {
    let from = range.end.saturating_sub(LONGEST_FRAME).max(range.start);
    let bytes = source.bytes(from..range.end);
    let is_header = |i: &usize| Frame::parse(&bytes[*i..]).is_some();
    let Some(start) = (0..bytes.len().saturating_sub(SHORTEST_FRAME)).rev().find(is_header) else { return range.end };
    let mut crc = 0u16;
    let mut end = None;
    for (i, byte) in bytes.iter().enumerate().skip(start) {
        crc = CRC_16[usize::from((crc >> 8) as u8 ^ byte)] ^ crc << 8;
        // The last match counts: a reader accepts bytes behind a frame's samples that fit its checksum.
        if crc == 0 && i + 1 - start >= SHORTEST_FRAME {
            end = Some(from + i as u64 + 1);
        }
    }
    end.unwrap_or(range.end)
}

/// Fields of a frame header.
#[derive(Debug, PartialEq)]
struct Frame {
    is_variable: bool,
    /// Samples per channel.
    block: u16,
    /// Hz; `None` if the frame refers to the file header.
    rate: Option<u32>,
    bits: Option<u32>,
    n_channels: u32,
}

impl Frame {
    /// Parses the header at the beginning of `bytes`; its checksum must be right.
    fn parse(bytes: &[u8]) -> Option<Self> {
        if bytes.len() < 6 || bytes[0] != 0xff || bytes[1] & 0xfe != 0xf8 || bytes[3] & 1 != 0 {
            return None;
        }
        // Length of the coded frame number: the number of leading ones in its first byte.
        let n_number = match bytes[4].leading_ones() {
            0 => 1,
            n @ 2..=7 => n as usize,
            _ => return None,
        };
        let mut at = 4 + n_number;
        let mut number = |n_bytes: usize| -> Option<u32> {
            let value = bytes.get(at..at + n_bytes)?.iter().fold(0, |v, b| v << 8 | u32::from(*b));
            at += n_bytes;
            Some(value)
        };
        let block = match bytes[2] >> 4 {
            1 => 192,
            code @ 2..=5 => 576 << (code - 2),
            6 => number(1)? + 1,
            7 => number(2)? + 1,
            code @ 8..=15 => 256 << (code - 8),
            _ => return None,
        };
        const RATES: [u32; 11] =
            [88_200, 176_400, 192_000, 8000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000];
        let rate = match bytes[2] & 15 {
            0 => None,
            12 => Some(number(1)? * 1000),
            13 => Some(number(2)?),
            14 => Some(number(2)? * 10),
            code => Some(*RATES.get(usize::from(code) - 1)?),
        };
        let n_channels = match bytes[3] >> 4 {
            code @ 0..=7 => u32::from(code) + 1,
            8..=10 => 2,
            _ => return None,
        };
        let bits = match bytes[3] >> 1 & 7 {
            0 => None,
            3 => return None,
            code => Some([8, 12, 0, 16, 20, 24, 32][usize::from(code) - 1]),
        };
        let is_right = crc_8(bytes.get(..at)?) == *bytes.get(at)?;
        let block = u16::try_from(block).ok()?;
        is_right.then_some(Self { is_variable: bytes[1] & 1 == 1, block, rate, bits, n_channels })
    }
}

/// CRC of a frame header: x⁸ + x² + x + 1.
fn crc_8(bytes: &[u8]) -> u8 {
    let step = |crc: u8, _| if crc & 0x80 != 0 { crc << 1 ^ 0x07 } else { crc << 1 };
    bytes.iter().fold(0, |crc, byte| (0..8).fold(crc ^ byte, step))
}

/// CRC table of a frame, indexed by the highest byte: x¹⁶ + x¹⁵ + x² + 1.
const CRC_16: [u16; 256] = {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let mut crc = (i as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x8000 != 0 { crc << 1 ^ 0x8005 } else { crc << 1 };
            bit += 1;
        }
        table[i] = crc;
        i += 1;
    }
    table
};
