//! Types that all audio systems share: an open session, its streams, its faults, and the state of its callbacks.

use super::feed::FeedState;
use super::player::PlayerSlot;
use super::priority::Priority;
use embouchure_plugin::audio::{AudioSettings, Backend};
use parking_lot::Mutex;
use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Open devices. Dropping it ends the sound.
pub struct AudioSession {
    /// The audio system in use.
    pub backend: Backend,
    /// Holds the player for the callbacks.
    pub slot: PlayerSlot,
    /// Sample rate of the output and of the plugin, Hz.
    pub rate: u32,
    /// Longest expected block, samples.
    pub block: u32,
    /// Devices, rate and block in use, one line.
    pub playing: String,
    /// Differences between what the devices give and what was chosen.
    pub notes: Vec<String>,
    /// Why there is no input; `None` if there is one, or none is wanted.
    pub input_problem: Option<String>,
    /// Channels of the input.
    pub n_channels: u16,
    /// State of the callbacks.
    pub status: Arc<StreamStatus>,
    /// State of the buffer between input and output, if their clocks may differ.
    pub feed: Option<Arc<FeedState>>,
    /// The streams.
    pub streams: Box<dyn Streams>,
}

/// Running streams.
pub trait Streams: Any + Send {
    /// Starts the callbacks.
    fn start(&mut self) -> Result<(), Fault>;
    /// Does regular work that no callback may do. Takes the present problem of the input and returns the new one.
    fn maintain(&mut self, input_problem: Option<String>) -> Option<String> {
        input_problem
    }
    /// True if the missing input could be opened now.
    fn could_have_input(&mut self) -> bool {
        false
    }
}

impl AudioSession {
    /// Ends the sound. Waits at most 2 s, because a server that is gone may keep a stream from ending.
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
    /// Kind, which decides what is tried next.
    pub kind: FaultKind,
    /// Message for the player: what is wrong and what to do.
    pub message: String,
}

/// Kinds of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The audio system does not work on this computer at present.
    NoBackend,
    /// A device is missing.
    NoDevice,
    /// A device exists and cannot be used.
    Refused,
}

impl Fault {
    /// A fault with its message.
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

/// State of a session's callbacks. They write it without waiting; the sound thread reads it.
#[derive(Debug, Default)]
pub struct StreamStatus {
    /// Blocks played.
    pub n_blocks: AtomicU64,
    /// Blocks recorded.
    pub n_recorded: AtomicU64,
    /// Longest block played, samples.
    pub longest: AtomicU32,
    /// Gaps that the device reported.
    pub n_gaps: AtomicU64,
    /// Errors that the device reported.
    pub n_errors: AtomicU64,
    /// The input's delay as its device reports it, µs.
    pub input_us: AtomicU32,
    /// The output's delay as its device reports it, µs.
    pub output_us: AtomicU32,
    /// The session must be opened again.
    pub is_broken: AtomicBool,
    /// Priority of the callbacks' threads.
    pub priority: Priority,
    /// The last error. Callbacks lock it only for an error, and do not wait for the lock.
    pub last_error: Mutex<Option<String>>,
}

impl StreamStatus {
    /// Counts a played block of `n` samples. Realtime-safe.
    pub fn played(&self, n: usize) {
        self.n_blocks.fetch_add(1, Relaxed);
        self.longest.fetch_max(n as u32, Relaxed);
    }

    /// Counts an error other than a gap.
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

/// Slows down the callbacks of a device without a clock (ALSA's "null" and "file"), which would come as fast as the
/// processor allows. A device with a clock is never ahead of real time by more than its buffer, so it is never slowed
/// down.
pub struct Pace {
    started: Instant,
    n_done: u64,
    rate: f64,
}

impl Pace {
    /// Longest buffer of a device, s.
    const AHEAD_S: f64 = 0.25;
    /// Largest excess of a device's true rate over its nominal rate, as a share. Without it, a device with a fast clock
    /// would be slowed down after some hours.
    const DRIFT: f64 = 0.01;

    /// `rate`: nominal rate of the device, Hz.
    pub fn new(rate: u32) -> Self {
        Self { started: Instant::now(), n_done: 0, rate: f64::from(rate) * (1.0 + Self::DRIFT) }
    }

    /// Call at each block of `n` samples. Waits if it comes too early.
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

    /// Time by which the device is too early, s; negative if it is not.
    fn early_s(&mut self, elapsed_s: f64) -> f64 {
        let ahead_s = self.n_done as f64 / self.rate - elapsed_s;
        if ahead_s < -Self::AHEAD_S {
            // After a pause of the device the time that it missed does not count.
            self.n_done = (elapsed_s * self.rate) as u64;
        }
        ahead_s - Self::AHEAD_S
    }
}

/// A note for the player if a device gives another value than the one chosen.
pub fn difference(what: &str, wanted: u32, given: u32, unit: &str) -> Option<String> {
    (wanted != given).then(|| format!("{what} gives {given} {unit} instead of {wanted}."))
}

/// Indices of the input channels that become left and right, of `n_channels`: the first two, or one twice.
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
        // A buffer that is filled at once, then a clock that is 1000 ppm fast.
        pace.n_done = 9600;
        assert!(pace.early_s(0.0) < 0.0);
        for minutes in [1, 60, 600] {
            pace.n_done = 9600 + minutes * 60 * 48_048;
            assert!(pace.early_s(60.0 * minutes as f64) < 0.0, "after {minutes} minutes");
        }
        // Ten seconds of audio in one second.
        pace.n_done = 480_000;
        assert!((8.5..9.0).contains(&pace.early_s(1.0)));
        // A pause of ten seconds is not caught up.
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
