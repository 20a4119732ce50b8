//! The noise part: one stream of white noise, filtered by the band gains of each control frame.
//!
//! Every frame filters the same stream (by FFT), and the results are crossfaded linearly, so that constant gains give
//! stationary noise without a trace of the frames. The stream is a function of the sample index alone: it can be read
//! ahead, so a zero-phase filter costs no latency, and every render is reproducible.

use crate::config::{N_NOISE_BANDS, NOISE_MAX_HZ, REFERENCE_RATE};
use crate::controls::hz_to_band;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex, num_complex::Complex};
use std::sync::Arc;

/// Least number of hops in the FFT: two are used, the others hold the filter's impulse response.
const FFT_HOPS: usize = 5;

/// Noise source and filter, with the noise of the last frame for the next hop.
pub struct NoiseBank {
    bands: BandInterpolation,
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
    /// The stream from sample `streamed` on, `[fft_size]`.
    stream: Vec<f32>,
    streamed: u64,
    /// Input of the FFT and output of its inverse, `[fft_size]`.
    time: Vec<f32>,
    spectrum: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
    /// Gain of each bin.
    gains: Vec<f32>,
    /// Factor for all bins: unit variance at the reference rate, without the scale of the FFT.
    scale: f32,
    max_hop_len: usize,
    /// First sample of the stream.
    start: u64,
    /// Index of the next sample.
    position: u64,
    /// The stream through the filter of the last frame.
    last: Filtered,
    /// The stream through the filter of the new frame; both are swapped every hop.
    new: Filtered,
}

struct Filtered {
    /// `[2 · max_hop_len]`
    samples: Vec<f32>,
    /// Index of the sample at `position` in `samples`.
    offset: usize,
    silent: bool,
}

impl Filtered {
    fn new(max_hop_len: usize) -> Self {
        Self { samples: vec![0.0; 2 * max_hop_len], offset: 0, silent: true }
    }
}

impl NoiseBank {
    /// Allocates for hops of up to `max_hop_len` samples. `host_rate` in Hz, > 0. `start`: first sample of the stream;
    /// banks that start far from each other are not correlated.
    pub fn new(host_rate: f64, max_hop_len: usize, start: u64) -> Self {
        let fft_size = (FFT_HOPS * max_hop_len).next_power_of_two();
        let mut planner = RealFftPlanner::new();
        let forward = planner.plan_fft_forward(fft_size);
        let inverse = planner.plan_fft_inverse(fft_size);
        let scratch_len = forward.get_scratch_len().max(inverse.get_scratch_len());
        Self {
            bands: BandInterpolation::new(host_rate, fft_size),
            stream: (0..fft_size as u64).map(|i| white(start.wrapping_add(i))).collect(),
            streamed: start,
            time: forward.make_input_vec(),
            spectrum: forward.make_output_vec(),
            scratch: vec![Complex::default(); scratch_len],
            gains: vec![0.0; fft_size / 2 + 1],
            scale: ((host_rate / f64::from(REFERENCE_RATE)).sqrt() / fft_size as f64) as f32,
            max_hop_len,
            start,
            position: start,
            last: Filtered::new(max_hop_len),
            new: Filtered::new(max_hop_len),
            forward,
            inverse,
        }
    }

    /// Clears the state and returns to the start of the stream.
    pub fn reset(&mut self) {
        self.position = self.start;
        self.last.silent = true;
    }

    /// Sets the last frame without rendering.
    pub fn start_from(&mut self, noise_magnitudes: &[f32; N_NOISE_BANDS]) {
        self.filter(noise_magnitudes);
        std::mem::swap(&mut self.last, &mut self.new);
    }

    /// Adds the noise from the last frame to this one, which is reached at the sample after `out`.
    ///
    /// `noise_magnitudes`: as in [`Controls`](crate::controls::Controls). `out`: at most `max_hop_len` samples,
    /// unchanged if both frames are silent. Realtime-safe.
    pub fn render_add(&mut self, noise_magnitudes: &[f32; N_NOISE_BANDS], out: &mut [f32]) {
        self.render_add_from(0, noise_magnitudes, out);
    }

