//! The room as a feedback delay network (Jot & Chaigne 1991, "Digital delay networks for designing artificial
//! reverberators"): sixteen delay lines that feed each other and decay in each band as the room does.

use super::side::Side;
use crate::controls::{CROSSOVERS_HZ, LN_60_DB, N_ROOM_BANDS as N_BANDS, Room};

const N_LINES: usize = 16;
/// Shortest delay, which is the time until the first reflection, s.
const PREDELAY_S: f64 = 0.005;
/// Ratio of the longest delay to the shortest.
const SPREAD: f64 = 9.0;
/// Softer reverberation is silence: -120 dB.
const SILENT: f32 = 1e-6;

/// Adds reverberation to a dry sound.
pub struct Reverb {
    rate: f32,
    lines: [Line; N_LINES],
    /// Gain of a pass through each line, `[N_BANDS][N_LINES]`.
    pass_gains: [[f32; N_LINES]; N_BANDS],
    pass_split: Split<N_LINES>,
    input_split: Split<1>,
    /// Gains into the network at the end of the last hop.
    input_gains: [f32; N_BANDS],
    /// Decay that `pass_gains` are for, s.
    t60_s: [f32; N_BANDS],
    is_ringing: bool,
}

/// A delay line.
struct Line {
    /// A ring; `at` is the oldest sample.
    samples: Vec<f32>,
    at: usize,
}

/// Splits `N` signals into bands that sum to the signals.
struct Split<const N: usize> {
    /// Coefficients of the one-pole low-pass filters: share of the way to the input per sample.
    coefficients: [f32; N_BANDS - 1],
    /// Outputs of the low-pass filters.
    lows: [[f32; N]; N_BANDS - 1],
}

impl<const N: usize> Split<N> {
    fn new(rate: f32) -> Self {
        let coefficients = CROSSOVERS_HZ.map(|hz| 1.0 - (-std::f32::consts::TAU * hz / rate).exp());
        Self { coefficients, lows: [[0.0; N]; N_BANDS - 1] }
    }

    /// Sum of the bands of `x`, each times its gain.
    #[inline]
    fn weighted(&mut self, x: &[f32; N], gains: &[[f32; N]; N_BANDS]) -> [f32; N] {
        std::array::from_fn(|i| {
            let low = self.lows[0][i] + self.coefficients[0] * (x[i] - self.lows[0][i]);
            let not_high = self.lows[1][i] + self.coefficients[1] * (x[i] - self.lows[1][i]);
            (self.lows[0][i], self.lows[1][i]) = (low, not_high);
            gains[0][i] * low + gains[1][i] * (not_high - low) + gains[2][i] * (x[i] - not_high)
        })
    }

    fn reset(&mut self) {
        self.lows = [[0.0; N]; N_BANDS - 1];
    }
}

impl Reverb {
    /// Allocates. `host_rate` in Hz, > 0.
    pub fn new(host_rate: f64) -> Self {
        let length = |i: usize| {
            let seconds = PREDELAY_S * SPREAD.powf(i as f64 / (N_LINES - 1) as f64);
            ((seconds * host_rate) as usize).max(1)
        };
        let rate = host_rate as f32;
        let mut reverb = Self {
            rate,
            lines: std::array::from_fn(|i| Line { samples: vec![0.0; length(i)], at: 0 }),
            pass_gains: [[0.0; N_LINES]; N_BANDS],
            pass_split: Split::new(rate),
            input_split: Split::new(rate),
            input_gains: [0.0; N_BANDS],
            t60_s: Room::NONE.t60_s,
            is_ringing: false,
        };
        reverb.set_decay(&Room::NONE);
        reverb
    }

    /// Clears the state. Realtime-safe.
    pub fn reset(&mut self) {
        if self.is_ringing {
            self.lines.iter_mut().for_each(|line| line.samples.fill(0.0));
            self.pass_split.reset();
            self.input_split.reset();
        }
        self.is_ringing = false;
        self.input_gains = [0.0; N_BANDS];
    }

    /// Adds the reverberation in `room` to `samples`, and another, as loud and not correlated with it, to `side`.
    /// Earlier reverberation continues. Realtime-safe; silence stays exact zeros once the room has faded.
    pub fn add(&mut self, room: &Room, samples: &mut [f32], mut side: Option<Side<'_>>) {
        if room.t60_s != self.t60_s {
            self.set_decay(room);
        }
        let has_input = room.levels.iter().chain(&self.input_gains).any(|level| *level > 0.0);
        let is_silent = samples.iter().all(|x| *x == 0.0);
        if !self.is_ringing && (is_silent || !has_input) {
            self.input_gains = self.input_gains_for(room);
            return;
        }
        self.is_ringing = true;
        let (mut gains, ends) = (self.input_gains, self.input_gains_for(room));
        let steps: [f32; N_BANDS] = std::array::from_fn(|b| (ends[b] - gains[b]) / samples.len().max(1) as f32);
        let mut loudest = 0.0f32;
        let step = 1.0 / samples.len().max(1) as f32;
        for (i, x) in samples.iter_mut().enumerate() {
            gains.iter_mut().zip(steps).for_each(|(gain, step)| *gain += step);
            let [entering] = self.input_split.weighted(&[*x], &gains.map(|gain| [gain]));
            let [middle, beside] = self.step(entering);
            // The end of the room does not depend on the side, because the middle must not.
            loudest = loudest.max(middle.abs());
            *x += middle;
            if let Some(side) = &mut side {
                let width = side.width(i as f32 * step);
                side.out[i] += width * beside;
            }
        }
        self.input_gains = ends;
        if is_silent && loudest < SILENT {
            self.reset();
            self.input_gains = ends;
        }
    }

