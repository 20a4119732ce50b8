//! Causal strided convolution: output `i` sees inputs up to the end of its own stride block, never later.

use super::affine::Packed;
use super::{Affine, device, slice};
use crate::weights::{LoadError, Weights};
use candle_core::{CpuStorage, CustomOp2, DType, Layout, Result, Shape, Tensor};

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
    fn window_rows(&self, n_new: usize) -> impl Iterator<Item = usize> {
        let spec = *self;
        (0..n_new / spec.stride).flat_map(move |o| (0..spec.kernel).map(move |k| o * spec.stride + k * spec.dilation))
    }
}

/// Weights of one convolution. Files hold `{name}.weight` `[out, kernel · in]` (tap-major) and `{name}.bias` `[out]`.
pub struct CausalConv {
    spec: ConvSpec,
    windows: Affine,
}

/// Past inputs of a streamed convolution, `[n_past, in]`.
pub struct ConvState(Tensor);

impl CausalConv {
    /// Takes the layer's tensors from a file.
    pub fn load(weights: &mut Weights, name: &str, spec: ConvSpec) -> std::result::Result<Self, LoadError> {
        let weight = weights.take(&format!("{name}.weight"), &[spec.n_out, spec.kernel * spec.n_in])?;
        let bias = weights.take(&format!("{name}.bias"), &[spec.n_out])?;
        Ok(Self { spec, windows: Affine::new(&weight, &bias)? })
    }

    /// `x`: `[time, in]`, `time` a multiple of the stride. Returns `[time / stride, out]`; the past is silence.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.step(&mut self.state()?, x)
    }

    /// State of a stream, with silence as its past.
    pub fn state(&self) -> Result<ConvState> {
        Ok(ConvState(Tensor::zeros((self.spec.n_past(), self.spec.n_in), DType::F32, device())?))
    }

    /// `x`: `[n_new, in]`, `n_new` a multiple of the stride. Returns `[n_new / stride, out]`.
    pub fn step(&self, state: &mut ConvState, x: &Tensor) -> Result<Tensor> {
        let (y, past) = match &self.windows {
            Affine::Packed(windows) => {
                let y = state.0.apply_op2_no_bwd(x, &Fused { spec: self.spec, windows })?;
                (y, state.0.apply_op2_no_bwd(x, &LastRows)?)
            }
            Affine::Plain(..) => self.plain_step(state, x)?,
        };
        state.0 = past;
        Ok(y)
    }

    /// Output and new past by candle's own operations.
    fn plain_step(&self, state: &ConvState, x: &Tensor) -> Result<(Tensor, Tensor)> {
        let n_new = x.dim(0)?;
        let x = Tensor::cat(&[&state.0, x], 0)?;
        let rows: Vec<u32> = self.spec.window_rows(n_new).map(|row| row as u32).collect();
        let windows = x.index_select(&Tensor::new(rows, x.device())?, 0)?;
        let windows = windows.reshape((n_new / self.spec.stride, self.spec.kernel * self.spec.n_in))?;
        // Copied, or the state would keep every past hop's whole buffer alive.
        Ok((self.windows.forward(&windows)?, x.narrow(0, n_new, self.spec.n_past())?.copy()?))
    }
}

/// The convolution of past and new rows.
struct Fused<'a> {
    spec: ConvSpec,
    windows: &'a Packed,
}

impl CustomOp2 for Fused<'_> {
    fn name(&self) -> &'static str {
        "causal-conv"
    }

    fn cpu_fwd(&self, past: &CpuStorage, p: &Layout, x: &CpuStorage, l: &Layout) -> Result<(CpuStorage, Shape)> {
        let ConvSpec { n_in, kernel, stride, dilation, n_out } = self.spec;
        let (past, x) = (slice(past, p)?, slice(x, l)?);
        let n_new = x.len() / n_in;
        let rows = [past, x].concat();
        let out = if dilation == 1 {
            // The windows lie in the rows as they are.
            self.windows.rows(&rows, stride * n_in)
        } else {
            let mut windows = Vec::with_capacity(n_new / stride * kernel * n_in);
            self.spec.window_rows(n_new).for_each(|row| windows.extend_from_slice(&rows[row * n_in..][..n_in]));
            self.windows.rows(&windows, kernel * n_in)
        };
        Ok((CpuStorage::F32(out), (n_new / stride, n_out).into()))
    }
}

/// As many rows as the past has, of the past and what follows it.
struct LastRows;

impl CustomOp2 for LastRows {
    fn name(&self) -> &'static str {
        "last-rows"
    }

    fn cpu_fwd(&self, past: &CpuStorage, p: &Layout, x: &CpuStorage, l: &Layout) -> Result<(CpuStorage, Shape)> {
        let (past, x) = (slice(past, p)?, slice(x, l)?);
        let n_kept = past.len().saturating_sub(x.len());
        let n_taken = past.len() - n_kept;
        let rows = [&past[past.len() - n_kept..], &x[x.len() - n_taken..]].concat();
        Ok((CpuStorage::F32(rows), p.shape().clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn fused_equals_the_plain_operations() -> Result<()> {
        for (n_in, n_out, kernel, stride, dilation) in [(1, 32, 32, 8, 1), (3, 5, 5, 4, 1), (6, 6, 3, 1, 4)] {
            let spec = ConvSpec { n_in, n_out, kernel, stride, dilation };
            let random = |rows, columns| Tensor::rand(-1f32, 1f32, (rows, columns), &Device::Cpu);
            let bias = random(1, n_out)?.flatten_all()?;
            let conv = CausalConv { spec, windows: Affine::new(&random(n_out, kernel * n_in)?, &bias)? };
            let mut state = conv.state()?;
            for _ in 0..12 {
                let x = random(stride * 2, n_in)?;
                let (plain, past) = conv.plain_step(&state, &x)?;
                assert_eq!(conv.step(&mut state, &x)?.to_vec2::<f32>()?, plain.to_vec2::<f32>()?);
                assert_eq!(state.0.to_vec2::<f32>()?, past.to_vec2::<f32>()?);
            }
        }
        Ok(())
    }
}
