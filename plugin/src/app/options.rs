//! The app's command-line options.

use clap::Parser;
use embouchure_plugin::audio::{AudioSettings, Backend, DeviceChoice};

/// Whistle, hum, sing or play into a microphone, and hear another instrument while you play.
///
/// Use headphones: a microphone that picks up the loudspeakers howls. The app therefore starts muted; press "Listen" in
/// its window. Without options it uses your last choice on its audio page, and at first your system's default devices.
/// Options hold for this start only.
#[derive(Debug, Parser)]
#[command(name = "Embouchure", version)]
pub struct Options {
    /// List the inputs and outputs of this computer, and exit.
    #[arg(long)]
    pub devices: bool,
    /// Input device: its name in the list of --devices, or a part of it; "none" for no input.
    #[arg(long, value_name = "NAME")]
    input: Option<String>,
    /// Output device: its name in the list of --devices, or a part of it.
    #[arg(long, value_name = "NAME")]
    output: Option<String>,
    /// Audio system through which the devices are reached; dummy plays no sound.
    #[arg(long, short, value_name = "SYSTEM", value_parser = backend_names())]
    pub backend: Option<String>,
    /// With JACK: the port to take the input from, or two ports separated by a comma.
    #[arg(long, value_name = "PORT")]
    jack_input: Option<String>,
    /// Channel of the input device, from 1; 0 = the first two.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(..=i64::from(AudioSettings::LAST_CHANNEL)))]
    channel: Option<u16>,
    /// Sample rate, Hz. With JACK, the server decides.
    #[arg(long = "rate", short, alias = "sample-rate", value_name = "HZ", value_parser = within(AudioSettings::RATE_LIMITS))]
    rate: Option<u32>,
    /// Block length, samples. Shorter blocks mean less latency and more work for the computer. With JACK, the server
    /// decides.
    #[arg(long = "block", short = 'p', alias = "period-size", value_name = "SAMPLES", value_parser = within(AudioSettings::BLOCK_LIMITS))]
    block: Option<u32>,
    /// Reserve in the buffer between input and output devices, ms. Raise it if the sound crackles. Not used with JACK.
    #[arg(long, value_name = "MS", value_parser = within([0, AudioSettings::LONGEST_SAFETY_MS]))]
    safety: Option<u32>,
    /// Size of the window, e.g. 2 for twice as large. The app remembers it.
    #[arg(long, alias = "dpi-scale", value_name = "TIMES", value_parser = times)]
    pub scale: Option<f32>,
}

fn backend_names() -> clap::builder::PossibleValuesParser {
    Backend::of_this_system().iter().map(|backend| backend.name()).collect::<Vec<_>>().into()
}

fn within([least, most]: [u32; 2]) -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(i64::from(least)..=i64::from(most))
}

fn times(text: &str) -> Result<f32, String> {
    let times = text.parse().ok().filter(|times: &f32| times.is_finite() && *times > 0.0);
    times.ok_or_else(|| "must be a number above 0, for instance 1.5".into())
}

impl Options {
    /// `settings` with these options applied.
    pub fn applied_to(&self, settings: AudioSettings) -> AudioSettings {
        let device = |given: &Option<String>, otherwise: DeviceChoice| match given.as_deref() {
            Some("none") => DeviceChoice::Nothing,
            Some(name) => DeviceChoice::Named(name.to_owned()),
            None => otherwise,
        };
        let jack_input = self.jack_input.clone().filter(|_| self.input.is_none());
        AudioSettings {
            backend: self.backend.as_deref().and_then(Backend::named).unwrap_or(settings.backend),
            input: device(&self.input.clone().or(jack_input), settings.input),
            output: device(&self.output, settings.output),
            channel: self.channel.unwrap_or(settings.channel),
            rate: self.rate.unwrap_or(settings.rate),
            block: self.block.unwrap_or(settings.block),
            safety_ms: self.safety.unwrap_or(settings.safety_ms),
        }
        .usable()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn options_override_remembered_settings() {
        let applied = |text: &str| {
            let words = std::iter::once("Embouchure").chain(text.split_whitespace());
            Options::try_parse_from(words).unwrap().applied_to(AudioSettings { block: 64, ..AudioSettings::default() })
        };
        assert_eq!(applied("").block, 64);
        let other = applied("--input Line -b dummy -r 44100 -p 32 --output none");
        assert_eq!((other.backend, other.rate, other.block), (Backend::Dummy, 44_100, 32));
        assert_eq!((other.input, other.output), (DeviceChoice::Named("Line".into()), DeviceChoice::Nothing));
        assert_eq!(applied("--jack-input a:1").input, DeviceChoice::Named("a:1".into()));
    }

    #[test]
    fn invalid_options_are_refused_with_a_hint_at_valid_ones() {
        let refused = |words: &[&str]| {
            let words = std::iter::once("Embouchure").chain(words.iter().copied());
            Options::try_parse_from(words).unwrap_err().to_string()
        };
        for (words, answer) in [
            (["--backend", "oss"], "auto, jack"),
            (["--rate", "0"], "8000..=384000"),
            (["--block", "9000"], "16..=8192"),
            (["--channel", "65"], "65"),
            (["--scale", "NaN"], "1.5"),
            (["--scale", "0"], "1.5"),
            (["--inptu", "Mic"], "--input"),
            (["--jack-inputs", "a:1"], "--jack-input"),
        ] {
            let message = refused(&words);
            assert!(message.contains(answer), "{words:?}: {message}");
        }
        // Names of these options in earlier versions, and in other plugins' apps.
        for words in [["--sample-rate", "48000"], ["--period-size", "64"], ["--dpi-scale", "2"]] {
            assert!(Options::try_parse_from(["Embouchure"].iter().chain(&words)).is_ok(), "{words:?}");
        }
    }

    #[test]
    fn help_names_the_audio_systems_of_this_computer_only() {
        let help = Options::command().render_long_help().to_string();
        for name in ["jack", "pulse", "alsa", "core-audio", "wasapi", "asio"] {
            let is_here = Backend::named(name).is_some();
            assert!(!help.contains(&format!("{name},")) || is_here, "{name}");
        }
    }
}
