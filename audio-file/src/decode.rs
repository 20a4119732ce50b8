//! Decodes one part of a file, with Symphonia.

use crate::Audio;
use crate::layout::{Blocks, Container, Edit, MOST_RATE, Refusal, Stream};
use crate::opus::OpusDecoder;
use crate::source::{Source, View};
use symphonia::core::audio::GenericAudioBufferRef;
use symphonia::core::codecs::audio::well_known::CODEC_ID_OPUS;
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder};
use symphonia::core::errors::{Error, Result as Decoded};
use symphonia::core::formats::{FormatOptions, FormatReader, Track, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::packet::Packet;
use symphonia::core::units::{Duration, Timestamp};
use symphonia::default::formats::*;

/// A gap between two packets that is longer than this is taken for a wrong time stamp, seconds.
const MAX_GAP_S: f64 = 10.0;
/// A gap shorter than this is taken for a rounded time stamp if the container's time steps are larger than a sample,
/// seconds.
const MIN_GAP_S: f64 = 0.05;
/// Missing audio shorter than this is not reported, seconds: some containers round the announced length.
const TOLERATED_S: f64 = 0.05;
/// The same limit for formats that announce an exact length, seconds: an incomplete last sample is not worth a message.
const EXACT_S: f64 = 0.0005;
/// Samples per channel that are decoded in one call.
const BLOCK_FRAMES: u64 = 4096;

/// The decoded audio of a part. A part may change its format; each format has its own piece.
#[derive(Default)]
pub struct Sound {
    pub pieces: Vec<Audio>,
    pub remarks: Vec<String>,
    /// Packets that could not be decoded.
    pub n_damaged: usize,
    /// Decoded packet, `[channel_idx][sample_idx]`; kept to save allocations.
    samples: Vec<Vec<f32>>,
}

impl Sound {
    /// Samples per channel in all pieces together.
    pub fn n_frames(&self) -> u64 {
        self.pieces.iter().map(|piece| piece.channels[0].len() as u64).sum()
    }

    /// Appends a packet after `gap` samples of silence.
    fn push(&mut self, gap: usize, decoded: &GenericAudioBufferRef) {
        let (rate, n_channels) = (decoded.spec().rate(), decoded.num_planes());
        if n_channels == 0 || rate == 0 || rate > MOST_RATE {
            return;
        }
        let is_same = |piece: &Audio| piece.rate == rate && piece.channels.len() == n_channels;
        if !self.pieces.last().is_some_and(is_same) {
            self.pieces.push(Audio { channels: vec![Vec::new(); n_channels], rate });
        }
        decoded.copy_to_vecs_planar(&mut self.samples);
        let piece = self.pieces.last_mut().expect("pushed above");
        for (channel, samples) in piece.channels.iter_mut().zip(&self.samples) {
            channel.extend(std::iter::repeat_n(0.0, gap));
            channel.extend(samples.iter().map(|v| if v.is_finite() { *v } else { 0.0 }));
        }
    }

    /// Adds a message if clearly fewer samples were read than `announced`.
    fn compare(&mut self, announced: Option<u64>, n_read: u64, tolerated_s: f64) {
        let Some(rate) = self.pieces.first().map(|piece| f64::from(piece.rate)) else { return };
        let seconds = |n: u64| n as f64 / rate;
        if let Some(n) = announced.filter(|n| seconds(n.saturating_sub(n_read)) > tolerated_s) {
            let (announced, read) = (seconds(n), seconds(n_read));
            let digits = if announced - read < 0.1 { 3 } else { 1 };
            self.remarks
                .push(format!("its end is missing: {announced:.digits$} s are announced, {read:.digits$} s are there"));
        }
    }
}

/// Decodes uncompressed samples or blocks of fixed size.
pub fn blocks(source: &Source, blocks: &Blocks) -> Result<Sound, Refusal> {
    let n_blocks = (BLOCK_FRAMES / blocks.block_frames).max(1);
    let mut decoder = decoder(&blocks.params(n_blocks))?;
    let mut sound = Sound::default();
    let step = n_blocks * blocks.block_bytes;
    let mut at = blocks.data.start;
    while at < blocks.data.end {
        let mut bytes = source.bytes(at..(at + step).min(blocks.data.end));
        let n_frames = blocks.n_frames(bytes.len() as u64);
        bytes.resize(bytes.len().next_multiple_of(blocks.block_bytes as usize), 0);
        let n_decoded = bytes.len() as u64 / blocks.block_bytes * blocks.block_frames;
        let packet = Packet::new(0, Timestamp::ZERO, Duration::new(n_decoded), bytes);
        match decoder.decode(&packet) {
            Ok(decoded) => sound.push(0, &decoded),
            Err(_) => sound.n_damaged += 1,
        }
        // The last block may be truncated. The padding that completed it is not part of the audio.
        let surplus = n_decoded.saturating_sub(n_frames) as usize;
        for channel in sound.pieces.iter_mut().flat_map(|piece| &mut piece.channels) {
            channel.truncate(channel.len().saturating_sub(surplus));
        }
        at += step;
    }
    let announced = blocks.announced_bytes.map(|n| blocks.n_frames(n));
    let n_read = sound.n_frames();
    sound.compare(announced, n_read, EXACT_S);
    Ok(sound)
}

/// Decodes a part whose container one of Symphonia's readers understands.
pub fn stream(stream: Stream) -> Result<Sound, Refusal> {
    let container = stream.container;
    let mut format = open(container, stream.view).map_err(refusal)?;
    let track = format.default_track(TrackType::Audio).ok_or(Refusal::Foreign("a file without any sound".into()))?;
    let mut clock = Clock::of(track);
    let mut decoder = decoder(audio_params(track)?)?;
    let announced = stream.announced.or(track.num_frames.filter(|_| container != Container::Mpeg));
    let track_id = track.id;
    let mut sound = Sound::default();
    loop {
        let packet = match format.next_packet() {
            Ok(Some(packet)) if packet.track_id == track_id => packet,
            Ok(Some(_)) => continue,
            Ok(None) => break,
            // Nothing behind an unexpected end can be read. A comparison with the announced length reports the loss;
            // for every other error the message below does.
            Err(Error::IoError(e)) if e.kind() == std::io::ErrorKind::UnexpectedEof => break,
            Err(error) => {
                sound.remarks.push(format!("it cannot be read to its end ({error})"));
                break;
            }
        };
        match decoder.decode(&packet) {
            Ok(decoded) => {
                let gap = clock.gap(&packet, decoded.frames(), decoded.spec().rate());
                sound.push(gap, &decoded);
            }
            Err(Error::DecodeError(_) | Error::IoError(_)) => sound.n_damaged += 1,
            Err(error) => {
                sound.remarks.push(format!("it cannot be decoded to its end ({error})"));
                break;
            }
        }
    }
    // FLAC announces its length to the sample.
    let tolerated_s = if container == Container::Flac { EXACT_S } else { TOLERATED_S };
    let n_read = sound.n_frames();
    sound.compare(announced, n_read, tolerated_s);
    if let (Some(edit), [piece]) = (stream.edit, &mut sound.pieces[..]) {
        cut(piece, edit);
    }
    Ok(sound)
}

/// Applies an edit list: removes what precedes and follows the audible part.
fn cut(audio: &mut Audio, edit: Edit) {
    let n = audio.channels[0].len();
    let samples = |seconds: f64| (seconds * f64::from(audio.rate)).round().clamp(0.0, n as f64) as usize;
    let start = samples(edit.skip_s);
    // An edit list that leaves nothing must be wrong.
    if start >= n {
        return;
    }
    let end = edit.len_s.map_or(n, |len_s| (start + samples(len_s)).min(n));
    for channel in &mut audio.channels {
        channel.truncate(end);
        channel.drain(..start);
    }
}

/// Detects gaps between packets by their time stamps.
struct Clock {
    /// Duration of the container's time step, if it has one; otherwise a step is one sample.
    seconds_per_step: Option<f64>,
    /// End of the previous packet, seconds.
    end: Option<f64>,
}

impl Clock {
    fn of(track: &Track) -> Self {
        let base = track.time_base.map(|base| f64::from(base.numer.get()) / f64::from(base.denom.get()));
        Self { seconds_per_step: base, end: None }
    }

    /// Length of the gap before this packet, samples; it is filled with silence.
    fn gap(&mut self, packet: &Packet, n_frames: usize, rate: u32) -> usize {
        let rate = f64::from(rate);
        let step_s = self.seconds_per_step.unwrap_or(1.0 / rate);
        let start = packet.pts.get() as f64 * step_s;
        let gap_s = self.end.map_or(0.0, |end| start - end);
        let is_exact = (step_s * rate - 1.0).abs() < 1e-9;
        let least = if is_exact { 0.5 / rate } else { MIN_GAP_S };
        let is_gap = (least..MAX_GAP_S).contains(&gap_s);
        let len_s = if is_exact { packet.block_dur().get() as f64 * step_s } else { n_frames as f64 / rate };
        // Sum durations where the stamps are rounded: their rounding errors would move each packet.
        self.end = match self.end {
            Some(end) if !is_exact && !is_gap && gap_s.abs() < MIN_GAP_S => Some(end + len_s),
            _ => Some(start + len_s),
        };
        if is_gap { (gap_s * rate).round() as usize } else { 0 }
    }
}

fn open(container: Container, view: View) -> Decoded<Box<dyn FormatReader>> {
    let stream = MediaSourceStream::new(Box::new(view), Default::default());
    let options = FormatOptions::default();
    Ok(match container {
        Container::Adts => Box::new(AdtsReader::try_new(stream, options)?),
        Container::Caf => Box::new(CafReader::try_new(stream, options)?),
        Container::Flac => Box::new(FlacReader::try_new(stream, options)?),
        Container::Matroska => Box::new(MkvReader::try_new(stream, options)?),
        Container::Mp4 => Box::new(IsoMp4Reader::try_new(stream, options)?),
        Container::Mpeg => Box::new(MpaReader::try_new(stream, options)?),
        Container::Ogg => Box::new(OggReader::try_new(stream, options)?),
    })
}

fn audio_params(track: &Track) -> Result<&AudioCodecParameters, Refusal> {
    let params = track.codec_params.as_ref().and_then(|p| p.audio());
    params.ok_or_else(|| Refusal::Codec("a codec that the file does not name".into()))
}

fn decoder(params: &AudioCodecParameters) -> Result<Box<dyn AudioDecoder>, Refusal> {
    if params.codec == CODEC_ID_OPUS {
        return Ok(Box::new(OpusDecoder::new(params).map_err(refusal)?));
    }
    symphonia::default::get_codecs().make_audio_decoder(params, &Default::default()).map_err(refusal)
}

fn refusal(error: Error) -> Refusal {
    match error {
        Error::Unsupported(reason) => Refusal::Codec(reason.to_string()),
        Error::DecodeError(reason) => Refusal::Codec(format!("damaged: {reason}")),
        Error::IoError(_) => Refusal::NotAudio,
        error => Refusal::Codec(error.to_string()),
    }
}
