//! Where in a file the sound lies, and how it is stored. The headers of a recording that was cut off, streamed, joined with
//! another or written by a careless program are mended here; decoding is left to Symphonia.

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
    /// It is this, with its article: "a MIDI file".
    Foreign(String),
    /// A sound file, stored in this way, which is not known here.
    Codec(String),
    /// Nothing that is known.
    NotAudio,
}

/// The sound of a file, piece by piece, in the order in which they play.
pub struct Layout {
    pub parts: Vec<Part>,
    /// What the user should know about them.
    pub remarks: Vec<String>,
}

/// One recording; a file that was joined of several holds as many.
pub enum Part {
    /// Samples, or blocks of them, one behind the other.
    Blocks(Blocks),
    /// What one of Symphonia's readers understands.
    Stream(Stream),
}

/// A part with its container.
pub struct Stream {
    pub container: Container,
    pub view: View,
    /// What of it is to be heard, where the container says so and Symphonia does not look.
    pub edit: Option<Edit>,
    /// Samples that it announces and does not hold, at its rate.
    pub announced: Option<u64>,
}

/// Which reader takes it.
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
    /// Looks at the bytes, never at the name.
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
