//! Pitch, loudness, voicing and z to raw outputs, and those to valid controls.
//!
//! Engel et al. 2020, "DDSP" (arXiv:2001.04643): dense layers with layer normalisation around a GRU, one frame per hop.

use crate::config::{N_HARMONICS, NOISE_MAX_HZ};
use crate::controls::Controls;
use crate::math::{exp, ln, map, scale_all, sum};
use crate::nn::parameters::DecoderParameters;
use crate::nn::weights::{LoadError, Weights};
use crate::nn::{Backend, DecoderNetwork, N_FEATURES, N_RAW, Stream};
use crate::note::hz_to_midi;
use crate::play::body::Body;
use crate::play::follow::Follow;
use crate::play::instrument::Card;
use crate::play::texture::{Texture, TextureState};
use multiversion::multiversion;
use std::sync::Arc;

/// Moves the noise outputs down, so that an untrained decoder is not a storm.
pub const NOISE_BIAS: f32 = -5.0;
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

    /// Raw outputs of a whole clip, the same as a stream gives frame by frame. Allocates.
    pub fn forward(&self, features: &[[f32; N_FEATURES]]) -> Vec<[f32; N_RAW]> {
        self.network.clone().forward(features)
    }

    /// Valid controls of one hop from raw outputs (`[N_RAW]`), played at `f0_hz` (> 0).
    pub fn controls(&self, stream: &mut DecoderStream, raw: &[f32], f0_hz: f32, follow: &Follow) -> Controls {
        let mut controls = controls(raw, f0_hz, &self.body);
        follow.lead(&mut controls);
        self.texture.hop(&mut stream.texture, &mut controls, follow);
        controls
    }
}

/// `2 · sigmoid(x)^ln 10 + 1e-7`: positive, and about linear in dB below 0 (DDSP's scaling).
#[inline]
pub fn exp_sigmoid(x: f32) -> f32 {
    2.0 * exp(-std::f32::consts::LN_10 * ln(1.0 + exp(-x))) + 1e-7
}

/// Raw outputs (`[N_RAW]`) to valid controls at `f0_hz` (> 0), through the instrument's body.
///
/// Harmonics above 20 kHz get nothing, so a note keeps its level wherever it is played; the host's own Nyquist
/// frequency is the synth's business.
pub fn controls(raw: &[f32], f0_hz: f32, body: &Body) -> Controls {
    let mut controls = Controls { f0_hz, ..Controls::SILENT };
    let n_audible = ((NOISE_MAX_HZ / f0_hz) as usize).clamp(1, N_HARMONICS);
    let weights = &mut controls.harmonic_distribution[..n_audible];
    weights.copy_from_slice(&raw[1..=n_audible]);
    exp_sigmoid_all(weights);
    // What the source plays sums to 1; what the body makes of it is the level and the distribution that are heard.
    let source = sum(weights);
    weights.iter_mut().zip(body.gains(f0_hz)).for_each(|(weight, gain)| *weight *= gain);
    let heard = sum(weights);
    scale_all(weights, 1.0 / heard);
    controls.amplitude = exp_sigmoid(raw[0]) * heard / source;
    let noise = controls.noise_magnitudes.iter_mut().zip(&raw[1 + N_HARMONICS..]);
    noise.for_each(|(magnitude, raw)| *magnitude = raw + NOISE_BIAS);
    exp_sigmoid_all(&mut controls.noise_magnitudes);
    controls
}

#[multiversion(targets("x86_64+avx2"))]
fn exp_sigmoid_all(values: &mut [f32]) {
    map(values, exp_sigmoid);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_sigmoid_is_what_the_formula_says() {
        for x in [-30.0f32, -14.9, -15.1, -3.0, 0.0, 2.0, 20.0] {
            let exact = 2.0 * (1.0 / (1.0 + (-x as f64).exp())).powf(std::f64::consts::LN_10) + 1e-7;
            assert!((exp_sigmoid(x) as f64 / exact - 1.0).abs() < 1e-3, "at {x}");
        }
    }

    #[test]
    fn controls_are_valid_at_any_pitch() {
        let raw: Vec<f32> = (0..N_RAW).map(|i| (i as f32 * 1.7).sin() * 8.0).collect();
        for f0_hz in [31.0, 440.0, 4999.0, 25_000.0] {
            let c = controls(&raw, f0_hz, &Body::flat());
            assert!((c.harmonic_distribution.iter().sum::<f32>() - 1.0).abs() < 1e-4);
            let above = (20_000.0 / f0_hz) as usize;
            assert!(c.harmonic_distribution[above.clamp(1, 100)..].iter().all(|w| *w == 0.0));
            assert!(c.amplitude > 0.0 && c.noise_magnitudes.iter().all(|m| *m > 0.0 && m.is_finite()));
        }
    }
}
