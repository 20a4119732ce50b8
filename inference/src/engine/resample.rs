//! Host rate to model rate, a hop at a time.

use super::clock::{HopClock, resampler_len};
use crate::config::{HOP_SIZE, MODEL_RATE};
use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{
    Async, FixedAsync, Resampler, ResamplerConstructionError, SincInterpolationParameters, SincInterpolationType,
    WindowFunction,
};

/// -6 dB point of the filter as a share of 8 kHz. With a 64-tap Blackman window the band is flat to 4.5 kHz, where
/// pitch detection ends, and what folds back is at least 70 dB down below 7 kHz.
const CUTOFF: f32 = 0.85;

/// Collects host samples; gives a hop as soon as it has what the hop depends on, however the samples come in.
pub(super) struct HopResampler {
    /// None at the model rate.
    sinc: Option<Async<f32>>,
    /// Host samples since the last hop, `[..filled]`.
    pending: Vec<f32>,
    filled: usize,
    /// Host samples that the next hop takes.
    needed: usize,
    hop: [f32; HOP_SIZE],
}

impl HopResampler {
    /// Allocates.
    pub fn new(clock: &HopClock) -> Result<Self, ResamplerConstructionError> {
        let ratio = f64::from(MODEL_RATE) / clock.host_rate;
        let sinc = match resampler_len(clock.host_rate) {
            0 => None,
            len => {
                // Where every sample of the model lies on one of the host's, there is nothing between to interpolate.
                let is_whole = clock.host_rate % f64::from(MODEL_RATE) == 0.0;
                let interpolation =
                    if is_whole { SincInterpolationType::Nearest } else { SincInterpolationType::Linear };
                let filter = SincInterpolationParameters::new(len, WindowFunction::Blackman)
                    .f_cutoff(CUTOFF)
                    .oversampling_factor(128)
                    .interpolation(interpolation);
                Some(Async::new_sinc(ratio, 1.0, &filter, HOP_SIZE, 1, FixedAsync::Output)?)
            }
        };
        let longest = sinc.as_ref().map_or(HOP_SIZE, |s| s.input_frames_max());
        let mut this = Self { sinc, pending: vec![0.0; longest], filled: 0, needed: 0, hop: [0.0; HOP_SIZE] };
        this.await_next();
        Ok(this)
    }

    pub fn reset(&mut self) {
        if let Some(sinc) = &mut self.sinc {
            sinc.reset();
        }
        self.await_next();
    }

    /// Takes samples from the front of `samples`, at most up to the end of the hop, and returns how many.
    pub fn take(&mut self, samples: &[f32]) -> usize {
        let n = samples.len().min(self.needed - self.filled);
        self.pending[self.filled..self.filled + n].copy_from_slice(&samples[..n]);
        self.filled += n;
        n
    }

    /// Host samples that the next hop still waits for.
    #[cfg(feature = "worker")]
    pub fn n_missing(&self) -> usize {
        self.needed - self.filled
    }

    /// The next hop at the model rate, if all its samples are there.
    pub fn hop(&mut self) -> Option<&[f32; HOP_SIZE]> {
        if self.filled < self.needed {
            return None;
        }
        match &mut self.sinc {
            None => self.hop.copy_from_slice(&self.pending[..HOP_SIZE]),
            Some(sinc) => {
                let input = InterleavedSlice::new(&self.pending, 1, self.needed);
                let output = InterleavedSlice::new_mut(&mut self.hop, 1, HOP_SIZE);
                if let (Ok(input), Ok(mut output)) = (input, output) {
                    let done = sinc.process_into_buffer(&input, &mut output, None);
                    debug_assert!(done.is_ok(), "{done:?}");
                }
            }
        }
        self.await_next();
        Some(&self.hop)
    }

