//! What can go wrong with an audio file, in words that say what to do.

/// Why a file could not be read or written. Every message names the file.
#[derive(Debug, thiserror::Error)]
pub enum AudioFileError {
    /// No such file.
    #[error("there is no file {path}: check its name and folder")]
    Missing {
        /// What was asked for.
        path: String,
    },
    /// The system would not let us read it.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// What was asked for.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file has no bytes, or a header and no sound.
    #[error("{path} holds no sound: record or export it again")]
    Empty {
        /// What was asked for.
        path: String,
    },
    /// Nothing in it that looks like one of our formats.
    #[error("{path} is not a sound file that can be read here: convert it to wav or flac")]
    NotAudio {
        /// What was asked for.
        path: String,
    },
    /// Something else that is known.
    #[error("{path} is {what}, which cannot be read here: convert it to wav or flac")]
    Foreign {
        /// What was asked for.
        path: String,
        /// What it is, with an article.
        what: String,
    },
    /// A known container with sound that cannot be decoded.
    #[error("the sound in {path} is stored in a way that cannot be decoded here ({reason}): convert it to wav or flac")]
    UnsupportedCodec {
        /// What was asked for.
        path: String,
        /// What the decoder said.
        reason: String,
    },
    /// The folder to write to is not there and could not be made.
    #[error("cannot make the folder {path}: {source}; choose another place")]
    Folder {
        /// The folder.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file could not be written.
    #[error("cannot write {path}: {reason}")]
    Unwritable {
        /// What was asked for.
        path: String,
        /// What the system said.
        reason: String,
    },
}
