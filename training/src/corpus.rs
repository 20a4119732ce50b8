//! Recordings with exactly known f0: each is resynthesised from its own measured pitch and harmonics (Salamon et al.
//! 2017, "An analysis/synthesis framework for automatic f0 annotation"). So the label is the pitch that was rendered,
//! not an estimate.

mod notes;

use crate::analysis::{HarmonicTrack, PitchFrame, fill_gaps, harmonic_amplitudes, track_pitch};
use crate::encoder::{CLIP_HOPS, Clip, Timbre, breathe};
use crate::progress::Progress;
use crate::random::Draw;
use crate::recordings::{analyse_all, load_mono};
use anyhow::Result;
use embouchure_inference::config::{FRAME_RATE, HEARD_MAX_HZ, HOP_SIZE, MODEL_RATE};
use embouchure_inference::math::db::db_to_gain;
use rand_chacha::ChaCha8Rng;
use std::f64::consts::TAU;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

/// Harmonics that are rendered.
const N_HARMONICS: usize = 64;
/// Range of labelled pitches, Hz. The pitch bins reach a little further on both sides.
const LABELLED_HZ: RangeInclusive<f32> = 33.0..=4900.0;
/// Hops without pitch that are more aperiodic than this are breath, consonants or silence, and kept as recorded.
const SURELY_UNVOICED: f32 = 0.5;
/// Frames whose harmonics are softer than this share of the loudest frame's count as silence: -45 dB.
const INAUDIBLE: f32 = 0.0056;

/// Share of clips that get another timbre: a whistle, a hum, a vowel, a reed.
const DISGUISED: f32 = 0.3;

/// Analysed recordings, ready for resynthesis.
#[derive(Default)]
pub struct Corpus {
    recordings: Vec<Recording>,
    /// Hops of all recordings.
    n_hops: usize,
}

/// One analysed recording, per hop.
pub struct Recording {
    /// Pitch at the end of each hop, Hz, gaps filled: > 0.
    f0_hz: Vec<f32>,
    /// True where a note sounds.
    voiced: Vec<bool>,
    harmonics: HarmonicTrack,
    /// The recording's samples where it is certainly unvoiced, zero elsewhere.
    unvoiced: Vec<f32>,
    /// Largest sum of the harmonic amplitudes of a frame.
    peak: f32,
}

impl Corpus {
    /// Analyses all files, on all cores. Files that cannot be read are reported and left out.
    pub fn analyse(files: &[PathBuf], progress: &dyn Progress) -> Result<Self> {
        let recordings = analyse_all(files, progress, |path| Recording::analyse(path, progress))?;
        let n_hops = recordings.iter().map(|r| r.f0_hz.len()).sum();
        Ok(Self { recordings, n_hops })
    }

    /// Minutes of audio.
    pub fn minutes(&self) -> f32 {
        self.n_hops as f32 / FRAME_RATE / 60.0
    }

    /// A second from a random place of the recordings, randomly transposed; `None` if there are no recordings.
    pub fn draw_clip(&self, rng: &mut ChaCha8Rng) -> Option<Clip> {
        let mut at = rng.index(self.n_hops.max(1));
        for recording in &self.recordings {
            if at < recording.f0_hz.len() {
                let ratio = if rng.chance(0.7) { rng.uniform(-15.0, 9.0) / 12.0 } else { 0.0 }.exp2();
                let mut clip = match rng.chance(DISGUISED) {
                    true => recording.disguised(rng).render(at, CLIP_HOPS, ratio, rng),
                    false => recording.render(at, CLIP_HOPS, ratio, rng),
                };
                let share = db_to_gain(rng.uniform(-60.0, -12.0));
                breathe(&mut clip.breath, &envelope(&clip.samples), share, rng);
                return Some(clip);
            }
            at -= recording.f0_hz.len();
        }
        None
    }
}