    fn await_next(&mut self) {
        self.filled = 0;
        self.needed = self.sinc.as_ref().map_or(HOP_SIZE, |s| s.input_frames_next());
        debug_assert!(self.needed <= self.pending.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::TAU;

    const RATES: [f64; 9] = [4000.0, 8000.0, 16_000.0, 22_050.0, 44_100.0, 48_000.0, 88_200.0, 96_000.0, 192_000.0];

    /// Model-rate samples of a host-rate signal, and for each hop how many host samples had been taken.
    fn resampled(host_rate: f64, signal: impl Fn(u64) -> f32, n_hops: usize) -> (Vec<f32>, Vec<u64>) {
        let mut resampler = HopResampler::new(&HopClock { host_rate }).unwrap();
        let (mut out, mut taken) = (Vec::new(), Vec::new());
        for n in 0.. {
            if taken.len() == n_hops {
                break;
            }
            assert_eq!(resampler.take(&[signal(n)]), 1);
            if let Some(hop) = resampler.hop() {
                out.extend_from_slice(hop);
                taken.push(n + 1);
            }
        }
        (out, taken)
    }

    /// Complex amplitude of `samples` at `hz`, against a sine that is 0 at `start` samples.
    fn phasor(samples: &[f32], hz: f64, rate: f64, start: f64) -> (f64, f64) {
        let (mut re, mut im) = (0.0, 0.0);
        for (i, x) in samples.iter().enumerate() {
            let angle = TAU * hz * (i as f64 + start) / rate;
            re += f64::from(*x) * angle.sin() * 2.0 / samples.len() as f64;
            im += f64::from(*x) * angle.cos() * 2.0 / samples.len() as f64;
        }
        (re, im)
    }

    #[test]
    fn a_hop_ends_at_the_host_sample_that_the_clock_says() {
        for host_rate in RATES {
            let clock = HopClock { host_rate };
            let hz = 250.0;
            let (out, taken) = resampled(host_rate, |n| (TAU * hz * n as f64 / host_rate).sin() as f32, 60);
            // The last 40 hops, placed so that the last sample of hop 59 lies on `hop_end(59)`.
            let part = &out[20 * HOP_SIZE..];
            let last = clock.hop_end(59) as f64 * 16_000.0 / host_rate;
            let (re, im) = phasor(part, hz, 16_000.0, last - (part.len() - 1) as f64);
            let error = im.atan2(re) / TAU * host_rate / hz;
            assert!((re.hypot(im) - 1.0).abs() < 0.005, "level at {host_rate} Hz: {}", re.hypot(im));
            assert!(error.abs() < 0.55, "{error} host samples at {host_rate} Hz");
            // What the latency counts on.
            for (hop, taken) in taken.iter().enumerate() {
                let ahead = *taken as i64 - clock.hop_end(hop as u64);
                assert!(ahead <= (resampler_len(host_rate) / 2 + 3) as i64, "{ahead} ahead at {host_rate} Hz");
            }
        }
    }

    #[test]
    fn the_pitch_range_is_flat_and_what_would_fold_back_is_gone() {
        for host_rate in [44_100.0, 48_000.0, 96_000.0, 192_000.0] {
            let level = |hz: f64| {
                let (out, _) = resampled(host_rate, |n| (TAU * hz * n as f64 / host_rate).sin() as f32, 60);
                let part = &out[20 * HOP_SIZE..];
                let power = part.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / part.len() as f64;
                10.0 * (2.0 * power).log10()
            };
            for hz in [100.0, 1000.0, 3000.0, 4500.0] {
                assert!(level(hz).abs() < 0.05, "{hz} Hz at {host_rate} Hz: {:.3} dB", level(hz));
            }
            for hz in [9250.0, 11_000.0, 15_000.0, 20_000.0] {
                assert!(level(hz) < -65.0, "{hz} Hz at {host_rate} Hz: {:.1} dB", level(hz));
            }
        }
    }

    #[test]
    fn it_does_not_matter_how_the_samples_come_in() {
        let signal: Vec<f32> = (0..20_000).map(|n| ((n * n) as f32 * 1e-3).sin()).collect();
        for host_rate in [1000.0, 1234.5678, 44_100.0, 767_999.9] {
            let clock = HopClock { host_rate };
            let hops = |cut: usize| {
                let mut resampler = HopResampler::new(&clock).unwrap();
                let mut out = Vec::new();
                for mut part in signal.chunks(cut) {
                    while !part.is_empty() {
                        part = &part[resampler.take(part)..];
                        out.extend(resampler.hop().copied());
                    }
                }
                out
            };
            let whole = hops(signal.len());
            assert!(!whole.is_empty());
            assert!(hops(1) == whole && hops(63) == whole && hops(1000) == whole);
        }
    }
}
