//! Cost of an open editor for the audio callback, measured with the built plugin in a host and its window on a virtual
//! screen.

use crate::engine::clock::{become_realtime, process_cpu};
use crate::engine::realtime::{RATE, melody};
use crate::statistics::{median, quantile};
use crate::table::{self, Row, number};
use anyhow::{Result, ensure};
use embouchure_host::{
    Change, ClapHost, Hooks, Host, HostError, HostWindow, Parameter, Played, ScreenError, Session, VirtualScreen,
};
use std::ops::{ControlFlow, Range};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Arguments of `bench editor`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Where results go
    #[arg(long, value_name = "DIR", default_value = "target/bench")]
    out: PathBuf,
    /// Seconds with the editor closed, with it open, and so on
    #[arg(long, default_value_t = 30.0)]
    seconds: f64,
    /// The built plugin
    #[arg(long, value_name = "FILE", default_value = "target/bundled/Embouchure.clap")]
    plugin: PathBuf,
}

const BLOCK: usize = 64;
/// Not counted: caches, the scheduler and a window that has just been opened settle first.
const WARM_UP_S: f64 = 2.0;
/// Parameters that the host automates.
const AUTOMATED: [&str; 6] = ["Brightness", "Breath", "Dynamics", "Attack", "Fine", "Output"];
/// Changes per second of each automated parameter, and cycles per second of its up and down.
const MOVES_HZ: f64 = 60.0;
const SWING_HZ: f64 = 0.5;
/// Interval at which an impatient player opens and closes the window.
const TOGGLE_INTERVAL: Duration = Duration::from_millis(500);

/// State of the editor during a measurement.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Editor {
    Closed,
    Open,
    Toggled,
}

/// In the order of measurement. The last repeats the first, to show how much of the difference is the machine's noise.
const PHASES: [(Editor, &str); 4] = [
    (Editor::Closed, "closed"),
    (Editor::Open, "open"),
    (Editor::Toggled, "opened and closed"),
    (Editor::Closed, "closed again"),
];

/// Measures, prints the results and writes `editor.json`. Prints what is missing if there is no screen or no plugin.
pub fn run(arguments: &Arguments) -> Result<()> {
    if !arguments.plugin.exists() {
        eprintln!("bench editor: left out, no {}: `cargo xtask bundle` makes it", arguments.plugin.display());
        return Ok(());
    }
    let screen = match VirtualScreen::start() {
        Ok(screen) => screen,
        Err(error @ ScreenError::NoServer(_)) => {
            eprintln!("bench editor: left out: {error}");
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    // SAFETY: no other thread of this program runs yet that could read the environment.
    unsafe { std::env::set_var("DISPLAY", screen.display()) };
    let machine = crate::machine::name();
    let mut measured = PluginAndWindow::new(arguments, &screen)?;
    let rows = PHASES.map(|(editor, name)| measured.row(editor, name, &machine));
    let rows = rows.into_iter().collect::<Result<Vec<_>>>()?;
    table::print(&format!("Editor and audio callback, blocks of {BLOCK} at 48 kHz, on {machine}"), &rows);
    table::write_json(&arguments.out.join("editor.json"), &rows)
}

/// A plugin, and the window for its editor.
struct PluginAndWindow {
    // Declared first: the plugin must be dropped before the window.
    host: ClapHost,
    window: HostWindow,
    input: Vec<Vec<f32>>,
    knobs: Vec<Parameter>,
}

impl PluginAndWindow {
    fn new(arguments: &Arguments, screen: &VirtualScreen) -> Result<Self> {
        let mut host = ClapHost::load(&arguments.plugin)?;
        let n_samples = ((WARM_UP_S + arguments.seconds) * RATE) as usize;
        let clip: Vec<f32> = melody().into_iter().cycle().take(n_samples).collect();
        let knobs: Vec<_> = host.parameters().into_iter().filter(|p| AUTOMATED.contains(&p.name.as_str())).collect();
        ensure!(knobs.len() == AUTOMATED.len(), "the plugin's knobs have other names than {AUTOMATED:?}");
        let input = vec![clip; host.layout().n_inputs];
        Ok(Self { host, window: HostWindow::open(screen.display())?, input, knobs })
    }

    fn row(&mut self, editor: Editor, name: &str, machine: &str) -> Result<Row> {
        eprintln!("measuring: {name}");
        let mut sound_card = SoundCard::new(self.knobs.clone());
        let played = self.play(editor, &mut sound_card)?;
        let n_warm_up = (WARM_UP_S * RATE) as usize / BLOCK;
        let callback_us: Vec<f64> = played.callback_seconds[n_warm_up..].iter().map(|s| 1e6 * s).collect();
        let n_late = callback_us.iter().filter(|us| **us > 1e6 * BLOCK as f64 / RATE).count();
        let mut row = Row::new();
        row.insert("machine".into(), machine.into());
        row.insert("editor".into(), name.into());
        row.insert("callbacks".into(), callback_us.len().into());
        row.insert("median, µs".into(), number(median(&callback_us), 1));
        row.insert("p99, µs".into(), number(quantile(&callback_us, 0.99), 1));
        row.insert("p99.9, µs".into(), number(quantile(&callback_us, 0.999), 1));
        row.insert("longest, µs".into(), number(quantile(&callback_us, 1.0), 0));
        row.insert("past the deadline".into(), n_late.into());
        row.insert("processor time, cores".into(), number(sound_card.cores(), 2));
        row.insert("high priority".into(), sound_card.is_realtime.into());
        Ok(row)
    }

    fn play(&mut self, editor: Editor, sound_card: &mut SoundCard) -> Result<Played, HostError> {
        let mut window = EditorWindow { is_open: false, window: &self.window };
        if editor == Editor::Open {
            window.toggle(&mut self.host)?;
        }
        let mut toggled = Instant::now();
        let session = Session { rate: RATE, block: BLOCK, max_block: BLOCK };
        let played = self.host.play_while(&self.input, session, sound_card, &mut |host| {
            if editor != Editor::Toggled || toggled.elapsed() < TOGGLE_INTERVAL {
                return Ok(());
            }
            toggled = Instant::now();
            window.toggle(host)
        });
        if window.is_open {
            window.toggle(&mut self.host)?;
        }
        played
    }
}

struct EditorWindow<'a> {
    is_open: bool,
    window: &'a HostWindow,
}

impl EditorWindow<'_> {
    fn toggle(&mut self, host: &mut ClapHost) -> Result<(), HostError> {
        self.is_open = !self.is_open;
        if self.is_open { host.open_editor(self.window) } else { host.close_editor() }
    }
}

