//! The interface that the tests use, the same for both plugin formats.

#[cfg(target_os = "linux")]
use crate::HostWindow;
use crate::block::{Block, Channels, Flaw, Outcome, measured};
use crate::stream_limits::StreamLimits;
use crate::{Action, Hooks, HostError, Layout, NoHooks, Parameter, Played, Session};
use std::ffi::CStr;
use std::ops::{ControlFlow, Range};
use std::path::Path;
use std::time::{Duration, Instant};

/// Scale factors for the editor: all but the last are invalid.
#[cfg(target_os = "linux")]
pub(crate) const SCALES: [f64; 8] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 0.0, 1e-40, 1e30, 1.0];

/// A loaded plugin. The host makes exactly the calls it is asked for, in any order and from any thread.
pub trait Host: Sized {
    /// Name of the plugin's format.
    const FORMAT: &'static str;
    /// The calls of the audio thread, as a value that can be moved to it.
    type Audio: Audio;

    /// Loads the first plugin of a file (or folder) of the format.
    fn load(path: &Path) -> Result<Self, HostError>;
    /// The selected channel layout.
    fn layout(&self) -> Layout;
    /// Selects a layout. The plugin must offer it, and must not be active.
    fn select_layout(&mut self, layout: Layout) -> Result<(), HostError>;
    /// Chooses the mode of the next activation: offline (a bounce, which may take its time) or realtime.
    fn set_offline(&mut self, offline: bool) -> Result<(), HostError>;
    /// All parameters, in the plugin's order.
    fn parameters(&mut self) -> Vec<Parameter>;
    /// The plugin's description of the parameter at `index`; the index may be invalid.
    fn parameter_at(&mut self, index: u32) -> Option<Parameter>;
    /// Calls every function that takes an index, a parameter identifier, a value or a text, with these values. The
    /// answers are dropped.
    fn query(&mut self, number: u32, value: f64, text: &CStr);
    /// Present value of a parameter, from its `min` to its `max`.
    fn value(&mut self, id: u32) -> f64;
    /// Sets a value, from `min` to `max`, from the main thread. In CLAP the plugin must not be active.
    fn set_value(&mut self, id: u32, value: f64) -> Result<(), HostError>;
    /// The state that a host stores in its project.
    fn save(&mut self) -> Result<Vec<u8>, HostError>;
    /// Restores a state from [`save`](Self::save).
    fn restore(&mut self, state: &[u8]) -> Result<(), HostError>;
    /// Like [`save`](Self::save), through a stream with limits. Returns the bytes that were written.
    fn save_through(&mut self, limits: StreamLimits) -> Result<Vec<u8>, HostError>;
    /// Like [`restore`](Self::restore), through a stream with limits.
    fn restore_through(&mut self, state: &[u8], limits: StreamLimits) -> Result<(), HostError>;
    /// Wraps the plugin's JSON state as [`save`](Self::save) returns it.
    fn state_of_json(json: &[u8]) -> Vec<u8>;
    /// The plugin's JSON state in what [`save`](Self::save) returned.
    fn json_of_state(state: &[u8]) -> &[u8];

    /// Makes the plugin ready to process.
    fn activate(&mut self, session: Session) -> Result<(), HostError>;
    /// Deactivates the plugin. Does nothing if it is not active.
    fn deactivate(&mut self);
    /// Drops the plugin while it is active, without deactivating it.
    fn drop_active(self);
    /// The latency that the plugin reports now, samples.
    fn latency(&mut self) -> usize;
    /// The calls of the audio thread. They panic after the host was dropped.
    fn audio(&mut self) -> Self::Audio;
    /// One iteration of the main thread's event loop.
    fn turn(&mut self);
    /// Number of restarts that the plugin requested since the last call.
    fn take_restarts(&mut self) -> usize;

