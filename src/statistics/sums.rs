//! Sums that several formulas share.

/// Arithmetic mean. `None` for no values.
pub(super) fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

pub(super) fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}

/// Sum of the products of the deviations from the means. `None` for no values.
pub(super) fn deviation_products(x: &[f64], y: &[f64]) -> Option<f64> {
    let (mean_x, mean_y) = (mean(x)?, mean(y)?);
    let products = x.iter().zip(y).map(|(x, y)| (x - mean_x) * (y - mean_y));
    Some(products.sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_values_have_no_mean() {
        assert_eq!(mean(&[]), None);
        assert_eq!(mean(&[1.0, 2.0, 6.0]), Some(3.0));
        assert_eq!(deviation_products(&[], &[]), None);
        assert_eq!(deviation_products(&[1.0, 3.0], &[5.0, 9.0]), Some(4.0));
    }
}
