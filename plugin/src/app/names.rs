//! Names of devices: which ones are listed, and which one matches the player's text.

use embouchure_plugin::audio::DeviceName;

/// Prefixes of ALSA names that are not listed: variants of one card, and plugins that are no devices.
const USELESS_IN_ALSA: [&str; 19] = [
    "hw:",
    "sysdefault",
    "front:",
    "rear:",
    "center_lfe:",
    "side:",
    "surround",
    "iec958:",
    "spdif:",
    "hdmi:",
    "dmix",
    "dsnoop",
    "usbstream:",
    "modem:",
    "phoneline:",
    "lavrate",
    "samplerate",
    "speex",
    "upmix",
];
const MORE_USELESS_IN_ALSA: [&str; 5] = ["vdownmix", "jack", "oss", "null", "dsp"];

/// True if an ALSA name is listed. False for the many variants of each card, and for cards by number, because numbers
/// change.
pub fn is_useful_in_alsa(id: &str) -> bool {
    let is_numbered =
        id.strip_prefix("plughw:CARD=").is_some_and(|card| card.starts_with(|c: char| c.is_ascii_digit()));
    !is_numbered && !USELESS_IN_ALSA.iter().chain(&MORE_USELESS_IN_ALSA).any(|useless| id.starts_with(useless))
}

/// True for the name of a card, with or without conversions; false for names that ALSA's configuration may route
/// elsewhere.
#[cfg_attr(not(target_os = "linux"), allow(dead_code))]
pub fn is_card_in_alsa(id: &str) -> bool {
    ["hw:", "plughw:", "sysdefault:", "front:"].iter().any(|card| id.starts_with(card))
}

/// Index of the device that `wanted` names: by its id, its name, or a part of either that only this device has.
/// Otherwise an error with the ids to choose from.
pub fn find(names: &[DeviceName], wanted: &str) -> Result<usize, Vec<String>> {
    let wanted = wanted.trim();
    let lower = wanted.to_lowercase();
    let passes: [&dyn Fn(&DeviceName) -> bool; 4] = [
        &|device| device.id == wanted,
        &|device| device.name == wanted,
        &|device| device.id.to_lowercase() == lower || device.name.to_lowercase() == lower,
        &|device| device.id.to_lowercase().contains(&lower) || device.name.to_lowercase().contains(&lower),
    ];
    for pass in passes {
        let found: Vec<usize> = (0..names.len()).filter(|at| pass(&names[*at])).collect();
        match found[..] {
            [] => {}
            [only] => return Ok(only),
            _ => return Err(found.into_iter().map(|at| names[at].id.clone()).collect()),
        }
    }
    Err(names.iter().map(|device| device.id.clone()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(id: &str, name: &str) -> DeviceName {
        DeviceName { id: id.into(), name: name.into() }
    }

    #[test]
    fn a_device_is_found_by_what_a_person_types() {
        let devices = [
            device("plughw:CARD=PCH,DEV=0", "HDA Intel PCH, ALC257 Analog"),
            device("plughw:CARD=USB,DEV=0", "Scarlett 2i2 USB"),
            device("default", "Default Audio Device"),
        ];
        assert_eq!(find(&devices, "plughw:CARD=USB,DEV=0"), Ok(1));
        assert_eq!(find(&devices, "Scarlett 2i2 USB"), Ok(1));
        assert_eq!(find(&devices, " scarlett "), Ok(1));
        assert_eq!(find(&devices, "DEFAULT"), Ok(2));
        assert_eq!(find(&devices, "plughw").unwrap_err().len(), 2);
        assert_eq!(find(&devices, "Focusrite").unwrap_err().len(), 3);
        assert_eq!(find(&[], "anything"), Err(vec![]));
    }

    #[test]
    fn cards_are_told_from_other_alsa_names() {
        for (id, is_card) in [("plughw:CARD=PCH,DEV=0", true), ("hw:0", true), ("default", false), ("pulse", false)] {
            assert_eq!(is_card_in_alsa(id), is_card, "{id}");
        }
    }

    #[test]
    fn of_alsas_many_names_few_are_shown() {
        for id in ["default", "pulse", "pipewire", "plughw:CARD=PCH,DEV=0", "my_microphone"] {
            assert!(is_useful_in_alsa(id), "{id}");
        }
        for id in ["surround51:CARD=PCH,DEV=0", "hw:CARD=PCH,DEV=0", "plughw:CARD=0,DEV=0", "null", "sysdefault:CARD=X"]
        {
            assert!(!is_useful_in_alsa(id), "{id}");
        }
    }
}
