//! Files made of chunks (RIFF, RF64, Wave64, AIFF, CAF). The size in a chunk's header is only a hint. Where the rest of
//! the file contradicts it, the file decides where the chunk ends.

use crate::layout::tags;
use crate::source::Source;
use std::ops::Range;

/// Length of the end of the file that is searched for chunks behind the audio data, bytes.
const TAIL: u64 = 1 << 20;
/// If more bytes than this follow the announced end of the audio data, and they are not chunks, they count as audio
/// data: the program that wrote them did not get to correct the size.
const LEAST_REST: u64 = 8192;
/// Programs that do not know the size yet write this value or a larger one.
const UNKNOWN_SIZE: u64 = 0x7fff_0000;

/// Identifiers of the chunks that may accompany the audio data.
const KNOWN: [&[u8; 4]; 44] = [
    b"LIST", b"INFO", b"id3 ", b"ID3 ", b"bext", b"iXML", b"JUNK", b"junk", b"PAD ", b"FLLR", b"fact", b"PEAK",
    b"cue ", b"smpl", b"inst", b"plst", b"cart", b"acid", b"axml", b"chna", b"afsp", b"_PMX", b"LGWV", b"SAUR",
    b"DISP", b"ResU", b"MARK", b"COMT", b"INST", b"MIDI", b"AESD", b"APPL", b"NAME", b"AUTH", b"ANNO", b"(c) ",
    b"CHAN", b"COMM", b"free", b"info", b"pakt", b"chan", b"levl", b"data",
];

/// Chunk format of a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Style {
    /// Sizes of 32 bits, little-endian; chunks of odd size are padded.
    Riff,
    /// The same, big-endian.
    Form,
    /// Identifiers of 16 bytes; sizes of 64 bits, which include the header; chunks are padded to 8 bytes.
    Wave64,
    /// Sizes of 64 bits, big-endian; -1 means "up to the end of the file".
    Caf,
}

/// A chunk's header.
#[derive(Clone, Copy, Debug)]
pub struct Chunk {
    pub id: [u8; 4],
    /// Offset of the chunk's content in the file, bytes.
    pub body: u64,
    /// Announced size without the header, bytes; `None` if the header gives no usable size.
    pub size: Option<u64>,
}

/// Where the audio data ends, compared with the announced size.
pub struct Extent {
    pub end: u64,
    /// Announced size in bytes, if the file holds less.
    pub missing_of: Option<u64>,
    /// Bytes behind the announced end that are neither known chunks nor read.
    pub n_unread: u64,
    /// True if audio data was found, and is read, behind the announced end.
    pub is_more: bool,
}

impl Extent {
    /// Messages for the user about the differences.
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        if self.n_unread > 0 {
            remarks.push(format!("{} bytes behind the sound are not known and were not read", self.n_unread));
        }
        if self.is_more {
            remarks.push("the file holds more sound than its header says; all of it was read".into());
        }
        remarks
    }
}

impl Style {
    pub fn header_len(self) -> u64 {
        match self {
            Self::Riff | Self::Form => 8,
            Self::Wave64 => 24,
            Self::Caf => 12,
        }
    }

    /// Parses the chunk header at `at`; `None` if there is no plausible one.
    pub fn chunk(self, source: &Source, at: u64) -> Option<Chunk> {
        let id: [u8; 4] = source.array(at)?;
        let is_name = id.iter().all(|b| (0x20..0x7f).contains(b)) && id != *b"    ";
        let body = at + self.header_len();
        let size = match self {
            Self::Riff => u64::from(u32::from_le_bytes(source.array(at + 4)?)),
            Self::Form => u64::from(u32::from_be_bytes(source.array(at + 4)?)),
            Self::Wave64 => u64::from_le_bytes(source.array(at + 16)?).saturating_sub(24),
            Self::Caf => u64::from_be_bytes(source.array(at + 4)?),
        };
        let is_known = match self {
            Self::Riff | Self::Form => size < UNKNOWN_SIZE,
            Self::Wave64 | Self::Caf => size < u64::MAX / 4,
        };
        is_name.then_some(Chunk { id, body, size: is_known.then_some(size) })
    }

    /// Offsets at which the next chunk can begin, the most likely first. The chunk before it ends at `body + size`.
    /// Some programs forget the padding, others pad even sizes too.
    fn next_places(self, body: u64, size: u64) -> [u64; 3] {
        let end = body.saturating_add(size);
        match self {
            Self::Riff | Self::Form if size % 2 == 1 => [end.saturating_add(1), end, end],
            Self::Riff | Self::Form => [end, end.saturating_add(1), end],
            Self::Wave64 => [end.next_multiple_of(8), end, end],
            Self::Caf => [end; 3],
        }
    }

