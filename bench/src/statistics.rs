//! Order statistics of measurements. A value may be infinite, for an event that never happened.

/// Quantile by nearest rank: the value that `share` (0 to 1) of the values do not exceed. NaN if there are no values.
pub fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied().unwrap_or(f64::NAN)
}

pub fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_the_nearest() {
        let values: Vec<f64> = (1..=1000).rev().map(f64::from).collect();
        assert_eq!((median(&values), quantile(&values, 0.999), quantile(&values, 1.0)), (500.0, 999.0, 1000.0));
        assert_eq!(quantile(&[3.0, f64::INFINITY], 0.9), f64::INFINITY);
        assert_eq!(quantile(&[3.0, f64::INFINITY], 0.5), 3.0);
        assert!(median(&[]).is_nan());
    }
}
