//! An outline as EchoNet-Dynamic's tracings have it: the long axis and 20 lines across it.

use serde::{Deserialize, Serialize};

/// Lines across the long axis.
const DISKS: usize = 20;

/// A line in pixels of the 112 x 112 frame, the first pixel's centre at 0: `[x1, y1, x2, y2]`.
pub type Line = [f64; 4];

/// The outline in one frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tracing {
    /// From 0.
    pub frame: usize,
    /// The long axis from apex to base, then the lines across it from the apex on, each from the same side.
    pub lines: Vec<Line>,
}

impl Tracing {
    /// What stands for an outline where the cascade draws none: lines of no length. EchoNet-Dynamic's loader passes over a
    /// clip without tracings, whether they are learned from or not.
    pub fn placeholder(frame: usize) -> Self {
        Self {
            frame,
            lines: vec![[0.0; 4]; DISKS + 1],
        }
    }
}

/// The long axis of a closed outline along the unit vector `axis` (from apex to base) through its middle, and 20 lines
/// across it at the middle of each twentieth of its length. `None` where it encloses nothing.
pub fn lines(outline: &[[f64; 2]], axis: [f64; 2]) -> Option<Vec<Line>> {
    let n = outline.len() as f64;
    if outline.len() < 3 || outline.iter().flatten().any(|v| !v.is_finite()) {
        return None;
    }
    let middle = [0, 1].map(|i| outline.iter().map(|p| p[i]).sum::<f64>() / n);
    // Along the axis and aside from it.
    let places: Vec<[f64; 2]> = outline
        .iter()
        .map(|p| {
            let d = [p[0] - middle[0], p[1] - middle[1]];
            [
                d[0] * axis[0] + d[1] * axis[1],
                d[1] * axis[0] - d[0] * axis[1],
            ]
        })
        .collect();
    let back = |along: f64, aside: f64| {
        [
            middle[0] + along * axis[0] - aside * axis[1],
            middle[1] + along * axis[1] + aside * axis[0],
        ]
    };
    let line = |a: [f64; 2], b: [f64; 2]| [a[0], a[1], b[0], b[1]].map(rounded);
    let [low, high] = (places.iter()).fold([f64::INFINITY, f64::NEG_INFINITY], |[l, h], p| {
        [l.min(p[0]), h.max(p[0])]
    });
    if high - low <= f64::EPSILON {
        return None;
    }
    // The axis ends where it leaves the outline.
    let ends = crossings(places.iter().map(|p| [p[1], p[0]]), 0.0)?;
    let mut all = vec![line(back(ends[0], 0.0), back(ends[1], 0.0))];
    for k in 0..DISKS {
        let along = low + (k as f64 + 0.5) / DISKS as f64 * (high - low);
        let [left, right] = crossings(places.iter().copied(), along)?;
        all.push(line(back(along, left), back(along, right)));
    }
    Some(all)
}

/// A ten-thousandth of a pixel is enough to read.
fn rounded(v: f64) -> f64 {
    (v * 1e4).round() / 1e4
}

/// The least and the greatest second coordinate at which a closed polygon crosses a first one.
fn crossings(places: impl Iterator<Item = [f64; 2]> + Clone, at: f64) -> Option<[f64; 2]> {
    let next = places.clone().cycle().skip(1);
    let crossed = places.zip(next).filter_map(|(a, b)| {
        let crosses = (a[0] <= at) != (b[0] <= at);
        crosses.then(|| a[1] + (b[1] - a[1]) * (at - a[0]) / (b[0] - a[0]))
    });
    let ends = crossed.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], v| {
        [low.min(v), high.max(v)]
    });
    (ends[0] <= ends[1]).then_some(ends)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// An ellipse, half axes along and across an axis.
    fn ellipse(axis: [f64; 2], along: f64, across: f64) -> Vec<[f64; 2]> {
        let point = |k: usize| {
            let (s, c) = (k as f64 / 400.0 * std::f64::consts::TAU).sin_cos();
            let (u, v) = (along * c, across * s);
            [
                60.0 + u * axis[0] - v * axis[1],
                50.0 + u * axis[1] + v * axis[0],
            ]
        };
        (0..400).map(point).collect()
    }

    fn length(l: &Line) -> f64 {
        (l[2] - l[0]).hypot(l[3] - l[1])
    }

    proptest! {
        #[test]
        fn disks_hold_the_volume(angle in 0.5f64..2.6, along in 20.0f64..40.0, across in 8.0f64..18.0) {
            let axis = [angle.cos(), angle.sin()];
            let lines = lines(&ellipse(axis, along, across), axis).unwrap();
            prop_assert_eq!(lines.len(), 21);
            prop_assert!((length(&lines[0]) - 2.0 * along).abs() < 0.01);
            // From the apex, which lies before the base on the axis, and across it.
            prop_assert!((lines[0][2] - lines[0][0]) * axis[0] + (lines[0][3] - lines[0][1]) * axis[1] > 0.0);
            let height = 2.0 * along / 20.0;
            let disks = lines[1..].iter().map(|l| std::f64::consts::FRAC_PI_4 * length(l).powi(2) * height);
            let solid = 4.0 / 3.0 * std::f64::consts::PI * across * across * along;
            prop_assert!((disks.sum::<f64>() / solid - 1.0).abs() < 0.01);
            for l in &lines[1..] {
                let square = (l[2] - l[0]) * axis[0] + (l[3] - l[1]) * axis[1];
                prop_assert!(square.abs() < 1e-2, "{:?}", l);
            }
        }

        #[test]
        fn nothing_panics(
            points in prop::collection::vec(prop::array::uniform2(prop::num::f64::ANY), 0..8),
            axis in prop::array::uniform2(-1.0f64..1.0),
        ) {
            let _ = lines(&points, axis);
        }
    }

    #[test]
    fn what_encloses_nothing_has_no_lines() {
        assert_eq!(lines(&[], [0.0, 1.0]), None);
        assert_eq!(lines(&[[1.0, 1.0]; 5], [0.0, 1.0]), None);
        assert_eq!(
            lines(&[[f64::NAN, 0.0], [1.0, 2.0], [2.0, 0.0]], [0.0, 1.0]),
            None
        );
        assert_eq!(Tracing::placeholder(3).lines.len(), 21);
    }
}
