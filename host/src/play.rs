//! How a clip is played through a plugin, and what comes back.

/// How a clip is played.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Session {
    /// Sample rate, Hz.
    pub rate: f64,
    /// Samples in each call of `process`, apart from the last and what a [`Conductor`] says; 1 to `max_block`.
    pub block: usize,
    /// Largest block that the plugin is told to expect.
    pub max_block: usize,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Played {
    /// One vector per output channel. `latency_samples` longer than the input: silence was fed after it.
    pub channels: Vec<Vec<f32>>,
    /// As the plugin reported it when active.
    pub latency_samples: usize,
    /// Seconds that each call of `process` took.
    pub callback_seconds: Vec<f64>,
}

impl Played {
    /// The output shifted to where the input was: as long as the input, without the latency.
    pub fn aligned(&self) -> Vec<Vec<f32>> {
        self.channels.iter().map(|channel| channel[self.latency_samples..].to_vec()).collect()
    }
}
