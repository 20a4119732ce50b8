//! State that the app's window and its sound thread share: the player's choice of devices, and what plays. The app
//! only; plugins have no devices of their own.

use parking_lot::{Mutex, RwLock};
use serde::{Deserialize, Deserializer, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::Thread;

/// An audio system: the interface through which sound cards are reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Backend {
    /// The first of this operating system that works.
    #[default]
    Auto,
    /// A JACK server, for instance PipeWire's.
    Jack,
    /// A PulseAudio server, for instance PipeWire's.
    Pulse,
    /// Linux's sound cards, without a server.
    Alsa,
    /// macOS.
    CoreAudio,
    /// Windows.
    Wasapi,
    /// No sound.
    Dummy,
}

impl Backend {
    /// Those of this operating system, in the order in which [`Backend::Auto`] tries them.
    pub fn of_this_system() -> &'static [Self] {
        if cfg!(target_os = "macos") {
            &[Self::Auto, Self::Jack, Self::CoreAudio, Self::Dummy]
        } else if cfg!(windows) {
            &[Self::Auto, Self::Jack, Self::Wasapi, Self::Dummy]
        } else {
            &[Self::Auto, Self::Jack, Self::Pulse, Self::Alsa, Self::Dummy]
        }
    }

    /// Its name on the command line and in the settings file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Jack => "jack",
            Self::Pulse => "pulse",
            Self::Alsa => "alsa",
            Self::CoreAudio => "core-audio",
            Self::Wasapi => "wasapi",
            Self::Dummy => "dummy",
        }
    }

    /// The one of this operating system with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::of_this_system().iter().copied().find(|backend| backend.name() == name)
    }

    /// Its name in the window and in messages.
    pub fn label(self) -> &'static str {
        match self {
            Self::Auto => "Automatic",
            Self::Jack => "JACK",
            Self::Pulse => "PulseAudio / PipeWire",
            Self::Alsa => "ALSA",
            Self::CoreAudio => "Core Audio",
            Self::Wasapi => "WASAPI",
            Self::Dummy => "No sound",
        }
    }
}

impl<'de> Deserialize<'de> for Backend {
    /// A name that only another operating system or version knows is read as [`Backend::Auto`].
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::named(&String::deserialize(deserializer)?).unwrap_or_default())
    }
}

/// The player's choice of an input or an output.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeviceChoice {
    /// The operating system's default device.
    #[default]
    System,
    /// The device with this id ([`DeviceName::id`]).
    Named(String),
    /// No device.
    Nothing,
}

/// The player's audio settings. Absent fields get their default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AudioSettings {
    /// The audio system.
    pub backend: Backend,
    /// Input device.
    pub input: DeviceChoice,
    /// Output device.
    pub output: DeviceChoice,
    /// The only input channel to use, counted from 1; 0 = the first two.
    pub channel: u16,
    /// Sample rate, Hz.
    pub rate: u32,
    /// Block length, samples.
    pub block: u32,
    /// Reserve in the buffer between an input and an output with different clocks, ms.
    pub safety_ms: u32,
}

impl AudioSettings {
    /// Sample rates that the window offers, Hz.
    pub const RATES: [u32; 6] = [44_100, 48_000, 88_200, 96_000, 176_400, 192_000];
    /// Block lengths that the window offers, samples.
    pub const BLOCKS: [u32; 7] = [32, 64, 128, 256, 512, 1024, 2048];
    /// Reserves that the window offers, ms.
    pub const SAFETIES_MS: [u32; 6] = [2, 5, 10, 20, 40, 80];

    /// Lowest and highest valid sample rate, Hz.
    pub const RATE_LIMITS: [u32; 2] = [8000, 384_000];
    /// Shortest and longest valid block, samples.
    pub const BLOCK_LIMITS: [u32; 2] = [16, 8192];
    /// Longest valid reserve, ms.
    pub const LONGEST_SAFETY_MS: u32 = 500;
    /// Highest valid channel.
    pub const LAST_CHANNEL: u16 = 64;

    /// These settings with each value moved into its valid range.
    pub fn usable(mut self) -> Self {
        let within = |value: u32, [least, most]: [u32; 2]| value.clamp(least, most);
        self.rate = within(self.rate, Self::RATE_LIMITS);
        self.block = within(self.block, Self::BLOCK_LIMITS);
        self.safety_ms = self.safety_ms.min(Self::LONGEST_SAFETY_MS);
        self.channel = self.channel.min(Self::LAST_CHANNEL);
        self
    }
}

impl Default for AudioSettings {
    fn default() -> Self {
        Self {
            backend: Backend::Auto,
            input: DeviceChoice::System,
            output: DeviceChoice::System,
            channel: 0,
            rate: 48_000,
            block: 128,
            safety_ms: 5,
        }
    }
}

/// A device as the lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceName {
    /// Identifies it when it is chosen.
    pub id: String,
    /// The operating system's name for it; several devices may share one.
    pub name: String,
}

/// Devices to choose from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Devices {
    /// The audio system that lists them.
    pub backend: Backend,
    /// Inputs.
    pub inputs: Vec<DeviceName>,
    /// Outputs.
    pub outputs: Vec<DeviceName>,
}

/// Parts of the latency from microphone to loudspeaker, ms; unknown parts are 0.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Latency {
    /// The input's buffer.
    pub input_ms: f32,
    /// The buffer between the clocks of input and output.
    pub feed_ms: f32,
    /// Embouchure's own latency.
    pub engine_ms: f32,
    /// The output's buffer.
    pub output_ms: f32,
}

