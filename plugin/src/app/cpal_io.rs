//! Sound through cpal: ALSA, PulseAudio, Core Audio, WASAPI. A [`feed`] connects the input stream to the output stream.

use super::explain::{self, Direction};
use super::feed::{self, FeedReader, FeedWriter};
use super::io::{AudioSession, Fault, Pace, StreamStatus, Streams, difference, heard_channels};
use super::names;
use super::player::PlayerSlot;
use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{
    BufferSize, ErrorKind, FromSample, SampleFormat, SizedSample, StreamConfig, SupportedBufferSize,
    SupportedStreamConfigRange,
};
use crossbeam::queue::ArrayQueue;
use embouchure_plugin::audio::{AudioSettings, Backend, DeviceChoice, DeviceName, Devices};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

/// Longest block for the player, samples; longer ones are cut.
const LONGEST: usize = 8192;
/// Time without data after which cpal checks the state of a stream's device.
const TIMEOUT: Duration = Duration::from_millis(500);

/// Calls a generic function with the type of a sample.
macro_rules! with_sample_type {
    ($format:expr, $function:ident($($argument:expr),*)) => {
        match $format {
            SampleFormat::F32 => $function::<f32>($($argument),*),
            SampleFormat::I32 => $function::<i32>($($argument),*),
            SampleFormat::I24 => $function::<cpal::I24>($($argument),*),
            SampleFormat::I16 => $function::<i16>($($argument),*),
            SampleFormat::F64 => $function::<f64>($($argument),*),
            SampleFormat::U32 => $function::<u32>($($argument),*),
            SampleFormat::U24 => $function::<cpal::U24>($($argument),*),
            SampleFormat::U16 => $function::<u16>($($argument),*),
            SampleFormat::I8 => $function::<i8>($($argument),*),
            _ => $function::<u8>($($argument),*),
        }
    };
}

struct CpalStreams {
    output: cpal::Stream,
    input: Option<cpal::Stream>,
    backend: Backend,
    settings: AudioSettings,
}

impl Streams for CpalStreams {
    fn start(&mut self) -> Result<(), Fault> {
        let played = |result: Result<(), cpal::Error>, direction, choice| {
            result.map_err(|e| explain::fault(&e, direction, choice, self.backend))
        };
        if let Some(input) = &self.input {
            played(input.play(), Direction::Input, &self.settings.input)?;
        }
        played(self.output.play(), Direction::Output, &self.settings.output)
    }

    fn could_have_input(&mut self) -> bool {
        let Ok(host) = host(self.backend) else { return false };
        let ignored = Arc::new(StreamStatus::default());
        open_input(&host, self.backend, &self.settings, self.settings.rate, &ignored).is_ok()
    }
}

/// Opens the devices of the settings. If the input fails, the output plays without it.
pub fn open(backend: Backend, settings: &AudioSettings) -> Result<AudioSession, Fault> {
    let host = host(backend)?;
    let (status, slot) = (Arc::new(StreamStatus::default()), PlayerSlot::new());
    let mut notes = Vec::new();
    let output = find(&host, backend, Direction::Output, &settings.output)?;
    let explained = |e: cpal::Error| explain::fault(&e, Direction::Output, &settings.output, backend);
    let ranges = output.supported_output_configs().map_err(explained)?.collect();
    let format = Format::choose(ranges, settings.rate, 2, settings.block)
        .ok_or_else(|| explain::no_format(Direction::Output, &settings.output))?;
    notes.extend(difference("The output", settings.rate, format.config.sample_rate, "Hz"));

    let rate = format.config.sample_rate;
    let input = match settings.input {
        DeviceChoice::Nothing => Ok(None),
        _ => open_input(&host, backend, settings, rate, &status).map(Some),
    };
    let (input, input_problem) = match input {
        Ok(input) => (input, None),
        Err(fault) => (None, Some(fault.message)),
    };
    if let Some(input) = &input {
        notes.extend(difference("The input", settings.rate, input.rate, "Hz"));
    }
    let to_output = Handover::new();
    let build =
        |format: &Format| with_sample_type!(format.sample, build_output(&output, format, &slot, &to_output, &status));
    let stream = with_some_block(&format, build).map_err(explained)?;
    let n_channels = input.as_ref().map_or(0, |input| input.n_channels);
    let feed = input.as_ref().and_then(|input| {
        let (writer, reader, feed) = feed::join(input.rate, rate, f64::from(settings.safety_ms) / 1000.0).ok()?;
        input.writer.give(writer);
        to_output.give(reader);
        Some(feed)
    });
    let block = stream.buffer_size().unwrap_or(settings.block).clamp(1, LONGEST as u32);
    notes.extend(difference("The output", settings.block, block, "samples per block"));
    let name = |device: &cpal::Device| device.description().map_or_else(|_| "?".into(), |d| d.name().to_owned());
    let heard = input.as_ref().map_or_else(|| "no input".to_owned(), |input| name(&input.device));
    Ok(AudioSession {
        backend,
        slot,
        rate,
        block,
        playing: format!("{}: {heard} to {}, {rate} Hz, blocks of {block} samples", backend.label(), name(&output)),
        notes,
        input_problem,
        n_channels,
        status,
        feed,
        streams: Box::new(CpalStreams {
            output: stream,
            input: input.map(|input| input.stream),
            backend,
            settings: settings.clone(),
        }),
    })
}

