//! Two instruments as one: morphing between A and B.

use crate::controls::Controls;
use crate::k_weight::power_of;
use crate::math::db::db_to_gain;
use crate::settings::BREATH_OFF_DB;

/// Largest change of a blend's power: 20 dB.
const MOST_POWER: f32 = 100.0;

/// Gain of the noise, linear.
pub fn breath_gain(breath_db: f32) -> f32 {
    if breath_db <= BREATH_OFF_DB { 0.0 } else { db_to_gain(breath_db) }
}

/// Blends `a` (amount 0) and `b` (1) in dB. Then moves the loudness by `matched` (0 to 1) towards the value between
/// both, because a blend of two spectra is softer than both.
pub fn level_morph(a: &Controls, b: &Controls, amount: f32, matched: f32) -> Controls {
    let blend = a.lerp_db(b, amount);
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
    let gain = (wanted / now).clamp(1.0 / MOST_POWER, MOST_POWER).powf(0.5 * matched);
    blend.scaled(gain, gain)
}

/// Playable range of a blend, Hz: between both ranges, evenly in pitch.
pub fn blend_range(a: [f32; 2], b: [f32; 2], amount: f32) -> [f32; 2] {
    let amount = amount.clamp(0.0, 1.0);
    std::array::from_fn(|i| if amount == 0.0 { a[i] } else { a[i] * (b[i] / a[i]).powf(amount) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(slope: f32) -> Vec<f32> {
        (1..=20).map(|k| 0.1 * (k as f32).powf(-slope)).collect()
    }

    #[test]
    fn a_matched_blend_is_as_loud_as_its_ends() {
        let (mut a, b) = (tone(0.2), Controls::tone(440.0, &tone(3.0)[..10]));
        a[0] = 0.001;
        let a = Controls::tone(440.0, &a);
        for amount in [0.2, 0.5, 0.8] {
            let [a_db, b_db, now_db] = [&a, &b, &level_morph(&a, &b, amount, 1.0)].map(|c| 10.0 * power_of(c).log10());
            assert!((now_db - (a_db + amount * (b_db - a_db))).abs() < 0.01, "{now_db}");
            assert_eq!(level_morph(&a, &b, amount, 0.0), a.lerp_db(&b, amount));
        }
        assert_eq!(level_morph(&a, &b, 1.0, 1.0), b);
    }

    #[test]
    fn no_breath_is_none() {
        assert_eq!([BREATH_OFF_DB, -100.0, 0.0].map(breath_gain), [0.0, 0.0, 1.0]);
    }
}
