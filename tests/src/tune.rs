//! A tune to hum to the app, and whether a recording follows it.

use std::f32::consts::TAU;

/// MIDI numbers, half a second each; 0 is a rest.
const TUNE: [u8; 16] = [60, 62, 64, 67, 72, 72, 71, 0, 67, 64, 65, 62, 60, 55, 60, 0];
const NOTE_S: f32 = 0.5;
/// Length of a round, s.
pub const ROUND_S: f32 = NOTE_S * TUNE.len() as f32;
/// Between two looks at a pitch, s.
const STEP_S: f32 = 0.05;
/// The fade of a note counts as its rest does: softer than this, RMS, nothing is heard.
const SILENT: f32 = 0.003;

/// A round of the tune as a voice might hum it, from its first note to its last rest: slides, vibrato, a few harmonics.
pub fn tune(rate: f32) -> Vec<f32> {
    let (mut phase, mut midi, mut level) = (0.0_f32, f32::from(TUNE[0]), 0.0_f32);
    // Shares of the way to the next note and level per sample: 30 ms and 15 ms.
    let (slide, swell) = (1.0 / (0.03 * rate), 1.0 / (0.015 * rate));
    let sample = |i: usize| {
        let time_s = i as f32 / rate;
        let note = note_at(time_s);
        if note > 0 {
            midi += slide * (f32::from(note) - midi);
        }
        level += swell * (if note > 0 { 0.25 } else { 0.0 } - level);
        let vibrato = 0.2 * (TAU * 5.5 * time_s).sin();
        phase = (phase + 440.0 * ((midi + vibrato - 69.0) / 12.0).exp2() / rate).fract();
        (1..=6).map(|k| level / k as f32 * (TAU * k as f32 * phase).sin()).sum()
    };
    (0..(NOTE_S * rate) as usize * TUNE.len()).map(sample).collect()
}

fn note_at(time_s: f32) -> u8 {
    TUNE[(time_s / NOTE_S) as usize % TUNE.len()]
}

/// How a recording follows the tune.
#[derive(Clone, Copy, Debug)]
pub struct Following {
    /// Share of the looks at which something sounds.
    pub sounding: f32,
    /// Of these, the share with the tune's note in any octave, within a third of a semitone and a vibrato, where the
    /// recording lies best upon the tune.
    pub right: f32,
}

impl Following {
    /// Of a recording at this rate, Hz, that began anywhere in the tune and may be late by anything. A machine may have
    /// been too busy for some of it, and another octave or note is as seldom right as 3 times in 14.
    pub fn of(recording: &[f32], rate: f32) -> Self {
        let looks = recording.chunks_exact((STEP_S * rate) as usize).map(|chunk| chroma(chunk, rate));
        let heard: Vec<Option<f32>> = looks.collect();
        let n_sounding = heard.iter().flatten().count();
        let n_steps = (ROUND_S / STEP_S) as usize;
        let n_right = |shift: usize| {
            let is_right = |(i, heard): (usize, &Option<f32>)| {
                let note = note_at((i + shift) as f32 * STEP_S);
                heard.is_some_and(|chroma| note > 0 && apart(chroma, f32::from(note)) < 0.5)
            };
            heard.iter().enumerate().filter(|look| is_right(*look)).count()
        };
        let most = (0..n_steps).map(n_right).max().unwrap_or(0);
        Self { sounding: n_sounding as f32 / heard.len().max(1) as f32, right: most as f32 / n_sounding.max(1) as f32 }
    }

    /// True if it is the tune, beyond doubt, though gaps and attacks spoil some of it.
    pub fn is_the_tune(self) -> bool {
        self.sounding > 0.6 && self.right > 0.7
    }
}

/// Semitones between two pitches, whatever their octaves.
fn apart(a: f32, b: f32) -> f32 {
    let apart = (a - b).rem_euclid(12.0);
    apart.min(12.0 - apart)
}

/// Pitch of a chunk as a MIDI number that may be off by octaves, if it has one: the shortest lag at which its normalised
/// autocorrelation has almost its greatest peak.
fn chroma(chunk: &[f32], rate: f32) -> Option<f32> {
    let rms = (chunk.iter().map(|x| x * x).sum::<f32>() / chunk.len() as f32).sqrt();
    if rms < SILENT {
        return None;
    }
    let likeness = |lag: usize| {
        let (early, late) = (&chunk[..chunk.len() - lag], &chunk[lag..]);
        let product: f32 = early.iter().zip(late).map(|(a, b)| a * b).sum();
        let power: f32 = early.iter().chain(late).map(|x| x * x).sum();
        2.0 * product / (power + f32::MIN_POSITIVE)
    };
    // 60 Hz to 1.6 kHz.
    let lags: Vec<f32> = ((rate / 1600.0) as usize..(rate / 60.0) as usize).map(likeness).collect();
    let peaks: Vec<usize> =
        (1..lags.len() - 1).filter(|at| lags[*at] > lags[at - 1] && lags[*at] >= lags[at + 1]).collect();
    let greatest = peaks.iter().map(|at| lags[*at]).fold(0.0, f32::max);
    let at = *peaks.iter().find(|at| greatest > 0.7 && lags[**at] > 0.92 * greatest)?;
    let (before, peak, after) = (lags[at - 1], lags[at], lags[at + 1]);
    let offset = 0.5 * (before - after) / (before - 2.0 * peak + after);
    let lag = (rate / 1600.0).floor() + at as f32 + offset;
    Some(69.0 + 12.0 * (rate / lag / 440.0).log2())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tune_is_told_from_others() {
        const RATE: f32 = 16_000.0;
        let whole = tune(RATE);
        // Begun in the middle, and softer.
        let moved: Vec<f32> = whole.iter().cycle().skip(40_000).take(2 * whole.len()).map(|x| 0.2 * x).collect();
        let following = Following::of(&moved, RATE);
        assert!(following.is_the_tune() && following.right > 0.85, "{following:?}");
        // Every pitch a tone lower; backwards; one note; nothing.
        let lower = Following::of(&whole, RATE * 0.9);
        let backwards: Vec<f32> = whole.iter().rev().copied().collect();
        let one: Vec<f32> = whole[..8000].iter().cycle().take(whole.len()).copied().collect();
        for other in
            [lower, Following::of(&backwards, RATE), Following::of(&one, RATE), Following::of(&[0.0; 80_000], RATE)]
        {
            assert!(!other.is_the_tune() && other.right < 0.6, "{other:?}");
        }
    }
}