impl Latency {
    /// Their sum.
    pub fn total_ms(self) -> f32 {
        self.input_ms + self.feed_ms + self.engine_ms + self.output_ms
    }
}

/// Counts of faults since the player's last choice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Gaps that a device or its server reported.
    pub gaps: u64,
    /// Underruns and overruns of the buffer between input and output.
    pub slips: u64,
    /// Errors that a device reported.
    pub errors: u64,
    /// Automatic restarts of the sound.
    pub restarts: u64,
}

/// What the window shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AudioView {
    /// Devices, rate and block in use, one line; empty if nothing plays.
    pub playing: String,
    /// True if blocks are played, so that a test tone would be heard.
    pub is_playing: bool,
    /// Differences between what the devices give and what was chosen.
    pub notes: Vec<String>,
    /// Faults that keep the player from hearing something, and what to do about them.
    pub problems: Vec<String>,
    /// Channels of the input.
    pub n_channels: u16,
    /// Latency in use; `None` while nothing plays.
    pub latency: Option<Latency>,
    /// Faults since the player's last choice.
    pub counts: Counts,
    /// Devices found while the audio page was open.
    pub devices: Devices,
}

/// Exchanges settings, views and requests between window and sound. The audio thread may call only
/// [`take_tone`](Self::take_tone).
#[derive(Default)]
pub struct SharedAudio {
    wanted: Mutex<AudioSettings>,
    view: RwLock<AudioView>,
    notice: Mutex<Option<String>>,
    is_page_open: AtomicBool,
    is_tone_wanted: AtomicBool,
    manager: Mutex<Option<Thread>>,
}

impl SharedAudio {
    /// With the settings to start with.
    pub fn new(settings: AudioSettings) -> Arc<Self> {
        Arc::new(Self { wanted: Mutex::new(settings.usable()), ..Self::default() })
    }

    /// The settings that the player chose.
    pub fn wanted(&self) -> AudioSettings {
        self.wanted.lock().clone()
    }

    /// Sets the player's choice and wakes the sound thread.
    pub fn set_wanted(&self, settings: AudioSettings) {
        *self.wanted.lock() = settings.usable();
        self.wake();
    }

    /// The state of the sound, to show.
    pub fn view(&self) -> AudioView {
        self.view.read().clone()
    }

    /// Edits the view. For the sound thread.
    pub fn show(&self, edit: impl FnOnce(&mut AudioView)) {
        edit(&mut self.view.write());
    }

    /// Sets a message that is shown until the player closes the audio page.
    pub fn set_notice(&self, notice: Option<String>) {
        *self.notice.lock() = notice;
    }

    /// The message set by [`set_notice`](Self::set_notice).
    pub fn notice(&self) -> Option<String> {
        self.notice.lock().clone()
    }

    /// Tells whether the audio page is open: only then the sound thread lists devices.
    pub fn set_page_open(&self, is_open: bool) {
        if self.is_page_open.swap(is_open, Relaxed) != is_open {
            self.wake();
        }
    }

    /// True while the audio page is open.
    pub fn is_page_open(&self) -> bool {
        self.is_page_open.load(Relaxed)
    }

    /// Requests the test tone.
    pub fn play_tone(&self) {
        self.is_tone_wanted.store(true, Relaxed);
    }

    /// True once after each request for the test tone. Realtime-safe.
    pub fn take_tone(&self) -> bool {
        self.is_tone_wanted.load(Relaxed) && self.is_tone_wanted.swap(false, Relaxed)
    }

    /// Makes the calling thread the sound thread, which [`wake`](Self::wake) unparks.
    pub fn register_thread(&self) {
        *self.manager.lock() = Some(std::thread::current());
    }

    /// Wakes the sound thread, so that it reads the player's choice.
    pub fn wake(&self) {
        if let Some(manager) = &*self.manager.lock() {
            manager.unpark();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_other_versions_and_systems_load() {
        let read = |json: &str| serde_json::from_str::<AudioSettings>(json).unwrap();
        assert_eq!(read("{}"), AudioSettings::default());
        let read = read(r#"{"backend": "of-tomorrow", "input": {"named": "Mic"}, "output": "system", "new": 1}"#);
        assert_eq!((read.backend, read.input), (Backend::Auto, DeviceChoice::Named("Mic".into())));
        for backend in Backend::of_this_system() {
            let settings = AudioSettings { backend: *backend, ..AudioSettings::default() };
            let json = serde_json::to_string(&settings).unwrap();
            assert!(json.contains(backend.name()), "{json}");
            assert_eq!(serde_json::from_str::<AudioSettings>(&json).unwrap(), settings);
        }
    }

    #[test]
    fn absurd_settings_are_brought_into_range() {
        let absurd = AudioSettings { rate: 0, block: 0, safety_ms: 1 << 31, channel: 999, ..AudioSettings::default() };
        let usable = absurd.usable();
        assert_eq!((usable.rate, usable.block, usable.safety_ms, usable.channel), (8000, 16, 500, 64));
    }

    #[test]
    fn a_tone_is_played_once_for_each_request() {
        let audio = SharedAudio::new(AudioSettings::default());
        audio.play_tone();
        assert_eq!([audio.take_tone(), audio.take_tone()], [true, false]);
    }
}
