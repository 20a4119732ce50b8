//! The decoder as a trainable network over batches. Names and arithmetic are those of `inference::play::decoder`.

use crate::ops::{exp_sigmoid, gru_sequence, layer_norm, leaky_relu};
use crate::params::{Params, in_main_memory};
use candle_core::{D, Device, Result, Tensor};
use embouchure_inference::config::{N_HARMONICS, N_NOISE_BANDS};
use embouchure_inference::controls::NOISE_BIAS;
use embouchure_inference::nn::{N_FEATURES, N_RAW};
use embouchure_inference::play::body;
use std::collections::HashMap;

/// Table of a vector per player, added to the first layer.
const PLAYERS: &str = "players";
/// Table of the body's gains per player, natural logarithm.
pub const BODY: &str = "body";

/// Untrained parameters with hidden layers of `width` units.
///
/// The recordings may come from several players, each with an own instrument, room and way of playing. The differences
/// between them are learned beside the decoder, as in multi-speaker synthesisers (Gibiansky et al. 2017, "Deep Voice
/// 2", arXiv:1705.08947). Otherwise the decoder would play the mean of all, which sounds like none.
pub fn new_params(seed: u64, width: usize, n_players: usize, device: &Device) -> Result<Params> {
    let mut params = Params::new(seed, device);
    for (name, n_in) in [("input.0", N_FEATURES), ("input.1", width), ("output", 2 * width)] {
        params.add_linear(name, n_in, width, 1.0)?;
        params.add_norm(&format!("{name}.norm"), width)?;
    }
    params.add_linear("gru.input", width, 3 * width, 1.0)?;
    params.add_linear("gru.hidden", width, 3 * width, 1.0)?;
    params.add_linear("head", width, N_RAW, 0.3)?;
    params.add_table(PLAYERS, n_players, width)?;
    params.add_table(BODY, n_players, body::N_POINTS)?;
    Ok(params)
}

/// Tensors of a weights file that plays as `player`, counted from 0. Features that were not `told` get the weight 0.
pub fn as_player(params: &Params, player: usize, told: &[bool; N_FEATURES]) -> Result<HashMap<String, Tensor>> {
    let mut tensors = params.tensors(PLAYERS)?;
    let row = |name: &str| params.get(name)?.narrow(0, player, 1);
    let bias = (params.get("input.0.bias")? + row(PLAYERS)?.squeeze(0)?)?;
    tensors.insert("input.0.bias".into(), in_main_memory(&bias)?);
    let told: Vec<f32> = told.iter().map(|told| f32::from(*told)).collect();
    let weight = params.get("input.0.weight")?.broadcast_mul(&Tensor::new(told, bias.device())?)?;
    tensors.insert("input.0.weight".into(), in_main_memory(&weight)?);
    tensors.insert(BODY.into(), in_main_memory(&row(BODY)?)?);
    Ok(tensors)
}

/// Runs the decoder. `features`: `[batch, frames, N_FEATURES]`. `players`: one-hot, `[batch · frames, n_players]`.
/// Returns raw outputs, `[batch, frames, N_RAW]`.
pub fn decode(params: &Params, features: &Tensor, players: &Tensor) -> Result<Tensor> {
    let (batch, frames, _) = features.dims3()?;
    let x = features.reshape((batch * frames, N_FEATURES))?;
    let x = (params.linear("input.0", &x)? + players.matmul(params.get(PLAYERS)?)?)?;
    let x = dense(params, "input.1", &activate(params, "input.0", &x)?)?;
    let gates = params.linear("gru.input", &x)?;
    let width = x.dim(1)?;
    let gates = gates.reshape((batch, frames, 3 * width))?;
    let h = gru_sequence(&gates, params.get("gru.hidden.weight")?, params.get("gru.hidden.bias")?)?;
    let h = h.reshape((batch * frames, width))?;
    let out = params.linear("head", &dense(params, "output", &Tensor::cat(&[&h, &x], 1)?)?)?;
    out.reshape((batch, frames, N_RAW))
}

fn dense(params: &Params, name: &str, x: &Tensor) -> Result<Tensor> {
    activate(params, name, &params.linear(name, x)?)
}

fn activate(params: &Params, name: &str, y: &Tensor) -> Result<Tensor> {
    let (weight, bias) = (params.get(&format!("{name}.norm.weight"))?, params.get(&format!("{name}.norm.bias"))?);
    leaky_relu(&layer_norm(y, weight, bias)?)
}

