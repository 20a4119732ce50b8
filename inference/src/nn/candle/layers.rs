//! The layers. Rows are consecutive hops or parts of them.

use crate::nn::parameters::{DenseParameters, GruParameters, LinearParameters, NormParameters};
use crate::nn::shape::{ConvSpec, LAYER_NORM_EPS, LEAK, RMS_EPS};
use candle_core::{D, DType, Device, Result, Tensor};

/// `y = x Wᵀ + b`.
pub struct Linear {
    /// `[in, out]`.
    weight: Tensor,
    /// `[out]`.
    bias: Tensor,
}

impl Linear {
    /// Allocates on `device`.
    pub fn new(parameters: &LinearParameters, device: &Device) -> Result<Self> {
        let shape = (parameters.bias.len(), parameters.n_in);
        let weight = Tensor::from_slice(&parameters.weight, shape, device)?.t()?.contiguous()?;
        Ok(Self { weight, bias: vector(&parameters.bias, device)? })
    }

    /// `x`: `[rows, in]`, contiguous. Returns `[rows, out]`.
    pub fn rows(&self, x: &Tensor) -> Result<Tensor> {
        x.matmul(&self.weight)?.broadcast_add(&self.bias)
    }
}

/// Layer normalisation. Ba et al. 2016 (arXiv:1607.06450).
pub struct LayerNorm {
    weight: Tensor,
    bias: Tensor,
}

impl LayerNorm {
    /// Allocates on `device`.
    pub fn new(parameters: &NormParameters, device: &Device) -> Result<Self> {
        Ok(Self { weight: vector(&parameters.weight, device)?, bias: vector(&parameters.bias, device)? })
    }

    /// The norm of each row of `[rows, width]`, contiguous, then [`leaky_relu`].
    pub fn leaky(&self, x: &Tensor) -> Result<Tensor> {
        leaky_relu(&candle_nn::ops::layer_norm(x, &self.weight, &self.bias, LAYER_NORM_EPS as f32)?)
    }
}

/// A linear layer, its normalisation and activation.
pub(super) struct Dense {
    linear: Linear,
    norm: LayerNorm,
}

impl Dense {
    pub fn new(parameters: &DenseParameters, device: &Device) -> Result<Self> {
        let linear = Linear::new(&parameters.linear, device)?;
        Ok(Self { linear, norm: LayerNorm::new(&parameters.norm, device)? })
    }

    pub fn rows(&self, x: &Tensor) -> Result<Tensor> {
        self.norm.leaky(&self.linear.rows(x)?)
    }
}

/// Causal strided convolution.
pub struct Conv {
    spec: ConvSpec,
    windows: Linear,
}

impl Conv {
    /// `parameters`: `[out, kernel · in]`, tap-major. Allocates on `device`.
    pub fn new(spec: ConvSpec, parameters: &LinearParameters, device: &Device) -> Result<Self> {
        Ok(Self { spec, windows: Linear::new(parameters, device)? })
    }

    /// State of a new stream: `[n_past, in]`.
    pub fn past(&self, device: &Device) -> Result<Tensor> {
        Tensor::zeros((self.spec.n_past(), self.spec.n_in), DType::F32, device)
    }

    /// `x`: `[n_new, in]`, `n_new` a multiple of the stride. Returns `[n_new / stride, out]` and updates `past`.
    pub fn rows(&self, past: &mut Tensor, x: &Tensor) -> Result<Tensor> {
        let n_new = x.dim(0)?;
        let x = Tensor::cat(&[past, x], 0)?;
        let rows: Vec<u32> = self.spec.window_rows(n_new).map(|row| row as u32).collect();
        let windows = x.index_select(&Tensor::new(rows, x.device())?, 0)?;
        let windows = windows.reshape((n_new / self.spec.stride, self.spec.kernel * self.spec.n_in))?;
        // A copy, because a view would keep the whole buffer of the past hop alive.
        *past = x.narrow(0, n_new, self.spec.n_past())?.copy()?;
        self.windows.rows(&windows)
    }
}

/// Gated recurrent unit. Cho et al. 2014 (arXiv:1406.1078), in PyTorch's form.
pub struct Gru {
    input: Linear,
    hidden: Linear,
    width: usize,
}

impl Gru {
    /// Allocates on `device`.
    pub fn new(parameters: &GruParameters, device: &Device) -> Result<Self> {
        let (input, hidden) = (Linear::new(&parameters.input, device)?, Linear::new(&parameters.hidden, device)?);
        Ok(Self { input, hidden, width: parameters.hidden.n_in })
    }

    /// Hidden state of a new stream: `[1, width]`.
    pub fn state(&self, device: &Device) -> Result<Tensor> {
        Tensor::zeros((1, self.width), DType::F32, device)
    }

    /// Hidden states after each row of `x`, `[rows, in]`; `h` is the last. Returns `[rows, width]`.
    pub fn rows(&self, h: &mut Tensor, x: &Tensor) -> Result<Tensor> {
        let gates = self.input.rows(x)?;
        let mut step = |t| {
            *h = gru_step(&gates.narrow(0, t, 1)?, &self.hidden.rows(h)?, h)?;
            Ok(h.clone())
        };
        let steps: Result<Vec<_>> = (0..x.dim(0)?).map(&mut step).collect();
        Tensor::cat(&steps?, 0)
    }
}

/// `h` (`[rows, width]`) after one step, from both halves of the gates, `[rows, 3·width]`.
pub fn gru_step(input: &Tensor, hidden: &Tensor, h: &Tensor) -> Result<Tensor> {
    let w = h.dim(1)?;
    // Both gates together: one sigmoid instead of two.
    let both = candle_nn::ops::sigmoid(&(input.narrow(1, 0, 2 * w)? + hidden.narrow(1, 0, 2 * w)?)?)?;
    let (reset, update) = (both.narrow(1, 0, w)?, both.narrow(1, w, w)?);
    let new = (input.narrow(1, 2 * w, w)? + (reset * hidden.narrow(1, 2 * w, w)?)?)?.tanh()?;
    &new + (update * (h - &new)?)?
}

/// `x` above zero, [`LEAK`]` · x` below.
pub fn leaky_relu(x: &Tensor) -> Result<Tensor> {
    x.maximum(&x.affine(LEAK, 0.0)?)
}

/// [`leaky_relu`], then each row of `[rows, width]` is divided by its root mean square, then `input` is added, if there
/// is one.
pub fn leaky_rms_norm(x: &Tensor, input: Option<&Tensor>) -> Result<Tensor> {
    let x = leaky_relu(x)?;
    let rms = (x.sqr()?.mean_keepdim(D::Minus1)? + RMS_EPS)?.sqrt()?;
    let normed = x.broadcast_div(&rms)?;
    match input {
        Some(input) => normed + input,
        None => Ok(normed),
    }
}

fn vector(values: &[f32], device: &Device) -> Result<Tensor> {
    Tensor::from_slice(values, values.len(), device)
}
