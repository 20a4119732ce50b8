//! The product's engine with the built-in networks, set so that the pitch that goes in is the pitch that comes out.

use anyhow::{Context, Result};
use embouchure_inference::controls::SourceControls;
use embouchure_inference::engine::{BlockParams, Engine, EngineConfig, HopModel};
use embouchure_inference::hear::encoder::Encoder;
use embouchure_inference::play::instrument::Instrument;
use embouchure_inference::play::pipeline::Pipeline;
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

    pub fn pipeline(&self) -> Pipeline {
        Pipeline::new(self.encoder.clone(), self.instrument.clone()).0
    }
}

/// The encoder of `file`, or the built-in one.
pub fn encoder(file: Option<&Path>) -> Result<Arc<Encoder>> {
    let bytes = file.map(std::fs::read).transpose()?;
    Ok(Arc::new(Encoder::from_bytes(bytes.as_deref().unwrap_or(embouchure_weights::ENCODER))?))
}

/// An engine and its parameters: constant mix, no transposition, no octave fit.
pub struct Effect {
    pub engine: Engine,
    max_block: usize,
    mix: Vec<f32>,
    zeros: Vec<f32>,
    ones: Vec<f32>,
}

impl Effect {
    /// `mix`: 0 = dry, 1 = wet.
    pub fn new(config: EngineConfig, model: impl HopModel + 'static, mix: f32) -> Result<Self> {
        let n = config.max_block;
        let engine = Engine::prepare(config, Box::new(model))?;
        Ok(Self { engine, max_block: n, mix: vec![mix; n], zeros: vec![0.0; n], ones: vec![1.0; n] })
    }

    /// One block in place, at most `max_block` long, as many inputs as channels. Realtime-safe unless offline.
    pub fn process(&mut self, channels: &mut [&mut [f32]]) {
        let n = channels.iter().map(|c| c.len()).min().unwrap_or(0);
        let params = BlockParams {
            mix: &self.mix[..n],
            brightness_db: &self.zeros[..n],
            width: &self.zeros[..n],
            output_gain: &self.ones[..n],
            is_piece: false,
            source: SourceControls { octave_fit: false, ..SourceControls::default() },
        };
        self.engine.process(channels, channels.len(), &params);
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
