//! One leaflet: its texture, lifted off along its line, and the line it follows when it bends.

use super::ridge::{Line, median, normal};
use super::{Point, SETTLED, SIDE, sampled, smooth_step};

/// Samples a pixel, along the line and across it.
const PER_PIXEL: f64 = 2.0;
/// Half of what is lifted off about the line, in pixels.
const HALF: f64 = 5.0;
/// Samples across, from -HALF to HALF.
const ACROSS: usize = 21;
/// The angle between the annulus and a leaflet that is wide open, at the hinge and at the tip.
const AT_HINGE: f64 = 0.55;
const AT_TIP: f64 = 1.3;
/// How much of its closed shape a leaflet keeps when it is open.
const KEPT: f64 = 0.25;
/// From its hinge so many pixels of a leaflet stay with the wall.
const ROOT: f64 = 3.0;
/// Pixels over which a tip is rounded.
const TIP: f64 = 3.0;
/// A leaflet in the beam's direction fades in places. Where it does, an open one is drawn with at
/// least this share of its usual brightness, so that it hangs together.
const LEAST: f64 = 0.4;

/// A leaflet, lifted off its frame.
#[derive(Clone, Debug)]
pub struct Strip {
    closed: Line,
    /// Brightness over the blood, `[along, ACROSS]`: as lifted, and as drawn where it is wide open.
    lifted: Vec<f32>,
    open: Vec<f32>,
    /// The blood's level where that brightness was, `[along, ACROSS]`.
    under: Vec<f32>,
}

impl Strip {
    /// Takes a leaflet off `frame`, and out of `blood`, where what surrounds it takes its place.
    pub fn lift(frame: &[f32], blood: &mut [f32], closed: Line) -> Self {
        let n = closed.points.len();
        let at = |k: usize, o: f64| {
            let normal = normal(&closed.points, k);
            sampled(frame, [0, 1].map(|i| closed.points[k][i] + o * normal[i]))
        };
        // The level of the blood along either side.
        let beside = |side: f64| -> Vec<f32> {
            let along = |k: usize| {
                let near = k.saturating_sub(4)..(k + 5).min(n);
                let out = [0.0, 1.0, 2.0].map(|d| side * (HALF + d));
                let levels = near.flat_map(|j| out.map(|o| f64::from(at(j, o))));
                median(levels.collect()) as f32
            };
            (0..n).map(along).collect()
        };
        let (before, behind) = (beside(1.0), beside(-1.0));
        let (mut lifted, mut under) = (Vec::new(), Vec::new());
        for k in 0..n {
            for j in 0..ACROSS {
                let o = offset(j);
                // Blood from either side, mirrored at the strip's edges, never its tissue.
                let mirrored =
                    |side: f64, level: f32| at(k, side * 2.0 * HALF - o).min(level + 6.0);
                let share = ((o / HALF + 1.0) / 2.0) as f32;
                let (near, far) = (mirrored(1.0, before[k]), mirrored(-1.0, behind[k]));
                let level = near * share + far * (1.0 - share);
                lifted.push((at(k, o) - level).max(0.0) * weight(k as f64, o));
                under.push(level);
            }
        }
        let open = drawn_open(&lifted);
        let strip = Self {
            closed,
            lifted,
            open,
            under,
        };
        strip.each(&strip.closed.points, 4.0, |i, k, j| {
            // From the pixel itself: an interpolated texture would leave a ghost.
            let level = strip.table(&strip.under, k, j);
            let taken = (frame[i] - level).max(0.0) * weight(k, j / PER_PIXEL - HALF);
            blood[i] = blood[i].min(frame[i] - taken);
        });
        strip
    }

    /// The leaflet's line when the valve is open by `opening`: its direction goes over to that of
    /// an open leaflet, which bends toward the apex from the hinge to the tip. Its length stays.
    pub fn line(&self, opening: f64) -> Vec<Point> {
        let points = &self.closed.points;
        let last = points.len().saturating_sub(1).max(1) as f64;
        let (sin, cos) = self.closed.annulus.sin_cos();
        let mut line: Vec<Point> = points.first().copied().into_iter().collect();
        for (k, pair) in points.windows(2).enumerate() {
            let [dx, dy] = [pair[1][0] - pair[0][0], pair[1][1] - pair[0][1]];
            // From the annulus, so that no angle jumps by a turn; positive into the ventricle,
            // where angles fall if `side` is 1, since y points down.
            let own = -self.closed.side * (cos * dy - sin * dx).atan2(cos * dx + sin * dy);
            let bent = AT_HINGE + (AT_TIP - AT_HINGE) * smooth_step(0.0, 0.7, k as f64 / last);
            // One that stands steeper already is not laid back.
            let open = (bent + KEPT * own).min(AT_TIP).max(own.min(AT_TIP));
            let angle = (1.0 - opening) * own + opening * open;
            let angle = self.closed.annulus - self.closed.side * angle;
            let step = dx.hypot(dy);
            let at = line[k];
            line.push([at[0] + step * angle.cos(), at[1] + step * angle.sin()]);
        }
        line
    }

