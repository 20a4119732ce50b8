//! The side signal: left = middle + side, right = middle - side. The mean of both channels is the middle at any width,
//! so a wide sound loses nothing in mono.

use super::ramp::HopRamp;
use crate::config::N_HARMONICS;

/// Gain of the side's noise relative to the middle's: -4.4 dB. The channels then have about half of their noise in
/// common, so that it spreads around the voice and is not heard as two sources, one at each ear.
pub const NOISE_LEVEL: f32 = 0.6;
/// Harmonics up to this one stay in the centre: they carry pitch and position.
const N_CENTRED: usize = 3;
/// From there the distance from the centre grows up to this harmonic.
const FIRST_WIDE: usize = 12;
/// Distance of this and higher harmonics, as a share of the middle: 9.5 dB between the channels.
const WIDEST: f32 = 0.5;

/// Distance of each harmonic from the centre at width 1, as a share of the middle; > 0 = left.
///
/// The signs alternate in pairs (+ + - -), so that the odd harmonics alone are balanced, too: a clarinet has hardly any
/// others.
pub const PANS: [f32; N_HARMONICS] = {
    let mut pans = [0.0; N_HARMONICS];
    let mut i = N_CENTRED;
    while i < N_HARMONICS {
        let k = i + 1;
        let share = (k - N_CENTRED) as f32 / (FIRST_WIDE - N_CENTRED) as f32;
        let size = if share < 1.0 { WIDEST * share } else { WIDEST };
        pans[i] = if k % 4 < 2 { size } else { -size };
        i += 1;
    }
    pans
};

/// The width over one hop, and the buffer for the side signal.
pub struct Side<'a> {
    /// Width at the hop's first sample, 0 to 1.
    from: f32,
    /// Change of the width up to the sample after the last.
    change: f32,
    /// Position in the hop, 0 to 1, at which the linear change begins, and 1 / the rest of the hop.
    start: f32,
    slope: f32,
    /// The side signal, as long as the hop. Added to.
    pub out: &'a mut [f32],
}

impl<'a> Side<'a> {
    /// `ramp`: of the width.
    pub fn new(ramp: HopRamp, out: &'a mut [f32]) -> Self {
        let start = ramp.start as f32 / ramp.len.max(1) as f32;
        Self { from: ramp.from, change: ramp.to - ramp.from, start, slope: 1.0 / (1.0 - start), out }
    }

