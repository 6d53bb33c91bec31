//! A beat of an exact ejection fraction from a corrected outline.

use super::rig::stretches;
use super::{CELL, FRAMES, GRID, Guess, Landmarks, OutlineError, Point, Rig, SIDE, Traits};
use super::{centres, sub};
use rayon::prelude::*;

/// The beat's share of systole where the network's volumes say nothing.
const SYSTOLE: f64 = 0.375;
/// Shortest and longest systole that a network is believed, in frames of 16.
const END_SYSTOLE: std::ops::RangeInclusive<usize> = 3..=10;

/// A beat, in the form that a motion cascade answers in, with its outlines.
#[derive(Clone, Debug, PartialEq)]
pub struct Beat {
    /// `[16, 28, 28, 2]`: displacement (x, y) from a pixel of the target frame to its place in the
    /// anatomy, in pixels of the 112 x 112 frame.
    pub motion: Vec<f32>,
    /// `[16, 28, 28]`: from -1 outside the cavity to 1 inside, by the share of a cell's 4 x 4 pixels.
    pub cavity: Vec<f32>,
    /// Of each frame 29 points, from the septal annulus over the apex to the lateral annulus.
    pub outlines: Vec<Vec<Point>>,
}

/// Contraction at a phase of the beat, 0 at end-diastole and 1 at end-systole, for a share `systole`
/// of the beat: out by half a cosine, back by early filling (.72 of the way, done at .38 of
/// diastole) and atrial contraction (the last .28 of diastole).
pub fn contraction(phase: f64, systole: f64) -> f64 {
    let phase = phase.rem_euclid(1.0);
    let rise = |u: f64| 0.5 - 0.5 * (std::f64::consts::PI * u.clamp(0.0, 1.0)).cos();
    if phase < systole {
        return rise(phase / systole);
    }
    let diastole = (phase - systole) / (1.0 - systole);
    1.0 - 0.72 * rise(diastole / 0.38) - 0.28 * rise((diastole - 0.72) / 0.28)
}

/// The share of systole with which the least of these volumes is met by full contraction, to the
/// frame: so the ejection fraction that is asked for is seen in a frame.
pub fn systole(volumes: &[f64; FRAMES]) -> f64 {
    let least = (0..FRAMES).min_by(|a, b| volumes[*a].total_cmp(&volumes[*b]));
    let falls = volumes.iter().all(|v| v.is_finite()) && volumes.iter().any(|v| *v < 0.97);
    match least {
        Some(frame) if falls => {
            let frame = frame.clamp(*END_SYSTOLE.start(), *END_SYSTOLE.end());
            frame as f64 / FRAMES as f64
        }
        _ => SYSTOLE,
    }
}

/// A beat of ejection fraction `ef` (a share, 0 to 0.9) of the ventricle whose outline in the
/// anatomy a person has corrected. Of what the network said it keeps how far the anatomy itself was
/// contracted and when systole ends. Frame t holds `1 - ef c(t)` of the volume at end-diastole, by
/// disks, exactly.
///
/// The drift of [`Traits`] is 0, since only then the corrected outline is relaxed in closed form.
///
/// # Errors
/// [`OutlineError`] for points that are no outline, and for an impossible `ef`.
pub fn refit(corrected: &Landmarks, said: &Guess, ef: f64) -> Result<Beat, OutlineError> {
    if !(0.0..=0.9).contains(&ef) {
        return Err(OutlineError::Ejected(ef));
    }
    corrected.check()?;
    let traits = Traits::default();
    let rig = Rig::new(&relaxed(corrected, said.ejected, &traits)?, traits)?;
    let anatomy = rig.from_rest(said.ejected)?;
    let systole = systole(&said.volumes);
    let frames: Vec<(Vec<f32>, Vec<f32>, Vec<Point>)> = (0..FRAMES)
        .into_par_iter()
        .map(|t| {
            let ejected = ef * contraction(t as f64 / FRAMES as f64, systole);
            let (outline, rest) = (rig.outline(ejected)?, rig.to_rest(ejected)?);
            let motion = centres()
                .flat_map(|p| sub(anatomy.at(rest.at(p)), p).map(|v| v as f32))
                .collect();
            Ok((motion, cavity(&outline), outline))
        })
        .collect::<Result<_, OutlineError>>()?;
    let mut beat = Beat {
        motion: Vec::new(),
        cavity: Vec::new(),
        outlines: Vec::new(),
    };
    for (motion, cavity, outline) in frames {
        beat.motion.extend(motion);
        beat.cavity.extend(cavity);
        beat.outlines.push(outline);
    }
    Ok(beat)
}

