//! File to [`Audio`].

use crate::{Audio, AudioFileError};
use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;
use symphonia::core::audio::GenericAudioBufferRef;
use symphonia::core::codecs::audio::AudioDecoder;
use symphonia::core::errors::Error as DecodeError;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatReader, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::packet::Packet;

/// A longer hole between two packets is taken for a wrong time stamp.
const MAX_HOLE_S: i64 = 10;

/// Reads a whole file: wav, flac, ogg vorbis or mp3, any rate, any number of channels. Allocates.
///
/// Silence that the encoder put before or after the sound is cut where the file says how much it is. A file that was
/// cut off gives what is left of it; a damaged stretch in the middle gives silence of the same length. Samples that
/// are not finite numbers are read as 0.
///
/// # Errors
/// Each names the file and what to do about it.
pub fn read(path: &Path) -> Result<Audio, AudioFileError> {
    let name = || path.display().to_string();
    let (mut format, mut decoder, track_id) = open(path)?;
    let mut sound = Sound::default();
    let mut n_damaged = 0;
    // Any error of the container is taken for the end of a file that was cut off.
    while let Ok(Some(packet)) = format.next_packet() {
        if packet.track_id != track_id {
            continue;
        }
        match decoder.decode(&packet) {
            Ok(decoded) => sound.push(&packet, &decoded, path)?,
            Err(DecodeError::DecodeError(_) | DecodeError::IoError(_)) => n_damaged += 1,
            Err(_) => break,
        }
    }
    match sound.audio {
        Some(audio) if !audio.channels[0].is_empty() => Ok(audio),
        // A header and not one good packet: most likely something else that began like a sound file.
        _ if n_damaged > 0 => Err(AudioFileError::NotAudio { path: name() }),
        _ => Err(AudioFileError::Empty { path: name() }),
    }
}

type Opened = (Box<dyn FormatReader>, Box<dyn AudioDecoder>, u32);

fn open(path: &Path) -> Result<Opened, AudioFileError> {
    let name = || path.display().to_string();
    let unreadable = |source: std::io::Error| match source.kind() {
        ErrorKind::NotFound => AudioFileError::Missing { path: name() },
        _ => AudioFileError::Unreadable { path: name(), source },
    };
    let file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if metadata.is_dir() {
        return Err(unreadable(ErrorKind::IsADirectory.into()));
    }
    if metadata.is_file() && metadata.len() == 0 {
        return Err(AudioFileError::Empty { path: name() });
    }
    let mut hint = Hint::new();
    if let Some(extension) = path.extension().and_then(|e| e.to_str()) {
        hint.with_extension(extension);
    }
    let stream = MediaSourceStream::new(Box::new(file), Default::default());
    let format = symphonia::default::get_probe()
        .probe(&hint, stream, Default::default(), Default::default())
        .map_err(|e| refusal(e, path))?;
    let track = format.default_track(TrackType::Audio).ok_or_else(|| AudioFileError::NoAudioTrack { path: name() })?;
    let track_id = track.id;
    let params = track.codec_params.as_ref().and_then(|p| p.audio());
    let params = params.ok_or_else(|| AudioFileError::UnsupportedCodec {
        path: name(),
        reason: "the file does not say how".to_string(),
    })?;
    let decoder = symphonia::default::get_codecs()
        .make_audio_decoder(params, &Default::default())
        .map_err(|e| AudioFileError::UnsupportedCodec { path: name(), reason: e.to_string() })?;
    Ok((format, decoder, track_id))
}

fn refusal(error: DecodeError, path: &Path) -> AudioFileError {
    let path = path.display().to_string();
    match error {
        DecodeError::IoError(source) if source.kind() != ErrorKind::UnexpectedEof => {
            AudioFileError::Unreadable { path, source }
        }
        // Said by a reader that knew the container; the probe itself says "core (probe)".
        DecodeError::Unsupported(reason) if !reason.starts_with("core (probe)") => {
            AudioFileError::UnsupportedCodec { path, reason: reason.to_string() }
        }
        _ => AudioFileError::NotAudio { path },
    }
}

/// What has been decoded so far.
#[derive(Default)]
struct Sound {
    audio: Option<Audio>,
    /// Time stamp at which the last good packet ended, samples from an origin of the file's own.
    end: Option<i64>,
    /// Decoded packet, `[channel_idx][sample_idx]`; kept to save allocations.
    samples: Vec<Vec<f32>>,
}

impl Sound {
    /// Appends a packet, after silence for what is missing before it.
    fn push(&mut self, packet: &Packet, decoded: &GenericAudioBufferRef, path: &Path) -> Result<(), AudioFileError> {
        let (rate, n_channels) = (decoded.spec().rate(), decoded.num_planes());
        if n_channels == 0 || rate == 0 {
            return Ok(());
        }
        let audio = self.audio.get_or_insert_with(|| Audio { channels: vec![Vec::new(); n_channels], rate });
        if (audio.rate, audio.channels.len()) != (rate, n_channels) {
            let reason = "its sample rate or number of channels changes on the way".to_string();
            return Err(AudioFileError::UnsupportedCodec { path: path.display().to_string(), reason });
        }
        let start = packet.pts.get();
        let hole = self.end.map_or(0, |end| start.saturating_sub(end));
        let hole = if (0..i64::from(rate) * MAX_HOLE_S).contains(&hole) { hole as usize } else { 0 };
        self.end = Some(start.saturating_add_unsigned(packet.block_dur().get()));
        decoded.copy_to_vecs_planar(&mut self.samples);
        for (channel, samples) in audio.channels.iter_mut().zip(&self.samples) {
            channel.extend(std::iter::repeat_n(0.0, hole));
            channel.extend(samples.iter().map(|v| if v.is_finite() { *v } else { 0.0 }));
        }
        Ok(())
    }
}
