//! Dense inverse search: patches of the first frame are looked for in the second one by gradient
//! descent from the best of what the coarser level and the neighbours found; each pixel takes the
//! mean of the patches over it, weighted by how well they fit there (Kroeger et al. 2016, sections
//! 2.1 and 2.2).

use super::{Flow, Level};

/// Side of a patch, and distance between patches, in pixels.
pub(super) const PATCH: usize = 12;
const STRIDE: usize = 3;
/// Pixels by which the second frame's edge is repeated outwards.
const BORDER: usize = 16;
/// Steps of the descent, in each of the two passes over the patches.
const STEPS: usize = 12;
/// Bands of patches between which nothing is handed on, as in OpenCV, where threads share them.
const BANDS: usize = 8;
const SMALL: f32 = 0.001;
const AREA: f32 = (PATCH * PATCH) as f32;

/// Sobel gradients: eight times the slope of the gray levels. The descent uses them as they are,
/// so that its steps are an eighth of Gauss and Newton's.
struct Gradients {
    x: Vec<f32>,
    y: Vec<f32>,
}

impl Gradients {
    fn of(level: &Level) -> Self {
        let side = level.side;
        // Mirrored about the outermost pixel.
        let before = |k: usize| if k == 0 { 1 } else { k - 1 };
        let after = |k: usize| if k + 1 == side { side - 2 } else { k + 1 };
        let at = |x: usize, y: usize| f32::from(level.pixels[y * side + x]);
        let gradient = |i: usize| {
            let (x, y) = (i % side, i / side);
            let (left, right, upper, lower) = (before(x), after(x), before(y), after(y));
            let column = |x: usize| at(x, upper) + 2.0 * at(x, y) + at(x, lower);
            let row = |y: usize| at(left, y) + 2.0 * at(x, y) + at(right, y);
            (column(right) - column(left), row(lower) - row(upper))
        };
        let (x, y) = (0..side * side).map(gradient).unzip();
        Self { x, y }
    }
}

/// What the descent needs to know of a patch of the first frame.
#[derive(Clone, Copy)]
struct Patch {
    /// Index of its upper left pixel, and where that is.
    corner: usize,
    x: usize,
    y: usize,
    /// Sums of the gradients, and the inverse of the structure tensor.
    sum_x: f32,
    sum_y: f32,
    inverse_xx: f32,
    inverse_xy: f32,
    inverse_yy: f32,
}

impl Patch {
    fn at(gradients: &Gradients, side: usize, x: usize, y: usize) -> Self {
        let corner = y * side + x;
        // Sums of whole numbers: exact in f64, as the reference's in f32 nearly are.
        let (mut sx, mut sy, mut xx, mut xy, mut yy) = (0.0f64, 0.0f64, 0.0f64, 0.0f64, 0.0f64);
        for row in 0..PATCH {
            let start = corner + row * side;
            let rows = (
                &gradients.x[start..][..PATCH],
                &gradients.y[start..][..PATCH],
            );
            for (&gx, &gy) in rows.0.iter().zip(rows.1) {
                let (gx, gy) = (f64::from(gx), f64::from(gy));
                sx += gx;
                sy += gy;
                xx += gx * gx;
                xy += gx * gy;
                yy += gy * gy;
            }
        }
        let (xx, xy, yy) = (xx as f32, xy as f32, yy as f32);
        let determinant = xx * yy - xy * xy;
        let determinant = if determinant.abs() < SMALL {
            SMALL
        } else {
            determinant
        };
        Self {
            corner,
            x,
            y,
            sum_x: sx as f32,
            sum_y: sy as f32,
            inverse_xx: yy / determinant,
            inverse_xy: -xy / determinant,
            inverse_yy: xx / determinant,
        }
    }
}

/// The two frames and the first one's gradients.
struct Pair<'a> {
    from: &'a Level,
    gradients: &'a Gradients,
    /// The second frame with its repeated edge.
    to: Vec<u8>,
}

/// Sums over a patch of the difference between the frames.
#[derive(Default)]
struct Sums {
    difference: f32,
    squares: f32,
    times_x: f32,
    times_y: f32,
}

impl<'a> Pair<'a> {
    fn new(from: &'a Level, to: &Level, gradients: &'a Gradients) -> Self {
        let wide = from.side + 2 * BORDER;
        let inner = |k: usize| k.saturating_sub(BORDER).min(from.side - 1);
        let to = (0..wide * wide)
            .map(|i| to.pixels[inner(i / wide) * from.side + inner(i % wide)])
            .collect();
        Self {
            from,
            gradients,
            to,
        }
    }