    /// Opens the editor in `window`. The plugin finds the screen through the variable `DISPLAY`.
    #[cfg(target_os = "linux")]
    fn open_editor(&mut self, window: &HostWindow) -> Result<(), HostError>;
    /// Makes the editor's calls too early, twice, too late and in the wrong order. No editor is open afterwards.
    #[cfg(target_os = "linux")]
    fn misuse_editor(&mut self, window: &HostWindow);
    /// Closes the editor that [`open_editor`](Self::open_editor) opened.
    #[cfg(target_os = "linux")]
    fn close_editor(&mut self) -> Result<(), HostError>;

    /// The parameter called `name`.
    fn parameter_called(&mut self, name: &str) -> Result<Parameter, HostError> {
        let parameters = self.parameters();
        let names = || parameters.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(", ");
        let found = parameters.iter().find(|p| p.name == name).cloned();
        found.ok_or_else(|| HostError::Missing(format!("parameter {name:?}; it has {}", names())))
    }

    /// Present value of the parameter called `name`.
    fn parameter(&mut self, name: &str) -> Result<f64, HostError> {
        let id = self.parameter_called(name)?.id;
        Ok(self.value(id))
    }

    /// Sets the parameter called `name`, like [`set_value`](Self::set_value).
    fn set_parameter(&mut self, name: &str, value: f64) -> Result<(), HostError> {
        let id = self.parameter_called(name)?.id;
        self.set_value(id, value)
    }

    /// Activates the plugin, plays `input` (one vector per input channel, all of one length) followed by silence as
    /// long as the latency, and deactivates the plugin.
    fn play(&mut self, input: &[Vec<f32>], session: Session) -> Result<Played, HostError> {
        self.play_with(input, session, &mut NoHooks)
    }

    /// Like [`play`](Self::play), with callbacks around each block. If they end the playback early, the rest of the
    /// output is silent.
    fn play_with(&mut self, input: &[Vec<f32>], session: Session, hooks: &mut dyn Hooks) -> Result<Played, HostError> {
        self.play_while(input, session, hooks, &mut |_| Ok(()))
    }

