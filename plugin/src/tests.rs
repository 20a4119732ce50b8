//! The plugin's life cycle in a host.

use super::*;
use crate::library::InstrumentRef;
use crate::session::Session;
use crate::test_library::shipped;
use nice_plug::context::process::SendEventError;
use nice_plug::params::persist::PersistentField;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// A host that counts requests for a restart and does not restart.
struct Host {
    transport: Transport,
    n_restarts: AtomicU32,
    latency: AtomicU32,
}

impl ActivateContext<Embouchure> for Host {
    fn plugin_api(&self) -> PluginApi {
        PluginApi::Clap
    }
    fn execute(&self, _task: ()) {}
    fn set_latency_samples(&self, samples: u32) {
        self.latency.store(samples, Relaxed);
    }
    fn set_current_voice_capacity(&self, _capacity: u32) {}
}

impl ProcessContext<Embouchure> for Host {
    fn plugin_api(&self) -> PluginApi {
        PluginApi::Clap
    }
    fn execute_background(&self, _task: ()) {}
    fn execute_gui(&self, _task: ()) {}
    fn transport(&self) -> &Transport {
        &self.transport
    }
    fn next_event(&mut self) -> Option<PluginNoteEvent<Embouchure>> {
        None
    }
    fn try_send_event(
        &mut self,
        _event: PluginNoteEvent<Embouchure>,
    ) -> Result<(), (PluginNoteEvent<Embouchure>, SendEventError)> {
        Ok(())
    }
    fn set_latency_samples(&self, _samples: u32) {}
    fn request_restart(&self) {
        self.n_restarts.fetch_add(1, Relaxed);
    }
    fn set_current_voice_capacity(&self, _capacity: u32) {}
}

struct Bench {
    plugin: Embouchure,
    host: Host,
}

impl Bench {
    fn new(process_mode: ProcessMode) -> Self {
        let host =
            Host { transport: Transport::new(48_000.0), n_restarts: AtomicU32::new(0), latency: AtomicU32::new(0) };
        let mut bench = Self { plugin: Embouchure::new(shipped(), Arc::new(Background::spawn())), host };
        bench.start(process_mode, 64);
        bench
    }

    fn start(&mut self, process_mode: ProcessMode, max_buffer_size: u32) {
        let config = BufferConfig { sample_rate: 48_000.0, min_buffer_size: None, max_buffer_size, process_mode };
        assert!(self.plugin.activate(&Embouchure::AUDIO_IO_LAYOUTS[0], &config, &mut self.host));
        self.plugin.reset();
    }

    /// Restarts the plugin if it has asked for that; true if it has.
    fn restart_if_asked(&mut self, max_buffer_size: u32) -> bool {
        let is_asked = self.host.n_restarts.swap(0, Relaxed) > 0;
        if is_asked {
            self.plugin.deactivate();
            self.start(ProcessMode::Realtime, max_buffer_size);
        }
        is_asked
    }

    fn latency(&self) -> u32 {
        self.host.latency.load(Relaxed)
    }

    fn load_session_with_missing_file(&self) {
        let instrument = InstrumentRef::file("", Path::new("/nowhere"), "");
        self.plugin.params.session.set(Session { instruments: [Some(instrument), None], ..Session::default() });
    }

    fn is_missing_file_reported(&self) -> bool {
        self.plugin.instruments.playing(Slot::A).message.is_some_and(|m| m.contains("/nowhere"))
    }

    fn process(&mut self) {
        self.process_block(&mut [0.0; 64], &mut [0.0; 64]);
    }

    fn process_block(&mut self, left: &mut [f32], right: &mut [f32]) {
        let mut buffer = Buffer::default();
        // SAFETY: both channels have as many samples.
        unsafe {
            buffer.set_slices(left.len(), |slices| *slices = vec![left, right]);
        }
        let mut aux = AuxiliaryBuffers { inputs: &mut [], outputs: &mut [] };
        let status = self.plugin.process(&mut buffer, &mut aux, &mut self.host);
        assert!(matches!(status, ProcessStatus::Tail(n) if n > 24_000), "{status:?}");
    }
}

