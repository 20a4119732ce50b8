//! Follow: gives the instrument the source's timbre, by an adjustable share.
//!
//! A decoder plays the usual sound of its instrument at this pitch and loudness. That turns a whistle into a trumpet,
//! but also one trumpet into another. Each harmonic moves, in dB, towards its level in the source, and all of them
//! together towards the loudness that the decoder was asked for. Harmonics above those that are heard stay the
//! instrument's. Noise follows between the notes, too, where the decoder is silent, so that consonants are heard.

use crate::config::N_HARMONICS;
use crate::controls::Controls;
use crate::hear::{N_HEARD_BANDS, SourceNoise, Timbre, a_weight, n_audible};
use crate::math::{exp, ln, power_db, sum, sum_of_squares};
use std::f32::consts::LN_10;

/// Share of the total power below which a harmonic counts as absent: -90 dB.
const LEAST: f32 = 1e-9;
/// Largest change of the loudness, dB.
const MOST_DB: f32 = 12.0;
/// Natural logarithm of the amplitude of a dB.
const NEPERS: f32 = LN_10 / 20.0;

/// Number of noise bands, the highest of those heard, that lead the bands above.
const N_TOP_BANDS: usize = 6;
/// Magnitude that counts as silence: -140 dB.
const NO_NOISE: f32 = 1e-7;
/// Ratio of neighbouring bands above those that are heard, where the decoder is silent: 6 dB an octave.
const FALL: f32 = 0.948;

/// The source's timbre and the share by which it is followed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Follow {
    timbre: Option<Timbre>,
    loudness_db: f32,
    amount: f32,
}

impl Follow {
    /// The instrument's own timbre.
    pub const NONE: Self = Self { timbre: None, loudness_db: 0.0, amount: 0.0 };

    /// `amount` of the way from the instrument's timbre (0) to the source's (1); `loudness_db`: what the decoder is
    /// asked for.
    pub fn new(timbre: Option<Timbre>, loudness_db: f32, amount: f32) -> Self {
        let amount = amount.clamp(0.0, 1.0);
        Self { timbre: timbre.filter(|_| amount > 0.0), loudness_db, amount }
    }

    /// Moves the harmonics.
    pub fn lead(&self, controls: Controls) -> Controls {
        let Some(timbre) = &self.timbre else { return controls };
        if !controls.is_tonal() {
            return controls;
        }
        let led = self.lead_shape(timbre, &controls);
        let off_db = (self.loudness_db - loudness_db(&led)).clamp(-MOST_DB, MOST_DB);
        led.scaled(exp(NEPERS * self.amount * off_db), 1.0)
    }

    /// Harmonics as strong against each other as the source's; together they keep the power that they had.
    fn lead_shape(&self, timbre: &Timbre, controls: &Controls) -> Controls {
        let levels_db = timbre.levels_db();
        let mut heard = *controls.harmonic_amplitudes();
        let heard = &mut heard[..levels_db.len()];
        let power = sum_of_squares(heard).max(f32::MIN_POSITIVE);
        // Absent harmonics lie above 20 kHz, where the line was moved up.
        for (amplitude, level_db) in heard.iter_mut().zip(levels_db).filter(|(amplitude, _)| **amplitude > 0.0) {
            let from = 0.5 * ln((*amplitude * *amplitude / power).max(LEAST));
            *amplitude = exp(from + self.amount * (NEPERS * level_db - from));
        }
        let kept = (power / sum_of_squares(heard).max(f32::MIN_POSITIVE)).sqrt();
        controls.with_harmonics(|k, own| heard.get(k).map_or(own, |led| led * kept))
    }

    /// Share of its own wavering that harmonic `k` (from 0) keeps: a followed harmonic wavers with the source.
    pub fn wavering(&self, k: usize) -> f32 {
        if self.timbre.as_ref().is_some_and(|timbre| k < timbre.levels_db().len()) { 1.0 - self.amount } else { 1.0 }
    }
}

/// Moves the noise by `amount` (0 to 1) towards the source's, which is `gain` times `heard`. Bands above those that are
/// heard are the decoder's, raised as much as the highest heard bands are; where the decoder is silent they fall
/// evenly.
pub fn lead_noise(controls: &Controls, heard: &SourceNoise, gain: f32, amount: f32) -> Controls {
    let amount = amount.clamp(0.0, 1.0);
    let mut magnitudes = *controls.noise_magnitudes();
    let (below, above) = magnitudes.split_at_mut(N_HEARD_BANDS);
    let top = |bands: &[f32]| sum(&bands[N_HEARD_BANDS - N_TOP_BANDS..]) / N_TOP_BANDS as f32;
    let (own_top, source_top) = (top(below) + NO_NOISE, gain * top(heard));
    let mut silent = NO_NOISE;
    for magnitude in above {
        silent *= FALL;
        let followed = source_top * (*magnitude + silent) / own_top;
        *magnitude += amount * (followed - *magnitude);
    }
    for (magnitude, heard) in below.iter_mut().zip(heard) {
        *magnitude += amount * (gain * heard - *magnitude);
    }
    controls.with_noise(magnitudes)
}

