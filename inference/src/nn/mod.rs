//! The two networks: what they are, who runs them, and the files that hold them.
//!
//! Two backends run the same networks. [`cpu`] has kernels of its own over integers of 8 bits and allocates nothing once a
//! stream is there. `candle` is written with candle's operations over floats: a GPU runs these, and the tests hold the
//! kernels against them. On a CPU it runs each network as one operation, which calls the kernels. The backend is chosen
//! once, when a file is loaded.

#[cfg(feature = "candle")]
pub mod candle;
pub mod cpu;
pub mod parameters;
mod shape;
pub mod weights;

#[cfg(test)]
mod golden;
#[cfg(all(test, feature = "candle"))]
mod same;

pub use shape::{
    CONVS, ConvSpec, LAYER_NORM_EPS, LEAK, N_CONVOLVED, N_FEATURES, N_HEAD, N_RAW, N_TRUNK, RMS_EPS, is_residual,
};

use crate::config::HOP_SIZE;
use parameters::{DecoderParameters, EncoderParameters};
use std::sync::Arc;
use weights::LoadError;

/// A causal network that makes `O` values of `I` values, hop by hop. Immutable; every stream has its own memory.
pub trait Network<const I: usize, const O: usize>: Send + Sync {
    /// A stream that has read nothing. Allocates.
    fn stream(self: Arc<Self>) -> Box<dyn Stream<I, O>>;

    /// A stream that allocates nothing once it is there, with the same bits; `None` if only a GPU has the weights. Allocates.
    fn realtime_stream(self: Arc<Self>) -> Option<Box<dyn Stream<I, O>>>;

    /// A whole clip: the outputs that a new stream gives. Allocates.
    fn forward(self: Arc<Self>, clip: &[[f32; I]]) -> Vec<[f32; O]> {
        let mut stream = self.stream();
        let mut out = vec![[0.0; O]; clip.len()];
        clip.iter().zip(&mut out).for_each(|(input, output)| stream.hop(input, output));
        out
    }
}

/// One stream through a [`Network`].
pub trait Stream<const I: usize, const O: usize>: Send {
    /// Reads one hop and overwrites `output`: with NaN if the backend failed, which can happen on a GPU.
    fn hop(&mut self, input: &[f32; I], output: &mut [f32; O]);

    /// Forgets what it read, as if newly made.
    fn reset(&mut self);
}

/// From samples at the model rate, divided by their level, to pitch posterior, voicing and z.
pub type EncoderNetwork = dyn Network<HOP_SIZE, N_HEAD>;
/// From features to raw outputs.
pub type DecoderNetwork = dyn Network<N_FEATURES, N_RAW>;

/// What runs the networks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backend {
    /// The kernels of [`cpu`], without candle.
    #[cfg_attr(not(feature = "candle"), default)]
    Cpu,
    /// candle: on the GPU of a Mac if built with the feature `metal`; otherwise on the CPU, with the same kernels and to
    /// the same bits as [`Self::Cpu`].
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
