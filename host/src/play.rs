//! Plays a clip through an active plugin on a thread of its own, as a host's audio thread does.

use crate::handlers::Handlers;
use crate::{Act, AsFastAsItGoes, Automation, ClapHost, Conductor, HostError, Layout};
use clack_host::events::event_types::ParamValueEvent;
use clack_host::prelude::*;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// How a clip is played.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Session {
    /// Sample rate, Hz.
    pub rate: f64,
    /// Samples in each call of `process`, apart from the last and what a [`Conductor`] says; 1 to `max_block`.
    pub block: usize,
    /// Largest block that the plugin is told to expect.
    pub max_block: usize,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Played {
    /// One vector per output channel. `latency_samples` longer than the input: silence was fed after it.
    pub channels: Vec<Vec<f32>>,
    /// As the plugin reported it when active.
    pub latency_samples: usize,
    /// Seconds that each call of `process` took.
    pub callback_seconds: Vec<f64>,
}

impl Played {
    /// The output shifted to where the input was: as long as the input, without the latency.
    pub fn aligned(&self) -> Vec<Vec<f32>> {
        self.channels.iter().map(|channel| channel[self.latency_samples..].to_vec()).collect()
    }
}

impl ClapHost {
    /// Activates the plugin, plays `input` (one vector of equal length per input channel) and as much silence after
    /// it as the reported latency, and deactivates the plugin.
    pub fn play(&mut self, input: &[Vec<f32>], session: Session) -> Result<Played, HostError> {
        self.play_with(input, session, &mut AsFastAsItGoes)
    }

    /// The same under a conductor. What was not played is silence in the output.
    pub fn play_with(
        &mut self,
        input: &[Vec<f32>],
        session: Session,
        conductor: &mut dyn Conductor,
    ) -> Result<Played, HostError> {
        self.play_while(input, session, conductor, &mut |_| Ok(()))
    }

