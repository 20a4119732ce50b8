//! Tags with titles and pictures before and behind the audio (ID3, APE, Lyrics3).

use crate::source::Source;

/// Length of ID3v1, which stands at the very end of a file.
const ID3V1: u64 = 128;
const APE_HEADER: u64 = 32;

/// Offset of the audio behind the tags that begin at `at`.
pub fn end_of_first(source: &Source, at: u64) -> u64 {
    let mut at = at;
    while let Some(len) = len_of_id3v2(source, at).or_else(|| len_of_ape(source, at)) {
        at += len;
    }
    at.min(source.len())
}

/// Length of the tag at `at`, if there is one.
pub fn len_at(source: &Source, at: u64, end: u64) -> Option<u64> {
    let id3v1 = || (source.array(at) == Some(*b"TAG")).then_some(ID3V1.min(end - at));
    let lyrics = || (source.array(at) == Some(*b"LYRICSBEGIN")).then(|| lyrics(source, at, end)).flatten();
    len_of_id3v2(source, at).or_else(|| len_of_ape(source, at)).or_else(id3v1).or_else(lyrics)
}

/// Offset at which the tags behind the audio begin. `start` is the beginning of the audio.
pub fn start_of_last(source: &Source, start: u64) -> u64 {
    let mut end = source.len();
    loop {
        let before = end;
        let at = |back: u64| end.checked_sub(back).filter(|at| *at >= start);
        if let Some(at) = at(ID3V1).filter(|at| source.array(*at) == Some(*b"TAG")) {
            end = at;
        } else if let Some(at) = at(APE_HEADER).filter(|at| source.array(*at) == Some(*b"APETAGEX")) {
            let number = |offset| source.array(at + offset).map_or(0, u32::from_le_bytes);
            // The size includes the footer but not the header.
            let header = if number(20) >> 31 == 1 { APE_HEADER } else { 0 };
            end = (at + APE_HEADER).saturating_sub(u64::from(number(12)) + header).clamp(start, at);
        } else if let Some(at) = at(10).filter(|at| source.array(*at) == Some(*b"3DI")) {
            end = at.saturating_sub(synchsafe(source, at + 6) + 10).max(start);
        } else if let Some(at) = at(15).filter(|at| source.array(at + 6) == Some(*b"LYRICS200")) {
            let size = source.bytes(at..at + 6).iter().fold(0, |n, b| n * 10 + u64::from(b.saturating_sub(b'0')));
            end = at.saturating_sub(size).max(start);
        }
        if end == before {
            return end;
        }
    }
}

fn len_of_id3v2(source: &Source, at: u64) -> Option<u64> {
    let head: [u8; 10] = source.array(at)?;
    let is_id3 = head.starts_with(b"ID3") && head[3] < 0xff && head[6..].iter().all(|b| *b < 0x80);
    let footer = if head[5] & 0x10 != 0 { 10 } else { 0 };
    is_id3.then(|| 10 + synchsafe(source, at + 6) + footer)
}

fn len_of_ape(source: &Source, at: u64) -> Option<u64> {
    let is_ape = source.array(at) == Some(*b"APETAGEX");
    let size = u32::from_le_bytes(source.array(at + 12)?);
    is_ape.then_some(APE_HEADER + u64::from(size))
}

fn lyrics(source: &Source, at: u64, end: u64) -> Option<u64> {
    const LONGEST: u64 = 1 << 20;
    let ends = source.find_all(at..end.min(at + LONGEST), 9, |b| b == b"LYRICS200" || b == b"LYRICSEND");
    ends.first().map(|found| found + 9 - at)
}

/// A 28-bit number, seven bits in each byte.
fn synchsafe(source: &Source, at: u64) -> u64 {
    source.array(at).unwrap_or([0u8; 4]).iter().fold(0, |n, b| n << 7 | u64::from(b & 0x7f))
}