/// Lists the devices. `is_probed`: only those that can be opened, or are in use.
pub fn devices(backend: Backend, is_probed: bool) -> Result<Devices, Fault> {
    let host = host(backend)?;
    let mut found = Devices { backend, ..Devices::default() };
    for direction in [Direction::Input, Direction::Output] {
        let opens = |device: &cpal::Device| match direction {
            Direction::Input => device.default_input_config().map(drop),
            Direction::Output => device.default_output_config().map(drop),
        };
        let is_there = |device: &cpal::Device| {
            !is_probed || opens(device).map_or_else(|e| e.kind() == ErrorKind::DeviceBusy, |()| true)
        };
        let list = if direction == Direction::Input { &mut found.inputs } else { &mut found.outputs };
        let all = all(&host, backend, direction);
        list.extend(all.into_iter().filter(|(_, device)| is_there(device)).map(|(name, _)| name));
    }
    Ok(found)
}

fn host(backend: Backend) -> Result<cpal::Host, Fault> {
    #[cfg(target_os = "linux")]
    if backend == Backend::Alsa {
        // ALSA would print many lines for each absent device; the errors say enough. This call catches them, and drops
        // those that an earlier call has caught.
        let _ = alsa::Output::local_error_handler();
    }
    let id = match backend {
        #[cfg(target_os = "linux")]
        Backend::Pulse => cpal::HostId::PulseAudio,
        #[cfg(target_os = "linux")]
        Backend::Alsa => cpal::HostId::Alsa,
        #[cfg(target_os = "macos")]
        Backend::CoreAudio => cpal::HostId::CoreAudio,
        #[cfg(windows)]
        Backend::Wasapi => cpal::HostId::Wasapi,
        other => return Err(explain::no_backend(other)),
    };
    cpal::host_from_id(id).map_err(|_| explain::no_backend(backend))
}

/// Devices to choose from, with their names.
fn all(host: &cpal::Host, backend: Backend, direction: Direction) -> Vec<(DeviceName, cpal::Device)> {
    let devices: Vec<cpal::Device> = match direction {
        Direction::Input => host.input_devices().map(Iterator::collect),
        Direction::Output => host.output_devices().map(Iterator::collect),
    }
    .unwrap_or_default();
    let named = devices.into_iter().filter_map(|device| {
        let name = device.description().ok()?.name().to_owned();
        Some((DeviceName { id: device.id().ok()?.id().to_owned(), name }, device))
    });
    named.filter(|(name, _)| backend != Backend::Alsa || names::is_useful_in_alsa(&name.id)).collect()
}

fn find(
    host: &cpal::Host,
    backend: Backend,
    direction: Direction,
    choice: &DeviceChoice,
) -> Result<cpal::Device, Fault> {
    let DeviceChoice::Named(wanted) = choice else {
        let device = match direction {
            Direction::Input => host.default_input_device(),
            Direction::Output => host.default_output_device(),
        };
        return device.ok_or_else(|| explain::no_default(direction, backend));
    };
    // A name may also be one that the lists leave out.
    let id = match backend {
        Backend::Alsa => host
            .devices()
            .ok()
            .and_then(|mut devices| devices.find(|device| device.id().is_ok_and(|id| id.id() == wanted))),
        _ => None,
    };
    if let Some(device) = id {
        return Ok(device);
    }
    let mut all = all(host, backend, direction);
    let names: Vec<DeviceName> = all.iter().map(|(name, _)| name.clone()).collect();
    match names::find(&names, wanted) {
        Ok(at) => Ok(all.swap_remove(at).1),
        Err(candidates) => Err(explain::no_such(direction, wanted, &candidates)),
    }
}

