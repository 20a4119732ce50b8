//! Gated recurrent unit. Cho et al. 2014 (arXiv:1406.1078), in PyTorch's form and naming.

use super::Linear;
use crate::math::{sigmoid, tanh};
use crate::nn::weights::{LoadError, Weights};
use candle_core::{Result, Tensor};
use multiversion::multiversion;

/// Weights of a GRU; gates are ordered reset, update, new.
pub struct Gru {
    input: Linear,
    hidden: Linear,
    width: usize,
}

impl Gru {
    /// Takes `{name}.input` `[3·width, in]` and `{name}.hidden` `[3·width, width]`, weights and biases.
    pub fn load(weights: &mut Weights, name: &str, n_in: usize, width: usize) -> std::result::Result<Self, LoadError> {
        Ok(Self {
            input: Linear::load(weights, &format!("{name}.input"), n_in, 3 * width)?,
            hidden: Linear::load(weights, &format!("{name}.hidden"), width, 3 * width)?,
            width,
        })
    }

    /// Rows and width of the hidden state.
    pub fn memory(&self) -> (usize, usize) {
        (1, self.width)
    }

    /// Hidden states after each row of `x`; `h` is the last. Fails if the weights are on a GPU.
    pub fn rows(&self, h: &mut [f32], x: &[f32]) -> Result<Vec<f32>> {
        let (mut input, mut hidden) = (Vec::new(), Vec::new());
        self.input.rows(x, &mut input)?;
        let mut out = Vec::with_capacity(input.len() / 3);
        for input in input.chunks_exact_mut(3 * self.width) {
            self.hidden.rows(h, &mut hidden)?;
            advance(h, input, &hidden);
            out.extend_from_slice(h);
        }
        Ok(out)
    }

    /// The same by candle's own operations. `x`: `[time, in]`; returns `[time, width]`.
    pub fn plain(&self, h: &mut Tensor, x: &Tensor) -> Result<Tensor> {
        let gates = self.input.plain(x)?;
        let mut step = |t| {
            *h = plain_gru_step(&gates.narrow(0, t, 1)?, &self.hidden.plain(h)?, h)?;
            Ok(h.clone())
        };
        let steps: Result<Vec<_>> = (0..x.dim(0)?).map(&mut step).collect();
        Tensor::cat(&steps?, 0)
    }
}

/// `h` after one step, from both halves of the gates, `3·width` each; the first is used up.
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

/// The same for tensors of one row.
pub fn plain_gru_step(input: &Tensor, hidden: &Tensor, h: &Tensor) -> Result<Tensor> {
    let w = h.dim(1)?;
    // Reset and update side by side: one sigmoid instead of two.
    let both = candle_nn::ops::sigmoid(&(input.narrow(1, 0, 2 * w)? + hidden.narrow(1, 0, 2 * w)?)?)?;
    let (reset, update) = (both.narrow(1, 0, w)?, both.narrow(1, w, w)?);
    let new = (input.narrow(1, 2 * w, w)? + (reset * hidden.narrow(1, 2 * w, w)?)?)?.tanh()?;
    &new + (update * (h - &new)?)?
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn a_step_equals_the_plain_operations() -> Result<()> {
        let random = |columns| Tensor::rand(-2f32, 2f32, (1, columns), &Device::Cpu);
        let (input, hidden, h) = (random(30)?, random(30)?, random(10)?);
        let values = |x: &Tensor| x.flatten_all()?.to_vec1::<f32>();
        let mut rows = values(&h)?;
        advance(&mut rows, &mut values(&input)?, &values(&hidden)?);
        let plain = values(&plain_gru_step(&input, &hidden, &h)?)?;
        assert!(rows.iter().zip(plain).all(|(a, b)| (a - b).abs() < 1e-6));
        Ok(())
    }
}
