//! The cavity's outline, to be drawn.

use super::FRAME;
use super::resize::corners;

/// Levels at the corners of the frame's pixels, with a ring around them, so that every outline
/// closes.
struct Grid {
    /// Corners along a side, ring included.
    side: usize,
    levels: Vec<f32>,
}

impl Grid {
    /// `field` is `[FRAME + 1, FRAME + 1]`. The ring is outside.
    fn around(field: &[f32]) -> Self {
        let side = FRAME + 3;
        let levels = (0..side * side)
            .map(|i| {
                let (x, y) = (i % side, i / side);
                let inner = |k: usize| k.clamp(1, FRAME + 1) - 1;
                let level = field[inner(y) * (FRAME + 1) + inner(x)];
                let ring = x == 0 || y == 0 || x == side - 1 || y == side - 1;
                if ring { -level.abs() } else { level }
            })
            .collect();
        Self { side, levels }
    }

    /// Where the level crosses 0 on an edge between two neighbours. Edges have the number of their
    /// left or upper end, twice, plus 1 if they run down.
    fn crossing(&self, edge: usize) -> [f32; 2] {
        let (from, down) = (edge / 2, edge % 2 == 1);
        let to = from + if down { self.side } else { 1 };
        let (a, b) = (self.levels[from], self.levels[to]);
        let along = a / (a - b);
        let (mut x, mut y) = ((from % self.side) as f32, (from / self.side) as f32);
        if down {
            y += along;
        } else {
            x += along;
        }
        // The first corner is half a pixel before the first centre, and the ring another pixel.
        [x, y].map(|v| (v - 1.5).clamp(-0.5, FRAME as f32 - 0.5))
    }

    /// Marching squares: for each edge that is crossed, the edge that the outline crosses next,
    /// with the inside on its right on the screen (where y grows downwards).
    fn steps(&self) -> Vec<Option<usize>> {
        let side = self.side;
        let mut next = vec![None; 2 * side * side];
        for y in 0..side - 1 {
            for x in 0..side - 1 {
                let corner = y * side + x;
                // Clockwise from the upper left, and the edges that follow each corner.
                let corners = [corner, corner + 1, corner + side + 1, corner + side];
                let edges = [
                    2 * corner,
                    2 * (corner + 1) + 1,
                    2 * (corner + side),
                    2 * corner + 1,
                ];
                let inside = corners.map(|i| self.levels[i] > 0.0);
                // Clockwise around the cell, the outline comes in where inside turns to outside,
                // and leaves where outside turns to inside.
                let mut enters = [0; 2];
                let mut count = 0;
                for k in 0..4 {
                    if inside[k] && !inside[(k + 1) % 4] {
                        enters[count] = k;
                        count += 1;
                    }
                }
                let middle: f32 = corners.iter().map(|&i| self.levels[i]).sum();
                for &k in &enters[..count] {
                    // With two opposite corners inside, the middle says whether they are joined.
                    let leaves = if count == 2 && middle > 0.0 {
                        (k + 1) % 4
                    } else if count == 2 {
                        (k + 3) % 4
                    } else {
                        let found = (0..4).find(|&j| !inside[j] && inside[(j + 1) % 4]);
                        found.unwrap_or(k)
                    };
                    next[edges[k]] = Some(edges[leaves]);
                }
            }
        }
        next
    }
}

/// Twice the area that a closed polygon encloses, with a sign for its direction.
fn doubled_area(polygon: &[[f32; 2]]) -> f32 {
    let following = polygon.iter().cycle().skip(1);
    polygon
        .iter()
        .zip(following)
        .map(|(a, b)| a[0] * b[1] - a[1] * b[0])
        .sum()
}

