//! One voice: harmonics and noise, middle and side, without the room.

use super::brightness;
use super::harmonic::HarmonicBank;
use super::max_hop_len;
use super::noise::NoiseBank;
use super::ramp::{HopRamp, RampTo};
use super::side::{self, Side};
use crate::controls::Controls;

/// First sample of the side's noise in the stream: any odd number far from 0, which is that of the middle.
const SIDE_NOISE_START: u64 = 0x5851_F42D_4C95_7F2D;

/// Renders control frames in sequence and interpolates between them.
pub struct SynthVoice {
    harmonic: HarmonicBank,
    noise: NoiseBank,
    side_noise: NoiseBank,
    /// Brightness at the last frame, dB per octave.
    brightness_db: f32,
    /// Buffers for a second render of the harmonics, middle and side, `[max_hop_len]` each.
    second: [Vec<f32>; 2],
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
            second: [vec![0.0; max_hop_len], vec![0.0; max_hop_len]],
        }
    }

    /// Clears all state, as if newly made. Realtime-safe.
    pub fn reset(&mut self) {
        self.harmonic.reset();
        self.noise.reset();
        self.side_noise.reset();
        self.brightness_db = 0.0;
    }

    /// Sets the frame that the next `render` starts from, which is silence otherwise.
    pub fn start_from(&mut self, controls: &Controls, brightness_db: f32) {
        let amplitudes = brightness::harmonic_amplitudes(controls, brightness_db, self.harmonic.limit_hz());
        self.harmonic.start_from(controls.f0_hz(), &amplitudes);
        self.brightness_db = brightness_db;
        self.noise.start_from(controls.noise_magnitudes());
    }

    /// Renders one hop, interpolated from the previous frame to `controls`, which are reached at the sample after
    /// `middle`.
    ///
    /// `middle` (overwritten) and `side` (added to): of one length, at most [`max_hop_len`] samples. `width`: `None` =
    /// mono. Realtime-safe.
    pub fn render(
        &mut self,
        controls: &Controls,
        brightness_db: RampTo,
        width: Option<HopRamp>,
        middle: &mut [f32],
        side: &mut [f32],
    ) {
        self.render_harmonics(controls, brightness_db, width, middle, side);
        self.noise.render_add(controls.noise_magnitudes(), middle);
        let to = width.map_or(0.0, |ramp| ramp.to);
        let start = width.map_or(0, |ramp| ramp.start);
        let magnitudes = controls.noise_magnitudes().map(|m| m * to * side::NOISE_LEVEL);
        self.side_noise.render_add_from(start, &magnitudes, side);
    }

    /// If the brightness begins to move within the hop, the harmonics are rendered twice, to the old and to the new
    /// brightness. Both have the same phases, so a crossfade moves only the amplitudes.
    fn render_harmonics(
        &mut self,
        controls: &Controls,
        brightness_db: RampTo,
        width: Option<HopRamp>,
        middle: &mut [f32],
        side: &mut [f32],
    ) {
        let limit_hz = self.harmonic.limit_hz();
        let before_db = std::mem::replace(&mut self.brightness_db, brightness_db.to);
        let after = brightness::harmonic_amplitudes(controls, brightness_db.to, limit_hz);
        if brightness_db.start == 0 {
            return self.harmonic.render(controls.f0_hz(), &after, middle, width.map(|w| Side::new(w, side)));
        }
        let before = brightness::harmonic_amplitudes(controls, before_db, limit_hz);
        let mut still = self.harmonic.clone();
        still.render(controls.f0_hz(), &before, middle, width.map(|w| Side::new(w, &mut *side)));
        let [second_middle, second_side] = self.second.each_mut().map(|samples| &mut samples[..middle.len()]);
        second_side.fill(0.0);
        self.harmonic.render(controls.f0_hz(), &after, second_middle, width.map(|w| Side::new(w, &mut *second_side)));
        brightness_db.fade(middle, second_middle);
        brightness_db.fade(side, second_side);
    }
}
