//! The parameters of both networks as in the files: checked floats, from which each backend makes its own layers.

use super::shape::{CONVS, N_CONVOLVED, N_FEATURES, N_HEAD, N_RAW, N_TRUNK};
use super::weights::{LoadError, Weights};

/// `y = x Wᵀ + b`. Files hold `{name}.weight` `[out, in]` and `{name}.bias` `[out]`, as in PyTorch. A convolution is a
/// linear layer over windows of its input, `[out, kernel · in]`, tap-major.
pub struct LinearParameters {
    /// Inputs.
    pub n_in: usize,
    /// `[out, in]`, row-major.
    pub weight: Vec<f32>,
    /// `[out]`.
    pub bias: Vec<f32>,
}

impl LinearParameters {
    fn take(weights: &mut Weights, name: &str, n_in: usize, n_out: usize) -> Result<Self, LoadError> {
        let weight = weights.take(&format!("{name}.weight"), &[n_out, n_in])?;
        let bias = weights.take(&format!("{name}.bias"), &[n_out])?;
        Ok(Self { n_in, weight, bias })
    }
}

/// Layer normalisation. Files hold `{name}.weight` and `{name}.bias`, `[width]` each.
pub struct NormParameters {
    /// Scale of each value.
    pub weight: Vec<f32>,
    /// Added to each value afterwards.
    pub bias: Vec<f32>,
}

/// A linear layer and the normalisation after it: `{name}` and `{name}.norm` in files.
pub struct DenseParameters {
    /// The linear layer.
    pub linear: LinearParameters,
    /// Normalisation of its outputs.
    pub norm: NormParameters,
}

impl DenseParameters {
    fn take(weights: &mut Weights, name: &str, n_in: usize, width: usize) -> Result<Self, LoadError> {
        let linear = LinearParameters::take(weights, name, n_in, width)?;
        let mut values = |what: &str| weights.take(&format!("{name}.norm.{what}"), &[width]);
        Ok(Self { linear, norm: NormParameters { weight: values("weight")?, bias: values("bias")? } })
    }
}

/// A gated recurrent unit; gates are ordered reset, update, new. Files hold `{name}.input` `[3·width, in]` and
/// `{name}.hidden` `[3·width, width]`, weights and biases.
pub struct GruParameters {
    /// From the input to the gates.
    pub input: LinearParameters,
    /// From the hidden state to the gates.
    pub hidden: LinearParameters,
}

impl GruParameters {
    fn take(weights: &mut Weights, name: &str, n_in: usize, width: usize) -> Result<Self, LoadError> {
        let mut gates = |half: &str, n_in| LinearParameters::take(weights, &format!("{name}.{half}"), n_in, 3 * width);
        Ok(Self { input: gates("input", n_in)?, hidden: gates("hidden", width)? })
    }
}

/// Parameters of the encoder.
pub struct EncoderParameters {
    /// One for each of [`CONVS`].
    pub convs: Vec<LinearParameters>,
    /// From the convolutions to [`N_TRUNK`].
    pub trunk: LinearParameters,
    /// From the trunk to [`N_HEAD`].
    pub head: LinearParameters,
}

impl EncoderParameters {
    /// Takes the encoder's tensors from a file.
    pub fn take(weights: &mut Weights) -> Result<Self, LoadError> {
        let mut conv = |i: usize| {
            let spec = CONVS[i];
            LinearParameters::take(weights, &format!("conv.{i}"), spec.kernel * spec.n_in, spec.n_out)
        };
        Ok(Self {
            convs: (0..CONVS.len()).map(&mut conv).collect::<Result<_, _>>()?,
            trunk: LinearParameters::take(weights, "trunk", N_CONVOLVED, N_TRUNK)?,
            head: LinearParameters::take(weights, "head", N_TRUNK, N_HEAD)?,
        })
    }
}

/// Parameters of a decoder: two dense layers, the GRU, a dense layer over its state and its input, the head.
pub struct DecoderParameters {
    /// Units of each hidden layer.
    pub width: usize,
    /// Layers before the GRU.
    pub input: [DenseParameters; 2],
    /// The GRU.
    pub gru: GruParameters,
    /// Layer after the GRU.
    pub output: DenseParameters,
    /// From there to [`N_RAW`].
    pub head: LinearParameters,
}

/// Most units of a hidden layer; real ones have hundreds.
const MAX_WIDTH: usize = 1 << 16;

impl DecoderParameters {
    /// Takes a decoder's tensors from an instrument file; hidden layers have `width` units.
    pub fn take(weights: &mut Weights, width: usize) -> Result<Self, LoadError> {
        if !(1..=MAX_WIDTH).contains(&width) {
            return Err(LoadError::Card("its width makes no sense".into()));
        }
        let mut dense = |name: &str, n_in: usize| DenseParameters::take(weights, name, n_in, width);
        Ok(Self {
            width,
            input: [dense("input.0", N_FEATURES)?, dense("input.1", width)?],
            output: dense("output", 2 * width)?,
            gru: GruParameters::take(weights, "gru", width, width)?,
            head: LinearParameters::take(weights, "head", width, N_RAW)?,
        })
    }
}
