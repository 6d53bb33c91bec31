//! Krippendorff's alpha: agreement of any number of raters, on any scale, with ratings missing.
//!
//! Krippendorff K. Computing Krippendorff's alpha-reliability, 2011. `α = 1 - Do / De`, from the matrix of
//! coincidences: each unit adds all ordered pairs of its values, over its number of values less one. `n_c`
//! are the matrix's margins and `n` its sum; `α = 1 - (n - 1) Σ o_ck δ²_ck / Σ n_c n_k δ²_ck`.

/// The scale of the ratings: it says how far apart two values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Names: equal or not.
    Nominal,
    /// Ranks: by the number of ratings between the two.
    Ordinal,
    /// Numbers whose differences count.
    Interval,
    /// Numbers, not negative, whose differences count in relation to their sum.
    Ratio,
}

/// Alpha of the ratings of `observers`, one list per observer with one rating per unit, `None` where it is
/// missing. What is not finite and the end of a shorter list count as missing. 1 is perfect agreement, 0
/// that of chance.
///
/// Units with fewer than two ratings are left out. `None` if no unit is left, if all ratings left are
/// equal, or if a negative one makes a ratio infinite.
pub fn krippendorff_alpha(observers: &[Vec<Option<f64>>], scale: Scale) -> Option<f64> {
    let ratings_of = |unit: usize| -> Vec<f64> {
        let ratings = observers.iter().filter_map(|observer| *observer.get(unit)?);
        // A zero may have a sign, which would sort it apart from the other zero.
        ratings
            .filter(|rating| rating.is_finite())
            .map(|rating| rating + 0.0)
            .collect()
    };
    let longest = observers.iter().map(Vec::len).max()?;
    let units: Vec<_> = (0..longest)
        .map(ratings_of)
        .filter(|unit| unit.len() > 1)
        .collect();

    let mut ratings = units.concat();
    ratings.sort_by(f64::total_cmp);
    let mut below = 0.0;
    let in_ranks = |equal: &[f64]| {
        let count = equal.len() as f64;
        below += count;
        Some(Value {
            value: *equal.first()?,
            count,
            mid_rank: below - count / 2.0,
        })
    };
    let values: Vec<Value> = ratings
        .chunk_by(|a, b| a == b)
        .filter_map(in_ranks)
        .collect();

    let observed = units.iter().map(|unit| {
        let once = |&rating: &f64| {
            let value = values.get(values.partition_point(|value| value.value < rating))?;
            Some(Value {
                count: 1.0,
                ..*value
            })
        };
        let unit: Vec<Value> = unit.iter().filter_map(once).collect();
        disagreement(scale, &unit) / (unit.len() as f64 - 1.0)
    });
    let observed: f64 = observed.sum();
    let expected = disagreement(scale, &values);
    let alpha = 1.0 - (ratings.len() as f64 - 1.0) * observed / expected;
    alpha.is_finite().then_some(alpha)
}

/// Equal ratings.
#[derive(Clone, Copy)]
struct Value {
    value: f64,
    count: f64,
    /// Middle of their ranks among all ratings.
    mid_rank: f64,
}

/// Sum of the squared distances of all ordered pairs of ratings.
fn disagreement(scale: Scale, values: &[Value]) -> f64 {
    let pairs = values
        .iter()
        .flat_map(|c| values.iter().map(move |k| (c, k)));
    pairs
        .map(|(c, k)| c.count * k.count * distance(scale, c, k).powi(2))
        .sum()
}

fn distance(scale: Scale, c: &Value, k: &Value) -> f64 {
    match scale {
        Scale::Nominal => f64::from(u8::from(c.value != k.value)),
        // The ratings between the two, and half of those that equal one of them.
        Scale::Ordinal => c.mid_rank - k.mid_rank,
        Scale::Interval => c.value - k.value,
        Scale::Ratio if c.value == k.value => 0.0,
        Scale::Ratio => (c.value - k.value) / (c.value + k.value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(alpha: Option<f64>, expected: f64) {
        let alpha = alpha.unwrap();
        assert!(
            (alpha - expected).abs() <= 1e-8,
            "{alpha} is not {expected}"
        );
    }

    fn observers<const N: usize>(rows: &[[i32; N]]) -> Vec<Vec<Option<f64>>> {
        let rating = |&r: &i32| (r >= 0).then(|| f64::from(r));
        rows.iter()
            .map(|row| row.iter().map(rating).collect())
            .collect()
    }

    // Krippendorff 2011, section C: 0.743, 0.815, 0.849, 0.797; more digits computed. -1 is missing.
    #[test]
    fn four_observers_with_gaps() {
        let observers = observers(&[
            [1, 2, 3, 3, 2, 1, 4, 1, 2, -1, -1, -1],
            [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, -1, 3],
            [-1, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, -1],
            [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, -1],
        ]);
        close(krippendorff_alpha(&observers, Scale::Nominal), 0.7434210526);
        close(krippendorff_alpha(&observers, Scale::Ordinal), 0.8153875038);
        close(
            krippendorff_alpha(&observers, Scale::Interval),
            0.8491071429,
        );
        close(krippendorff_alpha(&observers, Scale::Ratio), 0.7974027747);
    }

    // Krippendorff 2011, section A: 0.095. With two values every scale has one distance only.
    #[test]
    fn two_observers_of_two_values() {
        let observers = observers(&[
            [0, 1, 0, 0, 0, 0, 0, 0, 1, 0],
            [1, 1, 1, 0, 0, 1, 0, 0, 0, 0],
        ]);
        for scale in [
            Scale::Nominal,
            Scale::Ordinal,
            Scale::Interval,
            Scale::Ratio,
        ] {
            close(krippendorff_alpha(&observers, scale), 0.0952380952);
        }
    }

    #[test]
    fn what_is_not_defined_is_none() {
        assert_eq!(krippendorff_alpha(&[], Scale::Nominal), None);
        assert_eq!(
            krippendorff_alpha(&observers(&[[1, 2, 3]]), Scale::Nominal),
            None
        );
        assert_eq!(
            krippendorff_alpha(&observers(&[[1, 1], [1, 1]]), Scale::Interval),
            None
        );
        assert_eq!(
            krippendorff_alpha(&observers(&[[1, -1], [-1, 2]]), Scale::Nominal),
            None
        );
        let short = [
            vec![Some(1.0), Some(2.0), Some(9.0)],
            vec![Some(1.0), Some(2.0)],
        ];
        assert_eq!(krippendorff_alpha(&short, Scale::Interval), Some(1.0));
        let zeros = [vec![Some(0.0), Some(1.0)], vec![Some(-0.0), Some(1.0)]];
        assert_eq!(krippendorff_alpha(&zeros, Scale::Ratio), Some(1.0));
        let perfect = [vec![Some(1.0), Some(f64::NAN)], vec![Some(1.0), Some(3.0)]];
        assert_eq!(krippendorff_alpha(&perfect, Scale::Nominal), None);
    }
}
