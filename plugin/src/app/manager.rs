//! The sound thread: opens the devices that the player chose, watches them, and opens them again when the sound stops.

use super::host::AppHost;
use super::io::{AudioSession, Fault, FaultKind};
use super::player::Player;
use super::{cpal_io, dummy_io, explain, jack_io};
use embouchure_plugin::audio::{
    AudioSettings, AudioView, Backend, Counts, DeviceChoice, Devices, Latency, SharedAudio,
};
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Time between two checks.
const CHECK_INTERVAL: Duration = Duration::from_millis(100);
/// Time without a block after which a device counts as stopped.
const STALLED: Duration = Duration::from_secs(3);
/// Time until the first retry; it doubles with each failure.
const FIRST_RETRY: Duration = Duration::from_millis(500);
/// Longest time until a retry.
const LONGEST_RETRY: Duration = Duration::from_secs(4);
/// Time between two searches for devices, and for a missing input.
const SEARCH_INTERVAL: Duration = Duration::from_secs(2);

/// State of the sound thread.
pub struct Manager {
    audio: Arc<SharedAudio>,
    host: Arc<AppHost>,
    /// Reads the plugin's latency, samples; 0 while it is inactive.
    engine_latency: Box<dyn Fn() -> u32 + Send>,
    /// The player; `None` while a session has it.
    player: Option<Box<Player>>,
    running: Option<Running>,
    /// The settings in use.
    settings: AudioSettings,
    /// Why nothing plays.
    problem: Option<String>,
    /// Time of the next try to open.
    retry_at: Instant,
    /// Time until the retry after the next failure.
    retry_delay: Duration,
    /// Faults of earlier sessions with these settings.
    counts: Counts,
    /// Time of the last search for devices.
    last_search: Option<Instant>,
    /// Lines that are true now and were written to the terminal.
    printed: Vec<String>,
}

struct Running {
    session: AudioSession,
    input_problem: Option<String>,
    /// Blocks played, and the time at which they last increased.
    n_blocks: u64,
    last_played: Instant,
    /// Blocks recorded, and the time at which they last increased.
    n_recorded: u64,
    last_recorded: Instant,
    /// Time of the last search for a missing input.
    last_input_search: Instant,
}

impl Manager {
    /// A manager that has opened nothing yet.
    pub fn new(
        audio: Arc<SharedAudio>,
        host: Arc<AppHost>,
        player: Box<Player>,
        engine_latency: Box<dyn Fn() -> u32 + Send>,
    ) -> Self {
        let settings = audio.wanted();
        Self {
            audio,
            host,
            engine_latency,
            player: Some(player),
            running: None,
            settings,
            problem: None,
            retry_at: Instant::now(),
            retry_delay: FIRST_RETRY,
            counts: Counts::default(),
            last_search: None,
            printed: Vec::new(),
        }
    }

    /// Runs the sound until `is_over`, and ends it.
    pub fn run(mut self, is_over: &AtomicBool) {
        self.audio.register_thread();
        while !is_over.load(Relaxed) {
            self.check();
            std::thread::park_timeout(CHECK_INTERVAL);
        }
        self.close();
        if let Some(player) = &mut self.player {
            player.deactivate();
        }
    }

    fn check(&mut self) {
        let wanted = self.audio.wanted();
        if wanted != self.settings {
            self.close();
            self.settings = wanted;
            (self.counts, self.problem) = (Counts::default(), None);
            (self.retry_at, self.retry_delay) = (Instant::now(), FIRST_RETRY);
        }
        if self.running.is_none() && Instant::now() >= self.retry_at {
            self.open();
        }
        self.watch();
        if self.host.take_restart_wanted() {
            self.activate_again();
        }
        self.search();
        self.publish();
    }

