//! What the engine tells the editor, through atomics only.

use crate::chain::HopOutput;
use crate::hear::{Heard, Pitch};
use std::sync::atomic::{
    AtomicBool, AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

/// Harmonics that are shown.
pub const N_SHOWN: usize = 40;
/// Share of the way to a new value that the shown load goes per hop: it then means the last second or so.
const LOAD_PACE: f32 = 0.01;

/// Written by the engine's threads, read by the editor.
#[derive(Debug)]
pub struct Telemetry {
    f0_hz: AtomicU32,
    certainty: AtomicU32,
    is_note: AtomicBool,
    loudness_db: AtomicU32,
    is_several_notes: AtomicBool,
    is_too_soft: AtomicBool,
    hops: AtomicU64,
    clipped_frames: AtomicU64,
    played_hz: AtomicU32,
    harmonics: [AtomicU32; N_SHOWN],
    load: AtomicU32,
    late_frames: AtomicU64,
    failed_frames: AtomicU64,
    lost_samples: AtomicU64,
    worker_is_raised: AtomicBool,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self {
            f0_hz: AtomicU32::default(),
            certainty: AtomicU32::default(),
            is_note: AtomicBool::default(),
            loudness_db: AtomicU32::default(),
            is_several_notes: AtomicBool::default(),
            is_too_soft: AtomicBool::default(),
            hops: AtomicU64::default(),
            clipped_frames: AtomicU64::default(),
            played_hz: AtomicU32::default(),
            harmonics: std::array::from_fn(|_| AtomicU32::default()),
            load: AtomicU32::default(),
            late_frames: AtomicU64::default(),
            failed_frames: AtomicU64::default(),
            lost_samples: AtomicU64::default(),
            worker_is_raised: AtomicBool::default(),
        }
    }
}

/// One reading of [`Telemetry`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TelemetryView {
    /// What was heard in the newest hop: pitch, loudness, and what is wrong with it. The rest is as in silence.
    pub heard: Heard,
    /// Hops that were published, since `prepare`: while it stands, nothing is heard.
    pub hops: u64,
    /// Frames (4 ms) in which the input was clipped, since `prepare`.
    pub clipped_frames: u64,
    /// Fundamental being played, Hz; 0 = silent.
    pub played_hz: f32,
    /// Amplitudes of the first harmonics, linear.
    pub harmonics: [f32; N_SHOWN],
    /// Share of the time that the worker computes: 1 = all of a core.
    pub load: f32,
    /// Control frames that were not there when they were due, since `prepare`.
    pub late_frames: u64,
    /// Frames for which the networks gave no valid sound, or none at all.
    pub failed_frames: u64,
    /// Input samples that the worker was too slow to take, since `prepare`.
    pub lost_samples: u64,
    /// The system runs the worker before ordinary threads.
    pub worker_is_raised: bool,
}

impl Default for TelemetryView {
    fn default() -> Self {
        Telemetry::default().view()
    }
}

impl Telemetry {
    /// Publishes the newest hop, and counts it if it failed. It took `load` of its time to compute. Realtime-safe.
    pub fn publish(&self, output: &HopOutput, load: f32) {
        let HopOutput { controls, heard, is_valid } = output;
        if !is_valid {
            self.failed_frames.fetch_add(1, Relaxed);
        }
        let played_hz = if controls.is_tonal() { controls.f0_hz() } else { 0.0 };
        self.f0_hz.store(heard.pitch.f0_hz.to_bits(), Relaxed);
        self.certainty.store(heard.pitch.certainty.to_bits(), Relaxed);
        self.is_note.store(heard.is_note, Relaxed);
        self.loudness_db.store(heard.loudness_db.to_bits(), Relaxed);
        self.is_several_notes.store(heard.is_several_notes, Relaxed);
        self.is_too_soft.store(heard.is_too_soft, Relaxed);
        self.played_hz.store(played_hz.to_bits(), Relaxed);
        for (shown, amplitude) in self.harmonics.iter().zip(controls.harmonic_amplitudes()) {
            shown.store(amplitude.to_bits(), Relaxed);
        }
        let before = f32::from_bits(self.load.load(Relaxed));
        self.load.store((before + LOAD_PACE * (load - before)).to_bits(), Relaxed);
        // Last: who sees the count sees what was done before it.
        self.hops.fetch_add(1, Release);
    }

    /// Counts one late control frame. Realtime-safe.
    pub fn count_late_frame(&self) {
        self.late_frames.fetch_add(1, Relaxed);
    }

    /// Counts one frame in which the input was clipped. Realtime-safe.
    pub fn count_clipped_frame(&self) {
        self.clipped_frames.fetch_add(1, Relaxed);
    }

    /// Counts input samples dropped because the ring was full. Realtime-safe.
    pub fn count_lost_samples(&self, n: u64) {
        self.lost_samples.fetch_add(n, Relaxed);
    }

    /// Notes whether the system granted the worker its priority. Realtime-safe.
    pub fn set_worker_is_raised(&self, is_raised: bool) {
        self.worker_is_raised.store(is_raised, Relaxed);
    }

    /// Hops that were published, since `prepare`. Their frames can be played. Realtime-safe.
    pub fn hops(&self) -> u64 {
        self.hops.load(Acquire)
    }

    /// Reads everything; fields may belong to neighbouring hops. Realtime-safe.
    pub fn view(&self) -> TelemetryView {
        let float = |a: &AtomicU32| f32::from_bits(a.load(Relaxed));
        TelemetryView {
            heard: Heard {
                pitch: Pitch { f0_hz: float(&self.f0_hz), certainty: float(&self.certainty), lower: 0.0 },
                is_note: self.is_note.load(Relaxed),
                loudness_db: float(&self.loudness_db),
                is_several_notes: self.is_several_notes.load(Relaxed),
                is_too_soft: self.is_too_soft.load(Relaxed),
                ..Heard::SILENCE
            },
            hops: self.hops(),
            clipped_frames: self.clipped_frames.load(Relaxed),
            played_hz: float(&self.played_hz),
            harmonics: std::array::from_fn(|k| float(&self.harmonics[k])),
            load: float(&self.load),
            late_frames: self.late_frames.load(Relaxed),
            failed_frames: self.failed_frames.load(Relaxed),
            lost_samples: self.lost_samples.load(Relaxed),
            worker_is_raised: self.worker_is_raised.load(Relaxed),
        }
    }
}
