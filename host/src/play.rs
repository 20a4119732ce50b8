//! Plays a clip through an active plugin on a thread of its own, as a host's audio thread does.

use super::{ClapHost, Handlers, HostError};
use clack_host::prelude::*;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// How a clip is played.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Session {
    /// Sample rate, Hz.
    pub rate: f64,
    /// Samples in each call of `process`, apart from the last; 1 to `max_block`.
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
        assert_eq!(input.len(), self.layout.n_inputs, "one vector per input channel");
        assert!((1..=session.max_block).contains(&session.block), "block outside 1..=max_block");
        let configuration = PluginAudioConfiguration {
            sample_rate: session.rate,
            min_frames_count: 1,
            max_frames_count: session.max_block as u32,
        };
        let stopped = self
            .instance
            .activate(|_, _| (), configuration)
            .map_err(|e| HostError::Refused { what: "refused to start", reason: e.to_string() })?;
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
        let n_outputs = self.layout.n_outputs;
        let (outcome, stopped) = std::thread::scope(|scope| {
            let audio_thread = scope.spawn(|| run_audio_thread(stopped, &input, n_outputs, session.block));
            while !audio_thread.is_finished() {
                self.serve_main_thread();
                std::thread::sleep(Duration::from_millis(1));
            }
            audio_thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        if let Some(stopped) = stopped {
            self.instance.deactivate(stopped);
        }
        let (channels, callback_seconds) = outcome?;
        Ok(Played { channels, latency_samples, callback_seconds })
    }

    /// Does what a host's event loop does for plugins.
    fn serve_main_thread(&mut self) {
        if self.instance.access_shared_handler(|shared| shared.callback_wanted.swap(false, Ordering::AcqRel)) {
            self.instance.call_on_main_thread_callback();
        }
    }
}

type Rendered = (Vec<Vec<f32>>, Vec<f64>);

/// Gives the processor back (if it could be started) together with the outcome, so that the plugin can be deactivated.
fn run_audio_thread(
    stopped: StoppedPluginAudioProcessor<Handlers>,
    input: &[Vec<f32>],
    n_outputs: usize,
    block: usize,
) -> (Result<Rendered, HostError>, Option<StoppedPluginAudioProcessor<Handlers>>) {
    match stopped.start_processing() {
        Ok(mut processor) => {
            let outcome = process_blocks(&mut processor, input, n_outputs, block);
            (outcome, Some(processor.stop_processing()))
        }
        Err(e) => {
            let error = HostError::Refused { what: "refused to process", reason: e.to_string() };
            (Err(error), Some(e.into_stopped_processor()))
        }
    }
}

fn process_blocks(
    processor: &mut StartedPluginAudioProcessor<Handlers>,
    input: &[Vec<f32>],
    n_outputs: usize,
    block: usize,
) -> Result<Rendered, HostError> {
    let n_samples = input.first().map_or(0, Vec::len);
    let mut output = vec![vec![0.0_f32; n_samples]; n_outputs];
    let mut callback_seconds = Vec::with_capacity(n_samples.div_ceil(block));
    let mut input_ports = AudioPorts::with_capacity(input.len(), 1);
    let mut output_ports = AudioPorts::with_capacity(n_outputs, 1);
    let no_events = EventBuffer::new();
    let mut answers = EventBuffer::new();

    let mut start = 0;
    while start < n_samples {
        let end = n_samples.min(start + block);
        // Copies, because a plugin may write into its input buffer.
        let mut block_input: Vec<Vec<f32>> = input.iter().map(|channel| channel[start..end].to_vec()).collect();
        let audio_in = input_ports.with_input_buffers([AudioPortBuffer {
            latency: 0,
            channels: AudioPortBufferType::f32_input_only(
                block_input.iter_mut().map(|channel| InputChannel::variable(channel.as_mut_slice())),
            ),
        }]);
        let mut audio_out = output_ports.with_output_buffers([AudioPortBuffer {
            latency: 0,
            channels: AudioPortBufferType::f32_output_only(output.iter_mut().map(|channel| &mut channel[start..end])),
        }]);
        answers.clear();
        let began = Instant::now();
        processor
            .process(
                &audio_in,
                &mut audio_out,
                &InputEvents::from_buffer(&no_events),
                &mut OutputEvents::from_buffer(&mut answers),
                Some(start as u64),
                None,
            )
            .map_err(|e| HostError::Refused { what: "failed to process", reason: e.to_string() })?;
        callback_seconds.push(began.elapsed().as_secs_f64());
        start = end;
    }
    Ok((output, callback_seconds))
}
