//! A JACK server without a sound card, and a client that plays the tune and can record.

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Server and client. Dropping this value ends both.
pub struct Jack {
    server: Child,
    player: Child,
    answers: Lines<BufReader<ChildStdout>>,
    name: String,
    port: String,
}

impl Drop for Jack {
    fn drop(&mut self) {
        end(&mut self.server, &mut self.player);
    }
}

fn end(server: &mut Child, player: &mut Child) {
    // The client exits when its standard input is closed. A server that is stopped while its clients disappear hangs.
    drop(player.stdin.take());
    end_within(player, Duration::from_secs(2));
    std::thread::sleep(Duration::from_millis(300));
    // SAFETY: the process is our child and was not waited for. After SIGTERM it removes its shared memory.
    unsafe { libc::kill(server.id() as i32, libc::SIGTERM) };
    end_within(server, Duration::from_secs(3));
}

/// Waits for a process to exit, and kills it after the timeout.
pub fn end_within(process: &mut Child, timeout: Duration) {
    let start = Instant::now();
    while matches!(process.try_wait(), Ok(None)) {
        if start.elapsed() > timeout {
            let _ = process.kill();
            let _ = process.wait();
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl Jack {
    /// Starts a server under a free name.
    pub fn start() -> Self {
        // Several names are tried, because a server of the same name may be running, and because a client that connects
        // while a server starts sometimes waits for ever. There are only four names: a system has room for eight, and
        // the entry of a server that ended badly is only cleared when its name is used again.
        let found = (0..4).find_map(|attempt| Self::named(&format!("embouchure-test-{attempt}"), 256, None));
        found.expect("a player reaches jackd: is libjack here another system's, say PipeWire's?")
    }

    /// Starts a server of this name with blocks of `block` samples, and records floats into `file` if given. Returns
    /// `None` if the client cannot connect.
    pub fn named(name: &str, block: usize, file: Option<&str>) -> Option<Self> {
        let mut server = Command::new("jackd")
            .args(["--no-realtime", "--name", name, "-d", "dummy", "-r", "48000", "-p", &block.to_string()])
            .env("JACK_NO_AUDIO_RESERVATION", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("jackd is installed by `cargo xtask test`");
        std::thread::sleep(Duration::from_millis(500));
        let mut player = Command::new(env!("CARGO_BIN_EXE_jack-player"))
            .args(file)
            .env("JACK_DEFAULT_SERVER", name)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("built with the tests");
        // The client must have reached this server and no other.
        let is_running = matches!(server.try_wait(), Ok(None));
        match is_running.then(|| first_answer(&mut player)).flatten() {
            Some((port, answers)) => Some(Self { server, player, answers, name: name.into(), port }),
            None => {
                end(&mut server, &mut player);
                None
            }
        }
    }

    /// Name of the server, for JACK_DEFAULT_SERVER.
    pub fn server(&self) -> &str {
        &self.name
    }

    /// Name of the client's output port.
    pub fn port(&self) -> &str {
        &self.port
    }

    pub fn are_connected(&mut self, from: &str, to: &str) -> bool {
        self.tell(&format!("ask {from} {to}")) == "true"
    }

    pub fn disconnect(&mut self, from: &str, to: &str) {
        assert_eq!(self.tell(&format!("cut {from} {to}")), "true", "{from} from {to}");
    }

    fn tell(&mut self, line: &str) -> String {
        let player = self.player.stdin.as_mut().expect("piped");
        writeln!(player, "{line}").expect("the player listens");
        self.answers.next().and_then(Result::ok).unwrap_or_default()
    }
}

/// The client's port name, which it writes once it plays, and the rest of its output.
fn first_answer(player: &mut Child) -> Option<(String, Lines<BufReader<ChildStdout>>)> {
    let mut answers = BufReader::new(player.stdout.take()?).lines();
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send((answers.next(), answers)));
    let (first, answers) = receiver.recv_timeout(Duration::from_secs(5)).ok()?;
    Some((first?.ok()?, answers))
}
