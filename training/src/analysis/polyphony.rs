//! Tells several notes at once from one. A pitch tracker finds a period in many chords, too, far below all of their notes.

use super::FRAME_RATE;
use realfft::RealFftPlanner;
use std::f32::consts::TAU;

/// Hops from one frame that is looked at to the next.
const STEP: usize = 15;
/// Fewer frames than this prove nothing.
const LEAST_FRAMES: usize = 8;
/// Partials are looked for in this range, Hz, and down to this below the loudest, dB.
const RANGE_HZ: (f32, f32) = (45.0, 5000.0);
const SPAN_DB: f32 = 35.0;
/// A partial stands out of its surroundings by this, dB.
const STANDS_OUT_DB: f32 = 15.0;
/// Bins to each side that are its surroundings.
const SURROUNDINGS: usize = 24;
/// Share of the partials' power that the harmonics of one note have.
const LEAST_COVERED: f32 = 0.85;
/// A fundamental this far below the strongest partial is missing, dB.
const MISSING_DB: f32 = 25.0;
/// Share of the harmonics between the lowest and the highest present that one note has, if its fundamental is missing.
const LEAST_FILLED: f32 = 0.65;
/// Multiples of the tracked pitch that may be the note: trackers miss an octave or two.
const MULTIPLES: [f32; 5] = [1.0, 2.0, 3.0, 4.0, 0.5];
/// Hops to each side in which the pitch must stay, and how much it may move, so that no other note is in the window.
const STEADY_HOPS: usize = 12;
const STEADY_OCTAVES: f32 = 0.05;

/// Share of the frames with a pitch in which more sounds than one note. `f0_hz` per hop, 0 = no pitch.
pub fn share_of_chords(samples: &[f32], rate: u32, f0_hz: &[f32]) -> f32 {
    let (mut n, mut n_chords) = (0, 0);
    let mut spectrum = Spectrum::new(rate);
    for (h, f0) in f0_hz.iter().enumerate().step_by(STEP) {
        if !is_steady(f0_hz, h) {
            continue;
        }
        let partials = spectrum.partials(samples, (h + 1) * rate as usize / FRAME_RATE);
        if partials.is_empty() {
            continue;
        }
        n += 1;
        let is_note = |m: &f32| is_note(&partials, m * f0, spectrum.bin_hz());
        n_chords += usize::from(!MULTIPLES.iter().any(is_note));
    }
    n_chords as f32 / n.max(LEAST_FRAMES) as f32
}

fn is_steady(f0_hz: &[f32], h: usize) -> bool {
    let near = &f0_hz[h.saturating_sub(STEADY_HOPS)..(h + STEADY_HOPS + 1).min(f0_hz.len())];
    f0_hz[h] > 0.0 && near.iter().all(|f| (f / f0_hz[h]).log2().abs() < STEADY_OCTAVES)
}

/// One partial.
#[derive(Clone, Copy)]
struct Partial {
    hz: f32,
    power: f32,
}

/// True if nearly all partials are harmonics of `f0`, and enough of its harmonics are there.
fn is_note(partials: &[Partial], f0: f32, bin_hz: f32) -> bool {
    let number = |p: &Partial| {
        let k = (p.hz / f0).round().max(1.0);
        let tolerance = (1.2 * bin_hz).max(0.02 * p.hz).min(0.3 * f0);
        ((p.hz - k * f0).abs() < tolerance).then_some(k as usize)
    };
    let total: f32 = partials.iter().map(|p| p.power).sum();
    let strongest = partials.iter().map(|p| p.power).fold(0.0, f32::max);
    let harmonics: Vec<(usize, f32)> = partials.iter().filter_map(|p| Some((number(p)?, p.power))).collect();
    let covered: f32 = harmonics.iter().map(|(_, power)| power).sum();
    if covered < LEAST_COVERED * total {
        return false;
    }
    let weak = strongest * 10f32.powf(-MISSING_DB / 10.0);
    if harmonics.iter().any(|(k, power)| *k == 1 && *power > weak) {
        return true;
    }
    let mut present: Vec<usize> = harmonics.iter().map(|(k, _)| *k).collect();
    present.sort();
    present.dedup();
    let (Some(lowest), Some(highest)) = (present.first(), present.last()) else { return false };
    present.len() as f32 >= LEAST_FILLED * (highest + 1 - lowest) as f32
}

/// Finds partials.
struct Spectrum {
    rate: f32,
    window: Vec<f32>,
    planner: RealFftPlanner<f32>,
}

