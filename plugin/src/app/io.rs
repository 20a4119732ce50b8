//! What all ways to a sound card have in common: what they are asked for, what runs, and what went wrong.

use super::feed::Stock;
use super::player::Slot;
use super::priority::Priority;
use embouchure_plugin::audio::{AudioSettings, Backend};
use parking_lot::Mutex;
use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Sound that goes on until it is dropped.
pub struct Session {
    /// By which way.
    pub backend: Backend,
    /// Where its callbacks find the player.
    pub slot: Slot,
    /// Hz, of the output and of the plugin.
    pub rate: u32,
    /// Longest block that is expected, samples.
    pub block: u32,
    /// What plays, in a line.
    pub playing: String,
    /// Where a device gives something else than what was asked for.
    pub notes: Vec<String>,
    /// Why nothing is heard of the input, if that is so.
    pub input_problem: Option<String>,
    /// Channels of the input.
    pub n_channels: u16,
    /// What the callbacks say.
    pub vitals: Arc<Vitals>,
    /// Between input and output, if their clocks may differ.
    pub stock: Option<Arc<Stock>>,
    /// The streams.
    pub streams: Box<dyn Streams>,
}

/// What runs.
pub trait Streams: Any + Send {
    /// Lets the callbacks begin.
    fn start(&mut self) -> Result<(), Fault>;
    /// Does from time to time what no callback can; returns why nothing is heard of the input.
    fn tend(&mut self, input_problem: Option<String>) -> Option<String> {
        input_problem
    }
    /// True if the input that is missing could be had now.
    fn could_have_input(&mut self) -> bool {
        false
    }
}

impl Session {
    /// Ends it. A server that is gone may keep a stream from ending; nobody waits for that long.
    pub fn end(self) {
        let (done, is_done) = std::sync::mpsc::channel();
        let streams = self.streams;
        let ending = std::thread::Builder::new().name("end of sound".into()).spawn(move || {
            drop(streams);
            let _ = done.send(());
        });
        if ending.is_ok() {
            let _ = is_done.recv_timeout(Duration::from_secs(2));
        }
    }
}

/// Why there is no sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Kind, for what to try next.
    pub kind: FaultKind,
    /// For the player, whole: what is wrong and what to do.
    pub message: String,
}

/// Kinds of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// This way leads nowhere on this computer, now.
    NoBackend,
    /// A device is missing.
    NoDevice,
    /// A device is there and refuses.
    Refused,
}

impl Fault {
    /// A fault with its message.
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

/// Written by callbacks without waiting, read by whoever watches them.
#[derive(Debug, Default)]
pub struct Vitals {
    /// Blocks that were played.
    pub n_blocks: AtomicU64,
    /// Blocks that were recorded.
    pub n_recorded: AtomicU64,
    /// Longest block of the last look, samples.
    pub longest: AtomicU32,
    /// Gaps that were reported.
    pub n_gaps: AtomicU64,
    /// Errors that were reported.
    pub n_errors: AtomicU64,
    /// Delay of input and output as the devices tell it, µs.
    pub input_us: AtomicU32,
    /// The same of the output.
    pub output_us: AtomicU32,
    /// The sound cannot go on as it is.
    pub is_broken: AtomicBool,
    /// Of the threads of the callbacks.
    pub priority: Priority,
    /// What was reported last. Only errors are written here, and none waits for it.
    pub last_error: Mutex<Option<String>>,
}

impl Vitals {
    /// A block of `n` samples was played. Realtime-safe.
    pub fn played(&self, n: usize) {
        self.n_blocks.fetch_add(1, Relaxed);
        self.longest.fetch_max(n as u32, Relaxed);
    }

    /// Something went wrong that is no gap.
    pub fn failed(&self, message: String, is_broken: bool) {
        self.n_errors.fetch_add(1, Relaxed);
        if let Some(mut last) = self.last_error.try_lock() {
            *last = Some(message);
        }
        if is_broken {
            self.is_broken.store(true, Relaxed);
        }
    }
}

/// Holds back callbacks of a device without a clock (ALSA's "null" and "file"), which would come as fast as the processor
/// can. A device with a clock is never ahead of it by more than its buffer, so it is never held.
pub struct Pace {
    started: Instant,
    n_done: u64,
    rate: f64,
}

impl Pace {
    /// The furthest that a device's buffer reaches, s.
    const AHEAD_S: f64 = 0.25;
    /// No clock is faster than it says by more than this share, or a device would be held after some hours.
    const DRIFT: f64 = 0.01;

    /// For a device of this rate, Hz.
    pub fn new(rate: u32) -> Self {
        Self { started: Instant::now(), n_done: 0, rate: f64::from(rate) * (1.0 + Self::DRIFT) }
    }

    /// A block of `n` samples comes. Waits if that is far too early.
    pub fn wait(&mut self, n: usize) {
        if self.n_done == 0 {
            self.started = Instant::now();
        }
        self.n_done += n as u64;
        let early_s = self.early_s(self.started.elapsed().as_secs_f64());
        if early_s > 0.0 {
            std::thread::sleep(Duration::from_secs_f64(early_s));
        }
    }

    /// Seconds by which the device is too early.
    fn early_s(&mut self, elapsed_s: f64) -> f64 {
        let ahead_s = self.n_done as f64 / self.rate - elapsed_s;
        if ahead_s < -Self::AHEAD_S {
            // It stood still meanwhile, and must not be let run to make up for it.
            self.n_done = (elapsed_s * self.rate) as u64;
        }
        ahead_s - Self::AHEAD_S
    }
}

/// Wanted and given, where they differ.
pub fn difference(what: &str, wanted: u32, given: u32, unit: &str) -> Option<String> {
    (wanted != given).then(|| format!("{what} gives {given} {unit}, not {wanted}, and that is used."))
}

/// Where the input's frames come from in an interleaved block of `n_channels`: the first two, or one twice.
pub fn heard_channels(settings: &AudioSettings, n_channels: usize) -> [usize; 2] {
    match usize::from(settings.channel) {
        0 => [0, 1.min(n_channels.saturating_sub(1))],
        channel => [(channel - 1).min(n_channels.saturating_sub(1)); 2],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_device_without_a_clock_is_held_back() {
        let mut pace = Pace::new(48_000);
        // A buffer that is filled at once, then a clock 1000 ppm fast for a minute.
        pace.n_done = 9600;
        assert!(pace.early_s(0.0) < 0.0);
        for minutes in [1, 60, 600] {
            pace.n_done = 9600 + minutes * 60 * 48_048;
            assert!(pace.early_s(60.0 * minutes as f64) < 0.0, "after {minutes} minutes");
        }
        // As fast as it goes.
        pace.n_done = 480_000;
        assert!((8.5..9.0).contains(&pace.early_s(1.0)));
        // After ten seconds of standing still there is nothing to make up for.
        pace.n_done = 48_000;
        pace.early_s(11.0);
        pace.n_done += 48_000;
        assert!((0.7..0.8).contains(&pace.early_s(11.0)));
    }

    #[test]
    fn a_channel_that_is_not_there_is_the_last_one() {
        let settings = |channel| AudioSettings { channel, ..AudioSettings::default() };
        assert_eq!(heard_channels(&settings(0), 1), [0, 0]);
        assert_eq!(heard_channels(&settings(0), 8), [0, 1]);
        assert_eq!(heard_channels(&settings(3), 8), [2, 2]);
        assert_eq!(heard_channels(&settings(3), 2), [1, 1]);
    }
}
