//! Finds the audio data in a file and determines its format. Repairs the headers of recordings that were truncated,
//! streamed, joined or written carelessly. Decoding is left to Symphonia.

mod aiff;
mod blocks;
mod caf;
mod flac;
mod kind;
mod mp4;
mod mpeg;
mod ogg;
pub mod tags;
mod wave;

pub use blocks::{Blocks, MOST_RATE};
pub use mp4::Edit;

use crate::source::{Source, View};
use std::sync::Arc;

/// Why nothing can be read.
#[derive(Debug)]
pub enum Refusal {
    /// The file's type, with its article, such as "a MIDI file".
    Foreign(String),
    /// A sound file with an unsupported codec, which is named.
    Codec(String),
    /// No known file type.
    NotAudio,
}

/// The parts of a file in playing order.
pub struct Layout {
    pub parts: Vec<Part>,
    /// Messages for the user about the parts.
    pub remarks: Vec<String>,
}

/// One recording. A file that was joined from several has several parts.
pub enum Part {
    /// Samples or blocks of fixed size.
    Blocks(Blocks),
    /// A stream for one of Symphonia's readers.
    Stream(Stream),
}

/// The bytes of a part, with their container.
pub struct Stream {
    pub container: Container,
    pub view: View,
    /// The audible range, where the container defines one and Symphonia ignores it.
    pub edit: Option<Edit>,
    /// Announced samples per channel, at the stream's rate.
    pub announced: Option<u64>,
}

/// Container format; decides which of Symphonia's readers is used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Container {
    Adts,
    Caf,
    Flac,
    Matroska,
    Mp4,
    Mpeg,
    Ogg,
}

impl Layout {
    /// Detects the format from the content, never from the file name.
    pub fn of(source: &Arc<Source>) -> Result<Self, Refusal> {
        let start = tags::end_of_first(source, 0);
        let head = source.bytes(start..start + 64);
        let all = start..source.len();
        let within = start..tags::start_of_last(source, start);
        match head.as_slice() {
            [b'R', b'I', b'F', b'F' | b'X', ..]
            | [b'R' | b'B', b'F' | b'W', b'6', b'4', ..]
            | [b'r', b'i', b'f', b'f', ..] => wave::layout(source, all),
            [b'F', b'O', b'R', b'M', _, _, _, _, b'A', b'I', b'F', b'F' | b'C', ..] => aiff::layout(source, all),
            [b'c', b'a', b'f', b'f', ..] => caf::layout(source, all),
            [b'f', b'L', b'a', b'C', ..] => Ok(flac::layout(source, within)),
            [b'O', b'g', b'g', b'S', ..] => ogg::layout(source, within),
            [0x1a, 0x45, 0xdf, 0xa3, ..] => Ok(Stream::whole(Container::Matroska, source, all).into()),
            [_, _, _, _, b'f', b't', b'y', b'p', ..]
            | [_, _, _, _, b'm', b'o', b'o', b'v', ..]
            | [_, _, _, _, b'm', b'd', b'a', b't', ..]
            | [_, _, _, _, b'w', b'i', b'd', b'e', ..] => mp4::layout(source, all),
            head => match kind::foreign(head) {
                Some(what) => Err(Refusal::Foreign(what.into())),
                None => mpeg::layout(source, within).ok_or(Refusal::NotAudio),
            },
        }
    }

    fn new(parts: Vec<Part>) -> Self {
        Self { parts, remarks: Vec::new() }
    }
}

impl From<Stream> for Layout {
    fn from(stream: Stream) -> Self {
        Self::new(vec![Part::Stream(stream)])
    }
}

impl Stream {
    fn whole(container: Container, source: &Arc<Source>, range: std::ops::Range<u64>) -> Self {
        Self::of(container, View::new(source, range))
    }

    fn of(container: Container, view: View) -> Self {
        Self { container, view, edit: None, announced: None }
    }
}
