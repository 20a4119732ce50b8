//! Exponential, logarithm and sums without branches and calls: loops over them are vectorised, and the bits are the
//! same on every processor and with every system library. Polynomials after Moshier's Cephes library.
//!
//! Loops over many values are functions here and not inlined: with cold caches, a hop waits for its machine code as
//! long as for its weights.

pub mod db;
pub mod window;

use multiversion::multiversion;
use std::f32::consts::{LN_10, LOG2_E};
use std::f64::consts::FRAC_PI_2;

/// ln 2 as a sum of two: products of the first with a small integer are exact.
const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
/// 1.5 · 2^23: adding it rounds to a whole number, which the lowest bits of the sum then hold.
pub const ROUND: f32 = 12_582_912.0;
/// Bits of the fraction of a float, and the bias of its exponent.
const FRACTION_BITS: u32 = 23;
const EXPONENT_BIAS: u32 = 127;
/// Bits of √½: a float is a power of two times a value from √½ to √2.
const SQRT_HALF: u32 = 0x3F35_04F3;

const EXP: [f32; 6] = [1.987_569_1e-4, 1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5];
const LN: [f32; 9] = [
    7.037_683_6e-2,
    -1.151_461e-1,
    1.167_699_9e-1,
    -1.242_014_1e-1,
    1.424_932_3e-1,
    -1.666_805_8e-1,
    2.000_071_5e-1,
    -2.499_999_4e-1,
    3.333_333e-1,
];

#[inline(always)]
fn polynomial<const N: usize>(coefficients: [f32; N], x: f32) -> f32 {
    coefficients.into_iter().fold(0.0, |sum, c| sum * x + c)
}

/// `e^x` with a relative error below 2e-7; x beyond ±87 counts as ±87.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    let x = x.clamp(-87.0, 87.0);
    let shifted = x * LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * LN_2[0]) - n * LN_2[1];
    let power_of_two = f32::from_bits(shifted.to_bits().wrapping_add(EXPONENT_BIAS) << FRACTION_BITS);
    (polynomial(EXP, r) * r * r + r + 1.0) * power_of_two
}

/// Natural logarithm of a normal number > 0. Error below 2e-7, relative where the result is more than 1.
#[inline(always)]
pub fn ln(x: f32) -> f32 {
    let exponent = (x.to_bits() as i32).wrapping_sub(SQRT_HALF as i32) >> FRACTION_BITS;
    let r = f32::from_bits((x.to_bits() as i32).wrapping_sub(exponent << FRACTION_BITS) as u32) - 1.0;
    let n = exponent as f32;
    let square = r * r;
    let correction = r * square * polynomial(LN, r) + n * LN_2[1] - 0.5 * square;
    r + correction + n * LN_2[0]
}

/// Level of a power (≥ 0), dB, at least -200.
#[inline(always)]
pub fn power_db(power: f32) -> f32 {
    10.0 / LN_10 * ln(power.max(1e-20))
}

/// `1 / (1 + e^-x)`.
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// Hyperbolic tangent with an error below 2e-7.
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    1.0 - 2.0 / (exp(2.0 * x) + 1.0)
}

/// Sine and cosine of `turns` (0 to 1) with an error below 1e-11: Taylor series within an eighth of a turn around each
/// quarter.
///
/// Own code, because that of libm differs between platforms in the last bit and is not vectorised.
#[inline(always)]
pub fn sin_cos_turns(turns: f64) -> (f64, f64) {
    // Adding and subtracting 1.5 · 2^52 rounds to a whole number without a call.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    let quarter = (turns * 4.0 + ROUND) - ROUND;
    let x = (turns * 4.0 - quarter) * FRAC_PI_2;
    let y = x * x;
    let sin = x * (1.0 - y / 6.0 * (1.0 - y / 20.0 * (1.0 - y / 42.0 * (1.0 - y / 72.0 * (1.0 - y / 110.0)))));
    let cos =
        1.0 - y / 2.0 * (1.0 - y / 12.0 * (1.0 - y / 30.0 * (1.0 - y / 56.0 * (1.0 - y / 90.0 * (1.0 - y / 132.0)))));
    let odd = quarter == 1.0 || quarter == 3.0;
    let (s, c) = if odd { (cos, sin) } else { (sin, cos) };
    let sin_sign = if quarter == 2.0 || quarter == 3.0 { -1.0 } else { 1.0 };
    let cos_sign = if quarter == 1.0 || quarter == 2.0 { -1.0 } else { 1.0 };
    (s * sin_sign, c * cos_sign)
}

/// [`exp`] of each of `values`.
#[multiversion(targets("x86_64+avx2"))]
pub fn exp_all(values: &mut [f32]) {
    map(values, exp);
}

