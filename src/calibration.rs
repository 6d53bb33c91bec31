//! What a cascade measures for what it is conditioned on, and what to condition it on so that it measures what is asked.

use crate::edm::Preset;
use crate::ef::{EfPercent, SLIDER_RANGE};
use crate::statistics::bootstrap::Estimate;
use serde::{Deserialize, Serialize};

/// What was measured of cines conditioned on one EF. All in percent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    pub conditioned: f64,
    /// Mean over anatomies, made to rise ([`rising`]).
    pub measured: f64,
    /// Standard deviation over cines.
    pub sd: f64,
}

/// How far what is measured was from what was asked, on anatomies that the curve did not see.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Test {
    pub anatomies: usize,
    /// EFs asked, in percent.
    pub requested: Vec<f64>,
    /// Mean of `|measured - requested|` in points, conditioned on what is requested and by the curve; what the curve
    /// lowers it by. Intervals: bootstrap over anatomies.
    pub before: Estimate,
    pub after: Estimate,
    pub lowered_by: Estimate,
    /// The same of the outline's EF, of a cascade that gives one: the curve is not made for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outline_before: Option<Estimate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outline_after: Option<Estimate>,
}

/// What is measured of cines by what they are conditioned on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Curve {
    /// The presets that sample as it was measured.
    presets: Vec<Preset>,
    /// Rising in both.
    points: Vec<Point>,
}

/// As it stands in a file.
#[derive(Deserialize)]
struct Unchecked {
    presets: Vec<Preset>,
    points: Vec<Point>,
}

impl TryFrom<Unchecked> for Curve {
    type Error = String;

    fn try_from(of: Unchecked) -> Result<Self, String> {
        Self::new(of.presets, of.points)
    }
}

impl Curve {
    /// # Errors
    /// A phrase, where it cannot be gone back along.
    pub fn new(presets: Vec<Preset>, points: Vec<Point>) -> Result<Self, String> {
        let sound = |p: &Point| {
            SLIDER_RANGE.contains(&p.conditioned) && p.measured.is_finite() && p.sd.is_finite()
        };
        if !points.iter().all(sound) {
            return Err("a point of a calibration is no EF".into());
        }
        let mut pairs = points.iter().zip(points.iter().skip(1));
        if !pairs.all(|(a, b)| a.conditioned < b.conditioned && a.measured <= b.measured) {
            return Err("a calibration's curve does not rise".into());
        }
        match (points.first(), points.last()) {
            (Some(first), Some(last)) if first.measured < last.measured => {
                Ok(Self { presets, points })
            }
            _ => Err("a calibration needs two points that measure differently".into()),
        }
    }

    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// Whether it was measured of cines that are sampled by this preset.
    pub fn is_of(&self, preset: Preset) -> bool {
        self.presets.contains(&preset)
    }

    /// What to condition on so that it measures an EF; the nearest end of the curve where nothing does.
    pub fn conditioning(&self, requested: EfPercent) -> EfPercent {
        EfPercent::new(conditioning(&self.points, requested.get())).unwrap_or(requested)
    }

    /// The lowest and the highest EF that it says can be measured, in percent.
    pub fn reach(&self) -> [f64; 2] {
        let measured = |p: Option<&Point>| p.map_or(f64::NAN, |p| p.measured);
        [measured(self.points.first()), measured(self.points.last())]
    }
}

/// How an EF is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Asking {
    /// What is conditioned on follows from it.
    pub curve: Option<Curve>,
    /// An EF that was asked for before, and what was conditioned on then (`None`: the EF itself), whatever the curve says.
    pub repeated: Option<(EfPercent, Option<EfPercent>)>,
}

impl Asking {
    pub fn by(curve: Curve) -> Self {
        Self {
            curve: Some(curve),
            repeated: None,
        }
    }
}

/// A curve of one cascade and one regressor, and what it is worth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Of the regressor that measured.
    pub regressor_sha256: String,
    /// Of the curve.
    pub anatomies: usize,
    pub cines: usize,
    /// Training of the cascade saw the anatomies: what is found on them is no word on others.
    pub seen_in_training: bool,
    pub curve: Curve,
    pub test: Test,
}

impl Calibration {
    /// Whether it is used where nobody says: it lowers the error on anatomies that neither it nor training saw.
    pub fn is_default(&self) -> bool {
        self.test.lowered_by.low > 0.0 && !self.seen_in_training
    }

    /// What it was found to be worth, in a sentence.
    pub fn worth(&self) -> String {
        let Test {
            anatomies,
            before,
            after,
            ..
        } = &self.test;
        let seen = if self.seen_in_training {
            ", which training saw"
        } else {
            ""
        };
        format!(
            "On {anatomies} other anatomies{seen}, the measured EF was {:.1} points off with it, {:.1} without.",
            after.value, before.value
        )
    }
}

