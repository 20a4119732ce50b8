//! Pitch, loudness, voicing and z to raw outputs, and those to valid controls.
//!
//! Engel et al. 2020, "DDSP" (arXiv:2001.04643): dense layers with layer normalisation around a GRU, one frame per hop.

use crate::config::N_Z;
use crate::controls::{Controls, N_RAW};
use crate::nn::weights::{LoadError, Weights};
use crate::nn::{Gru, LayerNorm, Linear, Memory, device, fused};
use crate::note::hz_to_midi;
use crate::play::body::Body;
use crate::play::follow::Follow;
use crate::play::instrument::Card;
use crate::play::texture::{Texture, TextureState};
use candle_core::{Result, Tensor};

/// Inputs per frame: f0, loudness, voicing, z.
pub const N_FEATURES: usize = 3 + N_Z;
/// z beyond this many standard deviations of the training data is cut.
const Z_LIMIT: f32 = 3.0;

/// What the decoder is told about one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Features<'a> {
    /// Pitch to play, Hz, > 0.
    pub f0_hz: f32,
    /// On the instrument's own scale, dB.
    pub loudness_db: f32,
    /// Probability that the frame is voiced.
    pub voicing: f32,
    /// `[N_Z]`, as the encoder gives it.
    pub z: &'a [f32],
}

impl Features<'_> {
    /// Network inputs; each is about -1 to 1.
    pub fn scaled(&self, card: &Card) -> [f32; N_FEATURES] {
        let mut x = [0.0; N_FEATURES];
        x[0] = hz_to_midi(self.f0_hz) / 63.5 - 1.0;
        x[1] = self.loudness_db / 40.0 + 1.0;
        x[2] = 2.0 * self.voicing - 1.0;
        for (i, x) in x[3..].iter_mut().enumerate() {
            *x = ((self.z[i] - card.z_mean[i]) / card.z_std[i]).clamp(-Z_LIMIT, Z_LIMIT);
        }
        x
    }
}

/// Immutable decoder weights.
pub struct Decoder {
    input: [(Linear, LayerNorm); 2],
    gru: Gru,
    output: (Linear, LayerNorm),
    head: Linear,
    body: Body,
    texture: Texture,
}

/// State of one stream.
pub struct DecoderState {
    memory: Memory,
    texture: TextureState,
}

impl Decoder {
    /// Takes the decoder's tensors from an instrument file; hidden layers have `width` units.
    pub fn load(weights: &mut Weights, width: usize) -> std::result::Result<Self, LoadError> {
        let mut dense = |name: &str, n_in: usize| -> std::result::Result<_, LoadError> {
            let linear = Linear::load(weights, name, n_in, width)?;
            Ok((linear, LayerNorm::load(weights, &format!("{name}.norm"), width)?))
        };
        let input = [dense("input.0", N_FEATURES)?, dense("input.1", width)?];
        let output = dense("output", 2 * width)?;
        let gru = Gru::load(weights, "gru", width, width)?;
        let head = Linear::load(weights, "head", width, N_RAW)?;
        Ok(Self { input, gru, output, head, body: Body::load(weights)?, texture: Texture::load(weights)? })
    }

    /// State of a stream that has heard nothing. Allocates.
    pub fn state(&self) -> Result<DecoderState> {
        Ok(DecoderState { memory: self.memory()?, texture: TextureState::default() })
    }

    /// One frame. Returns `[N_RAW]` raw outputs. Allocates (worker thread only).
    pub fn step(&self, state: &mut DecoderState, features: &[f32; N_FEATURES]) -> Result<Vec<f32>> {
        let x = Tensor::from_slice(features, (1, N_FEATURES), device())?;
        Ok(self.run(&mut state.memory, &x)?.to_vec2()?.swap_remove(0))
    }

    /// A whole clip, the same as `step` gives frame by frame. Allocates.
    pub fn forward(&self, features: &[[f32; N_FEATURES]]) -> Result<Vec<Vec<f32>>> {
        let x = Tensor::from_slice(features.as_flattened(), (features.len(), N_FEATURES), device())?;
        self.run(&mut self.memory()?, &x)?.to_vec2()
    }

