//! What a test asks of a host, whatever the plugin's format.

#[cfg(target_os = "linux")]
use crate::HostWindow;
use crate::block::{Block, Channels, Flaw, Outcome, watched};
use crate::flow::Flow;
use crate::{Act, AsFastAsItGoes, Conductor, HostError, Layout, Parameter, Played, Session};
use std::ffi::CStr;
use std::ops::{ControlFlow, Range};
use std::path::Path;
use std::time::{Duration, Instant};

/// Factors that a host may send for an editor's size, the last of them right.
#[cfg(target_os = "linux")]
pub(crate) const SCALES: [f64; 8] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 0.0, 1e-40, 1e30, 1.0];

/// One plugin, loaded. The calls are made as they are asked for: in whatever order, and from whatever thread.
pub trait Host: Sized {
    /// Name of the plugin's format.
    const FORMAT: &'static str;
    /// The calls of the audio thread.
    type Audio: Audio;

    /// Loads the first plugin of a file (or folder) of the format.
    fn load(path: &Path) -> Result<Self, HostError>;
    /// Channels that the plugin was told to expect.
    fn layout(&self) -> Layout;
    /// Chooses the channels; the plugin must offer them, and must not be active.
    fn select_layout(&mut self, layout: Layout) -> Result<(), HostError>;
    /// Says at the next activation that the plugin may take its time (a bounce), or must not (a live input).
    fn set_offline(&mut self, offline: bool) -> Result<(), HostError>;
    /// All parameters, in the plugin's order.
    fn parameters(&mut self) -> Vec<Parameter>;
    /// What the plugin says of the parameter at `index`, which may be any number.
    fn parameter_at(&mut self, index: u32) -> Option<Parameter>;
    /// Asks for everything that has an index, a number of a parameter, a value or a text; the answers are dropped.
    fn ask(&mut self, number: u32, value: f64, text: &CStr);
    /// Present value of a parameter, from its `min` to its `max`.
    fn value(&mut self, id: u32) -> f64;
    /// Sets such a value without the audio thread. In CLAP the plugin must not be active.
    fn set_value(&mut self, id: u32, value: f64) -> Result<(), HostError>;
    /// What a host stores in its project.
    fn save(&mut self) -> Result<Vec<u8>, HostError>;
    /// Restores what [`save`](Self::save) gave.
    fn restore(&mut self, state: &[u8]) -> Result<(), HostError>;
    /// Saves to a stream that does less than it is asked for. Gives what was written.
    fn save_through(&mut self, flow: Flow) -> Result<Vec<u8>, HostError>;
    /// Restores from such a stream.
    fn restore_through(&mut self, state: &[u8], flow: Flow) -> Result<(), HostError>;
    /// What [`save`](Self::save) would give for the plugin's state, which is JSON.
    fn state_of_json(json: &[u8]) -> Vec<u8>;
    /// The plugin's state, which is JSON, out of what [`save`](Self::save) gave.
    fn json_of_state(state: &[u8]) -> &[u8];

    /// Makes the plugin ready to process.
    fn activate(&mut self, session: Session) -> Result<(), HostError>;
    /// The opposite. Nothing happens if the plugin is not active.
    fn deactivate(&mut self);
    /// Lets go of the plugin without deactivating it.
    fn drop_active(self);
    /// As the plugin reports it now.
    fn latency(&mut self) -> usize;
    /// The calls of the audio thread. They panic once the host is gone.
    fn audio(&mut self) -> Self::Audio;
    /// One turn of the event loop of the host's main thread.
    fn turn(&mut self);
    /// Times that the plugin asked to be started again, since the last call.
    fn take_restarts(&mut self) -> usize;

    /// Opens the editor in `window`. The plugin finds the screen by the variable `DISPLAY`.
    #[cfg(target_os = "linux")]
    fn open_editor(&mut self, window: &HostWindow) -> Result<(), HostError>;
    /// Makes the editor's calls too early, twice, too late and in the wrong order; afterwards none is open.
    #[cfg(target_os = "linux")]
    fn misuse_editor(&mut self, window: &HostWindow);
    /// Closes what [`open_editor`](Self::open_editor) opened.
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

    /// Sets the parameter called `name`, as [`set_value`](Self::set_value) does.
    fn set_parameter(&mut self, name: &str, value: f64) -> Result<(), HostError> {
        let id = self.parameter_called(name)?.id;
        self.set_value(id, value)
    }

    /// Activates the plugin, plays `input` (one vector of equal length per input channel) and as much silence after it as
    /// the reported latency, and deactivates the plugin.
    fn play(&mut self, input: &[Vec<f32>], session: Session) -> Result<Played, HostError> {
        self.play_with(input, session, &mut AsFastAsItGoes)
    }

    /// The same under a conductor. What was not played is silence in the output.
    fn play_with(
        &mut self,
        input: &[Vec<f32>],
        session: Session,
        conductor: &mut dyn Conductor,
    ) -> Result<Played, HostError> {
        self.play_while(input, session, conductor, &mut |_| Ok(()))
    }