impl Recording {
    /// Analyses one file.
    pub fn analyse(path: &Path, progress: &dyn Progress) -> Result<Self> {
        let samples = load_mono(path, MODEL_RATE, progress)?;
        let pitch = track_pitch(&samples, MODEL_RATE);
        let detected: Vec<f32> = pitch.iter().map(|p| p.f0_hz).collect();
        let mut f0_hz = fill_gaps(&detected);
        let mut harmonics = harmonic_amplitudes(&samples, MODEL_RATE, &f0_hz, N_HARMONICS, HEARD_MAX_HZ);
        let level = |harmonics: &HarmonicTrack, h: usize| harmonics.frame(h).iter().sum::<f32>();
        let peak = (0..f0_hz.len()).map(|h| level(&harmonics, h)).fold(1e-6, f32::max);
        let audible = |h: usize| detected[h] > 0.0 && level(&harmonics, h) > INAUDIBLE * peak;
        let mut voiced: Vec<bool> = (0..f0_hz.len()).map(audible).collect();
        notes::split_at_jumps(&mut voiced, &f0_hz);
        notes::drop_short(&mut voiced);
        if notes::raise_subharmonics(&mut f0_hz, &voiced, &harmonics) {
            harmonics = harmonic_amplitudes(&samples, MODEL_RATE, &f0_hz, N_HARMONICS, HEARD_MAX_HZ);
        }
        notes::drop_chords(&mut voiced, &harmonics);
        let unvoiced = keep_unvoiced(&samples, &pitch, &voiced);
        Ok(Self { f0_hz, voiced, harmonics, unvoiced, peak })
    }

    /// Removes labels below the instrument's lowest note: they are two notes that ring into each other, or noise.
    pub fn drop_below(&mut self, lowest_hz: f32) {
        self.voiced.iter_mut().zip(&self.f0_hz).for_each(|(voiced, f0)| *voiced &= *f0 >= lowest_hz);
    }

    /// Length of the recording, hops.
    pub fn n_hops(&self) -> usize {
        self.f0_hz.len()
    }

    /// Pitch at the end of each hop, Hz; 0 = no note.
    pub fn notes(&self) -> Vec<f32> {
        self.f0_hz.iter().zip(&self.voiced).map(|(f0, voiced)| if *voiced { *f0 } else { 0.0 }).collect()
    }

    /// The same performance with another timbre.
    fn disguised(&self, rng: &mut ChaCha8Rng) -> Self {
        let mut known: Vec<f32> = self.notes().into_iter().filter(|f| *f > 0.0).collect();
        known.sort_by(f32::total_cmp);
        let partials: Vec<f32> =
            Timbre::draw(rng, *known.get(known.len() / 2).unwrap_or(&440.0)).amplitudes().collect();
        let harmonics = HarmonicTrack::from_frames(N_HARMONICS, self.f0_hz.len(), |h, out| {
            let level = self.harmonics.frame(h).iter().map(|a| a * a).sum::<f32>().sqrt();
            out.iter_mut().zip(&partials).for_each(|(a, p)| *a = level * p);
        });
        Self {
            harmonics,
            f0_hz: self.f0_hz.clone(),
            voiced: self.voiced.clone(),
            unvoiced: self.unvoiced.clone(),
            ..*self
        }
    }

    /// Resynthesises `n_hops` from hop `start` on, with silence after the end. The pitch is multiplied by `ratio`.
    pub fn render(&self, start: usize, n_hops: usize, ratio: f32, rng: &mut ChaCha8Rng) -> Clip {
        let gain = 0.3 / self.peak;
        let phases: Vec<f32> = (0..N_HARMONICS).map(|_| rng.unit()).collect();
        let mut clip = Clip::silent(n_hops);
        let mut turns = rng.unit() as f64;
        let n = n_hops.min(self.f0_hz.len() - start);
        for h in 0..n {
            let now = start + h;
            let before = now.saturating_sub(1).max(start);
            let (from, to) = (self.f0_hz[before] * ratio, self.f0_hz[now] * ratio);
            let (fade_in, fade_out) = (f32::from(self.voiced[before]), f32::from(self.voiced[now]));
            let out = &mut clip.samples[h * HOP_SIZE..][..HOP_SIZE];
            let unvoiced = self.unvoiced[now * HOP_SIZE..][..HOP_SIZE].iter().map(|x| gain * x);
            clip.breath[h * HOP_SIZE..][..HOP_SIZE].iter_mut().zip(unvoiced).for_each(|(b, x)| *b = x);
            for (i, x) in out.iter_mut().enumerate() {
                let w = (i + 1) as f32 / HOP_SIZE as f32;
                let hz = from + (to - from) * w;
                turns += hz as f64 / MODEL_RATE as f64;
                let level = fade_in + (fade_out - fade_in) * w;
                if level > 0.0 {
                    let (a, b) = (self.harmonics.frame(before), self.harmonics.frame(now));
                    let n_below = ((HEARD_MAX_HZ / hz) as usize).min(N_HARMONICS);
                    *x = gain * level * tone(turns, &phases[..n_below], a, b, w);
                }
            }
            if self.voiced[now] && LABELLED_HZ.contains(&to) {
                clip.f0_hz[h] = to;
            }
        }
        clip
    }
}

