//! Synthesis: from controls to audio at any sample rate. A voice of harmonic oscillators and filtered noise, then a
//! room.
//!
//! After Serra & Smith 1990 ("Spectral modeling synthesis") and Engel et al. 2020 (DDSP, arXiv:2001.04643).

pub mod brightness;
pub mod harmonic;
pub mod noise;
mod ramp;
pub mod room;
pub mod side;
mod voice;

pub use ramp::{HopRamp, RampTo};
pub use voice::SynthVoice;

use crate::config::{HOP_SIZE, MODEL_RATE};
use crate::controls::{Controls, Room};
use room::Reverb;
use side::Side;

/// A voice in a room.
///
/// The sound depends only on the sequence of frames, settings and lengths, so a plugin, a bounce and training get the
/// same bits.
pub struct Synth {
    voice: SynthVoice,
    reverb: Reverb,
    /// Width at the last frame, 0 to 1.
    width: f32,
    /// The side signal of the last hop, in its first `len` samples, `[max_hop_len]`.
    side: Vec<f32>,
    /// Samples of the last hop.
    len: usize,
}

/// Settings of the synth for one hop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HopShape {
    /// Tilt over the harmonics, dB per octave.
    pub brightness_db: RampTo,
    /// How far noise, upper harmonics and room spread from the centre, 0 to 1. A value that is not finite counts as 0.
    pub width: RampTo,
    /// The room around the voice.
    pub room: Room,
}

impl HopShape {
    /// No tilt, no width and no room.
    pub const PLAIN: Self =
        Self { brightness_db: RampTo { start: 0, to: 0.0 }, width: RampTo { start: 0, to: 0.0 }, room: Room::NONE };
}

impl Synth {
    /// Allocates for hops of up to [`max_hop_len`] samples. `host_rate` in Hz, > 0.
    pub fn new(host_rate: f64) -> Self {
        let (voice, reverb) = (SynthVoice::new(host_rate), Reverb::new(host_rate));
        Self { voice, reverb, width: 0.0, side: vec![0.0; max_hop_len(host_rate)], len: 0 }
    }

    /// Clears all state, as if newly made. Realtime-safe.
    pub fn reset(&mut self) {
        self.voice.reset();
        self.reverb.reset();
        self.width = 0.0;
        self.len = 0;
    }

    /// Sets the frame that the next `render` starts from, which is silence otherwise.
    pub fn start_from(&mut self, controls: &Controls, brightness_db: f32) {
        self.voice.start_from(controls, brightness_db);
    }

    /// Renders one hop, interpolated from the previous frame to `controls`, without width and room. `controls` are
    /// reached at the sample after `out`.
    ///
    /// `brightness_db`: tilt at `controls`, dB per octave. `out`: at most [`max_hop_len`] samples, overwritten; exact
    /// zeros if both frames are silent. Realtime-safe.
    pub fn render(&mut self, controls: &Controls, brightness_db: f32, out: &mut [f32]) {
        self.render_shaped(
            controls,
            HopShape { brightness_db: RampTo::over_hop(brightness_db), ..HopShape::PLAIN },
            out,
        );
    }

    /// As [`render`](Self::render), with width and room. `middle` (overwritten) is the same at any width;
    /// [`side`](Self::side) is the signal that belongs to it. Before the sample at which brightness or width begin to
    /// move, the bits are those of constant settings. Exact zeros if both frames are silent and the room has faded.
    pub fn render_shaped(&mut self, controls: &Controls, shape: HopShape, middle: &mut [f32]) {
        self.len = middle.len().min(self.side.len());
        let side = &mut self.side[..self.len];
        side.fill(0.0);
        let to = if shape.width.to.is_finite() { shape.width.to.clamp(0.0, 1.0) } else { 0.0 };
        let from = std::mem::replace(&mut self.width, to);
        let ramp = HopRamp { from, to, start: shape.width.start, len: middle.len() };
        let width = (from > 0.0 || to > 0.0).then_some(ramp);
        self.voice.render(controls, shape.brightness_db, width, middle, side);
        self.reverb.add(&shape.room, middle, width.map(|ramp| Side::new(ramp, side)));
    }

    /// The side signal of the last hop: left = middle + side, right = middle - side. Exact zeros where the hop was mono
    /// or silent.
    pub fn side(&self) -> &[f32] {
        &self.side[..self.len]
    }
}

/// Largest number of host samples between two control frames.
pub fn max_hop_len(host_rate: f64) -> usize {
    hop_samples(host_rate).ceil() as usize + 1
}

/// Host samples between two control frames; not a whole number at every rate.
pub fn hop_samples(host_rate: f64) -> f64 {
    host_rate * HOP_SIZE as f64 / f64::from(MODEL_RATE)
}

/// Renders frames that are one hop apart, the first at sample 0; the last is held for a hop. Allocates.
///
/// Returns `controls.len()` hops of samples at `host_rate` (Hz). `brightness_db`: tilt, dB per octave.
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