    /// The same with a crossfade that begins at sample `start`.
    pub fn render_add_from(&mut self, start: usize, noise_magnitudes: &[f32; N_NOISE_BANDS], out: &mut [f32]) {
        debug_assert!(out.len() <= self.max_hop_len);
        self.filter(noise_magnitudes);
        let step = 1.0 / out.len().saturating_sub(start).max(1) as f32;
        let share = |i: usize| i.saturating_sub(start) as f32 * step;
        if !self.last.silent {
            for (i, (y, x)) in out.iter_mut().zip(&self.last.samples[self.last.offset..]).enumerate() {
                *y += (1.0 - share(i)) * x;
            }
        }
        if !self.new.silent {
            for (i, (y, x)) in out.iter_mut().zip(&self.new.samples).enumerate().skip(start) {
                *y += share(i) * x;
            }
        }
        self.position = self.position.wrapping_add(out.len() as u64);
        self.new.offset = out.len().min(self.max_hop_len);
        std::mem::swap(&mut self.last, &mut self.new);
    }

    /// Moves `stream` to sample `first`: forwards, or back after a reset. It keeps the samples that it has already.
    fn stream_from(&mut self, first: u64) {
        let n_new =
            usize::try_from(first.wrapping_sub(self.streamed)).map_or(self.stream.len(), |n| n.min(self.stream.len()));
        self.stream.copy_within(n_new.., 0);
        let kept = self.stream.len() - n_new;
        for (i, x) in self.stream[kept..].iter_mut().enumerate() {
            *x = white(first.wrapping_add((kept + i) as u64));
        }
        self.streamed = first;
    }

    /// Fills `new` with the filtered stream from `position` on.
    fn filter(&mut self, noise_magnitudes: &[f32; N_NOISE_BANDS]) {
        self.new.offset = 0;
        self.new.silent = noise_magnitudes.iter().all(|m| *m == 0.0);
        if self.new.silent {
            return;
        }
        let used = self.new.samples.len();
        let lead = (self.time.len() - used) / 2;
        let first = self.position.wrapping_sub(lead as u64);
        self.stream_from(first);
        self.time.copy_from_slice(&self.stream);
        self.bands.apply(noise_magnitudes, &mut self.gains);
        // The lengths are right by construction, so the FFTs cannot fail.
        let _ = self.forward.process_with_scratch(&mut self.time, &mut self.spectrum, &mut self.scratch);
        for (bin, gain) in self.spectrum.iter_mut().zip(&self.gains) {
            *bin *= gain * self.scale;
        }
        let _ = self.inverse.process_with_scratch(&mut self.spectrum, &mut self.time, &mut self.scratch);
        self.new.samples.copy_from_slice(&self.time[lead..lead + used]);
    }
}

/// Sample `index` of the stream: uniform, unit variance. Splitmix64 (Steele, Lea & Flood 2014) of the counter.
fn white(index: u64) -> f32 {
    let mut x = index.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^= x >> 31;
    // 24 bits are exact in f32; the half keeps the mean at 0. A uniform variable in ±√3 has variance 1.
    ((x >> 40) as f32 + 0.5 - (1 << 23) as f32) * (3f32.sqrt() / (1 << 23) as f32)
}

/// Interpolates band gains to gains of FFT bins: linear in mel between band centres, constant outside the first and the
/// last, 0 above 20 kHz or half the rate, then smoothed over five bins (1 4 6 4 1)/16.
///
/// The smoothing keeps the impulse response within the FFT where the low bands are narrower than its bins.
pub struct BandInterpolation {
    /// Index of the band centre below each bin.
    below: Vec<u8>,
    /// Weight of the next band centre for each bin.
    weights: Vec<f32>,
    /// Bins from here on are 0 before smoothing.
    n_open: usize,
}

impl BandInterpolation {
    /// Allocates. For the bins of a real FFT of `fft_size` samples at `host_rate` Hz.
    pub fn new(host_rate: f64, fft_size: usize) -> Self {
        let n_bins = fft_size / 2 + 1;
        let bin_hz = host_rate / fft_size as f64;
        let places = (0..n_bins).map(|bin| {
            let centre = (hz_to_band((bin as f64 * bin_hz) as f32) - 0.5).clamp(0.0, (N_NOISE_BANDS - 1) as f32);
            let below = (centre as u8).min(N_NOISE_BANDS as u8 - 2);
            (below, centre - f32::from(below))
        });
        let (below, weights) = places.unzip();
        // The smoothing reaches two bins further up.
        let limit_hz = f64::from(NOISE_MAX_HZ).min(host_rate / 2.0);
        let n_open = ((limit_hz / bin_hz) as usize).saturating_sub(2);
        Self { below, weights, n_open }
    }

