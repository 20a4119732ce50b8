//! Synthesises a whistled tune, so that the demo needs no recording: the first half of "Greensleeves" (England, 16th
//! century) with glides, vibrato, breath noise at the onsets, and silence between phrases.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::f64::consts::{PI, TAU};

/// (MIDI note, length in eighths); `None` is a rest. Two octaves above the sung tune, in the range of whistles.
const TUNE: &[(Option<u8>, f64)] = &[
    (None, 0.5),
    (Some(83), 1.0),
    (Some(86), 2.0),
    (Some(88), 1.0),
    (Some(90), 1.5),
    (Some(92), 0.5),
    (Some(90), 1.0),
    (Some(88), 2.0),
    (Some(85), 1.0),
    (Some(81), 1.5),
    (Some(83), 0.5),
    (Some(85), 0.7),
    (None, 0.3),
    (Some(86), 2.0),
    (Some(83), 1.0),
    (Some(83), 1.5),
    (Some(82), 0.5),
    (Some(83), 1.0),
    (Some(85), 2.0),
    (Some(82), 1.0),
    (Some(78), 1.5),
    (None, 0.8),
    (Some(83), 0.7),
    (Some(86), 2.0),
    (Some(88), 1.0),
    (Some(90), 1.5),
    (Some(92), 0.5),
    (Some(90), 1.0),
    (Some(88), 2.0),
    (Some(85), 1.0),
    (Some(81), 1.5),
    (Some(83), 0.5),
    (Some(85), 0.7),
    (None, 0.3),
    (Some(86), 1.5),
    (Some(85), 0.5),
    (Some(83), 1.0),
    (Some(82), 1.5),
    (Some(80), 0.5),
    (Some(82), 1.0),
    (Some(83), 4.0),
    (None, 1.5),
];
const EIGHTH_SECONDS: f64 = 0.165;
const GLIDE_SECONDS: f64 = 0.055;
/// Gap before a note that repeats the pitch, so that the two can be told apart, s.
const TONGUE_SECONDS: f64 = 0.035;
const ATTACK_SECONDS: f64 = 0.045;
const RELEASE_SECONDS: f64 = 0.07;
const VIBRATO_HZ: f64 = 5.4;
const VIBRATO_CENTS: f64 = 28.0;
const SEED: u64 = 7;

/// A tune and its true pitch.
pub struct Melody {
    /// Mono, full scale ±1. Exactly 0 in rests.
    pub samples: Vec<f32>,
    /// Hz, one value per sample; 0 in rests.
    pub f0_hz: Vec<f64>,
}

/// The tune at `rate` Hz. Every call returns the same samples.
pub fn whistle(rate: f64) -> Melody {
    let breaths = breaths();
    let n_samples = (TUNE.iter().map(|(_, eighths)| eighths * EIGHTH_SECONDS).sum::<f64>() * rate) as usize;
    let mut melody = Melody { samples: vec![0.0; n_samples], f0_hz: vec![0.0; n_samples] };
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    for breath in &breaths {
        breath.whistle(rate, &mut random, &mut melody);
    }
    melody
}

struct Note {
    start_seconds: f64,
    midi: f64,
}

/// A phrase: the notes between two rests.
struct Breath {
    notes: Vec<Note>,
    end_seconds: f64,
}

fn breaths() -> Vec<Breath> {
    let mut breaths: Vec<Breath> = Vec::new();
    let mut previous: Option<u8> = None;
    let mut time = 0.0;
    for &(midi, eighths) in TUNE {
        if let Some(midi) = midi {
            let note = Note { start_seconds: time, midi: f64::from(midi) };
            if previous == Some(midi) {
                breaths.last_mut().expect("a note came before").end_seconds -= TONGUE_SECONDS;
            }
            match breaths.last_mut() {
                Some(breath) if previous.is_some_and(|p| p != midi) => breath.notes.push(note),
                _ => breaths.push(Breath { notes: vec![note], end_seconds: time }),
            }
            time += eighths * EIGHTH_SECONDS;
            breaths.last_mut().expect("just pushed").end_seconds = time;
        } else {
            time += eighths * EIGHTH_SECONDS;
        }
        previous = midi;
    }
    breaths
}

impl Breath {
    fn whistle(&self, rate: f64, random: &mut ChaCha8Rng, melody: &mut Melody) {
        let start = self.notes[0].start_seconds;
        let mut phase = random.random_range(0.0..TAU);
        let mut noise_band = BandPass::default();
        let mut drift_cents = 0.0;
        for i in (start * rate).ceil() as usize..((self.end_seconds * rate) as usize).min(melody.samples.len()) {
            let time = i as f64 / rate;
            // A slow random walk that returns to 0, about 4 cents wide.
            drift_cents += random.random_range(-1.0..1.0) * 22.0 / rate.sqrt() - drift_cents * 5.0 / rate;
            let f0_hz = self.f0_hz(time, drift_cents);
            phase = (phase + TAU * f0_hz / rate) % TAU;
            let level = self.level(time, f0_hz);
            // A whistle is nearly a sine, with weak second and third harmonics.
            let tone = phase.sin() + 0.02 * (2.0 * phase).sin() + 0.006 * (3.0 * phase).sin();
            let onset_breath = 0.5 * (-(time - start) / 0.03).exp();
            let air = noise_band.process(random.random_range(-1.0..1.0), f0_hz / rate) * (0.05 + onset_breath);
            melody.samples[i] = (level * (tone + air)) as f32;
            melody.f0_hz[i] = f0_hz;
        }
    }

