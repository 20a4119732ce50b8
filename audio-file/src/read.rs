//! Reads a file into [`Audio`].

use crate::decode::{self, Sound};
use crate::layout::{Layout, Part, Refusal};
use crate::source::Source;
use crate::{Audio, AudioFileError, resample, to_mono};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

/// A recording, with messages about what could not be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// The decoded audio.
    pub audio: Audio,
    /// What is missing compared with the file's headers or contents. One sentence each, without the file name. Show
    /// them to the user.
    pub remarks: Vec<String>,
}

/// Like [`read_recording`], without the remarks. Allocates.
///
/// # Errors
/// Each error names the file and says what to do about it.
pub fn read(path: &Path) -> Result<Audio, AudioFileError> {
    Ok(read_recording(path)?.audio)
}

/// Reads a whole file, at any rate and with any number of channels. Allocates.
///
/// Formats: wav, AIFF, CAF, flac, mp3, ogg vorbis, opus, m4a (AAC, ALAC) and Matroska. The format is detected from the
/// content, not from the file name.
///
/// Sizes in headers are hints: all bytes that are there are read. Joined files are read one after the other. Silence
/// that the encoder added at either end is removed if the file gives its length. A truncated file is read up to its
/// end. A damaged passage becomes silence of the same length. Samples that are not finite become 0.
///
/// # Errors
/// Each error names the file and says what to do about it.
pub fn read_recording(path: &Path) -> Result<Recording, AudioFileError> {
    let name = path.display().to_string();
    let source = Source::open(path).map_err(|source| match source.kind() {
        ErrorKind::NotFound => AudioFileError::Missing { path: name.clone() },
        _ => AudioFileError::Unreadable { path: name.clone(), source },
    })?;
    read_source(&Arc::new(source), &name)
}

/// Like [`read_recording`], for bytes in memory. `name` stands for the file name in messages. Allocates.
///
/// # Errors
/// Each error contains the name and says what to do about it.
pub fn read_bytes(bytes: Vec<u8>, name: &str) -> Result<Recording, AudioFileError> {
    read_source(&Arc::new(Source::of_bytes(bytes)), name)
}

fn read_source(source: &Arc<Source>, name: &str) -> Result<Recording, AudioFileError> {
    if source.len() == 0 {
        return Err(AudioFileError::Empty { path: name.into() });
    }
    // The system may open a file and still refuse to read it.
    source.read_at(0, &mut [0]).map_err(|source| AudioFileError::Unreadable { path: name.into(), source })?;
    let Layout { parts, mut remarks } = Layout::of(source).map_err(|refusal| error_of(refusal, name))?;
    let (n_parts, mut n_damaged, mut pieces, mut refused) = (parts.len(), 0, Vec::new(), None);
    for (i, part) in parts.into_iter().enumerate() {
        let sound = match part {
            Part::Blocks(blocks) => decode::blocks(source, &blocks),
            Part::Stream(stream) => decode::stream(stream),
        };
        match sound {
            Ok(Sound { pieces: more, remarks: more_remarks, n_damaged: n, .. }) => {
                pieces.extend(more.into_iter().filter(|piece| !piece.channels[0].is_empty()));
                remarks.extend(more_remarks);
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
        (None, Some(refusal)) => Err(error_of(refusal, name)),
        // There is a header and not one valid packet: most likely the file is of another kind and only begins like
        // audio.
        (None, None) if n_damaged > 0 => Err(AudioFileError::NotAudio { path: name.into() }),
        (None, None) => Err(AudioFileError::Empty { path: name.into() }),
    }
}

fn error_of(refusal: Refusal, path: &str) -> AudioFileError {
    let path = path.to_string();
    match refusal {
        Refusal::Foreign(what) => AudioFileError::Foreign { path, what },
        Refusal::Codec(reason) => AudioFileError::UnsupportedCodec { path, reason },
        Refusal::NotAudio => AudioFileError::NotAudio { path },
    }
}

/// Joins the pieces in order, at the rate of the first.
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
