//! Loss of the encoder: the pitch bin, the voicing, and a z from which the spectrum can be predicted.

use super::batch::Batch;
use super::net::{N_MEL, N_SPECTRUM, predict_spectrum};
use crate::ops::{on_cpu, slice, tensor, values};
use crate::params::Params;
use crate::run::Loss;
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use candle_nn::ops::log_softmax;
use embouchure_inference::config::{N_PITCH_BINS, N_Z, hz_to_bin};

/// Standard deviation of the blurred label, bins: 25 cents, as in CREPE.
const BLUR: f32 = 1.25;
/// Weight of the predicted spectrum, against pitch and voicing.
const SPECTRUM_WEIGHT: f64 = 0.3;
/// Weights of the spectrum's values. Breath and attack weigh more, because they are one value each beside many bands.
const SPECTRUM_WEIGHTS: [f32; N_SPECTRUM] = {
    let mut weights = [1.0; N_SPECTRUM];
    weights[N_MEL] = 5.0;
    weights[N_MEL + 1] = 5.0;
    weights
};
/// Weight of z's mean square, which keeps z near the size that the decoder expects.
const Z_WEIGHT: f64 = 2e-3;
/// Weight of the mean square of the change of a z that is kept. With it z moved by 0.010, 0.006 and 0.007 in three
/// improvements, and instruments sounded as before (docs/tried.md).
const KEPT_Z_WEIGHT: f64 = 1.0;

/// Loss of the head's outputs (`[rows, N_HEAD]`) on `batch`.
pub fn loss(params: &Params, head: &Tensor, batch: &Batch) -> Result<Loss> {
    let device = params.device();
    let pitch = head.narrow(1, 0, N_PITCH_BINS)?.contiguous()?;
    let pitch = BlurredCrossEntropy::new(&batch.f0_hz, &batch.pitch_weights).of(&pitch)?;
    let logit = head.narrow(1, N_PITCH_BINS, 1)?.flatten_all()?;
    let voicing = (binary_cross_entropy(&logit, &batch.voiced(device)?)? * batch.voicing_known(device)?)?.mean_all()?;
    let z = head.narrow(1, N_PITCH_BINS + 1, N_Z)?.contiguous()?;
    let mut parts = vec![("pitch", scalar(&pitch)?), ("voicing", scalar(&voicing)?)];
    let of_z = match batch.kept_z(device)? {
        Some(kept) => {
            let moved = (z - kept)?.sqr()?.mean_all()?;
            parts.push(("z moved", scalar(&moved)?));
            (moved * KEPT_Z_WEIGHT)?
        }
        None => {
            let spectrum = spectrum_error(params, &z, batch)?;
            parts.push(("spectrum", scalar(&spectrum)?));
            ((spectrum * SPECTRUM_WEIGHT)? + (z.sqr()?.mean_all()? * Z_WEIGHT)?)?
        }
    };
    Ok((((pitch + voicing)? + of_z)?, parts))
}

/// Weighted mean square error of the spectrum that is predicted from z and the pitch.
fn spectrum_error(params: &Params, z: &Tensor, batch: &Batch) -> Result<Tensor> {
    let device = params.device();
    let error = (predict_spectrum(params, z, &batch.pitch_features(device)?)? - batch.spectrum(device)?)?.sqr()?;
    let error = error.broadcast_mul(&Tensor::new(&[SPECTRUM_WEIGHTS], device)?)?;
    error.broadcast_mul(&batch.sounding(device)?)?.mean_all()
}

fn scalar(t: &Tensor) -> Result<f32> {
    t.to_scalar()
}

/// Binary cross-entropy per row: `max(x, 0) - x·y + ln(1 + e^-|x|)`, a form that never overflows.
fn binary_cross_entropy(logit: &Tensor, label: &Tensor) -> Result<Tensor> {
    let tail = (logit.abs()?.neg()?.exp()? + 1.0)?.log()?;
    (logit.relu()? - (logit * label)?)? + tail
}

/// Weighted mean over voiced rows of the cross-entropy to a Gaussian around the true bin.
struct BlurredCrossEntropy {
    /// True pitch of each row, Hz; rows with 0 are unvoiced and do not count.
    f0_hz: Vec<f32>,
    /// Weight of each row; they sum to 1, or to 0 without voiced rows.
    weights: Vec<f32>,
}

impl BlurredCrossEntropy {
    fn new(f0_hz: &[f32], pitch_weights: &[f32]) -> Self {
        let weigh = |(f0, weight): (&f32, &f32)| if *f0 > 0.0 { *weight } else { 0.0 };
        let mut weights: Vec<f32> = f0_hz.iter().zip(pitch_weights).map(weigh).collect();
        let sum = weights.iter().sum::<f32>().max(1.0);
        weights.iter_mut().for_each(|w| *w /= sum);
        Self { f0_hz: f0_hz.to_vec(), weights }
    }

    /// The loss of `logits`, `[rows, N_PITCH_BINS]`, a scalar.
    fn of(self, logits: &Tensor) -> Result<Tensor> {
        if on_cpu(logits) { logits.apply_op1(self) } else { self.plain(logits) }
    }

