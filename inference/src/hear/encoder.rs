//! Reads raw audio: pitch posterior, voicing and the latent timbre vector z, one of each per hop.
//!
//! A causal, streamed relative of CREPE (Kim et al. 2018, arXiv:1802.06182): every layer remembers its past, so a hop
//! costs only its own outputs, and the label was at the frame's newest sample, so nothing is late by construction.

use crate::config::{FRAME_SIZE, HOP_SIZE, N_PITCH_BINS, N_Z};
use crate::hear::LevelNormalizer;
use crate::math::sigmoid;
use crate::nn::weights::{LoadError, Weights, content_id};
use crate::nn::{
    CausalConv, ConvSpec, Linear, Memory, device, fused, leaky_relu, leaky_rms_norm, plain_leaky_relu,
    plain_leaky_rms_norm,
};
use candle_core::{Result, Tensor};
use serde::{Deserialize, Serialize};

/// Format and version of an encoder file.
pub const FORMAT: &str = "embouchure-encoder/1";

const fn conv(n_in: usize, n_out: usize, kernel: usize, stride: usize, dilation: usize) -> ConvSpec {
    ConvSpec { n_in, n_out, kernel, stride, dilation }
}

/// The convolutions: strides multiply to the hop, the receptive field is one frame.
pub const CONVS: [ConvSpec; 6] = [
    conv(1, 32, 32, 8, 1),
    conv(32, 64, 5, 4, 1),
    conv(64, 128, 3, 2, 1),
    conv(128, 160, 3, 1, 1),
    conv(160, 160, 3, 1, 2),
    conv(160, 160, 3, 1, 4),
];

/// Units between the convolutions and the heads.
pub const N_TRUNK: usize = 192;
/// Hops of zeros after which the encoder has forgotten all else and says the same to each further one.
const SILENT_HOPS: usize = FRAME_SIZE / HOP_SIZE;
/// Outputs of the head: pitch posterior (logits), voicing (logit), z.
pub const N_HEAD: usize = N_PITCH_BINS + 1 + N_Z;

const _: () = {
    let (mut stride, mut field, mut i) = (1, 1, 0);
    while i < CONVS.len() {
        field += (CONVS[i].kernel - 1) * CONVS[i].dilation * stride;
        stride *= CONVS[i].stride;
        i += 1;
    }
    assert!(stride == HOP_SIZE && field == FRAME_SIZE);
};

/// What an encoder file says about itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// Shown by `inspect`.
    pub name: String,
    /// Licence of the weights.
    pub licence: String,
    /// Who trained them.
    pub author: String,
    /// What they were trained on, with attribution.
    pub trained_on: String,
    /// Training steps taken.
    pub steps: usize,
    /// Last held-out training loss.
    pub loss: f32,
    /// Day of the training, YYYY-MM-DD.
    pub date: String,
    /// Content ids of the encoders whose z this one gives, too: it was trained to hear better and to describe what it
    /// hears as they did, so instruments that were trained with them can be played with this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keeps_z_of: Vec<String>,
}

/// Immutable weights, shared between threads by `Arc`.
pub struct Encoder {
    /// What the file says about itself.
    pub card: Card,
    /// Content id of the file: instruments name the encoder that they listen to.
    pub id: String,
    convs: Vec<CausalConv>,
    trunk: Linear,
    head: Linear,
}

/// What the encoder hears in one hop.
#[derive(Clone, Debug)]
pub struct Encoding {
    /// Unnormalised log posterior over pitch bins, `[N_PITCH_BINS]`.
    pub pitch_logits: Vec<f32>,
    /// Probability that the hop is voiced.
    pub voicing: f32,
    /// Latent timbre vector, `[N_Z]`.
    pub z: Vec<f32>,
}

/// State of one stream.
pub struct EncoderState {
    level: LevelNormalizer,
    memory: Memory,
    /// Hops of zeros that came last, and what is heard when they are [`SILENT_HOPS`] or more.
    n_silent: usize,
    silence: Option<Encoding>,
}

impl Encoder {
    /// Reads an encoder file. Allocates.
    pub fn from_bytes(bytes: &[u8]) -> std::result::Result<Self, LoadError> {
        let (mut weights, card) = Weights::from_bytes(bytes, FORMAT)?;
        let load_conv = |(i, spec): (usize, &ConvSpec)| CausalConv::load(&mut weights, &format!("conv.{i}"), *spec);
        let convs = CONVS.iter().enumerate().map(load_conv).collect::<std::result::Result<_, _>>()?;
        let trunk = Linear::load(&mut weights, "trunk", CONVS[CONVS.len() - 1].n_out, N_TRUNK)?;
        let head = Linear::load(&mut weights, "head", N_TRUNK, N_HEAD)?;
        Ok(Self { card, id: content_id(bytes), convs, trunk, head })
    }

    /// True if an instrument that was trained with the encoder `id` understands this one's z.
    pub fn speaks_to(&self, id: &str) -> bool {
        self.id == id || self.card.keeps_z_of.iter().any(|kept| kept == id)
    }

