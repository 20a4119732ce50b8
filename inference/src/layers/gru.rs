//! Gated recurrent unit. Cho et al. 2014 (arXiv:1406.1078), in PyTorch's form and naming.

use super::{Linear, device, slice};
use crate::math::{sigmoid, tanh};
use crate::weights::{LoadError, Weights};
use candle_core::{CpuStorage, CustomOp3, DType, Layout, Result, Shape, Tensor};

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
        let hidden_gates = self.hidden.forward(&state.0)?;
        state.0 = match state.0.device().is_cpu() {
            true => input_gates.apply_op3_no_bwd(&hidden_gates, &state.0, &Gates)?,
            false => plain_gates(input_gates, &hidden_gates, &state.0)?,
        };
        Ok(state.0.clone())
    }
}

/// `h` `[1, width]` after one step, from both halves of the gates `[1, 3·width]`, by candle's own operations.
fn plain_gates(input: &Tensor, hidden: &Tensor, h: &Tensor) -> Result<Tensor> {
    let w = h.dim(1)?;
    // Reset and update side by side: one sigmoid instead of two.
    let both = candle_nn::ops::sigmoid(&(input.narrow(1, 0, 2 * w)? + hidden.narrow(1, 0, 2 * w)?)?)?;
    let (reset, update) = (both.narrow(1, 0, w)?, both.narrow(1, w, w)?);
    let new = (input.narrow(1, 2 * w, w)? + (reset * hidden.narrow(1, 2 * w, w)?)?)?.tanh()?;
    &new + (update * (h - &new)?)?
}

/// The same in one pass.
struct Gates;

impl CustomOp3 for Gates {
    fn name(&self) -> &'static str {
        "gru-gates"
    }

    fn cpu_fwd(
        &self,
        input: &CpuStorage,
        i: &Layout,
        hidden: &CpuStorage,
        j: &Layout,
        h: &CpuStorage,
        k: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (input, hidden, h) = (slice(input, i)?, slice(hidden, j)?, slice(h, k)?);
        let (mut gates, w) = (input.to_vec(), h.len());
        gates[..2 * w].iter_mut().zip(hidden).for_each(|(gate, hidden)| *gate = sigmoid(*gate + hidden));
        let (reset, rest) = gates.split_at_mut(w);
        let (update, new) = rest.split_at_mut(w);
        for ((new, reset), hidden) in new.iter_mut().zip(reset).zip(&hidden[2 * w..]) {
            *new = tanh(*new + *reset * hidden);
        }
        let mixed = new.iter().zip(update).zip(h).map(|((new, update), h)| new + *update * (h - new));
        Ok((CpuStorage::F32(mixed.collect()), k.shape().clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn fused_equals_the_plain_operations() -> Result<()> {
        let random = |columns| Tensor::rand(-2f32, 2f32, (1, columns), &Device::Cpu);
        let (input, hidden, h) = (random(30)?, random(30)?, random(10)?);
        let fused = input.apply_op3_no_bwd(&hidden, &h, &Gates)?;
        let worst = (fused - plain_gates(&input, &hidden, &h)?)?.abs()?.max_all()?.to_scalar::<f32>()?;
        assert!(worst < 1e-6, "{worst}");
        Ok(())
    }
}
