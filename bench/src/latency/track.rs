//! Records the control frames with the times at which they sound, and finds onsets and settled pitches in them.

use embouchure_inference::chain::HopOutput;
use embouchure_inference::config::{HOP_S, NOISE_MAX_HZ};
use embouchure_inference::controls::Controls;
use embouchure_inference::engine::HopModel;
use embouchure_inference::hear::HopInput;
use embouchure_inference::settings::Settings;
use std::sync::{Arc, Mutex, PoisonError};

/// Largest error of a pitch that counts as right, cents.
const RIGHT_CENTS: f64 = 50.0;

/// The recorded part of one control frame.
#[derive(Clone, Copy, Debug)]
pub struct Played {
    pub f0_hz: f64,
    /// RMS of all harmonics together, linear.
    pub level: f64,
}

/// A model that records its control frames.
pub struct Recorder<M> {
    model: M,
    frames: Frames,
}

/// Recorded frames since the start, one per hop.
pub type Frames = Arc<Mutex<Vec<Played>>>;

impl<M: HopModel> Recorder<M> {
    pub fn new(model: M) -> (Self, Frames) {
        let frames = Frames::default();
        (Self { model, frames: frames.clone() }, frames)
    }
}

impl<M: HopModel> HopModel for Recorder<M> {
    fn reset(&mut self) {
        self.model.reset();
    }

    fn hop(&mut self, input: HopInput<'_>, settings: &Settings) -> HopOutput {
        let output = self.model.hop(input, settings);
        let level = f64::from(level(&output.controls));
        let played = Played { f0_hz: f64::from(output.controls.f0_hz()), level };
        self.frames.lock().unwrap_or_else(PoisonError::into_inner).push(played);
        output
    }
}

/// RMS of the harmonics.
fn level(controls: &Controls) -> f32 {
    let is_played = |k: u16| f32::from(k) * controls.f0_hz() < NOISE_MAX_HZ;
    let played = controls.harmonic_amplitudes().iter().zip(1..).filter(|(_, k)| is_played(*k));
    played.map(|(a, _)| a * a / 2.0).sum::<f32>().sqrt()
}

/// Control frames with times: each has the time, s, of the input sample with which it is reached.
pub struct Track {
    pub time_s: Vec<f64>,
    pub played: Vec<Played>,
}

impl Track {
    /// `first_s`: time of the first frame, s.
    pub fn new(frames: &Frames, first_s: f64) -> Self {
        let played = frames.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let time_s = (0..played.len()).map(|hop| first_s + HOP_S * hop as f64).collect();
        Self { time_s, played }
    }

    fn range(&self, from_s: f64, to_s: f64) -> std::ops::Range<usize> {
        let at = |s: f64| self.time_s.partition_point(|t| *t < s);
        at(from_s)..at(to_s)
    }

    /// Median level between two times.
    pub fn level(&self, from_s: f64, to_s: f64) -> f64 {
        let levels: Vec<f64> = self.played[self.range(from_s, to_s)].iter().map(|p| p.level).collect();
        crate::statistics::median(&levels)
    }

    /// Time at which the level first reaches `level` after `from_s`, interpolated linearly between frames. Infinite if
    /// that is not before `to_s`.
    pub fn reaches(&self, level: f64, from_s: f64, to_s: f64) -> f64 {
        let range = self.range(from_s, to_s);
        let levels: Vec<f64> = self.played[range.clone()].iter().map(|p| p.level).collect();
        crossing(&self.time_s[range], &levels, level)
    }

    /// Time from which on the pitch is right until `to_s`: the first frame from which on all frames sound and are
    /// within 50 cents of `hz`. Infinite if the last frame is wrong.
    pub fn settles(&self, hz: impl Fn(f64) -> f64, from_s: f64, to_s: f64) -> f64 {
        let range = self.range(from_s, to_s);
        let is_right = |i: &usize| {
            let cents = 1200.0 * (self.played[*i].f0_hz / hz(self.time_s[*i])).log2();
            self.played[*i].level > 0.0 && cents.abs() <= RIGHT_CENTS
        };
        range.rev().take_while(is_right).last().map_or(f64::INFINITY, |i| self.time_s[i])
    }
}

