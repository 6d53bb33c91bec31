//! What the pixels did: the cavity's outline at end-diastole, followed through the frames by
//! optical flow, and the ejection fraction of what it encloses. Nothing here is learned.

use super::flow::{Flow, blur_flow, blur_levels, dense_flow};
use super::polygon::{fill, longest_border};
use crate::outline::{Beat, FRAME, Mask, ejection_fraction};
use rayon::prelude::*;

/// Outlines are drawn this much finer than a pixel.
const FINE: usize = 4;
/// Standard deviations, in pixels, by which frames are blurred before the flow is sought, and the
/// flow before it is followed.
const BLUR_FRAME: f64 = 1.0;
const BLUR_FLOW: f64 = 2.0;

/// From the fine raster to pixels of the frame.
fn coarse(fine: i32) -> f64 {
    (f64::from(fine) + 0.5) / FINE as f64 - 0.5
}

/// From pixels of the frame to the fine raster. The cast holds at the ends of `i32`; a polygon that
/// far out would be slow to draw, so it is held near the frame.
fn fine(coarse: f64) -> i32 {
    let far = 2.0 * FRAME as f64;
    ((coarse.clamp(-far, far) + 0.5) * FINE as f64 - 0.5).round_ties_even() as i32
}

/// The outline of the cavity in one frame, as the pixels on its border on the fine raster.
fn start(channel: &[f32], side: usize) -> Option<Vec<[f64; 2]>> {
    let mask = Mask::of_cavity(channel, side, FINE * FRAME)?;
    let border = longest_border(&mask);
    let place = |p: &[i32; 2]| [coarse(p[0]), coarse(p[1])];
    (!border.is_empty()).then(|| border.iter().map(place).collect())
}

/// The flow from each frame to the next, and from the last to the first: the beat is closed.
fn flows(frames: &[&[u8]]) -> Option<Vec<Flow>> {
    let blurred: Vec<Vec<u8>> = frames
        .iter()
        .map(|frame| blur_levels(frame, FRAME, BLUR_FRAME))
        .collect();
    (0..blurred.len())
        .into_par_iter()
        .map(|t| {
            let next = blurred.get((t + 1) % blurred.len())?;
            let flow = dense_flow(blurred.get(t)?, next, FRAME)?;
            Some(blur_flow(&flow, BLUR_FLOW))
        })
        .collect()
}

/// The polygon in each frame, from that in the first one. When the beat has closed, what is left
/// is drift, and is taken out evenly.
fn follow(flows: &[Flow], polygon: &[[f64; 2]]) -> Vec<Vec<[f64; 2]>> {
    let mut places = vec![polygon.to_vec()];
    let mut now = polygon.to_vec();
    for flow in flows {
        for place in &mut now {
            let [dx, dy] = flow.at(*place);
            *place = [place[0] + dx, place[1] + dy];
        }
        places.push(now.clone());
    }
    places.truncate(flows.len());
    for (t, frame) in places.iter_mut().enumerate() {
        let share = t as f64 / flows.len() as f64;
        for ((place, end), start) in frame.iter_mut().zip(&now).zip(polygon) {
            place[0] -= (end[0] - start[0]) * share;
            place[1] -= (end[1] - start[1]) * share;
        }
    }
    places
}

/// Volumes of the outline at end-diastole as the pixels carry it through the beat, in cubed pixels of the frame, one a frame;
/// as for [`tracked_ef`].
pub fn tracked_volumes(
    frames: &[u8],
    cavity: &[f32],
    side: usize,
    beat: &Beat,
) -> Option<Vec<f64>> {
    let mut frames: Vec<&[u8]> = frames.chunks_exact(FRAME * FRAME).collect();
    if frames.len() != beat.volumes.len() || beat.ed_frame >= frames.len() || side == 0 {
        return None;
    }
    let channel = cavity.chunks_exact(side * side).nth(beat.ed_frame)?;
    let polygon = start(channel, side)?;
    frames.rotate_left(beat.ed_frame);
    let flows = flows(&frames)?;
    let mut volumes: Vec<f64> = follow(&flows, &polygon)
        .into_par_iter()
        .map(|polygon| {
            let raster: Vec<[i32; 2]> = polygon.iter().map(|p| p.map(fine)).collect();
            let mask = fill(&raster, FINE * FRAME)?;
            Some(mask.volume(beat.long_axis, 1.0 / FINE as f64))
        })
        .collect::<Option<_>>()?;
    volumes.rotate_right(beat.ed_frame);
    Some(volumes)
}

