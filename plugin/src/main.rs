//! Embouchure as an app: a microphone in, another instrument out.

mod app {
    pub mod cpal_io;
    pub mod dummy_io;
    pub mod explain;
    pub mod feed;
    pub mod host;
    pub mod io;
    pub mod jack_io;
    pub mod manager;
    pub mod names;
    pub mod options;
    pub mod player;
    pub mod priority;
    pub mod store;
}

use app::host::{AppHost, EditorHost};
use app::manager::{self, Manager};
use app::options::Options;
use app::player::Player;
use app::store::{Memory, Store};
use clap::Parser;
use embouchure_plugin::Embouchure;
use embouchure_plugin::audio::{AudioSettings, Backend, DeviceName, SharedAudio};
use nice_plug::context::gui::{AsyncExecutor, GuiContext};
use nice_plug::editor::{Editor, EditorHandle};
use nice_plug::prelude::Plugin;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

/// Time between two writes of what the app remembers.
const REMEMBER: Duration = Duration::from_secs(3);

fn main() -> ExitCode {
    let options = Options::parse();
    if options.devices {
        print!("{}", device_list(options.backend.as_deref().and_then(Backend::named)));
        return ExitCode::SUCCESS;
    }
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("Embouchure could not open its window ({e}): is there a screen? --help shows the options.");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), Box<dyn std::error::Error>> {
    let mut store = Store::of_this_user();
    let (memory, notice) = store.read();
    let first = options.applied_to(memory.audio.clone());
    let audio = SharedAudio::new(first.clone());
    audio.set_notice(notice);
    let mut plugin = Embouchure::as_app(audio.clone());
    let host = AppHost::new(&plugin);
    if let Some(state) = memory.state {
        host.restore(state);
    }
    if let Some(scale) = options.scale {
        plugin.scale_window(scale);
    }
    let nowhere = AsyncExecutor::new(Arc::new(|()| ()), Arc::new(|()| ()));
    let editor = plugin.editor(nowhere).ok_or("the plugin has no editor")?;
    let latency = plugin.latency();
    let player = Player::new(plugin, host.clone(), audio.clone());

    let is_over = Arc::new(AtomicBool::new(false));
    let sound = {
        let (is_over, manager) = (is_over.clone(), Manager::new(audio.clone(), host.clone(), player, latency));
        std::thread::Builder::new().name("sound".into()).spawn(move || manager.run(&is_over))?
    };
    let remembering = {
        let (is_over, host, audio) = (is_over.clone(), host.clone(), audio.clone());
        let keep = Keep { first, remembered: memory.audio };
        std::thread::Builder::new().name("memory".into()).spawn(move || {
            let mut remember = || store.write(&Memory { audio: keep.settings(&audio), state: Some(host.state()) });
            while !is_over.load(Relaxed) {
                std::thread::park_timeout(REMEMBER);
                remember();
            }
        })?
    };
    let end = {
        let (is_over, memory) = (is_over.clone(), remembering.thread().clone());
        move || {
            is_over.store(true, Relaxed);
            memory.unpark();
        }
    };
    let (ended, is_done) = (end.clone(), Arc::new(AtomicBool::new(false)));
    let done = is_done.clone();
    // At Ctrl-C or SIGTERM: waits up to 2 s until the changes are written.
    let _ = ctrlc::set_handler(move || {
        ended();
        (0..200).take_while(|_| !done.load(Relaxed)).for_each(|_| std::thread::sleep(Duration::from_millis(10)));
        std::process::exit(0);
    });

    let context = GuiContext::new(Arc::new(EditorHost(host)));
    let opened = editor.spawn(None, false, None, context, None);
    let result = opened.and_then(|spawned| {
        <<embouchure_plugin::editor::EmbouchureEditor as Editor>::Handle as EditorHandle>::run_until_closed(
            spawned.window,
        )
        .map_err(Into::into)
    });
    end();
    let _ = remembering.join();
    is_done.store(true, Relaxed);
    audio.wake();
    let _ = sound.join();
    result
}

/// Decides which audio settings are written. Command-line options hold for one run; only choices in the window are
/// kept.
struct Keep {
    /// The settings at the start, with the options applied.
    first: AudioSettings,
    /// The settings as they were read, without the options.
    remembered: AudioSettings,
}

impl Keep {
    fn settings(&self, audio: &SharedAudio) -> AudioSettings {
        let wanted = audio.wanted();
        if wanted == self.first { self.remembered.clone() } else { wanted }
    }
}

/// Inputs and outputs of each audio system, a line each.
fn device_list(only: Option<Backend>) -> String {
    let mut text = String::new();
    for backend in Backend::of_this_system() {
        let is_asked = only.is_none_or(|only| only == *backend);
        if !is_asked || matches!(backend, Backend::Auto | Backend::Dummy) {
            continue;
        }
        text += &match manager::devices(*backend) {
            Ok(devices) => {
                let lines = |title: &str, names: &[DeviceName]| match names {
                    [] => format!("  {title}: none\n"),
                    names => format!("  {title}:\n{}", names.iter().map(line).collect::<String>()),
                };
                let (inputs, outputs) = (lines("Inputs", &devices.inputs), lines("Outputs", &devices.outputs));
                format!("{} (--backend {})\n{inputs}{outputs}", backend.label(), backend.name())
            }
            Err(fault) => format!("{} (--backend {})\n  {}\n", backend.label(), backend.name(), fault.message),
        };
    }
    text
}

fn line(device: &DeviceName) -> String {
    if device.id == device.name {
        format!("    {}\n", device.id)
    } else {
        format!("    {}  ({})\n", device.id, device.name)
    }
}