/// Level of every sample: RMS over about 8 ms.
fn envelope(samples: &[f32]) -> Vec<f32> {
    let mut power = 0.0;
    let follow = |x: &f32| {
        power += (x * x - power) / 128.0;
        power.sqrt()
    };
    samples.iter().map(follow).collect()
}

/// Sum of the harmonics at the phase `turns` of the fundamental. `w`: position between the amplitudes `from` and `to`,
/// 0 to 1.
fn tone(turns: f64, phases: &[f32], from: &[f32], to: &[f32], w: f32) -> f32 {
    let (s, c) = ((turns.fract() * TAU) as f32).sin_cos();
    let (mut s0, mut c0, mut s1, mut c1) = (0.0f32, 1.0f32, s, c);
    let mut sum = 0.0;
    for (k, phase) in phases.iter().enumerate() {
        // A fixed mixture of sine and cosine sets the partial's phase.
        let mixture = 1.0 - 2.0 * phase;
        let amplitude = from[k] + (to[k] - from[k]) * w;
        sum += amplitude * (mixture * s1 + (1.0 - mixture * mixture).max(0.0).sqrt() * c1);
        (s0, s1) = (s1, 2.0 * c * s1 - s0);
        (c0, c1) = (c1, 2.0 * c * c1 - c0);
    }
    sum
}

/// The recording where it certainly has no pitch, zero elsewhere, faded over a hop at the borders.
fn keep_unvoiced(samples: &[f32], pitch: &[PitchFrame], voiced: &[bool]) -> Vec<f32> {
    let sure = |h: usize| {
        let near = h.saturating_sub(4)..(h + 5).min(pitch.len());
        near.clone().all(|i| !voiced[i] && pitch[i].f0_hz == 0.0 && pitch[i].aperiodicity > SURELY_UNVOICED)
    };
    let kept: Vec<f32> = (0..pitch.len()).map(|h| f32::from(sure(h))).collect();
    let mut out = samples[..pitch.len() * HOP_SIZE].to_vec();
    for (h, hop) in out.chunks_exact_mut(HOP_SIZE).enumerate() {
        let from = kept[h.saturating_sub(1)].min(kept[h]);
        let to = kept[h].min(*kept.get(h + 1).unwrap_or(&kept[h]));
        for (i, x) in hop.iter_mut().enumerate() {
            *x *= from + (to - from) * i as f32 / HOP_SIZE as f32;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::generator;

    /// The label is the pitch of the rendered clip, whatever the recording was.
    #[test]
    fn labels_are_the_rendered_pitch() {
        let n = 1000;
        let recording = Recording {
            f0_hz: (0..n).map(|h| 300.0 + 8.0 * (h as f32 * 0.1).sin()).collect(),
            voiced: vec![true; n],
            harmonics: HarmonicTrack::constant(
                n,
                &std::array::from_fn::<f32, N_HARMONICS, _>(|k| 0.5 / (k + 1) as f32),
            ),
            unvoiced: vec![0.0; n * HOP_SIZE],
            peak: 1.0,
        };
        for seed in 0..3 {
            let clip = recording.render(100, CLIP_HOPS, 1.0, &mut generator(seed, 0));
            let heard = track_pitch(&clip.samples, MODEL_RATE);
            for (heard, label) in heard.iter().zip(&clip.f0_hz).take(240).skip(10) {
                let cents = 1200.0 * (heard.f0_hz / label).log2();
                assert!(cents.abs() < 40.0, "{} Hz labelled {label}", heard.f0_hz);
            }
        }
    }
}
