//! Agreement of a measurement with a reference: bias, limits of agreement, errors, regression line.
//!
//! Limits: Bland JM, Altman DG. Lancet 1986;i:307-310, `bias ± 1.96 SD` of the differences; standard error
//! of a limit `SD √(1/n + 1.96²/(2(n - 1)))`: Bland JM, Altman DG. Stat Methods Med Res 1999;8:135-160,
//! section 2. All intervals take Student's distribution with n - 1 degrees of freedom, that of the slope
//! n - 2.

use serde::Serialize;

use super::distribution::t_critical;
use super::proportion::Interval;
use super::quantile::median;
use super::sums::{deviation_products, mean};

/// The multiple of the SD in the limits of agreement, as Bland and Altman round the normal quantile.
const LIMIT: f64 = 1.96;

/// Bland-Altman analysis, in the units of the measurement.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LimitsOfAgreement {
    /// Number of differences, at least 2.
    pub n: usize,
    /// Mean difference.
    pub bias: f64,
    /// Sample standard deviation of the differences.
    pub sd: f64,
    pub bias_interval: Interval,
    /// Where 95 % of differences are expected.
    pub limits: Interval,
    pub low_limit_interval: Interval,
    pub high_limit_interval: Interval,
}

impl LimitsOfAgreement {
    /// From the differences measurement - reference; `level` is that of the three intervals.
    ///
    /// `None` with fewer than two differences, for one that is not finite, or unless 0 < `level` < 1.
    pub fn from_differences(differences: &[f64], level: f64) -> Option<Self> {
        let (bias, n) = (
            mean(differences).filter(|bias| bias.is_finite())?,
            differences.len(),
        );
        let df = n as f64 - 1.0;
        let t = t_critical(level, df)?;
        let sd = (deviation_products(differences, differences)? / df).sqrt();
        let around = |centre, standard_error| Interval::around(centre, t * standard_error);
        let limits = Interval {
            low: bias - LIMIT * sd,
            high: bias + LIMIT * sd,
        };
        let limit_error = sd * (1.0 / n as f64 + LIMIT * LIMIT / (2.0 * df)).sqrt();
        Some(Self {
            n,
            bias,
            sd,
            bias_interval: around(bias, sd / (n as f64).sqrt()),
            limits,
            low_limit_interval: around(limits.low, limit_error),
            high_limit_interval: around(limits.high, limit_error),
        })
    }
}

/// Summary of errors without regard to their sign, in the units of the measurement.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct AbsoluteErrors {
    pub mean: f64,
    pub median: f64,
    /// Square root of the mean squared error.
    pub root_mean_square: f64,
}

impl AbsoluteErrors {
    /// From the differences measurement - reference. `None` for no difference or one that is not finite.
    pub fn from_differences(differences: &[f64]) -> Option<Self> {
        let absolute: Vec<f64> = differences.iter().map(|error| error.abs()).collect();
        let squares: Vec<f64> = differences.iter().map(|error| error * error).collect();
        let median = median(&absolute)?;
        Some(Self {
            mean: mean(&absolute)?,
            median,
            root_mean_square: mean(&squares)?.sqrt(),
        })
    }
}

/// Least-squares line of a measurement on its reference.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Line {
    /// 1 for a measurement that keeps the reference's differences; less when it is drawn to the middle.
    pub slope: f64,
    /// Measurement expected at a reference of 0.
    pub intercept: f64,
    /// `None` with two points, which a line always meets.
    pub slope_interval: Option<Interval>,
}

