//! Parses numbers as people type them.

use anyhow::{Context, Result, ensure};

/// Parses a number from `min` to `max` with a decimal point or comma.
pub fn parse_within(text: &str, min: f32, max: f32) -> Result<f32> {
    // Typeset texts use this minus sign.
    let text = text.trim().replace('\u{2212}', "-");
    let is_decimal = text.matches([',', '.']).count() == 1;
    let text = if is_decimal { text.replace(',', ".") } else { text };
    let value: f32 = text.parse().ok().context("a number is needed")?;
    ensure!((min..=max).contains(&value), "it must lie between {min} and {max}");
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_and_commas_are_the_same() {
        let parse = |text: &str| parse_within(text, -2.0, 2.0);
        for text in ["-1.5", "-1,5", " -1,50 ", "\u{2212}1,5"] {
            assert_eq!(parse(text).unwrap(), -1.5, "{text}");
        }
        for bad in ["", "1,2,3", "1.000,5", "one", "NaN", "inf", "2,1"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
