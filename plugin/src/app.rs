//! What a musician says when starting the app, in the words of the framework that runs it.

use clap::Parser;
use cpal::traits::{DeviceTrait, HostTrait};

/// Whistle, hum, sing or play into a microphone, and hear another instrument while you play.
///
/// Put headphones on: what comes out of loudspeakers goes back into the microphone. That is why the app starts muted; press
/// "Listen" in its window. Without options it takes the inputs and outputs that your system prefers.
#[derive(Debug, Parser)]
#[command(name = "Embouchure", version)]
pub struct Options {
    /// Show the inputs and outputs of this computer, and end.
    #[arg(long)]
    pub devices: bool,
    /// Input to listen to, as --devices names it.
    #[arg(long, value_name = "NAME")]
    input: Option<String>,
    /// Output to play to, as --devices names it.
    #[arg(long, value_name = "NAME")]
    output: Option<String>,
    /// How to reach them: auto, jack, alsa, core-audio, wasapi, asio, or dummy for no sound at all.
    #[arg(long, short, value_name = "WAY", default_value = "auto")]
    backend: String,
    /// With JACK: the port to listen to, or two with a comma between.
    #[arg(long, value_name = "PORT", default_value = "system:capture_1")]
    jack_input: String,
    /// Sample rate, Hz. JACK has its own.
    #[arg(long = "rate", short, value_name = "HZ", default_value_t = 48_000)]
    rate: u32,
    /// Samples that are worked on at once: fewer are sooner heard, but harder on the computer. JACK has its own.
    #[arg(long = "block", short = 'p', value_name = "SAMPLES", default_value_t = 128)]
    block: u32,
    /// Time between what comes in and what goes out, ms, beside the plugin's own: more if it crackles. Not with JACK.
    #[arg(long, value_name = "MS", default_value_t = 10)]
    safety: u32,
    /// Size of the window's contents on a high-resolution screen, e.g. 2.
    #[arg(long, value_name = "TIMES", default_value_t = 1.0)]
    scale: f64,
}

/// Names of what the system prefers.
#[derive(Debug, Default, PartialEq)]
pub struct Devices {
    input: Option<String>,
    output: Option<String>,
}

impl Devices {
    /// Asks the system, unless nothing is to be heard.
    pub fn of_this_computer(options: &Options) -> Self {
        if options.backend == "dummy" {
            return Self::default();
        }
        let host = cpal::default_host();
        Self {
            input: host.default_input_device().filter(|d| d.default_input_config().is_ok()).and_then(name),
            output: host.default_output_device().filter(|d| d.default_output_config().is_ok()).and_then(name),
        }
    }

    /// What keeps the player from hearing something, if anything does.
    pub fn problem(&self, options: &Options) -> Option<String> {
        if !matches!(options.backend.as_str(), "auto" | "alsa" | "core-audio" | "wasapi") {
            return None;
        }
        match (self.input.is_some() || options.input.is_some(), self.output.is_some() || options.output.is_some()) {
            (true, true) => None,
            (false, true) => Some("No microphone was found: connect one and start again.".into()),
            (_, false) => {
                Some("No sound card was found: connect one and start again. With JACK running, all is well.".into())
            }
        }
    }
}

impl Options {
    /// The framework's own arguments.
    pub fn arguments(&self, devices: &Devices) -> Vec<String> {
        let safety_s = f64::from(self.safety) / 1000.0;
        let mut arguments = vec!["Embouchure".to_owned()];
        let mut add = |name: &str, value: String| arguments.extend([name.to_owned(), value]);
        add("--backend", self.backend.clone());
        add("--sample-rate", self.rate.to_string());
        add("--period-size", self.block.to_string());
        add("--input-latency", safety_s.to_string());
        // Room for it twice, as the framework asks for, and for some blocks.
        add("--input-capacity", (2.0 * safety_s + 8.0 * f64::from(self.block) / f64::from(self.rate)).to_string());
        add("--dpi-scale", self.scale.to_string());
        // Muted at first, so nothing howls.
        add("--connect-jack-inputs", self.jack_input.clone());
        for (name, device) in [
            ("--input-device", self.input.as_ref().or(devices.input.as_ref())),
            ("--output-device", self.output.as_ref().or(devices.output.as_ref())),
        ] {
            if let Some(device) = device {
                add(name, device.clone());
            }
        }
        arguments
    }
}

/// As the framework wants to be told it.
fn name(device: cpal::Device) -> Option<String> {
    device.description().ok().map(|description| description.name().to_owned())
}

/// Inputs and outputs, a line each.
pub fn device_list() -> String {
    let host = cpal::default_host();
    let names = |devices: Result<Vec<cpal::Device>, cpal::Error>| -> Vec<String> {
        devices.unwrap_or_default().into_iter().filter_map(name).collect()
    };
    let inputs = names(host.input_devices().map(Iterator::collect));
    let outputs = names(host.output_devices().map(Iterator::collect));
    let lines = |title: &str, names: Vec<String>| match names.is_empty() {
        true => format!("{title}: none was found\n"),
        false => format!("{title}:\n  {}\n", names.join("\n  ")),
    };
    lines("Inputs", inputs) + &lines("Outputs", outputs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(text: &str) -> Options {
        Options::try_parse_from(std::iter::once("Embouchure").chain(text.split_whitespace())).unwrap()
    }

    #[test]
    fn the_systems_devices_are_taken_unless_others_are_named() {
        let devices = Devices { input: Some("Mic".into()), output: Some("Speaker".into()) };
        let after = |arguments: &[String], name: &str| {
            let at = arguments.iter().position(|a| a == name);
            at.map(|at| arguments[at + 1].clone())
        };
        let plain = options("").arguments(&devices);
        assert_eq!(after(&plain, "--input-device").as_deref(), Some("Mic"));
        assert_eq!(after(&plain, "--period-size").as_deref(), Some("128"));
        assert_eq!(after(&plain, "--input-latency").as_deref(), Some("0.01"));
        let named = options("--input Line -b alsa -r 44100 -p 64").arguments(&devices);
        assert_eq!(after(&named, "--input-device").as_deref(), Some("Line"));
        assert_eq!(after(&named, "--output-device").as_deref(), Some("Speaker"));
        assert_eq!(after(&named, "--sample-rate").as_deref(), Some("44100"));
        assert_eq!(after(&options("-b dummy").arguments(&Devices::default()), "--input-device"), None);
    }

    #[test]
    fn what_is_missing_is_named() {
        let none = Devices::default();
        assert!(none.problem(&options("")).unwrap().contains("sound card"));
        let deaf = Devices { output: Some("Speaker".into()), ..Devices::default() };
        assert!(deaf.problem(&options("")).unwrap().contains("microphone"));
        assert_eq!(deaf.problem(&options("--input Line")), None);
        assert_eq!([none.problem(&options("-b jack")), none.problem(&options("-b dummy"))], [None, None]);
    }
}
