//! Polygons on a raster: the border of a mask's largest part, and the mask of a polygon with its
//! border, as OpenCV's `findContours` (outer borders, all points) and `fillPoly` have them.

use crate::outline::Mask;

/// Steps to the eight neighbours, clockwise on the screen from the one on the right.
const AROUND: [[i32; 2]; 8] = [
    [1, 0],
    [1, 1],
    [0, 1],
    [-1, 1],
    [-1, 0],
    [-1, -1],
    [0, -1],
    [1, -1],
];

/// A mask whose pixels may be asked for anywhere.
struct Raster<'a> {
    mask: &'a Mask,
    side: i32,
}

impl Raster<'_> {
    fn index(&self, [x, y]: [i32; 2]) -> Option<usize> {
        let inside = (0..self.side).contains(&x) && (0..self.side).contains(&y);
        inside.then_some((y * self.side + x) as usize)
    }

    fn is_set(&self, place: [i32; 2]) -> bool {
        self.index(place)
            .is_some_and(|i| self.mask.pixels().get(i).is_some_and(|&set| set))
    }

    /// Marks all that touches `start` by a side or a corner.
    fn mark_part(&self, start: [i32; 2], seen: &mut [bool]) {
        let mut next = vec![start];
        while let Some([x, y]) = next.pop() {
            for [dx, dy] in AROUND {
                let place = [x + dx, y + dy];
                let Some(i) = self.index(place) else { continue };
                if self.is_set(place) && !seen[i] {
                    seen[i] = true;
                    next.push(place);
                }
            }
        }
    }

    /// Walks along the outer border from a part's first pixel in reading order, until the first
    /// step comes again.
    fn walk(&self, start: [i32; 2]) -> Vec<[i32; 2]> {
        let step = |[x, y]: [i32; 2], from: usize| -> Option<(usize, [i32; 2])> {
            (from..from + 8)
                .map(|k| (k % 8, [x + AROUND[k % 8][0], y + AROUND[k % 8][1]]))
                .find(|&(_, place)| self.is_set(place))
        };
        let mut border = vec![start];
        // Nothing lies on the left of the first pixel.
        let Some(first) = step(start, 5) else {
            return border;
        };
        let (mut direction, mut place) = first;
        loop {
            // Clockwise from where it came: `direction + 4` points back.
            let Some(following) = step(place, direction + 5) else {
                return border;
            };
            if place == start && following.1 == first.1 {
                return border;
            }
            border.push(place);
            (direction, place) = following;
        }
    }
}

/// Pixels on the outer border of the part whose border is longest, in order around it; parts touch
/// by sides or corners. Empty where nothing is inside.
pub(super) fn longest_border(mask: &Mask) -> Vec<[i32; 2]> {
    let side = mask.side() as i32;
    let raster = Raster { mask, side };
    let mut seen = vec![false; mask.pixels().len()];
    let mut longest = Vec::new();
    for y in 0..side {
        for x in 0..side {
            let i = (y * side + x) as usize;
            if !raster.is_set([x, y]) || seen[i] {
                continue;
            }
            seen[i] = true;
            raster.mark_part([x, y], &mut seen);
            let border = raster.walk([x, y]);
            if border.len() > longest.len() {
                longest = border;
            }
        }
    }
    longest
}

/// Calls `set` for the pixels of a line (Bresenham), from its left end.
fn line(a: [i32; 2], b: [i32; 2], mut set: impl FnMut([i32; 2])) {
    let (from, to) = if b[0] < a[0] { (b, a) } else { (a, b) };
    let along = [to[0] - from[0], (to[1] - from[1]).abs()];
    let down = (to[1] - from[1]).signum();
    let steep = along[1] > along[0];
    let (long, short) = if steep {
        (along[1], along[0])
    } else {
        (along[0], along[1])
    };
    let [mut x, mut y] = from;
    let mut error = long - 2 * short;
    for _ in 0..=long {
        set([x, y]);
        let aside = error < 0;
        error += if aside { 2 * long } else { 0 } - 2 * short;
        if steep || aside {
            y += down;
        }
        if !steep || aside {
            x += 1;
        }
    }
}

