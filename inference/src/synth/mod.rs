//! Controls to audio: voices of harmonic oscillators and filtered noise, and one room around them, at any sample rate.
//!
//! After Serra & Smith 1990 ("Spectral modeling synthesis") and Engel et al. 2020 (DDSP, arXiv:2001.04643).

pub mod brightness;
mod course;
pub mod harmonic;
pub mod noise;
pub mod room;
pub mod side;
mod voice;

pub use course::{Course, Way};
pub use voice::SynthVoice;

use crate::config::{HOP_SIZE, MODEL_RATE};
use crate::controls::{Controls, Room};
use room::Reverb;
use side::Side;

/// A voice and the room.
///
/// The sound depends only on the sequence of frames, settings and lengths, so it is the same bit for bit in a plugin, in a
/// bounce and in training.
pub struct Synth {
    voice: SynthVoice,
    reverb: Reverb,
    /// Of the last frame, 0 to 1.
    width: f32,
    /// The side of the last hop and room for that of a longer one, `[max_hop_len]`.
    side: Vec<f32>,
    /// Samples of the last hop.
    len: usize,
}

/// What shapes a hop beside the controls.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HopShape {
    /// Tilt over the harmonics, dB per octave.
    pub brightness_db: Course,
    /// How much of noise, upper harmonics and room leaves the centre, from 0 to 1. What is not a number counts as 0.
    pub width: Course,
    /// Around the voice.
    pub room: Room,
}

impl HopShape {
    /// As learned, in the middle, in the open air.
    pub const PLAIN: Self =
        Self { brightness_db: Course { turn: 0, to: 0.0 }, width: Course { turn: 0, to: 0.0 }, room: Room::NONE };
}

impl Synth {
    /// Allocates for hops of up to [`max_hop_len`] samples. `host_rate` in Hz, > 0.
    pub fn new(host_rate: f64) -> Self {
        let (voice, reverb) = (SynthVoice::new(host_rate), Reverb::new(host_rate));
        Self { voice, reverb, width: 0.0, side: vec![0.0; max_hop_len(host_rate)], len: 0 }
    }

    /// Back to silence, as if newly made. Realtime-safe.
    pub fn reset(&mut self) {
        self.voice.reset();
        self.reverb.reset();
        self.width = 0.0;
        self.len = 0;
    }

    /// Takes `controls` as the frame that the next `render` starts from; without it, that is silence.
    pub fn start_from(&mut self, controls: &Controls, brightness_db: f32) {
        self.voice.start_from(controls, brightness_db);
    }

    /// Renders the way from the previous frame to `controls`, which are reached with the sample after `out`: in the middle,
    /// in the open air.
    ///
    /// `brightness_db`: tilt in dB per octave at `controls`. `out`: at most [`max_hop_len`] samples, overwritten; exact
    /// zeros if both frames are silent. Realtime-safe.
    pub fn render(&mut self, controls: &Controls, brightness_db: f32, out: &mut [f32]) {
        self.render_shaped(
            controls,
            HopShape { brightness_db: Course::straight_to(brightness_db), ..HopShape::PLAIN },
            out,
        );
    }

    /// The same with width and room. Up to where brightness or width begin to move within the hop the sound is what it was,
    /// bit for bit. `middle` is the same at any width; [`side`](Self::side) then has what goes with it. Exact zeros if both
    /// frames are silent and the room has faded.
    pub fn render_shaped(&mut self, controls: &Controls, shape: HopShape, middle: &mut [f32]) {
        self.len = middle.len().min(self.side.len());
        let side = &mut self.side[..self.len];
        side.fill(0.0);
        let to = if shape.width.to.is_finite() { shape.width.to.clamp(0.0, 1.0) } else { 0.0 };
        let from = std::mem::replace(&mut self.width, to);
        let way = Way { from, to, turn: shape.width.turn, len: middle.len() };
        let width = (from > 0.0 || to > 0.0).then_some(way);
        self.voice.render(controls, shape.brightness_db, width, middle, side);
        self.reverb.add(&shape.room, middle, width.map(|way| Side::new(way, side)));
    }

    /// What left has more and right has less than the middle in the hop that was rendered last; exact zeros where that
    /// was mono or silent.
    pub fn side(&self) -> &[f32] {
        &self.side[..self.len]
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
    use crate::config::N_NOISE_BANDS;

    fn tone(amplitude: f32, noise: f32) -> Controls {
        Controls::tone(440.0, &[0.75 * amplitude, 0.25 * amplitude]).with_noise([noise; N_NOISE_BANDS])
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
