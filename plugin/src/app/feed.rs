//! Buffer between the clocks of an input and an output. Resampling a little faster or slower keeps its fill level
//! constant, so that two devices neither drift apart nor crackle.

use rtrb::{Consumer, Producer, RingBuffer};
use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{
    Adjustable, Async, FixedAsync, Resampler, ResamplerConstructionError, SincInterpolationParameters,
    SincInterpolationType, WindowFunction,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Instant;

/// Output samples that are resampled at a time.
const CHUNK: usize = 32;
/// Taps of the resampling filter. Its delay is half of them, 0.7 ms at 48 kHz.
const FILTER_LEN: usize = 64;
/// Excess over the target level above which samples are dropped at once, s.
const EXCESS_S: f64 = 0.1;
/// Increase of the target level at each underrun, s.
const GROWTH_S: f64 = 0.002;
/// Largest sum of these increases, s.
const MAX_GROWTH_S: f64 = 0.06;
/// Capacity of the buffer, s.
const CAPACITY_S: f64 = 2.0;

type Frame = [f32; 2];

/// State of the buffer that both ends and the window share.
#[derive(Debug)]
pub struct FeedState {
    /// Time of the last input block, ns since `started`.
    last_in_ns: AtomicU64,
    /// Origin of the times.
    started: Instant,
    /// Longest input block so far, frames.
    longest_in: AtomicU32,
    /// Underruns and overruns.
    pub slips: AtomicU64,
    /// Present fill level, smoothed, µs.
    pub level_us: AtomicU32,
    /// Drift: how much faster the input's clock runs than the output's, compared with their nominal rates. An `i64` in
    /// parts per 10⁹.
    pub drift_ppb: AtomicU64,
}

/// The end that the input's callback writes to.
pub struct FeedWriter {
    ring: Producer<Frame>,
    state: Arc<FeedState>,
}

/// The end that the output's callback reads from.
pub struct FeedReader {
    ring: Consumer<Frame>,
    state: Arc<FeedState>,
    resampler: Async<f32>,
    /// Input of the resampler, interleaved.
    input: Vec<f32>,
    /// Output of the resampler, interleaved.
    output: [f32; 2 * CHUNK],
    /// Frames of `output` that were played.
    at: usize,
    control: Control,
    /// Nominal rate of the input, Hz.
    input_rate: f64,
    /// Nominal rate of the output, Hz.
    output_rate: f64,
    /// Reserve that the player chose, s.
    safety_s: f64,
    /// Reserve added after underruns, s.
    growth_s: f64,
    /// Longest output block so far, frames.
    longest_out: usize,
    /// False from an underrun until the buffer has reached its target level.
    is_flowing: bool,
    /// The last frame played; it fades out after an underrun.
    last: Frame,
    /// Gain of the fade-in after an underrun.
    gain: f32,
}

/// Makes a buffer between an input and an output of these rates, Hz. It holds `safety_s` more than the blocks need.
/// Allocates.
pub fn join(
    input_rate: u32,
    output_rate: u32,
    safety_s: f64,
) -> Result<(FeedWriter, FeedReader, Arc<FeedState>), ResamplerConstructionError> {
    let (input_rate, output_rate) = (f64::from(input_rate), f64::from(output_rate));
    let filter = SincInterpolationParameters::new(FILTER_LEN, WindowFunction::Blackman)
        .oversampling_factor(256)
        .interpolation(SincInterpolationType::Linear);
    let resampler = Async::new_sinc(output_rate / input_rate, 1.1, &filter, CHUNK, 2, FixedAsync::Output)?;
    let state = Arc::new(FeedState {
        last_in_ns: AtomicU64::new(0),
        started: Instant::now(),
        longest_in: AtomicU32::new(0),
        slips: AtomicU64::new(0),
        level_us: AtomicU32::new(0),
        drift_ppb: AtomicU64::new(0),
    });
    let (producer, consumer) = RingBuffer::new((CAPACITY_S * input_rate) as usize);
    let reader = FeedReader {
        ring: consumer,
        state: state.clone(),
        input: vec![0.0; 2 * resampler.input_frames_max()],
        resampler,
        output: [0.0; 2 * CHUNK],
        at: CHUNK,
        control: Control::default(),
        input_rate,
        output_rate,
        safety_s,
        growth_s: 0.0,
        longest_out: 0,
        is_flowing: false,
        last: [0.0; 2],
        gain: 0.0,
    };
    Ok((FeedWriter { ring: producer, state: state.clone() }, reader, state))
}

impl FeedState {
    /// The drift, parts per million.
    #[cfg(test)]
    pub fn drift_ppm(&self) -> f64 {
        self.drift_ppb.load(Relaxed) as i64 as f64 / 1000.0
    }

    fn now_s(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }
}

impl FeedWriter {
    /// Writes a block of the input. Realtime-safe.
    pub fn push(&mut self, frames: impl ExactSizeIterator<Item = Frame>) {
        self.push_at(frames, self.state.now_s());
    }

    fn push_at(&mut self, frames: impl ExactSizeIterator<Item = Frame>, now_s: f64) {
        let n = frames.len();
        self.state.longest_in.fetch_max(n as u32, Relaxed);
        // Frames that do not fit are dropped. The output has paused then, and counts an overrun when it goes on.
        if let Ok(chunk) = self.ring.write_chunk_uninit(n.min(self.ring.slots())) {
            chunk.fill_from_iter(frames);
        }
        self.state.last_in_ns.store((1e9 * now_s) as u64, Relaxed);
    }
}

impl FeedReader {
    /// Fills both channels, of equal length. Realtime-safe.
    pub fn pull(&mut self, left: &mut [f32], right: &mut [f32]) {
        self.pull_at(left, right, self.state.now_s());
    }

    fn pull_at(&mut self, left: &mut [f32], right: &mut [f32], now_s: f64) {
        let n = left.len();
        self.longest_out = self.longest_out.max(n);
        self.control_level(n, now_s);
        for (left, right) in left.iter_mut().zip(right) {
            [*left, *right] = self.next();
        }
    }

    /// Target fill level when an output block is due, on average, input frames. It suffices until the next input block,
    /// however late in its period that comes.
    fn target(&self) -> f64 {
        let longest_in = f64::from(self.state.longest_in.load(Relaxed));
        let longest_out = (self.longest_out + CHUNK) as f64 * self.input_rate / self.output_rate;
        longest_in / 2.0 + longest_out + (self.safety_s + self.growth_s) * self.input_rate
    }

    fn control_level(&mut self, n: usize, now_s: f64) {
        let target = self.target();
        let unused = (CHUNK - self.at) as f64 * self.input_rate / self.output_rate;
        let level = self.ring.slots() as f64 + unused;
        if !self.is_flowing {
            if level < target {
                return;
            }
            self.is_flowing = true;
            self.gain = 0.0;
            // Its state is from before the gap and would cause a step.
            self.resampler.reset();
            self.control.start();
            self.drop_to(target);
        } else if level > target + EXCESS_S * self.input_rate {
            self.state.slips.fetch_add(1, Relaxed);
            self.control.start();
            self.drop_to(target);
        }
        // Adds what the input has recorded since its last block; otherwise the level would jump with each block.
        let longest_in = f64::from(self.state.longest_in.load(Relaxed));
        let waited_s = now_s - self.state.last_in_ns.load(Relaxed) as f64 / 1e9;
        let coming = (waited_s * self.input_rate).clamp(0.0, longest_in);
        let level = self.ring.slots() as f64 + unused + coming - longest_in / 2.0;
        let error_s = (level - target) / self.input_rate;
        let speed = self.control.update(error_s, n as f64 / self.output_rate);
        // Reading the input faster gives fewer output samples for as many input samples.
        let is_set = self.resampler.set_resample_ratio_relative(1.0 / (1.0 + speed), true);
        debug_assert!(is_set.is_ok());
        self.state.level_us.store((1e6 * (self.control.error_s + target / self.input_rate)).max(0.0) as u32, Relaxed);
        self.state.drift_ppb.store((1e9 * self.control.drift) as i64 as u64, Relaxed);
    }

    fn drop_to(&mut self, level: f64) {
        let n = self.ring.slots().saturating_sub(level as usize);
        if let Ok(chunk) = self.ring.read_chunk(n) {
            chunk.commit_all();
        }
    }

    fn next(&mut self) -> Frame {
        /// Factor per sample: a third of a millisecond at 48 kHz, which neither clicks nor echoes.
        const FADE: f32 = 0.94;
        const RISE: f32 = 1.0 / 256.0;
        if self.at == CHUNK && !(self.is_flowing && self.resample()) {
            if self.is_flowing {
                self.underrun();
            }
            self.last = self.last.map(|sample| if sample.abs() < 1e-6 { 0.0 } else { sample * FADE });
            return self.last;
        }
        self.gain = (self.gain + RISE).min(1.0);
        self.last = [self.output[2 * self.at] * self.gain, self.output[2 * self.at + 1] * self.gain];
        self.at += 1;
        self.last
    }

    fn underrun(&mut self) {
        self.is_flowing = false;
        self.growth_s = (self.growth_s + GROWTH_S).min(MAX_GROWTH_S);
        self.state.slips.fetch_add(1, Relaxed);
    }

    /// Resamples the next chunk; false if the buffer holds too few frames.
    fn resample(&mut self) -> bool {
        let n = self.resampler.input_frames_next();
        let Ok(chunk) = self.ring.read_chunk(n) else { return false };
        let (first, second) = chunk.as_slices();
        let frames = first.iter().chain(second);
        for (sample, frame) in self.input.chunks_exact_mut(2).zip(frames) {
            sample.copy_from_slice(frame);
        }
        chunk.commit_all();
        let input = InterleavedSlice::new(&self.input[..2 * n], 2, n);
        let output = InterleavedSlice::new_mut(&mut self.output, 2, CHUNK);
        if let (Ok(input), Ok(mut output)) = (input, output) {
            let done = self.resampler.process_into_buffer(&input, &mut output, None);
            debug_assert!(done.is_ok(), "{done:?}");
        }
        self.at = 0;
        true
    }
}

/// PI controller, critically damped: from the error of the fill level to the change of the resampling speed.
#[derive(Debug, Default)]
struct Control {
    /// Error of the fill level, smoothed, s.
    error_s: f64,
    /// False until `error_s` has its first value.
    is_known: bool,
    /// Integral part: the input's drift against the output, as a share. The speed converges to it.
    drift: f64,
}

impl Control {
    /// Natural frequency, rad/s. An error of 1 ms changes the pitch by 0.2 cents. Two clocks 100 ppm apart cause an
    /// error of 0.6 ms until the drift is learned.
    const SPEED: f64 = 0.06;
    /// Time constant of the smoothing, s.
    const SMOOTHING_S: f64 = 0.25;
    /// Largest change of the speed, as a share. No two sound cards differ by more, and a passing change of less than 9
    /// cents is not heard.
    const MAX: f64 = 0.005;

    /// Starts again after the level has jumped. Keeps the drift.
    fn start(&mut self) {
        self.is_known = false;
    }

    /// Takes the error `elapsed_s` after the last call; returns the share by which to read the input faster.
    fn update(&mut self, error_s: f64, elapsed_s: f64) -> f64 {
        if !self.is_known {
            self.is_known = true;
            self.error_s = error_s;
        }
        let share = 1.0 - (-elapsed_s / Self::SMOOTHING_S).exp();
        self.error_s += share * (error_s - self.error_s);
        let drift = self.drift + Self::SPEED * Self::SPEED * self.error_s * elapsed_s;
        self.drift = drift.clamp(-Self::MAX, Self::MAX);
        (self.drift + 2.0 * Self::SPEED * self.error_s).clamp(-Self::MAX, Self::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    use std::f64::consts::TAU;

    /// Two simulated devices, each with a clock of its own.
    struct Devices {
        /// True rate of the input, Hz, and its block, frames.
        input: (f64, usize),
        /// The same of the output.
        output: (f64, usize),
        /// Nominal rates of input and output, Hz.
        nominal: (u32, u32),
        /// Largest delay of a callback, s.
        jitter_s: f64,
        /// Beginning and end of a pause of the input, s.
        pause_s: Option<(f64, f64)>,
    }

    /// The output of `seconds` for a 440 Hz tone, and the buffer's state.
    fn play(devices: &Devices, seconds: f64) -> (Vec<f32>, Arc<FeedState>) {
        let (mut writer, mut reader, state) = join(devices.nominal.0, devices.nominal.1, 0.005).unwrap();
        let mut random = ChaCha8Rng::seed_from_u64(5);
        let (mut n_in, mut n_out, mut n_pushed) = (0_usize, 0_usize, 0_usize);
        let late = |random: &mut ChaCha8Rng| random.random_range(0.0..=devices.jitter_s);
        let mut heard = Vec::new();
        let (mut left, mut right) = (vec![0.0; devices.output.1], vec![0.0; devices.output.1]);
        let (mut in_late, mut out_late) = (late(&mut random), late(&mut random));
        loop {
            let in_s = (n_in + devices.input.1) as f64 / devices.input.0 + in_late;
            let out_s = n_out as f64 / devices.output.0 + out_late;
            if out_s > seconds {
                return (heard, state);
            }
            if in_s <= out_s {
                let is_silent = devices.pause_s.is_some_and(|(from, to)| (from..to).contains(&in_s));
                if !is_silent {
                    let frames = (0..devices.input.1).map(|i| {
                        let x = (TAU * 440.0 * (n_pushed + i) as f64 / devices.input.0).sin() as f32;
                        [0.5 * x, -0.5 * x]
                    });
                    writer.push_at(frames, in_s);
                    n_pushed += devices.input.1;
                }
                n_in += devices.input.1;
                in_late = late(&mut random);
            } else {
                reader.pull_at(&mut left, &mut right, out_s);
                assert!(left.iter().zip(&right).all(|(l, r)| *l == -*r));
                heard.extend_from_slice(&left);
                n_out += devices.output.1;
                out_late = late(&mut random);
            }
        }
    }

    /// Largest step between two samples, as a multiple of the tone's largest step.
    fn roughness(samples: &[f32], rate: f64) -> f32 {
        let step = samples.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
        step / (0.5 * TAU * 440.0 / rate) as f32
    }

    /// Frequency, Hz, from the first and the last rising zero crossing.
    fn pitch(samples: &[f32], rate: f64) -> f64 {
        let rising =
            |(i, w): (usize, &[f32])| (w[0] < 0.0 && w[1] >= 0.0).then(|| i as f64 + f64::from(w[0] / (w[0] - w[1])));
        let zeros: Vec<f64> = samples.windows(2).enumerate().filter_map(rising).collect();
        rate * (zeros.len() - 1) as f64 / (zeros[zeros.len() - 1] - zeros[0])
    }

    #[test]
    fn two_clocks_neither_drift_nor_crackle() {
        for (nominal, ppm, blocks) in [
            ((48_000, 48_000), 0.0, (128, 128)),
            ((48_000, 48_000), 300.0, (128, 128)),
            ((48_000, 48_000), -300.0, (64, 512)),
            ((44_100, 48_000), 80.0, (441, 128)),
            ((48_000, 44_100), -120.0, (480, 1024)),
            ((96_000, 48_000), 50.0, (1024, 64)),
            ((16_000, 48_000), 40.0, (160, 256)),
        ] {
            let input = f64::from(nominal.0) * (1.0 + 1e-6 * ppm);
            let output = f64::from(nominal.1);
            let devices = Devices {
                input: (input, blocks.0),
                output: (output, blocks.1),
                nominal,
                jitter_s: 0.001,
                pause_s: None,
            };
            let (heard, state) = play(&devices, 240.0);
            let case = format!("{nominal:?}, {ppm} ppm, {blocks:?}");
            assert_eq!(state.slips.load(Relaxed), 0, "{case}");
            assert!((state.drift_ppm() - ppm).abs() < 15.0, "{case}: {} ppm", state.drift_ppm());
            let late = &heard[heard.len() / 2..];
            assert!(roughness(late, output) < 1.05, "{case}: {}", roughness(late, output));
            // The pitch by the output's clock is the pitch by the input's, within 0.1 cents.
            let cents = 1200.0 * (pitch(late, output) / 440.0).log2();
            assert!(cents.abs() < 0.1, "{case}: {cents} cents");
            let peak = late.iter().fold(0.0_f32, |peak, x| peak.max(x.abs()));
            assert!((0.49..0.51).contains(&peak), "{case}: {peak}");
            let level_s = f64::from(state.level_us.load(Relaxed)) / 1e6;
            let blocks_s = blocks.0 as f64 / input + blocks.1 as f64 / output;
            assert!((0.004..blocks_s + 0.008).contains(&level_s), "{case}: {level_s} s in the buffer");
        }
    }

    #[test]
    fn a_pause_of_the_input_is_one_slip_without_a_click_and_leaves_no_delay() {
        for to in [5.03, 8.0] {
            let devices = Devices {
                input: (48_000.0, 256),
                output: (48_000.0, 256),
                nominal: (48_000, 48_000),
                jitter_s: 0.0,
                pause_s: Some((5.0, to)),
            };
            let (heard, state) = play(&devices, 20.0);
            assert_eq!(state.slips.load(Relaxed), 1);
            assert!(roughness(&heard, 48_000.0) < 1.3, "{}", roughness(&heard, 48_000.0));
            let level_s = f64::from(state.level_us.load(Relaxed)) / 1e6;
            assert!(level_s < 0.02, "{level_s}");
        }
    }

    #[test]
    fn an_output_that_paused_catches_up_at_once() {
        let (mut writer, mut reader, state) = join(48_000, 48_000, 0.005).unwrap();
        let (mut left, mut right) = ([0.0; 128], [0.0; 128]);
        let mut now_s = 0.0;
        let mut run = |seconds: f64, is_pulling: bool| {
            for _ in 0..(seconds * 375.0) as usize {
                now_s += 128.0 / 48_000.0;
                writer.push_at((0..128).map(|_| [0.1, 0.1]), now_s);
                if is_pulling {
                    reader.pull_at(&mut left, &mut right, now_s);
                }
            }
            left[127]
        };
        assert!((run(1.0, true) - 0.1).abs() < 1e-3);
        // Longer than the ring's capacity.
        run(5.0, false);
        run(1.0, true);
        assert_eq!(state.slips.load(Relaxed), 1);
        let level_s = f64::from(state.level_us.load(Relaxed)) / 1e6;
        assert!(level_s < 0.02, "{level_s}");
    }
}
