//! One voice: harmonics and noise, middle and side, without the room that stands around all voices.

use super::brightness;
use super::course::{Course, Way};
use super::harmonic::HarmonicBank;
use super::max_hop_len;
use super::noise::NoiseBank;
use super::side::{self, Side};
use crate::controls::Controls;

/// Where the side's noise begins: any odd number far from 0, where the middle's does.
const SIDE_NOISE_START: u64 = 0x5851_F42D_4C95_7F2D;

/// Renders control frames one after the other; what lies between two frames is interpolated.
pub struct SynthVoice {
    harmonic: HarmonicBank,
    noise: NoiseBank,
    side_noise: NoiseBank,
    /// Of the last frame, dB per octave.
    brightness_db: f32,
    /// Where the harmonics are rendered a second time, middle and side, `[max_hop_len]` each.
    again: [Vec<f32>; 2],
}

impl SynthVoice {
    /// Allocates for hops of up to [`max_hop_len`] samples. `host_rate` in Hz, > 0.
    pub fn new(host_rate: f64) -> Self {
        let max_hop_len = max_hop_len(host_rate);
        Self {
            harmonic: HarmonicBank::new(host_rate),
            noise: NoiseBank::new(host_rate, max_hop_len, 0),
            side_noise: NoiseBank::new(host_rate, max_hop_len, SIDE_NOISE_START),
            brightness_db: 0.0,
            again: [vec![0.0; max_hop_len], vec![0.0; max_hop_len]],
        }
    }

    /// Back to silence, as if newly made. Realtime-safe.
    pub fn reset(&mut self) {
        self.harmonic.reset();
        self.noise.reset();
        self.side_noise.reset();
        self.brightness_db = 0.0;
    }

    /// Takes `controls` as the frame that the next `render` starts from; without it, that is silence.
    pub fn start_from(&mut self, controls: &Controls, brightness_db: f32) {
        let amplitudes = brightness::harmonic_amplitudes(controls, brightness_db, self.harmonic.limit_hz());
        self.harmonic.start_from(controls.f0_hz(), &amplitudes);
        self.brightness_db = brightness_db;
        self.noise.start_from(controls.noise_magnitudes());
    }

    /// Renders the way from the previous frame to `controls`, which are reached with the sample after `middle`.
    ///
    /// `middle` and `side`: of one length, at most [`max_hop_len`] samples; `middle` is overwritten, to `side` is added what
    /// left has more and right has less. `width`: how far from the centre; `None` = mono. Realtime-safe.
    pub fn render(
        &mut self,
        controls: &Controls,
        brightness_db: Course,
        width: Option<Way>,
        middle: &mut [f32],
        side: &mut [f32],
    ) {
        self.render_harmonics(controls, brightness_db, width, middle, side);
        self.noise.render_add(controls.noise_magnitudes(), middle);
        let to = width.map_or(0.0, |way| way.to);
        let turn = width.map_or(0, |way| way.turn);
        let magnitudes = controls.noise_magnitudes().map(|m| m * to * side::NOISE_LEVEL);
        self.side_noise.render_add_from(turn, &magnitudes, side);
    }

    /// If the brightness begins to move within the hop, the harmonics are rendered twice: with the brightness that was, and on
    /// the way to the new one. Both have the same phases, so a fade between them moves the amplitudes alone.
    fn render_harmonics(
        &mut self,
        controls: &Controls,
        brightness_db: Course,
        width: Option<Way>,
        middle: &mut [f32],
        side: &mut [f32],
    ) {
        let limit_hz = self.harmonic.limit_hz();
        let before_db = std::mem::replace(&mut self.brightness_db, brightness_db.to);
        let after = brightness::harmonic_amplitudes(controls, brightness_db.to, limit_hz);
        if brightness_db.turn == 0 {
            return self.harmonic.render(controls.f0_hz(), &after, middle, width.map(|w| Side::new(w, side)));
        }
        let before = brightness::harmonic_amplitudes(controls, before_db, limit_hz);
        let mut still = self.harmonic.clone();
        still.render(controls.f0_hz(), &before, middle, width.map(|w| Side::new(w, &mut *side)));
        let [middle_again, side_again] = self.again.each_mut().map(|samples| &mut samples[..middle.len()]);
        side_again.fill(0.0);
        self.harmonic.render(controls.f0_hz(), &after, middle_again, width.map(|w| Side::new(w, &mut *side_again)));
        brightness_db.fade(middle, middle_again);
        brightness_db.fade(side, side_again);
    }
}