    /// Calls `each` with the index in the first frame and the difference, for all pixels of a
    /// patch that has moved by `flow`.
    fn compare(&self, patch: &Patch, flow: [f32; 2], mut each: impl FnMut(usize, f32)) {
        let side = self.from.side;
        let wide = side + 2 * BORDER;
        // A patch keeps at least its last pixel on the frame.
        let least = (BORDER + 1 - PATCH) as f32;
        let most = (BORDER + side - 1) as f32;
        let place = |k: usize, moved: f32| (k as f32 + moved + BORDER as f32).clamp(least, most);
        let (x, y) = (place(patch.x, flow[0]), place(patch.y, flow[1]));
        // A flow that is no number stays where it is: clamp passes it on, the cast makes it 0.
        let (left, upper) = (x.floor(), y.floor());
        let (u, v) = (x - left, y - upper);
        let weights = [
            (upper + 1.0 - y) * (left + 1.0 - x),
            (upper + 1.0 - y) * u,
            v * (left + 1.0 - x),
            v * u,
        ];
        let corner = upper as usize * wide + left as usize;
        for row in 0..PATCH {
            let here = patch.corner + row * side;
            let first = &self.from.pixels[here..][..PATCH];
            let upper = &self.to[corner + row * wide..][..PATCH + 1];
            let lower = &self.to[corner + (row + 1) * wide..][..PATCH + 1];
            for k in 0..PATCH {
                let moved = weights[0] * f32::from(upper[k])
                    + weights[1] * f32::from(upper[k + 1])
                    + weights[2] * f32::from(lower[k])
                    + weights[3] * f32::from(lower[k + 1]);
                each(here + k, moved - f32::from(first[k]));
            }
        }
    }

    /// Sum of squared differences, less that of a change in brightness.
    fn distance(&self, patch: &Patch, flow: [f32; 2]) -> f32 {
        let mut sums = Sums::default();
        self.compare(patch, flow, |_, difference| {
            sums.difference += difference;
            sums.squares += difference * difference;
        });
        sums.squares - sums.difference * sums.difference / AREA
    }

    /// The same, and the step down its gradient.
    fn step(&self, patch: &Patch, flow: [f32; 2]) -> (f32, [f32; 2]) {
        let mut sums = Sums::default();
        self.compare(patch, flow, |i, difference| {
            sums.difference += difference;
            sums.squares += difference * difference;
            sums.times_x += difference * self.gradients.x[i];
            sums.times_y += difference * self.gradients.y[i];
        });
        let x = sums.times_x - sums.difference * patch.sum_x / AREA;
        let y = sums.times_y - sums.difference * patch.sum_y / AREA;
        let step = [
            patch.inverse_xx * x + patch.inverse_xy * y,
            patch.inverse_xy * x + patch.inverse_yy * y,
        ];
        let distance = sums.squares - sums.difference * sums.difference / AREA;
        (distance, step)
    }

    /// Descends until the patch fits no better; what ends further away than a patch is not used.
    fn descend(&self, patch: &Patch, start: [f32; 2]) -> [f32; 2] {
        let mut flow = start;
        let mut least = f32::INFINITY;
        for _ in 0..STEPS {
            let (distance, step) = self.step(patch, flow);
            flow = [flow[0] - step[0], flow[1] - step[1]];
            if distance >= least {
                break;
            }
            least = distance;
        }
        let moved = (f64::from(flow[0] - start[0])).hypot(f64::from(flow[1] - start[1]));
        if moved <= PATCH as f64 { flow } else { start }
    }

    /// Two passes over a band of patches, forwards and back: each starts from the best of what it
    /// has and what the patches before it and above it (behind it and below it) found.
    fn search_band(&self, patches: &[Patch], across: usize, flows: &mut [[f32; 2]]) {
        let count = patches.len();
        for back in [false, true] {
            for k in 0..count {
                let i = if back { count - 1 - k } else { k };
                let column = i % across;
                let (beside, above) = if back {
                    (
                        (column + 1 < across).then_some(i + 1),
                        (i + across < count).then_some(i + across),
                    )
                } else {
                    (
                        (column > 0).then(|| i - 1),
                        (i >= across).then(|| i - across),
                    )
                };
                let patch = &patches[i];
                let mut least = self.distance(patch, flows[i]);
                for neighbour in [beside, above].into_iter().flatten() {
                    let distance = self.distance(patch, flows[neighbour]);
                    if distance < least {
                        least = distance;
                        flows[i] = flows[neighbour];
                    }
                }
                flows[i] = self.descend(patch, flows[i]);
            }
        }
    }
}

