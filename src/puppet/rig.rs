//! A ventricle's outline as a rig: any share of its volume can be taken from it, exactly, and what
//! surrounds it follows by a smooth warp.

use super::landmarks::{OutlineError, crosses};
use super::spline::Spline;
use super::{Axis, Landmarks, Point, ThinPlate, add, dot, norm, scaled, sub};

/// Points of the outline, from the septal annulus over the apex to the lateral annulus.
pub const OUTLINE_POINTS: usize = 29;
/// How much of its volume a ventricle may lose, or have more than at rest.
const EJECTED: std::ops::RangeInclusive<f64> = -0.6..=0.92;
/// Wall thickness that the warp is built with, in pixels.
const WALL: std::ops::RangeInclusive<f64> = 4.0..=14.0;

/// What differs from heart to heart in how a ventricle of given outline contracts. The defaults are
/// the middles of the ranges that the motion cascade's training drew from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Traits {
    /// Shortening of the long axis: it loses 0.30 times this of its length at full ejection;
    /// 0.75 to 1.1.
    pub longitudinal: f64,
    /// Drift of the cavity across the axis, as a share of how far its walls come in; 0 is toward
    /// the axis from both sides alike. Drawn with a standard deviation of 0.12.
    pub shift: f64,
    /// Motion of the right ventricle's base, as a share of the annulus's; 0.6 to 1.1.
    pub right: f64,
    /// Motion of the atria, as a share of the annulus's; 0.35 to 0.6.
    pub atria: f64,
}

impl Default for Traits {
    fn default() -> Self {
        Self {
            longitudinal: 0.925,
            shift: 0.0,
            right: 0.85,
            atria: 0.475,
        }
    }
}

/// By how much the axis shortens and the radius shrinks once a share `ejected` of the volume is
/// gone: `lam_l = 1 - 0.30 m x`, `lam_r = sqrt((1 - x) / lam_l)`, so that each disk, and therefore
/// the whole, keeps `lam_l lam_r^2 = 1 - x` of its volume.
pub(crate) fn stretches(ejected: f64, traits: &Traits) -> Result<(f64, f64), OutlineError> {
    // Written so that NaN is refused.
    if !EJECTED.contains(&ejected) {
        return Err(OutlineError::Ejected(ejected));
    }
    let along = 1.0 - 0.30 * traits.longitudinal * ejected;
    Ok((along, ((1.0 - ejected) / along).sqrt()))
}

/// A control point about the cavity: height below the apex and distance from the axis.
#[derive(Clone, Copy, Debug)]
struct Place {
    height: f64,
    aside: f64,
}

/// A ventricle at rest (end-diastole), which can be emptied.
#[derive(Clone, Debug)]
pub struct Rig {
    traits: Traits,
    axis: Axis,
    endocardium: Vec<Place>,
    epicardium: Vec<Place>,
    /// The largest distance of the endocardium from the axis.
    radius: f64,
    /// All control points at rest: endocardium, epicardium, valve, atria, right ventricle, and a
    /// frame of points beyond the picture that stay.
    rest: Vec<Point>,
}

impl Rig {
    /// A rig of the outline at rest. The points may lie outside the picture.
    ///
    /// # Errors
    /// As for [`Landmarks::check`], and if the curve through the points crosses itself.
    pub fn new(landmarks: &Landmarks, traits: Traits) -> Result<Self, OutlineError> {
        landmarks.check_shape()?;
        let (endocardium, normals) = curve(&landmarks.points()).ok_or(OutlineError::NotFinite)?;
        if crosses(&endocardium) {
            return Err(OutlineError::Crosses);
        }
        let axis = landmarks.axis();
        let thickness = |k: usize| {
            let u = k as f64 / (OUTLINE_POINTS - 1) as f64;
            landmarks.septal_thickness * (1.0 - u) + landmarks.lateral_thickness * u
        };
        // Outward as seen from the middle of the axis, at a quarter of the way around.
        let quarter = OUTLINE_POINTS / 4;
        let middle = axis.at(axis.length / 2.0, 0.0);
        let outward = dot(normals[quarter], sub(endocardium[quarter], middle));
        let sign = if outward < 0.0 { -1.0 } else { 1.0 };
        let epicardium: Vec<Point> = (0..OUTLINE_POINTS)
            .map(|k| {
                let thick = thickness(k).clamp(*WALL.start(), *WALL.end());
                add(endocardium[k], scaled(normals[k], sign * thick))
            })
            .collect();
        let place = |p: &Point| {
            let (height, aside) = axis.of(*p);
            Place { height, aside }
        };
        let inner: Vec<Place> = endocardium.iter().map(place).collect();
        let radius = inner.iter().fold(0f64, |m, p| m.max(p.aside.abs()));

        let (septal, lateral) = (landmarks.septal_annulus, landmarks.lateral_annulus);
        let width = norm(sub(lateral, septal));
        let toward = |share: f64| add(septal, scaled(sub(lateral, septal), share));
        let (_, septal_aside) = axis.of(septal);
        let right = if septal_aside < 0.0 { -1.0 } else { 1.0 };
        let mut rest = endocardium;
        rest.extend(&epicardium);
        rest.extend([toward(0.33), toward(0.67)]);
        rest.extend([-width, 0.0, width].map(|aside| axis.at(1.30 * axis.length, aside)));
        rest.push(add(septal, scaled(axis.across, 0.75 * right * width)));
        let beside = radius + thickness(5) + 0.55 * width;
        rest.push(axis.at(0.55 * axis.length, right * beside));
        rest.extend(far());
        Ok(Self {
            traits,
            axis,
            epicardium: epicardium.iter().map(place).collect(),
            endocardium: inner,
            radius,
            rest,
        })
    }

