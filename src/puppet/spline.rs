//! A cubic spline through points of the plane, by chord length.

use super::{Point, add, linear, norm, scaled, sub};

/// Interpolating cubic with continuous second derivative and not-a-knot ends: the third derivative
/// is continuous at the second knot and at the last but one (de Boor, A Practical Guide to Splines,
/// chapter IV). Each knot's place is the length of the polygon up to it.
#[derive(Clone, Debug)]
pub struct Spline {
    knots: Vec<f64>,
    points: Vec<Point>,
    /// Derivatives at the knots.
    slopes: Vec<Point>,
}

impl Spline {
    /// None for fewer than four points, or if neighbours coincide or are not finite.
    pub fn new(points: &[Point]) -> Option<Self> {
        let n = points.len();
        if n < 4 {
            return None;
        }
        let steps: Vec<f64> = points.windows(2).map(|p| norm(sub(p[1], p[0]))).collect();
        if !steps.iter().all(|s| s.is_finite() && *s > 1e-9) {
            return None;
        }
        let mut knots = vec![0.0];
        for step in &steps {
            knots.push(knots[knots.len() - 1] + step);
        }
        let secants: Vec<Point> = points
            .windows(2)
            .zip(&steps)
            .map(|(p, step)| scaled(sub(p[1], p[0]), 1.0 / step))
            .collect();

        // Continuity of the second derivative at each inner knot, in terms of the slopes.
        let mut matrix = vec![0.0; n * n];
        let mut values = vec![[0.0; 2]; n];
        for i in 1..n - 1 {
            let (before, after) = (steps[i - 1], steps[i]);
            matrix[i * n + i - 1] = after;
            matrix[i * n + i] = 2.0 * (before + after);
            matrix[i * n + i + 1] = before;
            let weighted = add(scaled(secants[i - 1], after), scaled(secants[i], before));
            values[i] = scaled(weighted, 3.0);
        }
        // Continuity of the third derivative, with the inner equation beside it taken off.
        let end = |first: usize, second: usize| {
            let (h0, h1) = (steps[first], steps[second]);
            let both = h0 + h1;
            let near = scaled(secants[first], (h0 + 2.0 * both) * h1 / both);
            let value = add(near, scaled(secants[second], h0 * h0 / both));
            (h1, both, value)
        };
        (matrix[0], matrix[1], values[0]) = end(0, 1);
        let last = n * n - 1;
        (matrix[last], matrix[last - 1], values[n - 1]) = end(n - 2, n - 3);
        Some(Self {
            slopes: linear::solve(matrix, values)?,
            knots,
            points: points.to_vec(),
        })
    }

    pub fn length(&self) -> f64 {
        self.knots[self.knots.len() - 1]
    }

    /// The place and the derivative at `t`, from 0 to `length`; cubics go on beyond.
    pub fn at(&self, t: f64) -> (Point, Point) {
        let inner = &self.knots[1..self.knots.len() - 1];
        let i = inner.partition_point(|k| *k <= t);
        let step = self.knots[i + 1] - self.knots[i];
        let u = (t - self.knots[i]) / step;
        let (p0, p1) = (self.points[i], self.points[i + 1]);
        let (d0, d1) = (
            scaled(self.slopes[i], step),
            scaled(self.slopes[i + 1], step),
        );
        // Hermite's form.
        let rise = sub(p1, p0);
        let quadratic = sub(scaled(rise, 3.0), add(scaled(d0, 2.0), d1));
        let cubic = sub(add(d0, d1), scaled(rise, 2.0));
        let place = [0, 1].map(|k| p0[k] + u * (d0[k] + u * (quadratic[k] + u * cubic[k])));
        let derivative =
            [0, 1].map(|k| (d0[k] + u * (2.0 * quadratic[k] + u * 3.0 * cubic[k])) / step);
        (place, derivative)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_a_line() {
        let points: Vec<Point> = [0.0, 1.0, 3.0, 4.0, 9.0].map(|x| [x, 2.0 * x]).to_vec();
        let spline = Spline::new(&points).unwrap();
        for k in 0..=20 {
            let t = spline.length() * f64::from(k) / 20.0;
            let ([x, y], d) = spline.at(t);
            assert!((x - t / 5f64.sqrt()).abs() < 1e-12 && (y - 2.0 * x).abs() < 1e-12);
            assert!((norm(d) - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn four_points_make_one_cubic() {
        // Not-a-knot at both inner knots leaves a single polynomial.
        let points = [[0.0, 0.0], [3.0, 4.0], [8.0, 4.0], [8.0, 9.0]];
        let spline = Spline::new(&points).unwrap();
        let third = |t: f64| {
            let f = |k: f64| spline.at(t + k * 0.5).0[1];
            f(3.0) - 3.0 * f(2.0) + 3.0 * f(1.0) - f(0.0)
        };
        assert!((third(0.5) - third(6.0)).abs() < 1e-10);
        assert!((third(4.2) - third(12.0)).abs() < 1e-10);
        for (t, p) in [0.0, 5.0, 10.0, 15.0].into_iter().zip(points) {
            assert!(norm(sub(spline.at(t).0, p)) < 1e-12);
        }
    }

    #[test]
    fn points_that_coincide_have_no_spline() {
        assert!(Spline::new(&[[0.0, 0.0], [1.0, 1.0], [1.0, 1.0], [2.0, 0.0]]).is_none());
        assert!(Spline::new(&[[0.0, 0.0], [1.0, f64::NAN], [1.0, 1.0], [2.0, 0.0]]).is_none());
        assert!(Spline::new(&[[0.0, 0.0], [1.0, 0.0], [2.0, 1.0]]).is_none());
    }
}
