//! Leaky ReLU and root-mean-square normalisation in one pass.

use super::{slice, tensor, values};
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use embouchure_inference::layers::{LEAK, RMS_EPS};

/// `rms_norm(leaky_relu(x))` over the last dimension.
pub fn leaky_rms(x: &Tensor) -> Result<Tensor> {
    x.contiguous()?.apply_op1(LeakyRms)
}

struct LeakyRms;

const SLOPE: f32 = LEAK as f32;

fn leaky(x: f32) -> f32 {
    x.max(SLOPE * x)
}

fn inverse_rms(row: &[f32]) -> f32 {
    let mean = row.iter().map(|x| leaky(*x) * leaky(*x)).sum::<f32>() / row.len() as f32;
    (mean + RMS_EPS as f32).sqrt().recip()
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
                let slope = if *x > 0.0 { 1.0 } else { SLOPE };
                *g = (*g - leaky(*x) * along) * r * slope;
            }
        }
        Ok(Some(tensor(grad, x.shape())?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::check::{gradients_match, random};

    #[test]
    fn gradient_is_right() {
        gradients_match(&[random(&[2, 3, 5], 4)], |v| leaky_rms(&v[0]));
    }

    #[test]
    fn equals_the_layers_of_inference() -> Result<()> {
        let x = random(&[4, 6], 5);
        let plain = embouchure_inference::layers::rms_norm(&embouchure_inference::layers::leaky_relu(&x)?)?;
        let worst = (leaky_rms(&x)? - plain)?.abs()?.max_all()?.to_scalar::<f32>()?;
        assert!(worst < 1e-6, "{worst}");
        Ok(())
    }
}