/// Configuration that a device is opened with.
#[derive(Clone, Debug, PartialEq)]
struct Format {
    config: StreamConfig,
    sample: SampleFormat,
}

impl Format {
    /// The nearest format that a device offers: by rate first, then channels, then sample format. `None` if there is
    /// none.
    fn choose(ranges: Vec<SupportedStreamConfigRange>, rate: u32, channels: u16, block: u32) -> Option<Self> {
        let nearest = |range: &SupportedStreamConfigRange| rate.clamp(range.min_sample_rate(), range.max_sample_rate());
        let key = |range: &SupportedStreamConfigRange| {
            let missing = channels.saturating_sub(range.channels());
            (nearest(range).abs_diff(rate), missing, range.channels(), sample_rank(range.sample_format()))
        };
        let is_known = |range: &SupportedStreamConfigRange| sample_rank(range.sample_format()).is_some();
        let range = ranges.into_iter().filter(is_known).min_by_key(key)?;
        let buffer_size = match *range.buffer_size() {
            SupportedBufferSize::Range { min, max } => BufferSize::Fixed(block.clamp(min.min(max), max)),
            SupportedBufferSize::Unknown => BufferSize::Fixed(block),
        };
        let config = StreamConfig { channels: range.channels(), sample_rate: nearest(&range), buffer_size };
        Some(Self { config, sample: range.sample_format() })
    }

    /// The same with the device's default block.
    fn with_any_block(&self) -> Self {
        Self { config: StreamConfig { buffer_size: BufferSize::Default, ..self.config }, ..self.clone() }
    }
}

/// Rank of a sample format, 0 = best; `None` for formats other than PCM.
fn sample_rank(format: SampleFormat) -> Option<u8> {
    use SampleFormat::*;
    [F32, I32, I24, I16, F64, U32, U24, U16, I8, U8].iter().position(|known| *known == format).map(|at| at as u8)
}

struct Input {
    stream: cpal::Stream,
    device: cpal::Device,
    writer: Handover<FeedWriter>,
    rate: u32,
    n_channels: u16,
}

/// Hands one end of a feed to a callback, which takes it at its first call. It is given only after both streams exist,
/// because a stream that could not be built would drop its callback.
struct Handover<T>(Arc<ArrayQueue<T>>);

impl<T> Clone for Handover<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Handover<T> {
    fn new() -> Self {
        Self(Arc::new(ArrayQueue::new(1)))
    }

    fn give(&self, end: T) {
        let _ = self.0.push(end);
    }
}

fn open_input(
    host: &cpal::Host,
    backend: Backend,
    settings: &AudioSettings,
    rate: u32,
    status: &Arc<StreamStatus>,
) -> Result<Input, Fault> {
    let device = find(host, backend, Direction::Input, &settings.input)?;
    let explained = |e: cpal::Error| explain::fault(&e, Direction::Input, &settings.input, backend);
    let ranges: Vec<_> = device.supported_input_configs().map_err(explained)?.collect();
    let format = Format::choose(ranges, rate, settings.channel.max(2), settings.block)
        .ok_or_else(|| explain::no_format(Direction::Input, &settings.input))?;
    let own = device.default_input_config().map_or(format.config.channels, |config| config.channels());
    let (writer, heard) = (Handover::new(), heard_channels(settings, format.config.channels.into()));
    let build =
        |format: &Format| with_sample_type!(format.sample, build_input(&device, format, heard, &writer, status));
    let stream = with_some_block(&format, build).map_err(explained)?;
    let n_channels = own.max(format.config.channels);
    Ok(Input { stream, writer, rate: format.config.sample_rate, n_channels, device })
}

/// Builds a stream with the wanted block, or else with the device's default block.
fn with_some_block<S>(format: &Format, build: impl Fn(&Format) -> Result<S, cpal::Error>) -> Result<S, cpal::Error> {
    use ErrorKind::{BackendError, InvalidInput, UnsupportedConfig};
    match build(format) {
        Err(e) if matches!(e.kind(), UnsupportedConfig | InvalidInput | BackendError) => {
            build(&format.with_any_block())
        }
        result => result,
    }
}

