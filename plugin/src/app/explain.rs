//! Messages for faults: what is wrong, and what the player can do about it.

use super::io::{Fault, FaultKind};
use cpal::ErrorKind;
use embouchure_plugin::audio::{Backend, DeviceChoice};

/// Direction of a device's sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To the app.
    Input,
    /// From the app.
    Output,
}

impl Direction {
    fn noun(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Output => "output",
        }
    }

    fn device(self, choice: &DeviceChoice) -> String {
        match choice {
            DeviceChoice::Named(name) => format!("The {} \"{name}\"", self.noun()),
            _ => format!("The system's {}", self.noun()),
        }
    }
}

/// The fault for an error while opening or starting a device.
pub fn fault(error: &cpal::Error, direction: Direction, choice: &DeviceChoice, backend: Backend) -> Fault {
    let device = direction.device(choice);
    let (kind, message) = match error.kind() {
        ErrorKind::DeviceBusy => (
            FaultKind::Refused,
            format!("{device} is in use by another program. Close that program, or choose another device."),
        ),
        ErrorKind::DeviceNotAvailable if *choice == DeviceChoice::System => return no_default(direction, backend),
        ErrorKind::DeviceNotAvailable => (
            FaultKind::NoDevice,
            format!("{device} is not connected. Connect it, and it is used automatically, or choose another device."),
        ),
        ErrorKind::HostUnavailable => return no_backend(backend),
        ErrorKind::PermissionDenied => (FaultKind::Refused, format!("{device} may not be used. {}", permission())),
        ErrorKind::UnsupportedConfig | ErrorKind::UnsupportedOperation => (
            FaultKind::Refused,
            format!("{device} refuses these settings ({error}). Choose another sample rate or another device."),
        ),
        _ => (
            FaultKind::Refused,
            format!(
                "{device} does not work ({error}). Reconnect it, or choose another device. Embouchure tries again."
            ),
        ),
    };
    Fault { kind, message }
}

fn permission() -> &'static str {
    if cfg!(target_os = "macos") {
        "Allow Embouchure to use the microphone: System Settings, Privacy & Security, Microphone."
    } else if cfg!(windows) {
        "Allow desktop apps to use the microphone: Settings, Privacy, Microphone."
    } else {
        "Add yourself to the group \"audio\" and log in again, or ask the administrator of this computer."
    }
}

/// The operating system has no default device.
pub fn no_default(direction: Direction, backend: Backend) -> Fault {
    let message = match direction {
        Direction::Input => {
            "No microphone was found. Connect one, and it is used automatically, or choose an input on the audio page."
        }
        Direction::Output => {
            "No sound card was found. Connect one, and it is used automatically, or choose an output on the audio page."
        }
    };
    Fault::new(FaultKind::NoDevice, format!("{} ({})", message, backend.label()))
}

/// No audio system has an output.
pub fn no_sound() -> Fault {
    let message = if cfg!(target_os = "linux") {
        "No sound card and no PulseAudio, PipeWire or JACK server was found. Connect a card or start a server, and it is \
         used automatically."
    } else {
        "No sound card was found. Connect one, and it is used automatically."
    };
    Fault::new(FaultKind::NoDevice, message)
}

/// The audio system does not exist on this computer, or its server does not run.
pub fn no_backend(backend: Backend) -> Fault {
    let message = match backend {
        Backend::Jack => {
            "No JACK server was found. Start one (with PipeWire: install its JACK library), or choose another audio system."
        }
        Backend::Pulse => "No PulseAudio or PipeWire server was found. Start one, or choose another audio system.",
        Backend::Alsa => "ALSA does not work on this computer. Choose another audio system.",
        _ => "This audio system does not exist on this computer. Choose another one.",
    };
    Fault::new(FaultKind::NoBackend, message)
}

/// No device, or more than one, has the wanted name. `candidates`: names to choose from.
pub fn no_such(direction: Direction, wanted: &str, candidates: &[String]) -> Fault {
    let noun = direction.noun();
    let there = match candidates {
        [] => format!("There is no {noun}."),
        some => format!("There are: {}.", some.join(", ")),
    };
    Fault::new(
        FaultKind::NoDevice,
        format!(
            "No {noun}, or more than one, is called \"{wanted}\". {there} Connect it, and it is used automatically, or choose another one."
        ),
    )
}

/// The device offers no sample format that the app knows.
pub fn no_format(direction: Direction, choice: &DeviceChoice) -> Fault {
    let message =
        format!("{} has no sample format that Embouchure can use. Choose another device.", direction.device(choice));
    Fault::new(FaultKind::Refused, message)
}

/// The operating system refuses realtime priority for the callbacks' threads.
pub const NO_PRIORITY: &str = "The system refuses realtime priority. If the sound crackles, choose longer blocks, or add \
                               yourself to the group \"audio\" and log in again.";

/// The sound has stopped after it played. `reported`: the error that the device reported.
pub fn lost(reported: Option<String>) -> String {
    let reported = reported.map_or_else(String::new, |error| format!(" ({error})"));
    format!("The sound stopped{reported}. Embouchure tries to start it again.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_says_what_is_wrong_and_what_to_do() {
        use ErrorKind::*;
        let named = DeviceChoice::Named("Scarlett".into());
        let text = |kind, choice: &DeviceChoice| {
            fault(&cpal::Error::new(kind), Direction::Output, choice, Backend::Alsa).message
        };
        for kind in [DeviceBusy, DeviceNotAvailable, PermissionDenied, UnsupportedConfig, BackendError, Other] {
            for choice in [&named, &DeviceChoice::System] {
                let text = text(kind, choice);
                let is_answered =
                    ["choose", "Choose", "Connect", "Allow", "Add"].iter().any(|word| text.contains(word));
                assert!(is_answered, "{kind:?}: {text}");
            }
            assert!(text(kind, &named).contains("Scarlett"), "{kind:?}");
        }
        assert!(text(DeviceBusy, &named).contains("in use by another program"));
        assert!(text(DeviceNotAvailable, &DeviceChoice::System).contains("sound card"));
        assert!(text(HostUnavailable, &named).contains("ALSA"));
        assert!(no_such(Direction::Input, "Mic", &["a".into(), "b".into()]).message.contains("a, b"));
        assert!(lost(Some("I/O error (5)".into())).contains("I/O error (5)"));
    }
}
