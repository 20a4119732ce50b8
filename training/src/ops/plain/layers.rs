//! Layers of the networks, logarithmic scales, and body gains.

use candle_core::{D, Result, Tensor};
use embouchure_inference::nn::candle::{gru_step, leaky_rms_norm};
use embouchure_inference::nn::{ConvSpec, LAYER_NORM_EPS};
use std::f64::consts::LN_10;

pub use embouchure_inference::nn::candle::leaky_relu;

/// See [`super::super::leaky_rms`].
pub fn leaky_rms(x: &Tensor) -> Result<Tensor> {
    leaky_rms_norm(x, None)
}

/// See [`super::super::layer_norm`].
pub fn layer_norm(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
    let deviation = (centred.sqr()?.mean_keepdim(D::Minus1)? + LAYER_NORM_EPS)?.sqrt()?;
    centred.broadcast_div(&deviation)?.broadcast_mul(weight)?.broadcast_add(bias)
}

/// See [`super::super::exp_sigmoid`].
pub fn exp_sigmoid(x: &Tensor) -> Result<Tensor> {
    // ln(1 + e^-x) without overflow.
    let softplus = (x.neg()?.relu()? + (x.abs()?.neg()?.exp()? + 1.0)?.log()?)?;
    (softplus * -LN_10)?.exp()?.affine(2.0, 1e-7)
}

/// See [`super::super::log_distance`].
pub fn log_distance(a: &Tensor, b: &Tensor, floor: f32) -> Result<Tensor> {
    let log = |x: &Tensor| (x + f64::from(floor))?.log();
    (log(a)? - log(&b.detach())?)?.abs()
}

/// See [`super::super::gru_sequence`].
pub fn gru_sequence(input_gates: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    let (batch, time, n_gates) = input_gates.dims3()?;
    let width = n_gates / 3;
    let recurrent = weight.t()?;
    let mut h = Tensor::zeros((batch, width), input_gates.dtype(), input_gates.device())?;
    let mut states = Vec::with_capacity(time);
    for t in 0..time {
        let input = input_gates.narrow(1, t, 1)?.squeeze(1)?;
        let hidden = h.matmul(&recurrent)?.broadcast_add(bias)?;
        h = gru_step(&input, &hidden, &h)?;
        states.push(h.clone());
    }
    Tensor::stack(&states, 1)
}

/// See [`super::super::causal_conv`].
pub fn causal_conv(x: &Tensor, weight: &Tensor, bias: &Tensor, spec: ConvSpec) -> Result<Tensor> {
    let ConvSpec { n_in, n_out, kernel, stride, dilation } = spec;
    let (batch, time, _) = x.dims3()?;
    let steps = time / stride;
    // A tap reads every `stride`th row, so it is the first row of each block of `stride` rows.
    let padded = x.pad_with_zeros(1, spec.n_past(), stride)?;
    let tap = |k: usize| {
        let rows = padded.narrow(1, k * dilation, steps * stride)?.contiguous()?;
        rows.reshape((batch, steps, stride * n_in))?.narrow(2, 0, n_in)
    };
    let windows = Tensor::cat(&(0..kernel).map(tap).collect::<Result<Vec<_>>>()?, 2)?;
    let y = windows.reshape((batch * steps, kernel * n_in))?.matmul(&weight.t()?)?.broadcast_add(bias)?;
    y.reshape((batch, steps, n_out))
}

/// See [`super::super::body_gains`].
pub fn body_gains(table: &Tensor, places: &[(u32, f32)], shape: (usize, usize, usize)) -> Result<Tensor> {
    let device = table.device();
    let table = table.flatten_all()?;
    let at = |by: u32| {
        let index: Vec<u32> = places.iter().map(|(low, _)| low + by).collect();
        table.index_select(&Tensor::from_vec(index, places.len(), device)?, 0)
    };
    let share = Tensor::from_vec(places.iter().map(|(_, share)| *share).collect(), places.len(), device)?;
    let (low, high) = (at(0)?, at(1)?);
    (&low + ((high - &low)? * share)?)?.exp()?.reshape(shape)
}