fn build_input<T: SizedSample>(
    device: &cpal::Device,
    format: &Format,
    heard: [usize; 2],
    handover: &Handover<FeedWriter>,
    status: &Arc<StreamStatus>,
) -> Result<cpal::Stream, cpal::Error>
where
    f32: FromSample<T>,
{
    let n_channels = usize::from(format.config.channels);
    let (handover, watched) = (handover.clone(), status.clone());
    let (mut must_raise, mut writer, mut pace) =
        (may_raise_priority(device), None, Pace::new(format.config.sample_rate));
    let take = move |samples: &[T], info: &cpal::InputCallbackInfo| {
        if std::mem::take(&mut must_raise) {
            watched.priority.raise();
        }
        if writer.is_none() {
            writer = handover.0.pop();
        }
        let frames = samples.chunks_exact(n_channels);
        pace.wait(frames.len());
        watched.n_recorded.fetch_add(1, Relaxed);
        let time = info.timestamp();
        note_delay(&watched.input_us, time.callback.saturating_duration_since(time.capture));
        if let Some(writer) = &mut writer {
            writer.push(frames.map(|frame| heard.map(|channel| frame[channel].to_sample::<f32>())));
        }
    };
    device.build_input_stream::<T, _, _>(format.config, take, report(status.clone()), Some(TIMEOUT))
}

fn build_output<T: SizedSample + FromSample<f32>>(
    device: &cpal::Device,
    format: &Format,
    slot: &PlayerSlot,
    handover: &Handover<FeedReader>,
    status: &Arc<StreamStatus>,
) -> Result<cpal::Stream, cpal::Error> {
    let n_channels = usize::from(format.config.channels);
    let (slot, handover, watched) = (slot.clone(), handover.clone(), status.clone());
    let (mut must_raise, mut reader, mut pace) =
        (may_raise_priority(device), None, Pace::new(format.config.sample_rate));
    let (mut left, mut right) = (vec![0.0; LONGEST], vec![0.0; LONGEST]);
    let play = move |samples: &mut [T], info: &cpal::OutputCallbackInfo| {
        if std::mem::take(&mut must_raise) {
            watched.priority.raise();
        }
        if reader.is_none() {
            reader = handover.0.pop();
        }
        let n_frames = samples.len() / n_channels;
        pace.wait(n_frames);
        watched.played(n_frames);
        let time = info.timestamp();
        note_delay(&watched.output_us, time.playback.saturating_duration_since(time.callback));
        for part in samples.chunks_mut(LONGEST * n_channels) {
            let n = part.len() / n_channels;
            let (left, right) = (&mut left[..n], &mut right[..n]);
            match &mut reader {
                Some(reader) => reader.pull(left, right),
                None => [&mut *left, &mut *right].into_iter().for_each(|channel| channel.fill(0.0)),
            }
            slot.play(left, right);
            interleave(left, right, part, n_channels);
        }
    };
    device.build_output_stream::<T, _, _>(format.config, play, report(status.clone()), Some(TIMEOUT))
}

/// Writes both channels to the first two of `n_channels`, or their mean to one. Samples are limited to full scale,
/// because not every conversion to integers clips.
fn interleave<T: SizedSample + FromSample<f32>>(left: &[f32], right: &[f32], samples: &mut [T], n_channels: usize) {
    let sample = |value: f32| T::from_sample(value.clamp(-1.0, 1.0));
    for (frame, (left, right)) in samples.chunks_exact_mut(n_channels).zip(left.iter().zip(right)) {
        match frame {
            [mono] => *mono = sample(0.5 * (left + right)),
            [first, second, rest @ ..] => {
                *first = sample(*left);
                *second = sample(*right);
                rest.fill(T::EQUILIBRIUM);
            }
            [] => {}
        }
    }
}

/// Stores a delay in µs, smoothed so that it is readable.
fn note_delay(place: &AtomicU32, delay: Duration) {
    let (new, old) = (delay.as_micros().min(10_000_000) as u32, place.load(Relaxed));
    place.store(if old == 0 { new } else { (old * 15 + new) / 16 }, Relaxed);
}

/// True if the callbacks of a device may get realtime priority. False for ALSA's bridges to a sound server: when the
/// server has gone, cpal polls without a pause. At realtime priority this would keep the server from starting again.
#[cfg(target_os = "linux")]
fn may_raise_priority(device: &cpal::Device) -> bool {
    device.id().is_ok_and(|id| id.host() != cpal::HostId::Alsa || names::is_card_in_alsa(id.id()))
}

