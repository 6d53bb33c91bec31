//! Whether an anatomy looks like the view that the networks were trained on: an apical
//! four-chamber sector, its tip in the middle of the top, black outside.

use super::square::{SIDE, Square};
use crate::clip::{Frame, Pixels};
use serde::Serialize;

/// What is said when it does not.
pub const UNLIKE: &str = "This does not look like an apical four-chamber view.";

/// What is said of colour Doppler.
pub const COLOURED: &str =
    "This looks like colour Doppler. The networks know gray pictures only: colours become gray.";

/// Whether a part of a square is coloured, as flow is. A tinted gray scale has one hue, which all
/// that is bright shares; flow is red or blue beside gray tissue.
pub fn is_coloured(frame: &Frame, square: Square) -> bool {
    let Pixels::Rgb(_) = &frame.pixels else {
        return false;
    };
    let (mut coloured, mut red, mut blue) = (Share::default(), Share::default(), Share::default());
    let mut gray_of_bright = Share::default();
    for y in (square.y..square.y + square.side).step_by(2) {
        for x in (square.x..square.x + square.side).step_by(2) {
            let [r, g, b] = frame.rgb(x, y);
            let strong = r.max(g).max(b) - r.min(g).min(b) > 60;
            coloured.count(strong);
            red.count(strong && r > b);
            blue.count(strong && b > r);
            if r.max(g).max(b) > 100 {
                gray_of_bright.count(!strong);
            }
        }
    }
    let both_hues = red.share() > 0.004 && blue.share() > 0.004;
    coloured.share() > 0.015 && (both_hues || gray_of_bright.share() > 0.4)
}

/// Statistics of an anatomy's gray, levels in 0..255.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct View {
    /// Share of the two upper corners, outside any sector, that is not black.
    pub outside_bright: f32,
    /// Mean level well inside the sector.
    pub inside_mean: f32,
    /// Standard deviation of the levels there.
    pub inside_deviation: f32,
    /// Share of dark pixels there: blood.
    pub inside_dark: f32,
    /// Share of lit pixels below the tip, where every sector has some tissue.
    pub tip_lit: f32,
    /// How much wider the lit part becomes from row to row, in pixels.
    pub widening: f32,
    /// Correlation of the lit part's width with the row.
    pub widening_correlation: f32,
}

impl View {
    /// Of a gray picture `[112, 112]` in 0..1.
    pub fn of(gray: &[f32]) -> Self {
        let smooth = box_mean(gray);
        let mut outside = Share::default();
        let mut dark = Share::default();
        let mut tip = Share::default();
        let (mut sum, mut squares) = (0.0, 0.0);
        for row in 0..SIDE {
            for column in 0..SIDE {
                let at = row * SIDE + column;
                let (r, from_middle) = (row as f32, (column as f32 - 57.0).abs());
                if from_middle > (r + 6.0) * 1.2 + 4.0 {
                    outside.count(smooth[at] > 24.0);
                }
                if from_middle < (r - 6.0) * 0.6 && (12..40).contains(&row) {
                    tip.count(smooth[at] > 10.0);
                }
                if from_middle < (r - 8.0) * 0.6 && (13..104).contains(&row) {
                    let level = gray[at] * 255.0;
                    dark.count(level < 32.0);
                    sum += level;
                    squares += level * level;
                }
            }
        }
        let n = dark.all.max(1.0);
        let mean = sum / n;
        let (widening, widening_correlation) = widening(&smooth);
        Self {
            outside_bright: outside.share(),
            inside_mean: mean,
            inside_deviation: (squares / n - mean * mean).max(0.0).sqrt(),
            inside_dark: dark.share(),
            tip_lit: tip.share(),
            widening,
            widening_correlation,
        }
    }

    /// Whether every statistic lies within the limits, which are those of the published clips and
    /// of simulated hearts, widened.
    pub fn is_like_training(&self) -> bool {
        self.outside_bright <= 0.04
            && (12.0..=105.0).contains(&self.inside_mean)
            && (22.0..=110.0).contains(&self.inside_deviation)
            && (0.06..=0.90).contains(&self.inside_dark)
            && self.tip_lit >= 0.05
            && (0.2..=2.6).contains(&self.widening)
            && self.widening_correlation >= 0.2
    }
}

#[derive(Default)]
struct Share {
    hits: f32,
    all: f32,
}

impl Share {
    fn count(&mut self, hit: bool) {
        self.all += 1.0;
        self.hits += f32::from(u8::from(hit));
    }

    fn share(&self) -> f32 {
        self.hits / self.all.max(1.0)
    }
}

/// Means of 3 x 3 pixels, levels in 0..255; the border repeats.
fn box_mean(gray: &[f32]) -> Vec<f32> {
    let clamp = |v: usize, by: usize| (v + by).saturating_sub(1).min(SIDE - 1);
    let mean = |i: usize| {
        let (row, column) = (i / SIDE, i % SIDE);
        let near = (0..9).map(|k| gray[clamp(row, k / 3) * SIDE + clamp(column, k % 3)]);
        near.sum::<f32>() / 9.0 * 255.0
    };
    (0..SIDE * SIDE).map(mean).collect()
}

/// Slope and correlation, by row, of the lit part's width in the upper half.
fn widening(smooth: &[f32]) -> (f32, f32) {
    let points: Vec<(f32, f32)> = (12..60)
        .step_by(2)
        .map(|row| {
            let line = &smooth[row * SIDE..][..SIDE];
            let lit: Vec<usize> = (0..SIDE).filter(|&c| line[c] > 14.0).collect();
            let at = |share: usize| lit.get(lit.len() * share / 100).map_or(0.0, |&c| c as f32);
            (row as f32, (at(95) - at(5)).max(0.0))
        })
        .collect();
    let n = points.len() as f32;
    let mean = |f: &dyn Fn(&(f32, f32)) -> f32| points.iter().map(f).sum::<f32>() / n;
    let (mx, my) = (mean(&|p| p.0), mean(&|p| p.1));
    let xx = mean(&|p| (p.0 - mx).powi(2));
    let yy = mean(&|p| (p.1 - my).powi(2));
    let xy = mean(&|p| (p.0 - mx) * (p.1 - my));
    if yy == 0.0 {
        return (0.0, 0.0);
    }
    (xy / xx, xy / (xx * yy).sqrt())
}
