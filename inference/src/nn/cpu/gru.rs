//! Gated recurrent unit. Cho et al. 2014 (arXiv:1406.1078), in PyTorch's form and naming.

use super::affine::{Affine, Scratch};
use crate::math::{sigmoid, tanh};
use crate::nn::parameters::GruParameters;
use multiversion::multiversion;

/// Weights of a GRU; gates are ordered reset, update, new.
pub struct Gru {
    input: Affine,
    hidden: Affine,
    width: usize,
}

/// Buffers for both halves of the gates of a stream, `3·width` each.
pub struct Gates {
    input: Vec<f32>,
    hidden: Vec<f32>,
}

impl Gru {
    /// Allocates.
    pub fn new(parameters: &GruParameters) -> Self {
        let width = parameters.hidden.n_in;
        Self { input: Affine::new(&parameters.input), hidden: Affine::new(&parameters.hidden), width }
    }

    /// Buffers for a stream. Enlarges `scratch` as needed. Allocates.
    pub fn gates(&self, scratch: &mut Scratch) -> Gates {
        scratch.fit(&self.input, 1);
        scratch.fit(&self.hidden, 1);
        Gates { input: vec![0.0; 3 * self.width], hidden: vec![0.0; 3 * self.width] }
    }

    /// Updates the hidden state `h` (`[width]`) with one input.
    pub fn hop(&self, h: &mut [f32], x: &[f32], gates: &mut Gates, scratch: &mut Scratch) {
        self.input.row(x, scratch, &mut gates.input);
        self.hidden.row(h, scratch, &mut gates.hidden);
        advance(h, &mut gates.input, &gates.hidden);
    }
}

/// Updates `h` from both halves of the gates, `3·width` each; overwrites the first half.
#[multiversion(targets("x86_64+avx2"))]
fn advance(h: &mut [f32], gates: &mut [f32], hidden: &[f32]) {
    let w = h.len();
    for (gate, hidden) in gates[..2 * w].iter_mut().zip(hidden) {
        *gate = sigmoid(*gate + hidden);
    }
    let (reset, rest) = gates.split_at_mut(w);
    let (update, new) = rest.split_at_mut(w);
    for ((new, reset), hidden) in new.iter_mut().zip(reset).zip(&hidden[2 * w..]) {
        *new = tanh(*new + *reset * hidden);
    }
    for ((h, new), update) in h.iter_mut().zip(new).zip(update) {
        *h = *new + *update * (*h - *new);
    }
}