    fn open(&mut self) {
        let started = open(&self.settings).and_then(|mut session| {
            let Some(mut player) = self.player.take() else { return Ok(session) };
            player.activate(session.rate, session.block);
            session.slot.fill(player);
            match session.streams.start() {
                Ok(()) => Ok(session),
                Err(fault) => {
                    self.player = Some(session.slot.empty());
                    session.end();
                    Err(fault)
                }
            }
        });
        match started {
            Ok(session) => {
                let now = Instant::now();
                let input_problem = session.input_problem.clone();
                self.running = Some(Running {
                    session,
                    input_problem,
                    n_blocks: 0,
                    last_played: now,
                    n_recorded: 0,
                    last_recorded: now,
                    last_input_search: now,
                });
                self.problem = None;
            }
            Err(fault) => self.fail(fault.message),
        }
    }

    /// Notes why opening failed, and sets the time of the next try.
    fn fail(&mut self, message: String) {
        self.problem = Some(message);
        self.retry_at = Instant::now() + self.retry_delay;
        self.retry_delay = (2 * self.retry_delay).min(LONGEST_RETRY);
    }

    fn close(&mut self) {
        if let Some(running) = self.running.take() {
            let mut player = running.session.slot.empty();
            player.deactivate();
            self.player = Some(player);
            self.counts = total_counts(self.counts, &running.session);
            running.session.end();
        }
    }

    /// Restarts the plugin in the running session, because it requested another latency, for instance after a longer
    /// block.
    fn activate_again(&mut self) {
        if let Some(running) = &self.running {
            let session = &running.session;
            let block = session.block.max(session.status.longest.load(Relaxed));
            let mut player = session.slot.empty();
            player.activate(session.rate, block);
            session.slot.fill(player);
        }
    }

    fn watch(&mut self) {
        let Some(running) = &mut self.running else { return };
        let status = &running.session.status;
        let n_blocks = status.n_blocks.load(Relaxed);
        if n_blocks != running.n_blocks {
            (running.n_blocks, running.last_played) = (n_blocks, Instant::now());
            // It plays, so the next fault is a new one and is retried soon.
            self.retry_delay = FIRST_RETRY;
        }
        let n_recorded = status.n_recorded.load(Relaxed);
        if n_recorded != running.n_recorded || running.session.feed.is_none() {
            (running.n_recorded, running.last_recorded) = (n_recorded, Instant::now());
        }
        let has_stalled = running.last_played.elapsed() > STALLED || running.last_recorded.elapsed() > STALLED;
        if status.is_broken.load(Relaxed) || has_stalled {
            let reported = status.last_error.try_lock().and_then(|mut last| last.take());
            self.close();
            self.counts.restarts += 1;
            return self.fail(explain::lost(reported));
        }
        let problem = running.input_problem.take();
        running.input_problem = running.session.streams.maintain(problem);
        if running.input_problem.is_some() && running.last_input_search.elapsed() > SEARCH_INTERVAL {
            running.last_input_search = Instant::now();
            if running.session.streams.could_have_input() {
                self.close();
                self.retry_at = Instant::now();
            }
        }
    }

    /// Lists the devices while the audio page is open.
    fn search(&mut self) {
        if !self.audio.is_page_open() || self.last_search.is_some_and(|at| at.elapsed() < SEARCH_INTERVAL) {
            return;
        }
        self.last_search = Some(Instant::now());
        let in_use = self.running.as_ref().map(|running| running.session.backend);
        let backend = if self.settings.backend == Backend::Auto { in_use } else { Some(self.settings.backend) };
        let found = backend.map_or_else(Devices::default, |backend| devices(backend).unwrap_or_default());
        self.audio.show(|view| view.devices = found);
    }

