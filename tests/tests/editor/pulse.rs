//! A private PulseAudio server without a sound card. Dropping its value ends it.

use crate::jack::end_within;
use crate::ways::Folder;
use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// PulseAudio with an output sink, and a second sink whose monitor is the microphone.
pub struct Pulse {
    server: Child,
    address: String,
    folder: PathBuf,
}

/// A running player or recorder. Dropping this value ends it.
pub struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        // SAFETY: the process is our child and was not waited for. After SIGTERM it removes its socket.
        unsafe { libc::kill(self.server.id() as i32, libc::SIGTERM) };
        end_within(&mut self.server, Duration::from_secs(3));
    }
}

impl Pulse {
    /// Name of the missing program, if any. `cargo xtask test` does not install PulseAudio, because it would replace
    /// PipeWire where that is in use.
    pub fn missing() -> Option<&'static str> {
        let is_there = |program: &str| {
            let folders = std::env::var_os("PATH").unwrap_or_default();
            std::env::split_paths(&folders).any(|folder| folder.join(program).is_file())
        };
        (!["pulseaudio", "pacat", "pactl"].into_iter().all(is_there))
            .then_some("pulseaudio, pacat and pactl are needed (Debian: pulseaudio, pulseaudio-utils)")
    }

    /// Address for PULSE_SERVER.
    pub fn address(folder: &Folder) -> String {
        format!("unix:{}", folder.file("socket"))
    }

    pub fn start(folder: &Folder) -> Self {
        let socket = format!("module-native-protocol-unix auth-anonymous=1 socket={}", folder.file("socket"));
        let sink = |name: &str| format!("module-null-sink sink_name={name} rate=48000");
        let server = Self::command(folder.path().into(), "pulseaudio")
            .args(["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--system=no"])
            .args(["-L", &socket, "-L", &sink("speakers"), "-L", &sink("microphone")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("pulseaudio is installed");
        let pulse = Self { server, address: Self::address(folder), folder: folder.path().into() };
        let is_ready = (0..200).any(|_| {
            std::thread::sleep(Duration::from_millis(50));
            pulse.control(&["set-default-sink", "speakers"])
        });
        assert!(is_ready, "the server of PulseAudio starts");
        assert!(pulse.control(&["set-default-source", "microphone.monitor"]));
        pulse
    }

    fn command(folder: PathBuf, program: &str) -> Command {
        let mut command = Command::new(program);
        // Hides the machine's own server and the user's settings.
        command
            .env("HOME", &folder)
            .env("XDG_RUNTIME_DIR", &folder)
            .env("XDG_CONFIG_HOME", &folder)
            .env("PULSE_RUNTIME_PATH", &folder)
            .env_remove("DISPLAY")
            .env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", folder.join("bus").display()))
            .stdin(Stdio::null());
        command
    }

    fn client(&self, program: &str) -> Command {
        let mut command = Self::command(self.folder.clone(), program);
        command.env("PULSE_SERVER", &self.address).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn control(&self, arguments: &[&str]) -> bool {
        self.client("pactl").args(arguments).status().is_ok_and(|status| status.success())
    }

    /// Plays mono floats into the microphone.
    pub fn play(&self, file: &str) -> Running {
        let format = ["--raw", "--format=float32le", "--rate=48000", "--channels=1"];
        let mut command = self.client("pacat");
        command.args(["--playback", "--device=microphone"]).args(format).arg(file);
        Running(command.spawn().expect("pacat is installed"))
    }

    /// Records the output sink as stereo floats.
    pub fn record(&self, file: &str) -> Running {
        let format = ["--raw", "--format=float32le", "--rate=48000", "--channels=2"];
        let mut command = self.client("pacat");
        command
            .args(["--record", "--device=speakers.monitor"])
            .args(format)
            .stdout(File::create(file).expect("a file"));
        Running(command.spawn().expect("pacat is installed"))
    }
}
