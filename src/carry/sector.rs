//! The sector in a frame: the part of the picture that is ultrasound, blood and dropout included. Scanner's
//! marks, text and traces are thin, and lie outside.

use super::lit::body;
use super::picture::Picture;
use super::wedge::Wedge;

/// Side of the frame whose pixels the sizes here are given in.
pub(super) const SIDE: f32 = 112.0;
/// Of what is lit, the share that a wedge has to contain.
const CONTAINED: f32 = 0.97;
/// Above the background by this much, a speck alone in the dark is a mark, as far as `RIM` from a side.
const MARK: f32 = 95.0 / 255.0;
const RIM: f32 = 3.0;
/// A mask that covers this much of a picture has no outside.
const WHOLE: f32 = 0.985;

/// The sector's mask, `[side, side]`: the wedge between the sector's straight sides and its arc where these
/// are found, else the convex hull of what is lit, and everything where nothing lies outside.
pub fn mask(picture: &Picture) -> Vec<bool> {
    let side = picture.side();
    let all = vec![true; side * side];
    // Small enough for marks to be thin, large enough for the edges.
    let by = ((side as f32 / SIDE).round() as usize).max(1);
    let (small, levels) = picture.reduced(by);
    if small < 16 {
        return all;
    }
    let (body, background) = body(&levels, small);
    let Some(shape) = Shape::of(&body, small) else {
        return all;
    };
    // The centre of a pixel, in pixels of the small picture.
    let place = |i: usize| (i as f32 + 0.5) / by as f32 - 0.5;
    let marks = shape.marks(&levels, small, background);
    let marked = |x: usize, y: usize| {
        let near = |v: usize| (v / by).min(small - 1);
        marks[near(y) * small + near(x)]
    };
    let inside = |i: usize| {
        let (x, y) = (i % side, i / side);
        shape.contains(place(x), place(y)) && !marked(x, y)
    };
    let mask: Vec<bool> = (0..side * side).map(inside).collect();
    let covered = mask.iter().filter(|&&m| m).count();
    if covered as f32 > WHOLE * mask.len() as f32 {
        return all;
    }
    mask
}

enum Shape {
    Wedge(Wedge),
    Hull(Vec<[f32; 2]>),
}

impl Shape {
    fn of(body: &[bool], side: usize) -> Option<Self> {
        let lit = || (0..body.len()).filter(|&i| body[i]);
        let place = |i: usize| ((i % side) as f32, (i / side) as f32);
        let count = lit().count();
        if count == 0 {
            return None;
        }
        let wedge = Wedge::of(body, side).filter(|wedge| {
            let contained = lit().filter(|&i| {
                let (x, y) = place(i);
                wedge.contains(x, y)
            });
            contained.count() as f32 >= CONTAINED * count as f32
        });
        Some(match wedge {
            Some(wedge) => Self::Wedge(wedge),
            None => Self::Hull(hull(lit().map(place).map(|(x, y)| [x, y]))),
        })
    }

    /// Scanner's marks on the sector's straight sides: bright specks alone in the dark, and the pixels about
    /// them.
    fn marks(&self, levels: &[f32], side: usize, background: f32) -> Vec<bool> {
        let mut marks = vec![false; levels.len()];
        let Self::Wedge(wedge) = self else {
            return marks;
        };
        let rim = RIM * side as f32 / SIDE;
        for y in 2..side - 2 {
            for x in 2..side - 2 {
                let level = levels[y * side + x] - background;
                if level < MARK || !(0.0..rim).contains(&wedge.depth(x as f32, y as f32)) {
                    continue;
                }
                let around = |k: &usize| levels[(y + k / 5 - 2) * side + x + k % 5 - 2];
                let dark = (0..25)
                    .filter(|k| around(k) - background < 0.2 * level)
                    .count();
                if dark >= 18 {
                    for k in 0..9 {
                        marks[(y + k / 3 - 1) * side + x + k % 3 - 1] = true;
                    }
                }
            }
        }
        marks
    }

