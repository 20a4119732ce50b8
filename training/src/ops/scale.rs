//! Logarithmic scales: raw outputs to levels, and the distance between levels.

use super::{on_cpu, plain, slice, tensor, values};
use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor};
use embouchure_inference::controls;
use std::f32::consts::LN_10;

/// `2 · sigmoid(x)^ln 10 + 1e-7`, as in the decoder at runtime.
pub fn exp_sigmoid(x: &Tensor) -> Result<Tensor> {
    if on_cpu(x) { x.contiguous()?.apply_op1(ExpSigmoid) } else { plain::exp_sigmoid(x) }
}

/// `|ln(a + floor) - ln(b + floor)|` of each value. Both are ≥ 0 and of the same shape; `b` gets no gradient.
pub fn log_distance(a: &Tensor, b: &Tensor, floor: f32) -> Result<Tensor> {
    match on_cpu(a) {
        true => a.contiguous()?.apply_op2(&b.contiguous()?, LogDistance { floor }),
        false => plain::log_distance(a, b, floor),
    }
}

struct ExpSigmoid;

impl CustomOp1 for ExpSigmoid {
    fn name(&self) -> &'static str {
        "exp-sigmoid"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let out = slice(x, layout)?.iter().map(|x| controls::exp_sigmoid(*x)).collect();
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, out: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (x_values, out, mut grad) = (values(x)?, values(out)?, values(grad)?);
        for ((g, x), y) in grad.iter_mut().zip(x_values).zip(out) {
            *g *= y * LN_10 / (1.0 + x.exp());
        }
        Ok(Some(tensor(grad, x.shape())?))
    }
}

struct LogDistance {
    floor: f32,
}

impl CustomOp2 for LogDistance {
    fn name(&self) -> &'static str {
        "log-distance"
    }

    fn cpu_fwd(&self, a: &CpuStorage, l: &Layout, b: &CpuStorage, m: &Layout) -> Result<(CpuStorage, Shape)> {
        let pairs = slice(a, l)?.iter().zip(slice(b, m)?);
        let out = pairs.map(|(a, b)| ((a + self.floor) / (b + self.floor)).ln().abs()).collect();
        Ok((CpuStorage::F32(out), l.shape().clone()))
    }

    fn bwd(&self, a: &Tensor, b: &Tensor, _out: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (a_values, b_values, mut grad) = (values(a)?, values(b)?, values(grad)?);
        for ((g, a), b) in grad.iter_mut().zip(a_values).zip(b_values) {
            *g *= if a > b { 1.0 } else { -1.0 } / (a + self.floor);
        }
        Ok((Some(tensor(grad, a.shape())?), None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::check::{gradients_match, plain_matches, random};

    #[test]
    fn gradients_are_right() {
        gradients_match(&[random(&[2, 3, 5], 4)], |v| exp_sigmoid(&v[0]));
        let given = (random(&[2, 3, 5], 5).abs().unwrap() + 0.3).unwrap();
        gradients_match(&[random(&[2, 3, 5], 6)], |v| log_distance(&v[0].sqr()?, &given, 0.1));
    }

    #[test]
    fn equal_the_plain_operations() -> Result<()> {
        let wide = [(random(&[2, 3, 5], 4) * 20.0)?];
        plain_matches(&wide, |v| exp_sigmoid(&v[0]), |v| plain::exp_sigmoid(&v[0]));
        let (a, b) = (random(&[2, 7], 1).abs()?, random(&[2, 7], 2).abs()?);
        let worst = (log_distance(&a, &b, 0.01)? - plain::log_distance(&a, &b, 0.01)?)?.abs()?.max_all()?;
        assert!(worst.to_scalar::<f32>()? < 1e-5, "{worst}");
        plain_matches(&[a], |v| log_distance(&v[0], &b, 0.01), |v| plain::log_distance(&v[0], &b, 0.01));
        Ok(())
    }
}