    /// State of a stream that has heard nothing. Allocates.
    pub fn state(&self) -> Result<EncoderState> {
        Ok(EncoderState { level: LevelNormalizer::default(), memory: self.memory()?, n_silent: 0, silence: None })
    }

    /// Reads the next hop of a stream at the model rate. Where a host sends zeros, as between the clips of a track, the
    /// network need not run. Allocates (worker thread only).
    pub fn step(&self, state: &mut EncoderState, samples: &[f32; HOP_SIZE]) -> Result<Encoding> {
        let is_silent = samples.iter().all(|x| *x == 0.0);
        state.n_silent = if is_silent { state.n_silent + 1 } else { 0 };
        let mut samples = *samples;
        state.level.hop(&mut samples);
        if state.n_silent > SILENT_HOPS
            && let Some(silence) = &state.silence
        {
            return Ok(silence.clone());
        }
        let x = Tensor::from_slice(&samples, (HOP_SIZE, 1), device())?;
        let encoding = split(self.run(&mut state.memory, &x)?.to_vec2()?.swap_remove(0));
        state.silence = (state.n_silent >= SILENT_HOPS).then(|| encoding.clone());
        Ok(encoding)
    }

    /// Reads a whole clip: one encoding per whole hop, the same as `step` gives. Allocates.
    pub fn forward(&self, samples: &[f32]) -> Result<Vec<Encoding>> {
        let samples = LevelNormalizer::clip(samples);
        let n = samples.len();
        let x = Tensor::from_vec(samples, (n, 1), device())?;
        Ok(self.run(&mut self.memory()?, &x)?.to_vec2()?.into_iter().map(split).collect())
    }

    fn memory(&self) -> Result<Memory> {
        Memory::silent(self.convs.iter().map(CausalConv::memory))
    }

    /// `x`: `[samples, 1]`, whole hops. Returns `[hops, N_HEAD]`.
    fn run(&self, memory: &mut Memory, x: &Tensor) -> Result<Tensor> {
        match memory {
            Memory::Rows(pasts) => fused(x, N_HEAD, |x| self.rows(pasts, x)),
            Memory::Tensors(pasts) => self.plain(pasts, x),
        }
    }

    fn rows(&self, pasts: &mut [Vec<f32>], samples: &[f32]) -> Result<Vec<f32>> {
        // Two buffers by turns, which have room for all of a hop.
        let (mut x, mut y) = (Vec::with_capacity(N_HEAD), Vec::with_capacity(N_HEAD));
        x.extend_from_slice(samples);
        for (i, (conv, past)) in self.convs.iter().zip(pasts).enumerate() {
            conv.rows(past, &x, &mut y)?;
            leaky_rms_norm(&mut y, CONVS[i].n_out, is_residual(i).then_some(&x));
            std::mem::swap(&mut x, &mut y);
        }
        self.trunk.rows(&x, &mut y)?;
        leaky_relu(&mut y);
        self.head.rows(&y, &mut x)?;
        Ok(x)
    }

    fn plain(&self, pasts: &mut [Tensor], samples: &Tensor) -> Result<Tensor> {
        let mut x = samples.clone();
        for (i, (conv, past)) in self.convs.iter().zip(pasts).enumerate() {
            x = plain_leaky_rms_norm(&conv.plain(past, &x)?, is_residual(i).then_some(&x))?;
        }
        self.head.plain(&plain_leaky_relu(&self.trunk.plain(&x)?)?)
    }
}

/// True if convolution `i` adds to its input.
pub const fn is_residual(i: usize) -> bool {
    CONVS[i].n_in == CONVS[i].n_out && CONVS[i].stride == 1
}

fn split(mut head: Vec<f32>) -> Encoding {
    let z = head.split_off(N_PITCH_BINS + 1);
    let voicing = sigmoid(head[N_PITCH_BINS]);
    head.truncate(N_PITCH_BINS);
    Encoding { pitch_logits: head, voicing, z }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{DType, Device};

    #[test]
    fn rows_equal_the_plain_operations() -> Result<()> {
        let encoder = Encoder::from_bytes(embouchure_weights::ENCODER).unwrap();
        let samples: Vec<f32> = (0..20 * HOP_SIZE).map(|i| (i as f32 * 0.1).sin() + (i as f32 * 0.037).sin()).collect();
        let mut pasts = Memory::rows_of_silence(encoder.convs.iter().map(CausalConv::memory));
        let silence = |c: &CausalConv| Tensor::zeros(c.memory(), DType::F32, &Device::Cpu);
        let mut plain_pasts: Vec<Tensor> = encoder.convs.iter().map(silence).collect::<Result<_>>()?;
        for hops in samples.chunks(5 * HOP_SIZE) {
            let rows = encoder.rows(&mut pasts, hops)?;
            let plain = encoder.plain(&mut plain_pasts, &Tensor::from_slice(hops, (hops.len(), 1), &Device::Cpu)?)?;
            let plain = plain.flatten_all()?.to_vec1::<f32>()?;
            assert_eq!(rows.len(), plain.len());
            assert!(rows.iter().zip(&plain).all(|(a, b)| (a - b).abs() < 0.01), "beyond what rounding explains");
        }
        Ok(())
    }
}
