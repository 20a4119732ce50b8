//! The product's engine with the built-in networks, set to keep the input's pitch.

use anyhow::{Context, Result};
use embouchure_inference::engine::{DriverKind, Engine, EngineConfig, HopModel, Io, Model};
use embouchure_inference::hear::encoder::Encoder;
use embouchure_inference::play::instrument::Instrument;
use embouchure_inference::settings::Settings;
use std::path::Path;
use std::sync::Arc;

/// Weights, which all instances share as in the plugin.
#[derive(Clone)]
pub struct Networks {
    encoder: Arc<Encoder>,
    instrument: Arc<Instrument>,
}

impl Networks {
    /// The networks that the plugin starts with.
    pub fn built_in() -> Result<Self> {
        let encoder = encoder(None)?;
        let bytes = embouchure_weights::instrument(embouchure_weights::DEFAULT_INSTRUMENT).context("no instrument")?;
        let instrument = Instrument::from_bytes(bytes, &encoder)?;
        Ok(Self { encoder, instrument: Arc::new(instrument) })
    }

    /// The product's model, for the worker.
    pub fn model(&self) -> Model {
        self.model_for(DriverKind::Worker)
    }

    pub fn model_for(&self, driver: DriverKind) -> Model {
        Model::for_driver(driver, &self.encoder, [Some(self.instrument.clone()), None]).0
    }
}

/// Loads the encoder of `file`, or the built-in one.
pub fn encoder(file: Option<&Path>) -> Result<Arc<Encoder>> {
    let bytes = file.map(std::fs::read).transpose()?;
    Ok(Arc::new(Encoder::from_bytes(bytes.as_deref().unwrap_or(embouchure_weights::ENCODER))?))
}

/// An engine and its settings: constant mix, no transposition, no octave fit, no reverb.
pub struct Effect {
    pub engine: Engine,
    max_block: usize,
    settings: Settings,
}

/// Settings that keep the input's pitch and add no reverb.
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

    /// Processes one block in place. `channels`: as many as the input has. Realtime-safe unless offline.
    pub fn process(&mut self, channels: &mut [&mut [f32]]) {
        let n_inputs = channels.len();
        self.engine.process(Io { channels, n_inputs, is_piece: false }, &self.settings, &[]);
    }

    /// Plays the whole clip, followed by silence as long as the latency, in blocks of the largest size.
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