    /// All control points at rest.
    pub fn rest(&self) -> &[Point] {
        &self.rest
    }

    /// The control points once a share `ejected` of the volume at rest is gone (EF times
    /// contraction; negative: more than at rest), in the order of [`rest`](Self::rest).
    ///
    /// # Errors
    /// [`OutlineError::Ejected`] outside -0.6 to 0.92.
    pub fn at(&self, ejected: f64) -> Result<Vec<Point>, OutlineError> {
        let (axis, traits) = (&self.axis, &self.traits);
        let (along, radial) = stretches(ejected, traits)?;
        let drift = |p: &Place| {
            let share = (p.height / axis.length).clamp(0.0, 1.0);
            traits.shift * (1.0 - radial) * self.radius * share
        };
        let mut moved: Vec<Point> = self
            .endocardium
            .iter()
            .map(|p| axis.at(along * p.height, radial * p.aside + drift(p)))
            .collect();
        moved.extend(
            self.epicardium
                .iter()
                .zip(&self.endocardium)
                .map(|(p, inner)| {
                    if p.height < 0.0 {
                        // Beyond the apex the chest holds the wall.
                        return axis.at(p.height, p.aside);
                    }
                    // The wall keeps its volume: that of a ring, whose height goes by `along`.
                    let ring = (p.aside.powi(2) - inner.aside.powi(2)).max(0.0) / along;
                    let outer = ((radial * inner.aside).powi(2) + ring).sqrt();
                    let side = if p.aside == 0.0 {
                        0.0
                    } else {
                        p.aside.signum()
                    };
                    axis.at(along * p.height, side * outer + drift(p))
                }),
        );
        // The annulus goes to the apex, and takes along what lies about it.
        let pull = scaled(axis.along, -(1.0 - along) * axis.length);
        let inward = [(1.0 - radial) * 2.5, 0.0];
        let shares = [
            pull,
            pull,
            scaled(pull, traits.atria),
            scaled(pull, traits.atria),
            scaled(pull, traits.atria),
            scaled(pull, traits.right),
            add(scaled(pull, 0.5 * traits.right), inward),
        ];
        let passive = &self.rest[2 * OUTLINE_POINTS..];
        let pulls = shares.into_iter().chain(std::iter::repeat([0.0; 2]));
        moved.extend(passive.iter().zip(pulls).map(|(p, pull)| add(*p, pull)));
        Ok(moved)
    }

    /// The endocardium once a share `ejected` of the volume is gone: 29 points from the septal
    /// annulus over the apex to the lateral annulus.
    ///
    /// # Errors
    /// As for [`at`](Self::at).
    pub fn outline(&self, ejected: f64) -> Result<Vec<Point>, OutlineError> {
        let mut points = self.at(ejected)?;
        points.truncate(OUTLINE_POINTS);
        Ok(points)
    }

    /// The warp from the ventricle so emptied to rest.
    ///
    /// # Errors
    /// As for [`at`](Self::at), and [`OutlineError::NoWarp`].
    pub fn to_rest(&self, ejected: f64) -> Result<ThinPlate, OutlineError> {
        ThinPlate::new(self.at(ejected)?, &self.rest).ok_or(OutlineError::NoWarp)
    }

    /// The warp from rest to the ventricle so emptied.
    ///
    /// # Errors
    /// As for [`to_rest`](Self::to_rest).
    pub fn from_rest(&self, ejected: f64) -> Result<ThinPlate, OutlineError> {
        ThinPlate::new(self.rest.clone(), &self.at(ejected)?).ok_or(OutlineError::NoWarp)
    }
}

/// 29 points at equal steps along the curve through nine, and its normals of length 1.
fn curve(points: &[Point; 9]) -> Option<(Vec<Point>, Vec<Point>)> {
    let spline = Spline::new(points)?;
    let last = (OUTLINE_POINTS - 1) as f64;
    let sampled = (0..OUTLINE_POINTS).map(|k| {
        let (place, tangent) = spline.at(spline.length() * k as f64 / last);
        // A cusp has no direction; none of length 0 either.
        let length = norm(tangent).max(1e-9);
        (place, [tangent[1] / length, -tangent[0] / length])
    });
    Some(sampled.unzip())
}

/// Points about the picture that stay where they are.
fn far() -> impl Iterator<Item = Point> {
    let above_and_below = [-12.0, 20.0, 56.0, 92.0, 124.0]
        .into_iter()
        .flat_map(|x| [[x, -10.0], [x, 124.0]]);
    let beside = [-14.0, 126.0]
        .into_iter()
        .flat_map(|x| [20.0, 56.0, 92.0].map(|y| [x, y]));
    above_and_below.chain(beside)
}

