//! Causal strided convolution: output `i` sees inputs up to the end of its own stride block, never later.

use super::Affine;
use crate::nn::weights::{LoadError, Weights};
use candle_core::{Result, Tensor};

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

impl CausalConv {
    /// Takes the layer's tensors from a file.
    pub fn load(weights: &mut Weights, name: &str, spec: ConvSpec) -> std::result::Result<Self, LoadError> {
        let weight = weights.take(&format!("{name}.weight"), &[spec.n_out, spec.kernel * spec.n_in])?;
        let bias = weights.take(&format!("{name}.bias"), &[spec.n_out])?;
        Ok(Self { spec, windows: Affine::new(&weight, &bias)? })
    }

    /// Rows and width of what the layer remembers.
    pub fn memory(&self) -> (usize, usize) {
        (self.spec.n_past(), self.spec.n_in)
    }

    /// Overwrites `y` with the output rows for new input rows `x`, as many as the stride or a multiple of it; `past`, see
    /// [`Self::memory`], moves on. Fails if the weights are on a GPU.
    pub fn rows(&self, past: &mut Vec<f32>, x: &[f32], y: &mut Vec<f32>) -> Result<()> {
        let ConvSpec { n_in, kernel, stride, dilation, .. } = self.spec;
        let windows = self.windows.packed()?;
        past.extend_from_slice(x);
        if dilation == 1 {
            // The windows lie in the rows as they are.
            windows.rows(past, stride * n_in, y);
        } else {
            let n_new = x.len() / n_in;
            let mut taps = Vec::with_capacity(n_new / stride * kernel * n_in);
            self.spec.window_rows(n_new).for_each(|row| taps.extend_from_slice(&past[row * n_in..][..n_in]));
            windows.rows(&taps, kernel * n_in, y);
        }
        past.drain(..x.len());
        Ok(())
    }

    /// The same by candle's own operations. `x`: `[n_new, in]`; returns `[n_new / stride, out]`.
    pub fn plain(&self, past: &mut Tensor, x: &Tensor) -> Result<Tensor> {
        let n_new = x.dim(0)?;
        let x = Tensor::cat(&[past, x], 0)?;
        let rows: Vec<u32> = self.spec.window_rows(n_new).map(|row| row as u32).collect();
        let windows = x.index_select(&Tensor::new(rows, x.device())?, 0)?;
        let windows = windows.reshape((n_new / self.spec.stride, self.spec.kernel * self.spec.n_in))?;
        // Copied, or the state would keep every past hop's whole buffer alive.
        *past = x.narrow(0, n_new, self.spec.n_past())?.copy()?;
        self.windows.plain(&windows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::Memory;
    use candle_core::Device;

    #[test]
    fn rows_equal_the_plain_operations() -> Result<()> {
        for (n_in, n_out, kernel, stride, dilation) in [(1, 32, 32, 8, 1), (3, 5, 5, 4, 1), (6, 6, 3, 1, 4)] {
            let spec = ConvSpec { n_in, n_out, kernel, stride, dilation };
            let random = |rows, columns| Tensor::rand(-1f32, 1f32, (rows, columns), &Device::Cpu);
            let bias = random(1, n_out)?.flatten_all()?;
            let conv = CausalConv { spec, windows: Affine::new(&random(n_out, kernel * n_in)?, &bias)? };
            let mut past = Memory::rows_of_silence([conv.memory()]).remove(0);
            let mut plain_past = Tensor::zeros(conv.memory(), candle_core::DType::F32, &Device::Cpu)?;
            for _ in 0..12 {
                let x = random(stride * 2, n_in)?;
                let mut rows = Vec::new();
                conv.rows(&mut past, &x.flatten_all()?.to_vec1::<f32>()?, &mut rows)?;
                assert_eq!(rows, conv.plain(&mut plain_past, &x)?.flatten_all()?.to_vec1::<f32>()?);
                assert_eq!(past, plain_past.flatten_all()?.to_vec1::<f32>()?);
            }
        }
        Ok(())
    }
}