    fn f0_hz(&self, time: f64, drift_cents: f64) -> f64 {
        let current = self.notes.iter().rposition(|note| note.start_seconds <= time).unwrap_or(0);
        let note = &self.notes[current];
        let since = time - note.start_seconds;
        let glide = 0.5 - 0.5 * (PI * (since / GLIDE_SECONDS).min(1.0)).cos();
        // The first note of a phrase slides up from a semitone below.
        let from = if current == 0 { note.midi - 1.0 } else { self.notes[current - 1].midi };
        let midi = from + (note.midi - from) * glide;
        let vibrato = VIBRATO_CENTS * ((since - 0.15) / 0.25).clamp(0.0, 1.0) * (TAU * VIBRATO_HZ * since).sin();
        440.0 * ((midi - 69.0) / 12.0 + (vibrato + drift_cents) / 1200.0).exp2()
    }

    fn level(&self, time: f64, f0_hz: f64) -> f64 {
        let (start, end) = (self.notes[0].start_seconds, self.end_seconds);
        let fade = |t: f64| 0.5 - 0.5 * (PI * t.clamp(0.0, 1.0)).cos();
        let edges = fade((time - start) / ATTACK_SECONDS) * fade((end - time) / RELEASE_SECONDS);
        // A phrase is loudest in its middle, and high notes are louder.
        let swell = 0.7 + 0.3 * (PI * ((time - start) / (end - start)).clamp(0.0, 1.0)).sin();
        let height = (f0_hz / 1000.0).powf(0.4);
        0.3 * edges * swell * height
    }
}

/// State-variable filter centred on the whistle's pitch: breath noise sounds at the mouth's resonance.
#[derive(Default)]
struct BandPass {
    /// Integrator states.
    low: f64,
    band: f64,
}

impl BandPass {
    /// `frequency`: centre as a share of the sample rate. Trapezoidal form (Zavalishin), Q = 3, peak gain 1.
    fn process(&mut self, input: f64, frequency: f64) -> f64 {
        let g = (PI * frequency).tan();
        let damping = 1.0 / 3.0;
        let band = (g * (input - self.low) + self.band) / (1.0 + g * (g + damping));
        let low = self.low + g * band;
        self.band = 2.0 * band - self.band;
        self.low = low + g * band;
        band * damping
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pitch_track::{HOP_SECONDS, cents, track};

    #[test]
    fn the_tune_is_in_the_range_of_whistles() {
        let melody = whistle(48_000.0);
        let seconds = melody.samples.len() as f64 / 48_000.0;
        assert!((7.0..9.5).contains(&seconds), "{seconds} s");
        for f0_hz in melody.f0_hz.iter().filter(|f0| **f0 > 0.0) {
            assert!((690.0..2000.0).contains(f0_hz), "{f0_hz} Hz");
        }
        let peak = melody.samples.iter().fold(0.0_f32, |a, s| a.max(s.abs()));
        assert!((0.2..0.7).contains(&peak), "peak {peak}");
    }

    #[test]
    fn rests_are_exactly_silent() {
        let melody = whistle(44_100.0);
        let mut time = 0.0;
        for &(midi, eighths) in TUNE {
            let end = time + eighths * EIGHTH_SECONDS;
            if midi.is_none() {
                let rest = &melody.samples[(time * 44_100.0) as usize + 1..(end * 44_100.0) as usize - 1];
                assert!(rest.len() > 1000 && rest.iter().all(|s| *s == 0.0), "rest at {time} s");
            }
            time = end;
        }
        assert!(melody.samples.iter().zip(&melody.f0_hz).all(|(s, f0)| *f0 > 0.0 || *s == 0.0));
    }

    #[test]
    fn sounds_at_the_pitch_it_claims() {
        for rate in [44_100.0, 48_000.0] {
            let melody = whistle(rate);
            let (mut n_voiced, mut n_right) = (0, 0);
            for (frame, f0) in track(&melody.samples, rate).into_iter().enumerate() {
                let centre = (frame as f64 * HOP_SECONDS * rate) as usize;
                // The tracker may report any pitch that occurs in its window, which matters in glides.
                let reach = (0.025 * rate) as usize;
                let seen = &melody.f0_hz[centre.saturating_sub(reach)..(centre + reach).min(melody.f0_hz.len())];
                if let (Some(f0), true) = (f0, seen.iter().all(|f0| *f0 > 0.0)) {
                    let (low, high) = seen.iter().fold((f64::MAX, 0.0), |(l, h), f| (f64::min(l, *f), f64::max(h, *f)));
                    n_voiced += 1;
                    n_right += usize::from(cents(f0, low) > -15.0 && cents(f0, high) < 15.0);
                }
            }
            assert!(n_voiced > 500, "{n_voiced} frames have a pitch");
            assert!(n_right as f64 > 0.99 * n_voiced as f64, "{n_right} of {n_voiced} frames at their pitch");
        }
    }

    #[test]
    fn is_the_same_every_time() {
        assert_eq!(whistle(48_000.0).samples, whistle(48_000.0).samples);
    }
}
