//! Random access to the bytes of a recording, and views of ranges of them.

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use symphonia::core::io::MediaSource;

/// Length of the pieces in which a source is searched, bytes.
const PIECE: u64 = 1 << 20;

/// The bytes of a recording: a file, or memory that was filled from a pipe. Supports random access.
pub struct Source {
    bytes: Bytes,
    len: u64,
}

enum Bytes {
    File(Mutex<File>),
    Memory(Vec<u8>),
}

impl Source {
    /// Opens a file. A file without random access, such as a pipe, is read into memory.
    pub fn open(path: &Path) -> Result<Self> {
        let mut file = File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(ErrorKind::IsADirectory.into());
        }
        if metadata.is_file() {
            return Ok(Self { bytes: Bytes::File(Mutex::new(file)), len: metadata.len() });
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(Self::of_bytes(bytes))
    }

    pub fn of_bytes(bytes: Vec<u8>) -> Self {
        let len = bytes.len() as u64;
        Self { bytes: Bytes::Memory(bytes), len }
    }

    pub fn len(&self) -> u64 {
        self.len
    }

    /// Reads the bytes from `at` on: as many as there are, at most the length of `out`.
    pub fn read_at(&self, at: u64, out: &mut [u8]) -> Result<usize> {
        match &self.bytes {
            Bytes::Memory(bytes) => {
                let rest = usize::try_from(at).ok().and_then(|at| bytes.get(at..)).unwrap_or_default();
                let n = rest.len().min(out.len());
                out[..n].copy_from_slice(&rest[..n]);
                Ok(n)
            }
            Bytes::File(file) => {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                file.seek(SeekFrom::Start(at))?;
                let mut n = 0;
                while n < out.len() {
                    match file.read(&mut out[n..]) {
                        Ok(0) => break,
                        Ok(more) => n += more,
                        Err(e) if e.kind() == ErrorKind::Interrupted => (),
                        Err(e) => return Err(e),
                    }
                }
                Ok(n)
            }
        }
    }

    /// `N` bytes from `at` on; `None` if there are fewer. A read error counts as the end of the source, so that what
    /// precedes it can be used.
    pub fn array<const N: usize>(&self, at: u64) -> Option<[u8; N]> {
        let mut out = [0; N];
        (self.read_at(at, &mut out).ok()? == N).then_some(out)
    }

    /// The bytes of a range; fewer if the source ends within it. Allocates.
    pub fn bytes(&self, range: Range<u64>) -> Vec<u8> {
        let range = range.start..range.end.min(self.len);
        let mut out = vec![0; range.end.saturating_sub(range.start) as usize];
        let n = self.read_at(range.start, &mut out).unwrap_or(0);
        out.truncate(n);
        out
    }

    /// True if the range contains only zeros. Reads piece by piece.
    pub fn is_zero(&self, range: Range<u64>) -> bool {
        let starts = range.clone().step_by(PIECE as usize);
        starts.into_iter().all(|at| self.bytes(at..range.end.min(at + PIECE)).iter().all(|b| *b == 0))
    }

    /// Offsets in `range` at which `found` returns true for the `width` bytes there. Reads piece by piece.
    pub fn find_all(&self, range: Range<u64>, width: usize, found: impl Fn(&[u8]) -> bool) -> Vec<u64> {
        let mut places = Vec::new();
        let mut at = range.start;
        while at + width as u64 <= range.end {
            let piece = self.bytes(at..(at + PIECE + width as u64 - 1).min(range.end));
            if piece.len() < width {
                break;
            }
            let hits = piece.windows(width).enumerate().filter(|(_, bytes)| found(bytes));
            places.extend(hits.map(|(i, _)| at + i as u64));
            at += PIECE;
        }
        places
    }
}

/// A range of a source whose first bytes may be replaced.
#[derive(Clone)]
pub struct View {
    source: Arc<Source>,
    head: Vec<u8>,
    range: Range<u64>,
    position: u64,
    is_seekable: bool,
}

impl View {
    pub fn new(source: &Arc<Source>, range: Range<u64>) -> Self {
        let range = range.start..range.end.min(source.len()).max(range.start);
        Self { source: source.clone(), head: Vec::new(), range, position: 0, is_seekable: true }
    }

    /// Replaces the first bytes of the view by `head`.
    pub fn with_head(mut self, head: Vec<u8>) -> Self {
        self.range.start = (self.range.start + head.len() as u64).min(self.range.end);
        self.head = head;
        self
    }

    /// Makes the view readable from beginning to end only. A reader then cannot estimate the duration from the length.
    pub fn forward_only(mut self) -> Self {
        self.is_seekable = false;
        self
    }

    fn len(&self) -> u64 {
        self.head.len() as u64 + self.range.end - self.range.start
    }
}

impl Read for View {
    fn read(&mut self, out: &mut [u8]) -> Result<usize> {
        let n_head = self.head.len() as u64;
        let n = if self.position < n_head {
            let rest = &self.head[self.position as usize..];
            let n = rest.len().min(out.len());
            out[..n].copy_from_slice(&rest[..n]);
            n
        } else {
            let at = self.range.start + (self.position - n_head);
            let n = self.range.end.saturating_sub(at).min(out.len() as u64) as usize;
            self.source.read_at(at, &mut out[..n])?
        };
        self.position += n as u64;
        Ok(n)
    }
}

impl Seek for View {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
            SeekFrom::End(by) => self.len().checked_add_signed(by),
        };
        self.position = position.ok_or_else(|| Error::from(ErrorKind::InvalidInput))?;
        Ok(self.position)
    }
}

impl MediaSource for View {
    fn is_seekable(&self) -> bool {
        self.is_seekable
    }

    fn byte_len(&self) -> Option<u64> {
        self.is_seekable.then(|| self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source() -> Arc<Source> {
        Arc::new(Source::of_bytes((0..100).collect()))
    }

    #[test]
    fn a_view_shows_its_range_after_its_head() {
        let mut view = View::new(&source(), 10..20).with_head(vec![200, 201, 202]);
        let mut bytes = Vec::new();
        view.read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes, [200, 201, 202, 13, 14, 15, 16, 17, 18, 19]);
        assert_eq!(view.byte_len(), Some(10));
        view.seek(SeekFrom::End(-2)).unwrap();
        bytes.clear();
        view.read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes, [18, 19]);
        assert_eq!(View::new(&source(), 90..500).len(), 10);
    }

    #[test]
    fn places_are_found_across_pieces() {
        let mut bytes = vec![0; (1 << 20) + 500];
        for at in [3, (1 << 20) - 2, (1 << 20) + 400] {
            bytes[at..at + 4].copy_from_slice(b"fLaC");
        }
        let source = Source::of_bytes(bytes);
        let found = source.find_all(0..source.len(), 4, |b| b == b"fLaC");
        assert_eq!(found, [3, (1 << 20) - 2, (1 << 20) + 400]);
    }
}