/// Each of `values` times `gain`.
#[multiversion(targets("x86_64+avx2"))]
pub fn scale_all(values: &mut [f32], gain: f32) {
    map(values, |x| x * gain);
}

/// Applies `f` to each of `values`, vectorised.
#[inline(always)]
pub fn map(values: &mut [f32], f: impl Fn(f32) -> f32) {
    let (chunks, rest) = values.as_chunks_mut::<16>();
    for chunk in chunks {
        for x in chunk {
            *x = f(*x);
        }
    }
    for x in rest {
        *x = f(*x);
    }
}

/// Sum of `values`, in 16 lanes: a sum in order is not vectorised.
#[multiversion(targets("x86_64+avx2"))]
pub fn sum(values: &[f32]) -> f32 {
    in_lanes(values, 0.0, |sum, x| sum + x, |a, b| a + b)
}

/// Sum of the squares of `values`.
#[multiversion(targets("x86_64+avx2"))]
pub fn sum_of_squares(values: &[f32]) -> f32 {
    in_lanes(values, 0.0, |sum, x| sum + x * x, |a, b| a + b)
}

/// Largest magnitude; 0 without values.
#[multiversion(targets("x86_64+avx2"))]
pub fn largest(values: &[f32]) -> f32 {
    in_lanes(values, 0.0, |most, x| higher(most, x.abs()), higher)
}

/// Highest value; `f32::MIN` without values.
#[multiversion(targets("x86_64+avx2"))]
pub fn highest(values: &[f32]) -> f32 {
    in_lanes(values, f32::MIN, higher, higher)
}

/// [`f32::max`] for values that are not NaN, and faster.
#[inline(always)]
fn higher(a: f32, b: f32) -> f32 {
    if b > a { b } else { a }
}

/// Folds every 16th value into its lane with `take`, beginning with `start`, then all lanes into one with `join`.
#[inline(always)]
fn in_lanes(values: &[f32], start: f32, take: impl Fn(f32, f32) -> f32, join: impl Fn(f32, f32) -> f32) -> f32 {
    let (chunks, rest) = values.as_chunks::<16>();
    let mut lanes = [start; 16];
    for chunk in chunks {
        for i in 0..16 {
            lanes[i] = take(lanes[i], chunk[i]);
        }
    }
    let mut all = start;
    for x in rest {
        all = take(all, *x);
    }
    for lane in lanes {
        all = join(all, lane);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_in_lanes_read_every_value() {
        for n in [0, 1, 15, 16, 17, 100] {
            let values: Vec<f32> = (0..n).map(|i| if i % 2 == 0 { i as f32 } else { -(i as f32) }).collect();
            assert_eq!(sum(&values), values.iter().sum::<f32>());
            assert_eq!(sum_of_squares(&values), values.iter().map(|x| x * x).sum::<f32>());
            assert_eq!(largest(&values), (n as f32 - 1.0).max(0.0));
            assert_eq!(highest(&values), values.iter().copied().fold(f32::MIN, f32::max));
        }
    }

    fn range(from: f64, to: f64) -> impl Iterator<Item = f32> {
        (0..=100_000).map(move |i| (from + (to - from) * i as f64 / 100_000.0) as f32)
    }

    #[test]
    fn exp_is_the_exponential() {
        for x in range(-87.0, 87.0).chain(range(-1e-3, 1e-3)) {
            let error = f64::from(exp(x)) / f64::from(x).exp() - 1.0;
            assert!(error.abs() < 2e-7, "{error:e} at {x}");
        }
        assert_eq!(exp(0.0), 1.0);
        assert!(exp(-1e9) > 0.0 && exp(f32::NEG_INFINITY) > 0.0 && exp(f32::NAN).is_nan());
        assert!(exp(1e9).is_finite() && exp(f32::INFINITY).is_finite());
    }

    #[test]
    fn ln_is_the_logarithm() {
        for x in range(0.01, 4.0).chain(range(0.0, 1e9).skip(1)).chain(range(1e-30, 1e-20)) {
            let exact = f64::from(x).ln();
            let error = (f64::from(ln(x)) - exact) / exact.abs().max(1.0);
            assert!(error.abs() < 2e-7, "{error:e} at {x}");
        }
        assert_eq!(ln(1.0), 0.0);
    }

    #[test]
    fn sigmoid_and_tanh_are_exact_to_2e_7() {
        for x in range(-20.0, 20.0) {
            let exact = f64::from(x);
            assert!((f64::from(sigmoid(x)) - 1.0 / (1.0 + (-exact).exp())).abs() < 2e-7);
            assert!((f64::from(tanh(x)) - exact.tanh()).abs() < 2e-7);
        }
        assert_eq!([tanh(-1e9), tanh(1e9), sigmoid(1e9)], [-1.0, 1.0, 1.0]);
    }
}
