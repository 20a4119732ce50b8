//! Adam with decoupled weight decay (Loshchilov & Hutter 2019, arXiv:1711.05101) and gradient clipping. Its state can
//! be saved, which candle's own optimiser does not offer.

use crate::ops::values;
use crate::params::Params;
use candle_core::{Device, Result, Tensor, backprop::GradStore};
use std::collections::{BTreeMap, HashMap};

/// Share of the first and second moments that stays from step to step.
const BETA: (f32, f32) = (0.9, 0.99);
/// Keeps the division finite, as in Kingma & Ba 2015, "Adam" (arXiv:1412.6980).
const EPS: f32 = 1e-8;
/// A weight shrinks by this share times the learning rate in each step.
const WEIGHT_DECAY: f32 = 1e-3;

/// Learning rate over the steps: a linear warm-up times half a cosine that falls to 0.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    /// Highest learning rate.
    pub peak: f32,
    /// Steps until the peak.
    pub warm_up: usize,
    /// Steps in all.
    pub total: usize,
}

impl Schedule {
    /// Learning rate of step `step`, counted from 0.
    pub fn at(&self, step: usize) -> f32 {
        let rise = ((step + 1) as f32 / self.warm_up as f32).min(1.0);
        let progress = step as f32 / self.total.max(1) as f32;
        self.peak * rise * 0.5 * (1.0 + (std::f32::consts::PI * progress.min(1.0)).cos())
    }
}

/// Adam's state: the moments of every parameter, by name.
#[derive(Default)]
pub struct Optimizer {
    moments: BTreeMap<String, Moments>,
    n_steps: i32,
}

struct Moments {
    first: Vec<f32>,
    second: Vec<f32>,
}

impl Optimizer {
    /// Moves every parameter one step against its gradient, whose norm over all parameters is clipped to `max_norm`.
    /// Returns the norm before clipping; a gradient that is not finite is skipped.
    pub fn step(&mut self, params: &Params, grads: &GradStore, rate: f32, max_norm: f32) -> Result<f32> {
        let mut gradients = Vec::new();
        for (name, var) in params.iter() {
            if let Some(grad) = grads.get(var) {
                gradients.push((name, var, values(grad)?));
            }
        }
        let norm = gradients.iter().flat_map(|(_, _, g)| g).map(|g| (*g as f64).powi(2)).sum::<f64>().sqrt() as f32;
        if !norm.is_finite() {
            return Ok(norm);
        }
        let scale = (max_norm / norm.max(1e-12)).min(1.0);
        self.n_steps += 1;
        let correction = (1.0 - BETA.0.powi(self.n_steps), 1.0 - BETA.1.powi(self.n_steps));
        for (name, var, grad) in gradients {
            let n = grad.len();
            let moments = self
                .moments
                .entry(name.clone())
                .or_insert_with(|| Moments { first: vec![0.0; n], second: vec![0.0; n] });
            let mut at = values(var.as_tensor())?;
            // Biases and norms do not decay, because they are few and have no reason to be small.
            let decay = if var.rank() > 1 { rate * WEIGHT_DECAY } else { 0.0 };
            for i in 0..n {
                let g = grad[i] * scale;
                moments.first[i] += (1.0 - BETA.0) * (g - moments.first[i]);
                moments.second[i] += (1.0 - BETA.1) * (g * g - moments.second[i]);
                let step = moments.first[i] / correction.0 / ((moments.second[i] / correction.1).sqrt() + EPS);
                at[i] -= rate * step + decay * at[i];
            }
            var.set(&Tensor::from_vec(at, var.shape(), var.device())?)?;
        }
        Ok(norm)
    }

    /// Moments as tensors for a checkpoint.
    pub fn tensors(&self) -> Result<HashMap<String, Tensor>> {
        let mut all = HashMap::new();
        for (name, m) in &self.moments {
            all.insert(format!("adam.first.{name}"), Tensor::new(m.first.as_slice(), &Device::Cpu)?);
            all.insert(format!("adam.second.{name}"), Tensor::new(m.second.as_slice(), &Device::Cpu)?);
        }
        Ok(all)
    }

    /// Restores the moments from a checkpoint that was written after `n_steps` steps.
    pub fn restore(&mut self, params: &Params, tensors: &HashMap<String, Tensor>, n_steps: usize) -> Result<()> {
        self.n_steps = n_steps as i32;
        for (name, _) in params.iter() {
            let first = tensors.get(&format!("adam.first.{name}"));
            if let (Some(first), Some(second)) = (first, tensors.get(&format!("adam.second.{name}"))) {
                self.moments.insert(name.clone(), Moments { first: values(first)?, second: values(second)? });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_minimum_of_a_bowl() -> Result<()> {
        let mut params = Params::new(1, &Device::Cpu);
        params.add_linear("w", 4, 3, 1.0)?;
        let mut optimizer = Optimizer::default();
        for _ in 0..400 {
            let loss = (params.get("w.weight")? - 0.5)?.sqr()?.sum_all()?;
            optimizer.step(&params, &loss.backward()?, 0.02, 1.0)?;
        }
        let far = (params.get("w.weight")? - 0.5)?.abs()?.max_all()?.to_scalar::<f32>()?;
        assert!(far < 0.02, "{far} away");
        Ok(())
    }
}
