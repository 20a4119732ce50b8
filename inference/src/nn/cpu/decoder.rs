//! A decoder with the CPU's kernels.

use super::activation::LayerNorm;
use super::affine::{Affine, Scratch};
use super::gru::{Gates, Gru};
use crate::nn::parameters::{DecoderParameters, DenseParameters};
use crate::nn::shape::{N_FEATURES, N_RAW};
use crate::nn::{Network, Stream};
use std::sync::Arc;

/// Weights of a decoder.
pub struct Decoder {
    width: usize,
    input: [Dense; 2],
    gru: Gru,
    output: Dense,
    head: Affine,
}

/// A linear layer, its normalisation and activation.
struct Dense {
    linear: Affine,
    norm: LayerNorm,
}

impl Dense {
    fn new(parameters: &DenseParameters) -> Self {
        Self { linear: Affine::new(&parameters.linear), norm: LayerNorm::new(&parameters.norm) }
    }

    fn row(&self, x: &[f32], scratch: &mut Scratch, y: &mut [f32]) {
        self.linear.row(x, scratch, y);
        self.norm.leaky(y);
    }
}

struct DecoderStream {
    decoder: Arc<Decoder>,
    /// The GRU's hidden state, then its input, `width` each, in the order in which the output layer reads them.
    state_and_input: Vec<f32>,
    /// Outputs of the first layer, then of the layer before the head.
    dense: Vec<f32>,
    gates: Gates,
    scratch: Scratch,
}

impl Decoder {
    /// Allocates.
    pub fn new(parameters: &DecoderParameters) -> Self {
        Self {
            width: parameters.width,
            input: parameters.input.each_ref().map(Dense::new),
            gru: Gru::new(&parameters.gru),
            output: Dense::new(&parameters.output),
            head: Affine::new(&parameters.head),
        }
    }
}

impl Network<N_FEATURES, N_RAW> for Decoder {
    fn stream(self: Arc<Self>) -> Box<dyn Stream<N_FEATURES, N_RAW>> {
        let mut scratch = Scratch::default();
        let gates = self.gru.gates(&mut scratch);
        let [first, second] = &self.input;
        for layer in [&first.linear, &second.linear, &self.output.linear, &self.head] {
            scratch.fit(layer, 1);
        }
        let (state_and_input, dense) = (vec![0.0; 2 * self.width], vec![0.0; self.width]);
        Box::new(DecoderStream { decoder: self, state_and_input, dense, gates, scratch })
    }

    fn realtime_stream(self: Arc<Self>) -> Option<Box<dyn Stream<N_FEATURES, N_RAW>>> {
        Some(self.stream())
    }
}

impl Stream<N_FEATURES, N_RAW> for DecoderStream {
    fn hop(&mut self, features: &[f32; N_FEATURES], raw: &mut [f32; N_RAW]) {
        let Self { decoder, state_and_input, dense, gates, scratch } = self;
        let (h, x) = state_and_input.split_at_mut(decoder.width);
        decoder.input[0].row(features, scratch, dense);
        decoder.input[1].row(dense, scratch, x);
        decoder.gru.hop(h, x, gates, scratch);
        decoder.output.row(state_and_input, scratch, dense);
        decoder.head.row(dense, scratch, raw);
    }

    fn reset(&mut self) {
        self.state_and_input.fill(0.0);
    }
}
