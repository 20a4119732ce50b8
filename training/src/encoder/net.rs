//! The encoder as a trainable network over batches. Names and arithmetic are those of `inference::hear::encoder`.

use crate::ops::{causal_conv, leaky_relu, leaky_rms};
use crate::params::Params;
use candle_core::{Device, Result, Tensor};
use embouchure_inference::config::N_Z;
use embouchure_inference::nn::{CONVS, N_CONVOLVED, N_HEAD, N_TRUNK, is_residual};

/// Prefix of the probe's parameters, which are not in the weights file.
pub const PROBE: &str = "probe";
/// Mel bands that the probe predicts from z.
pub const N_MEL: usize = 32;
/// All values that the probe predicts from z: the bands, the share of breath, the attack.
pub const N_SPECTRUM: usize = N_MEL + 2;
/// Units of the probe's hidden layer.
const N_PROBE: usize = 96;

/// Untrained parameters of the encoder and of the probe, a small network that predicts the spectrum from z and f0.
pub fn new_params(seed: u64, device: &Device) -> Result<Params> {
    let mut params = Params::new(seed, device);
    for (i, spec) in CONVS.iter().enumerate() {
        params.add_linear(&format!("conv.{i}"), spec.kernel * spec.n_in, spec.n_out, 2f32.sqrt())?;
    }
    params.add_linear("trunk", N_CONVOLVED, N_TRUNK, 1.0)?;
    params.add_linear("head", N_TRUNK, N_HEAD, 0.3)?;
    params.add_linear("probe.0", N_Z + 2, N_PROBE, 1.0)?;
    params.add_linear("probe.1", N_PROBE, N_SPECTRUM, 1.0)?;
    Ok(params)
}

/// Runs the encoder. `x`: `[batch, samples, 1]`, level-normalised. Returns the head's outputs, `[batch · hops,
/// N_HEAD]`.
pub fn encode(params: &Params, x: &Tensor) -> Result<Tensor> {
    let mut x = x.clone();
    for (i, spec) in CONVS.iter().enumerate() {
        let (weight, bias) = (params.get(&format!("conv.{i}.weight"))?, params.get(&format!("conv.{i}.bias"))?);
        let y = leaky_rms(&causal_conv(&x, weight, bias, *spec)?)?;
        x = if is_residual(i) { (x + y)? } else { y };
    }
    let (batch, hops, width) = x.dims3()?;
    let trunk = leaky_relu(&params.linear("trunk", &x.reshape((batch * hops, width))?)?)?;
    params.linear("head", &trunk)
}

/// Runs the probe. `z`: `[rows, N_Z]`. `pitch`: scaled f0 and voicing, `[rows, 2]`. Returns `[rows, N_SPECTRUM]`.
pub fn predict_spectrum(params: &Params, z: &Tensor, pitch: &Tensor) -> Result<Tensor> {
    let x = Tensor::cat(&[z, pitch], 1)?;
    params.linear("probe.1", &leaky_relu(&params.linear("probe.0", &x)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrays::arrays;
    use embouchure_inference::hear::LevelNormalizer;
    use embouchure_inference::hear::encoder::{Card, Encoder, FORMAT};
    use embouchure_inference::nn::weights::to_bytes;

    #[test]
    fn the_trained_encoder_equals_the_runtime() -> anyhow::Result<()> {
        let params = new_params(3, &Device::Cpu)?;
        let empty = String::new;
        let card = Card {
            name: empty(),
            licence: empty(),
            author: empty(),
            trained_on: empty(),
            steps: 0,
            loss: 0.0,
            date: empty(),
            keeps_z_of: vec![],
        };
        let encoder = Encoder::from_bytes(&to_bytes(&arrays(&params.tensors(PROBE)?)?, &card, FORMAT)?)?;
        let clip: Vec<f32> = (0..6400).map(|i| (i as f32 * 0.11).sin() * (i as f32 * 0.0007).cos()).collect();
        let x = Tensor::from_vec(LevelNormalizer::clip(&clip), (1, 6400, 1), &Device::Cpu)?;
        let trained: Vec<Vec<f32>> = encode(&params, &x)?.to_vec2()?;
        for (row, encoding) in trained.iter().zip(encoder.forward(&clip)) {
            let played = encoding.pitch_logits.iter().chain(&encoding.z);
            let row = row[..440].iter().chain(&row[441..]);
            let (mut size, mut error) = (0.0, 0.0);
            for (a, b) in row.zip(played) {
                size += a * a;
                error += (a - b) * (a - b);
            }
            // The runtime has weights of 8 bits, training has floats. A missing or misplaced layer would make a larger
            // error.
            assert!(error < 4e-4 * size, "{error} of {size}");
        }
        Ok(())
    }
}