impl Line {
    /// `level` is that of the slope's interval.
    ///
    /// `None` with fewer than two points, if the lengths differ, if the reference does not vary, for a
    /// value that is not finite, or unless 0 < `level` < 1.
    pub fn fit(reference: &[f64], measurement: &[f64], level: f64) -> Option<Self> {
        let (mean_x, mean_y) = (mean(reference)?, mean(measurement)?);
        let sxx = deviation_products(reference, reference)?;
        let sxy = deviation_products(reference, measurement)?;
        let slope = sxy / sxx;
        let valid = reference.len() == measurement.len() && sxx > 0.0 && slope.is_finite();
        if !(valid && level > 0.0 && level < 1.0) {
            return None;
        }
        let intercept = mean_y - slope * mean_x;
        let residual = |(x, y): (&f64, &f64)| (y - intercept - slope * x).powi(2);
        let residuals: f64 = reference.iter().zip(measurement).map(residual).sum();
        let df = reference.len() as f64 - 2.0;
        let slope_interval = t_critical(level, df).map(|t| {
            let half_width = t * (residuals / df / sxx).sqrt();
            Interval::around(slope, half_width)
        });
        Some(Self {
            slope,
            intercept,
            slope_interval,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(actual: f64, expected: f64) {
        assert!(
            (actual - expected).abs() <= 1e-8,
            "{actual} is not {expected}"
        );
    }

    fn close_interval(actual: Interval, low: f64, high: f64) {
        close(actual.low, low);
        close(actual.high, high);
    }

    fn differences(measurement: &[f64], reference: &[f64]) -> Vec<f64> {
        measurement
            .iter()
            .zip(reference)
            .map(|(m, r)| m - r)
            .collect()
    }

    // Bland and Altman 1986, table 1: peak flow, large meter less mini meter, first measurements, l/min.
    // They print bias -2.1 (-22.0 to 17.8), SD 38.8 and, with 2 SD, limits; those of 1.96 SD are computed.
    #[test]
    fn peak_flow_meters() {
        let large = [
            494., 395., 516., 434., 476., 557., 413., 442., 650., 433., 417., 656., 267., 478.,
            178., 423., 427.,
        ];
        let mini = [
            512., 430., 520., 428., 500., 600., 364., 380., 658., 445., 432., 626., 260., 477.,
            259., 350., 451.,
        ];
        let limits =
            LimitsOfAgreement::from_differences(&differences(&large, &mini), 0.95).unwrap();
        assert_eq!(limits.n, 17);
        close(limits.bias, -2.1176470588);
        close(limits.sd, 38.7651298736);
        close_interval(limits.bias_interval, -22.0488376966, 17.813543579);
        close_interval(limits.limits, -78.0973016111, 73.8620074934);
        close_interval(limits.low_limit_interval, -112.8533779092, -43.341225313);
        close_interval(limits.high_limit_interval, 39.1059311953, 108.6180837915);
    }

    const TRUTH: [f64; 12] = [22., 28., 33., 38., 41., 44., 48., 52., 55., 58., 63., 68.];
    const GUESS: [f64; 12] = [30., 35., 35., 45., 40., 40., 55., 50., 55., 60., 60., 65.];

    // Twelve training answers, computed with numpy and scipy.
    #[test]
    fn training_answers() {
        let errors = differences(&GUESS, &TRUTH);
        let limits = LimitsOfAgreement::from_differences(&errors, 0.95).unwrap();
        assert_eq!(limits.n, 12);
        close(limits.bias, 1.6666666667);
        close(limits.sd, 4.5193188009);
        close_interval(limits.bias_interval, -1.2047715068, 4.5381048401);
        close_interval(limits.limits, -7.1911981831, 10.5245315164);
        close_interval(limits.low_limit_interval, -12.2431492379, -2.1392471284);
        close_interval(limits.high_limit_interval, 5.4725804617, 15.5764825712);
        let absolute = AbsoluteErrors::from_differences(&errors).unwrap();
        close(absolute.mean, 3.8333333333);
        close(absolute.median, 3.0);
        close(absolute.root_mean_square, 4.6368092477);
        let line = Line::fit(&TRUTH, &GUESS, 0.95).unwrap();
        close(line.slope, 0.7842097287);
        close(line.intercept, 11.5570540991);
        close_interval(line.slope_interval.unwrap(), 0.6181106133, 0.9503088442);
    }

    #[test]
    fn what_is_not_defined_is_none() {
        for few in [
            &[] as &[f64],
            &[1.0],
            &[1.0, f64::NAN],
            &[1.0, f64::INFINITY],
        ] {
            assert_eq!(LimitsOfAgreement::from_differences(few, 0.95), None);
        }
        assert_eq!(LimitsOfAgreement::from_differences(&[1.0, 2.0], 1.0), None);
        assert_eq!(AbsoluteErrors::from_differences(&[]), None);
        assert_eq!(AbsoluteErrors::from_differences(&[f64::NAN]), None);
        assert_eq!(Line::fit(&[], &[], 0.95), None);
        assert_eq!(Line::fit(&[1.0], &[1.0], 0.95), None);
        assert_eq!(Line::fit(&[1.0, 1.0], &[1.0, 2.0], 0.95), None);
        assert_eq!(Line::fit(&[1.0, 2.0, 3.0], &[1.0, 2.0], 0.95), None);
        assert_eq!(Line::fit(&[1.0, 2.0], &[1.0, f64::NAN], 0.95), None);
        let two_points = Line::fit(&[1.0, 2.0], &[3.0, 5.0], 0.95).unwrap();
        assert_eq!(
            (
                two_points.slope,
                two_points.intercept,
                two_points.slope_interval
            ),
            (2.0, 1.0, None)
        );
    }
}
