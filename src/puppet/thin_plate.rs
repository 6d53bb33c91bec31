//! Thin-plate splines of the plane.

use super::{Point, linear};

/// How far the spline may miss its control points: the weight of bending against missing, in square
/// pixels. It keeps neighbouring control points that disagree from folding the plane.
const SMOOTHING: f64 = 8.0;

/// A smooth map of the plane: `f(x) = x + a + B x + sum_i w_i phi(|x - p_i|)` with
/// `phi(r) = r^2 ln r`, which bends least among those near its control points (Duchon 1977;
/// Bookstein 1989, with smoothing as in Wahba 1990, section 2.4).
#[derive(Clone, Debug)]
pub struct ThinPlate {
    sources: Vec<Point>,
    weights: Vec<Point>,
    /// The constant, and what a pixel along x and along y adds.
    affine: [Point; 3],
}

/// `r^2 ln r` of the square of a distance.
fn phi(square: f64) -> f64 {
    if square > 0.0 {
        0.5 * square * square.ln()
    } else {
        0.0
    }
}

fn square_distance(a: Point, b: Point) -> f64 {
    let (x, y) = (a[0] - b[0], a[1] - b[1]);
    x * x + y * y
}

impl ThinPlate {
    /// The map that takes each of `sources` nearly to the one of `targets` in its place. None if
    /// their numbers differ, something is not finite, or all sources lie on a line.
    pub fn new(sources: Vec<Point>, targets: &[Point]) -> Option<Self> {
        let k = sources.len();
        if targets.len() != k {
            return None;
        }
        let n = k + 3;
        let mut matrix = vec![0.0; n * n];
        for (i, a) in sources.iter().enumerate() {
            for (j, b) in sources.iter().enumerate() {
                matrix[i * n + j] = phi(square_distance(*a, *b));
            }
            matrix[i * n + i] += SMOOTHING;
            for (m, v) in [1.0, a[0], a[1]].into_iter().enumerate() {
                matrix[i * n + k + m] = v;
                matrix[(k + m) * n + i] = v;
            }
        }
        let values = sources
            .iter()
            .zip(targets)
            .map(|(s, t)| [t[0] - s[0], t[1] - s[1]])
            .chain([[0.0; 2]; 3])
            .collect();
        let mut weights = linear::solve(matrix, values)?;
        let affine = weights.split_off(k).try_into().ok()?;
        Some(Self {
            sources,
            weights,
            affine,
        })
    }

    /// Where a point goes.
    pub fn at(&self, point: Point) -> Point {
        let [constant, along_x, along_y] = self.affine;
        let mut sum =
            [0, 1].map(|k| point[k] + constant[k] + point[0] * along_x[k] + point[1] * along_y[k]);
        for (source, weight) in self.sources.iter().zip(&self.weights) {
            let bend = phi(square_distance(point, *source));
            sum[0] += bend * weight[0];
            sum[1] += bend * weight[1];
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corners() -> Vec<Point> {
        vec![
            [0.0, 0.0],
            [90.0, 5.0],
            [10.0, 100.0],
            [99.0, 80.0],
            [50.0, 40.0],
        ]
    }

    #[test]
    fn affine_maps_are_kept() {
        let affine = |p: &Point| {
            [
                3.0 + 1.1 * p[0] - 0.2 * p[1],
                -2.0 + 0.1 * p[0] + 0.9 * p[1],
            ]
        };
        let targets: Vec<Point> = corners().iter().map(affine).collect();
        let map = ThinPlate::new(corners(), &targets).unwrap();
        let (found, wanted) = (map.at([20.0, 70.0]), affine(&[20.0, 70.0]));
        assert!((found[0] - wanted[0]).abs() < 1e-9 && (found[1] - wanted[1]).abs() < 1e-9);
    }

    #[test]
    fn a_control_point_that_moves_takes_its_surroundings_along() {
        let mut targets = corners();
        targets[4] = [60.0, 40.0];
        let map = ThinPlate::new(corners(), &targets).unwrap();
        let moved = |p: Point| map.at(p)[0] - p[0];
        assert!((moved([50.0, 40.0]) - 10.0).abs() < 0.2);
        assert!(moved([53.0, 43.0]) > 7.0 && moved([0.0, 0.0]).abs() < 0.2);
    }

    #[test]
    fn a_line_of_points_has_no_map() {
        let line: Vec<Point> = (0..6).map(|k| [f64::from(k), f64::from(k)]).collect();
        assert!(ThinPlate::new(line.clone(), &line).is_none());
        assert!(ThinPlate::new(corners(), &line).is_none());
    }
}