    /// The same, and every millisecond the main thread does what else it has to do. Its first error ends that, not the
    /// playing, and is returned.
    fn play_while(
        &mut self,
        input: &[Vec<f32>],
        session: Session,
        conductor: &mut dyn Conductor,
        errand: &mut dyn FnMut(&mut Self) -> Result<(), HostError>,
    ) -> Result<Played, HostError> {
        assert_eq!(input.len(), self.layout().n_inputs, "one vector per input channel");
        assert!((1..=session.max_block).contains(&session.block), "block outside 1..=max_block");
        self.activate(session)?;
        // Known only now: the latency depends on rate and block.
        let latency_samples = self.latency();
        let mut desk = Desk::new(input, latency_samples, self.layout(), session);
        let mut audio = self.audio();
        let mut errands = Ok(());
        let outcome = std::thread::scope(|scope| {
            let audio_thread = scope.spawn(|| desk.play(&mut audio, conductor));
            while !audio_thread.is_finished() {
                self.turn();
                if errands.is_ok() {
                    errands = errand(self);
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            audio_thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        self.deactivate();
        outcome?;
        errands?;
        Ok(Played { channels: desk.output, latency_samples, callback_seconds: desk.callback_seconds })
    }

    /// Activates and deactivates the plugin without any audio; returns the latency in between.
    fn activate_in_vain(&mut self, session: Session) -> Result<usize, HostError> {
        self.activate(session)?;
        let latency_samples = self.latency();
        self.deactivate();
        Ok(latency_samples)
    }
}

/// The calls of a plugin's audio thread, in whatever order. The plugin may refuse some.
pub trait Audio: Send {
    /// CLAP: `start_processing`; VST3: `setProcessing(true)`.
    fn start(&mut self) -> bool;
    /// The opposite.
    fn stop(&mut self);
    /// The plugin is to forget what it heard. CLAP: `reset`; VST3: `setProcessing(false)` and `(true)`.
    fn reset(&mut self);
    /// Prepares a call of `process` with what no host should hand over, or with nothing wrong, and lets `around` make it.
    /// The call says whether the plugin did it.
    fn call<T>(
        &mut self,
        block: &mut Block,
        flaw: Option<Flaw>,
        around: impl FnOnce(&mut dyn FnMut() -> bool) -> T,
    ) -> T;

    /// One call of `process` with what no host should hand over, or with nothing wrong.
    fn process_flawed(&mut self, block: &mut Block, flaw: Option<Flaw>) -> Outcome {
        self.call(block, flaw, watched)
    }

    /// One call of `process`.
    fn process(&mut self, block: &mut Block) -> Outcome {
        self.process_flawed(block, None)
    }
}

/// A clip on its way through the plugin.
struct Desk {
    session: Session,
    input: Vec<Vec<f32>>,
    output: Vec<Vec<f32>>,
    callback_seconds: Vec<f64>,
    /// One block of each channel, always at the same place, as in most hosts.
    block_input: Vec<Vec<f32>>,
    block_output: Vec<Vec<f32>>,
}

impl Desk {
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

    fn play(&mut self, audio: &mut impl Audio, conductor: &mut dyn Conductor) -> Result<(), HostError> {
        if !audio.start() {
            return Err(failed("it does not start"));
        }
        let played = self.play_blocks(audio, conductor);
        audio.stop();
        played
    }

    fn play_blocks(&mut self, audio: &mut impl Audio, conductor: &mut dyn Conductor) -> Result<(), HostError> {
        let n_samples = self.input.first().map_or(0, Vec::len);
        let mut n_done = 0;
        while n_done < n_samples {
            match conductor.act(n_done) {
                Act::Play => {}
                Act::Reset => audio.reset(),
                Act::Suspend => {
                    audio.stop();
                    if !audio.start() {
                        return Err(failed("it does not start again"));
                    }
                }
            }
            let n = conductor.block(self.session.block).clamp(1, self.session.max_block).min(n_samples - n_done);
            let flow = self.play_block(audio, conductor, n_done..n_done + n)?;
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
        conductor: &mut dyn Conductor,
        now: Range<usize>,
    ) -> Result<ControlFlow<()>, HostError> {
        // Copies, because a plugin may write into its input buffer.
        for (block, channel) in self.block_input.iter_mut().zip(&self.input) {
            block[..now.len()].copy_from_slice(&channel[now.clone()]);
        }
        let changes = conductor.automate(now.clone());
        let mut block = Block {
            n_samples: now.len(),
            input: Channels::part(&mut self.block_input, 0..now.len()),
            output: Channels::part(&mut self.block_output, 0..now.len()),
            changes: &changes,
        };
        let (is_ok, seconds, flow) = audio.call(&mut block, None, |process| {
            conductor.before();
            let began = Instant::now();
            let is_ok = process();
            let seconds = began.elapsed().as_secs_f64();
            (is_ok, seconds, conductor.after(now.end))
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