    /// The chunk that follows `chunk`. `size` replaces the announced size of `chunk`.
    pub fn next(self, source: &Source, chunk: &Chunk, size: u64) -> Option<Chunk> {
        let places = self.next_places(chunk.body, size);
        let found = |is_good: &dyn Fn(&Chunk) -> bool| {
            places.into_iter().filter_map(|at| self.chunk(source, at)).find(|chunk| is_good(chunk))
        };
        let is_known = |chunk: &Chunk| KNOWN.contains(&&chunk.id) || chunk.id == *b"fmt " || chunk.id == *b"SSND";
        found(&is_known).or_else(|| found(&|_| true))
    }

    /// True if chunks and tags follow each other without gaps from `at` to `end`.
    fn is_chain(self, source: &Source, mut at: u64, end: u64) -> bool {
        loop {
            // Up to 8 bytes may remain or be missing: a padding byte too few or too many, or a truncated header.
            if at >= end || end - at < self.header_len().min(8) {
                return at <= end.saturating_add(8);
            }
            if let Some(len) = tags::len_at(source, at, end) {
                at = at.saturating_add(len.max(1));
                continue;
            }
            let Some(chunk) = self.chunk(source, at) else { return false };
            if is_file(&chunk.id) {
                return true;
            }
            let Some(size) = chunk.size.filter(|size| chunk.body.saturating_add(*size) <= end) else {
                // The file was cut off inside this chunk.
                return KNOWN.contains(&&chunk.id);
            };
            let places = self.next_places(chunk.body, size);
            at = *places.iter().find(|at| self.chunk(source, **at).is_some()).unwrap_or(&places[0]);
        }
    }

    /// Offset at which the chunks and tags behind the audio data begin. Only the last [`TAIL`] bytes are searched.
    fn tail(self, source: &Source, from: u64, end: u64) -> Option<u64> {
        let is_name = |id: &[u8]| KNOWN.iter().any(|known| *known == id) || id.starts_with(b"ID3") || id == b"APET";
        let places = source.find_all(from.max(end.saturating_sub(TAIL))..end, 4, is_name);
        let is_tail = |at: &u64| {
            let is_chunk = self.chunk(source, *at).is_some_and(|c| c.size.is_some_and(|s| c.body + s <= end));
            let is_tag = || tags::len_at(source, *at, end).is_some_and(|len| at + len <= end);
            (is_chunk || is_tag()) && self.is_chain(source, *at, end)
        };
        places.into_iter().find(is_tail)
    }

    /// Searches a range for the chunk `id`, for files in which an earlier chunk has a wrong size. A chunk that fits the
    /// file is preferred, because the four letters may also occur in a text.
    pub fn search(self, source: &Source, range: Range<u64>, id: &[u8; 4]) -> Option<Chunk> {
        let places = source.find_all(range.clone(), 4, |bytes| bytes == id);
        let chunks: Vec<(u64, Chunk)> =
            places.into_iter().filter_map(|at| Some((at, self.chunk(source, at)?))).collect();
        let fits = |(at, chunk): &&(u64, Chunk)| {
            let is_within = chunk.size.is_some_and(|size| chunk.body.saturating_add(size) <= range.end);
            is_within && self.is_chain(source, *at, range.end)
        };
        chunks.iter().find(fits).or(chunks.first()).map(|(_, chunk)| *chunk)
    }

    /// Determines where the audio data ends. It begins at `start`, which may lie behind the chunk's own header fields.
    /// `size` is its announced size; the file has `len` bytes.
    pub fn extent(self, source: &Source, start: u64, size: Option<u64>, len: u64) -> Extent {
        let plain = |end| Extent { end, missing_of: None, n_unread: 0, is_more: false };
        let up_to_tail = || self.tail(source, start, len).unwrap_or(len);
        match size {
            Some(0) if self.is_chain(source, start, len) => plain(start),
            None | Some(0) => plain(up_to_tail()),
            Some(size) if start.saturating_add(size) > len => {
                let end = up_to_tail();
                Extent { missing_of: Some(size), ..plain(end) }
            }
            Some(size) => {
                let end = start + size;
                let rest = len - end;
                if self.next_places(start, size).into_iter().any(|at| self.is_chain(source, at, len)) {
                    return plain(end);
                }
                let is_silent = source.is_zero(end..len);
                if rest < LEAST_REST || is_silent {
                    return Extent { n_unread: if is_silent { 0 } else { rest }, ..plain(end) };
                }
                Extent { is_more: true, ..plain(up_to_tail()) }
            }
        }
    }
}

/// True if `id` begins another file.
fn is_file(id: &[u8; 4]) -> bool {
    [b"RIFF", b"RIFX", b"RF64", b"BW64", b"riff", b"FORM", b"caff"].contains(&id)
}
