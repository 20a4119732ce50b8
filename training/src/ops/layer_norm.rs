//! Layer normalisation with a gradient. candle's own fused operation has none, and does not say so.

use super::{on_cpu, plain, slice, tensor, values};
use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};
use embouchure_inference::nn::LAYER_NORM_EPS;

/// Normalises the last dimension of `x`, then scales by `weight` and shifts by `bias`.
pub fn layer_norm(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    if on_cpu(x) { x.contiguous()?.apply_op3(weight, bias, LayerNorm) } else { plain::layer_norm(x, weight, bias) }
}

struct LayerNorm;

/// Mean and inverse standard deviation of a row.
fn statistics(row: &[f32]) -> (f32, f32) {
    let n = row.len() as f32;
    let mean = row.iter().sum::<f32>() / n;
    let variance = row.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>() / n;
    (mean, (variance + LAYER_NORM_EPS as f32).sqrt().recip())
}

impl CustomOp3 for LayerNorm {
    fn name(&self) -> &'static str {
        "layer-norm"
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
        let (w, b) = (slice(w, w_layout)?, slice(b, b_layout)?);
        let mut out = slice(x, x_layout)?.to_vec();
        for row in out.chunks_exact_mut(w.len()) {
            let (mean, r) = statistics(row);
            row.iter_mut().zip(w.iter().zip(b)).for_each(|(x, (w, b))| *x = (*x - mean) * r * w + b);
        }
        Ok((CpuStorage::F32(out), x_layout.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        b: &Tensor,
        _out: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (x_values, w_values, mut grad) = (values(x)?, values(w)?, values(grad)?);
        let width = w_values.len();
        let (mut dw, mut db) = (vec![0.0; width], vec![0.0; width]);
        for (row, g) in x_values.chunks_exact(width).zip(grad.chunks_exact_mut(width)) {
            let (mean, r) = statistics(row);
            let (mut sum, mut along) = (0.0, 0.0);
            for i in 0..width {
                let normal = (row[i] - mean) * r;
                dw[i] += g[i] * normal;
                db[i] += g[i];
                sum += g[i] * w_values[i];
                along += g[i] * w_values[i] * normal;
            }
            let n = width as f32;
            for i in 0..width {
                g[i] = r * (g[i] * w_values[i] - sum / n - (row[i] - mean) * r * along / n);
            }
        }
        Ok((Some(tensor(grad, x.shape())?), Some(tensor(dw, w.shape())?), Some(tensor(db, b.shape())?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::check::{gradients_match, plain_matches, random};

    #[test]
    fn gradient_is_right() {
        let inputs = [random(&[2, 3, 6], 6), random(&[6], 7), random(&[6], 8)];
        let ours = |v: &[Tensor]| layer_norm(&v[0], &v[1], &v[2]);
        gradients_match(&inputs, ours);
        plain_matches(&inputs, ours, |v| plain::layer_norm(&v[0], &v[1], &v[2]));
    }
}
