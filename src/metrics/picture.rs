//! Do the pictures stay clear: haze in the cavity, and detail.

use crate::outline::{Beat, FRAME, Mask};

/// The core of a cavity: what is further from its edge than this share of the greatest distance.
const CORE: f64 = 0.3;
/// Pixels along the sector's edge that are left out of the detail.
const MARGIN: usize = 3;

/// Squared distance along one line: `out[x] = min over z of (x - z)^2 + line[z]` (lower envelope of
/// parabolas, Felzenszwalb and Huttenlocher 2012, algorithm 1). Infinite values stand for nothing.
fn distances_along(line: &[f64]) -> Vec<f64> {
    // Apexes of the envelope's parabolas, and from where on each is the lowest.
    let mut envelope: Vec<(usize, f64)> = Vec::new();
    for (q, &height) in line.iter().enumerate() {
        if height.is_infinite() {
            continue;
        }
        let at = q as f64;
        let mut from = f64::NEG_INFINITY;
        while let Some(&(p, since)) = envelope.last() {
            let other = p as f64;
            from = (height + at * at - line[p] - other * other) / (2.0 * (at - other));
            if from > since {
                break;
            }
            envelope.pop();
            from = f64::NEG_INFINITY;
        }
        envelope.push((q, from));
    }
    let mut k = 0;
    (0..line.len())
        .map(|x| {
            while envelope.get(k + 1).is_some_and(|next| next.1 <= x as f64) {
                k += 1;
            }
            let Some(&(p, _)) = envelope.get(k) else {
                return f64::INFINITY;
            };
            (x as f64 - p as f64).powi(2) + line[p]
        })
        .collect()
}

/// Distance of each pixel inside to the nearest outside, in pixels between centres; the frame's
/// edge is not outside. 0 outside, infinite everywhere if all is inside.
fn distances(mask: &Mask) -> Vec<f64> {
    let side = mask.side();
    let seed = |&inside: &bool| if inside { f64::INFINITY } else { 0.0 };
    let seeds: Vec<f64> = mask.pixels().iter().map(seed).collect();
    let rows: Vec<f64> = seeds.chunks_exact(side).flat_map(distances_along).collect();
    let mut distances = vec![0.0; side * side];
    for x in 0..side {
        let column: Vec<f64> = rows.iter().skip(x).step_by(side).copied().collect();
        for (y, squared) in distances_along(&column).into_iter().enumerate() {
            distances[y * side + x] = squared.sqrt();
        }
    }
    distances
}

/// Mean gray level of the core of the cavity. `None` where there is none.
fn core(frame: &[u8], mask: &Mask) -> Option<f64> {
    let distances = distances(mask);
    let greatest = distances.iter().copied().fold(0.0, f64::max);
    let levels: Vec<f64> = frame
        .iter()
        .zip(&distances)
        .filter(|&(_, &d)| d > CORE * greatest || d == f64::INFINITY)
        .map(|(&level, _)| f64::from(level))
        .collect();
    (!levels.is_empty()).then(|| levels.iter().sum::<f64>() / levels.len() as f64)
}

/// Gray levels by which the core of the cavity is brighter at end-systole than at end-diastole: a
/// beat that fades instead of moving is hazy. `frames` are gray levels `[frames, 112, 112]`,
/// `masks` those of [`masks`](crate::outline::masks) and `beat` what
/// [`Beat::of_masks`] found in them. `None` where nothing is left of the cavity at end-systole, or
/// where the sizes do not fit.
pub fn haze(frames: &[u8], masks: &[Mask], beat: &Beat) -> Option<f64> {
    let core_in = |t: usize| {
        let frame = frames.chunks_exact(FRAME * FRAME).nth(t)?;
        core(frame, masks.get(t).filter(|m| m.side() == FRAME)?)
    };
    Some(core_in(beat.es_frame)? - core_in(beat.ed_frame)?)
}

/// The mask without a margin: `MARGIN` times without what has an outside or the frame's edge beside
/// it, above or below.
fn eroded(mask: &[bool]) -> Vec<bool> {
    let mut inner = mask.to_vec();
    for _ in 0..MARGIN {
        let outer = inner.clone();
        for (i, inside) in inner.iter_mut().enumerate() {
            let (x, y) = (i % FRAME, i / FRAME);
            let within = x > 0 && y > 0 && x + 1 < FRAME && y + 1 < FRAME;
            *inside = within
                && [i, i - 1, i + 1, i - FRAME, i + FRAME]
                    .iter()
                    .all(|&k| outer[k]);
        }
    }
    inner
}