/// The outline at rest of one whose share `ejected` is gone.
fn relaxed(
    landmarks: &Landmarks,
    ejected: f64,
    traits: &Traits,
) -> Result<Landmarks, OutlineError> {
    let axis = landmarks.axis();
    let (along, radial) = stretches(ejected, traits)?;
    let points = landmarks.points().map(|p| {
        let (height, aside) = axis.of(p);
        axis.at(height / along, aside / radial)
    });
    // The ring between both radii keeps its volume.
    let thickness = |wall: &[Point; 3], thick: f64| {
        let radius = wall.iter().map(|p| axis.of(*p).1.abs()).sum::<f64>() / 3.0;
        let ring = (radius + thick).powi(2) - radius.powi(2);
        let rest = radius / radial;
        ((rest * rest + along * ring).sqrt() - rest).clamp(1.0, 40.0)
    };
    Ok(Landmarks {
        septal_thickness: thickness(&landmarks.septal, landmarks.septal_thickness),
        lateral_thickness: thickness(&landmarks.lateral, landmarks.lateral_thickness),
        ..Landmarks::from_points(points)
    })
}

/// Of each cell of 28 x 28 how much lies within a closed polygon, from -1 to 1, by its 16 pixels.
pub(crate) fn cavity(outline: &[Point]) -> Vec<f32> {
    let mut counts = vec![0u8; GRID * GRID];
    for row in 0..SIDE {
        let y = row as f64;
        let next = outline.iter().cycle().skip(1);
        let mut edges: Vec<f64> = outline
            .iter()
            .zip(next)
            .filter(|(a, b)| (a[1] <= y) != (b[1] <= y))
            .map(|(a, b)| a[0] + (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]))
            .collect();
        edges.sort_by(f64::total_cmp);
        for span in edges.chunks_exact(2) {
            let start = span[0].ceil().clamp(0.0, SIDE as f64) as usize;
            let end = span[1].ceil().clamp(0.0, SIDE as f64) as usize;
            for x in start..end {
                counts[row / CELL * GRID + x / CELL] += 1;
            }
        }
    }
    let pixels = (CELL * CELL) as f32;
    counts
        .iter()
        .map(|n| f32::from(*n) / pixels * 2.0 - 1.0)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::disks::volume;
    use super::super::landmarks::tests::{DRAWN, drawn};
    use super::super::{Axis, add, centre, norm, scaled};
    use super::*;

    fn said(ejected: f64) -> Guess {
        let volumes = std::array::from_fn(|t| 1.0 - 0.6 * contraction(t as f64 / 16.0, 0.4375));
        Guess {
            landmarks: drawn(0),
            ejected,
            volumes,
        }
    }

    /// EF in percent by disks on outlines, each about the axis from the apex, which does not move.
    fn measured(outlines: &[Vec<Point>], apex: Point) -> f64 {
        let volumes = outlines.iter().map(|o| {
            let annulus = scaled(add(o[0], o[o.len() - 1]), 0.5);
            volume(o, &Axis::new(apex, annulus))
        });
        let volumes: Vec<f64> = volumes.collect();
        let least = volumes.iter().fold(f64::INFINITY, |m, v| m.min(*v));
        100.0 * (1.0 - least / volumes[0])
    }

    #[test]
    fn the_contraction_is_the_references() {
        let reference = [
            0.0,
            0.06698729810778065,
            0.25,
            0.5,
            0.75,
            0.9330127018922194,
            1.0,
            0.8838213657852668,
            0.6102714356299603,
            0.35590941661729836,
            0.28,
            0.28,
            0.28,
            0.28,
            0.22728857226022264,
            0.07925627652354181,
        ];
        for (t, wanted) in reference.into_iter().enumerate() {
            assert!((contraction(t as f64 / 16.0, 0.375) - wanted).abs() < 1e-12);
        }
    }

    #[test]
    fn systole_ends_where_the_network_says() {
        assert_eq!(systole(&said(0.0).volumes), 7.0 / 16.0);
        assert_eq!(systole(&[1.0; FRAMES]), SYSTOLE);
        assert_eq!(systole(&[f64::NAN; FRAMES]), SYSTOLE);
        let mut late = [1.0; FRAMES];
        late[14] = 0.4;
        assert_eq!(systole(&late), 10.0 / 16.0);
    }

    #[test]
    fn disks_give_what_was_asked_for() {
        for k in 0..DRAWN.len() {
            for anatomy in [0.0, 0.35, 0.6] {
                for ef in [20.0, 40.0, 60.0, 80.0] {
                    let beat = refit(&drawn(k), &said(anatomy), ef / 100.0).unwrap();
                    let found = measured(&beat.outlines, drawn(k).apex);
                    assert!((found - ef).abs() < 0.5, "{k}, {anatomy}: {ef} {found}");
                }
            }
        }
    }

    #[test]
    fn the_frame_in_the_anatomys_own_state_does_not_move() {
        // EF 0.6 at full contraction, and an anatomy of which 0.6 is gone.
        let beat = refit(&drawn(0), &said(0.6), 0.6).unwrap();
        let frame = |t: usize| &beat.motion[t * 784 * 2..][..784 * 2];
        let largest = |t: usize| frame(t).iter().fold(0f32, |m, v| m.max(v.abs()));
        // Both warps are smoothed, so one does not quite undo the other.
        assert!(largest(7) < 3.0, "{}", largest(7));
        assert!(largest(0) > 3.0 * largest(7), "{}", largest(0));
        let mean = frame(7).iter().map(|v| v.abs()).sum::<f32>() / 1568.0;
        assert!(mean < 0.3, "{mean}");
        // And there its outline is the corrected one.
        for point in drawn(0).points() {
            let near = beat.outlines[7].iter().map(|p| norm(sub(*p, point)));
            assert!(near.fold(f64::INFINITY, f64::min) < 4.0);
        }
    }

    #[test]
    fn the_motion_leads_from_outline_to_outline() {
        let beat = refit(&drawn(1), &said(0.0), 0.65).unwrap();
        let field = &beat.motion[7 * 784 * 2..][..784 * 2];
        for (from, to) in beat.outlines[7].iter().zip(&beat.outlines[0]) {
            let step = [0, 1].map(|k| super::super::mask::sampled(field, 2, k, *from));
            assert!(norm(sub(add(*from, step), *to)) < 1.5, "{from:?} {to:?}");
        }
    }

    #[test]
    fn shares_of_a_polygon() {
        let square = [[10.0, 20.0], [50.5, 20.0], [50.5, 60.0], [10.0, 60.0]];
        let shares = cavity(&square);
        let at = |x: f64, y: f64| {
            let cell = |v: f64| (0..GRID).find(|k| (centre(*k) - v).abs() <= 2.0).unwrap();
            shares[cell(y) * GRID + cell(x)]
        };
        assert_eq!(
            (at(30.0, 40.0), at(5.0, 40.0), at(10.0, 40.0)),
            (1.0, -1.0, 0.0)
        );
        assert_eq!(at(50.0, 40.0), 0.5);
        let area: f32 = shares.iter().map(|s| (s + 1.0) / 2.0 * 16.0).sum();
        assert_eq!(area, 41.0 * 40.0);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        assert!(refit(&drawn(0), &said(0.0), 0.95).is_err());
        assert!(refit(&drawn(0), &said(0.95), 0.5).is_err());
        assert!(refit(&drawn(0), &said(f64::NAN), 0.5).is_err());
        let outside = Landmarks {
            apex: [58.0, -3.0],
            ..drawn(0)
        };
        assert_eq!(
            refit(&outside, &said(0.0), 0.5),
            Err(OutlineError::Outside("apex"))
        );
    }
}
