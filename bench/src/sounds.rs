//! Synthesises sources with known onsets and pitches.

use embouchure_training::random::{Draw, generator};
use std::f64::consts::TAU;

/// Level of a note, RMS: -20 dBFS.
const LEVEL: f64 = 0.1;
/// Attack of a note, a raised cosine, s. The release takes [`RELEASE_S`].
const ATTACK_S: f64 = 0.002;
const RELEASE_S: f64 = 0.03;
/// Level of a whistle's breath noise relative to its tone: -26 dB.
const BREATH: f64 = 0.05;
/// Highest frequency of partials at any rate, Hz.
const TOP_HZ: f64 = 7500.0;

/// Timbre of a source.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Timbre {
    Sine,
    Saw,
    Vowel,
    /// A sine with breath noise.
    Whistle,
}

impl Timbre {
    pub const ALL: [Self; 4] = [Self::Sine, Self::Saw, Self::Vowel, Self::Whistle];

    /// Amplitude of partial `k` of a note at `hz`, before normalisation.
    fn partial(self, hz: f64, k: usize) -> f64 {
        match self {
            Self::Sine | Self::Whistle => f64::from(u8::from(k == 1)),
            Self::Saw => 1.0 / k as f64,
            Self::Vowel => vowel(k as f64 * hz) / (k as f64).sqrt(),
        }
    }
}

/// Gain of the formants of a sung "ah" at `hz`.
pub fn vowel(hz: f64) -> f64 {
    let peak = |at: f64, width: f64, gain: f64| gain / (1.0 + ((hz - at) / width).powi(2));
    peak(700.0, 130.0, 1.0) + peak(1220.0, 140.0, 0.5) + peak(2600.0, 200.0, 0.2) + 0.03
}

/// A part of a melody: `hz` for `seconds`; 0 Hz is a pause. Notes without a pause between them are tied.
#[derive(Clone, Copy, Debug)]
pub struct Segment {
    pub hz: f64,
    pub seconds: f64,
}

/// Samples at `rate`, and the first sample of each segment.
pub struct Melody {
    pub samples: Vec<f32>,
    pub starts: Vec<usize>,
}

/// Renders the segments. The phase continues from note to note.
pub fn render(timbre: Timbre, segments: &[Segment], rate: f64, seed: u64) -> Melody {
    let mut melody = Melody { samples: Vec::new(), starts: Vec::new() };
    let mut rng = generator(seed, 0);
    let mut turns = f64::from(rng.unit());
    for (i, segment) in segments.iter().enumerate() {
        let start = melody.samples.len();
        melody.starts.push(start);
        let n = (segment.seconds * rate).round() as usize;
        if segment.hz == 0.0 {
            melody.samples.resize(start + n, 0.0);
            continue;
        }
        let is_silent = |i: Option<usize>| i.and_then(|i| segments.get(i)).is_none_or(|s| s.hz == 0.0);
        let (starts, ends) = (is_silent(i.checked_sub(1)), is_silent(Some(i + 1)));
        let partials = partials(timbre, segment.hz);
        for j in 0..n {
            turns += segment.hz / rate;
            let rise = if starts { rise(j as f64 / rate / ATTACK_S) } else { 1.0 };
            let fall = if ends { rise_of_the_end(n - j, rate) } else { 1.0 };
            let wave = partials.iter().zip(1..).map(|(a, k)| a * (TAU * turns * f64::from(k)).sin()).sum::<f64>();
            let breath = if timbre == Timbre::Whistle { BREATH * LEVEL * f64::from(rng.normal()) } else { 0.0 };
            melody.samples.push(((wave + breath) * rise * fall) as f32);
        }
    }
    melody
}

fn rise_of_the_end(samples_left: usize, rate: f64) -> f64 {
    rise(samples_left as f64 / rate / RELEASE_S)
}

/// Raised cosine: rises smoothly from 0 to 1 as `share` does.
fn rise(share: f64) -> f64 {
    0.5 - 0.5 * (TAU / 2.0 * share.clamp(0.0, 1.0)).cos()
}

/// Amplitudes of the partials, normalised to [`LEVEL`].
fn partials(timbre: Timbre, hz: f64) -> Vec<f64> {
    let raw: Vec<f64> = (1..=(TOP_HZ / hz).max(1.0) as usize).map(|k| timbre.partial(hz, k)).collect();
    let rms = (raw.iter().map(|a| a * a / 2.0).sum::<f64>()).sqrt();
    raw.iter().map(|a| a * LEVEL / rms).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_start_where_they_should_and_have_their_level() {
        let pause = Segment { hz: 0.0, seconds: 0.1 };
        for timbre in Timbre::ALL {
            let note = Segment { hz: 220.0, seconds: 0.5 };
            let melody = render(timbre, &[pause, note, pause], 48_000.0, 1);
            assert_eq!(melody.starts, [0, 4800, 28_800]);
            let first = melody.samples.iter().position(|x| *x != 0.0).unwrap();
            assert!((4800..4804).contains(&first), "{first}");
            assert!(melody.samples[28_800..].iter().all(|x| *x == 0.0));
            let middle = &melody.samples[10_000..20_000];
            let rms = (middle.iter().map(|x| f64::from(x * x)).sum::<f64>() / 10_000.0).sqrt();
            assert!((rms - LEVEL).abs() < 0.01 * LEVEL, "{rms}");
        }
    }
}