/// The flow of each pixel: the mean of the patches over it, each weighted by how well the pixel
/// itself fits with its flow.
fn densify(from: &Level, to: &Level, across: usize, flows: &[[f32; 2]]) -> Flow {
    let side = from.side;
    let mut dense = Flow::still(side);
    let last = side as f32 - 1.0 - SMALL;
    // Patches over a pixel, in one direction; beyond the last one its flow goes on.
    let over = |k: usize| {
        let end = (k / STRIDE).min(across - 1);
        let start = (k + STRIDE).saturating_sub(PATCH) / STRIDE;
        start.min(end)..=end
    };
    for y in 0..side {
        for x in 0..side {
            let level = f32::from(from.pixels[y * side + x]);
            let (mut sum_x, mut sum_y, mut weights) = (0.0f32, 0.0f32, 0.0f32);
            for row in over(y) {
                for column in over(x) {
                    let [fx, fy] = flows[row * across + column];
                    let px = (x as f32 + fx).max(0.0).min(last);
                    let py = (y as f32 + fy).max(0.0).min(last);
                    let (left, upper) = (px as usize, py as usize);
                    let (u, v) = (px - left as f32, py - upper as f32);
                    let (u1, v1) = ((left + 1) as f32 - px, (upper + 1) as f32 - py);
                    let corner = upper * side + left;
                    let at = |k: usize| f32::from(to.pixels[corner + k]);
                    let moved =
                        u * v * at(side + 1) + u1 * v * at(side) + u * v1 * at(1) + u1 * v1 * at(0);
                    let weight = 1.0 / (moved - level).abs().max(1.0);
                    sum_x += weight * fx;
                    sum_y += weight * fy;
                    weights += weight;
                }
            }
            dense.x[y * side + x] = sum_x / weights;
            dense.y[y * side + x] = sum_y / weights;
        }
    }
    dense
}

/// The flow between two frames of a side of at least `PATCH`, from `start`.
pub(super) fn inverse_search(from: &Level, to: &Level, start: &Flow) -> Flow {
    let side = from.side;
    let gradients = Gradients::of(from);
    let pair = Pair::new(from, to, &gradients);
    let across = 1 + (side - PATCH) / STRIDE;
    let patches: Vec<Patch> = (0..across * across)
        .map(|i| Patch::at(&gradients, side, i % across * STRIDE, i / across * STRIDE))
        .collect();
    let mut flows: Vec<[f32; 2]> = patches
        .iter()
        .map(|patch| {
            let middle = patch.corner + PATCH / 2 * (side + 1);
            [start.x[middle], start.y[middle]]
        })
        .collect();
    let band = across.div_ceil(BANDS) * across;
    for (patches, flows) in patches.chunks(band).zip(flows.chunks_mut(band)) {
        pair.search_band(patches, across, flows);
    }
    densify(from, to, across, &flows)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Waves that do not repeat within the search, moved, and brightened by `more`.
    fn waves(dx: f32, dy: f32, more: f32) -> Level {
        let side = 48;
        let pixels = (0..side * side)
            .map(|i| {
                let (x, y) = ((i % side) as f32 - dx, (i / side) as f32 - dy);
                let wave = (0.35 * x + 0.1 * y).sin() + (0.3 * y - 0.12 * x).cos();
                (110.0 + more + 45.0 * wave).round() as u8
            })
            .collect();
        Level { side, pixels }
    }

    #[test]
    fn a_shift_is_found_though_the_brightness_changes() {
        for more in [0.0, 30.0] {
            let still = Flow::still(48);
            let flow = inverse_search(&waves(0.0, 0.0, 0.0), &waves(1.5, -1.0, more), &still);
            let (mut worst, mut sum) = (0.0f32, 0.0);
            for i in (0..48 * 48)
                .filter(|i| (12..36).contains(&(i % 48)) && (12..36).contains(&(i / 48)))
            {
                let error = (flow.x[i] - 1.5).hypot(flow.y[i] + 1.0);
                worst = worst.max(error);
                sum += error / (24.0 * 24.0);
            }
            assert!(worst < 0.5 && sum < 0.2, "{worst} {sum}");
        }
    }

    #[test]
    fn a_good_start_is_kept() {
        let mut start = Flow::still(48);
        start.x.fill(4.0);
        let flow = inverse_search(&waves(0.0, 0.0, 0.0), &waves(4.0, 0.0, 0.0), &start);
        for y in 0..48 {
            for x in 0..32 {
                let i = y * 48 + x;
                assert!((flow.x[i] - 4.0).hypot(flow.y[i]) < 0.2);
            }
        }
    }

    #[test]
    fn gradients_are_eight_times_the_slope() {
        let side = 12;
        let pixels = (0..144).map(|i| (3 * (i % side) + 5 * (i / side)) as u8);
        let level = Level {
            side,
            pixels: pixels.collect(),
        };
        let gradients = Gradients::of(&level);
        let inner = 5 * side + 5;
        assert_eq!((gradients.x[inner], gradients.y[inner]), (24.0, 40.0));
        // Mirrored at the edge: no slope across it.
        assert_eq!(gradients.x[5 * side], 0.0);
        let patch = Patch::at(&gradients, side, 0, 0);
        assert!(patch.inverse_xx > 0.0 && patch.inverse_yy > 0.0);
    }

    #[test]
    fn a_flow_far_out_or_no_number_reads_within_the_frame() {
        let (a, b) = (waves(0.0, 0.0, 0.0), waves(1.0, 0.0, 0.0));
        for wrong in [1e9, -1e9, f32::NAN] {
            let mut start = Flow::still(48);
            start.x.fill(wrong);
            start.y.fill(wrong);
            assert_eq!(inverse_search(&a, &b, &start).x.len(), 48 * 48);
        }
    }
}