#[test]
fn a_session_loaded_while_active_is_applied_in_the_background() {
    let mut bench = Bench::new(ProcessMode::Realtime);
    bench.process();
    bench.load_session_with_missing_file();
    assert!(!bench.is_missing_file_reported());
    bench.process();
    let start = Instant::now();
    while !bench.is_missing_file_reported() {
        assert!(start.elapsed() < Duration::from_secs(30), "the session is not applied");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn offline_a_session_is_applied_at_once() {
    let mut bench = Bench::new(ProcessMode::Offline);
    bench.load_session_with_missing_file();
    bench.process();
    assert!(bench.is_missing_file_reported());
}

#[test]
fn the_latency_follows_the_blocks() {
    let mut bench = Bench::new(ProcessMode::Realtime);
    bench.start(ProcessMode::Realtime, 4096);
    assert!(bench.latency() > 4096);
    let (mut left, mut right) = (vec![0.0; 4096], vec![0.0; 4096]);
    for _ in 0..3 * 48_000 / 64 {
        bench.process_block(&mut left[..64], &mut right[..64]);
    }
    assert!(!bench.restart_if_asked(4096), "not while it plays");
    bench.plugin.reset();
    bench.process_block(&mut left[..64], &mut right[..64]);
    assert!(bench.restart_if_asked(4096));
    assert!(bench.latency() <= 480, "{}", bench.latency());
    assert!(!bench.restart_if_asked(4096));

    bench.process_block(&mut left[..1000], &mut right[..1000]);
    bench.process_block(&mut left[..1000], &mut right[..1000]);
    assert_eq!(bench.host.n_restarts.load(Relaxed), 1, "asked once");
    assert!(bench.restart_if_asked(4096));
    assert!((1024..1424).contains(&bench.latency()), "{}", bench.latency());
    bench.plugin.deactivate();
    bench.start(ProcessMode::Offline, 8192);
    assert!((1024..1424).contains(&bench.latency()), "a bounce has the latency of the performance");
}

#[test]
fn a_chosen_buffer_sets_the_latency_and_stays() {
    let mut bench = Bench::new(ProcessMode::Realtime);
    let chosen = Session { buffer: BufferChoice::Samples(128), ..Session::default() };
    bench.plugin.params.session.set(chosen);
    bench.plugin.deactivate();
    bench.start(ProcessMode::Realtime, 4096);
    assert!((128..528).contains(&bench.latency()), "{}", bench.latency());
    let (mut left, mut right) = (vec![0.0; 4096], vec![0.0; 4096]);
    for _ in 0..50 {
        bench.process_block(&mut left, &mut right);
    }
    bench.plugin.reset();
    bench.process();
    assert!(!bench.restart_if_asked(4096), "the player knows best");
}

#[test]
fn the_direct_engine_has_one_latency_and_never_starts_again_for_blocks() {
    let mut bench = Bench::new(ProcessMode::Realtime);
    bench.plugin.params.session.set(Session { engine: EngineChoice::Direct, ..Session::default() });
    for announced in [64, 512, 8192] {
        bench.plugin.deactivate();
        bench.start(ProcessMode::Realtime, announced);
        assert!(bench.latency() <= 230, "{} with blocks of {announced}", bench.latency());
    }
    let (mut left, mut right) = (vec![0.0; 8192], vec![0.0; 8192]);
    for _ in 0..30 {
        bench.process_block(&mut left, &mut right);
    }
    bench.plugin.reset();
    bench.process();
    assert!(!bench.restart_if_asked(8192));
    bench.plugin.params.session.set(Session::default());
    bench.plugin.tasks.run_now(Task::UpdateInstruments(1));
    bench.process();
    assert!(bench.restart_if_asked(8192), "a session with the other engine");
}

#[test]
fn a_session_with_another_buffer_asks_for_a_restart() {
    let mut bench = Bench::new(ProcessMode::Realtime);
    bench.start(ProcessMode::Realtime, 4096);
    bench.plugin.params.session.set(Session { buffer: BufferChoice::Samples(32), ..Session::default() });
    bench.process();
    bench.plugin.tasks.run_now(Task::UpdateInstruments(1));
    bench.process();
    assert!(bench.restart_if_asked(4096));
    assert!(bench.latency() <= 432, "{}", bench.latency());
    bench.plugin.tasks.run_now(Task::UpdateInstruments(1));
    bench.process();
    assert!(!bench.restart_if_asked(4096));
}

#[test]
fn an_engine_that_cannot_be_made_leaves_the_input_audible() {
    let mut channels = [[0.5_f32, -0.5], [0.0, 0.0]];
    let [left, right] = &mut channels;
    copy_mono_input(&mut [left, right], 1);
    assert_eq!(channels, [[0.5, -0.5]; 2]);
}

#[test]
fn a_preset_that_cannot_be_renamed_keeps_its_name_in_the_session() {
    let bench = Bench::new(ProcessMode::Realtime);
    let session = &bench.plugin.params.session;
    // The editor puts the new name into the session at once.
    session.edit(|session| session.preset = "new name of none".into());
    bench.plugin.tasks.run_now(Task::RenamePreset("no such preset".into(), "new name of none".into()));
    assert_eq!(session.get().preset, "no such preset");
    session.edit(|session| session.preset = "another".into());
    bench.plugin.tasks.run_now(Task::RenamePreset("no such preset".into(), "new name of none".into()));
    assert_eq!(session.get().preset, "another", "chosen meanwhile");
}
