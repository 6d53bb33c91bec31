//! Variational refinement of a flow: brightness and its gradient stay with what moves, and
//! neighbours move alike (Brox et al. 2004, equation 4, with the normalised data terms of Zimmer,
//! Bruhn and Weickert 2011). Solved by fixed-point iterations around a linear system for the
//! increment, and that by successive over-relaxation on a checkerboard.

use super::{Flow, Level};

/// Weights: smoothness, brightness, gradient.
const ALPHA: f32 = 40.0;
const DELTA: f32 = 5.0;
const GAMMA: f32 = 10.0;
/// Fixed-point iterations, relaxations in each of them, and their factor.
const ITERATIONS: usize = 20;
const RELAXATIONS: usize = 5;
const OMEGA: f32 = 1.6;
/// Keeps the normalisation of flat regions finite.
const ZETA_SQUARED: f32 = 0.1 * 0.1;
/// Keeps the derivative of the robust norm `sqrt(s^2 + epsilon^2)` finite. OpenCV's dense inverse
/// search has 0.01 since version 5, and had 0.001 before.
const EPSILON_SQUARED: f32 = 0.01 * 0.01;

/// Derivatives of the mean of the first and the warped second frame, and of their difference `z`,
/// at one pixel. Differences span two pixels and are not halved, as in OpenCV: slopes count twice, so
/// that a refinement makes up half of what is left.
#[derive(Clone, Copy, Default)]
struct Derivatives {
    x: f32,
    y: f32,
    z: f32,
    xx: f32,
    xy: f32,
    yy: f32,
    xz: f32,
    yz: f32,
}

/// `f(x + 1) - f(x - 1)` along rows, and along columns; the edge is repeated.
fn differences(field: &[f32], side: usize) -> (Vec<f32>, Vec<f32>) {
    let difference = |i: usize| {
        let (x, y) = (i % side, i / side);
        let (left, right) = (x.saturating_sub(1), (x + 1).min(side - 1));
        let (upper, lower) = (y.saturating_sub(1), (y + 1).min(side - 1));
        (
            field[y * side + right] - field[y * side + left],
            field[lower * side + x] - field[upper * side + x],
        )
    };
    (0..side * side).map(difference).unzip()
}

/// The frame that is seen by following the flow, bilinear; the edge is repeated.
fn warp(level: &Level, flow: &Flow) -> Vec<f32> {
    let side = level.side;
    let last = side - 1;
    let at = |x: usize, y: usize| f32::from(level.pixels[y * side + x]);
    (0..side * side)
        .map(|i| {
            let x = ((i % side) as f32 + flow.x[i]).clamp(0.0, last as f32);
            let y = ((i / side) as f32 + flow.y[i]).clamp(0.0, last as f32);
            let (left, upper) = (x as usize, y as usize);
            let (right, lower) = ((left + 1).min(last), (upper + 1).min(last));
            let (u, v) = (x - left as f32, y - upper as f32);
            let above = at(left, upper) + u * (at(right, upper) - at(left, upper));
            let below = at(left, lower) + u * (at(right, lower) - at(left, lower));
            above + v * (below - above)
        })
        .collect()
}

fn derivatives(from: &Level, to: &Level, flow: &Flow) -> Vec<Derivatives> {
    let side = from.side;
    let warped = warp(to, flow);
    let first = from.pixels.iter().map(|&p| f32::from(p));
    let (mean, z): (Vec<f32>, Vec<f32>) = warped
        .iter()
        .zip(first)
        .map(|(&w, p)| (0.5 * p + 0.5 * w, w - p))
        .unzip();
    let (x, y) = differences(&mean, side);
    let (xz, yz) = differences(&z, side);
    let (xx, xy) = differences(&x, side);
    let (_, yy) = differences(&y, side);
    (0..side * side)
        .map(|i| Derivatives {
            x: x[i],
            y: y[i],
            z: z[i],
            xx: xx[i],
            xy: xy[i],
            yy: yy[i],
            xz: xz[i],
            yz: yz[i],
        })
        .collect()
}

/// One pixel's part of the linear system
/// `a11 du + a12 dv = b1 + ..., a12 du + a22 dv = b2 + ...`, where the neighbours are on the right.
#[derive(Clone, Copy, Default)]
struct Equations {
    a11: f32,
    a12: f32,
    a22: f32,
    b1: f32,
    b2: f32,
}

impl Equations {
    /// The data terms, linearised about the increment `(du, dv)`.
    fn of_data(d: &Derivatives, du: f32, dv: f32) -> Self {
        let norm = d.x * d.x + d.y * d.y + ZETA_SQUARED;
        let z = d.z + d.x * du + d.y * dv;
        let w = (DELTA / 2.0 / (z * z / norm + EPSILON_SQUARED).sqrt()) / norm;
        let norm_x = d.xx * d.xx + d.xy * d.xy + ZETA_SQUARED;
        let norm_y = d.yy * d.yy + d.xy * d.xy + ZETA_SQUARED;
        let zx = d.xz + d.xx * du + d.xy * dv;
        let zy = d.yz + d.xy * du + d.yy * dv;
        let robust = (zx * zx / norm_x + zy * zy / norm_y + EPSILON_SQUARED).sqrt();
        let g = GAMMA / 2.0 / robust;
        Self {
            a11: w * (d.x * d.x) + ZETA_SQUARED + g * (d.xx * d.xx / norm_x + d.xy * d.xy / norm_y),
            a12: w * (d.x * d.y) + g * (d.xx * d.xy / norm_x + d.xy * d.yy / norm_y),
            a22: w * (d.y * d.y) + ZETA_SQUARED + g * (d.xy * d.xy / norm_x + d.yy * d.yy / norm_y),
            b1: -w * (d.z * d.x) - g * (d.xx * d.xz / norm_x + d.xy * d.yz / norm_y),
            b2: -w * (d.z * d.y) - g * (d.xy * d.xz / norm_x + d.yy * d.yz / norm_y),
        }
    }

