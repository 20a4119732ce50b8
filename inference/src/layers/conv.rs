//! Causal strided convolution: output `i` sees inputs up to the end of its own stride block, never later.

use super::device;
use super::matmul::affine;
use crate::weights::{LoadError, Weights};
use candle_core::{DType, Result, Tensor};

/// Sizes of one convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvSpec {
    /// Input channels.
    pub n_in: usize,
    /// Output channels.
    pub n_out: usize,
    /// Taps.
    pub kernel: usize,
    /// Inputs per output.
    pub stride: usize,
    /// Inputs between taps.
    pub dilation: usize,
}

impl ConvSpec {
    /// Past inputs that the layer remembers between steps.
    pub const fn n_past(&self) -> usize {
        (self.kernel - 1) * self.dilation + 1 - self.stride
    }

    /// Rows of the input, counted from `n_past` before the first new one, that each tap of each output reads.
    fn window_rows(&self, n_new: usize) -> Vec<u32> {
        let outputs = 0..n_new / self.stride;
        outputs.flat_map(|o| (0..self.kernel).map(move |k| (o * self.stride + k * self.dilation) as u32)).collect()
    }
}

/// Weights of one convolution. Files hold `{name}.weight` `[out, kernel · in]` (tap-major) and `{name}.bias` `[out]`.
pub struct CausalConv {
    spec: ConvSpec,
    /// `[kernel · in, out]`, contiguous.
    weight_t: Tensor,
    bias: Tensor,
}

/// Past inputs of a streamed convolution.
pub struct ConvState {
    /// `[n_past, in]`.
    past: Tensor,
    /// Rows for one step.
    window_rows: Tensor,
}

impl CausalConv {
    /// Takes the layer's tensors from a file.
    pub fn load(weights: &mut Weights, name: &str, spec: ConvSpec) -> std::result::Result<Self, LoadError> {
        let weight = weights.take(&format!("{name}.weight"), &[spec.n_out, spec.kernel * spec.n_in])?;
        let bias = weights.take(&format!("{name}.bias"), &[spec.n_out])?;
        Ok(Self { spec, weight_t: weight.t()?.contiguous()?, bias })
    }

    /// `x`: `[time, in]`, `time` a multiple of the stride. Returns `[time / stride, out]`; the past is silence.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let mut state = self.state(x.dim(0)?)?;
        self.step(&mut state, x)
    }

    /// State of a stream that gets `n_new` inputs each step, with silence as its past.
    pub fn state(&self, n_new: usize) -> Result<ConvState> {
        let past = Tensor::zeros((self.spec.n_past(), self.spec.n_in), DType::F32, device())?;
        let rows = self.spec.window_rows(n_new);
        Ok(ConvState { past, window_rows: Tensor::new(rows, device())? })
    }

    /// `x`: `[n_new, in]`. Returns `[n_new / stride, out]`.
    pub fn step(&self, state: &mut ConvState, x: &Tensor) -> Result<Tensor> {
        let n_new = x.dim(0)?;
        let x = Tensor::cat(&[&state.past, x], 0)?;
        // Copied, or the state would keep every past hop's whole buffer alive.
        state.past = x.narrow(0, n_new, self.spec.n_past())?.copy()?;
        let windows = x.index_select(&state.window_rows, 0)?;
        let windows = windows.reshape((n_new / self.spec.stride, self.spec.kernel * self.spec.n_in))?;
        affine(&windows, &self.weight_t, &self.bias)
    }
}