/// Standard deviation of the Laplacian (`left + right + above + below - 4 here`) inside the sector,
/// three pixels away from its edge, in gray levels; the mean over the frames. `frames` are gray
/// levels `[frames, 112, 112]`, one or more, `sector` is `[112, 112]`. Smeared speckle has less.
/// `None` where the sizes do not fit or the sector has no inside.
pub fn detail(frames: &[u8], sector: &[bool]) -> Option<f64> {
    if sector.len() != FRAME * FRAME || !frames.len().is_multiple_of(FRAME * FRAME) {
        return None;
    }
    // The margin keeps the Laplacian away from the frame's edge.
    let inner: Vec<usize> = eroded(sector)
        .iter()
        .enumerate()
        .filter_map(|(i, &inside)| inside.then_some(i))
        .collect();
    let count = inner.len() as f64;
    let deviations: Vec<f64> = frames
        .chunks_exact(FRAME * FRAME)
        .map(|frame| {
            let at = |i: usize| f64::from(frame[i]);
            let laplacian =
                |&i: &usize| at(i - 1) + at(i + 1) + at(i - FRAME) + at(i + FRAME) - 4.0 * at(i);
            let mean = inner.iter().map(laplacian).sum::<f64>() / count;
            let squares: f64 = inner.iter().map(|i| (laplacian(i) - mean).powi(2)).sum();
            (squares / count).sqrt()
        })
        .collect();
    let fits = !inner.is_empty() && !deviations.is_empty();
    fits.then(|| deviations.iter().sum::<f64>() / deviations.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn distances_are_those_to_the_nearest_outside(pixels in prop::collection::vec(prop::bool::weighted(0.9), 144)) {
            let mask = Mask::new(pixels.clone(), 12).unwrap();
            let found = distances(&mask);
            for (i, d) in found.into_iter().enumerate() {
                let nearest = (0..144)
                    .filter(|&k| !pixels[k])
                    .map(|k| ((i % 12) as f64 - (k % 12) as f64).hypot((i / 12) as f64 - (k / 12) as f64))
                    .fold(f64::INFINITY, f64::min);
                prop_assert!(d == nearest || (d - nearest).abs() < 1e-9, "{} {}", d, nearest);
            }
        }
    }

    /// A square cavity of half side `reach` about the middle.
    fn square(reach: usize) -> Mask {
        let near = |k: usize| k.abs_diff(56) <= reach;
        let pixels = (0..FRAME * FRAME).map(|i| near(i % FRAME) && near(i / FRAME));
        Mask::new(pixels.collect(), FRAME).unwrap()
    }

    #[test]
    fn a_cavity_that_brightens_is_hazy() {
        let masks = [square(20), square(10)];
        let beat = Beat::of_masks(&masks).unwrap();
        assert_eq!((beat.ed_frame, beat.es_frame), (0, 1));
        let mut frames = vec![10u8; FRAME * FRAME];
        frames.extend(vec![34; FRAME * FRAME]);
        // The wall is bright, and is not of the core.
        for (i, level) in frames[..FRAME * FRAME].iter_mut().enumerate() {
            if (i % FRAME).abs_diff(56) > 16 {
                *level = 200;
            }
        }
        assert_eq!(haze(&frames, &masks, &beat), Some(24.0));
        assert_eq!(haze(&frames[..100], &masks, &beat), None);
        let gone = [
            square(20),
            Mask::new(vec![false; FRAME * FRAME], FRAME).unwrap(),
        ];
        let beat = Beat::of_masks(&gone).unwrap();
        assert_eq!(haze(&frames, &gone, &beat), None);
    }

    #[test]
    fn detail_is_that_of_the_sector_alone() {
        // Pixels of 0 and 10 in turn: the Laplacian is 40 and -40.
        let mut frame: Vec<u8> = (0..FRAME * FRAME)
            .map(|i| {
                if (i / FRAME + i % FRAME).is_multiple_of(2) {
                    0
                } else {
                    10
                }
            })
            .collect();
        let sector: Vec<bool> = (0..FRAME * FRAME).map(|i| i % FRAME >= 20).collect();
        for row in frame.chunks_exact_mut(FRAME) {
            row[..22].fill(255);
        }
        let found = detail(&frame, &sector).unwrap();
        assert!((found - 40.0).abs() < 0.01, "{found}");
        let even = vec![7; FRAME * FRAME];
        frame.extend(even);
        assert!((detail(&frame, &sector).unwrap() - 20.0).abs() < 0.01);
        assert_eq!(detail(&frame, &vec![false; FRAME * FRAME]), None);
        assert_eq!(detail(&frame[1..], &sector), None);
        assert_eq!(detail(&[], &sector), None);
    }
}