impl Spectrum {
    fn new(rate: u32) -> Self {
        let n = (rate as usize / 12).next_power_of_two();
        let hann = |i: usize| 0.5 - 0.5 * (TAU * i as f32 / n as f32).cos();
        Self { rate: rate as f32, window: (0..n).map(hann).collect(), planner: RealFftPlanner::new() }
    }

    fn bin_hz(&self) -> f32 {
        self.rate / self.window.len() as f32
    }

    fn partials(&mut self, samples: &[f32], centre: usize) -> Vec<Partial> {
        let n = self.window.len();
        let at = |i: usize| (centre + i).checked_sub(n / 2).and_then(|i| samples.get(i)).copied().unwrap_or(0.0);
        let mut frame: Vec<f32> = self.window.iter().enumerate().map(|(i, w)| w * at(i)).collect();
        let plan = self.planner.plan_fft_forward(n);
        let mut bins = plan.make_output_vec();
        if plan.process(&mut frame, &mut bins).is_err() {
            return Vec::new();
        }
        let db: Vec<f32> = bins.iter().map(|b| 10.0 * b.norm_sqr().max(1e-20).log10()).collect();
        let bin_hz = self.bin_hz();
        let range = (RANGE_HZ.0 / bin_hz) as usize..((RANGE_HZ.1 / bin_hz) as usize).min(db.len() - 2);
        let top = db[range.clone()].iter().copied().fold(f32::MIN, f32::max);
        let mut partials = Vec::new();
        for i in range {
            let is_peak = db[i] > top - SPAN_DB && (i.saturating_sub(2)..=i + 2).all(|j| db[j] <= db[i]);
            if !is_peak {
                continue;
            }
            let mut around: Vec<f32> = db[i.saturating_sub(SURROUNDINGS)..(i + SURROUNDINGS).min(db.len())].to_vec();
            around.sort_by(f32::total_cmp);
            if db[i] - around[around.len() / 4] < STANDS_OUT_DB {
                continue;
            }
            let (a, b, c) = (db[i - 1], db[i], db[i + 1]);
            let shift = if a - 2.0 * b + c < 0.0 { 0.5 * (a - c) / (a - 2.0 * b + c) } else { 0.0 };
            partials.push(Partial { hz: (i as f32 + shift) * bin_hz, power: 10f32.powf(b / 10.0) });
        }
        partials
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::track_pitch;

    const RATE: u32 = 48_000;

    /// Two seconds of notes at once, each with the harmonics that `amplitude(k)` says.
    fn chord(notes: &[f32], amplitude: impl Fn(usize) -> f32) -> Vec<f32> {
        let sample = |i: usize| {
            let turns = i as f32 / RATE as f32;
            let note = |f: &f32| {
                (1..=8).map(|k| 0.1 * amplitude(k) * (TAU * ((f * k as f32 * turns) % 1.0)).sin()).sum::<f32>()
            };
            notes.iter().map(note).sum()
        };
        (0..2 * RATE as usize).map(sample).collect()
    }

    fn share(samples: &[f32]) -> f32 {
        let f0_hz: Vec<f32> = track_pitch(samples, RATE).iter().map(|p| p.f0_hz).collect();
        share_of_chords(samples, RATE, &f0_hz)
    }

    #[test]
    fn one_note_is_none_whatever_its_harmonics() {
        for hz in [70.0, 110.0, 261.6, 440.0, 1500.0] {
            for (name, amplitude) in [
                ("sawtooth", (|k| 1.0 / k as f32) as fn(usize) -> f32),
                ("clarinet", |k| if k % 2 == 1 { 1.0 } else { 0.05 }),
                ("whistle", |k| if k == 1 { 1.0 } else { 0.0 }),
                ("formant", |k| if (4..8).contains(&k) { 1.0 } else { 0.1 }),
            ] {
                let share = share(&chord(&[hz], amplitude));
                assert!(share < 0.05, "{name} at {hz} Hz: {share}");
            }
        }
    }

    #[test]
    fn several_notes_are_told_although_they_have_a_period() {
        for notes in
            [[261.63, 329.63, 392.0], [523.25, 659.26, 783.99], [220.0, 277.18, 329.63], [261.63, 329.63, 523.25]]
        {
            let share = share(&chord(&notes, |k| 1.0 / k as f32));
            assert!(share > 0.8, "{notes:?}: {share}");
        }
    }
}
