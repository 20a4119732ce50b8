//! Gated recurrent unit. Cho et al. 2014 (arXiv:1406.1078), in PyTorch's form and naming.

use super::{Linear, device};
use crate::weights::{LoadError, Weights};
use candle_core::{DType, Result, Tensor};

/// Weights of a GRU; gates are ordered reset, update, new.
pub struct Gru {
    input: Linear,
    hidden: Linear,
    width: usize,
}

/// Hidden state of a stream, `[1, width]`.
pub struct GruState(Tensor);

impl Gru {
    /// Takes `{name}.input` `[3·width, in]` and `{name}.hidden` `[3·width, width]`, weights and biases.
    pub fn load(weights: &mut Weights, name: &str, n_in: usize, width: usize) -> std::result::Result<Self, LoadError> {
        Ok(Self {
            input: Linear::load(weights, &format!("{name}.input"), n_in, 3 * width)?,
            hidden: Linear::load(weights, &format!("{name}.hidden"), width, 3 * width)?,
            width,
        })
    }

    /// State that has heard nothing.
    pub fn state(&self) -> Result<GruState> {
        Ok(GruState(Tensor::zeros((1, self.width), DType::F32, device())?))
    }

    /// `x`: `[1, in]`. Returns the new hidden state, `[1, width]`.
    pub fn step(&self, state: &mut GruState, x: &Tensor) -> Result<Tensor> {
        self.advance(state, &self.input.forward(x)?)
    }

    /// `x`: `[time, in]`. Returns `[time, width]`, starting from silence.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let gates = self.input.forward(x)?;
        let mut state = self.state()?;
        let steps: Result<Vec<_>> = (0..x.dim(0)?).map(|t| self.advance(&mut state, &gates.narrow(0, t, 1)?)).collect();
        Tensor::cat(&steps?, 0)
    }

    fn advance(&self, state: &mut GruState, input_gates: &Tensor) -> Result<Tensor> {
        let w = self.width;
        let hidden_gates = self.hidden.forward(&state.0)?;
        // Reset and update side by side: one sigmoid instead of two.
        let both = candle_nn::ops::sigmoid(&(input_gates.narrow(1, 0, 2 * w)? + hidden_gates.narrow(1, 0, 2 * w)?)?)?;
        let (reset, update) = (both.narrow(1, 0, w)?, both.narrow(1, w, w)?);
        let new = (input_gates.narrow(1, 2 * w, w)? + (reset * hidden_gates.narrow(1, 2 * w, w)?)?)?.tanh()?;
        state.0 = (&new + (update * (&state.0 - &new)?)?)?;
        Ok(state.0.clone())
    }
}