/// A-weighted level of the harmonics, dB, as [`LoudnessMeter`](crate::hear::LoudnessMeter) would measure it.
fn loudness_db(controls: &Controls) -> f32 {
    let n_heard = n_audible(controls.f0_hz()).min(N_HARMONICS);
    let mut powers = [0.0; N_HARMONICS];
    for (k, (power, amplitude)) in powers[..n_heard].iter_mut().zip(controls.harmonic_amplitudes()).enumerate() {
        *power = 0.5 * amplitude * amplitude * a_weight((k + 1) as f32 * controls.f0_hz());
    }
    power_db(sum(&powers))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{HOP_SIZE, MODEL_RATE, N_NOISE_BANDS};
    use crate::hear::HarmonicMeter;
    use std::f32::consts::TAU;

    const F0_HZ: f32 = 400.0;
    /// Amplitudes of the source.
    const SOURCE: [f32; 3] = [0.1, 0.4, 0.2];

    fn timbre() -> Timbre {
        let mut meter = HarmonicMeter::default();
        let sample = |i: usize| {
            let angle = TAU * F0_HZ * i as f32 / MODEL_RATE as f32;
            SOURCE.iter().enumerate().map(|(k, a)| a * ((k + 1) as f32 * angle).sin()).sum()
        };
        (0..16).for_each(|hop| meter.push(&std::array::from_fn(|i| sample(hop * HOP_SIZE + i))));
        meter.timbre(F0_HZ)
    }

    /// Harmonics 1 to 30, each half as strong as the one before.
    fn instrument() -> Controls {
        let harmonics: Vec<f32> = (0..30).map(|k| 0.5 * 0.5f32.powi(k + 1)).collect();
        Controls::tone(F0_HZ, &harmonics)
    }

    /// At a loudness of -20 dB.
    fn led(amount: f32) -> Controls {
        Follow::new(Some(timbre()), -20.0, amount).lead(instrument())
    }

    #[test]
    fn the_harmonics_and_the_level_become_the_sources() {
        let off_db = |amount| (loudness_db(&led(amount)) - -20.0).abs();
        assert!(off_db(0.0) > off_db(0.5) && off_db(0.5) > 1.0 && off_db(1.0) < 0.01);
        let all = *led(1.0).harmonic_amplitudes();
        for k in 1..3 {
            assert!((all[k] / all[0] / (SOURCE[k] / SOURCE[0]) - 1.0).abs() < 0.05, "harmonic {}", k + 1);
        }
        assert!(all[3..19].iter().all(|a| *a < 0.005 * all[1]), "what the source does not have is not played");
    }

    #[test]
    fn half_way_is_half_way_in_db_and_no_way_is_none() {
        let db = |c: &Controls, k: usize| 20.0 * (c.harmonic_amplitudes()[k] / c.harmonic_amplitudes()[0]).log10();
        let (from, half, to) = (instrument(), led(0.5), led(1.0));
        assert!((db(&half, 1) - 0.5 * (db(&from, 1) + db(&to, 1))).abs() < 0.1);
        assert_eq!(led(0.0), instrument());
        assert_eq!(Follow::new(Some(timbre()), -20.0, 1.0).lead(Controls::SILENT), Controls::SILENT);
    }

    #[test]
    fn what_is_above_the_instruments_limit_stays_silent() {
        // Played at 2 kHz, the instrument has ten harmonics below 20 kHz; the source has nineteen.
        let instrument = instrument().with_f0_hz(2000.0).with_harmonics(|k, a| if k < 10 { a } else { 0.0 });
        let led = Follow::new(Some(timbre()), -20.0, 0.5).lead(instrument);
        assert!(led.harmonic_amplitudes()[..10].iter().all(|a| *a > 0.0));
        assert!(led.harmonic_amplitudes()[10..].iter().all(|a| *a == 0.0));
    }

    #[test]
    fn the_noise_becomes_the_sources_and_takes_along_what_lies_above() {
        let last = N_NOISE_BANDS - 1;
        let instrument =
            Controls::SILENT.with_noise(std::array::from_fn(|band| if band == last { 0.002 } else { 0.01 }));
        let mut heard = [0.1; N_HEARD_BANDS];
        heard[3] = 0.3;
        let led = |controls: Controls, amount| {
            let led = lead_noise(&controls, &heard, 0.5, amount);
            [3, 20, N_HEARD_BANDS, last].map(|band| (led.noise_magnitudes()[band] * 1e4).round() / 1e4)
        };
        assert_eq!(led(instrument, 0.0), [0.01, 0.01, 0.01, 0.002]);
        assert_eq!(led(instrument, 0.5), [0.08, 0.03, 0.03, 0.006]);
        assert_eq!(led(instrument, 1.0), [0.15, 0.05, 0.05, 0.01]);
        assert_eq!(led(Controls::SILENT, 1.0), [0.15, 0.05, 0.0474, 0.0191], "between notes");
        assert!(lead_noise(&Controls::SILENT, &[0.0; N_HEARD_BANDS], 1.0, 0.7).is_silent(), "exactly");
    }

    #[test]
    fn only_what_is_followed_stops_wavering() {
        let follow = Follow::new(Some(timbre()), -20.0, 0.75);
        assert_eq!([0, 18, 19].map(|k| follow.wavering(k)), [0.25, 0.25, 1.0]);
        assert_eq!(Follow::new(None, -20.0, 0.75).wavering(0), 1.0);
    }
}
