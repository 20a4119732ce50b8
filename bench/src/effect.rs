//! The product's engine with the built-in networks, set so that the pitch that goes in is the pitch that comes out.

use anyhow::{Context, Result};
use embouchure_inference::engine::{Engine, EngineConfig, HopModel, Io, Model};
use embouchure_inference::hear::encoder::Encoder;
use embouchure_inference::play::instrument::Instrument;
use embouchure_inference::settings::Settings;
use std::path::Path;
use std::sync::Arc;

/// Weights, shared by all instances as in the plugin.
#[derive(Clone)]
pub struct Networks {
    encoder: Arc<Encoder>,
    instrument: Arc<Instrument>,
}

impl Networks {
    /// Those that the plugin starts with.
    pub fn built_in() -> Result<Self> {
        let encoder = encoder(None)?;
        let bytes = embouchure_weights::instrument(embouchure_weights::DEFAULT_INSTRUMENT).context("no instrument")?;
        let instrument = Instrument::from_bytes(bytes, &encoder)?;
        Ok(Self { encoder, instrument: Arc::new(instrument) })
    }

    pub fn model(&self) -> Model {
        Model::new(&self.encoder, [Some(self.instrument.clone()), None]).0
    }
}

/// The encoder of `file`, or the built-in one.
pub fn encoder(file: Option<&Path>) -> Result<Arc<Encoder>> {
    let bytes = file.map(std::fs::read).transpose()?;
    Ok(Arc::new(Encoder::from_bytes(bytes.as_deref().unwrap_or(embouchure_weights::ENCODER))?))
}

/// An engine and its settings: constant mix, no transposition, no octave fit, no room.
pub struct Effect {
    pub engine: Engine,
    max_block: usize,
    settings: Settings,
}

/// As the pitch that comes in, in the open air.
pub fn plain() -> Settings {
    Settings::default().with(|s| (s.pitch.octave_fit, s.sound.room) = (false, 0.0))
}

impl Effect {
    /// `wet`: 0 = dry, 1 = wet.
    pub fn new(config: EngineConfig, model: impl HopModel + 'static, wet: f32) -> Result<Self> {
        let max_block = config.max_block;
        let engine = Engine::prepare(config, Box::new(model))?;
        Ok(Self { engine, max_block, settings: plain().with(|s| s.mix.wet = wet) })
    }

    /// One block in place, as many inputs as channels. Realtime-safe unless offline.
    pub fn process(&mut self, channels: &mut [&mut [f32]]) {
        let n_inputs = channels.len();
        self.engine.process(Io { channels, n_inputs, is_piece: false }, &self.settings, &[]);
    }

    /// The whole clip and as much silence after it as the latency, in largest blocks.
    pub fn play(&mut self, input: &[f32]) -> Vec<f32> {
        let mut samples = input.to_vec();
        samples.resize(input.len() + self.engine.latency_samples(), 0.0);
        for start in (0..samples.len()).step_by(self.max_block) {
            let end = samples.len().min(start + self.max_block);
            self.process(&mut [&mut samples[start..end]]);
        }
        samples
    }
}