/// Asks for each block when it is due, and automates parameters.
struct SoundCard {
    knobs: Vec<Parameter>,
    is_realtime: bool,
    started: Option<Instant>,
    /// Number of changes of all parameters together.
    n_moves: usize,
    /// Time and processor time when counting began, and when the last block ended.
    counted: [Option<(Instant, Duration)>; 2],
}

impl SoundCard {
    fn new(knobs: Vec<Parameter>) -> Self {
        Self { knobs, is_realtime: false, started: None, n_moves: 0, counted: [None; 2] }
    }

    /// Mean number of cores that the process used while counting.
    fn cores(&self) -> f64 {
        let [Some((start, cpu_at_start)), Some((end, cpu_at_end))] = self.counted else { return f64::NAN };
        (cpu_at_end - cpu_at_start).as_secs_f64() / (end - start).as_secs_f64()
    }
}

impl Hooks for SoundCard {
    fn automate(&mut self, now: Range<usize>) -> Vec<Change> {
        let seconds = now.start as f64 / RATE;
        if (self.n_moves as f64) > seconds * MOVES_HZ * self.knobs.len() as f64 {
            return vec![];
        }
        let knob = &self.knobs[self.n_moves % self.knobs.len()];
        self.n_moves += 1;
        let share = 0.5 + 0.5 * (std::f64::consts::TAU * SWING_HZ * seconds).sin();
        vec![Change { at: 0, id: knob.id, value: knob.min + share * (knob.max - knob.min) }]
    }

    fn before(&mut self) {
        if self.started.is_none() {
            self.is_realtime = become_realtime();
            self.started = Some(Instant::now());
        }
    }

    fn after(&mut self, n_done: usize) -> ControlFlow<()> {
        let now = Instant::now();
        if n_done as f64 >= WARM_UP_S * RATE {
            self.counted[1] = Some((now, process_cpu()));
            self.counted[0] = self.counted[0].or(self.counted[1]);
        }
        let due = Duration::from_secs_f64(n_done as f64 / RATE);
        std::thread::sleep(due.saturating_sub(now - self.started.unwrap_or(now)));
        ControlFlow::Continue(())
    }
}
