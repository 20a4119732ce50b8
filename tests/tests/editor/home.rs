//! A temporary home folder, and a file dialog that answers by itself.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

static N_HOMES: AtomicUsize = AtomicUsize::new(0);

/// The folder; removed when dropped.
pub struct Home(PathBuf);

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Home {
    pub fn new() -> Self {
        let n = N_HOMES.fetch_add(1, Ordering::Relaxed);
        let home = Self(std::env::temp_dir().join(format!("embouchure-editor-{}-{n}", std::process::id())));
        for folder in ["data", "config", "run", "bin", "files"] {
            fs::create_dir_all(home.0.join(folder)).unwrap();
        }
        let (answer, asked) = (home.0.join("answer"), home.0.join("asked"));
        let script = format!("#!/bin/sh\necho \"$@\" >> '{}'\ncat '{}'\n", asked.display(), answer.display());
        // This program is called where the desktop offers no file dialog.
        let dialog = home.0.join("bin/zenity");
        fs::write(&dialog, script).unwrap();
        fs::set_permissions(&dialog, fs::Permissions::from_mode(0o755)).unwrap();
        home
    }

    /// Sets the environment of `command` so that it uses this folder and the dialog in it, and finds no desktop.
    pub fn set_environment(&self, command: &mut Command) {
        let path = std::env::var("PATH").unwrap_or_default();
        command
            .env("XDG_DATA_HOME", self.0.join("data"))
            .env("XDG_CONFIG_HOME", self.0.join("config"))
            .env("XDG_RUNTIME_DIR", self.0.join("run"))
            .env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", self.0.join("run/bus").display()))
            .env("PATH", format!("{}:{path}", self.0.join("bin").display()));
    }

    /// File that collects the app's terminal output.
    pub fn terminal_file(&self) -> PathBuf {
        self.0.join("said")
    }

    /// Makes the dialog answer with a file of this content.
    pub fn answer_with(&self, name: &str, content: &[u8]) -> PathBuf {
        let file = self.0.join("files").join(name);
        fs::write(&file, content).unwrap();
        fs::write(self.0.join("answer"), file.to_str().expect("path")).unwrap();
        file
    }

    /// Arguments of the dialog's calls, one line per call.
    pub fn dialog_calls(&self) -> String {
        fs::read_to_string(self.0.join("asked")).unwrap_or_default()
    }

    /// True if the app's list of recent files contains `file`.
    pub fn remembers(&self, file: &Path) -> bool {
        let list = fs::read_to_string(self.0.join("config/embouchure/recent.json")).unwrap_or_default();
        list.contains(file.to_str().expect("path"))
    }
}
