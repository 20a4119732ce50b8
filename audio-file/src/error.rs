//! Errors of reading and writing audio files. Each message says what the user can do.

/// Why a file could not be read or written. Every message names the file.
#[derive(Debug, thiserror::Error)]
pub enum AudioFileError {
    /// The file does not exist.
    #[error("there is no file {path}: check its name and folder")]
    Missing {
        /// The requested path.
        path: String,
    },
    /// The system refused to open or read the file.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// The requested path.
        path: String,
        /// The system's error.
        source: std::io::Error,
    },
    /// The file is empty, or has a header and no audio.
    #[error("{path} holds no sound: record or export it again")]
    Empty {
        /// The requested path.
        path: String,
    },
    /// The content matches no supported format.
    #[error("{path} is not a sound file that can be read here: convert it to wav or flac")]
    NotAudio {
        /// The requested path.
        path: String,
    },
    /// The file is of a known type that holds no readable audio, such as MIDI.
    #[error("{path} is {what}, which cannot be read here: convert it to wav or flac")]
    Foreign {
        /// The requested path.
        path: String,
        /// The file's type, with an article.
        what: String,
    },
    /// The container is supported; the codec of its audio is not, or the audio is damaged.
    #[error("the sound in {path} is stored in a way that cannot be decoded here ({reason}): convert it to wav or flac")]
    UnsupportedCodec {
        /// The requested path.
        path: String,
        /// The codec, or the decoder's error.
        reason: String,
    },
    /// The destination folder does not exist and could not be created.
    #[error("cannot make the folder {path}: {source}; choose another place")]
    Folder {
        /// The folder.
        path: String,
        /// The system's error.
        source: std::io::Error,
    },
    /// The file could not be written.
    #[error("cannot write {path}: {reason}")]
    Unwritable {
        /// The requested path.
        path: String,
        /// The system's or the encoder's error.
        reason: String,
    },
}