    /// Lays the leaflet into a frame of blood. Behind what is brighter it is not seen.
    pub fn draw(&self, opening: f64, out: &mut [f32]) {
        let line = self.line(opening);
        let share = smooth_step(0.0, SETTLED, opening) as f32;
        self.each(&line, 1.0, |i, k, j| {
            let (closed, open) = (self.table(&self.lifted, k, j), self.table(&self.open, k, j));
            let excess = closed * (1.0 - share) + open * share;
            let under = self.table(&self.under, k, j).min(out[i]);
            out[i] = out[i].max((excess + under).min(255.0));
        });
    }

    /// Each pixel within the strip about a line, and so many samples beyond its tip: its index, and
    /// its place in the tables.
    fn each(&self, line: &[Point], beyond: f64, mut visit: impl FnMut(usize, f64, f64)) {
        if line.len() < 3 {
            return;
        }
        let bound = |k: usize, least: bool| {
            let values = line.iter().map(|p| p[k]);
            let v = if least {
                values.fold(f64::INFINITY, f64::min) - HALF
            } else {
                values.fold(f64::NEG_INFINITY, f64::max) + HALF + 1.0
            };
            v.clamp(0.0, SIDE as f64) as usize
        };
        for y in bound(1, true)..bound(1, false) {
            for x in bound(0, true)..bound(0, false) {
                let (px, py) = (x as f64, y as f64);
                let square = |k: usize| (line[k][0] - px).powi(2) + (line[k][1] - py).powi(2);
                let nearest = (0..line.len())
                    .min_by(|a, b| square(a.to_owned()).total_cmp(&square(b.to_owned())));
                let Some(k) = nearest.filter(|k| square(*k) <= HALF * HALF) else {
                    continue;
                };
                let normal = normal(line, k);
                let [dx, dy] = [px - line[k][0], py - line[k][1]];
                let o = dx * normal[0] + dy * normal[1];
                // Along the tangent, a quarter turn back from the normal.
                let along = -dx * normal[1] + dy * normal[0];
                let k = k as f64 + along * PER_PIXEL;
                let last = (line.len() - 1) as f64;
                if (-1.0..=last + beyond).contains(&k) {
                    visit(y * SIDE + x, k.clamp(0.0, last), (o + HALF) * PER_PIXEL);
                }
            }
        }
    }

    /// A value of a table between its samples.
    fn table(&self, table: &[f32], k: f64, j: f64) -> f32 {
        let place = |v: f64, n: usize| {
            let v = v.clamp(0.0, (n - 1) as f64);
            let first = (v as usize).min(n - 2);
            (first, (v - first as f64) as f32)
        };
        let ((k, after), (j, beside)) = (place(k, self.closed.points.len()), place(j, ACROSS));
        let line =
            |k: usize| table[k * ACROSS + j] * (1.0 - beside) + table[k * ACROSS + j + 1] * beside;
        line(k) * (1.0 - after) + line(k + 1) * after
    }
}

/// Pixels from the line of sample `j` across it.
fn offset(j: usize) -> f64 {
    j as f64 / PER_PIXEL - HALF
}

/// How much of the brightness at a place of the strip belongs to the leaflet: all but at its edges
/// and at its root.
fn weight(k: f64, o: f64) -> f32 {
    let edge = smooth_step(HALF, HALF - 1.0, o.abs());
    (edge * smooth_step(0.0, ROOT, k / PER_PIXEL)) as f32
}

/// A leaflet's brightness where it is open: thin, with a round tip and no gaps.
fn drawn_open(lifted: &[f32]) -> Vec<f32> {
    let lines = lifted.chunks(ACROSS);
    let n = lines.len();
    let peaks = lines.map(|line| f64::from(line.iter().fold(0f32, |m, v| m.max(*v))));
    let least = LEAST * median(peaks.collect());
    let value = |(i, lifted): (usize, &f32)| {
        let (k, o) = (i / ACROSS, offset(i % ACROSS));
        let to_tip = (n - 1 - k) as f64 / PER_PIXEL;
        let short = 1.0 - (to_tip / TIP).min(1.0);
        // A quarter of an ellipse at the tip.
        let half = 0.3 + 2.2 * (1.0 - short * short).sqrt();
        let thin = smooth_step(half + 1.0, half - 0.8, o.abs());
        let root = smooth_step(0.0, ROOT, k as f64 / PER_PIXEL);
        let floor = least * root * (-o * o / 1.6).exp();
        (f64::from(*lifted).max(floor) * thin) as f32
    };
    lifted.iter().enumerate().map(value).collect()
}
