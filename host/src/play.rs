//! Settings and result of playing a clip through a plugin.

/// Settings of a playback.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Session {
    /// Sample rate, Hz.
    pub rate: f64,
    /// Samples in each call of `process`, 1 to `max_block`. The last call may be shorter, and the playback's
    /// [`Hooks`](crate::Hooks) may choose other lengths.
    pub block: usize,
    /// Largest block that the plugin is told to expect.
    pub max_block: usize,
}

/// Result of a playback.
#[derive(Clone, Debug)]
pub struct Played {
    /// One vector per output channel, `latency_samples` longer than the input: silence follows the input.
    pub channels: Vec<Vec<f32>>,
    /// Latency that the plugin reported when active.
    pub latency_samples: usize,
    /// Duration of each call of `process`, s.
    pub callback_seconds: Vec<f64>,
}

impl Played {
    /// The output without its first `latency_samples`: as long as the input and aligned with it.
    pub fn aligned(&self) -> Vec<Vec<f32>> {
        self.channels.iter().map(|channel| channel[self.latency_samples..].to_vec()).collect()
    }
}
