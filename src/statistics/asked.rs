//! Ejection fractions asked against those found, over many anatomies.

use super::bootstrap::{Estimate, SplitMix64};
use super::mean_and_sd;
use serde::Serialize;

/// Draws of the bootstrap.
const DRAWS: usize = 2000;

/// What one measure read: of each anatomy, for each seed, at each value asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Readings {
    /// Ejection fractions asked, in percent, rising.
    asked: Vec<f64>,
    /// `[anatomy][seed * asked]`, in the measure's unit.
    found: Vec<Vec<f64>>,
}

/// How what was found goes with what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Agreement {
    /// Of the line fitted through all pairs by least squares.
    pub slope: Estimate,
    /// In percent.
    pub intercept: Estimate,
    /// `1 - sum (found - asked)^2 / sum (asked - mean asked)^2`: against what was asked, not
    /// against the line. Below 0 where a constant would do better.
    pub r_squared: Estimate,
    /// Mean of `|found - asked|`, in percent.
    pub mean_absolute_error: Estimate,
    /// Share of the ladders in which each step up in what was asked reads higher, 0 to 1.
    pub rises: Estimate,
}

/// Mean and standard deviation (of the population) of what was found at one value asked.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    pub asked: f64,
    pub mean: f64,
    pub sd: f64,
}

/// Sums over one anatomy's pairs, from which all figures follow: a draw of anatomies adds them up.
#[derive(Clone, Copy, Default)]
struct Sums {
    pairs: f64,
    asked: f64,
    found: f64,
    asked_asked: f64,
    asked_found: f64,
    squared_error: f64,
    absolute_error: f64,
    ladders: f64,
    rising: f64,
}

impl Sums {
    /// `centre` is the mean of what was asked, so that sums of squares lose nothing to rounding.
    fn of(asked: &[f64], found: &[f64], centre: f64) -> Self {
        let mut sums = Self::default();
        for ladder in found.chunks_exact(asked.len()) {
            for (&w, &x) in asked.iter().zip(ladder) {
                sums.pairs += 1.0;
                sums.asked += w - centre;
                sums.found += x;
                sums.asked_asked += (w - centre) * (w - centre);
                sums.asked_found += (w - centre) * x;
                sums.squared_error += (x - w) * (x - w);
                sums.absolute_error += (x - w).abs();
            }
            sums.ladders += 1.0;
            let rises = ladder.iter().zip(ladder.iter().skip(1)).all(|(a, b)| b > a);
            sums.rising += f64::from(u8::from(rises));
        }
        sums
    }

    fn add(&mut self, other: &Self) {
        self.pairs += other.pairs;
        self.asked += other.asked;
        self.found += other.found;
        self.asked_asked += other.asked_asked;
        self.asked_found += other.asked_found;
        self.squared_error += other.squared_error;
        self.absolute_error += other.absolute_error;
        self.ladders += other.ladders;
        self.rising += other.rising;
    }

    /// Slope, intercept, R2, mean absolute error, share that rises.
    fn figures(&self, centre: f64) -> [f64; 5] {
        let spread = self.asked_asked - self.asked * self.asked / self.pairs;
        let slope = (self.asked_found - self.asked * self.found / self.pairs) / spread;
        let mean_asked = centre + self.asked / self.pairs;
        [
            slope,
            self.found / self.pairs - slope * mean_asked,
            1.0 - self.squared_error / spread,
            self.absolute_error / self.pairs,
            self.rising / self.ladders,
        ]
    }
}

impl Readings {
    /// `asked` in percent, rising; `found` has for each anatomy one ladder of `asked.len()` readings
    /// for each seed, one after another. `None` where `asked` does not rise, or an anatomy has no
    /// ladder, a part of one, or more than another.
    pub fn new(asked: Vec<f64>, found: Vec<Vec<f64>>) -> Option<Self> {
        let rising = asked.iter().zip(asked.iter().skip(1)).all(|(a, b)| b > a);
        let length = found.first()?.len();
        let whole = !asked.is_empty() && length > 0 && length.is_multiple_of(asked.len());
        let even = found.iter().all(|readings| readings.len() == length);
        (rising && whole && even).then_some(Self { asked, found })
    }

    /// Mean and SD at each value asked; readings that are no numbers are left out.
    pub fn by_ef(&self) -> Vec<Spread> {
        let spread = |(j, &asked): (usize, &f64)| {
            let at = |ladders: &Vec<f64>| -> Vec<f64> {
                let step = ladders.iter().skip(j).step_by(self.asked.len());
                step.copied().filter(|x| !x.is_nan()).collect()
            };
            let readings: Vec<f64> = self.found.iter().flat_map(at).collect();
            let (mean, sd) = mean_and_sd(&readings);
            Spread { asked, mean, sd }
        };
        self.asked.iter().enumerate().map(spread).collect()
    }

