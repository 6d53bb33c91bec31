//! Sample quantiles by linear interpolation: type 7 of Hyndman RJ, Fan Y. Am Stat 1996;50:361-365, the
//! default of R and NumPy.
//!
//! With the sorted values `x[0..n]` and `h = p (n - 1)`, the quantile lies between `x[floor(h)]` and the
//! next value, at the fractional part of `h`.

use serde::Serialize;

/// The three values that cut a sample into four equal parts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Quartiles {
    pub q1: f64,
    pub median: f64,
    pub q3: f64,
}

/// The quantile of `values`, in any order, at probability `p`.
///
/// `None` for no values, for one that is not finite, or unless 0 <= `p` <= 1.
pub fn quantile(values: &[f64], p: f64) -> Option<f64> {
    of_sorted(&sorted(values)?, p)
}

/// Half of the values lie below, half above. `None` for no values or one that is not finite.
pub fn median(values: &[f64]) -> Option<f64> {
    quantile(values, 0.5)
}

/// Quartiles of `values`, in any order. `None` for no values or one that is not finite.
pub fn quartiles(values: &[f64]) -> Option<Quartiles> {
    let sorted = sorted(values)?;
    let at = |p| of_sorted(&sorted, p);
    Some(Quartiles {
        q1: at(0.25)?,
        median: at(0.5)?,
        q3: at(0.75)?,
    })
}

fn sorted(values: &[f64]) -> Option<Vec<f64>> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    values
        .iter()
        .all(|value| value.is_finite())
        .then_some(sorted)
}

fn of_sorted(sorted: &[f64], p: f64) -> Option<f64> {
    if !(0.0..=1.0).contains(&p) {
        return None;
    }
    let position = p * sorted.len().checked_sub(1)? as f64;
    let below = *sorted.get(position.floor() as usize)?;
    let above = *sorted.get(position.ceil() as usize)?;
    Some(below + position.fract() * (above - below))
}

#[cfg(test)]
mod tests {
    use super::*;

    // numpy.quantile, R quantile(type = 7).
    #[test]
    fn quartiles_as_numpy() {
        let quartiles = quartiles(&[30.4, 4.1, 7.3, 9.9, 16.2, 12.0, 16.2, 21.5]).unwrap();
        assert!((quartiles.q1 - 9.25).abs() <= 1e-8);
        assert!((quartiles.median - 14.1).abs() <= 1e-8);
        assert!((quartiles.q3 - 17.525).abs() <= 1e-8);
    }

    #[test]
    fn ends_and_edges() {
        assert_eq!(quantile(&[3.0, 1.0, 2.0], 0.0), Some(1.0));
        assert_eq!(quantile(&[3.0, 1.0, 2.0], 1.0), Some(3.0));
        assert_eq!(median(&[7.0]), Some(7.0));
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[1.0, f64::NAN]), None);
        assert_eq!(quantile(&[1.0], 1.1), None);
        assert_eq!(quantile(&[1.0], f64::NAN), None);
    }
}