/// What lies inside the closed polygon (even-odd rule) or on its border, on a raster of
/// `side * side` pixels.
pub(super) fn fill(polygon: &[[i32; 2]], side: usize) -> Option<Mask> {
    let mut pixels = vec![false; side * side];
    let size = side as i32;
    let edges = || polygon.iter().zip(polygon.iter().cycle().skip(1));
    let mut crossings: Vec<Vec<f64>> = vec![Vec::new(); side];
    for (&a, &b) in edges() {
        line(a, b, |[x, y]| {
            if (0..size).contains(&x) && (0..size).contains(&y) {
                pixels[(y * size + x) as usize] = true;
            }
        });
        let (upper, lower) = if a[1] < b[1] { (a, b) } else { (b, a) };
        let slope = f64::from(lower[0] - upper[0]) / f64::from(lower[1] - upper[1]);
        for y in upper[1].max(0)..lower[1].min(size) {
            crossings[y as usize].push(f64::from(upper[0]) + slope * f64::from(y - upper[1]));
        }
    }
    for (row, xs) in pixels.chunks_exact_mut(side).zip(&mut crossings) {
        xs.sort_by(f64::total_cmp);
        for pair in xs.chunks_exact(2) {
            let first = pair[0].ceil().max(0.0) as usize;
            let end = (pair[1].floor() + 1.0).max(0.0) as usize;
            if let Some(inside) = row.get_mut(first.min(side)..end.min(side).max(first.min(side))) {
                inside.fill(true);
            }
        }
    }
    Mask::new(pixels, side)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn picture(rows: &[&str]) -> Mask {
        let pixels = rows.iter().flat_map(|r| r.bytes().map(|b| b == b'#'));
        Mask::new(pixels.collect(), rows.len()).unwrap()
    }

    #[test]
    fn a_border_goes_once_around_and_twice_along_a_thin_arm() {
        let mask = picture(&[
            "......", //
            ".###..", ".###..", ".####.", "......", "......",
        ]);
        let border = longest_border(&mask);
        let expected = [
            [1, 1],
            [2, 1],
            [3, 1],
            [3, 2],
            [4, 3],
            [3, 3],
            [2, 3],
            [1, 3],
            [1, 2],
        ];
        assert_eq!(border, expected);
        let arm = picture(&["....", "###.", "....", "...."]);
        assert_eq!(longest_border(&arm), [[0, 1], [1, 1], [2, 1], [1, 1]]);
        assert_eq!(longest_border(&picture(&["#.", ".."])), [[0, 0]]);
        assert!(longest_border(&picture(&["..", ".."])).is_empty());
    }

    #[test]
    fn lines_have_both_ends() {
        let mut places = Vec::new();
        line([3, 1], [0, 0], |p| places.push(p));
        assert_eq!(places, [[0, 0], [1, 0], [2, 1], [3, 1]]);
        places.clear();
        line([0, 0], [1, 2], |p| places.push(p));
        assert_eq!(places.len(), 3);
        assert_eq!((places[0], places[2]), ([0, 0], [1, 2]));
    }

    #[test]
    fn a_polygon_beyond_the_raster_is_cut() {
        let mask = fill(&[[-5, -5], [20, -5], [20, 3], [-5, 3]], 8).unwrap();
        assert_eq!(mask.area(), 8 * 4);
        assert_eq!(fill(&[], 8).unwrap().area(), 0);
        assert_eq!(fill(&[[2, 2]], 8).unwrap().area(), 1);
    }

    proptest! {
        /// A blob without holes is its border, filled.
        #[test]
        fn a_border_filled_is_the_mask(x in 4.0f32..26.0, y in 4.0f32..26.0, a in 2.0f32..9.0, b in 2.0f32..9.0) {
            let pixels = (0..900).map(|i| {
                let (u, v) = (((i % 30) as f32 - x) / a, ((i / 30) as f32 - y) / b);
                u * u + v * v <= 1.0
            });
            let mask = Mask::new(pixels.collect(), 30).unwrap();
            prop_assert_eq!(fill(&longest_border(&mask), 30).unwrap(), mask);
        }
    }
}
