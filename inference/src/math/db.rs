//! Decibels, with the logarithm and the power of the standard library.
//!
//! There are two other conversions. [`power_db`](super::power_db) is vectorised and may differ in the last bits; where
//! it is used, the sound depends on its bits. And tests write the conversion out, so that they do not share the faults
//! of this one.

/// Gain of an amplitude, linear.
pub fn db_to_gain(db: f32) -> f32 {
    10f32.powf(db / 20.0)
}

/// Gain of a power, linear.
pub fn db_to_power(db: f32) -> f32 {
    10f32.powf(db / 10.0)
}

/// Level of an amplitude (≥ 0), dB; 0 is -∞.
pub fn gain_to_db(gain: f32) -> f32 {
    20.0 * gain.log10()
}

/// Level of a power (≥ 0), dB; 0 is -∞.
pub fn power_to_db(power: f32) -> f32 {
    10.0 * power.log10()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twice_the_amplitude_is_six_db_and_twice_the_power_three() {
        assert!((gain_to_db(2.0) - 6.0206).abs() < 1e-4 && (power_to_db(2.0) - 3.0103).abs() < 1e-4);
        for db in [-120.0, -6.0, 0.0, 40.0] {
            assert!((gain_to_db(db_to_gain(db)) - db).abs() < 1e-4);
            assert!((power_to_db(db_to_power(db)) - db).abs() < 1e-4);
        }
        assert_eq!([gain_to_db(0.0), power_to_db(0.0)], [f32::NEG_INFINITY; 2]);
    }
}
