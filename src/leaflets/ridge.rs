//! The line of a closed valve: traced from hinge to hinge, and judged.

use super::{Hinges, Point, SIDE, sampled};

/// Pixels between the places that are looked at, across the valve and toward the apex.
const STEP: f64 = 0.5;
/// Half of what a leaflet is thick, with its blur, in pixels.
const HALF: f64 = 3.5;
/// From which brightness over its surroundings a place counts as leaflet, in gray levels.
const BRIGHT: f64 = 16.0;
/// The same as a share of the leaflets' level.
const STANDS_OUT: f64 = 0.25;
/// The least share of the line that must be leaflet, and the longest gap, as a share.
const LEAST: f64 = 0.75;
const GAP: f64 = 0.18;
/// The least share of either half that must be leaflet: one that is raised alone is open.
const HALF_LEAST: f64 = 0.54;
/// The brightest that the blood before the valve may be, as a share of the leaflets.
const BLOOD: f64 = 0.12;
/// The same of what lies behind it, toward the atrium.
const BEHIND: f64 = 0.46;
/// The brightest that two pixels beside the line may be: tissue is no leaflet.
const THICK: f64 = 0.62;
/// The farthest that an end of the line may lie from its hinge, as a share of the valve's width: a
/// line that runs farther up a wall is a leaflet that stands open.
const STRAY: f64 = 0.3;

/// A line of points half a pixel apart, from its hinge to its tip.
#[derive(Clone, Debug)]
pub struct Line {
    pub points: Vec<Point>,
    /// 1 if the ventricle lies to the left of who walks from the hinge to the tip (x to the right,
    /// y down: toward falling angles), else -1.
    pub side: f64,
    /// The angle of the way from this hinge to the other.
    pub annulus: f64,
}

/// The brightest thin line between two hinges.
#[derive(Clone, Debug)]
pub struct Ridge {
    /// From the septal to the lateral hinge, half a pixel apart.
    points: Vec<Point>,
    /// Of each point, by how much it is brighter than both sides, in gray levels.
    contrast: Vec<f64>,
    /// The leaflets' level, and that of what lies before and behind them.
    level: f64,
    blood: f64,
    behind: f64,
    /// Level two pixels beside the line over that on it: small for what is thin.
    thick: f64,
    /// Distance of an end of the line from its hinge, over the valve's width.
    stray: f64,
    /// Whether the apex lies where angles fall from the walk along the points.
    side: f64,
}

impl Ridge {
    /// The line from hinge to hinge along which the sum of brightness over both sides is largest,
    /// less what its turns cost; by dynamic programming over places across the valve. None where
    /// the hinges cannot be a valve's.
    pub fn trace(frame: &[f32], hinges: &Hinges) -> Option<Self> {
        let Hinges {
            septal,
            lateral,
            apex,
        } = *hinges;
        let places = [septal, lateral, apex];
        let inside = 0.0..=(SIDE - 1) as f64;
        if !places.iter().flatten().all(|v| inside.contains(v)) {
            return None;
        }
        let across = [lateral[0] - septal[0], lateral[1] - septal[1]];
        let width = across[0].hypot(across[1]);
        if !(8.0..=80.0).contains(&width) {
            return None;
        }
        let across = across.map(|v| v / width);
        let mut up = [across[1], -across[0]];
        let toward_apex = (apex[0] - septal[0]) * up[0] + (apex[1] - septal[1]) * up[1];
        if toward_apex.abs() < 0.5 * width {
            return None;
        }
        let side = toward_apex.signum();
        up = up.map(|v| v * side);

        let columns = (width / STEP) as usize + 1;
        let (lowest, highest) = (-0.12 * width - 2.0, 0.36 * width + 2.0);
        let rows = ((highest - lowest) / STEP) as usize + 1;
        let height = |row: usize| lowest + row as f64 * STEP;
        let at = |column: usize, h: f64| {
            let r = column as f64 * STEP;
            [0, 1].map(|k| septal[k] + r * across[k] + h * up[k])
        };
        let contrast = |column: usize, row: usize| {
            let h = height(row);
            let level = |d: f64| f64::from(sampled(frame, at(column, h + d)));
            let here = (level(-0.5) + level(0.0) + level(0.5)) / 3.0;
            here - level(HALF).max(level(-HALF))
        };
        // The best sum up to each place, and the row that it came from.
        let start = |h: f64| -4.0 * (h.abs() - 3.0).max(0.0);
        let mut sums: Vec<f64> = (0..rows).map(|row| start(height(row))).collect();
        let mut came: Vec<Vec<usize>> = Vec::with_capacity(columns);
        for column in 0..columns {
            let best = (0..rows).map(|row| {
                let reach = row.saturating_sub(2)..=(row + 2).min(rows - 1);
                let from = |k: &usize| sums[*k] - 1.5 * (k.abs_diff(row) as f64).powi(2);
                reach
                    .max_by(|a, b| from(a).total_cmp(&from(b)))
                    .map(|k| (k, from(&k)))
            });
            let best: Vec<(usize, f64)> = best.collect::<Option<_>>()?;
            sums = (0..rows)
                .map(|row| best[row].1 + contrast(column, row).clamp(-10.0, 60.0))
                .collect();
            came.push(best.into_iter().map(|b| b.0).collect());
        }
        let end = |row: &usize| sums[*row] + start(height(*row));
        let mut row = (0..rows).max_by(|a, b| end(a).total_cmp(&end(b)))?;
        let mut heights = vec![0.0; columns];
        for column in (0..columns).rev() {
            heights[column] = height(row);
            row = came[column][row];
        }
        let line = smoothed(&heights)
            .into_iter()
            .enumerate()
            .map(|(column, h)| at(column, h))
            .collect::<Vec<_>>();
        let points = resampled(&line);
        let mut ridge = Self {
            contrast: vec![0.0; points.len()],
            points,
            level: 0.0,
            blood: 0.0,
            behind: 0.0,
            thick: 0.0,
            stray: heights[0].abs().max(heights[columns - 1].abs()) / width,
            side,
        };
        ridge.judge(frame, up);
        Some(ridge)
    }

