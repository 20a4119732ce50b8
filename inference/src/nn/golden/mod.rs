//! Both backends compared with the outputs of PyTorch's layers, which `layers.py` writes to `layers.json`.

use super::cpu;
use super::parameters::{GruParameters, LinearParameters, NormParameters};
use super::shape::ConvSpec;
use serde::Deserialize;

/// For the kernels. The weights are exact in 8 bits; rounding the inputs to 14 bits gave errors up to 2.3e-4 here. A
/// wrong gate, tap or sign gives tenths.
const TOLERANCE: f32 = 4e-4;
/// For float arithmetic.
#[cfg(feature = "candle")]
const FLOAT_TOLERANCE: f32 = 2e-6;

#[derive(Deserialize)]
struct Golden {
    gru: Gru,
    layer_norm: LayerNorm,
    convs: Vec<Conv>,
}

#[derive(Deserialize)]
struct Gru {
    input: Linear,
    hidden: Linear,
    x: Vec<f32>,
    y: Vec<f32>,
}

#[derive(Deserialize)]
struct Linear {
    n_in: usize,
    weight: Vec<f32>,
    bias: Vec<f32>,
}

#[derive(Deserialize)]
struct LayerNorm {
    weight: Vec<f32>,
    bias: Vec<f32>,
    x: Vec<f32>,
    /// After the leaky ReLU.
    y: Vec<f32>,
}

#[derive(Deserialize)]
struct Conv {
    spec: Spec,
    #[serde(flatten)]
    windows: Linear,
    x: Vec<f32>,
    y: Vec<f32>,
}

#[derive(Clone, Copy, Deserialize)]
struct Spec {
    n_in: usize,
    n_out: usize,
    kernel: usize,
    stride: usize,
    dilation: usize,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("layers.json")).expect("the script wrote it")
}

impl Linear {
    fn parameters(self) -> LinearParameters {
        LinearParameters { n_in: self.n_in, weight: self.weight, bias: self.bias }
    }
}

impl Spec {
    fn of_conv(self) -> ConvSpec {
        let Self { n_in, n_out, kernel, stride, dilation } = self;
        ConvSpec { n_in, n_out, kernel, stride, dilation }
    }
}

fn compare(what: &str, actual: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(actual.len(), expected.len(), "{what}");
    let worst = actual.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst < tolerance, "{what}: {worst:e}");
}

#[test]
fn the_gru_is_that_of_pytorch() {
    let Gru { input, hidden, x, y } = golden().gru;
    let (n_in, width) = (input.n_in, hidden.n_in);
    let parameters = GruParameters { input: input.parameters(), hidden: hidden.parameters() };

    let gru = cpu::gru::Gru::new(&parameters);
    let (mut scratch, mut h, mut states) = (cpu::affine::Scratch::default(), vec![0.0; width], Vec::new());
    let mut gates = gru.gates(&mut scratch);
    for x in x.chunks_exact(n_in) {
        gru.hop(&mut h, x, &mut gates, &mut scratch);
        states.extend_from_slice(&h);
    }
    compare("kernels", &states, &y, TOLERANCE);

    #[cfg(feature = "candle")]
    by_candle::compare_with(&y, |device| {
        let gru = super::candle::Gru::new(&parameters, device)?;
        gru.rows(&mut gru.state(device)?, &by_candle::rows(&x, n_in)?)
    });
}

#[test]
fn the_layer_norm_is_that_of_pytorch() {
    let LayerNorm { weight, bias, x, y } = golden().layer_norm;
    let parameters = NormParameters { weight, bias };

    let mut rows = x.clone();
    cpu::activation::LayerNorm::new(&parameters).leaky(&mut rows);
    compare("kernels", &rows, &y, 2e-6);

    #[cfg(feature = "candle")]
    by_candle::compare_with(&y, |device| {
        let x = by_candle::rows(&x, parameters.weight.len())?;
        super::candle::LayerNorm::new(&parameters, device)?.leaky(&x)
    });
}

#[test]
fn convolutions_are_those_of_pytorch() {
    for Conv { spec, windows, x, y } in golden().convs {
        let spec = spec.of_conv();
        let parameters = windows.parameters();

        let conv = cpu::conv::Conv::new(spec, &parameters);
        let mut scratch = cpu::affine::Scratch::default();
        let mut past = conv.past(2 * spec.stride, &mut scratch);
        let mut out = vec![0.0; y.len()];
        let hops = x.chunks_exact(2 * spec.stride * spec.n_in).zip(out.chunks_exact_mut(2 * spec.n_out));
        hops.for_each(|(x, y)| conv.hop(&mut past, x, &mut scratch, y));
        compare("kernels", &out, &y, TOLERANCE);

        #[cfg(feature = "candle")]
        by_candle::compare_with(&y, |device| {
            let conv = super::candle::Conv::new(spec, &parameters, device)?;
            conv.rows(&mut conv.past(device)?, &by_candle::rows(&x, spec.n_in)?)
        });
    }
}

#[cfg(feature = "candle")]
mod by_candle {
    use super::{FLOAT_TOLERANCE, compare};
    use candle_core::{Device, Result, Tensor};

    pub fn rows(x: &[f32], width: usize) -> Result<Tensor> {
        Tensor::from_slice(x, (x.len() / width, width), &Device::Cpu)
    }

    pub fn compare_with(expected: &[f32], layer: impl Fn(&Device) -> Result<Tensor>) {
        let actual = layer(&Device::Cpu).and_then(|y| y.flatten_all()?.to_vec1::<f32>()).expect("it computes");
        compare("candle", &actual, expected, FLOAT_TOLERANCE);
    }
}
