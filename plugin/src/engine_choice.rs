//! Where the engine computes: the player's choice between two latencies.

use embouchure_inference::engine::{DriverKind, direct_latency_samples, latency_samples};
use serde::{Deserialize, Serialize};

/// The player's choice. It is part of the session and not a parameter, because it changes the latency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EngineChoice {
    /// On a thread of its own. The latency covers the longest block.
    #[default]
    Worker,
    /// In the host's callback. The latency is a hop, at any block size.
    Direct,
}

impl EngineChoice {
    /// The choices that the editor offers. A GPU answers too late for the callback.
    pub const ALL: &[Self] = if cfg!(feature = "metal") { &[Self::Worker] } else { &[Self::Worker, Self::Direct] };

    /// Its text in the editor.
    pub fn label(self) -> &'static str {
        match self {
            Self::Worker => "Worker",
            Self::Direct => "Direct",
        }
    }

    /// The engine's driver.
    pub fn driver(self) -> DriverKind {
        match self {
            Self::Worker => DriverKind::Worker,
            Self::Direct => DriverKind::Direct,
        }
    }

    /// Latency, samples at `host_rate` (Hz), if blocks have up to `max_block` samples.
    pub fn latency_samples(self, host_rate: f64, max_block: usize) -> usize {
        match self {
            Self::Worker => latency_samples(host_rate, max_block),
            Self::Direct => direct_latency_samples(host_rate),
        }
    }

    /// True for the choice that sessions of earlier versions mean.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
