//! File to [`Audio`].

use crate::decode::{self, Sound};
use crate::layout::{Layout, Part, Refusal};
use crate::source::Source;
use crate::{Audio, AudioFileError, resample, to_mono};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

/// A recording, and what its listener should know about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// Its sound.
    pub audio: Audio,
    /// One sentence each, without the name of the file: what is missing of what the file announces or holds. Show them.
    pub remarks: Vec<String>,
}

/// As [`read_recording`], for those to whom remarks do not matter. Allocates.
///
/// # Errors
/// Each names the file and what to do about it.
pub fn read(path: &Path) -> Result<Audio, AudioFileError> {
    Ok(read_recording(path)?.audio)
}

/// Reads a whole file, at any rate and with any number of channels. Allocates.
///
/// Formats: wav, AIFF, CAF, flac, mp3, ogg vorbis, opus, m4a (AAC, ALAC) and Matroska. The content decides which one it is,
/// not the name.
///
/// Sizes in headers are hints: the bytes that are there are read. Joined files are read one after the other. Silence that
/// the encoder added at either end is cut, if the file says how much it is. A truncated file is read as far as it goes. A
/// damaged stretch becomes silence of the same length. Samples that are not finite become 0.
///
/// # Errors
/// Each names the file and what to do about it.
pub fn read_recording(path: &Path) -> Result<Recording, AudioFileError> {
    let name = path.display().to_string();
    let source = Source::open(path).map_err(|source| match source.kind() {
        ErrorKind::NotFound => AudioFileError::Missing { path: name.clone() },
        _ => AudioFileError::Unreadable { path: name.clone(), source },
    })?;
    read_source(&Arc::new(source), &name)
}

/// As [`read_recording`], of what came through a pipe; `name` is for messages. Allocates.
///
/// # Errors
/// Each contains the name and what to do about it.
pub fn read_bytes(bytes: Vec<u8>, name: &str) -> Result<Recording, AudioFileError> {
    read_source(&Arc::new(Source::of_bytes(bytes)), name)
}

fn read_source(source: &Arc<Source>, name: &str) -> Result<Recording, AudioFileError> {
    if source.len() == 0 {
        return Err(AudioFileError::Empty { path: name.into() });
    }
    // The system may refuse to read what it let us open.
    source.read_at(0, &mut [0]).map_err(|source| AudioFileError::Unreadable { path: name.into(), source })?;
    let Layout { parts, mut remarks } = Layout::of(source).map_err(|refusal| said(refusal, name))?;
    let (n_parts, mut n_damaged, mut pieces, mut refused) = (parts.len(), 0, Vec::new(), None);
    for (i, part) in parts.into_iter().enumerate() {
        let sound = match part {
            Part::Blocks(blocks) => decode::blocks(source, &blocks),
            Part::Stream(stream) => decode::stream(stream),
        };
        match sound {
            Ok(Sound { pieces: more, remarks: said, n_damaged: n, .. }) => {
                pieces.extend(more.into_iter().filter(|piece| !piece.channels[0].is_empty()));
                remarks.extend(said);
                n_damaged += n;
            }
            Err(refusal) => {
                remarks.push(format!("of {n_parts} recordings in the file, number {} cannot be read", i + 1));
                refused = Some(refusal);
            }
        }
    }
    if n_damaged > 0 {
        remarks.push(format!("{n_damaged} damaged stretches are silent"));
    }
    match (join(pieces, &mut remarks), refused) {
        (Some(audio), _) => Ok(Recording { audio, remarks }),
        (None, Some(refusal)) => Err(said(refusal, name)),
        // A header and not one good packet: most likely something else that began like a sound file.
        (None, None) if n_damaged > 0 => Err(AudioFileError::NotAudio { path: name.into() }),
        (None, None) => Err(AudioFileError::Empty { path: name.into() }),
    }
}

fn said(refusal: Refusal, path: &str) -> AudioFileError {
    let path = path.to_string();
    match refusal {
        Refusal::Foreign(what) => AudioFileError::Foreign { path, what },
        Refusal::Codec(reason) => AudioFileError::UnsupportedCodec { path, reason },
        Refusal::NotAudio => AudioFileError::NotAudio { path },
    }
}

/// The pieces one after the other, at the rate of the first.
fn join(mut pieces: Vec<Audio>, remarks: &mut Vec<String>) -> Option<Audio> {
    let n_channels = pieces.iter().map(|piece| piece.channels.len()).max()?;
    let rate = pieces[0].rate;
    if pieces.iter().any(|piece| piece.rate != rate || piece.channels.len() != n_channels) {
        remarks.push(format!("its parts differ in sample rate or channels; all became {n_channels} at {rate} Hz"));
    }
    if pieces.len() == 1 {
        return pieces.pop();
    }
    let mut all = Audio { channels: vec![Vec::new(); n_channels], rate };
    for mut piece in pieces {
        if piece.channels.len() != n_channels {
            piece.channels = vec![to_mono(&piece); n_channels];
        }
        for (channel, samples) in all.channels.iter_mut().zip(&piece.channels) {
            channel.extend(resample(samples, piece.rate, rate));
        }
    }
    Some(all)
}