    /// Like [`play_with`](Self::play_with). Meanwhile the main thread runs its event loop and `task` about every
    /// millisecond. After its first error `task` is not called again. The playback goes on, and the error is returned
    /// at the end.
    fn play_while(
        &mut self,
        input: &[Vec<f32>],
        session: Session,
        hooks: &mut dyn Hooks,
        task: &mut dyn FnMut(&mut Self) -> Result<(), HostError>,
    ) -> Result<Played, HostError> {
        assert_eq!(input.len(), self.layout().n_inputs, "one vector per input channel");
        assert!((1..=session.max_block).contains(&session.block), "block outside 1..=max_block");
        self.activate(session)?;
        // The latency is known only after the activation: it depends on rate and block.
        let latency_samples = self.latency();
        let mut playback = Playback::new(input, latency_samples, self.layout(), session);
        let mut audio = self.audio();
        let mut task_result = Ok(());
        let outcome = std::thread::scope(|scope| {
            let audio_thread = scope.spawn(|| playback.play(&mut audio, hooks));
            while !audio_thread.is_finished() {
                self.turn();
                if task_result.is_ok() {
                    task_result = task(self);
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            audio_thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        self.deactivate();
        outcome?;
        task_result?;
        Ok(Played { channels: playback.output, latency_samples, callback_seconds: playback.callback_seconds })
    }

    /// Activates and deactivates the plugin without audio in between. Returns its latency while active, samples.
    fn activate_and_deactivate(&mut self, session: Session) -> Result<usize, HostError> {
        self.activate(session)?;
        let latency_samples = self.latency();
        self.deactivate();
        Ok(latency_samples)
    }
}

/// The calls of a plugin's audio thread, in any order. The plugin may refuse them.
pub trait Audio: Send {
    /// Starts processing. CLAP: `start_processing`; VST3: `setProcessing(true)`.
    fn start(&mut self) -> bool;
    /// Stops processing.
    fn stop(&mut self);
    /// Resets the plugin's state. CLAP: `reset`; VST3: `setProcessing(false)` and `(true)`.
    fn reset(&mut self);
    /// Prepares the arguments of `process`, correct or with a flaw, and passes the prepared call to `around`. The call
    /// returns whether the plugin reported success.
    fn call<T>(
        &mut self,
        block: &mut Block,
        flaw: Option<Flaw>,
        around: impl FnOnce(&mut dyn FnMut() -> bool) -> T,
    ) -> T;

    /// Calls `process`, with a flaw or without.
    fn process_flawed(&mut self, block: &mut Block, flaw: Option<Flaw>) -> Outcome {
        self.call(block, flaw, measured)
    }

    /// Calls `process`.
    fn process(&mut self, block: &mut Block) -> Outcome {
        self.process_flawed(block, None)
    }
}

/// A clip that is being played through the plugin.
struct Playback {
    session: Session,
    input: Vec<Vec<f32>>,
    output: Vec<Vec<f32>>,
    callback_seconds: Vec<f64>,
    /// Buffers of one block per channel. Their addresses do not change, as in most hosts.
    block_input: Vec<Vec<f32>>,
    block_output: Vec<Vec<f32>>,
}

impl Playback {
    fn new(input: &[Vec<f32>], n_silence: usize, layout: Layout, session: Session) -> Self {
        let n_samples = input.first().map_or(0, Vec::len) + n_silence;
        let mut input = input.to_vec();
        input.iter_mut().for_each(|channel| channel.resize(n_samples, 0.0));
        Self {
            block_input: vec![vec![0.0; session.max_block]; input.len()],
            block_output: vec![vec![0.0; session.max_block]; layout.n_outputs],
            output: vec![vec![0.0; n_samples]; layout.n_outputs],
            input,
            session,
            callback_seconds: Vec::new(),
        }
    }

    fn play(&mut self, audio: &mut impl Audio, hooks: &mut dyn Hooks) -> Result<(), HostError> {
        if !audio.start() {
            return Err(failed("it does not start"));
        }
        let played = self.play_blocks(audio, hooks);
        audio.stop();
        played
    }

    fn play_blocks(&mut self, audio: &mut impl Audio, hooks: &mut dyn Hooks) -> Result<(), HostError> {
        let n_samples = self.input.first().map_or(0, Vec::len);
        let mut n_done = 0;
        while n_done < n_samples {
            match hooks.action(n_done) {
                Action::Play => {}
                Action::Reset => audio.reset(),
                Action::Suspend => {
                    audio.stop();
                    if !audio.start() {
                        return Err(failed("it does not start again"));
                    }
                }
            }
            let n = hooks.block(self.session.block).clamp(1, self.session.max_block).min(n_samples - n_done);
            let flow = self.play_block(audio, hooks, n_done..n_done + n)?;
            n_done += n;
            if flow.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn play_block(
        &mut self,
        audio: &mut impl Audio,
        hooks: &mut dyn Hooks,
        now: Range<usize>,
    ) -> Result<ControlFlow<()>, HostError> {
        // The clip is copied, because a plugin may write into its input buffer.
        for (block, channel) in self.block_input.iter_mut().zip(&self.input) {
            block[..now.len()].copy_from_slice(&channel[now.clone()]);
        }
        let changes = hooks.automate(now.clone());
        let mut block = Block {
            n_samples: now.len(),
            input: Channels::part(&mut self.block_input, 0..now.len()),
            output: Channels::part(&mut self.block_output, 0..now.len()),
            changes: &changes,
        };
        let (is_ok, seconds, flow) = audio.call(&mut block, None, |process| {
            hooks.before();
            let began = Instant::now();
            let is_ok = process();
            let seconds = began.elapsed().as_secs_f64();
            (is_ok, seconds, hooks.after(now.end))
        });
        if !is_ok {
            return Err(failed("it does not process"));
        }
        self.callback_seconds.push(seconds);
        for (channel, block) in self.output.iter_mut().zip(&self.block_output) {
            channel[now.clone()].copy_from_slice(&block[..now.len()]);
        }
        Ok(flow)
    }
}

fn failed(reason: &str) -> HostError {
    HostError::Refused { what: "failed on the audio thread", reason: reason.into() }
}
