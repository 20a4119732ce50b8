//! One call of `process`, as well or as badly mannered as a host may make it.

use std::ops::Range;
use std::ptr::null_mut;

/// What a plugin is handed. Nothing is checked: that is the plugin's part.
pub struct Block<'a> {
    /// 0 where a host only hands over parameters.
    pub n_samples: usize,
    /// What is to be heard.
    pub input: Channels<'a>,
    /// Where the plugin writes. What lies there before is the test's choice.
    pub output: Channels<'a>,
    /// In this order.
    pub changes: &'a [Change],
}

/// A parameter's new value within a block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// Sample of the block, or beyond it. CLAP carries 0 to 2³² - 1, VST3 -2³¹ to 2³¹ - 1; what lies outside becomes the
    /// nearest of these.
    pub at: i64,
    /// The parameter's.
    pub id: u32,
    /// From `min` to `max` of the parameter.
    pub value: f64,
}

/// The channels of a port.
pub enum Channels<'a> {
    /// The host has no such port and hands over a null pointer.
    NoPort,
    /// A port that is said to have so many channels, and a null pointer in place of their list.
    NoList(usize),
    /// `None` is a null pointer in the list.
    List(Vec<Option<&'a mut [f32]>>),
    /// Of an output: channels of the input, by their places in it. The plugin writes where it reads.
    OfInput(&'a [usize]),
}

impl<'a> Channels<'a> {
    /// All channels whole.
    pub fn all(channels: &'a mut [Vec<f32>]) -> Self {
        Self::List(channels.iter_mut().map(|channel| Some(channel.as_mut_slice())).collect())
    }

    /// The same samples of each channel.
    pub fn part(channels: &'a mut [Vec<f32>], range: Range<usize>) -> Self {
        Self::List(channels.iter_mut().map(|channel| Some(&mut channel[range.clone()])).collect())
    }

    /// As C wants it. An output needs the input that it may share.
    pub(crate) fn raw(&mut self, input: Option<&RawChannels>) -> RawChannels {
        match self {
            Self::NoPort => RawChannels { n_ports: 0, n_channels: 0, pointers: None },
            Self::NoList(n) => RawChannels { n_ports: 1, n_channels: *n, pointers: None },
            Self::List(list) => {
                let pointer =
                    |channel: &mut Option<&mut [f32]>| channel.as_mut().map_or(null_mut(), |c| c.as_mut_ptr());
                let pointers: Vec<_> = list.iter_mut().map(pointer).collect();
                RawChannels { n_ports: 1, n_channels: pointers.len(), pointers: Some(pointers) }
            }
            Self::OfInput(places) => {
                let shared = input.and_then(|input| input.pointers.as_deref()).unwrap_or_default();
                let pointers: Vec<_> =
                    places.iter().map(|&place| shared.get(place).copied().unwrap_or(null_mut())).collect();
                RawChannels { n_ports: 1, n_channels: pointers.len(), pointers: Some(pointers) }
            }
        }
    }
}

/// Pointers into a port's channels.
pub(crate) struct RawChannels {
    /// 0 or 1.
    pub n_ports: u32,
    pub n_channels: usize,
    pointers: Option<Vec<*mut f32>>,
}

impl RawChannels {
    /// The list, which lives as long as this value.
    pub fn list(&mut self) -> *mut *mut f32 {
        self.pointers.as_mut().map_or(null_mut(), |pointers| pointers.as_mut_ptr())
    }
}

/// What may be wrong with a call of `process` beside its channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Null pointers in place of the lists of what changes, and of those where the plugin would say what it changes.
    NoLists,
    /// The list of changes says that it is longer than it is, and gives null pointers for the rest.
    MissingChanges,
    /// The samples are said to have 64 bits; in CLAP there are none of 32 bits beside them.
    Doubles,
    /// VST3 alone: fewer samples than none.
    NegativeLength,
}

impl Flaw {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::NoLists, Self::MissingChanges, Self::Doubles, Self::NegativeLength];
}

/// What came of a call of `process`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// The plugin says that it did it.
    pub is_ok: bool,
    /// Times that the thread gave up the processor by itself during the call: it waited for something. Being interrupted
    /// does not count. 0 where the system does not say.
    pub n_waits: usize,
    /// Seconds that the thread computed during the call, however long it was interrupted. 0 where the system does not say.
    pub cpu_seconds: f64,
}

/// Makes the call and watches the thread.
pub(crate) fn watched(call: &mut dyn FnMut() -> bool) -> Outcome {
    let (waits_before, cpu_before) = (n_waits(), cpu_seconds());
    let is_ok = call();
    Outcome { is_ok, cpu_seconds: cpu_seconds() - cpu_before, n_waits: n_waits() - waits_before }
}

/// Times that this thread has waited.
#[cfg(target_os = "linux")]
fn n_waits() -> usize {
    // SAFETY: a plain structure, which the call fills.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_THREAD, &mut usage);
        usage
    };
    usage.ru_nvcsw as usize
}

#[cfg(not(target_os = "linux"))]
fn n_waits() -> usize {
    0
}

/// Seconds that this thread has computed.
#[cfg(target_os = "linux")]
fn cpu_seconds() -> f64 {
    // SAFETY: a plain structure, which the call fills.
    let time = unsafe {
        let mut time: libc::timespec = std::mem::zeroed();
        libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time);
        time
    };
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

#[cfg(not(target_os = "linux"))]
fn cpu_seconds() -> f64 {
    0.0
}