    /// `bands`: linear gains. `bins`: `[fft_size / 2 + 1]`, overwritten. Linear in `bands`. Realtime-safe.
    pub fn apply(&self, bands: &[f32; N_NOISE_BANDS], bins: &mut [f32]) {
        let places = self.below.iter().zip(&self.weights);
        for (i, (bin, (below, weight))) in bins.iter_mut().zip(places).enumerate() {
            let below = usize::from(*below);
            let gain = bands[below] + weight * (bands[below + 1] - bands[below]);
            *bin = if i < self.n_open { gain } else { 0.0 };
        }
        // Mirrored at 0 Hz because the spectrum of a real signal is.
        let value = |bins: &[f32], i: usize| bins.get(i).copied().unwrap_or(0.0);
        let (mut before, mut left) = (value(bins, 2), value(bins, 1));
        for i in 0..bins.len() {
            let (here, right, after) = (bins[i], value(bins, i + 1), value(bins, i + 2));
            bins[i] = 0.375 * here + 0.25 * (left + right) + 0.0625 * (before + after);
            (before, left) = (left, here);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::{noise_band_centres_hz, noise_band_edges_hz};

    /// Power per Hz over each bin of 50 Hz, averaged over `seconds`, of noise with constant gains.
    fn density(host_rate: f64, bands: &[f32; N_NOISE_BANDS], seconds: usize) -> Vec<f64> {
        let hop = host_rate * 0.004;
        let mut bank = NoiseBank::new(host_rate, hop.ceil() as usize + 1, 0);
        bank.start_from(bands);
        let mut samples = Vec::new();
        for h in 0..seconds * 250 {
            let len = ((h + 1) as f64 * hop).round() as usize - samples.len();
            let mut out = vec![0.0; len];
            bank.render_add(bands, &mut out);
            samples.extend(out);
        }
        let n = (host_rate / 50.0) as usize;
        let fft = RealFftPlanner::<f32>::new().plan_fft_forward(n);
        let mut bins = fft.make_output_vec();
        let mut power = vec![0.0; bins.len()];
        let frames = samples.chunks_exact(n);
        let count = frames.len() as f64;
        for frame in frames {
            let window = |i: usize| 0.5 - 0.5 * (std::f64::consts::TAU * i as f64 / n as f64).cos();
            let mut windowed: Vec<f32> = frame.iter().enumerate().map(|(i, x)| x * window(i) as f32).collect();
            fft.process(&mut windowed, &mut bins).unwrap();
            for (p, bin) in power.iter_mut().zip(&bins) {
                // One-sided density; 3/8 is the power of the Hann window.
                *p += f64::from(bin.norm_sqr()) * 2.0 / (0.375 * n as f64 * host_rate) / count;
            }
        }
        power
    }

    fn mean(density: &[f64], from_hz: f32, to_hz: f32) -> f64 {
        let range = &density[(from_hz / 50.0).ceil() as usize..(to_hz / 50.0) as usize];
        range.iter().sum::<f64>() / range.len() as f64
    }

    fn db(ratio: f64) -> f64 {
        10.0 * ratio.log10()
    }

    #[test]
    fn flat_gains_give_white_noise_of_the_same_density_at_every_rate() {
        for rate in [44_100.0, 48_000.0, 96_000.0, 192_000.0] {
            let density = density(rate, &[1.0; N_NOISE_BANDS], 8);
            for (from, to) in [(100.0, 500.0), (500.0, 2000.0), (2000.0, 8000.0), (8000.0, 19_500.0)] {
                let level = db(mean(&density, from, to) * 24_000.0);
                assert!(level.abs() < 0.4, "{from} to {to} Hz at {rate} Hz: {level:.2} dB");
            }
            if rate > 44_100.0 {
                let above = db(mean(&density, 20_300.0, rate as f32 / 2.0 - 100.0) * 24_000.0);
                assert!(above < -70.0, "above 20 kHz at {rate} Hz: {above:.1} dB");
            }
        }
    }

    #[test]
    fn at_a_low_rate_noise_reaches_half_the_rate() {
        let density = density(8000.0, &[1.0; N_NOISE_BANDS], 4);
        assert!(db(mean(&density, 200.0, 3700.0) * 24_000.0).abs() < 0.4);
        let mut bins = vec![f32::NAN; 129];
        BandInterpolation::new(8000.0, 256).apply(&[1.0; N_NOISE_BANDS], &mut bins);
        assert_eq!(bins[128], 0.0, "at half the rate");
    }

    #[test]
    fn a_band_has_its_frequency_range_and_gain() {
        let edges = noise_band_edges_hz();
        for rate in [48_000.0, 96_000.0] {
            for band in [10, 25, 40, 55] {
                let mut bands = [0.0; N_NOISE_BANDS];
                bands[band - 1..=band + 1].fill(0.25);
                let density = density(rate, &bands, 30);
                let centre = noise_band_centres_hz()[band];
                let level = db(mean(&density, centre - 51.0, centre + 51.0) * 24_000.0 / 0.0625);
                assert!(level.abs() < 1.6, "band {band} at {rate} Hz: {level:.2} dB");
                let far_below = mean(&density, 0.0, (edges[band - 2] - 150.0).max(100.0));
                let far_above = mean(&density, edges[band + 3] + 150.0, 23_900.0);
                let leak = db(far_below.max(far_above) * 24_000.0 / 0.0625);
                assert!(band == 10 || leak < -60.0, "band {band} at {rate} Hz leaks: {leak:.1} dB");
            }
        }
    }

    #[test]
    fn bands_cover_0_to_20_khz_evenly_in_mel() {
        let edges = noise_band_edges_hz();
        assert_eq!(edges[0], 0.0);
        assert!((edges[N_NOISE_BANDS] - 20_000.0).abs() < 0.1);
        assert!(edges.windows(3).all(|e| e[2] - e[1] > e[1] - e[0]));
        let centres = noise_band_centres_hz();
        assert!((0..N_NOISE_BANDS).all(|b| edges[b] < centres[b] && centres[b] < edges[b + 1]));
        assert!((hz_to_band(centres[17]) - 17.5).abs() < 1e-3);
    }

    #[test]
    fn bin_gains_follow_the_bands() {
        let interpolation = BandInterpolation::new(48_000.0, 1024);
        let mut bins = vec![f32::NAN; 513];
        interpolation.apply(&[0.5; N_NOISE_BANDS], &mut bins);
        assert!(bins[..420].iter().all(|g| (g - 0.5).abs() < 1e-6));
        assert!(bins[427..].iter().all(|g| *g == 0.0), "above 20 kHz");
        let ramp = std::array::from_fn(|band| band as f32);
        interpolation.apply(&ramp, &mut bins);
        for (bin, gain) in bins.iter().enumerate().take(400).skip(40) {
            let expected = hz_to_band(bin as f32 * 46.875) - 0.5;
            assert!((gain - expected).abs() < 0.05, "bin {bin}: {gain} instead of {expected}");
        }
    }

    #[test]
    fn white_noise_has_unit_variance_and_no_mean() {
        let n = 1_000_000;
        let mean = (0..n).map(|i| f64::from(white(i))).sum::<f64>() / n as f64;
        let power = (0..n).map(|i| f64::from(white(i)).powi(2)).sum::<f64>() / n as f64;
        let product = (0..n).map(|i| f64::from(white(i) * white(i + 1))).sum::<f64>() / n as f64;
        assert!(mean.abs() < 4e-3 && (power - 1.0).abs() < 4e-3 && product.abs() < 4e-3, "{mean} {power} {product}");
    }

    #[test]
    fn a_frame_fades_in_and_out_and_silence_is_exact() {
        let mut bank = NoiseBank::new(48_000.0, 193, 0);
        let render = |bank: &mut NoiseBank, gain: f32| {
            let mut out = vec![0.0; 192];
            bank.render_add(&[gain; N_NOISE_BANDS], &mut out);
            out
        };
        assert!(render(&mut bank, 0.0).iter().all(|x| *x == 0.0));
        let rising = render(&mut bank, 1.0);
        assert_eq!(rising[0], 0.0);
        assert!(rising[150..].iter().any(|x| x.abs() > 0.5) && rising[..10].iter().all(|x| x.abs() < 0.2));
        let falling = render(&mut bank, 0.0);
        assert!(falling[..40].iter().any(|x| x.abs() > 0.5) && falling[182..].iter().all(|x| x.abs() < 0.2));
        assert!(render(&mut bank, 0.0).iter().all(|x| *x == 0.0));
    }
}