    /// The same with candle's own operations.
    fn plain(&self, logits: &Tensor) -> Result<Tensor> {
        let labels = self.f0_hz.iter().zip(&self.weights).flat_map(|(f0, weight)| {
            let label = if *weight > 0.0 { Self::label(*f0) } else { vec![0.0; N_PITCH_BINS] };
            label.into_iter().map(move |share| weight * share)
        });
        let labels = Tensor::from_vec(labels.collect(), logits.shape(), logits.device())?;
        (log_softmax(logits, 1)? * labels)?.sum_all()?.neg()
    }

    /// Probabilities of the pitch bins: a Gaussian around the true one.
    fn label(f0_hz: f32) -> Vec<f32> {
        let centre = hz_to_bin(f0_hz);
        let mut label = vec![0.0; N_PITCH_BINS];
        let (from, to) = ((centre - 6.0).max(0.0) as usize, ((centre + 7.0).max(0.0) as usize).min(N_PITCH_BINS));
        for (bin, weight) in label.iter_mut().enumerate().take(to).skip(from) {
            *weight = (-0.5 * ((bin as f32 - centre) / BLUR).powi(2)).exp();
        }
        let sum: f32 = label.iter().sum();
        label.iter_mut().for_each(|w| *w /= sum.max(1e-9));
        label
    }
}

/// Probabilities of one row and the logarithm of their normaliser.
fn softmax(row: &[f32]) -> (Vec<f32>, f32) {
    let top = row.iter().copied().fold(f32::MIN, f32::max);
    let mut p: Vec<f32> = row.iter().map(|x| (x - top).exp()).collect();
    let sum: f32 = p.iter().sum();
    p.iter_mut().for_each(|p| *p /= sum);
    (p, top + sum.ln())
}

impl CustomOp1 for BlurredCrossEntropy {
    fn name(&self) -> &'static str {
        "blurred-cross-entropy"
    }

    fn cpu_fwd(&self, logits: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let rows = slice(logits, layout)?.chunks_exact(N_PITCH_BINS);
        let mut total = 0.0;
        for ((row, f0), weight) in rows.zip(&self.f0_hz).zip(&self.weights).filter(|(_, weight)| **weight > 0.0) {
            let (_, normaliser) = softmax(row);
            total += weight * Self::label(*f0).iter().zip(row).map(|(w, x)| w * (normaliser - x)).sum::<f32>();
        }
        Ok((CpuStorage::F32(vec![total]), ().into()))
    }

    fn bwd(&self, logits: &Tensor, _out: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let grad = grad.to_scalar::<f32>()?;
        let mut d = values(logits)?;
        for ((row, f0), weight) in d.chunks_exact_mut(N_PITCH_BINS).zip(&self.f0_hz).zip(&self.weights) {
            if *weight <= 0.0 {
                row.fill(0.0);
                continue;
            }
            let (p, label) = (softmax(row).0, Self::label(*f0));
            row.iter_mut().zip(p.iter().zip(label)).for_each(|(x, (p, w))| *x = (p - w) * grad * weight);
        }
        Ok(Some(tensor(d, logits.shape())?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::Corpus;
    use crate::encoder::batch::Batches;
    use crate::encoder::net::{encode, new_params};
    use crate::ops::check::{gradients_match, plain_gradients_match, plain_matches, random};
    use candle_core::Device;
    use embouchure_inference::hear::encoder::Encoder;

    #[test]
    fn a_kept_z_costs_the_square_of_its_change() -> Result<()> {
        let kept = Encoder::from_bytes(embouchure_weights::ENCODER).unwrap();
        let batch = Batches::new(1, 2, Corpus::default(), Some(kept)).make(0);
        let params = Params::new(1, &Device::Cpu);
        let z = batch.kept_z(&Device::Cpu)?.unwrap();
        let rows = z.dim(0)?;
        let logits = Tensor::zeros((rows, N_PITCH_BINS + 1), z.dtype(), z.device())?;
        let cost = |moved: f64| -> Result<f32> {
            let head = Tensor::cat(&[&logits, &(&z + moved)?], 1)?;
            loss(&params, &head, &batch)?.0.to_scalar()
        };
        assert!((cost(0.5)? - cost(0.0)? - 0.25 * KEPT_Z_WEIGHT as f32).abs() < 1e-3);
        Ok(())
    }

    #[test]
    fn the_operations_of_a_gpu_have_the_same_gradients() -> Result<()> {
        let params = new_params(5, &Device::Cpu)?;
        let batch = Batches::new(1, 2, Corpus::default(), None).make(0);
        plain_gradients_match(&params, || Ok(loss(&params, &encode(&params, &batch.input(&Device::Cpu)?)?, &batch)?.0));
        Ok(())
    }

    #[test]
    fn gradient_is_right() {
        let op = || BlurredCrossEntropy::new(&[31.5, 0.0, 440.0], &[4.0, 4.0, 1.0]);
        let logits = [random(&[3, N_PITCH_BINS], 12)];
        gradients_match(&logits, |v| op().of(&v[0]));
        plain_matches(&logits, |v| op().of(&v[0]), |v| op().plain(&v[0]));
    }
}