/// First time at which `values`, interpolated linearly, reach `level`; infinite if they never do.
pub fn crossing(time_s: &[f64], values: &[f64], level: f64) -> f64 {
    let Some(i) = values.iter().position(|v| *v >= level) else { return f64::INFINITY };
    let Some(before) = i.checked_sub(1) else { return time_s[0] };
    let share = (level - values[before]) / (values[i] - values[before]);
    time_s[before] + share * (time_s[i] - time_s[before])
}

/// Running RMS over `window` samples; value `i` belongs to the window centred on sample `i`.
pub fn envelope(samples: &[f32], window: usize) -> Vec<f64> {
    let square = |i: usize| samples.get(i).map_or(0.0, |x| f64::from(x * x));
    let half = window / 2;
    let mut sum: f64 = (0..half).map(square).sum();
    (0..samples.len())
        .map(|i| {
            sum += square(i + half);
            if i + half >= window {
                sum -= square(i + half - window);
            }
            (sum.max(0.0) / window as f64).sqrt()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(played: &[(f64, f64)]) -> Track {
        let played: Vec<Played> = played.iter().map(|(f0_hz, level)| Played { f0_hz: *f0_hz, level: *level }).collect();
        Track::new(&Arc::new(Mutex::new(played)), 0.004)
    }

    #[test]
    fn an_onset_is_found_between_the_frames() {
        let track = track(&[(440.0, 0.0), (440.0, 0.0), (440.0, 0.4), (440.0, 1.0), (440.0, 1.0)]);
        assert!((track.reaches(0.2, 0.0, 1.0) - 0.010).abs() < 1e-12);
        assert!((track.reaches(0.7, 0.0, 1.0) - 0.014).abs() < 1e-12);
        assert_eq!(track.reaches(1.1, 0.0, 1.0), f64::INFINITY);
        assert_eq!(track.level(0.0155, 0.021), 1.0);
    }

    #[test]
    fn a_pitch_settles_when_it_stays() {
        let (right, wrong, edge) = ((440.0, 1.0), (880.0, 1.0), (452.0, 1.0));
        let hz = |_: f64| 440.0;
        assert_eq!(track(&[wrong, right, right, edge]).settles(hz, 0.0, 1.0), 0.008);
        assert_eq!(track(&[right, right, wrong, right]).settles(hz, 0.0, 1.0), 0.016, "back again too early");
        assert_eq!(track(&[(440.0, 0.0), right]).settles(hz, 0.0, 1.0), 0.008, "silence has no pitch");
        assert_eq!(track(&[right, wrong]).settles(hz, 0.0, 1.0), f64::INFINITY);
        assert_eq!(track(&[right, wrong]).settles(hz, 0.0, 0.006), 0.004, "what comes later does not matter");
        assert_eq!(track(&[(455.0, 1.0)]).settles(hz, 0.0, 1.0), f64::INFINITY, "58 cents");
    }

    #[test]
    fn the_window_of_the_envelope_is_in_its_middle() {
        let samples: Vec<f32> = (0..1000).map(|i| if i < 500 { 0.0 } else { 1.0 }).collect();
        for window in [10, 100] {
            let envelope = envelope(&samples, window);
            let half_power = envelope.iter().position(|e| *e >= 0.5f64.sqrt()).unwrap();
            assert!((499..=501).contains(&half_power), "{half_power}");
            assert!((envelope[700] - 1.0).abs() < 1e-9 && envelope[300] == 0.0);
        }
    }

    #[test]
    fn the_level_of_controls_is_that_of_their_sound() {
        let controls = Controls::tone(440.0, &[0.3, 0.2]);
        let mut synth = embouchure_inference::synth::Synth::new(48_000.0);
        synth.start_from(&controls, 0.0);
        let mut sound = Vec::new();
        for _ in 0..250 {
            let mut hop = [0.0; 192];
            synth.render(&controls, 0.0, &mut hop);
            sound.extend_from_slice(&hop);
        }
        let rms = (sound.iter().map(|x| x * x).sum::<f32>() / sound.len() as f32).sqrt();
        assert!((rms / level(&controls) - 1.0).abs() < 0.01, "{rms}");
    }
}
