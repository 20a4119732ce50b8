//! The engine, driven by the plugin's parameters.

use crate::instruments::Silent;
use crate::params::EmbouchureParams;
use embouchure_inference::engine::{Engine, EngineConfig, HopModel, Io, PrepareError};
use embouchure_inference::settings::Settings;

/// Tail reported to the host, s, without the latency: release of the instrument and of the room.
const RELEASE_S: f64 = 5.0;

/// A prepared engine.
pub struct Effect {
    engine: Engine,
    /// Input channels of the host's layout.
    n_inputs: usize,
    tail_samples: u32,
    is_playable: bool,
}

impl Effect {
    /// Allocates everything and starts the worker. Without `networks` only the dry signal is played.
    pub fn prepare(
        config: EngineConfig,
        n_inputs: usize,
        networks: Option<Box<dyn HopModel>>,
    ) -> Result<Self, PrepareError> {
        let is_playable = networks.is_some();
        let engine = Engine::prepare(config, networks.unwrap_or_else(|| Box::new(Silent)))?;
        let tail_samples = engine.latency_samples() as u32 + (RELEASE_S * config.host_rate) as u32;
        Ok(Self { engine, n_inputs, tail_samples, is_playable })
    }

    /// The engine, for its latency and telemetry.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Time from the end of the input to a silent output, samples at the host's rate.
    pub fn tail_samples(&self) -> u32 {
        self.tail_samples
    }

    /// See [`Engine::expect_load`].
    pub fn expect_load(&mut self) -> u32 {
        self.engine.expect_load()
    }

    /// Clears the engine's state; parameters jump to their values at the next block. Realtime-safe.
    pub fn reset(&mut self) {
        self.engine.reset();
    }

    /// Processes one or two channels of any length in place. `is_piece`: the samples continue the previous call's
    /// block. Realtime-safe, unless the engine is offline.
    pub fn process(&mut self, channels: &mut [&mut [f32]], params: &EmbouchureParams, is_piece: bool) {
        let settings = self.settings(params);
        self.engine.process(Io { channels, n_inputs: self.n_inputs, is_piece }, &settings, &[]);
    }

    /// The parameters as settings; only the dry signal if there is no instrument.
    fn settings(&self, params: &EmbouchureParams) -> Settings {
        let mut settings = params.settings();
        if !self.is_playable {
            settings.mix.wet = 0.0;
        }
        settings
    }
}
