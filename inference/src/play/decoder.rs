//! Pitch, loudness, voicing and z to raw outputs, and those to valid controls.
//!
//! Engel et al. 2020, "DDSP" (arXiv:2001.04643): dense layers with layer normalisation around a GRU, one frame per hop.

use crate::controls::Controls;
use crate::nn::parameters::DecoderParameters;
use crate::nn::weights::{LoadError, Weights};
use crate::nn::{Backend, DecoderNetwork, N_FEATURES, N_RAW, Stream};
use crate::note::hz_to_midi;
use crate::play::body::Body;
use crate::play::follow::Follow;
use crate::play::instrument::Statistics;
use crate::play::texture::{Texture, TextureState};
use std::sync::Arc;

/// Limit of z, standard deviations of the training data.
const Z_LIMIT: f32 = 3.0;

/// Decoder input for one frame, before scaling.
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
    pub fn scaled(&self, statistics: &Statistics) -> [f32; N_FEATURES] {
        let mut x = [0.0; N_FEATURES];
        x[0] = hz_to_midi(self.f0_hz) / 63.5 - 1.0;
        x[1] = self.loudness_db / 40.0 + 1.0;
        x[2] = 2.0 * self.voicing - 1.0;
        for (i, x) in x[3..].iter_mut().enumerate() {
            *x = ((self.z[i] - statistics.z_mean[i]) / statistics.z_std[i]).clamp(-Z_LIMIT, Z_LIMIT);
        }
        x
    }
}

/// Immutable decoder weights.
pub struct Decoder {
    network: Arc<DecoderNetwork>,
    body: Body,
    texture: Texture,
}

/// One stream through a decoder.
pub struct DecoderStream {
    network: Box<dyn Stream<N_FEATURES, N_RAW>>,
    texture: TextureState,
}

impl DecoderStream {
    /// One frame, to raw outputs: NaN if the network failed. Allocates nothing if [`Backend::Cpu`] runs it.
    pub fn hop(&mut self, features: &[f32; N_FEATURES]) -> [f32; N_RAW] {
        let mut raw = [0.0; N_RAW];
        self.network.hop(features, &mut raw);
        raw
    }

    /// Forgets what it played, as if newly made.
    pub fn reset(&mut self) {
        self.network.reset();
        self.texture = TextureState::default();
    }
}

impl Decoder {
    /// Takes the decoder's tensors from an instrument file; hidden layers have `width` units. Allocates.
    pub fn load(weights: &mut Weights, width: usize, backend: Backend) -> Result<Self, LoadError> {
        let network = backend.decoder(&DecoderParameters::take(weights, width)?)?;
        Ok(Self { network, body: Body::load(weights)?, texture: Texture::load(weights)? })
    }

    /// A stream that has played nothing. Allocates.
    pub fn stream(&self) -> DecoderStream {
        DecoderStream { network: self.network.clone().stream(), texture: TextureState::default() }
    }

    /// The same for the audio thread: it allocates nothing once it is there, unless only a GPU has the weights.
    /// Allocates.
    pub fn realtime_stream(&self) -> DecoderStream {
        let network = self.network.clone().realtime_stream().unwrap_or_else(|| self.network.clone().stream());
        DecoderStream { network, texture: TextureState::default() }
    }

    /// Raw outputs of a whole clip, the same as a stream gives frame by frame. Allocates.
    pub fn forward(&self, features: &[[f32; N_FEATURES]]) -> Vec<[f32; N_RAW]> {
        self.network.clone().forward(features)
    }

    /// Valid controls of one hop from raw outputs, played at `f0_hz` (> 0).
    pub fn controls(&self, stream: &mut DecoderStream, raw: &[f32; N_RAW], f0_hz: f32, follow: &Follow) -> Controls {
        let controls = follow.lead(Controls::from_raw(raw, f0_hz, &self.body.gains(f0_hz)));
        self.texture.hop(&mut stream.texture, controls, follow)
    }
}