/// Goes back along a curve that rises: from what is measured to what was conditioned on. On a level part, its middle.
fn conditioning(curve: &[Point], measured: f64) -> f64 {
    let below = curve.partition_point(|p| p.measured < measured);
    let upto = curve.partition_point(|p| p.measured <= measured);
    let at = |i: usize| curve.get(i).copied();
    if let (Some(first), Some(last)) = (at(below), upto.checked_sub(1).and_then(at))
        && below < upto
    {
        return (first.conditioned + last.conditioned) / 2.0;
    }
    match (below.checked_sub(1).and_then(at), at(below)) {
        (Some(a), Some(b)) => {
            let share = (measured - a.measured) / (b.measured - a.measured);
            a.conditioned + share * (b.conditioned - a.conditioned)
        }
        (Some(end), None) | (None, Some(end)) => end.conditioned,
        (None, None) => measured,
    }
}

/// The sequence that rises and is nearest by squares, all values weighing the same (pool adjacent violators: Ayer and
/// others 1955).
pub fn rising(values: &[f64]) -> Vec<f64> {
    // Sum and number of each level part.
    let mut parts: Vec<(f64, usize)> = Vec::new();
    for &value in values {
        parts.push((value, 1));
        while let [.., (a, n), (b, m)] = *parts.as_slice()
            && a * m as f64 >= b * n as f64
        {
            parts.truncate(parts.len() - 2);
            parts.push((a + b, n + m));
        }
    }
    let level = |&(sum, n): &(f64, usize)| std::iter::repeat_n(sum / n as f64, n);
    parts.iter().flat_map(level).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn curve(points: &[(f64, f64)]) -> Vec<Point> {
        let point = |&(conditioned, measured): &(f64, f64)| Point {
            conditioned,
            measured,
            sd: 1.0,
        };
        points.iter().map(point).collect()
    }

    #[test]
    fn a_curve_is_gone_back_along() {
        let curve = curve(&[(20.0, 25.0), (40.0, 35.0), (50.0, 35.0), (80.0, 65.0)]);
        for (measured, expected) in [
            (10.0, 20.0),
            (25.0, 20.0),
            (30.0, 30.0),
            (35.0, 45.0),
            (50.0, 65.0),
            (65.0, 80.0),
            (90.0, 80.0),
        ] {
            let found = conditioning(&curve, measured);
            assert!((found - expected).abs() < 1e-12, "{measured}: {found}");
        }
    }

    #[test]
    fn what_falls_is_levelled() {
        assert_eq!(rising(&[1.0, 3.0, 2.0, 4.0]), [1.0, 2.5, 2.5, 4.0]);
        assert_eq!(rising(&[3.0, 2.0, 1.0]), [2.0; 3]);
        assert_eq!(rising(&[1.0, 2.0]), [1.0, 2.0]);
        assert!(rising(&[]).is_empty());
    }

    #[test]
    fn curves_that_cannot_be_gone_back_along_are_refused() {
        for points in [
            &[][..],
            &[(20.0, 20.0)],
            &[(20.0, 30.0), (40.0, 30.0)],
            &[(20.0, 30.0), (40.0, 20.0)],
            &[(40.0, 20.0), (20.0, 30.0)],
            &[(20.0, f64::NAN), (40.0, 30.0)],
            &[(-5.0, 1.0), (40.0, 30.0)],
        ] {
            assert!(Curve::new(vec![], curve(points)).is_err(), "{points:?}");
        }
    }

    proptest! {
        #[test]
        fn there_and_back(levels in prop::collection::vec(-20.0..120.0f64, 2..16), asked in 0.0..100.0f64) {
            let measured = rising(&levels);
            let step = 75.0 / levels.len() as f64;
            let points: Vec<_> = measured.iter().enumerate().map(|(i, &m)| (10.0 + step * i as f64, m)).collect();
            let curve = curve(&points);
            prop_assume!(Curve::new(vec![], curve.clone()).is_ok());
            let back = conditioning(&curve, asked);
            prop_assert!(SLIDER_RANGE.contains(&back));
            // Forth again, by the same straight lines.
            let i = curve.partition_point(|p| p.conditioned <= back).clamp(1, curve.len() - 1);
            let (a, b) = (curve[i - 1], curve[i]);
            let share = (back - a.conditioned) / (b.conditioned - a.conditioned);
            let forth = a.measured + share * (b.measured - a.measured);
            let within = asked.clamp(measured[0], measured[measured.len() - 1]);
            prop_assert!((forth - within).abs() < 1e-6, "{} {}", forth, within);
        }
    }
}