    fn contains(&self, x: f32, y: f32) -> bool {
        match self {
            Self::Wedge(wedge) => wedge.contains(x, y),
            // Pixels reach half a pixel beyond their centres.
            Self::Hull(corners) => corners.iter().enumerate().all(|(i, a)| {
                let b = corners[(i + 1) % corners.len()];
                let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
                dx * (y - a[1]) - dy * (x - a[0]) >= -0.5 * dx.hypot(dy)
            }),
        }
    }
}

/// The convex hull of points that come row by row (Andrew's monotone chain), so that what is inside lies
/// on the positive side of each edge.
fn hull(points: impl Iterator<Item = [f32; 2]>) -> Vec<[f32; 2]> {
    let mut points: Vec<[f32; 2]> = points.collect();
    points.sort_by(|a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])));
    let turn = |a: [f32; 2], b: [f32; 2], c: [f32; 2]| {
        (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    };
    let chain = |points: &mut dyn Iterator<Item = &[f32; 2]>| {
        let mut chain: Vec<[f32; 2]> = Vec::new();
        for &c in points {
            while let [.., a, b] = chain[..] {
                if turn(a, b, c) > 0.0 {
                    break;
                }
                chain.pop();
            }
            chain.push(c);
        }
        chain.pop();
        chain
    };
    let mut corners = chain(&mut points.iter());
    corners.extend(chain(&mut points.iter().rev()));
    corners
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a sector is drawn from: half its opening angle to the left and to the right, where its tip
    /// lies, and its radius, all in parts of the side.
    #[derive(Clone, Copy)]
    struct Drawn {
        tangents: [f32; 2],
        tip: [f32; 2],
        radius: f32,
    }

    const USUAL: Drawn = Drawn {
        tangents: [1.0, 1.0],
        tip: [0.5, 0.05],
        radius: 0.95,
    };

    impl Drawn {
        fn contains(self, x: f32, y: f32) -> bool {
            let (x, y) = (x - self.tip[0], y - self.tip[1]);
            -x <= self.tangents[0] * y && x <= self.tangents[1] * y && x.hypot(y) <= self.radius
        }

        /// Specks in the sector, but for a dark cavity and a corner that fades out.
        fn picture(self, side: usize) -> Vec<f32> {
            let value = |i: usize| {
                let (x, y) = place(i, side);
                let cavity = ((x - 0.5) / 0.13).hypot((y - 0.5) / 0.22) < 1.0;
                let speck = ((i * 2_654_435_761) >> 7 & 255) as f32 / 255.0;
                if !self.contains(x, y) || cavity || x + 0.2 < 0.4 * y {
                    0.008 * speck
                } else {
                    0.1 + 0.6 * speck
                }
            };
            (0..side * side).map(value).collect()
        }
    }

    fn place(i: usize, side: usize) -> (f32, f32) {
        let part = |k: usize| (k as f32 + 0.5) / side as f32;
        (part(i % side), part(i / side))
    }

    fn found(pixels: Vec<f32>, side: usize) -> Vec<bool> {
        mask(&Picture::new(1, side, pixels).unwrap())
    }

    /// Shares of pixels that are wrongly inside and wrongly outside, farther from the edge than `near`.
    fn wrong(found: &[bool], drawn: Drawn, side: usize, near: f32) -> [f32; 2] {
        let clear = |i: usize| {
            let (x, y) = place(i, side);
            let around = [(-near, 0.0), (near, 0.0), (0.0, -near), (0.0, near)];
            let inside = drawn.contains(x, y);
            let same = |&(dx, dy): &(f32, f32)| drawn.contains(x + dx, y + dy) == inside;
            around.iter().all(same).then_some(inside)
        };
        let share = |inside: bool| {
            let count =
                (0..side * side).filter(|&i| clear(i) == Some(inside) && found[i] != inside);
            count.count() as f32 / (side * side) as f32
        };
        [share(false), share(true)]
    }

    #[test]
    fn a_sector_is_found_to_the_pixel_at_any_size() {
        let leaning = Drawn {
            tangents: [1.0, 0.35],
            tip: [0.6, 0.06],
            radius: 0.9,
        };
        let cut = Drawn {
            tangents: [0.9, 0.9],
            tip: [0.5, -0.1],
            radius: 1.3,
        };
        for drawn in [USUAL, leaning, cut] {
            for side in [112, 300, 600] {
                let mask = found(drawn.picture(side), side);
                let [outside, inside] = wrong(&mask, drawn, side, 2.0 / 112.0);
                assert!(
                    outside < 0.003 && inside < 0.003,
                    "{side}: {outside} {inside}"
                );
            }
        }
    }

    #[test]
    fn scanners_marks_lie_outside() {
        for side in [112, 336] {
            let mut pixels = USUAL.picture(side);
            let scale = side / 112;
            let mut marks = Vec::new();
            let mut mark = |x: usize, y: usize| {
                for k in 0..scale * scale {
                    marks.push((y * scale + k / scale) * side + x * scale + k % scale);
                }
            };
            for k in 0..14 {
                // A bar along the sector's edge, ticks of a scale, a trace, and a word.
                mark(84 + k, 24 + k);
                mark(108, 4 + 2 * k);
                mark(2 + k, 109 - k % 3);
                mark(4 + k, 5 + (k * k) % 5);
            }
            // The probe's sign beside the tip.
            for k in 0..9 {
                mark(62 + k % 3, 1 + k / 3);
            }
            for &i in &marks {
                pixels[i] = 1.0;
            }
            let mask = found(pixels, side);
            assert!(marks.iter().all(|&i| !mask[i]), "{side}");
            let [outside, inside] = wrong(&mask, USUAL, side, 2.0 / 112.0);
            assert!(
                outside < 0.003 && inside < 0.003,
                "{side}: {outside} {inside}"
            );
        }
    }

    #[test]
    fn dots_on_a_side_that_fades_out_are_marks_and_tissue_is_not() {
        let side = 112;
        let mut pixels = USUAL.picture(side);
        for (i, pixel) in pixels.iter_mut().enumerate() {
            let (x, y) = place(i, side);
            if y > 0.35 && x < 0.65 - y {
                *pixel = 0.004;
            }
        }
        let clean = found(pixels.clone(), side);
        let [outside, inside] = wrong(&clean, USUAL, side, 2.0 / 112.0);
        assert!(outside < 0.003 && inside < 0.003, "{outside} {inside}");
        let dots = [(17, 47), (13, 51), (9, 55)].map(|(x, y)| y * side + x);
        for i in dots {
            assert!(clean[i]);
            pixels[i] = 0.8;
        }
        let marked = found(pixels, side);
        assert!(dots.iter().all(|&i| !marked[i]));
        let other = (0..side * side).filter(|&i| marked[i] != clean[i]);
        assert!(other.count() <= 9 * dots.len());
    }

    #[test]
    fn a_picture_without_an_outside_is_all_sector() {
        for side in [8, 112, 250] {
            let full = |low: f32| -> Vec<f32> {
                let speck = |i: usize| ((i * 2_654_435_761) >> 7 & 255) as f32 / 255.0;
                (0..side * side).map(|i| low + 0.5 * speck(i)).collect()
            };
            assert!(found(full(0.1), side).iter().all(|&m| m));
            assert!(found(full(0.5), side).iter().all(|&m| m));
            assert!(found(vec![0.0; side * side], side).iter().all(|&m| m));
        }
    }

    #[test]
    fn what_is_no_wedge_has_its_hull() {
        // A linear probe's picture is as wide below as above.
        let side = 112;
        let value = |i: usize| {
            let inside = (6..106).contains(&(i % side)) && (10..100).contains(&(i / side));
            if inside { 0.5 } else { 0.0 }
        };
        let mask = found((0..side * side).map(value).collect(), side);
        let wrong = |&i: &usize| mask[i] != (value(i) > 0.0);
        assert!((0..side * side).filter(wrong).count() < 40);
    }
}