    /// The figures over all anatomies, with intervals from 2,000 draws of as many anatomies with
    /// repetition. `None` with fewer than two values asked, or where a reading is no number.
    pub fn agreement(&self, seed: u64) -> Option<Agreement> {
        if self.asked.len() < 2 || self.found.iter().flatten().any(|x| !x.is_finite()) {
            return None;
        }
        let centre = self.asked.iter().sum::<f64>() / self.asked.len() as f64;
        let sums: Vec<Sums> = self
            .found
            .iter()
            .map(|readings| Sums::of(&self.asked, readings, centre))
            .collect();
        let figures = |anatomies: &mut dyn Iterator<Item = usize>| {
            let mut total = Sums::default();
            for i in anatomies {
                if let Some(of_one) = sums.get(i) {
                    total.add(of_one);
                }
            }
            total.figures(centre)
        };
        let values = figures(&mut (0..sums.len()));
        let mut random = SplitMix64(seed);
        let draws: Vec<[f64; 5]> = (0..DRAWS)
            .map(|_| figures(&mut (0..sums.len()).map(|_| random.below(sums.len()))))
            .collect();
        let estimate =
            |k: usize| Estimate::of(values[k], draws.iter().map(|figures| figures[k]).collect());
        Some(Agreement {
            slope: estimate(0)?,
            intercept: estimate(1)?,
            r_squared: estimate(2)?,
            mean_absolute_error: estimate(3)?,
            rises: estimate(4)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked() -> Vec<f64> {
        vec![20.0, 40.0, 60.0, 75.0]
    }

    #[test]
    fn readings_on_a_line_have_its_slope_and_no_spread() {
        let ladder: Vec<f64> = asked().iter().map(|w| 0.9 * w + 3.0).collect();
        let readings = Readings::new(asked(), vec![ladder.repeat(2); 5]).unwrap();
        let a = readings.agreement(1).unwrap();
        for (estimate, expected) in [(a.slope, 0.9), (a.intercept, 3.0), (a.rises, 1.0)] {
            for v in [estimate.value, estimate.low, estimate.high] {
                assert!((v - expected).abs() < 1e-9, "{estimate:?}");
            }
        }
        // Errors of 1, -1, -3 and -4.5.
        assert!((a.mean_absolute_error.value - 2.375).abs() < 1e-9);
        let expected = 1.0 - (1.0 + 1.0 + 9.0 + 20.25) / 1718.75;
        assert!((a.r_squared.value - expected).abs() < 1e-9);
    }

    #[test]
    fn intervals_are_over_anatomies() {
        let offsets = [-6.0, -3.0, -1.0, 0.0, 2.0, 3.0, 5.0, 0.0, 1.0, -1.0];
        let found = |o: &f64| asked().iter().map(|w| w + o).collect();
        let readings = Readings::new(asked(), offsets.iter().map(found).collect()).unwrap();
        let a = readings.agreement(7).unwrap();
        assert!((a.intercept.value - 0.0).abs() < 1e-9);
        // The mean of ten has an SD of 2.93 / sqrt(10) = 0.93.
        assert!((a.intercept.low + 1.8).abs() < 0.3 && (a.intercept.high - 1.8).abs() < 0.3);
        assert_eq!(readings.agreement(7), Some(a));
        let other = readings.agreement(8).unwrap();
        assert!(other != a && (other.intercept.low - a.intercept.low).abs() < 0.3);
    }

    #[test]
    fn a_ladder_with_one_step_down_does_not_rise() {
        let found = vec![vec![1.0, 2.0, 3.0, 4.0], vec![1.0, 2.0, 2.0, 4.0]];
        let a = Readings::new(asked(), found).unwrap().agreement(0).unwrap();
        assert_eq!(a.rises.value, 0.5);
    }

    #[test]
    fn spread_leaves_out_what_is_missing() {
        let found = vec![vec![1.0, 10.0], vec![3.0, f64::NAN], vec![5.0, 14.0]];
        let readings = Readings::new(vec![20.0, 40.0], found).unwrap();
        let spread = readings.by_ef();
        assert_eq!((spread[0].mean, spread[1].mean), (3.0, 12.0));
        assert!((spread[0].sd - (8.0f64 / 3.0).sqrt()).abs() < 1e-12 && spread[1].sd == 2.0);
        assert_eq!(readings.agreement(0), None);
    }

    #[test]
    fn tables_that_are_not_whole_are_refused() {
        assert!(Readings::new(asked(), vec![vec![1.0; 3]]).is_none());
        assert!(Readings::new(asked(), vec![vec![1.0; 4], vec![1.0; 8]]).is_none());
        assert!(Readings::new(vec![40.0, 20.0], vec![vec![1.0; 2]]).is_none());
        assert!(Readings::new(asked(), vec![]).is_none());
    }
}
