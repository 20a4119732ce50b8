//! Causal strided convolution over a batch, with the arithmetic of the convolution in `inference::nn`.

use super::{Matrix, matmul, on_cpu, plain, slice, tensor, values};
use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};
use embouchure_inference::nn::ConvSpec;

/// Convolves. `x`: `[batch, time, in]`; `weight`: `[out, kernel · in]`; `bias`: `[out]`. Returns
/// `[batch, time / stride, out]`. Values before the start are 0.
pub fn causal_conv(x: &Tensor, weight: &Tensor, bias: &Tensor, spec: ConvSpec) -> Result<Tensor> {
    match on_cpu(x) {
        true => x.contiguous()?.apply_op3(weight, bias, Conv(spec)),
        false => plain::causal_conv(x, weight, bias, spec),
    }
}

struct Conv(ConvSpec);

impl Conv {
    /// Writes the windows of one clip, `[time / stride, kernel · in]`.
    fn gather(&self, x: &[f32], windows: &mut Vec<f32>) {
        let ConvSpec { n_in, kernel, stride, dilation, .. } = self.0;
        let n_out_steps = x.len() / n_in / stride;
        windows.clear();
        for t in 0..n_out_steps {
            for k in 0..kernel {
                match (t * stride + k * dilation).checked_sub(self.0.n_past()) {
                    Some(row) => windows.extend_from_slice(&x[row * n_in..][..n_in]),
                    None => windows.resize(windows.len() + n_in, 0.0),
                }
            }
        }
    }

    /// Adds values of windows to the clip that [`Self::gather`] took them from: its adjoint.
    fn scatter(&self, windows: &[f32], x: &mut [f32]) {
        let ConvSpec { n_in, kernel, stride, dilation, .. } = self.0;
        for (t, window) in windows.chunks_exact(kernel * n_in).enumerate() {
            for (k, tap) in window.chunks_exact(n_in).enumerate() {
                if let Some(row) = (t * stride + k * dilation).checked_sub(self.0.n_past()) {
                    x[row * n_in..][..n_in].iter_mut().zip(tap).for_each(|(x, g)| *x += g);
                }
            }
        }
    }
}

impl CustomOp3 for Conv {
    fn name(&self) -> &'static str {
        "causal-conv"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        w: &CpuStorage,
        w_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (batch, time, n_in) = x_layout.shape().dims3()?;
        let (x, w, b) = (slice(x, x_layout)?, slice(w, w_layout)?, slice(b, b_layout)?);
        let (n_out, steps, width) = (self.0.n_out, time / self.0.stride, self.0.kernel * n_in);
        let mut out = b.repeat(batch * steps);
        let mut windows = Vec::new();
        for (x, out) in x.chunks_exact(time * n_in).zip(out.chunks_exact_mut(steps * n_out)) {
            self.gather(x, &mut windows);
            let w = Matrix::rows(w, width).transposed();
            matmul((steps, n_out, width), out, true, Matrix::rows(&windows, width), w);
        }
        Ok((CpuStorage::F32(out), (batch, steps, n_out).into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        b: &Tensor,
        _out: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (_, time, n_in) = x.dims3()?;
        let (n_out, steps, width) = (self.0.n_out, time / self.0.stride, self.0.kernel * n_in);
        let (x_values, w_values, grad) = (values(x)?, values(w)?, values(grad)?);
        let (mut dx, mut dw, mut db) = (vec![0.0; x_values.len()], vec![0.0; w_values.len()], vec![0.0; n_out]);
        let (mut windows, mut d_windows) = (Vec::new(), vec![0.0; steps * width]);
        let clips = x_values.chunks_exact(time * n_in).zip(dx.chunks_exact_mut(time * n_in));
        for ((x, dx), grad) in clips.zip(grad.chunks_exact(steps * n_out)) {
            self.gather(x, &mut windows);
            let rows = Matrix::rows(grad, n_out);
            matmul((n_out, width, steps), &mut dw, true, rows.transposed(), Matrix::rows(&windows, width));
            // The input of the first layer is audio, whose gradient is not needed.
            if n_in > 1 {
                matmul((steps, width, n_out), &mut d_windows, false, rows, Matrix::rows(&w_values, width));
                self.scatter(&d_windows, dx);
            }
            for row in grad.chunks_exact(n_out) {
                db.iter_mut().zip(row).for_each(|(a, g)| *a += g);
            }
        }
        let dx = if n_in > 1 { Some(tensor(dx, x.shape())?) } else { None };
        Ok((dx, Some(tensor(dw, w.shape())?), Some(tensor(db, b.shape())?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::check::{gradients_match, plain_matches, random};

    #[test]
    fn gradient_is_right_for_batches() {
        for (kernel, stride, dilation) in [(5, 4, 1), (3, 1, 2), (3, 2, 1)] {
            let spec = ConvSpec { n_in: 3, n_out: 4, kernel, stride, dilation };
            let inputs = [random(&[2, 8, 3], 1), random(&[4, kernel * 3], 2), random(&[4], 3)];
            let ours = |v: &[Tensor]| causal_conv(&v[0], &v[1], &v[2], spec);
            gradients_match(&inputs, ours);
            plain_matches(&inputs, ours, |v| plain::causal_conv(&v[0], &v[1], &v[2], spec));
        }
    }
}
