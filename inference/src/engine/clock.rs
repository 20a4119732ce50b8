//! Which host sample a control frame belongs to, and how late the effect is: pure functions of the host's rate.

use crate::config::MODEL_RATE;
use crate::synth::{hop_samples, max_hop_len};

/// Time the worker has for a hop, beyond what the audio itself takes: networks with cold caches (1 ms), polling
/// (0.5 ms), and the scheduler.
const COMPUTE_MARGIN_SECONDS: f64 = 0.0033;
/// Taps of the resampling filter at 48 kHz; scaled with the rate, so that it spans 1.3 ms and delays by half of it.
const SINC_LEN_48K: f64 = 64.0;
/// Below this the filter would have no shape; matters only under 12 kHz.
const SINC_LEN_MIN: usize = 16;
/// Rounding of hop ends and of what the resampler reads ahead.
const SLACK_SAMPLES: usize = 4;

/// Delay of the whole effect, dry and wet, in samples at the host's rate: the largest block, one hop, the resampler and
/// the worker's time.
///
/// The first sample of a block may need a frame that was completed by the last sample before the block, no later; all
/// terms follow from that. Live, every frame then has at least 3.3 ms to be computed.
pub fn latency_samples(host_rate: f64, max_block: usize) -> usize {
    let hop = hop_samples(host_rate).ceil() as usize;
    let margin = (host_rate * COMPUTE_MARGIN_SECONDS).round() as usize;
    max_block.max(1).saturating_add(hop + resampler_len(host_rate) / 2 + SLACK_SAMPLES + margin)
}

/// The same where the model runs in the callback: a hop is complete with the call that brings its last sample, and is
/// played from the next sample on. No block and no time to compute are in it.
pub fn direct_latency_samples(host_rate: f64) -> usize {
    hop_samples(host_rate).ceil() as usize + resampler_len(host_rate) / 2 + SLACK_SAMPLES
}

/// Taps of the filter between host and model rate; 0 if there is nothing to resample.
pub(super) fn resampler_len(host_rate: f64) -> usize {
    if host_rate == f64::from(MODEL_RATE) {
        return 0;
    }
    ((SINC_LEN_48K * host_rate / 48_000.0) as usize).next_multiple_of(8).max(SINC_LEN_MIN)
}

/// Maps control frames to the host's time.
#[derive(Clone, Copy, Debug)]
pub(super) struct HopClock {
    pub host_rate: f64,
}

impl HopClock {
    /// Host sample that sounds with the last model-rate sample of hop `hop`, counted from the reset. The resampler's
    /// delay is taken off, so at rates below 2 kHz the first ones can lie before 0.
    pub fn hop_end(&self, hop: u64) -> i64 {
        let hops = (hop as f64 + 1.0) * hop_samples(self.host_rate);
        let delay = match resampler_len(self.host_rate) {
            0 => 1.0,
            len => (len / 2) as f64,
        };
        (hops - delay).round() as i64
    }

    /// Host samples between the ends of the hop before `hop` (≥ 1) and of `hop`.
    pub fn hop_len(&self, hop: u64) -> usize {
        (self.hop_end(hop) - self.hop_end(hop - 1)) as usize
    }

    pub fn max_hop_len(&self) -> usize {
        max_hop_len(self.host_rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latency_meets_its_target_at_48_khz() {
        assert!(latency_samples(48_000.0, 64) <= 480, "10 ms");
        for max_block in [1, 16, 64, 511, 4096] {
            assert!(latency_samples(48_000.0, max_block) <= max_block + 400);
        }
    }

    #[test]
    fn frames_advance_by_a_hop_and_never_stand_still() {
        for host_rate in [1000.0, 1234.5678, 8000.0, 16_000.0, 44_100.0, 48_000.0, 768_000.0] {
            let clock = HopClock { host_rate };
            let mean = (clock.hop_end(100_000) - clock.hop_end(0)) as f64 / 100_000.0;
            assert!((mean - host_rate * 0.004).abs() < 1e-4);
            for hop in 1..1000 {
                assert!((1..=clock.max_hop_len()).contains(&clock.hop_len(hop)));
            }
        }
    }
}
