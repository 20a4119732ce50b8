//! Leaky ReLU, alone and with root-mean-square normalisation, each in one pass. The kernels of `inference` have no
//! gradient.

use super::{on_cpu, plain, slice, tensor, values};
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use embouchure_inference::nn::{LEAK, RMS_EPS};

/// `x` above zero, [`LEAK`]` · x` below.
pub fn leaky_relu(x: &Tensor) -> Result<Tensor> {
    if on_cpu(x) { x.contiguous()?.apply_op1(LeakyRelu) } else { plain::leaky_relu(x) }
}

/// [`leaky_relu`], divided by its root mean square over the last dimension.
pub fn leaky_rms(x: &Tensor) -> Result<Tensor> {
    if on_cpu(x) { x.contiguous()?.apply_op1(LeakyRms) } else { plain::leaky_rms(x) }
}

struct LeakyRelu;
struct LeakyRms;

const SLOPE: f32 = LEAK as f32;

fn leaky(x: f32) -> f32 {
    x.max(SLOPE * x)
}

/// Derivative of [`leaky`].
fn slope(x: f32) -> f32 {
    if x > 0.0 { 1.0 } else { SLOPE }
}

/// 1 / root mean square of the rectified row.
fn inverse_rms(row: &[f32]) -> f32 {
    let mean = row.iter().map(|x| leaky(*x) * leaky(*x)).sum::<f32>() / row.len() as f32;
    (mean + RMS_EPS as f32).sqrt().recip()
}

impl CustomOp1 for LeakyRelu {
    fn name(&self) -> &'static str {
        "leaky-relu"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let out = slice(x, layout)?.iter().map(|x| leaky(*x)).collect();
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, _out: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let mut grad = values(grad)?;
        values(x)?.iter().zip(&mut grad).for_each(|(x, g)| *g *= slope(*x));
        Ok(Some(tensor(grad, x.shape())?))
    }
}

impl CustomOp1 for LeakyRms {
    fn name(&self) -> &'static str {
        "leaky-rms"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let mut out = slice(x, layout)?.to_vec();
        let width = layout.dims().last().copied().unwrap_or(1);
        for row in out.chunks_exact_mut(width) {
            let r = inverse_rms(row);
            row.iter_mut().for_each(|x| *x = leaky(*x) * r);
        }
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, _out: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let width = x.dims().last().copied().unwrap_or(1);
        let (x_values, mut grad) = (values(x)?, values(grad)?);
        for (row, g) in x_values.chunks_exact(width).zip(grad.chunks_exact_mut(width)) {
            let r = inverse_rms(row);
            let along = row.iter().zip(g.iter()).map(|(x, g)| leaky(*x) * g).sum::<f32>() * r * r / width as f32;
            for (x, g) in row.iter().zip(g) {
                *g = (*g - leaky(*x) * along) * r * slope(*x);
            }
        }
        Ok(Some(tensor(grad, x.shape())?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::check::{gradients_match, plain_matches, random};
    use embouchure_inference::nn::candle;

    #[test]
    fn gradient_is_right() {
        gradients_match(&[random(&[2, 3, 5], 4)], |v| leaky_rms(&v[0]));
        gradients_match(&[random(&[2, 3, 5], 4)], |v| leaky_relu(&v[0]));
    }

    #[test]
    fn equals_the_plain_operations() {
        plain_matches(&[random(&[2, 3, 5], 4)], |v| leaky_relu(&v[0]), |v| plain::leaky_relu(&v[0]));
        plain_matches(&[random(&[2, 3, 5], 4)], |v| leaky_rms(&v[0]), |v| plain::leaky_rms(&v[0]));
    }

    #[test]
    fn equals_the_layers_of_inference() -> Result<()> {
        let x = random(&[4, 6], 5);
        let normed = (leaky_rms(&x)? - candle::leaky_rms_norm(&x, None)?)?.abs()?.max_all()?.to_scalar::<f32>()?;
        let alone = (leaky_relu(&x)? - candle::leaky_relu(&x)?)?.abs()?.max_all()?.to_scalar::<f32>()?;
        assert!(normed < 1e-6 && alone < 1e-6, "{normed}, {alone}");
        Ok(())
    }
}