    fn publish(&mut self) {
        let running = self.running.as_ref();
        let session = running.map(|running| &running.session);
        let input_problem = running.and_then(|running| running.input_problem.clone());
        let new = AudioView {
            playing: session.map(|session| session.playing.clone()).unwrap_or_default(),
            is_playing: running.is_some_and(|running| running.n_blocks > 0),
            notes: session.map(notes).unwrap_or_default(),
            problems: self.problem.iter().cloned().chain(input_problem).collect(),
            n_channels: session.map_or(0, |session| session.n_channels),
            latency: session.map(|session| self.latency(session)),
            counts: session.map_or(self.counts, |session| total_counts(self.counts, session)),
            devices: Devices::default(),
        };
        self.print_new_lines(&new);
        self.audio.show(|view| {
            let devices = std::mem::take(&mut view.devices);
            *view = AudioView { devices, ..new };
        });
    }

    /// Writes to the terminal the lines of the window that are new.
    fn print_new_lines(&mut self, view: &AudioView) {
        let playing = view.is_playing.then(|| format!("Playing: {}", view.playing));
        let notes = view.notes.iter().filter(|_| view.is_playing);
        let lines: Vec<String> = playing.iter().chain(notes).chain(&view.problems).cloned().collect();
        for line in lines.iter().filter(|line| !self.printed.contains(line)) {
            // The terminal may be closed, which is no fault.
            let _ = writeln!(std::io::stderr(), "Embouchure: {line}");
        }
        self.printed = lines;
    }

    fn latency(&self, session: &AudioSession) -> Latency {
        let ms = |us: u32| us as f32 / 1000.0;
        Latency {
            input_ms: ms(session.status.input_us.load(Relaxed)),
            feed_ms: session.feed.as_ref().map_or(0.0, |feed| ms(feed.level_us.load(Relaxed))),
            engine_ms: 1000.0 * (self.engine_latency)() as f32 / session.rate as f32,
            output_ms: ms(session.status.output_us.load(Relaxed)),
        }
    }
}

fn notes(session: &AudioSession) -> Vec<String> {
    let refused = session.status.priority.is_refused().then(|| explain::NO_PRIORITY.to_owned());
    session.notes.iter().cloned().chain(refused).collect()
}

fn total_counts(before: Counts, session: &AudioSession) -> Counts {
    Counts {
        gaps: before.gaps + session.status.n_gaps.load(Relaxed),
        slips: before.slips + session.feed.as_ref().map_or(0, |feed| feed.slips.load(Relaxed)),
        errors: before.errors + session.status.n_errors.load(Relaxed),
        restarts: before.restarts,
    }
}

/// Opens the chosen audio system, or the first of this operating system that works.
fn open(settings: &AudioSettings) -> Result<AudioSession, Fault> {
    if settings.backend != Backend::Auto {
        return open_by(settings.backend, settings);
    }
    let mut fault: Option<Fault> = None;
    for backend in Backend::of_this_system() {
        if matches!(backend, Backend::Auto | Backend::Dummy) {
            continue;
        }
        match open_by(*backend, settings) {
            Ok(session) => return Ok(session),
            // The fault of a server or a device tells more than the absence of one.
            Err(new) if fault.as_ref().is_none_or(|old| old.kind == FaultKind::NoBackend) => fault = Some(new),
            Err(_) => {}
        }
    }
    // If no audio system has an output, the message names none of them.
    let is_nothing = |fault: &Fault| fault.kind == FaultKind::NoDevice && settings.output == DeviceChoice::System;
    Err(fault.filter(|fault| !is_nothing(fault)).unwrap_or_else(explain::no_sound))
}

fn open_by(backend: Backend, settings: &AudioSettings) -> Result<AudioSession, Fault> {
    match backend {
        Backend::Dummy => Ok(dummy_io::open(settings)),
        Backend::Jack => jack_io::open(settings),
        backend => cpal_io::open(backend, settings),
    }
}

/// Devices of an audio system.
pub fn devices(backend: Backend) -> Result<Devices, Fault> {
    match backend {
        Backend::Dummy | Backend::Auto => Ok(Devices { backend, ..Devices::default() }),
        Backend::Jack => jack_io::devices(),
        backend => cpal_io::devices(backend, backend == Backend::Alsa),
    }
}
