//! Files made of chunks (RIFF, RF64, Wave64, AIFF, CAF). A chunk's size is a hint: where the file shows that it cannot be
//! right, the chunk ends where the file says.

use crate::layout::tags;
use crate::source::Source;
use std::ops::Range;

/// What of the file's end is searched for chunks behind the sound, bytes.
const TAIL: u64 = 1 << 20;
/// More bytes than this behind the announced end of the sound, which are no chunks, are taken for sound: the program that
/// wrote them had no time to correct the size.
const LEAST_REST: u64 = 8192;
/// Sizes from here on are what programs write that do not know the size yet.
const UNKNOWN_SIZE: u64 = 0x7fff_0000;

/// Chunks that stand beside the sound.
const KNOWN: [&[u8; 4]; 44] = [
    b"LIST", b"INFO", b"id3 ", b"ID3 ", b"bext", b"iXML", b"JUNK", b"junk", b"PAD ", b"FLLR", b"fact", b"PEAK",
    b"cue ", b"smpl", b"inst", b"plst", b"cart", b"acid", b"axml", b"chna", b"afsp", b"_PMX", b"LGWV", b"SAUR",
    b"DISP", b"ResU", b"MARK", b"COMT", b"INST", b"MIDI", b"AESD", b"APPL", b"NAME", b"AUTH", b"ANNO", b"(c) ",
    b"CHAN", b"COMM", b"free", b"info", b"pakt", b"chan", b"levl", b"data",
];

/// How the chunks of a file are written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Style {
    /// Sizes of 32 bits, little-endian; chunks of odd size are padded.
    Riff,
    /// The same, big-endian.
    Form,
    /// Names of 16 bytes, sizes of 64 bits that count the header; chunks are padded to 8 bytes.
    Wave64,
    /// Sizes of 64 bits, big-endian; -1 = up to the end.
    Caf,
}

/// Head of a chunk.
#[derive(Clone, Copy, Debug)]
pub struct Chunk {
    pub id: [u8; 4],
    /// Where its content begins.
    pub body: u64,
    /// What it says of its size, without header; `None` if it says that it does not know.
    pub size: Option<u64>,
}

/// Where the sound ends, and what the chunk said.
pub struct Extent {
    pub end: u64,
    /// Announced size in bytes, if it was more than the file holds.
    pub missing_of: Option<u64>,
    /// Bytes behind the announced end that are neither chunks nor read.
    pub n_unread: u64,
    /// True if there is more than was announced, and it is read.
    pub is_more: bool,
}

impl Extent {
    /// What is to be said about it.
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

    /// The chunk that begins at `at`, if what is there can be the head of one.
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

    /// Where the chunk after one that ends at `body + size` can begin, most likely place first: padding is forgotten by
    /// some programs, and added to even sizes by others.
    fn next_places(self, body: u64, size: u64) -> [u64; 3] {
        let end = body.saturating_add(size);
        match self {
            Self::Riff | Self::Form if size % 2 == 1 => [end.saturating_add(1), end, end],
            Self::Riff | Self::Form => [end, end.saturating_add(1), end],
            Self::Wave64 => [end.next_multiple_of(8), end, end],
            Self::Caf => [end; 3],
        }
    }

    /// The chunk after `chunk`, whose size may be corrected by `size`.
    pub fn next(self, source: &Source, chunk: &Chunk, size: u64) -> Option<Chunk> {
        let places = self.next_places(chunk.body, size);
        let found = |is_good: &dyn Fn(&Chunk) -> bool| {
            places.into_iter().filter_map(|at| self.chunk(source, at)).find(|chunk| is_good(chunk))
        };
        let is_known = |chunk: &Chunk| KNOWN.contains(&&chunk.id) || chunk.id == *b"fmt " || chunk.id == *b"SSND";
        found(&is_known).or_else(|| found(&|_| true))
    }

    /// True if from `at` on there are chunks and tags, one behind the other, up to `end`.
    fn is_chain(self, source: &Source, mut at: u64, end: u64) -> bool {
        loop {
            // A forgotten or superfluous byte, or the beginning of a head.
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
                // Cut off in the middle of a chunk.
                return KNOWN.contains(&&chunk.id);
            };
            let places = self.next_places(chunk.body, size);
            at = *places.iter().find(|at| self.chunk(source, **at).is_some()).unwrap_or(&places[0]);
        }
    }

    /// Where in the last of the file the chunks and tags behind the sound begin.
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

    /// The chunk called `id` in a range, where a chunk before it has a wrong size. One that fits is believed rather than a
    /// word in a text.
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

    /// How far the sound of `chunk` goes in a file of `len` bytes, from `start` on, which may lie behind the chunk's own
    /// header. `size` is what the file says of it.
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

/// True for the first bytes of another file.
fn is_file(id: &[u8; 4]) -> bool {
    [b"RIFF", b"RIFX", b"RF64", b"BW64", b"riff", b"FORM", b"caff"].contains(&id)
}