/// Other operating systems raise the priority themselves.
#[cfg(not(target_os = "linux"))]
fn may_raise_priority(_device: &cpal::Device) -> bool {
    false
}

/// A stream's error callback. After a few errors without a block between them the stream counts as broken, because it
/// would report errors as fast as the processor allows.
fn report(status: Arc<StreamStatus>) -> impl FnMut(cpal::Error) + Send + 'static {
    const MOST_IN_A_ROW: u32 = 5;
    let (mut n_in_a_row, mut n_blocks) = (0, 0);
    move |error| {
        let n_now = status.n_blocks.load(Relaxed) + status.n_recorded.load(Relaxed);
        n_in_a_row = if n_now == n_blocks { n_in_a_row + 1 } else { 0 };
        n_blocks = n_now;
        if n_in_a_row > MOST_IN_A_ROW {
            status.failed(error.to_string(), true);
            std::thread::sleep(Duration::from_millis(20));
        } else {
            note(&status, &error);
        }
    }
}

fn note(status: &StreamStatus, error: &cpal::Error) {
    match error.kind() {
        ErrorKind::Xrun => _ = status.n_gaps.fetch_add(1, Relaxed),
        // The stream goes on playing.
        ErrorKind::DeviceChanged | ErrorKind::RealtimeDenied => {}
        kind => {
            let is_broken = matches!(
                kind,
                ErrorKind::DeviceNotAvailable | ErrorKind::StreamInvalidated | ErrorKind::HostUnavailable
            );
            status.failed(error.to_string(), is_broken);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cpal::SupportedBufferSize::Range;

    fn range(channels: u16, rates: (u32, u32), sample: SampleFormat) -> SupportedStreamConfigRange {
        SupportedStreamConfigRange::new(channels, rates.0, rates.1, Range { min: 64, max: 1024 }, sample)
    }

    #[test]
    fn the_nearest_format_is_chosen() {
        use SampleFormat::*;
        let choose = |ranges: &[SupportedStreamConfigRange], rate, channels, block| {
            let format = Format::choose(ranges.to_vec(), rate, channels, block).unwrap();
            (format.config.channels, format.config.sample_rate, format.config.buffer_size, format.sample)
        };
        let any = [range(1, (8000, 192_000), I16), range(2, (8000, 192_000), I16), range(2, (8000, 192_000), F32)];
        assert_eq!(choose(&any, 48_000, 2, 128), (2, 48_000, BufferSize::Fixed(128), F32));
        assert_eq!(choose(&any, 48_000, 2, 16), (2, 48_000, BufferSize::Fixed(64), F32));
        // The rate counts most: nothing is resampled without need.
        let few = [range(2, (44_100, 44_100), F32), range(1, (48_000, 48_000), I16)];
        assert_eq!(choose(&few, 48_000, 2, 4096), (1, 48_000, BufferSize::Fixed(1024), I16));
        assert_eq!(choose(&few[..1], 96_000, 2, 128).1, 44_100);
        // The fewest channels that include the wanted one, or as many as there are.
        let cards = [range(8, (48_000, 48_000), I32), range(4, (48_000, 48_000), I32)];
        assert_eq!(choose(&cards, 48_000, 2, 128).0, 4);
        assert_eq!(choose(&cards, 48_000, 5, 128).0, 8);
        assert_eq!(choose(&cards[1..], 48_000, 5, 128).0, 4);
        assert_eq!(Format::choose(vec![range(2, (48_000, 48_000), DsdU8)], 48_000, 2, 128), None);
        assert_eq!(Format::choose(vec![], 48_000, 2, 128), None);
    }

    #[test]
    fn every_kind_of_output_gets_both_channels() {
        let (left, right) = ([0.5, 2.0], [-0.5, 1.0]);
        let mut stereo = [0_i16; 4];
        interleave(&left, &right, &mut stereo, 2);
        assert_eq!(stereo, [16_384, -16_384, 32_767, 32_767]);
        let mut mono = [0.0_f32; 2];
        interleave(&left, &right, &mut mono, 1);
        assert_eq!(mono, [0.0, 1.0]);
        let mut surround = [1_u8; 12];
        interleave(&left, &right, &mut surround, 6);
        assert_eq!(surround[..6], [192, 64, 128, 128, 128, 128]);
    }
}
