//! A decoder with candle's operations.

use super::layers::{Dense, Gru, Linear};
use super::stream::Operations;
use crate::nn::parameters::DecoderParameters;
use crate::nn::shape::{N_FEATURES, N_RAW};
use candle_core::{Device, Result, Tensor};

/// Weights of a decoder.
pub struct Decoder {
    input: [Dense; 2],
    gru: Gru,
    output: Dense,
    head: Linear,
    device: Device,
}

impl Decoder {
    /// Allocates on `device`.
    pub fn new(parameters: &DecoderParameters, device: &Device) -> Result<Self> {
        let [first, second] = &parameters.input;
        Ok(Self {
            input: [Dense::new(first, device)?, Dense::new(second, device)?],
            gru: Gru::new(&parameters.gru, device)?,
            output: Dense::new(&parameters.output, device)?,
            head: Linear::new(&parameters.head, device)?,
            device: device.clone(),
        })
    }
}

impl Operations<N_FEATURES, N_RAW> for Decoder {
    fn device(&self) -> &Device {
        &self.device
    }

    fn new_state(&self) -> Result<Vec<Tensor>> {
        Ok(vec![self.gru.state(&self.device)?])
    }

    fn run(&self, state: &mut [Tensor], features: &Tensor) -> Result<Tensor> {
        let [first, second] = &self.input;
        let x = second.rows(&first.rows(features)?)?;
        let h = self.gru.rows(&mut state[0], &x)?;
        self.head.rows(&self.output.rows(&Tensor::cat(&[&h, &x], 1)?)?)
    }
}
