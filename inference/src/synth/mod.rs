//! Controls to audio: a bank of harmonic oscillators plus filtered noise, in a room, at any sample rate.
//!
//! After Serra & Smith 1990 ("Spectral modeling synthesis") and Engel et al. 2020 (DDSP, arXiv:2001.04643).

pub mod brightness;
pub mod harmonic;
pub mod noise;
pub mod room;
pub mod side;

use crate::config::{HOP_SIZE, MODEL_RATE};
use crate::controls::Controls;
use harmonic::HarmonicBank;
use noise::NoiseBank;
use room::reverb::RoomSound;
use side::Side;

/// Where the side's noise begins: any odd number far from 0, where the middle's does.
const SIDE_NOISE_START: u64 = 0x5851_F42D_4C95_7F2D;

/// Renders control frames one after the other; what lies between two frames is interpolated.
///
/// The sound depends only on the sequence of frames, brightness values and lengths, so it is the same bit for bit in a
/// plugin, in a bounce and in training.
pub struct Synth {
    harmonic: HarmonicBank,
    noise: NoiseBank,
    side_noise: NoiseBank,
    room: RoomSound,
    /// Of the last frame, dB per octave, and 0 to 1.
    brightness_db: f32,
    width: f32,
    /// Where the harmonics are rendered a second time, middle and side, `[max_hop_len]` each.
    again: [Vec<f32>; 2],
    /// The side of the last hop and room for that of a longer one, `[max_hop_len]`.
    side: Vec<f32>,
    /// Samples of the last hop.
    len: usize,
}

impl Synth {
    /// Allocates for hops of up to [`max_hop_len`] samples. `host_rate` in Hz, > 0.
    pub fn new(host_rate: f64) -> Self {
        let max_hop_len = max_hop_len(host_rate);
        Self {
            harmonic: HarmonicBank::new(host_rate),
            noise: NoiseBank::new(host_rate, max_hop_len, 0),
            side_noise: NoiseBank::new(host_rate, max_hop_len, SIDE_NOISE_START),
            room: RoomSound::new(host_rate),
            brightness_db: 0.0,
            width: 0.0,
            again: [vec![0.0; max_hop_len], vec![0.0; max_hop_len]],
            side: vec![0.0; max_hop_len],
            len: 0,
        }
    }

    /// Back to silence, as if newly made. Realtime-safe.
    pub fn reset(&mut self) {
        self.harmonic.reset();
        self.noise.reset();
        self.side_noise.reset();
        self.room.reset();
        (self.brightness_db, self.width) = (0.0, 0.0);
        self.len = 0;
    }

    /// Takes `controls` as the frame that the next `render` starts from; without it, that is silence.
    pub fn start_from(&mut self, controls: &Controls, brightness_db: f32) {
        let amplitudes = brightness::harmonic_amplitudes(controls, brightness_db, self.harmonic.limit_hz());
        self.harmonic.start_from(controls.f0_hz, &amplitudes);
        self.brightness_db = brightness_db;
        self.noise.start_from(&controls.noise_magnitudes);
    }

    /// Renders the way from the previous frame to `controls`, which are reached with the sample after `out`.
    ///
    /// `brightness_db`: tilt in dB per octave at `controls`. `out`: at most [`max_hop_len`] samples, overwritten; exact
    /// zeros if both frames are silent and the room has faded. Realtime-safe.
    pub fn render(&mut self, controls: &Controls, brightness_db: f32, out: &mut [f32]) {
        self.render_wide(controls, brightness_db, 0.0, out);
    }

    /// As [`render`](Self::render), which `middle` equals bit for bit; [`side`](Self::side) then has what goes with it.
    ///
    /// `width`: how much of noise, upper harmonics and room leaves the centre at `controls`, from 0 to 1; between frames
    /// it goes in a straight line. What is not a number counts as 0.
    pub fn render_wide(&mut self, controls: &Controls, brightness_db: f32, width: f32, middle: &mut [f32]) {
        self.render_shaped(controls, Course::straight_to(brightness_db), Course::straight_to(width), middle);
    }

    /// The same where brightness or width begin to move within the hop: up to there the sound is what it was, bit for bit.
    pub fn render_shaped(&mut self, controls: &Controls, brightness_db: Course, width: Course, middle: &mut [f32]) {
        let to = if width.to.is_finite() { width.to.clamp(0.0, 1.0) } else { 0.0 };
        let from = std::mem::replace(&mut self.width, to);
        self.len = middle.len().min(self.side.len());
        self.side[..self.len].fill(0.0);
        let turn = width.turn as f32 / middle.len().max(1) as f32;
        let widths = (from > 0.0 || to > 0.0).then_some((from, to, turn));

        self.render_harmonics(controls, brightness_db, widths, middle);
        self.noise.render_add(&controls.noise_magnitudes, middle);
        let side = &mut self.side[..self.len];
        let magnitudes = controls.noise_magnitudes.map(|m| m * to * side::NOISE_LEVEL);
        self.side_noise.render_add_from(width.turn, &magnitudes, side);
        self.room.add(&controls.room, middle, widths.map(|w| Side::new(w, side)));
    }

