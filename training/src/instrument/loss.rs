//! Losses of the decoder: distance from the measured controls, and distance from the recorded sound.

use super::batch::Batch;
use super::net::{BODY, Played, controls, decode};
use super::performance::TARGET_HOP;
use crate::ops::{body_gains, filtered_noise, log_distance, oscillator, spectral_loss};
use crate::params::Params;
use crate::run::Loss;
use candle_core::{D, Result, Tensor};
use embouchure_inference::config::N_HARMONICS;

/// Weight of the level of all harmonics together, against that of the single harmonics.
const LEVEL_WEIGHT: f64 = 1.0;
/// Harmonic k has the weight k to this power, because the low harmonics carry the sound.
const HARMONIC_SLOPE: f32 = -0.4;
/// Weight of the body's roughness. The steps of a resonance of quality 40, about 0.3 nepers in 25 cents, cost 0.03.
const BODY_WEIGHT: f64 = 0.3;
/// Weight of the noise bands, against that of the harmonics.
const NOISE_WEIGHT: f64 = 0.5;
/// Weight of the distance of the controls while the sound is compared.
const CONTROLS_WEIGHT: f64 = 0.1;

/// Loss of the first phase: distance of the controls from the measured ones, nepers.
pub fn regression(params: &Params, batch: &Batch) -> Result<Loss> {
    let (loss, parts) = compare_controls(&play_as_recorded(params, batch)?, batch)?;
    Ok(((loss + roughness(params)?)?, parts))
}

/// Cost of changes of the body's gain from point to point, so that gains that no note reaches lie between their
/// neighbours.
fn roughness(params: &Params) -> Result<Tensor> {
    let body = params.get(BODY)?;
    let n = body.dim(1)? - 1;
    (body.narrow(1, 1, n)? - body.narrow(1, 0, n)?)?.sqr()?.mean_all()? * BODY_WEIGHT
}

/// Loss of the second phase: multi-scale spectral distance of the rendered sound, and a share of [`regression`].
pub fn spectral(params: &Params, batch: &Batch) -> Result<Loss> {
    let played = play_as_recorded(params, batch)?;
    let tone = oscillator(&played.harmonic_amplitudes, batch.turns.clone(), TARGET_HOP)?;
    let audio = (tone + filtered_noise(&played.noise_magnitudes, TARGET_HOP, batch.seed)?)?;
    let sound = spectral_loss(&audio, batch.audio.clone())?;
    let (of_controls, mut parts) = compare_controls(&played, batch)?;
    parts.insert(0, ("sound", sound.to_scalar()?));
    let of_controls = ((of_controls * CONTROLS_WEIGHT)? + roughness(params)?)?;
    Ok(((sound + of_controls)?, parts))
}

/// [`play`] with the pitch of the batch and the body of its players.
fn play_as_recorded(params: &Params, batch: &Batch) -> Result<Played> {
    let audible = batch.audible(params.device())?;
    let body = body_gains(params.get(BODY)?, batch.places.clone(), audible.dims3()?)?;
    play(params, batch, &audible, &body)
}

/// Controls that the decoder gives for a batch, at the level of the batch's targets. `audible` and `body`:
/// `[clips, FRAMES, N_HARMONICS]`, 1 for harmonics below 20 kHz, and linear gains.
pub fn play(params: &Params, batch: &Batch, audible: &Tensor, body: &Tensor) -> Result<Played> {
    let device = params.device();
    let played = controls(&decode(params, &batch.features(device)?, &batch.players(device)?)?, audible, body)?;
    let gains = batch.gains(device)?;
    Ok(Played {
        harmonic_amplitudes: played.harmonic_amplitudes.broadcast_mul(&gains)?,
        noise_magnitudes: played.noise_magnitudes.broadcast_mul(&gains)?,
    })
}

fn compare_controls(played: &Played, batch: &Batch) -> Result<Loss> {
    let device = played.noise_magnitudes.device();
    let target = batch.harmonics(device)?;
    let audible = batch.audible(device)?;
    let each = (log_distance(&played.harmonic_amplitudes, &target, batch.floor)? * &audible)?;
    let weights: Vec<f32> = (1..=N_HARMONICS).map(|k| (k as f32).powf(HARMONIC_SLOPE)).collect();
    let weights = Tensor::new(weights, device)?;
    let mean_weight = weights.mean_all()?.to_scalar::<f32>()? as f64;
    let harmonics = (each.broadcast_mul(&weights)?.mean_all()? / mean_weight)?;
    let level = |x: &Tensor| x.sqr()?.sum(D::Minus1)?.sqrt();
    let level =
        log_distance(&level(&(&played.harmonic_amplitudes + 1e-7)?)?, &level(&target)?, batch.floor)?.mean_all()?;
    let noise = log_distance(&played.noise_magnitudes, &batch.noise(device)?, batch.floor)?.mean_all()?;
    let parts =
        vec![("harmonics", harmonics.to_scalar()?), ("level", level.to_scalar()?), ("noise", noise.to_scalar()?)];
    Ok((((harmonics + (level * LEVEL_WEIGHT)?)? + (noise * NOISE_WEIGHT)?)?, parts))
}

#[cfg(test)]
mod tests {
    use super::super::batch::tests::batch;
    use super::super::net::new_params;
    use super::*;
    use crate::ops::check::plain_gradients_match;
    use candle_core::Device;

    #[test]
    fn the_operations_of_a_gpu_have_the_same_gradients() -> Result<()> {
        let (params, batch) = (new_params(4, 24, 1, &Device::Cpu)?, batch(0.3));
        plain_gradients_match(&params, || Ok(regression(&params, &batch)?.0));
        plain_gradients_match(&params, || Ok(spectral(&params, &batch)?.0));
        Ok(())
    }
}
