//! A tune that is hummed to the app, and a check whether a recording follows it.

use std::f32::consts::TAU;

/// MIDI note numbers, half a second each; 0 is a rest.
const TUNE: [u8; 16] = [60, 62, 64, 67, 72, 72, 71, 0, 67, 64, 65, 62, 60, 55, 60, 0];
const NOTE_S: f32 = 0.5;
/// Duration of the whole tune, s.
pub const ROUND_S: f32 = NOTE_S * TUNE.len() as f32;
/// Interval between pitch estimates, s.
const STEP_S: f32 = 0.05;
/// Below this level, RMS, a frame counts as silent; so the fade of a note counts as its rest.
const SILENT: f32 = 0.003;

/// The tune once, as a voice might hum it: with slides, vibrato and a few harmonics. The last rest is included.
pub fn tune(rate: f32) -> Vec<f32> {
    let (mut phase, mut midi, mut level) = (0.0_f32, f32::from(TUNE[0]), 0.0_f32);
    // Smoothing of pitch and level per sample: time constants of 30 ms and 15 ms.
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

/// How well a recording follows the tune.
#[derive(Clone, Copy, Debug)]
pub struct Following {
    /// Share of the frames in which something sounds.
    pub sounding: f32,
    /// Of these, the share whose pitch is the tune's note, in any octave, within half a semitone, at the best alignment
    /// of recording and tune.
    pub right: f32,
}

impl Following {
    /// Judges a recording at `rate` Hz. It may begin anywhere in the tune and may be delayed. Gaps are allowed, because
    /// the machine may have been too busy; a transposed tune matches in at most 3 of 14 frames.
    pub fn of(recording: &[f32], rate: f32) -> Self {
        let frames = recording.chunks_exact((STEP_S * rate) as usize).map(|chunk| chroma(chunk, rate));
        let heard: Vec<Option<f32>> = frames.collect();
        let n_sounding = heard.iter().flatten().count();
        let n_steps = (ROUND_S / STEP_S) as usize;
        let n_right = |shift: usize| {
            let is_right = |(i, heard): (usize, &Option<f32>)| {
                let note = note_at((i + shift) as f32 * STEP_S);
                heard.is_some_and(|chroma| note > 0 && chroma_distance(chroma, f32::from(note)) < 0.5)
            };
            heard.iter().enumerate().filter(|frame| is_right(*frame)).count()
        };
        let most = (0..n_steps).map(n_right).max().unwrap_or(0);
        Self { sounding: n_sounding as f32 / heard.len().max(1) as f32, right: most as f32 / n_sounding.max(1) as f32 }
    }

    /// True if the recording is beyond doubt the tune. The limits leave room for gaps and attacks.
    pub fn is_the_tune(self) -> bool {
        self.sounding > 0.6 && self.right > 0.7
    }
}

/// Distance of two pitches in semitones, ignoring octaves.
fn chroma_distance(a: f32, b: f32) -> f32 {
    let distance = (a - b).rem_euclid(12.0);
    distance.min(12.0 - distance)
}

/// Pitch of a frame as a MIDI number, possibly wrong by octaves; `None` if it has no pitch. It is the shortest lag
/// whose peak in the normalised autocorrelation is almost the greatest.
fn chroma(chunk: &[f32], rate: f32) -> Option<f32> {
    let rms = (chunk.iter().map(|x| x * x).sum::<f32>() / chunk.len() as f32).sqrt();
    if rms < SILENT {
        return None;
    }
    let correlation = |lag: usize| {
        let (early, late) = (&chunk[..chunk.len() - lag], &chunk[lag..]);
        let product: f32 = early.iter().zip(late).map(|(a, b)| a * b).sum();
        let power: f32 = early.iter().chain(late).map(|x| x * x).sum();
        2.0 * product / (power + f32::MIN_POSITIVE)
    };
    // 60 Hz to 1.6 kHz.
    let lags: Vec<f32> = ((rate / 1600.0) as usize..(rate / 60.0) as usize).map(correlation).collect();
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
    fn the_tune_is_distinguished_from_others() {
        const RATE: f32 = 16_000.0;
        let whole = tune(RATE);
        // Starts in the middle of the tune, and softer.
        let moved: Vec<f32> = whole.iter().cycle().skip(40_000).take(2 * whole.len()).map(|x| 0.2 * x).collect();
        let following = Following::of(&moved, RATE);
        assert!(following.is_the_tune() && following.right > 0.85, "{following:?}");
        // Counterexamples: every pitch a tone lower; the tune backwards; one note; silence.
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
