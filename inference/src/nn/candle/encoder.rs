//! The encoder with candle's operations.

use super::layers::{Conv, Linear, leaky_relu, leaky_rms_norm};
use super::stream::Operations;
use crate::config::HOP_SIZE;
use crate::nn::parameters::EncoderParameters;
use crate::nn::shape::{CONVS, N_HEAD, is_residual};
use candle_core::{Device, Result, Tensor};

/// Weights of the encoder.
pub struct Encoder {
    convs: Vec<Conv>,
    trunk: Linear,
    head: Linear,
    device: Device,
}

impl Encoder {
    /// Allocates on `device`.
    pub fn new(parameters: &EncoderParameters, device: &Device) -> Result<Self> {
        let convs = CONVS.iter().zip(&parameters.convs).map(|(spec, conv)| Conv::new(*spec, conv, device));
        Ok(Self {
            convs: convs.collect::<Result<_>>()?,
            trunk: Linear::new(&parameters.trunk, device)?,
            head: Linear::new(&parameters.head, device)?,
            device: device.clone(),
        })
    }
}

impl Operations<HOP_SIZE, N_HEAD> for Encoder {
    fn device(&self) -> &Device {
        &self.device
    }

    fn new_state(&self) -> Result<Vec<Tensor>> {
        self.convs.iter().map(|conv| conv.past(&self.device)).collect()
    }

    fn run(&self, state: &mut [Tensor], samples: &Tensor) -> Result<Tensor> {
        let mut x = samples.reshape((samples.elem_count(), 1))?;
        for (i, (conv, past)) in self.convs.iter().zip(state).enumerate() {
            x = leaky_rms_norm(&conv.rows(past, &x)?, is_residual(i).then_some(&x))?;
        }
        self.head.rows(&leaky_relu(&self.trunk.rows(&x)?)?)
    }
}
