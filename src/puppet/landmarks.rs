//! The nine points that a person sets or corrects.

use super::{Axis, Point, SIDE, add, norm, scaled, sub};
use serde::{Deserialize, Serialize};

/// A wall that nobody measured, in pixels of the 112 x 112 frame.
const THICKNESS: f64 = 8.0;
/// The shortest axis that an outline may have, in pixels.
const SHORTEST_AXIS: f64 = 10.0;

/// Why nine points are no outline of a ventricle.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum OutlineError {
    /// A coordinate or a thickness is NaN or infinite.
    #[error("The outline holds a value that is not a number. Set its points again.")]
    NotFinite,
    /// A point lies outside 0..111.
    #[error("The {0} lies outside the picture. Move it to a place from 0 to 111.")]
    Outside(&'static str),
    /// A thickness is not from 1 to 40 pixels.
    #[error("The {0} wall is {1:.1} pixels thick. It must be from 1 to 40.")]
    Thickness(&'static str, f64),
    /// Two neighbours lie in one place.
    #[error("The {0} and the {1} coincide. Move them apart.")]
    Coincide(&'static str, &'static str),
    /// The apex lies on the annulus.
    #[error("The apex lies within 10 pixels of the middle of the annulus. Move them apart.")]
    ShortAxis,
    /// The outline runs through itself.
    #[error("The outline crosses itself. Set its points in order along the wall.")]
    Crosses,
    /// The volumes that go with the outline are impossible.
    #[error("A ventricle cannot lose {:.0} % of its volume. Ask for another ejection fraction.", 100.0 * .0)]
    Ejected(f64),
    /// No smooth warp goes through the outline.
    #[error("No smooth motion fits this outline. Set its points nearer to the wall.")]
    NoWarp,
}

/// The left ventricle's endocardium as nine points, with the thickness of its walls; all in pixels
/// of the 112 x 112 frame.
///
/// As JSON: `{"apex": [x, y], "septal_annulus": [x, y], "lateral_annulus": [x, y],
/// "septal": [[x, y], [x, y], [x, y]], "lateral": [[x, y], [x, y], [x, y]],
/// "septal_thickness": 8, "lateral_thickness": 8}`. A wall's three points go from the apex to the
/// annulus. The thicknesses may be left out. Other keys are ignored. What is read has been
/// [checked](Self::check).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Landmarks {
    pub apex: Point,
    /// Where the septal leaflet of the mitral valve is hinged; on the left of the picture as usual.
    pub septal_annulus: Point,
    pub lateral_annulus: Point,
    /// From the apex to the annulus.
    pub septal: [Point; 3],
    /// From the apex to the annulus.
    pub lateral: [Point; 3],
    pub septal_thickness: f64,
    pub lateral_thickness: f64,
}

#[derive(Deserialize)]
struct Unchecked {
    apex: Point,
    septal_annulus: Point,
    lateral_annulus: Point,
    septal: [Point; 3],
    lateral: [Point; 3],
    #[serde(default = "thickness")]
    septal_thickness: f64,
    #[serde(default = "thickness")]
    lateral_thickness: f64,
}

fn thickness() -> f64 {
    THICKNESS
}

impl TryFrom<Unchecked> for Landmarks {
    type Error = OutlineError;

    fn try_from(read: Unchecked) -> Result<Self, OutlineError> {
        let landmarks = Self {
            apex: read.apex,
            septal_annulus: read.septal_annulus,
            lateral_annulus: read.lateral_annulus,
            septal: read.septal,
            lateral: read.lateral,
            septal_thickness: read.septal_thickness,
            lateral_thickness: read.lateral_thickness,
        };
        landmarks.check()?;
        Ok(landmarks)
    }
}

impl Landmarks {
    /// The points' names, in the order of [`points`](Self::points).
    pub const NAMES: [&'static str; 9] = [
        "septal annulus",
        "lower septal point",
        "middle septal point",
        "upper septal point",
        "apex",
        "upper lateral point",
        "middle lateral point",
        "lower lateral point",
        "lateral annulus",
    ];