    /// Valid controls of one hop from raw outputs (`[N_RAW]`), played at `f0_hz` (> 0).
    pub fn controls(&self, state: &mut DecoderState, raw: &[f32], f0_hz: f32, follow: &Follow) -> Controls {
        let controls = follow.lead(Controls::from_raw(raw, f0_hz, &self.body.gains(f0_hz)));
        self.texture.hop(&mut state.texture, controls, follow)
    }

    fn memory(&self) -> Result<Memory> {
        Memory::silent([self.gru.memory()])
    }

    /// `x`: `[time, N_FEATURES]`. Returns `[time, N_RAW]`.
    fn run(&self, memory: &mut Memory, x: &Tensor) -> Result<Tensor> {
        match memory {
            Memory::Rows(memory) => fused(x, N_RAW, |x| self.rows(&mut memory[0], x)),
            Memory::Tensors(memory) => self.plain(&mut memory[0], x),
        }
    }

    fn rows(&self, h: &mut [f32], features: &[f32]) -> Result<Vec<f32>> {
        let (_, width) = self.gru.memory();
        let (mut x, mut y) = (Vec::new(), Vec::new());
        dense(&self.input[0], features, &mut y)?;
        dense(&self.input[1], &y, &mut x)?;
        let h = self.gru.rows(h, &x)?;
        let mut both = Vec::with_capacity(2 * x.len());
        for (h, x) in h.chunks_exact(width).zip(x.chunks_exact(width)) {
            both.extend_from_slice(h);
            both.extend_from_slice(x);
        }
        dense(&self.output, &both, &mut y)?;
        self.head.rows(&y, &mut x)?;
        Ok(x)
    }

    fn plain(&self, h: &mut Tensor, features: &Tensor) -> Result<Tensor> {
        let x = plain_dense(&self.input[1], &plain_dense(&self.input[0], features)?)?;
        let h = self.gru.plain(h, &x)?;
        self.head.plain(&plain_dense(&self.output, &Tensor::cat(&[&h, &x], 1)?)?)
    }
}

fn dense((linear, norm): &(Linear, LayerNorm), x: &[f32], y: &mut Vec<f32>) -> Result<()> {
    linear.rows(x, y)?;
    norm.leaky(y);
    Ok(())
}

fn plain_dense((linear, norm): &(Linear, LayerNorm), x: &Tensor) -> Result<Tensor> {
    norm.plain_leaky(&linear.plain(x)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hear::encoder::Encoder;
    use crate::play::instrument::Instrument;
    use candle_core::{DType, Device};

    #[test]
    fn rows_equal_the_plain_operations() -> Result<()> {
        let encoder = Encoder::from_bytes(embouchure_weights::ENCODER).unwrap();
        let bytes = embouchure_weights::instrument(embouchure_weights::DEFAULT_INSTRUMENT).unwrap();
        let decoder = Instrument::from_bytes(bytes, &encoder).unwrap().decoder;
        let (mut h, mut plain_h) = (
            Memory::rows_of_silence([decoder.gru.memory()]).remove(0),
            Tensor::zeros(decoder.gru.memory(), DType::F32, &Device::Cpu)?,
        );
        let features: Vec<f32> = (0..12 * N_FEATURES).map(|i| (i as f32 * 0.7).sin()).collect();
        for frames in features.chunks(4 * N_FEATURES) {
            let rows = decoder.rows(&mut h, frames)?;
            let plain = decoder.plain(&mut plain_h, &Tensor::from_slice(frames, (4, N_FEATURES), &Device::Cpu)?)?;
            let plain = plain.flatten_all()?.to_vec1::<f32>()?;
            assert_eq!(rows.len(), plain.len());
            assert!(rows.iter().zip(&plain).all(|(a, b)| (a - b).abs() < 1e-3), "beyond what rounding explains");
        }
        Ok(())
    }
}
