//! State that the audio thread and the editor share: peaks, requests, latency, and the engine's telemetry.

use crate::buffer::BufferChoice;
use crate::engine_choice::EngineChoice;
use embouchure_inference::engine::{Telemetry, TelemetryView};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

/// Highest absolute sample since the last read.
#[derive(Default)]
pub struct Peak(AtomicU32);

impl Peak {
    /// Adds the samples of one channel. Realtime-safe.
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

/// State that the audio thread and the editor share.
#[derive(Default)]
pub struct Shared {
    /// Peak of the louder input channel.
    pub input: Peak,
    /// Peak of the louder output channel.
    pub output: Peak,
    restart_wanted: AtomicBool,
    listening: AtomicBool,
    /// `None` while inactive. `process` never takes this lock.
    running: Mutex<Option<(Running, Option<Arc<Telemetry>>)>>,
}

/// Rates and sizes of an active plugin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Running {
    /// The host renders offline. Only `process` may then load instruments, so that every render is the same.
    pub is_offline: bool,
    /// Host's sample rate, Hz.
    pub host_rate: f32,
    /// Latency, samples at the host's rate.
    pub latency_samples: u32,
    /// The session's choice at the start.
    pub buffer: BufferChoice,
    /// The session's engine at that start.
    pub engine: EngineChoice,
    /// Longest block that the latency covers, samples.
    pub max_block: u32,
}

impl Shared {
    /// Announces a new engine. Not for the audio thread.
    pub fn activated(&self, running: Running, telemetry: Option<Arc<Telemetry>>) {
        self.restart_wanted.store(false, Relaxed);
        *self.running.lock() = Some((running, telemetry));
    }

    /// Announces that no engine runs. Not for the audio thread.
    pub fn deactivated(&self) {
        *self.running.lock() = None;
    }

    /// Rate and latency, or `None` while inactive. Not for the audio thread.
    pub fn running(&self) -> Option<Running> {
        self.running.lock().as_ref().map(|(running, _)| *running)
    }

    /// The engine's newest telemetry; all zero while inactive. Not for the audio thread.
    pub fn telemetry(&self) -> TelemetryView {
        self.running.lock().as_ref().and_then(|(_, t)| t.as_ref()).map(|t| t.view()).unwrap_or_default()
    }

    /// True if the app is unmuted. Realtime-safe.
    pub fn is_listening(&self) -> bool {
        self.listening.load(Relaxed)
    }

    /// Unmutes the app, or mutes it.
    pub fn listen(&self, is_listening: bool) {
        self.listening.store(is_listening, Relaxed);
    }

    /// Requests a restart, because the latency must change. The audio thread or the editor passes the request to the
    /// host.
    pub fn want_restart(&self) {
        self.restart_wanted.store(true, Relaxed);
    }

    /// True once after each request for a restart. Realtime-safe.
    pub fn take_restart_wanted(&self) -> bool {
        self.restart_wanted.load(Relaxed) && self.restart_wanted.swap(false, Relaxed)
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
