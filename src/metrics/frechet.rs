//! How far two sets of pictures or clips are from each other, by features that a network sees in them.

use nalgebra::{DMatrix, DVector, SymmetricEigen};

/// Mean and covariance of features, gathered one by one.
#[derive(Clone, Debug)]
pub struct Moments {
    n: usize,
    sum: DVector<f64>,
    /// Of the products of each two, but for those of features that wait.
    products: DMatrix<f64>,
    /// Features one after the other: one product of matrices is sooner done than many of vectors.
    waiting: Vec<f64>,
}

/// Features that wait at most.
const AT_ONCE: usize = 256;

impl Moments {
    /// Of features of `d` numbers each.
    pub fn new(d: usize) -> Self {
        Self {
            n: 0,
            sum: DVector::zeros(d),
            products: DMatrix::zeros(d, d),
            waiting: Vec::new(),
        }
    }

    /// Adds one; false, and nothing is added, where it has another length or holds what is no number.
    #[must_use]
    pub fn add(&mut self, feature: &[f64]) -> bool {
        if feature.len() != self.sum.len() || feature.iter().any(|v| !v.is_finite()) {
            return false;
        }
        self.sum += DVector::from_column_slice(feature);
        self.n += 1;
        self.waiting.extend_from_slice(feature);
        if self.waiting.len() >= AT_ONCE * feature.len() {
            add_products(&mut self.products, &self.waiting);
            self.waiting.clear();
        }
        true
    }

    /// Of a feature.
    pub fn numbers(&self) -> usize {
        self.sum.len()
    }

    pub fn len(&self) -> usize {
        self.n
    }

    pub fn is_empty(&self) -> bool {
        self.n == 0
    }

    /// The mean and the covariance of all of them (divided by their number, as the published scripts do).
    fn gaussian(&self) -> Option<(DVector<f64>, DMatrix<f64>)> {
        let n = self.n as f64;
        let mean = &self.sum / n;
        let mut products = self.products.clone();
        add_products(&mut products, &self.waiting);
        let covariance = products / n - &mean * mean.transpose();
        (self.n > 0).then_some((mean, covariance))
    }
}

fn add_products(products: &mut DMatrix<f64>, features: &[f64]) {
    let d = products.nrows();
    let features = DMatrix::from_column_slice(d, features.len() / d.max(1), features);
    products.gemm(1.0, &features, &features.transpose(), 1.0);
}

/// The Fréchet distance of two Gaussians with these moments (Heusel et al., *GANs trained by a two time-scale update
/// rule*, 2017): `|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))`. With features of Inception-v3 it is called FID, with those
/// of I3D FVD. `None` of nothing, of features of two lengths, and of
/// numbers too large to be squared.
///
/// The trace of the root is that of `(C1^(1/2) C2 C1^(1/2))^(1/2)`, whose matrix is symmetric: what rounding leaves below
/// zero in it is none.
pub fn frechet(a: &Moments, b: &Moments) -> Option<f64> {
    let ((mean_a, a), (mean_b, b)) = (a.gaussian()?, b.gaussian()?);
    if mean_a.len() != mean_b.len() {
        return None;
    }
    let of_a = SymmetricEigen::new(a.clone());
    let roots = of_a.eigenvalues.map(|v| v.max(0.0).sqrt());
    let root = &of_a.eigenvectors * DMatrix::from_diagonal(&roots) * of_a.eigenvectors.transpose();
    let middle = &root * &b * &root;
    let middle = (&middle + middle.transpose()) * 0.5;
    let shared: f64 = SymmetricEigen::new(middle)
        .eigenvalues
        .iter()
        .map(|v| v.max(0.0).sqrt())
        .sum();
    let distance = (mean_a - mean_b).norm_squared() + a.trace() + b.trace() - 2.0 * shared;
    // Rounding can leave a little less than nothing.
    distance.is_finite().then_some(distance.max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;
    use rand_distr::{Distribution, StandardNormal};

    /// Of normal numbers, spread and turned by a matrix and moved.
    fn drawn(n: usize, by: &DMatrix<f64>, mean: f64, seed: u64) -> Moments {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut moments = Moments::new(by.nrows());
        for _ in 0..n {
            let z = DVector::from_fn(by.ncols(), |_, _| StandardNormal.sample(&mut rng));
            let x: DVector<f64> = (by * z).add_scalar(mean);
            assert!(moments.add(x.as_slice()));
        }
        moments
    }

    #[test]
    fn two_gaussians_are_as_far_as_the_closed_form_says() {
        let d = 6;
        // Covariances with the same axes: the distance is of each axis by itself.
        let turn = DMatrix::from_fn(d, d, |i, j| ((i * 7 + j * 3) as f64).sin());
        let turn = turn.qr().q();
        let spread =
            |of: fn(usize) -> f64| DMatrix::from_fn(d, d, |i, j| if i == j { of(i) } else { 0.0 });
        let (first, second) = (|i| 0.5 + 0.3 * i as f64, |i| 2.0 - 0.2 * i as f64);
        let a = drawn(400_000, &(&turn * spread(first)), 0.0, 1);
        let b = drawn(400_000, &(&turn * spread(second)), 3.0, 2);
        let right = d as f64 * 9.0 + (0..d).map(|i| (first(i) - second(i)).powi(2)).sum::<f64>();
        let found = frechet(&a, &b).unwrap();
        println!("{found:.4} of {right:.4}");
        assert!((found / right - 1.0).abs() < 1e-3, "{found} {right}");
        let own = frechet(&a, &a).unwrap();
        assert!(own.abs() < 1e-9 * right, "{own}");
        assert!((frechet(&b, &a).unwrap() / found - 1.0).abs() < 1e-9);
    }

    #[test]
    fn fewer_features_than_numbers_have_a_distance_too() {
        let by = DMatrix::identity(8, 8);
        let (a, b) = (drawn(3, &by, 0.0, 1), drawn(3, &by, 0.0, 2));
        assert!(frechet(&a, &b).unwrap() > 0.0);
        assert_eq!(frechet(&a, &Moments::new(8)), None);
        assert_eq!(
            frechet(&a, &drawn(3, &DMatrix::identity(7, 7), 0.0, 1)),
            None
        );
        let mut a = a;
        assert!(!a.add(&[0.0; 7]) && !a.add(&[f64::NAN; 8]));
        assert_eq!(a.len(), 3);
    }
}