    /// If the brightness begins to move within the hop, the harmonics are rendered twice: with the brightness that was, and on
    /// the way to the new one. Both have the same phases, so a fade between them moves the amplitudes alone.
    fn render_harmonics(
        &mut self,
        controls: &Controls,
        brightness_db: Course,
        widths: Option<(f32, f32, f32)>,
        middle: &mut [f32],
    ) {
        let limit_hz = self.harmonic.limit_hz();
        let before_db = std::mem::replace(&mut self.brightness_db, brightness_db.to);
        let after = brightness::harmonic_amplitudes(controls, brightness_db.to, limit_hz);
        let side = &mut self.side[..self.len];
        if brightness_db.turn == 0 {
            return self.harmonic.render(controls.f0_hz, &after, middle, widths.map(|w| Side::new(w, side)));
        }
        let before = brightness::harmonic_amplitudes(controls, before_db, limit_hz);
        let mut still = self.harmonic.clone();
        still.render(controls.f0_hz, &before, middle, widths.map(|w| Side::new(w, &mut *side)));
        let [middle_again, side_again] = self.again.each_mut().map(|samples| &mut samples[..side.len()]);
        side_again.fill(0.0);
        self.harmonic.render(controls.f0_hz, &after, middle_again, widths.map(|w| Side::new(w, &mut *side_again)));
        brightness_db.fade(middle, middle_again);
        brightness_db.fade(side, side_again);
    }

    /// What left has more and right has less than the middle in the hop that was rendered last; exact zeros where that
    /// was mono or silent.
    pub fn side(&self) -> &[f32] {
        &self.side[..self.len]
    }
}

/// How a value goes from one frame to the next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Course {
    /// Samples for which it stays what it was.
    pub turn: usize,
    /// Where it then goes in a straight line.
    pub to: f32,
}

impl Course {
    /// On its way from the first sample on.
    pub fn straight_to(to: f32) -> Self {
        Self { turn: 0, to }
    }

    /// Fades from `samples` to `after` as the value goes.
    fn fade(self, samples: &mut [f32], after: &[f32]) {
        let step = 1.0 / (samples.len().saturating_sub(self.turn).max(1)) as f32;
        for (i, (x, after)) in samples.iter_mut().zip(after).skip(self.turn).enumerate() {
            *x += i as f32 * step * (after - *x);
        }
    }
}

/// Most host samples between two control frames.
pub fn max_hop_len(host_rate: f64) -> usize {
    hop_samples(host_rate).ceil() as usize + 1
}

/// Host samples between two control frames; not a whole number at every rate.
pub fn hop_samples(host_rate: f64) -> f64 {
    host_rate * HOP_SIZE as f64 / f64::from(MODEL_RATE)
}

/// Renders frames that are one hop apart, the first at sample 0; the last is held for a hop. Allocates.
///
/// Gives `controls.len()` hops of samples at `host_rate` (Hz). `brightness_db`: tilt in dB per octave.
pub fn render_clip(controls: &[Controls], host_rate: f64, brightness_db: f32) -> Vec<f32> {
    let hop_start = |h: usize| (h as f64 * hop_samples(host_rate)).round() as usize;
    let mut out = vec![0.0; hop_start(controls.len())];
    let mut synth = Synth::new(host_rate);
    if let Some(first) = controls.first() {
        synth.start_from(first, brightness_db);
    }
    for h in 0..controls.len() {
        let next = controls.get(h + 1).unwrap_or(&controls[h]);
        synth.render(next, brightness_db, &mut out[hop_start(h)..hop_start(h + 1)]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(amplitude: f32, noise: f32) -> Controls {
        let mut controls = Controls { amplitude, ..Controls::SILENT };
        controls.harmonic_distribution[0] = 0.75;
        controls.harmonic_distribution[1] = 0.25;
        controls.noise_magnitudes.fill(noise);
        controls
    }

    #[test]
    fn silent_frames_give_exact_zeros_between_them() {
        let clip = [tone(0.0, 0.0), tone(0.0, 0.0), tone(0.5, 0.1), tone(0.0, 0.0), tone(0.0, 0.0), tone(0.0, 0.0)];
        let out = render_clip(&clip, 48_000.0, 0.0);
        assert!(out[..192].iter().all(|x| *x == 0.0));
        assert!(out[193..575].iter().any(|x| x.abs() > 0.1));
        assert!(out[576..].iter().all(|x| *x == 0.0));
    }

    #[test]
    fn a_clip_has_the_length_of_its_frames_at_every_rate() {
        for (rate, expected) in [(48_000.0, 19_200), (44_100.0, 17_640), (1234.5678, 494), (192_000.0, 76_800)] {
            assert_eq!(render_clip(&[tone(0.1, 0.1); 100], rate, 0.0).len(), expected);
        }
        assert!(render_clip(&[], 48_000.0, 0.0).is_empty());
    }

    #[test]
    fn reset_is_new() {
        let mut used = Synth::new(44_100.0);
        let mut a = vec![0.0; 177];
        let mut b = vec![0.0; 177];
        used.render(&tone(0.7, 0.3), 3.0, &mut a);
        used.reset();
        let mut new = Synth::new(44_100.0);
        for amplitude in [0.3, 0.0, 0.5] {
            used.render(&tone(amplitude, 0.2), -1.0, &mut a);
            new.render(&tone(amplitude, 0.2), -1.0, &mut b);
            assert_eq!(a, b);
        }
    }

    #[test]
    fn there_is_no_click_at_the_frames() {
        let clip = [tone(0.0, 0.0), tone(0.9, 0.0), tone(0.2, 0.0), tone(0.0, 0.0), tone(0.5, 0.0)];
        let out = render_clip(&clip, 48_000.0, 0.0);
        let jump = out.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
        // Slope of harmonics 1 and 2 at 440 Hz and level 0.9, and of the ramp: 0.9·2π·440·(0.75+0.5)/48000 + 0.9/192.
        assert!(jump < 0.071, "{jump}");
    }
}
