//! Ogg: chained streams. Joining two files gives chained streams as well.

use super::{Container, Layout, Part, Refusal, Stream};
use crate::source::Source;
use std::ops::Range;
use std::sync::Arc;

/// Bytes of a page header before the segment table.
const HEADER: u64 = 27;
/// Flag of the first page of a stream.
const FIRST: u8 = 2;

pub fn layout(source: &Arc<Source>, range: Range<u64>) -> Result<Layout, Refusal> {
    let mut starts: Vec<(u64, bool)> = Vec::new();
    let mut kinds = Vec::new();
    let mut is_before_first = true;
    let mut at = range.start;
    while at < range.end {
        let Some(page) = Page::at(source, at) else {
            // Damaged pages, or foreign bytes between two files.
            match source
                .find_all(at + 1..range.end, 4, |b| b == b"OggS")
                .into_iter()
                .find(|at| Page::at(source, *at).is_some())
            {
                Some(next) => at = next,
                None => break,
            }
            continue;
        };
        if page.is_first {
            if is_before_first {
                starts.push((at, false));
            }
            let codec = codec(&page.body);
            if let Some((_, is_known)) = starts.last_mut() {
                *is_known |= codec.is_none();
            }
            kinds.extend(codec);
        }
        is_before_first = !page.is_first;
        at = page.end;
    }
    let ends = starts.iter().skip(1).map(|(at, _)| *at).chain([range.end]);
    let streams = starts.iter().zip(ends).filter(|((_, is_known), _)| *is_known);
    let parts: Vec<Part> =
        streams.map(|((start, _), end)| Part::Stream(Stream::whole(Container::Ogg, source, *start..end))).collect();
    match (parts.is_empty(), kinds.first()) {
        (true, Some(kind)) => Err(Refusal::Codec(format!("{kind} in ogg"))),
        (true, None) => Err(Refusal::NotAudio),
        (false, _) => Ok(Layout::new(parts)),
    }
}

struct Page {
    is_first: bool,
    /// The first bytes of the content.
    body: [u8; 8],
    end: u64,
}

impl Page {
    fn at(source: &Source, at: u64) -> Option<Self> {
        let head: [u8; HEADER as usize] = source.array(at)?;
        if !head.starts_with(b"OggS\0") {
            return None;
        }
        let n_segments = u64::from(head[26]);
        let lengths = source.bytes(at + HEADER..at + HEADER + n_segments);
        let start = at + HEADER + n_segments;
        let end = start + lengths.iter().map(|n| u64::from(*n)).sum::<u64>();
        Some(Self { is_first: head[5] & FIRST != 0, body: source.array(start).unwrap_or_default(), end })
    }
}

/// Name of an unsupported codec, by its first page; `None` for supported ones.
fn codec(body: &[u8; 8]) -> Option<&'static str> {
    match body {
        b"OpusHead" | [1, b'v', b'o', b'r', b'b', b'i', b's', _] | [0x7f, b'F', b'L', b'A', b'C', ..] => None,
        b"Speex   " => Some("Speex"),
        [0x80, b't', b'h', ..] => Some("a video (Theora)"),
        b"fishead\0" => Some("a list of streams without any sound"),
        _ => Some("an unknown codec"),
    }
}