    /// Along the wall, from the septal annulus over the apex to the lateral annulus.
    pub fn points(&self) -> [Point; 9] {
        let ([s0, s1, s2], [l0, l1, l2]) = (self.septal, self.lateral);
        let (septal, lateral) = (self.septal_annulus, self.lateral_annulus);
        [septal, s2, s1, s0, self.apex, l0, l1, l2, lateral]
    }

    /// The reverse of [`points`](Self::points); walls of 8 pixels.
    pub fn from_points(points: [Point; 9]) -> Self {
        let [
            septal_annulus,
            s2,
            s1,
            s0,
            apex,
            l0,
            l1,
            l2,
            lateral_annulus,
        ] = points;
        Self {
            apex,
            septal_annulus,
            lateral_annulus,
            septal: [s0, s1, s2],
            lateral: [l0, l1, l2],
            septal_thickness: THICKNESS,
            lateral_thickness: THICKNESS,
        }
    }

    /// Whether these points can be an outline in the picture: finite, inside it, apart, in order,
    /// with an axis and walls. Whether the curve through them crosses itself, `Rig::new` finds.
    pub fn check(&self) -> Result<(), OutlineError> {
        self.check_shape()?;
        let inside = 0.0..=(SIDE - 1) as f64;
        for (point, name) in self.points().iter().zip(Self::NAMES) {
            if !point.iter().all(|v| inside.contains(v)) {
                return Err(OutlineError::Outside(name));
            }
        }
        Ok(())
    }

    /// As `check`, for points that may lie outside the picture.
    pub(crate) fn check_shape(&self) -> Result<(), OutlineError> {
        let points = self.points();
        let walls = [
            ("septal", self.septal_thickness),
            ("lateral", self.lateral_thickness),
        ];
        let finite = points
            .iter()
            .flatten()
            .all(|v| v.is_finite() && v.abs() < 1e4);
        if !finite || !walls.iter().all(|(_, t)| t.is_finite()) {
            return Err(OutlineError::NotFinite);
        }
        for (name, thickness) in walls {
            if !(1.0..=40.0).contains(&thickness) {
                return Err(OutlineError::Thickness(name, thickness));
            }
        }
        for (pair, names) in points.windows(2).zip(Self::NAMES.windows(2)) {
            if norm(sub(pair[1], pair[0])) < 0.5 {
                return Err(OutlineError::Coincide(names[0], names[1]));
            }
        }
        if norm(sub(self.lateral_annulus, self.septal_annulus)) < 2.0 {
            return Err(OutlineError::Coincide("septal annulus", "lateral annulus"));
        }
        if norm(sub(self.annulus_middle(), self.apex)) < SHORTEST_AXIS {
            return Err(OutlineError::ShortAxis);
        }
        if crosses(&points) {
            return Err(OutlineError::Crosses);
        }
        Ok(())
    }

    pub(crate) fn annulus_middle(&self) -> Point {
        scaled(add(self.septal_annulus, self.lateral_annulus), 0.5)
    }

    pub(crate) fn axis(&self) -> Axis {
        Axis::new(self.apex, self.annulus_middle())
    }
}

