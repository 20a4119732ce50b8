//! Two instruments as one: fading from the old to the new, and morphing between A and B.

use crate::config::N_HARMONICS;
use crate::controls::Controls;
use crate::k_weight::power_of;
use crate::settings::BREATH_OFF_DB;

/// Softest amplitude that a morph leads over: -140 dB. What one of the two does not play comes out of silence.
const SOFTEST: f32 = 1e-7;

/// Most by which a blend's power is moved: 20 dB.
const MOST_POWER: f32 = 100.0;

/// `controls` times `gain`, the noise `breath_db` louder than that.
pub fn scaled(controls: Controls, gain: f32, breath_db: f32) -> Controls {
    let breath = breath_gain(breath_db);
    Controls {
        amplitude: controls.amplitude * gain,
        noise_magnitudes: controls.noise_magnitudes.map(|m| m * gain * breath),
        ..controls
    }
}

/// Gain of the noise, linear.
pub fn breath_gain(breath_db: f32) -> f32 {
    if breath_db <= BREATH_OFF_DB { 0.0 } else { 10f32.powf(breath_db / 20.0) }
}

/// `share` of `old` and the rest of `new`.
pub fn crossfade(new: &Controls, old: &Controls, share: f32) -> Controls {
    combined(new, old, |new, old| new + (old - new) * share)
}

/// `amount` of the way from `a` to `b`: level and noise in dB, and each harmonic's share of the level in dB, brought back to
/// a sum of 1, because the way between two different shares leads below both. 0 and 1 are exactly `a` and `b`.
pub fn morph(a: &Controls, b: &Controls, amount: f32) -> Controls {
    if amount >= 1.0 {
        *b
    } else if amount > 0.0 && a != b {
        // A product of powers is a straight line between levels in dB.
        let way = |a: f32, b: f32| a.max(SOFTEST).powf(1.0 - amount) * b.max(SOFTEST).powf(amount);
        let audible = |x: f32| if x <= SOFTEST { 0.0 } else { x };
        let amplitude = audible(way(a.amplitude, b.amplitude));
        let mut mixed = combined(a, b, |a, b| audible(way(a, b)));
        mixed.amplitude = if mixed.amplitude > 0.0 { amplitude } else { 0.0 };
        mixed
    } else {
        *a
    }
}

/// As [`morph`], and `matched` of the way to the loudness that lies between those of both: a blend of two spectra has less.
pub fn level_morph(a: &Controls, b: &Controls, amount: f32, matched: f32) -> Controls {
    let blend = morph(a, b, amount);
    // False for what is no number, too.
    let is_blend = amount > 0.0 && amount < 1.0;
    if !is_blend || matched == 0.0 {
        return blend;
    }
    let [a, b, now] = [a, b, &blend].map(power_of);
    if a <= 0.0 || b <= 0.0 || now <= 0.0 {
        return blend;
    }
    let wanted = a.powf(1.0 - amount) * b.powf(amount);
    scaled(blend, (wanted / now).clamp(1.0 / MOST_POWER, MOST_POWER).powf(0.5 * matched), 0.0)
}

/// Range between two ranges, Hz, as far along as the morph is.
pub fn blend_range(a: [f32; 2], b: [f32; 2], amount: f32) -> [f32; 2] {
    let amount = amount.clamp(0.0, 1.0);
    std::array::from_fn(|i| if amount == 0.0 { a[i] } else { a[i] * (b[i] / a[i]).powf(amount) })
}

/// Harmonics and noise of both through `mix`; the rest is `first`'s.
fn combined(first: &Controls, second: &Controls, mix: impl Fn(f32, f32) -> f32) -> Controls {
    let amplitude = |controls: &Controls, k: usize| controls.amplitude * controls.harmonic_distribution[k];
    let mut mixed = *first;
    for k in 0..N_HARMONICS {
        mixed.harmonic_distribution[k] = mix(amplitude(first, k), amplitude(second, k));
    }
    mixed.amplitude = mixed.harmonic_distribution.iter().sum();
    if mixed.amplitude > 0.0 {
        mixed.harmonic_distribution.iter_mut().for_each(|weight| *weight /= mixed.amplitude);
    }
    for (magnitude, other) in mixed.noise_magnitudes.iter_mut().zip(second.noise_magnitudes) {
        *magnitude = mix(*magnitude, other);
    }
    mixed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn controls(amplitude: f32, slope: f32, noise: f32) -> Controls {
        let mut controls = Controls { amplitude, ..Controls::SILENT };
        for (k, weight) in (1..=20).zip(&mut controls.harmonic_distribution) {
            *weight = (k as f32).powf(-slope);
        }
        let sum: f32 = controls.harmonic_distribution.iter().sum();
        controls.harmonic_distribution.iter_mut().for_each(|weight| *weight /= sum);
        controls.noise_magnitudes.fill(noise);
        controls
    }

    #[test]
    fn a_morph_is_exact_at_its_ends_and_halfway_in_decibels_between() {
        let (a, b) = (controls(0.5, 1.0, 0.01), controls(0.05, 2.0, 0.0001));
        assert_eq!([morph(&a, &b, 0.0), morph(&a, &b, 1.0)], [a, b]);
        let half = morph(&a, &b, 0.5);
        assert!((half.amplitude - (0.5f32 * 0.05).sqrt()).abs() < 1e-5);
        // Between slopes of 6 and 12 dB an octave.
        let fall = (half.harmonic_distribution[1] / half.harmonic_distribution[0]).log2();
        assert!((fall + 1.5).abs() < 1e-3, "{fall}");
        assert_eq!(half.harmonic_distribution[20..], [0.0; N_HARMONICS - 20]);
        assert!((half.noise_magnitudes[7] - 0.001).abs() < 1e-6);
        assert!((half.harmonic_distribution.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        assert!(morph(&Controls::SILENT, &Controls::SILENT, 0.3).is_silent());
    }

    #[test]
    fn a_matched_blend_is_as_loud_as_its_ends() {
        let (mut a, mut b) = (controls(0.5, 0.2, 0.0), controls(0.5, 3.0, 0.0));
        a.harmonic_distribution[0] = 0.001;
        b.harmonic_distribution[10..].fill(0.0);
        for amount in [0.2, 0.5, 0.8] {
            let [a_db, b_db, now_db] = [&a, &b, &level_morph(&a, &b, amount, 1.0)].map(|c| 10.0 * power_of(c).log10());
            assert!((now_db - (a_db + amount * (b_db - a_db))).abs() < 0.01, "{now_db}");
            assert_eq!(level_morph(&a, &b, amount, 0.0), morph(&a, &b, amount));
        }
        assert_eq!(level_morph(&a, &b, 1.0, 1.0), b);
    }

    #[test]
    fn a_nonsense_amount_is_the_first() {
        let (a, b) = (controls(0.5, 1.0, 0.01), controls(0.05, 2.0, 0.0001));
        assert_eq!([morph(&a, &b, f32::NAN), morph(&a, &b, -3.0)], [a, a]);
    }

    #[test]
    fn breath_is_the_noises_alone() {
        let a = controls(0.5, 1.0, 0.01);
        let louder = scaled(a, 0.5, 20.0);
        assert_eq!(louder.amplitude, 0.25);
        assert!((louder.noise_magnitudes[3] - 0.05).abs() < 1e-6);
        assert_eq!(scaled(a, 1.0, BREATH_OFF_DB).noise_magnitudes, [0.0; crate::config::N_NOISE_BANDS]);
        assert_eq!(scaled(a, 1.0, 0.0), a);
    }
}
