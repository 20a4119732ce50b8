//! One call of `process`, with correct arguments or with faulty ones.

use std::ops::Range;
use std::ptr::null_mut;

/// The arguments of a call of `process`. They are not checked, because tests hand over faulty ones on purpose.
pub struct Block<'a> {
    /// 0 if the host only hands over parameter changes.
    pub n_samples: usize,
    /// The input channels.
    pub input: Channels<'a>,
    /// The output channels. Tests choose what they contain before the call.
    pub output: Channels<'a>,
    /// Parameter changes, handed over in this order.
    pub changes: &'a [Change],
}

/// A parameter's new value within a block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// Sample of the block; may lie outside it. CLAP carries 0 to 2³² - 1, VST3 -2³¹ to 2³¹ - 1; other values are
    /// clamped.
    pub at: i64,
    /// Identifier of the parameter.
    pub id: u32,
    /// From the parameter's `min` to its `max`.
    pub value: f64,
}

/// The channels of a port.
pub enum Channels<'a> {
    /// No port: the pointer to the port is null.
    NoPort,
    /// A port that announces this many channels, with a null pointer instead of the channel list.
    NoList(usize),
    /// Pointers to the channels; `None` is a null pointer.
    List(Vec<Option<&'a mut [f32]>>),
    /// For an output only: indices of input channels whose memory it shares, so the plugin processes in place.
    OfInput(&'a [usize]),
}

impl<'a> Channels<'a> {
    /// All channels whole.
    pub fn all(channels: &'a mut [Vec<f32>]) -> Self {
        Self::List(channels.iter_mut().map(|channel| Some(channel.as_mut_slice())).collect())
    }

    /// The same range of samples of each channel.
    pub fn part(channels: &'a mut [Vec<f32>], range: Range<usize>) -> Self {
        Self::List(channels.iter_mut().map(|channel| Some(&mut channel[range.clone()])).collect())
    }

    /// Pointers for the C interface. An output needs the input whose memory it may share.
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
    /// Number of ports, 0 or 1.
    pub n_ports: u32,
    pub n_channels: usize,
    pointers: Option<Vec<*mut f32>>,
}

impl RawChannels {
    /// Pointer to the channel list, valid as long as this value.
    pub fn list(&mut self) -> *mut *mut f32 {
        self.pointers.as_mut().map_or(null_mut(), |pointers| pointers.as_mut_ptr())
    }
}

/// Faults of a call of `process` other than those of its channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Null pointers instead of the input and output lists of parameter changes.
    NoLists,
    /// The list of changes announces more entries than it has and returns null pointers for the excess ones.
    MissingChanges,
    /// The samples are announced as 64-bit. In CLAP the 32-bit channels are missing as well.
    Doubles,
    /// VST3 only: a negative number of samples.
    NegativeLength,
}

impl Flaw {
    /// All flaws.
    pub const ALL: [Self; 4] = [Self::NoLists, Self::MissingChanges, Self::Doubles, Self::NegativeLength];
}

/// Result of a call of `process`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// The plugin reported success.
    pub is_ok: bool,
    /// Voluntary context switches of the thread during the call, so the number of times it waited. Preemption does not
    /// count. 0 where the system does not report it.
    pub n_waits: usize,
    /// Processor time of the thread during the call, s. 0 where the system does not report it.
    pub cpu_seconds: f64,
}

/// Makes the call, and measures its waits and processor time.
pub(crate) fn measured(call: &mut dyn FnMut() -> bool) -> Outcome {
    let (waits_before, cpu_before) = (n_waits(), cpu_seconds());
    let is_ok = call();
    Outcome { is_ok, cpu_seconds: cpu_seconds() - cpu_before, n_waits: n_waits() - waits_before }
}

/// Voluntary context switches of this thread so far.
#[cfg(target_os = "linux")]
fn n_waits() -> usize {
    // SAFETY: the structure is plain data, and the call fills it.
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

/// Processor time of this thread so far, s.
#[cfg(target_os = "linux")]
fn cpu_seconds() -> f64 {
    // SAFETY: the structure is plain data, and the call fills it.
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
