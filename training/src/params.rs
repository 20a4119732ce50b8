//! Named, trainable tensors.

use candle_core::{Device, Result, Tensor, Var};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, HashMap};

/// Parameters of one network, by the names that the weights file uses.
pub struct Params {
    vars: BTreeMap<String, Var>,
    rng: ChaCha8Rng,
    device: Device,
}

impl Params {
    /// No parameters yet. `seed` decides their initial values, which are the same on every device.
    pub fn new(seed: u64, device: &Device) -> Self {
        Self { vars: BTreeMap::new(), rng: ChaCha8Rng::seed_from_u64(seed), device: device.clone() }
    }

    /// Device of the parameters. Tensors that are combined with them must be there, too.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Adds `name.weight` `[n_out, n_in]`, uniform with standard deviation `gain / √n_in`, and `name.bias`, zero.
    pub fn add_linear(&mut self, name: &str, n_in: usize, n_out: usize, gain: f32) -> Result<()> {
        let limit = gain * (3.0 / n_in as f32).sqrt();
        let weight = (0..n_in * n_out).map(|_| self.rng.random_range(-limit..limit)).collect();
        self.add(&format!("{name}.weight"), weight, &[n_out, n_in])?;
        self.add(&format!("{name}.bias"), vec![0.0; n_out], &[n_out])
    }

    /// Adds `name.weight`, one, and `name.bias`, zero, `[width]` each.
    pub fn add_norm(&mut self, name: &str, width: usize) -> Result<()> {
        self.add(&format!("{name}.weight"), vec![1.0; width], &[width])?;
        self.add(&format!("{name}.bias"), vec![0.0; width], &[width])
    }

    /// Adds `name`, zero, `[n_rows, n_columns]`.
    pub fn add_table(&mut self, name: &str, n_rows: usize, n_columns: usize) -> Result<()> {
        self.add(name, vec![0.0; n_rows * n_columns], &[n_rows, n_columns])
    }

    fn add(&mut self, name: &str, values: Vec<f32>, shape: &[usize]) -> Result<()> {
        let var = Var::from_vec(values, shape, &self.device)?;
        self.vars.insert(name.into(), var);
        Ok(())
    }

    /// The parameter called `name`, tracked for gradients. Errors if there is none.
    pub fn get(&self, name: &str) -> Result<&Tensor> {
        match self.vars.get(name) {
            Some(var) => Ok(var.as_tensor()),
            None => candle_core::bail!("no parameter is called {name:?}"),
        }
    }

    /// `x Wᵀ + b` with the parameters of `name`; `x`: `[rows, n_in]`, contiguous.
    pub fn linear(&self, name: &str, x: &Tensor) -> Result<Tensor> {
        let weight = self.get(&format!("{name}.weight"))?;
        x.matmul(&weight.t()?)?.broadcast_add(self.get(&format!("{name}.bias"))?)
    }

    /// All parameters in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Var)> {
        self.vars.iter()
    }

    /// Number of trainable values.
    pub fn n_values(&self) -> usize {
        self.vars.values().map(|v| v.elem_count()).sum()
    }

    /// Copies of the parameters in main memory, without those whose name starts with `except`.
    pub fn tensors(&self, except: &str) -> Result<HashMap<String, Tensor>> {
        let kept = self.vars.iter().filter(|(name, _)| !name.starts_with(except));
        kept.map(|(name, var)| Ok((name.clone(), in_main_memory(var.as_tensor())?))).collect()
    }

    /// Sets those parameters that are in `tensors`; the others keep their values.
    pub fn start_from(&self, tensors: &HashMap<String, Tensor>) -> Result<()> {
        self.vars.iter().filter_map(|(name, var)| Some((var, tensors.get(name)?))).try_for_each(|(var, t)| set(var, t))
    }

    /// Sets every parameter from `tensors`. Errors if one is missing there.
    pub fn restore(&self, tensors: &HashMap<String, Tensor>) -> Result<()> {
        for (name, var) in &self.vars {
            match tensors.get(name) {
                Some(tensor) => set(var, tensor)?,
                None => candle_core::bail!("the checkpoint has no {name:?}: it belongs to another network"),
            }
        }
        Ok(())
    }
}

/// A copy of `tensor` in main memory, without gradient.
pub fn in_main_memory(tensor: &Tensor) -> Result<Tensor> {
    tensor.detach().copy()?.to_device(&Device::Cpu)
}

fn set(var: &Var, tensor: &Tensor) -> Result<()> {
    var.set(&tensor.to_device(var.device())?)
}
