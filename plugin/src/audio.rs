//! Between the app's sound and its window: what the player chooses, and what became of it. Plugins have none of this.

use parking_lot::{Mutex, RwLock};
use serde::{Deserialize, Deserializer, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::Thread;

/// A way to reach sound cards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Backend {
    /// The first of this system's that works.
    #[default]
    Auto,
    /// A JACK server, PipeWire's among them.
    Jack,
    /// A PulseAudio server, PipeWire's among them.
    Pulse,
    /// Linux without a server.
    Alsa,
    /// macOS.
    CoreAudio,
    /// Windows.
    Wasapi,
    /// No sound at all.
    Dummy,
}

impl Backend {
    /// Those of this system, in the order in which [`Backend::Auto`] tries them.
    pub fn of_this_system() -> &'static [Self] {
        if cfg!(target_os = "macos") {
            &[Self::Auto, Self::Jack, Self::CoreAudio, Self::Dummy]
        } else if cfg!(windows) {
            &[Self::Auto, Self::Jack, Self::Wasapi, Self::Dummy]
        } else {
            &[Self::Auto, Self::Jack, Self::Pulse, Self::Alsa, Self::Dummy]
        }
    }

    /// What it is called on the command line and in the settings.
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

    /// The one of this system that is called so.
    pub fn named(name: &str) -> Option<Self> {
        Self::of_this_system().iter().copied().find(|backend| backend.name() == name)
    }

    /// For the window and for messages.
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
    /// What another system has, or another version, is left to the app.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::named(&String::deserialize(deserializer)?).unwrap_or_default())
    }
}

/// An input or an output.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeviceChoice {
    /// What the system prefers.
    #[default]
    System,
    /// By the name that the list of devices gives it.
    Named(String),
    /// None at all.
    Nothing,
}

/// What the player has chosen. Absent fields have their default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AudioSettings {
    /// The way to the devices.
    pub backend: Backend,
    /// Heard.
    pub input: DeviceChoice,
    /// Played to.
    pub output: DeviceChoice,
    /// The input channel that is heard alone, counted from 1; 0 = the first two.
    pub channel: u16,
    /// Hz.
    pub rate: u32,
    /// Samples.
    pub block: u32,
    /// Sound that is kept in stock between an input and an output with different clocks, ms.
    pub safety_ms: u32,
}

impl AudioSettings {
    /// What the window offers.
    pub const RATES: [u32; 6] = [44_100, 48_000, 88_200, 96_000, 176_400, 192_000];
    /// The same of blocks.
    pub const BLOCKS: [u32; 7] = [32, 64, 128, 256, 512, 1024, 2048];
    /// The same of stocks.
    pub const SAFETIES_MS: [u32; 6] = [2, 5, 10, 20, 40, 80];

    /// Least and greatest rate that can be asked for, Hz.
    pub const RATE_LIMITS: [u32; 2] = [8000, 384_000];
    /// The same of blocks, samples.
    pub const BLOCK_LIMITS: [u32; 2] = [16, 8192];
    /// Greatest stock that can be asked for, ms.
    pub const LONGEST_SAFETY_MS: u32 = 500;
    /// Last channel that can be asked for.
    pub const LAST_CHANNEL: u16 = 64;

    /// With values that can be asked for.
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
    /// By which it is chosen.
    pub id: String,
    /// In the words of the system; may be that of several.
    pub name: String,
}

/// What there is to choose from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Devices {
    /// Whose devices these are.
    pub backend: Backend,
    /// Inputs.
    pub inputs: Vec<DeviceName>,
    /// Outputs.
    pub outputs: Vec<DeviceName>,
}

/// Parts of the way from the microphone to the ear, ms; what is not known is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Latency {
    /// The input's buffer.
    pub input_ms: f32,
    /// The stock between two clocks.
    pub stock_ms: f32,
    /// Embouchure's own.
    pub engine_ms: f32,
    /// The output's buffer.
    pub output_ms: f32,
}

impl Latency {
    /// All of them.
    pub fn total_ms(self) -> f32 {
        self.input_ms + self.stock_ms + self.engine_ms + self.output_ms
    }
}

/// What went wrong since the sound was started, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Times that a device or its server reported a gap.
    pub gaps: u64,
    /// Times that the input had nothing when it was needed, or too much.
    pub slips: u64,
    /// Errors that a device reported.
    pub errors: u64,
    /// Times that the sound was started again by itself.
    pub restarts: u64,
}

/// What the window shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AudioView {
    /// What plays, in a line; empty if nothing does.
    pub playing: String,
    /// True if the test tone would be heard.
    pub is_playing: bool,
    /// Where a device gives something else than what was chosen.
    pub notes: Vec<String>,
    /// What keeps the player from hearing something, and what to do about it.
    pub problems: Vec<String>,
    /// Channels of the input.
    pub n_channels: u16,
    /// Known while it plays.
    pub latency: Option<Latency>,
    /// Since the player's last choice.
    pub counts: Counts,
    /// As far as they were looked for.
    pub devices: Devices,
}

/// Where window and sound meet. Nothing here is for the audio thread but [`take_tone`](Self::take_tone).
#[derive(Default)]
pub struct AudioDesk {
    wanted: Mutex<AudioSettings>,
    view: RwLock<AudioView>,
    notice: Mutex<Option<String>>,
    is_page_open: AtomicBool,
    is_tone_wanted: AtomicBool,
    manager: Mutex<Option<Thread>>,
}

impl AudioDesk {
    /// With the settings that are wanted first.
    pub fn new(settings: AudioSettings) -> Arc<Self> {
        Arc::new(Self { wanted: Mutex::new(settings.usable()), ..Self::default() })
    }

    /// What the player wants.
    pub fn wanted(&self) -> AudioSettings {
        self.wanted.lock().clone()
    }

    /// The player wants something else.
    pub fn want(&self, settings: AudioSettings) {
        *self.wanted.lock() = settings.usable();
        self.wake();
    }

    /// What became of it.
    pub fn view(&self) -> AudioView {
        self.view.read().clone()
    }

    /// For whoever runs the sound.
    pub fn show(&self, edit: impl FnOnce(&mut AudioView)) {
        edit(&mut self.view.write());
    }

    /// Something to say once, until the player has read it.
    pub fn set_notice(&self, notice: Option<String>) {
        *self.notice.lock() = notice;
    }

    /// What there is to say.
    pub fn notice(&self) -> Option<String> {
        self.notice.lock().clone()
    }

    /// While the page is open devices are looked for.
    pub fn open_page(&self, is_open: bool) {
        if self.is_page_open.swap(is_open, Relaxed) != is_open {
            self.wake();
        }
    }

    /// True while the page is open.
    pub fn is_page_open(&self) -> bool {
        self.is_page_open.load(Relaxed)
    }

    /// Asks for the test tone.
    pub fn play_tone(&self) {
        self.is_tone_wanted.store(true, Relaxed);
    }

    /// True once after the test tone was asked for. Realtime-safe.
    pub fn take_tone(&self) -> bool {
        self.is_tone_wanted.load(Relaxed) && self.is_tone_wanted.swap(false, Relaxed)
    }

    /// The calling thread runs the sound, and parks while there is nothing to do.
    pub fn manage(&self) {
        *self.manager.lock() = Some(std::thread::current());
    }

    /// Lets the thread that runs the sound look what is wanted.
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
    fn a_tone_is_played_once_for_each_wish() {
        let desk = AudioDesk::new(AudioSettings::default());
        desk.play_tone();
        assert_eq!([desk.take_tone(), desk.take_tone()], [true, false]);
    }
}
