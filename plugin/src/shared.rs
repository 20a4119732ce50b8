//! What the audio side tells the editor: levels and rates through atomics, and where to read the engine's telemetry.

use embouchure_inference::stream::{Telemetry, TelemetryView};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Highest absolute sample since it was last read.
#[derive(Default)]
pub struct Peak(AtomicU32);

impl Peak {
    /// Takes in the samples of one channel. Realtime-safe.
    pub fn note(&self, samples: &[f32]) {
        // `max` drops NaN, and the bits of floats ≥ 0 are ordered as the floats are.
        let peak = samples.iter().fold(0.0_f32, |peak, s| peak.max(s.abs()));
        self.0.fetch_max(peak.to_bits(), Relaxed);
    }

    /// Linear peak since the last call. Realtime-safe.
    pub fn take(&self) -> f32 {
        f32::from_bits(self.0.swap(0, Relaxed))
    }
}

/// Written by the plugin, read by the editor.
#[derive(Default)]
pub struct Shared {
    /// Of the louder input channel.
    pub input: Peak,
    /// Of the louder output channel.
    pub output: Peak,
    /// Sample rate of the host, Hz; 0 while inactive.
    host_rate: AtomicU32,
    latency_samples: AtomicU32,
    /// Of the engine that runs now. `process` never takes this lock.
    telemetry: Mutex<Option<Arc<Telemetry>>>,
}

/// What an active plugin runs at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Running {
    /// Hz.
    pub host_rate: f32,
    /// At the host's rate.
    pub latency_samples: u32,
}

impl Shared {
    /// Announces a new engine. Not for the audio thread.
    pub fn activated(&self, running: Running, telemetry: Option<Arc<Telemetry>>) {
        self.latency_samples.store(running.latency_samples, Relaxed);
        self.host_rate.store(running.host_rate.to_bits(), Relaxed);
        *self.telemetry.lock() = telemetry;
    }

    /// Announces that no engine runs. Not for the audio thread.
    pub fn deactivated(&self) {
        self.host_rate.store(0, Relaxed);
        *self.telemetry.lock() = None;
    }

    /// Rate and latency, or `None` while inactive.
    pub fn running(&self) -> Option<Running> {
        let host_rate = f32::from_bits(self.host_rate.load(Relaxed));
        (host_rate > 0.0).then(|| Running { host_rate, latency_samples: self.latency_samples.load(Relaxed) })
    }

    /// The engine's newest telemetry; all zero while inactive.
    pub fn telemetry(&self) -> TelemetryView {
        self.telemetry.lock().as_ref().map(|t| t.view()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peak_is_held_until_read() {
        let peak = Peak::default();
        peak.note(&[0.1, -0.8, f32::NAN]);
        peak.note(&[0.2]);
        assert_eq!(peak.take(), 0.8);
        assert_eq!(peak.take(), 0.0);
    }
}