    /// The same, and every millisecond the main thread does what else it has to do. Its first error ends that, not the
    /// playing, and is returned.
    pub fn play_while(
        &mut self,
        input: &[Vec<f32>],
        session: Session,
        conductor: &mut dyn Conductor,
        errand: &mut dyn FnMut(&mut Self) -> Result<(), HostError>,
    ) -> Result<Played, HostError> {
        assert_eq!(input.len(), self.layout.n_inputs, "one vector per input channel");
        assert!((1..=session.max_block).contains(&session.block), "block outside 1..=max_block");
        let stopped = self.activate(session)?;
        // Known only now: the latency depends on rate and block.
        let latency_samples = self.latency();
        self.serve_main_thread();

        let n_samples = input.first().map_or(0, Vec::len) + latency_samples;
        let input: Vec<Vec<f32>> = input
            .iter()
            .map(|channel| {
                let mut padded = channel.clone();
                padded.resize(n_samples, 0.0);
                padded
            })
            .collect();
        let desk = Desk::new(input, self.layout, session);
        let mut errands = Ok(());
        let (outcome, stopped) = std::thread::scope(|scope| {
            let audio_thread = scope.spawn(|| run_audio_thread(stopped, desk, conductor));
            while !audio_thread.is_finished() {
                self.serve_main_thread();
                if errands.is_ok() {
                    errands = errand(self);
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            audio_thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        if let Some(stopped) = stopped {
            self.instance.deactivate(stopped);
        }
        let desk = outcome?;
        errands?;
        Ok(Played { channels: desk.output, latency_samples, callback_seconds: desk.callback_seconds })
    }

    /// Activates and deactivates the plugin without any audio; returns the latency in between.
    pub fn activate_in_vain(&mut self, session: Session) -> Result<usize, HostError> {
        let stopped = self.activate(session)?;
        let latency_samples = self.latency();
        self.serve_main_thread();
        self.instance.deactivate(stopped);
        Ok(latency_samples)
    }

    fn activate(&mut self, session: Session) -> Result<StoppedPluginAudioProcessor<Handlers>, HostError> {
        let configuration = PluginAudioConfiguration {
            sample_rate: session.rate,
            min_frames_count: 1,
            max_frames_count: session.max_block as u32,
        };
        self.instance
            .activate(|_, _| (), configuration)
            .map_err(|e| HostError::Refused { what: "refused to start", reason: e.to_string() })
    }

    /// Does what a host's event loop does for plugins.
    pub(crate) fn serve_main_thread(&mut self) {
        if self.instance.access_shared_handler(|shared| shared.callback_wanted.swap(false, Ordering::AcqRel)) {
            self.instance.call_on_main_thread_callback();
        }
    }
}

/// Gives the processor back (if it could be started) together with the outcome, so that the plugin can be deactivated.
fn run_audio_thread(
    stopped: StoppedPluginAudioProcessor<Handlers>,
    mut desk: Desk,
    conductor: &mut dyn Conductor,
) -> (Result<Desk, HostError>, Option<StoppedPluginAudioProcessor<Handlers>>) {
    let mut stopped = stopped;
    loop {
        let mut processor = match stopped.start_processing() {
            Ok(processor) => processor,
            Err(e) => {
                let error = HostError::Refused { what: "refused to process", reason: e.to_string() };
                return (Err(error), Some(e.into_stopped_processor()));
            }
        };
        let outcome = desk.process_blocks(&mut processor, conductor);
        stopped = processor.stop_processing();
        match outcome {
            Ok(Pause::Suspended) => {}
            Ok(Pause::End) => return (Ok(desk), Some(stopped)),
            Err(e) => return (Err(e), Some(stopped)),
        }
    }
}

/// Why blocks stop coming.
enum Pause {
    Suspended,
    End,
}

/// A clip on its way through the plugin.
struct Desk {
    session: Session,
    input: Vec<Vec<f32>>,
    output: Vec<Vec<f32>>,
    /// Samples that were played.
    n_done: usize,
    callback_seconds: Vec<f64>,
    /// One block of each channel, always at the same place, as in most hosts.
    block_input: Vec<Vec<f32>>,
    block_output: Vec<Vec<f32>>,
}

impl Desk {
    fn new(input: Vec<Vec<f32>>, layout: Layout, session: Session) -> Self {
        let n_samples = input.first().map_or(0, Vec::len);
        Self {
            block_input: vec![vec![0.0; session.max_block]; input.len()],
            block_output: vec![vec![0.0; session.max_block]; layout.n_outputs],
            output: vec![vec![0.0; n_samples]; layout.n_outputs],
            input,
            session,
            n_done: 0,
            callback_seconds: Vec::with_capacity(n_samples),
        }
    }

    fn process_blocks(
        &mut self,
        processor: &mut StartedPluginAudioProcessor<Handlers>,
        conductor: &mut dyn Conductor,
    ) -> Result<Pause, HostError> {
        let mut input_ports = AudioPorts::with_capacity(self.input.len(), 1);
        let mut output_ports = AudioPorts::with_capacity(self.output.len(), 1);
        let mut events = EventBuffer::with_capacity(1);
        let mut answers = EventBuffer::new();
        let n_samples = self.input.first().map_or(0, Vec::len);
        while self.n_done < n_samples {
            match conductor.act(self.n_done) {
                Act::Play => {}
                Act::Reset => processor.reset(),
                Act::Suspend => return Ok(Pause::Suspended),
            }
            let n = conductor.block(self.session.block).clamp(1, self.session.max_block).min(n_samples - self.n_done);
            let now = self.n_done..self.n_done + n;
            // Copies, because a plugin may write into its input buffer.
            for (block, channel) in self.block_input.iter_mut().zip(&self.input) {
                block[..n].copy_from_slice(&channel[now.clone()]);
            }
            let audio_in = input_ports.with_input_buffers([AudioPortBuffer {
                latency: 0,
                channels: AudioPortBufferType::f32_input_only(
                    self.block_input.iter_mut().map(|channel| InputChannel::variable(&mut channel[..n])),
                ),
            }]);
            let mut audio_out = output_ports.with_output_buffers([AudioPortBuffer {
                latency: 0,
                channels: AudioPortBufferType::f32_output_only(
                    self.block_output.iter_mut().map(|channel| &mut channel[..n]),
                ),
            }]);
            answers.clear();
            events.clear();
            for (offset, Automation { id, value }) in conductor.automate_within(self.n_done, n) {
                events.push(&ParamValueEvent::new(offset as u32, ClapId::new(id), Pckn::match_all(), value));
            }
            let in_events = InputEvents::from_buffer(&events);
            let mut out_events = OutputEvents::from_buffer(&mut answers);
            conductor.before();
            let began = Instant::now();
            let outcome = processor.process(
                &audio_in,
                &mut audio_out,
                &in_events,
                &mut out_events,
                Some(self.n_done as u64),
                None,
            );
            let seconds = began.elapsed().as_secs_f64();
            let flow = conductor.after(now.end);
            outcome.map_err(|e| HostError::Refused { what: "failed to process", reason: e.to_string() })?;
            self.callback_seconds.push(seconds);
            for (channel, block) in self.output.iter_mut().zip(&self.block_output) {
                channel[now.clone()].copy_from_slice(&block[..n]);
            }
            self.n_done = now.end;
            if flow.is_break() {
                break;
            }
        }
        Ok(Pause::End)
    }
}