    /// Width at `position` in the hop, 0 to 1.
    #[inline(always)]
    pub fn width(&self, position: f32) -> f32 {
        self.from + ((position - self.start) * self.slope).max(0.0) * self.change
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{N_HARMONICS, N_NOISE_BANDS};
    use crate::controls::Controls;
    use crate::controls::Room;
    use crate::synth::{HopShape, RampTo, Synth};

    const HOP: usize = 192;
    const ROOM: Room = Room { levels: [0.5; 3], t60_s: [0.6; 3] };

    /// A tone whose harmonics have the amplitudes `of(k)`.
    fn tone(of: impl Fn(usize) -> f32) -> Controls {
        Controls::tone(150.0, &(1..=N_HARMONICS).map(|k| 0.1 * of(k)).collect::<Vec<_>>())
    }

    fn noise() -> Controls {
        Controls::SILENT.with_noise([0.1; N_NOISE_BANDS])
    }

    /// Renders one hop in the room.
    fn render(synth: &mut Synth, controls: &Controls, (brightness_db, width, room): (f32, f32, Room), hop: &mut [f32]) {
        let [brightness_db, width] = [brightness_db, width].map(RampTo::over_hop);
        synth.render_shaped(controls, HopShape { brightness_db, width, room }, hop);
    }

    fn everything() -> Controls {
        tone(|k| 1.0 / k as f32).with_noise([0.02; N_NOISE_BANDS])
    }

    /// Middle and side of frames and their widths, in a room.
    fn rendered<'a>(room: Room, frames: impl IntoIterator<Item = (&'a Controls, f32)>) -> [Vec<f32>; 2] {
        let mut synth = Synth::new(48_000.0);
        let (mut middle, mut side) = (Vec::new(), Vec::new());
        for (controls, width) in frames {
            let mut hop = [0.0; HOP];
            render(&mut synth, controls, (0.0, width, room), &mut hop);
            middle.extend(hop);
            side.extend(synth.side());
        }
        [middle, side]
    }

    fn energy(samples: &[f32]) -> f64 {
        samples.iter().map(|x| f64::from(*x).powi(2)).sum()
    }

    /// Level of the side relative to the middle, dB; of left relative to right, dB; correlation of middle and side.
    fn spread([middle, side]: &[Vec<f32>; 2]) -> (f64, f64, f64) {
        let product: f64 = middle.iter().zip(side).map(|(m, s)| f64::from(*m) * f64::from(*s)).sum();
        let (m, s) = (energy(middle), energy(side));
        let (left, right) = (m + s + 2.0 * product, m + s - 2.0 * product);
        (10.0 * (s / m).log10(), 10.0 * (left / right).log10(), product / (m * s).sqrt())
    }

    #[test]
    fn the_middle_is_the_mono_sound_to_the_last_bit() {
        let mut mono = Synth::new(48_000.0);
        let mut wide = [0.0, 0.3, 1.0, f32::NAN].map(|width| (width, Synth::new(48_000.0)));
        // Some hops of sound, then silence until the room has ended, which must not depend on the side.
        for i in 0..1800 {
            let sounds = i % 300 < 5 + i / 300;
            let controls = if sounds { everything() } else { Controls::SILENT };
            let mut expected = [0.0; HOP];
            render(&mut mono, &controls, (2.0, 0.0, ROOM), &mut expected);
            for (width, synth) in &mut wide {
                let mut middle = [0.0; HOP];
                render(synth, &controls, (2.0, *width, ROOM), &mut middle);
                assert_eq!(middle.map(f32::to_bits), expected.map(f32::to_bits), "width {width}, hop {i}");
                let is_wide = synth.side().iter().any(|x| *x != 0.0);
                assert!(if *width > 0.0 { is_wide || !sounds } else { !is_wide }, "width {width}, hop {i}");
            }
        }
    }

    #[test]
    fn noise_spreads_evenly_and_is_not_correlated_with_the_middle() {
        let (level, lean, correlation) = spread(&rendered(Room::NONE, [(&noise(), 1.0); 500]));
        assert!(
            (level + 4.4).abs() < 0.3 && lean.abs() < 0.2 && correlation.abs() < 0.02,
            "{level} {lean} {correlation}"
        );
    }

    #[test]
    fn low_harmonics_stay_in_the_centre_and_high_ones_spread() {
        let [_, low] = rendered(Room::NONE, [(&tone(|k| f32::from(k <= 3)), 1.0); 100]);
        assert!(low.iter().all(|x| *x == 0.0));
        let high = rendered(Room::NONE, [(&tone(|k| f32::from((20..40).contains(&k))), 1.0); 500]);
        let (level, lean, _) = spread(&high);
        assert!((level + 6.0).abs() < 0.1 && lean.abs() < 0.1, "{level} {lean}");
        for odd_only in [false, true] {
            let instrument = tone(|k| if odd_only && k % 2 == 0 { 0.0 } else { 1.0 / k as f32 });
            let (_, lean, _) = spread(&rendered(Room::NONE, [(&instrument, 1.0); 500]));
            assert!(lean.abs() < 0.3, "{lean} dB, odd only: {odd_only}");
        }
    }

    #[test]
    fn the_room_is_as_loud_in_the_side_as_in_the_middle() {
        // The reverberation after 40 ms of noise.
        let burst = noise();
        let frames = (0..200).map(|i| (if i < 10 { &burst } else { &Controls::SILENT }, 1.0));
        let ringing = rendered(ROOM, frames).map(|x| x[12 * HOP..].to_vec());
        let (level, lean, correlation) = spread(&ringing);
        assert!(level.abs() < 1.0 && lean.abs() < 1.0 && correlation.abs() < 0.15, "{level} {lean} {correlation}");
    }

    #[test]
    fn a_width_that_moves_is_a_smooth_gain() {
        let controls = everything();
        let [_, still] = rendered(ROOM, [(&controls, 1.0); 60]);
        let width = |hop: usize| if hop < 20 { 0.0 } else { ((hop - 19) as f32 / 10.0).min(1.0) };
        // There and back: slowly, then at once.
        let widths = |hop: usize| if hop < 50 { width(hop) } else { 0.0 };
        let [_, moving] = rendered(ROOM, (0..60).map(|hop| (&controls, widths(hop))));
        for (i, (moving, still)) in moving.iter().zip(&still).enumerate().skip(HOP) {
            let (hop, place) = (i / HOP, (i % HOP) as f32 / HOP as f32);
            let expected = (widths(hop - 1) + place * (widths(hop) - widths(hop - 1))) * still;
            assert!((moving - expected).abs() < 2e-6, "sample {i}: {moving} instead of {expected}");
        }
    }

    #[test]
    fn a_wide_sound_ends_in_exact_zeros_and_reset_is_new() {
        let all = everything();
        let [middle, side] = rendered(ROOM, (0..400).map(|i| (if i < 5 { &all } else { &Controls::SILENT }, 1.0)));
        assert!(side[100 * HOP..101 * HOP].iter().any(|x| *x != 0.0));
        assert!(middle[399 * HOP..].iter().chain(&side[399 * HOP..]).all(|x| *x == 0.0));
        let mut synths = [Synth::new(48_000.0), Synth::new(48_000.0)];
        let mut hop = [0.0; HOP];
        render(&mut synths[0], &everything(), (0.0, 1.0, ROOM), &mut hop);
        synths[0].reset();
        assert!(synths[0].side().is_empty());
        for _ in 0..20 {
            synths.iter_mut().for_each(|synth| render(synth, &noise(), (0.0, 0.7, Room::NONE), &mut hop));
            assert_eq!(synths[0].side(), synths[1].side());
        }
    }
}