    /// Measures contrast and levels along the line.
    fn judge(&mut self, frame: &[f32], up: Point) {
        let n = self.points.len();
        let level = |p: Point| f64::from(sampled(frame, p));
        let (mut own, mut before, mut behind) = (Vec::new(), Vec::new(), Vec::new());
        let mut thick = Vec::new();
        for k in 0..n {
            let normal = normal(&self.points, k);
            let at = |o: f64| level([0, 1].map(|i| self.points[k][i] + o * normal[i]));
            let peak = [-1.0, -0.5, 0.0, 0.5, 1.0]
                .map(at)
                .into_iter()
                .fold(0.0, f64::max);
            let beside = at(HALF).max(at(-HALF));
            self.contrast[k] = peak - beside;
            if (n / 8..n - n / 8).contains(&k) {
                own.push(peak);
                thick.push((at(2.0) + at(-2.0)) / (2.0 * peak.max(1.0)));
                let ahead = |d: f64| level([0, 1].map(|i| self.points[k][i] + d * up[i]));
                before.extend([4.5, 6.0, 7.5, 9.0].map(ahead));
                behind.extend([-4.0, -5.0, -6.0].map(ahead));
            }
        }
        self.level = median(own);
        self.blood = median(before);
        self.behind = median(behind);
        self.thick = median(thick);
    }

    /// Whether the line is a closed valve's, before blood.
    pub fn is_closed_valve(&self) -> bool {
        let n = self.points.len();
        // The walls at the hinges are bright whatever the valve does.
        let clear = &self.contrast[n / 8..n - n / 8];
        let bright: Vec<bool> = clear
            .iter()
            .map(|c| *c > BRIGHT.max(STANDS_OUT * self.level))
            .collect();
        let share =
            |part: &[bool]| part.iter().filter(|b| **b).count() as f64 / part.len().max(1) as f64;
        let gaps = bright.split(|b| *b).map(<[bool]>::len);
        let longest = gaps.max().unwrap_or(0) as f64 / bright.len().max(1) as f64;
        let (septal, lateral) = bright.split_at(bright.len() / 2);
        share(&bright) >= LEAST
            && share(septal).min(share(lateral)) >= HALF_LEAST
            && longest <= GAP
            && self.blood <= BLOOD * self.level
            && self.behind <= BEHIND * self.level
            && self.thick <= THICK
            && self.stray <= STRAY
    }

    /// Both leaflets, each from its hinge; the septal one takes `share` of the length.
    pub fn leaflets(&self, share: f64) -> [Line; 2] {
        let tip = (share * self.points.len() as f64) as usize;
        let tip = tip.min(self.points.len());
        let (septal, lateral) = self.points.split_at(tip);
        let way = match (self.points.first(), self.points.last()) {
            (Some(a), Some(b)) => (b[1] - a[1]).atan2(b[0] - a[0]),
            _ => 0.0,
        };
        let line = |points, side, turn: f64| Line {
            points,
            side,
            annulus: way + turn,
        };
        [
            line(septal.to_vec(), self.side, 0.0),
            line(
                lateral.iter().rev().copied().collect(),
                -self.side,
                std::f64::consts::PI,
            ),
        ]
    }

    #[cfg(test)]
    pub fn points(&self) -> &[Point] {
        &self.points
    }
}

/// A mean over four pixels: the line of a leaflet has no corners.
fn smoothed(values: &[f64]) -> Vec<f64> {
    let n = values.len();
    let mean = |k: usize| {
        let reach = 4.min(k).min(n - 1 - k);
        let part = &values[k - reach..=k + reach];
        part.iter().sum::<f64>() / part.len() as f64
    };
    (0..n).map(mean).collect()
}

/// Points half a pixel apart along a polygon.
fn resampled(line: &[Point]) -> Vec<Point> {
    let mut points: Vec<Point> = line.first().copied().into_iter().collect();
    let mut missing = STEP;
    for pair in line.windows(2) {
        let [dx, dy] = [pair[1][0] - pair[0][0], pair[1][1] - pair[0][1]];
        let length = dx.hypot(dy);
        while missing <= length && length > 0.0 {
            let u = missing / length;
            points.push([pair[0][0] + u * dx, pair[0][1] + u * dy]);
            missing += STEP;
        }
        missing -= length;
    }
    points
}

/// The normal of length 1 at a point of a line: a quarter turn to falling angles.
pub fn normal(points: &[Point], k: usize) -> Point {
    let [a, b] = [k.saturating_sub(2), (k + 2).min(points.len() - 1)];
    let [dx, dy] = [points[b][0] - points[a][0], points[b][1] - points[a][1]];
    let length = dx.hypot(dy).max(1e-9);
    [dy / length, -dx / length]
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
