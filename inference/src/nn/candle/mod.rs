//! Both networks with candle's own operations only, on floats: GPUs run them, and tests compare the kernels of [`cpu`]
//! with them. A hop is small, and on a CPU most of the time went into allocation, dispatch and small passes. There each
//! network is one operation instead, which calls the kernels ([`Fused`]).

mod decoder;
mod encoder;
mod fused;
mod layers;
mod stream;

pub use decoder::Decoder;
pub use encoder::Encoder;
pub use fused::{Fused, slice};
pub use layers::{Conv, Gru, LayerNorm, Linear, gru_step, leaky_relu, leaky_rms_norm};

use super::parameters::{DecoderParameters, EncoderParameters};
use super::{DecoderNetwork, EncoderNetwork, cpu};
use candle_core::{Device, Result};
use std::sync::{Arc, OnceLock};

/// Device on which candle runs the networks: the GPU of a Mac if built with the feature `metal`, otherwise the CPU.
pub fn device() -> &'static Device {
    static DEVICE: OnceLock<Device> = OnceLock::new();
    #[cfg(feature = "metal")]
    let choose = || Device::new_metal(0).unwrap_or(Device::Cpu);
    #[cfg(not(feature = "metal"))]
    let choose = || Device::Cpu;
    DEVICE.get_or_init(choose)
}

/// An encoder on [`device`]. Allocates.
pub fn encoder(parameters: &EncoderParameters) -> Result<Arc<EncoderNetwork>> {
    match device() {
        Device::Cpu => Ok(Arc::new(Fused(Arc::new(cpu::Encoder::new(parameters))))),
        gpu => Ok(Arc::new(Encoder::new(parameters, gpu)?)),
    }
}

/// A decoder on [`device`]. Allocates.
pub fn decoder(parameters: &DecoderParameters) -> Result<Arc<DecoderNetwork>> {
    match device() {
        Device::Cpu => Ok(Arc::new(Fused(Arc::new(cpu::Decoder::new(parameters))))),
        gpu => Ok(Arc::new(Decoder::new(parameters, gpu)?)),
    }
}
