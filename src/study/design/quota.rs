//! How many clips of each class, for all and for each reader.

/// Numbers of clips of each class.
pub type Quota = [usize; 3];

/// `n` clips by their shares: rounded down, and what is left goes to the greatest remainders, so that they
/// add up to `n`.
pub fn of(n: usize, shares: [f64; 3]) -> Quota {
    let exact = shares.map(|share| share * n as f64);
    // A share such as 0.29 of 100 is 28.999...: that is whole.
    let mut quota = exact.map(|e| (e + 1e-9).floor() as usize);
    let mut order = [0, 1, 2];
    let rest = |i: usize| exact[i] - (exact[i] + 1e-9).floor();
    order.sort_by(|&a, &b| rest(b).total_cmp(&rest(a)));
    let missing = n.saturating_sub(quota.iter().sum());
    for &i in order.iter().cycle().take(missing) {
        quota[i] += 1;
    }
    quota
}

/// A total cut for `readers` lists of `trials`: whole numbers that differ by at most one in a class, each
/// list complete. `total` adds up to `readers * trials`.
pub fn cut(total: Quota, readers: usize, trials: usize) -> Vec<Quota> {
    let mut left = total;
    let lists = (0..readers).map(|r| {
        let waiting = readers - r;
        let mut quota = left.map(|n| n / waiting);
        let mut missing = trials.saturating_sub(quota.iter().sum());
        // What does not divide goes where most is left over.
        let mut order = [0, 1, 2];
        order.sort_by_key(|&i| std::cmp::Reverse(left[i] % waiting));
        for &i in order.iter().cycle().take(3 * trials) {
            if missing > 0 && quota[i] < left[i] && !left[i].is_multiple_of(waiting) {
                quota[i] += 1;
                missing -= 1;
            }
            if missing == 0 {
                break;
            }
        }
        for (left, taken) in left.iter_mut().zip(quota) {
            *left -= taken;
        }
        quota
    });
    lists.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_a_list() {
        assert_eq!(of(100, [0.5, 0.25, 0.25]), [50, 25, 25]);
        assert_eq!(of(100, [0.29, 0.57, 0.14]), [29, 57, 14]);
        assert_eq!(of(10, [1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0]), [4, 3, 3]);
        assert_eq!(of(7, [1.0, 0.0, 0.0]), [7, 0, 0]);
        let published = [130, 89, 81].map(|n| f64::from(n) / 300.0);
        assert_eq!(of(300, published), [130, 89, 81]);
    }

    #[test]
    fn lists_are_complete_and_even() {
        for (total, readers, trials) in [
            ([130, 89, 81], 3, 100),
            ([150, 75, 75], 3, 100),
            ([5, 3, 2], 5, 2),
            ([7, 7, 6], 4, 5),
            ([0, 12, 0], 4, 3),
        ] {
            let lists = cut(total, readers, trials);
            assert_eq!(lists.len(), readers);
            for list in &lists {
                assert_eq!(list.iter().sum::<usize>(), trials, "{lists:?}");
            }
            for class in 0..3 {
                let of: Vec<usize> = lists.iter().map(|l| l[class]).collect();
                assert_eq!(of.iter().sum::<usize>(), total[class]);
                let (low, high) = (of.iter().min().unwrap(), of.iter().max().unwrap());
                assert!(high - low <= 1, "{lists:?}");
            }
        }
    }
}