    /// One sample through the network; returns its output in the middle and in the side.
    #[inline]
    fn step(&mut self, entering: f32) -> [f32; 2] {
        let outputs: [f32; N_LINES] = std::array::from_fn(|i| self.lines[i].samples[self.lines[i].at]);
        let mut fed = self.pass_split.weighted(&outputs, &self.pass_gains);
        let middle = fed.chunks_exact(2).map(|pair| pair[0] - pair[1]).sum();
        mix(&mut fed);
        // The third row of the matrix, + + - -: half of its signs are those of the middle's + -, so half of the lines
        // sound left and half right, with long and short ones on both sides.
        let beside = fed[2];
        const SHARE: f32 = 0.25; // 1/√16: mixing keeps the energy.
        for (line, fed) in self.lines.iter_mut().zip(fed) {
            line.samples[line.at] = SHARE * (fed + entering);
            line.at = if line.at + 1 == line.samples.len() { 0 } else { line.at + 1 };
        }
        [middle, beside]
    }

    /// Sets the gains for the decay of `room`.
    fn set_decay(&mut self, room: &Room) {
        self.t60_s = room.t60_s;
        for (gains, t60_s) in self.pass_gains.iter_mut().zip(room.t60_s) {
            for (gain, line) in gains.iter_mut().zip(&self.lines) {
                *gain = (-LN_60_DB * line.samples.len() as f32 / (t60_s * self.rate)).exp();
            }
        }
    }

    /// Input gains that give the reverberation the energy of `room`: a pass keeps the share k of the energy, so all
    /// passes together return k / (1 - k) of it.
    fn input_gains_for(&self, room: &Room) -> [f32; N_BANDS] {
        std::array::from_fn(|b| {
            let kept = self.pass_gains[b].iter().map(|gain| gain * gain).sum::<f32>() / N_LINES as f32;
            room.levels[b] * ((1.0 - kept) / kept.max(1e-9)).sqrt()
        })
    }
}

/// Hadamard's matrix times `x`, in place.
#[inline]
fn mix(x: &mut [f32; N_LINES]) {
    let mut half = 1;
    while half < N_LINES {
        for block in x.chunks_exact_mut(2 * half) {
            let (left, right) = block.split_at_mut(half);
            for (l, r) in left.iter_mut().zip(right) {
                (*l, *r) = (*l + *r, *l - *r);
            }
        }
        half *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: Room = Room { levels: [0.5, 0.5, 0.5], t60_s: [0.6, 0.6, 0.6] };

    /// The impulse response without the direct sound, 2 s.
    fn response(room: &Room, host_rate: f64) -> Vec<f32> {
        let mut reverb = Reverb::new(host_rate);
        let mut hops = vec![0.0; (2.0 * host_rate) as usize];
        let hop = (0.004 * host_rate) as usize;
        // A hop of near silence first, in which the input gains reach their values.
        reverb.add(room, &mut vec![1e-12; hop], None);
        hops[0] = 1.0;
        hops.chunks_mut(hop).for_each(|hop| reverb.add(room, hop, None));
        hops[0] -= 1.0;
        hops
    }

    fn energy_db(samples: &[f32]) -> f32 {
        10.0 * samples.iter().map(|x| f64::from(x * x)).sum::<f64>().log10() as f32
    }

    #[test]
    fn the_response_has_the_rooms_energy_and_decay_at_every_rate() {
        for rate in [44_100.0, 48_000.0, 96_000.0, 192_000.0] {
            let out = response(&ROOM, rate);
            assert!((energy_db(&out) + 6.0).abs() < 1.0, "{} dB at {rate} Hz", energy_db(&out));
            let at = |s: f64| (s * rate) as usize;
            let faded = energy_db(&out[at(0.1)..at(0.2)]) - energy_db(&out[at(0.4)..at(0.5)]);
            assert!((faded - 30.0).abs() < 2.0, "{faded} dB in half the decay at {rate} Hz");
        }
    }

    #[test]
    fn each_band_has_its_own_decay() {
        let room = Room { t60_s: [1.2, 0.6, 0.2], ..ROOM };
        let out = response(&room, 48_000.0);
        let mut split = Split::<1>::new(48_000.0);
        let mut band = |b: usize| -> Vec<f32> {
            split.reset();
            let gains = std::array::from_fn(|i| [f32::from(i == b)]);
            out.iter().map(|x| split.weighted(&[*x], &gains)[0]).collect()
        };
        let late_db = [0, 2].map(|b| {
            let band = band(b);
            energy_db(&band[24_000..28_800]) - energy_db(&band[2_400..7_200])
        });
        assert!(late_db[0] > -32.0 && late_db[1] < -45.0, "{late_db:?}");
    }

    #[test]
    fn silence_ends_in_exact_zeros_and_reset_is_new() {
        let mut reverb = Reverb::new(48_000.0);
        let mut hop = [0.5; 192];
        reverb.add(&ROOM, &mut hop, None);
        let mut last = [0.0; 192];
        for _ in 0..400 {
            last = [0.0; 192];
            reverb.add(&ROOM, &mut last, None);
        }
        assert_eq!(last, [0.0; 192]);
        assert!(!reverb.is_ringing);
        let (mut used, mut new) = ([0.5; 192], [0.5; 192]);
        reverb.add(&ROOM, &mut hop, None);
        reverb.reset();
        reverb.add(&ROOM, &mut used, None);
        Reverb::new(48_000.0).add(&ROOM, &mut new, None);
        let is_near = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-6;
        assert!(used.iter().zip(&new).all(is_near));
    }

    #[test]
    fn without_a_room_nothing_changes() {
        let mut reverb = Reverb::new(48_000.0);
        let mut samples = [0.25; 192];
        reverb.add(&Room::NONE, &mut samples, None);
        assert_eq!(samples, [0.25; 192]);
    }
}
