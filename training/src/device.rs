//! Processors and GPUs that networks are trained on.

use anyhow::{Context, Result};
use candle_core::Device;
use candle_core::utils::{cuda_is_available, metal_is_available};

/// Kind of device that a training can run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceKind {
    /// The processor, with hand-written operations.
    Cpu,
    /// The first NVIDIA GPU; needs the feature `cuda`.
    Cuda,
    /// The GPU of a Mac; needs the feature `metal`.
    Metal,
}

impl DeviceKind {
    /// Opens the device. Errors say why there is none and what the user can do.
    pub fn open(self) -> Result<Device> {
        let built = |name: &str, is_built: bool| match is_built {
            true => format!("no {name} GPU can be used: train with --device cpu, or look at its driver"),
            false => format!(
                "this program was built without {name}: train with --device cpu, or build it with --features {}",
                name.to_lowercase()
            ),
        };
        match self {
            Self::Cpu => Ok(Device::Cpu),
            Self::Cuda => Device::new_cuda(0).with_context(|| built("CUDA", cuda_is_available())),
            Self::Metal => Device::new_metal(0).with_context(|| built("Metal", metal_is_available())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_cannot_be_used_says_what_to_do() {
        assert!(DeviceKind::Cpu.open().unwrap().is_cpu());
        for (kind, is_built) in [(DeviceKind::Cuda, cuda_is_available()), (DeviceKind::Metal, metal_is_available())] {
            if let Err(error) = kind.open() {
                let advice = if is_built { "driver" } else { "--features" };
                assert!(error.to_string().contains(advice) && error.to_string().contains("--device cpu"), "{error:#}");
            }
        }
    }
}