/// Controls of a batch.
pub struct Played {
    /// `[batch, frames, N_HARMONICS]`, linear.
    pub harmonic_amplitudes: Tensor,
    /// `[batch, frames, N_NOISE_BANDS]`, linear.
    pub noise_magnitudes: Tensor,
}

/// Raw outputs as controls, as `Controls::from_raw` at runtime. `audible`: `[batch, frames, N_HARMONICS]`, 1 for
/// harmonics below 20 kHz. `body`: linear gains of the same shape.
pub fn controls(raw: &Tensor, audible: &Tensor, body: &Tensor) -> Result<Played> {
    let part = |from, n| raw.narrow(D::Minus1, from, n)?.contiguous();
    let amplitude = exp_sigmoid(&part(0, 1)?)?;
    let weights = (exp_sigmoid(&part(1, N_HARMONICS)?)? * audible)?;
    let distribution = weights.broadcast_div(&weights.sum_keepdim(D::Minus1)?)?;
    let noise = (part(1 + N_HARMONICS, N_NOISE_BANDS)? + NOISE_BIAS as f64)?;
    let harmonic_amplitudes = (distribution.broadcast_mul(&amplitude)? * body)?;
    Ok(Played { harmonic_amplitudes, noise_magnitudes: exp_sigmoid(&noise)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::check::random;
    use crate::ops::values;
    use embouchure_inference::config::NOISE_MAX_HZ;
    use embouchure_inference::controls::Controls;

    #[test]
    fn controls_are_those_of_the_runtime() -> Result<()> {
        let raw = (random(&[1, 3, N_RAW], 30) * 6.0)?;
        let f0_hz = [200.0, 440.0, 3000.0];
        let audible: Vec<f32> = f0_hz
            .iter()
            .flat_map(|f| (1..=N_HARMONICS).map(move |k| f32::from(k as f32 <= NOISE_MAX_HZ / f)))
            .collect();
        let audible = Tensor::from_vec(audible, (1, 3, N_HARMONICS), raw.device())?;
        let played = controls(&raw, &audible, &audible.ones_like()?)?;
        let (harmonics, noise) = (values(&played.harmonic_amplitudes)?, values(&played.noise_magnitudes)?);
        for (t, f0) in f0_hz.iter().enumerate() {
            let expected = Controls::from_raw(
                &values(&raw.narrow(1, t, 1)?)?.try_into().expect("as many"),
                *f0,
                &[1.0; N_HARMONICS],
            );
            for k in 0..N_HARMONICS {
                let e = expected.harmonic_amplitudes()[k];
                assert!((harmonics[t * N_HARMONICS + k] - e).abs() < 1e-4 * expected.amplitude(), "harmonic {k}");
            }
            for b in 0..N_NOISE_BANDS {
                assert!((noise[t * N_NOISE_BANDS + b] / expected.noise_magnitudes()[b] - 1.0).abs() < 0.02, "band {b}");
            }
        }
        Ok(())
    }

    #[test]
    fn a_weights_file_has_its_players_row_and_no_weight_for_features_that_were_not_told() -> Result<()> {
        let params = new_params(1, 8, 3, &Device::Cpu)?;
        let mut tensors = params.tensors("\0")?;
        let row = |value: f32, n: usize| vec![value; n];
        let players = [row(0.0, 8), row(1.0, 8), row(2.0, 8)].concat();
        tensors.insert(PLAYERS.into(), Tensor::from_vec(players, (3, 8), &Device::Cpu)?);
        let bodies = [0.0, 0.1, 0.2].map(|value| row(value, body::N_POINTS)).concat();
        tensors.insert(BODY.into(), Tensor::from_vec(bodies, (3, body::N_POINTS), &Device::Cpu)?);
        params.restore(&tensors)?;
        for player in 0..3 {
            let told = std::array::from_fn(|i| player != 1 || i != 1);
            let file = as_player(&params, player, &told)?;
            assert!(!file.contains_key(PLAYERS));
            assert_eq!(values(&file["input.0.bias"])?, row(player as f32, 8));
            assert_eq!(values(&file[BODY])?, row(0.1 * player as f32, body::N_POINTS));
            let weights = file["input.0.weight"].to_vec2::<f32>()?;
            assert_eq!(weights.iter().all(|of_unit| of_unit[1] == 0.0), player == 1);
            assert!(weights.iter().all(|of_unit| of_unit[2] != 0.0));
        }
        Ok(())
    }
}