/// Whether a closed polygon crosses itself.
pub(crate) fn crosses(polygon: &[Point]) -> bool {
    let n = polygon.len();
    let side = |a: Point, b: Point, p: Point| {
        let (ab, ap) = (sub(b, a), sub(p, a));
        ab[0] * ap[1] - ab[1] * ap[0]
    };
    let edge = |i: usize| (polygon[i], polygon[(i + 1) % n]);
    (0..n).any(|i| {
        // Neighbours share a point; they are left out.
        (i + 2..n).filter(|j| (j + 1) % n != i).any(|j| {
            let ((a, b), (c, d)) = (edge(i), edge(j));
            side(a, b, c) * side(a, b, d) < 0.0 && side(c, d, a) * side(c, d, b) < 0.0
        })
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Outlines that a person drew: long, wide, small, tilted.
    pub const DRAWN: [&str; 3] = [
        r#"{"apex": [58, 13], "septal_annulus": [53, 69], "lateral_annulus": [78, 71],
            "septal": [[43.5, 27], [43.5, 41], [48, 55]],
            "lateral": [[75.5, 26], [83.5, 40], [87, 55]],
            "septal_thickness": 7, "lateral_thickness": 7, "file": "a", "quality": 2}"#,
        r#"{"apex": [58.7, 24.4], "septal_annulus": [53.5, 98.5], "lateral_annulus": [89.1, 94.6],
            "septal": [[35.3, 41.3], [35.3, 59.5], [41.8, 79.0]],
            "lateral": [[82.1, 41.3], [91.2, 58.2], [93.7, 76.4]],
            "septal_thickness": 7.0, "lateral_thickness": 8.0}"#,
        r#"{"apex": [60.1, 22.0], "septal_annulus": [64.8, 67.5], "lateral_annulus": [86.1, 68.3],
            "septal": [[50.0, 33.7], [52.1, 45.4], [55.7, 56.6]],
            "lateral": [[80.9, 33.7], [86.9, 45.4], [86.1, 57.1]],
            "septal_thickness": 7.0, "lateral_thickness": 9.0}"#,
    ];

    pub fn drawn(k: usize) -> Landmarks {
        serde_json::from_str(DRAWN[k]).unwrap()
    }

    fn message(change: impl Fn(&mut Landmarks)) -> String {
        let mut landmarks = drawn(0);
        change(&mut landmarks);
        landmarks.check().unwrap_err().to_string()
    }

    #[test]
    fn json_goes_there_and_back() {
        let first = drawn(0);
        let text = serde_json::to_string(&first).unwrap();
        assert_eq!(first, serde_json::from_str(&text).unwrap());
        assert_eq!(first.points()[1], [48.0, 55.0]);
        assert_eq!(
            Landmarks {
                septal_thickness: 7.0,
                lateral_thickness: 7.0,
                ..Landmarks::from_points(first.points())
            },
            first
        );
    }

    #[test]
    fn a_missing_thickness_is_eight_pixels() {
        let text = DRAWN[0].replace("\"septal_thickness\": 7,", "");
        let read: Landmarks = serde_json::from_str(&text).unwrap();
        assert_eq!((read.septal_thickness, read.lateral_thickness), (8.0, 7.0));
    }

    #[test]
    fn each_fault_has_its_sentence() {
        assert!(message(|l| l.septal[1][0] = f64::NAN).contains("not a number"));
        assert!(message(|l| l.lateral[0][0] = 111.5).contains("upper lateral point lies outside"));
        assert!(message(|l| l.lateral_thickness = 0.0).contains("lateral wall is 0.0 pixels"));
        assert!(message(|l| l.septal[1] = l.septal[2]).contains("coincide"));
        assert!(message(|l| l.apex = [65.0, 68.0]).contains("within 10 pixels"));
        assert!(message(|l| l.septal.reverse()).contains("crosses itself"));
    }

    fn number() -> impl Strategy<Value = String> {
        prop_oneof![
            (-50f64..200.0).prop_map(|v| v.to_string()),
            Just("null".into()),
            Just("1e400".into()),
            Just("\"7\"".into()),
        ]
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,200}") {
            let _ = serde_json::from_str::<Landmarks>(&text);
        }

        #[test]
        fn what_is_read_is_sound(values in prop::collection::vec(number(), 20)) {
            let pair = |k: usize| format!("[{}, {}]", values[2 * k], values[2 * k + 1]);
            let wall = |k: usize| format!("[{}, {}, {}]", pair(k), pair(k + 1), pair(k + 2));
            let text = format!(
                r#"{{"apex": {}, "septal_annulus": {}, "lateral_annulus": {}, "septal": {},
                    "lateral": {}, "septal_thickness": {}, "lateral_thickness": {}}}"#,
                pair(0), pair(1), pair(2), wall(3), wall(6), values[18], values[19],
            );
            if let Ok(landmarks) = serde_json::from_str::<Landmarks>(&text) {
                prop_assert!(landmarks.points().iter().flatten().all(|v| (0.0..=111.0).contains(v)));
                prop_assert!(!crosses(&landmarks.points()));
            }
        }
    }
}