    /// Smoothness between this pixel and a neighbour whose flow before refinement differs by
    /// `(u, v)`.
    fn join(&mut self, weight: f32, u: f32, v: f32) {
        self.a11 += weight;
        self.a22 += weight;
        self.b1 += weight * u;
        self.b2 += weight * v;
    }
}

/// Weight of the smoothness between each pixel and those right of it and below it: the derivative
/// of the robust norm of the present flow's gradient.
fn smoothness(flow: &Flow) -> Vec<f32> {
    let side = flow.side;
    (0..side * side)
        .map(|i| {
            let right = if i % side + 1 < side { i + 1 } else { i };
            let below = if i / side + 1 < side { i + side } else { i };
            let square = |f: &[f32]| (f[right] - f[i]).powi(2) + (f[below] - f[i]).powi(2);
            ALPHA / 2.0 / (square(&flow.x) + square(&flow.y) + EPSILON_SQUARED).sqrt()
        })
        .collect()
}

/// The flow, refined between the two frames.
pub(super) fn refine(from: &Level, to: &Level, start: Flow) -> Flow {
    let side = from.side;
    let derivatives = derivatives(from, to, &start);
    let mut increment = Flow::still(side);
    let mut flow = start.clone();
    for _ in 0..ITERATIONS {
        let mut equations: Vec<Equations> = derivatives
            .iter()
            .zip(increment.x.iter().zip(&increment.y))
            .map(|(d, (&du, &dv))| Equations::of_data(d, du, dv))
            .collect();
        let weights = smoothness(&flow);
        for i in 0..side * side {
            let right = (i % side + 1 < side).then_some(i + 1);
            let below = (i / side + 1 < side).then_some(i + side);
            for k in [right, below].into_iter().flatten() {
                let (u, v) = (start.x[k] - start.x[i], start.y[k] - start.y[i]);
                equations[i].join(weights[i], u, v);
                equations[k].join(weights[i], -u, -v);
            }
        }
        for _ in 0..RELAXATIONS {
            for colour in [0, 1] {
                relax(&equations, &weights, &mut increment, colour);
            }
        }
        for i in 0..side * side {
            flow.x[i] = start.x[i] + increment.x[i];
            flow.y[i] = start.y[i] + increment.y[i];
        }
    }
    flow
}

/// One relaxation of the pixels of one colour of the checkerboard; their neighbours have the other.
fn relax(equations: &[Equations], weights: &[f32], increment: &mut Flow, colour: usize) {
    let side = increment.side;
    for y in 0..side {
        for x in ((y + colour) % 2..side).step_by(2) {
            let i = y * side + x;
            let (mut u, mut v) = (0.0, 0.0);
            let mut add = |weight: f32, k: usize| {
                u += weight * increment.x[k];
                v += weight * increment.y[k];
            };
            if x > 0 {
                add(weights[i - 1], i - 1);
            }
            if x + 1 < side {
                add(weights[i], i + 1);
            }
            if y > 0 {
                add(weights[i - side], i - side);
            }
            if y + 1 < side {
                add(weights[i], i + side);
            }
            let e = &equations[i];
            let (du, dv) = (increment.x[i], increment.y[i]);
            let du = du + OMEGA * ((u + e.b1 - dv * e.a12) / e.a11 - du);
            increment.x[i] = du;
            increment.y[i] = dv + OMEGA * ((v + e.b2 - du * e.a12) / e.a22 - dv);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(dx: f32) -> Level {
        let pixels = (0..40 * 40)
            .map(|i| {
                let (x, y) = ((i % 40) as f32 - dx, (i / 40) as f32);
                (128.0 + 60.0 * (0.3 * x).sin() + 50.0 * (0.25 * y).cos()).round() as u8
            })
            .collect();
        Level { side: 40, pixels }
    }

    #[test]
    fn half_of_a_shift_is_found_from_rest() {
        let flow = refine(&ramp(0.0), &ramp(0.5), Flow::still(40));
        let inner = |i: &usize| (4..36).contains(&(i % 40)) && (4..36).contains(&(i / 40));
        let mean = |f: &[f32]| {
            let all: Vec<f32> = (0..1600).filter(inner).map(|i| f[i]).collect();
            all.iter().sum::<f32>() / all.len() as f32
        };
        let (x, y) = (mean(&flow.x), mean(&flow.y));
        assert!((x - 0.25).abs() < 0.05 && y.abs() < 0.02, "{x} {y}");
    }

    #[test]
    fn a_flow_over_nothing_is_made_even() {
        let black = Level {
            side: 16,
            pixels: vec![0; 256],
        };
        let mut start = Flow::still(16);
        start.x[8 * 16 + 8] = 1.0;
        let flow = refine(&black, &black, start);
        let (here, beside) = (flow.x[8 * 16 + 8], flow.x[8 * 16 + 9]);
        assert!(
            here < 0.1 && (here - beside).abs() < 1e-3,
            "{here} {beside}"
        );
    }

    #[test]
    fn a_frame_is_warped_by_following_the_flow() {
        let level = Level {
            side: 4,
            pixels: (0..16).collect(),
        };
        let mut flow = Flow::still(4);
        flow.x.fill(0.5);
        flow.y.fill(1.0);
        let warped = warp(&level, &flow);
        assert_eq!((warped[0], warped[3], warped[15]), (4.5, 7.0, 15.0));
    }
}
