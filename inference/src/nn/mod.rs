//! The two networks, the backends that run them, and their files.
//!
//! Two backends run the same networks. [`cpu`] has its own kernels with 8-bit integer weights and allocates nothing
//! after a stream is made. `candle` uses candle's operations on floats: they run on GPUs, and tests compare the kernels
//! with them. On a CPU, candle runs each network as one operation, which calls the kernels. The backend is chosen once,
//! when a file is loaded.

#[cfg(feature = "candle")]
pub mod candle;
pub mod cpu;
pub mod parameters;
mod shape;
pub mod weights;

#[cfg(all(test, feature = "candle"))]
mod backends_agree;
#[cfg(test)]
mod golden;

pub use shape::{
    CONVS, ConvSpec, LAYER_NORM_EPS, LEAK, N_CONVOLVED, N_FEATURES, N_HEAD, N_RAW, N_TRUNK, RMS_EPS, is_residual,
};

use crate::config::HOP_SIZE;
use parameters::{DecoderParameters, EncoderParameters};
use std::sync::Arc;
use weights::LoadError;

/// A causal network from `I` to `O` values per hop. Immutable; every stream has its own state.
pub trait Network<const I: usize, const O: usize>: Send + Sync {
    /// A new stream. Allocates.
    fn stream(self: Arc<Self>) -> Box<dyn Stream<I, O>>;

    /// A new stream that allocates nothing afterwards, with the same bits; `None` if only a GPU has the weights.
    /// Allocates.
    fn realtime_stream(self: Arc<Self>) -> Option<Box<dyn Stream<I, O>>>;

    /// Outputs for a whole clip, as from a new stream. Allocates.
    fn forward(self: Arc<Self>, clip: &[[f32; I]]) -> Vec<[f32; O]> {
        let mut stream = self.stream();
        let mut out = vec![[0.0; O]; clip.len()];
        clip.iter().zip(&mut out).for_each(|(input, output)| stream.hop(input, output));
        out
    }
}

/// One stream through a [`Network`].
pub trait Stream<const I: usize, const O: usize>: Send {
    /// Reads one hop and overwrites `output`, with NaN if the backend failed, which can happen on a GPU.
    fn hop(&mut self, input: &[f32; I], output: &mut [f32; O]);

    /// Clears the state, as if newly made.
    fn reset(&mut self);
}

/// From normalised samples at the model rate to pitch posterior, voicing and z.
pub type EncoderNetwork = dyn Network<HOP_SIZE, N_HEAD>;
/// From features to raw outputs, which [`Controls`](crate::controls::Controls) are made of.
pub type DecoderNetwork = dyn Network<N_FEATURES, N_RAW>;

/// Backend of the networks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backend {
    /// The kernels of [`cpu`], without candle.
    #[cfg_attr(not(feature = "candle"), default)]
    Cpu,
    /// candle: on the GPU of a Mac if built with the feature `metal`; otherwise on the CPU, with the kernels and the
    /// bits of [`Self::Cpu`].
    #[cfg(feature = "candle")]
    #[default]
    Candle,
}

impl Backend {
    /// Builds an encoder. Allocates.
    pub fn encoder(self, parameters: &EncoderParameters) -> Result<Arc<EncoderNetwork>, LoadError> {
        match self {
            Self::Cpu => Ok(Arc::new(cpu::Encoder::new(parameters))),
            #[cfg(feature = "candle")]
            Self::Candle => candle::encoder(parameters).map_err(|e| LoadError::Network(e.to_string())),
        }
    }

    /// Builds a decoder. Allocates.
    pub fn decoder(self, parameters: &DecoderParameters) -> Result<Arc<DecoderNetwork>, LoadError> {
        match self {
            Self::Cpu => Ok(Arc::new(cpu::Decoder::new(parameters))),
            #[cfg(feature = "candle")]
            Self::Candle => candle::decoder(parameters).map_err(|e| LoadError::Network(e.to_string())),
        }
    }
}