#[cfg(test)]
mod tests {
    use super::super::disks::volume;
    use super::super::landmarks::tests::{DRAWN, drawn};
    use super::*;
    use proptest::prelude::*;

    fn near(found: Point, wanted: Point) {
        assert!(
            norm(sub(found, wanted)) < 1e-6,
            "{found:?} is not {wanted:?}"
        );
    }

    /// Values of the reference implementation in training, EF 0.6, contraction 0.8.
    #[test]
    fn control_points_and_warps_are_the_references() {
        let rig = Rig::new(&drawn(0), Traits::default()).unwrap();
        let (rest, moved) = (rig.rest(), rig.at(0.48).unwrap());
        let cases = [
            (0, [53.0, 69.0], [54.7877260321498, 61.39320446945397]),
            (
                7,
                [42.7548153602576, 36.77569433370569],
                [46.45182300617615, 33.38951539425808],
            ),
            (
                14,
                [61.55707996564636, 13.461133105942588],
                [60.766178394225996, 13.441433665704228],
            ),
            (28, [78.0, 71.0], [74.2142739678502, 63.421995530546035]),
            (
                36,
                [35.80451843163177, 37.608384314391365],
                [37.184043254419365, 34.5380361187301],
            ),
            (
                50,
                [89.91777060230348, 37.20329122989524],
                [86.93607294329864, 33.81234055054398],
            ),
            (
                57,
                [81.77213955644919, 76.89669086578833],
                [78.97919674535771, 68.33650609275116],
            ),
            (58, [61.25, 69.66], [60.251, 62.0676]),
            (
                60,
                [42.88445276946031, 90.37178253033416],
                [42.40992776946031, 86.76539253033415],
            ),
            (61, [67.75, 87.1], [67.275475, 83.49361]),
            (
                63,
                [34.35083957709523, 71.45383689775063],
                [33.50168957709523, 65.00029689775063],
            ),
            (
                64,
                [18.258482150426687, 50.12191024336491],
                [18.397564421035316, 46.89514024336491],
            ),
        ];
        for (k, at_rest, emptied) in cases {
            near(rest[k], at_rest);
            near(moved[k], emptied);
        }
        let (there, back) = (rig.from_rest(0.48).unwrap(), rig.to_rest(0.48).unwrap());
        let cases = [
            (
                [40.0, 30.0],
                [37.73744399846396, 32.55033221271782],
                [42.82214835934489, 27.677305272584114],
            ),
            (
                [60.0, 60.0],
                [60.30871667349043, 67.4279043842391],
                [60.62479319258463, 53.263450459398186],
            ),
            (
                [75.5, 90.0],
                [75.78121433371443, 92.45803702661595],
                [74.93146674548156, 86.38966537435991],
            ),
            (
                [10.0, 100.0],
                [10.195467467540544, 101.22064662035447],
                [9.768907557686518, 98.58229742880192],
            ),
        ];
        for (point, to_rest, from_rest) in cases {
            near(back.at(point), to_rest);
            near(there.at(point), from_rest);
        }
        let drifting = Rig::new(
            &drawn(0),
            Traits {
                shift: 0.2,
                ..Traits::default()
            },
        )
        .unwrap();
        let moved = drifting.at(0.48).unwrap();
        near(moved[7], [46.84542508008303, 33.337725647691386]);
        near(moved[40], [43.881299313144495, 13.119751286778591]);
    }

    #[test]
    fn the_share_that_is_asked_for_is_gone() {
        for k in 0..DRAWN.len() {
            let rig = Rig::new(&drawn(k), Traits::default()).unwrap();
            let full = volume(&rig.outline(0.0).unwrap(), &rig.axis);
            for ejected in [-0.4, -0.1, 0.2, 0.4, 0.65, 0.8] {
                let left = volume(&rig.outline(ejected).unwrap(), &rig.axis) / full;
                assert!(
                    (1.0 - left - ejected).abs() < 0.001,
                    "{k}: {ejected} {left}"
                );
            }
        }
    }

    #[test]
    fn no_ventricle_empties_wholly() {
        let rig = Rig::new(&drawn(0), Traits::default()).unwrap();
        assert_eq!(rig.at(1.0), Err(OutlineError::Ejected(1.0)));
        assert!(rig.to_rest(f64::NAN).is_err() && rig.from_rest(-1.0).is_err());
    }

    proptest! {
        #[test]
        fn nine_points_make_a_finite_rig_or_a_sentence(
            points in prop::array::uniform9([-20f64..130.0, -20f64..130.0]),
            ejected in -1f64..1.2,
        ) {
            match Rig::new(&Landmarks::from_points(points), Traits::default()) {
                Ok(rig) => if let Ok(warp) = rig.to_rest(ejected) {
                    prop_assert!(warp.at([50.0, 50.0]).iter().all(|v| v.is_finite()));
                },
                Err(error) => prop_assert!(error.to_string().ends_with('.')),
            }
        }
    }
}