/// Ejection fraction in percent, by disks, of the outline at end-diastole as the pixels carry it
/// through the beat. `frames` are the cine's gray levels `[frames, 112, 112]`, one beat; `cavity`
/// is the channel `[frames, side, side]` that it was carried with, and `beat` what was found in it
/// ([`Beat::of`]). `None` where the sizes do not fit each other. It reads a few points low even of
/// exact motion: compare it with what it reads there.
pub fn tracked_ef(frames: &[u8], cavity: &[f32], side: usize, beat: &Beat) -> Option<f64> {
    let volumes = tracked_volumes(frames, cavity, side, beat)?;
    Some(ejection_fraction(&volumes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAMES: usize = 6;

    fn scale(t: usize) -> f64 {
        1.0 - 0.15 * (1.0 - (std::f64::consts::TAU * t as f64 / FRAMES as f64).cos())
    }

    /// A textured disk that shrinks and widens about the middle, and its cavity channel.
    fn beating(first: usize) -> (Vec<u8>, Vec<f32>) {
        let (mut frames, mut cavity) = (Vec::new(), Vec::new());
        for t in 0..FRAMES {
            let scale = scale(t + first);
            for i in 0..FRAME * FRAME {
                let x = ((i % FRAME) as f64 - 55.5) / scale;
                let y = ((i / FRAME) as f64 - 55.5) / scale;
                let texture = (0.5 * x + 0.2 * y).sin() + (0.45 * y - 0.15 * x).sin();
                frames.push((128.0 + 50.0 * texture) as u8);
            }
            for i in 0..28 * 28 {
                let at = |k: usize| (k as f64 + 0.5) * 4.0 - 56.0;
                let r = (at(i % 28) / 20.0).hypot(at(i / 28) / 28.0) / scale;
                cavity.push(((1.0 - r) * 4.0).clamp(-1.0, 1.0) as f32);
            }
        }
        (frames, cavity)
    }

    #[test]
    fn a_disk_that_shrinks_is_followed() {
        let (frames, cavity) = beating(0);
        let beat = Beat::of(&cavity, FRAMES, 28).unwrap();
        let found = tracked_ef(&frames, &cavity, 28, &beat).unwrap();
        let expected = 100.0 * (1.0 - scale(3).powi(3));
        // Blurred flow is slower than the wall, so it reads low.
        let short = expected - found;
        assert!((-1.0..7.0).contains(&short), "{found} {expected}");
    }

    #[test]
    fn the_beat_may_begin_anywhere() {
        let tracked = |first| {
            let (frames, cavity) = beating(first);
            let beat = Beat::of(&cavity, FRAMES, 28).unwrap();
            assert_eq!(beat.ed_frame, (FRAMES - first) % FRAMES);
            let volumes = tracked_volumes(&frames, &cavity, 28, &beat).unwrap();
            let greatest = (0..FRAMES).max_by(|&a, &b| volumes[a].total_cmp(&volumes[b]));
            assert_eq!(greatest, Some(beat.ed_frame));
            tracked_ef(&frames, &cavity, 28, &beat).unwrap()
        };
        assert!((tracked(0) - tracked(4)).abs() < 1e-9);
    }

    #[test]
    fn a_still_cine_has_no_ejection_fraction() {
        let (frames, cavity) = beating(0);
        let still = frames[..FRAME * FRAME].repeat(FRAMES);
        let beat = Beat::of(&cavity, FRAMES, 28).unwrap();
        let found = tracked_ef(&still, &cavity, 28, &beat).unwrap();
        assert!(found < 0.5, "{found}");
    }

    #[test]
    fn sizes_that_do_not_fit_are_refused() {
        let (frames, cavity) = beating(0);
        let beat = Beat::of(&cavity, FRAMES, 28).unwrap();
        assert_eq!(tracked_ef(&frames[1..], &cavity, 28, &beat), None);
        assert_eq!(tracked_ef(&frames, &[], 28, &beat), None);
        assert_eq!(tracked_ef(&frames, &cavity, 0, &beat), None);
    }

    #[test]
    fn drift_is_taken_out() {
        let frames = beating(0).0;
        let frames: Vec<&[u8]> = frames.chunks_exact(FRAME * FRAME).collect();
        let flows = flows(&frames[..2]).unwrap();
        let places = follow(&flows, &[[40.0, 40.0]]);
        assert_eq!(places[0], [[40.0, 40.0]]);
        let moved = flows[0].at([40.0, 40.0]);
        let once = [40.0 + moved[0], 40.0 + moved[1]];
        let back = flows[1].at(once);
        let drift = [once[0] + back[0] - 40.0, once[1] + back[1] - 40.0];
        assert!((places[1][0][0] - (once[0] - drift[0] / 2.0)).abs() < 1e-9);
        assert!((places[1][0][1] - (once[1] - drift[1] / 2.0)).abs() < 1e-9);
    }
}
