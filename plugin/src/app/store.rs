//! The app's settings file: audio settings, all parameters and the session.

use embouchure_plugin::audio::AudioSettings;
use embouchure_plugin::whole_file;
use embouchure_weights::own;
use nice_plug::plugin::PluginState;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Contents of the file.
#[derive(Default, Serialize, Deserialize)]
pub struct Memory {
    /// Audio settings.
    #[serde(default)]
    pub audio: AudioSettings,
    /// The plugin's state, as a host's project holds it.
    #[serde(default)]
    pub state: Option<PluginState>,
}

/// The file.
pub struct Store {
    /// `None`: the system has no folder for it.
    path: Option<PathBuf>,
    /// Text that was last read or written.
    written: String,
}

impl Store {
    /// The file in the system's folder for a program's settings.
    pub fn of_this_user() -> Self {
        let path = own::system_folders().map(|folders| folders.config_dir().join("app.json"));
        Self { path, written: String::new() }
    }

    /// The file's contents, and a message if it is damaged. A damaged file is renamed, and the defaults are used.
    pub fn read(&mut self) -> (Memory, Option<String>) {
        let Some(path) = &self.path else { return (Memory::default(), None) };
        if !path.exists() {
            return (Memory::default(), None);
        }
        let read = std::fs::read_to_string(path).map_err(|e| e.to_string());
        match read.and_then(|text| Ok((serde_json::from_str(&text).map_err(|e| e.to_string())?, text))) {
            Ok((memory, text)) => {
                self.written = text;
                (memory, None)
            }
            Err(e) => {
                let kept = path.with_extension("damaged.json");
                let _ = std::fs::rename(path, &kept);
                let message = format!(
                    "The settings could not be read ({e}). The defaults are used; the damaged file is kept as {}.",
                    kept.display()
                );
                (Memory::default(), Some(message))
            }
        }
    }

    /// Writes the file if its contents have changed. A full disk leaves the old file as it was.
    pub fn write(&mut self, memory: &Memory) {
        let (Some(path), Ok(text)) = (&self.path, serde_json::to_string_pretty(memory)) else { return };
        if text != self.written && whole_file::write(path, text.as_bytes()).is_ok() {
            self.written = text;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_damage_is_kept_beside() {
        let folder = std::env::temp_dir().join(format!("embouchure-store-{}", std::process::id()));
        let path = folder.join("new/app.json");
        let store = || Store { path: Some(path.clone()), written: String::new() };
        assert!(store().read().1.is_none(), "nothing is there at first");
        let audio = AudioSettings { block: 64, ..AudioSettings::default() };
        store().write(&Memory { audio: audio.clone(), state: None });
        assert_eq!(store().read().0.audio, audio);
        std::fs::write(&path, b"{half \xff").unwrap();
        let (memory, message) = store().read();
        assert_eq!(memory.audio, AudioSettings::default());
        assert!(message.unwrap().contains("damaged"));
        assert_eq!(std::fs::read(path.with_extension("damaged.json")).unwrap(), b"{half \xff");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