/// The outline of the cavity in one frame: the line at level 0 of the bilinear field (marching
/// squares between the corners of pixels), the closed part that encloses most. Where the cavity
/// reaches the frame's edge, it runs along it. `channel` is `[side, side]`,
/// row by row, -1 outside to 1 inside. Points are `(x, y)` in pixels of the frame of 112 x 112 (the
/// first pixel's centre is 0), clockwise on the screen; the last one is followed by the first.
/// `None` where nothing is inside or the channel has another length.
pub fn outline(channel: &[f32], side: usize) -> Option<Vec<[f32; 2]>> {
    let field = corners(channel, side, FRAME);
    if field.is_empty() || field.iter().any(|level| !level.is_finite()) {
        return None;
    }
    let grid = Grid::around(&field);
    let mut next = grid.steps();
    let mut best: Option<(f32, Vec<[f32; 2]>)> = None;
    for start in 0..next.len() {
        let mut polygon = Vec::new();
        let mut edge = start;
        while let Some(following) = next[edge].take() {
            polygon.push(grid.crossing(edge));
            edge = following;
        }
        // Crossings meet where the level is 0 in a corner, and in the frame's corners.
        polygon.dedup();
        if polygon.first() == polygon.last() {
            polygon.pop();
        }
        if polygon.len() < 3 {
            continue;
        }
        let area = doubled_area(&polygon);
        if best.as_ref().is_none_or(|(greatest, _)| area > *greatest) {
            best = Some((area, polygon));
        }
    }
    best.filter(|(area, _)| *area > 0.0)
        .map(|(_, polygon)| polygon)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A disk, in pixels of the frame.
    fn disk(x: f32, y: f32, radius: f32) -> Vec<f32> {
        let at = |k: usize| (k as f32 + 0.5) * 4.0 - 0.5;
        (0..28 * 28)
            .map(|i| {
                let distance = (at(i % 28) - x).hypot(at(i / 28) - y);
                ((radius - distance) / 6.0).clamp(-1.0, 1.0)
            })
            .collect()
    }

    proptest! {
        #[test]
        fn a_disk_has_a_round_outline(x in 30.0f32..80.0, y in 30.0f32..80.0, radius in 10.0f32..25.0) {
            let polygon = outline(&disk(x, y, radius), 28).unwrap();
            for p in &polygon {
                let distance = (p[0] - x).hypot(p[1] - y);
                // A bilinear field cuts the corners of a circle a little.
                prop_assert!((distance - radius).abs() < 0.35, "{} for {}", distance, radius);
            }
            let area = doubled_area(&polygon) / 2.0;
            prop_assert!((area / (std::f32::consts::PI * radius * radius) - 1.0).abs() < 0.05);
        }

        #[test]
        fn nothing_panics(
            (channel, side) in (1usize..9).prop_flat_map(|side| {
                (prop::collection::vec(-1.0f32..1.0, side * side), Just(side))
            }),
        ) {
            if let Some(polygon) = outline(&channel, side) {
                for p in polygon {
                    prop_assert!(p.iter().all(|v| (-0.5..=111.5).contains(v)), "{p:?}");
                }
            }
        }
    }

    #[test]
    fn the_larger_of_two_is_drawn_and_steps_are_short() {
        let two: Vec<f32> = disk(30.0, 30.0, 12.0)
            .into_iter()
            .zip(disk(80.0, 80.0, 16.0))
            .map(|(a, b)| a.max(b))
            .collect();
        let polygon = outline(&two, 28).unwrap();
        assert!(polygon.iter().all(|p| p[0] > 60.0 && p[1] > 60.0));
        for (a, b) in polygon.iter().zip(polygon.iter().cycle().skip(1)) {
            assert!((a[0] - b[0]).hypot(a[1] - b[1]) < 1.5);
        }
    }

    #[test]
    fn an_outline_that_leaves_the_frame_closes_along_its_edge() {
        let polygon = outline(&[1.0; 28 * 28], 28).unwrap();
        let area = doubled_area(&polygon) / 2.0;
        assert!((area - 112.0 * 112.0).abs() < 1.0, "{area}");
    }

    #[test]
    fn nothing_inside_has_no_outline() {
        assert_eq!(outline(&[-1.0; 28 * 28], 28), None);
        assert_eq!(outline(&[f32::NAN; 28 * 28], 28), None);
    }
}
