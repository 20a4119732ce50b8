//! A JACK server without a sound card, and music on it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Both end with it.
pub struct Sound {
    server: Child,
    player: Child,
    name: String,
    port: String,
}

impl Drop for Sound {
    fn drop(&mut self) {
        // The player leaves when nobody holds its input any more. A server that is stopped while clients vanish hangs.
        drop(self.player.stdin.take());
        end_within(&mut self.player, Duration::from_secs(2));
        std::thread::sleep(Duration::from_millis(300));
        // SAFETY: the process is our child and was not waited for. Asked politely it removes its shared memory.
        unsafe { libc::kill(self.server.id() as i32, libc::SIGTERM) };
        end_within(&mut self.server, Duration::from_secs(3));
    }
}

/// Waits for the end of a process, and in the end for no end.
pub fn end_within(process: &mut Child, patience: Duration) {
    let start = Instant::now();
    while matches!(process.try_wait(), Ok(None)) {
        if start.elapsed() > patience {
            let _ = process.kill();
            let _ = process.wait();
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl Sound {
    pub fn start() -> Self {
        // One name after another: a server of the same name may be running, and now and then a client that comes while
        // a server starts waits for ever. Few names, because a system has room for eight, and one that ended badly is
        // forgotten when another of its name starts.
        let found = (0..4).find_map(Self::try_start);
        found.expect("a player reaches jackd: is libjack here another system's, say PipeWire's?")
    }

    fn try_start(attempt: usize) -> Option<Self> {
        let name = format!("embouchure-test-{attempt}");
        let server = Command::new("jackd")
            .args(["--no-realtime", "--name", &name, "-d", "dummy", "-r", "48000", "-p", "256"])
            .env("JACK_NO_AUDIO_RESERVATION", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("jackd is installed by `cargo xtask test`");
        std::thread::sleep(Duration::from_millis(500));
        let player = Command::new(env!("CARGO_BIN_EXE_jack-player"))
            .env("JACK_DEFAULT_SERVER", &name)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("built with the tests");
        let mut sound = Self { server, player, name, port: String::new() };
        // The server that is reached must be this one.
        let is_running = matches!(sound.server.try_wait(), Ok(None));
        sound.port = is_running.then(|| sound.first_line())??;
        Some(sound)
    }

    /// The player writes its port's name once it plays.
    fn first_line(&mut self) -> Option<String> {
        let output = self.player.stdout.take()?;
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || sender.send(BufReader::new(output).lines().next()));
        receiver.recv_timeout(Duration::from_secs(5)).ok()??.ok()
    }

    /// For JACK_DEFAULT_SERVER.
    pub fn server(&self) -> &str {
        &self.name
    }

    /// Where the music comes from.
    pub fn port(&self) -> &str {
        &self.port
    }
}
