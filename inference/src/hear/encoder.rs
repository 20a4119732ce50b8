//! The encoder: from audio to pitch posterior, voicing and the latent timbre vector z, one of each per hop.
//!
//! A causal, streamed variant of CREPE (Kim et al. 2018, arXiv:1802.06182). Every layer keeps its past inputs, so a hop
//! costs only its own outputs. Training puts the label at the newest sample of a frame, so the network adds no delay.

use crate::config::{FRAME_SIZE, HOP_SIZE, N_PITCH_BINS, N_Z};
use crate::hear::LevelNormalizer;
use crate::math::sigmoid;
use crate::nn::parameters::EncoderParameters;
use crate::nn::weights::{LoadError, Weights, content_id};
use crate::nn::{Backend, EncoderNetwork, N_HEAD, Stream};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Format and version of an encoder file.
pub const FORMAT: &str = "embouchure-encoder/1";

/// Hops of zeros after which the encoder's memory holds only zeros, so that each further one gives the same output.
const SILENT_HOPS: usize = FRAME_SIZE / HOP_SIZE;

/// What an encoder file says about itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// Shown by `inspect`.
    pub name: String,
    /// Licence of the weights.
    pub licence: String,
    /// Who trained them.
    pub author: String,
    /// What they were trained on, with attribution.
    pub trained_on: String,
    /// Training steps taken.
    pub steps: usize,
    /// Last held-out training loss.
    pub loss: f32,
    /// Day of the training, YYYY-MM-DD.
    pub date: String,
    /// Content ids of earlier encoders with the same z. This one was trained to keep their z, so it plays instruments
    /// that were trained with them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keeps_z_of: Vec<String>,
}

/// Immutable weights, shared between threads by `Arc`.
pub struct Encoder {
    /// What the file says about itself.
    pub card: Card,
    /// Content id of the file. An instrument names the encoder that it was trained with by this id.
    pub id: String,
    /// Backend that runs it.
    pub(crate) backend: Backend,
    network: Arc<EncoderNetwork>,
}

/// Output of the encoder for one hop.
#[derive(Clone, Debug)]
pub struct Encoding {
    /// Unnormalised log posterior over pitch bins.
    pub pitch_logits: [f32; N_PITCH_BINS],
    /// Probability that the hop is voiced.
    pub voicing: f32,
    /// Latent timbre vector.
    pub z: [f32; N_Z],
}

/// One stream through the encoder.
pub struct EncoderStream {
    level: LevelNormalizer,
    network: Box<dyn Stream<HOP_SIZE, N_HEAD>>,
    /// Consecutive hops of zeros up to now.
    n_silent: usize,
    /// Output for the last hop that the network read.
    encoding: Encoding,
}

impl Encoder {
    /// Reads an encoder file. Allocates.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LoadError> {
        Self::with_backend(bytes, Backend::default())
    }

    /// Reads an encoder file. `backend` runs the encoder and all instruments that are loaded for it. Allocates.
    pub fn with_backend(bytes: &[u8], backend: Backend) -> Result<Self, LoadError> {
        let (mut weights, card) = Weights::from_bytes(bytes, FORMAT)?;
        let network = backend.encoder(&EncoderParameters::take(&mut weights)?)?;
        Ok(Self { card, id: content_id(bytes), backend, network })
    }

    /// True if this encoder can play instruments that were trained with the encoder `id`.
    pub fn speaks_to(&self, id: &str) -> bool {
        self.id == id || self.card.keeps_z_of.iter().any(|kept| kept == id)
    }

    /// A new stream. Allocates.
    pub fn stream(&self) -> EncoderStream {
        EncoderStream::over(self.network.clone().stream())
    }

    /// The same for the audio thread: it allocates nothing once it is there, unless only a GPU has the weights.
    /// Allocates.
    pub fn realtime_stream(&self) -> EncoderStream {
        EncoderStream::over(self.network.clone().realtime_stream().unwrap_or_else(|| self.network.clone().stream()))
    }

    /// Reads a whole clip: one encoding per whole hop, the same as from a new stream. Allocates.
    pub fn forward(&self, samples: &[f32]) -> Vec<Encoding> {
        let samples = LevelNormalizer::clip(samples);
        self.network.clone().forward(samples.as_chunks().0).iter().map(Encoding::of).collect()
    }
}

impl EncoderStream {
    fn over(network: Box<dyn Stream<HOP_SIZE, N_HEAD>>) -> Self {
        let encoding = Encoding::of(&[0.0; N_HEAD]);
        Self { level: LevelNormalizer::default(), network, n_silent: 0, encoding }
    }

    /// Reads the next hop at the model rate. The network does not run for long stretches of zeros, which a host sends
    /// between the clips of a track. All values are NaN if the network failed. A realtime stream allocates nothing.
    pub fn hop(&mut self, samples: &[f32; HOP_SIZE]) -> &Encoding {
        let is_silent = samples.iter().all(|x| *x == 0.0);
        self.n_silent = if is_silent { self.n_silent + 1 } else { 0 };
        let mut samples = *samples;
        self.level.hop(&mut samples);
        // After a failure the network runs again, even on zeros.
        if self.n_silent <= SILENT_HOPS || self.encoding.voicing.is_nan() {
            let mut head = [0.0; N_HEAD];
            self.network.hop(&samples, &mut head);
            self.encoding = Encoding::of(&head);
        }
        &self.encoding
    }

    /// Clears all state, as if newly made.
    pub fn reset(&mut self) {
        self.level = LevelNormalizer::default();
        self.network.reset();
        self.n_silent = 0;
        self.encoding = Encoding::of(&[0.0; N_HEAD]);
    }
}

impl Encoding {
    fn of(head: &[f32; N_HEAD]) -> Self {
        let (mut pitch_logits, mut z) = ([0.0; N_PITCH_BINS], [0.0; N_Z]);
        pitch_logits.copy_from_slice(&head[..N_PITCH_BINS]);
        z.copy_from_slice(&head[N_PITCH_BINS + 1..]);
        Self { pitch_logits, voicing: sigmoid(head[N_PITCH_BINS]), z }
    }
}
