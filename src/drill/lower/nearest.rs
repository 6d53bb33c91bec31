//! Of a set, the two rungs whose difference in EF is nearest to one that is wanted.

use crate::drill::set::CaseSet;
use std::collections::BTreeMap;

/// A rung of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct At {
    /// EF in thousandths of a point, so that equal differences are equal.
    ef: i64,
    /// Its ladder's place in the set.
    pub(super) heart: usize,
    /// Its place in the ladder.
    pub(super) rung: usize,
}

impl At {
    /// How much higher the other is, in EF points.
    pub(super) fn points_to(self, high: Self) -> f64 {
        (high.ef - self.ef) as f64 / 1000.0
    }
}

/// What is looked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    /// The difference, in EF points.
    pub(super) level: f64,
    /// No smaller difference is a pair.
    pub(super) least: f64,
    pub(super) different_hearts: bool,
    /// Hearts that do not come.
    pub(super) recent: &'a [usize],
}

/// All rungs of a set, by EF.
#[derive(Clone, Debug, Default)]
pub(super) struct Pool {
    rungs: Vec<At>,
}

fn thousandths(points: f64) -> i64 {
    (1000.0 * points).round() as i64
}

impl Pool {
    pub(super) fn of(set: &CaseSet) -> Self {
        let ladders = set.ladders.iter().enumerate();
        let mut rungs: Vec<At> = ladders
            .flat_map(|(heart, ladder)| {
                let rungs = ladder.rungs.iter().enumerate();
                rungs.map(move |(rung, it)| At {
                    ef: thousandths(it.ef_percent),
                    heart,
                    rung,
                })
            })
            .collect();
        rungs.sort_by_key(|at| (at.ef, at.heart));
        Self { rungs }
    }

    /// Of all pairs whose difference is nearest, one by chance, the lower rung first; `below(n)` draws from 0..n.
    /// None where there is none.
    pub(super) fn nearest(
        &self,
        wanted: &Wanted<'_>,
        mut below: impl FnMut(usize) -> usize,
    ) -> Option<[At; 2]> {
        let level = thousandths(wanted.level);
        // Two of one EF are no pair.
        let least = thousandths(wanted.least).max(1);
        let may_come = |at: &&At| !wanted.recent.contains(&at.heart);
        let rungs = self.rungs.iter().filter(may_come).copied();
        let lists: Vec<List> = if wanted.different_hearts {
            vec![List::new(rungs.map(|at| (at, at.heart)).collect())]
        } else {
            let mut of: BTreeMap<usize, Vec<(At, usize)>> = BTreeMap::new();
            for at in rungs {
                of.entry(at.heart).or_default().push((at, at.rung));
            }
            of.into_values().map(List::new).collect()
        };
        let found = lists.iter().filter_map(|list| {
            let (off, lows) = list.nearest(level, least)?;
            Some((off, list, lows))
        });
        let mut found: Vec<_> = found.collect();
        let off = found.iter().map(|(off, ..)| *off).min()?;
        found.retain(|it| it.0 == off);
        // First the heart: one with many rungs is to come no more often than others.
        let (_, list, lows) = found.get(below(found.len()))?;
        let (low, key) = *lows.get(below(lows.len()))?;
        let highs = list.rungs.iter().filter(|(high, other)| {
            let step = high.ef - low.ef;
            *other != key && step >= least && (step - level).abs() == off
        });
        let highs: Vec<&(At, usize)> = highs.collect();
        let (high, _) = highs.get(below(highs.len()))?;
        Some([low, *high])
    }
}

/// Rungs by EF, each with a key: two of different keys may be a pair.
struct List {
    rungs: Vec<(At, usize)>,
    /// By rung, the next one above and below with another key.
    above: Vec<Option<usize>>,
    below: Vec<Option<usize>>,
}

impl List {
    fn new(rungs: Vec<(At, usize)>) -> Self {
        let key = |i: usize| rungs.get(i).map(|r| r.1);
        let n = rungs.len();
        let (mut above, mut below) = (vec![None; n], vec![None; n]);
        let of_others = |places: &mut Vec<Option<usize>>, at: usize, beside: usize| {
            let further = places.get(beside).copied().flatten();
            let it = if key(beside) == key(at) {
                further
            } else {
                Some(beside)
            };
            if let Some(place) = places.get_mut(at) {
                *place = it;
            }
        };
        for i in 1..n {
            of_others(&mut below, i, i - 1);
            of_others(&mut above, n - 1 - i, n - i);
        }
        Self {
            rungs,
            above,
            below,
        }
    }

    /// How far off the level the nearest differences are, in thousandths, and the lower rungs that have one.
    fn nearest(&self, level: i64, least: i64) -> Option<(i64, Vec<(At, usize)>)> {
        let mut best = (i64::MAX, Vec::new());
        for &(low, key) in &self.rungs {
            let at = self
                .rungs
                .partition_point(|(at, _)| at.ef < low.ef + level.max(least));
            let other = |place: Option<usize>, further: &[Option<usize>]| {
                let place = place?;
                let (_, it) = self.rungs.get(place)?;
                let place = if *it == key {
                    *further.get(place)?
                } else {
                    Some(place)
                };
                self.rungs.get(place?).map(|(high, _)| high.ef - low.ef)
            };
            let both = [
                other(Some(at), &self.above),
                other(at.checked_sub(1), &self.below),
            ];
            let steps = both.into_iter().flatten().filter(|step| *step >= least);
            let Some(off) = steps.map(|step| (step - level).abs()).min() else {
                continue;
            };
            if off < best.0 {
                best = (off, Vec::new());
            }
            if off == best.0 {
                best.1.push((low, key));
            }
        }
        (!best.1.is_empty()).then_some(best)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drill::case::{Ladder, Recipe, Rung, Truth};
    use crate::drill::set::{FORMAT, VERSION};
    use crate::phantom::Quality;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};

    fn set(ladders: &[Vec<u64>]) -> CaseSet {
        let ladder = |(i, efs): (usize, &Vec<u64>)| Ladder {
            ladder: format!("l{i}"),
            quality: Quality::Good,
            rungs: efs
                .iter()
                .map(|ef| Rung {
                    case: format!("l{i}-{ef}"),
                    ef_percent: *ef as f64 / 10.0,
                    recipe: Recipe::Simulated { seed: 0 },
                })
                .collect(),
        };
        CaseSet {
            format: FORMAT.into(),
            version: VERSION,
            name: String::new(),
            truth: Truth::Measured,
            truth_source: String::new(),
            truth_error_points: 0.0,
            ladders: ladders.iter().enumerate().map(ladder).collect(),
        }
    }

    /// By looking at every pair.
    #[test]
    fn no_other_pair_is_nearer() {
        let mut random = ChaCha8Rng::seed_from_u64(5);
        let mut below = |n: usize| (random.next_u64() % n.max(1) as u64) as usize;
        for round in 0..400 {
            let ladders: Vec<Vec<u64>> = (0..1 + below(5))
                .map(|_| {
                    let mut efs: Vec<u64> = (0..below(6)).map(|_| 150 + below(60) as u64).collect();
                    efs.sort_unstable();
                    efs.dedup();
                    efs
                })
                .collect();
            let pool = Pool::of(&set(&ladders));
            let recent = [below(8)];
            let wanted = Wanted {
                level: [0.5, 1.0, 3.0, 5.0][below(4)],
                least: [0.0, 0.4, 2.0][below(3)],
                different_hearts: round % 2 == 0,
                recent: &recent,
            };
            let mut best: Option<i64> = None;
            for low in &pool.rungs {
                for high in &pool.rungs {
                    let step = low.points_to(*high);
                    let may = step > 0.0
                        && step >= wanted.least
                        && (low.heart != high.heart) == wanted.different_hearts
                        && ![low.heart, high.heart].contains(&recent[0]);
                    let off = (thousandths(step) - thousandths(wanted.level)).abs();
                    if may && best.is_none_or(|best| off < best) {
                        best = Some(off);
                    }
                }
            }
            let found = pool.nearest(&wanted, &mut below);
            let off = found.map(|[low, high]| {
                assert_eq!(low.heart != high.heart, wanted.different_hearts);
                assert!(![low.heart, high.heart].contains(&recent[0]));
                let step = low.points_to(high);
                assert!(step > 0.0 && step >= wanted.least);
                (thousandths(step) - thousandths(wanted.level)).abs()
            });
            assert_eq!(off, best, "{ladders:?} {wanted:?}");
        }
    }

    #[test]
    fn a_heart_with_many_rungs_comes_no_more_often() {
        let many: Vec<u64> = (0..11).map(|i| 200 + 50 * i).collect();
        let pool = Pool::of(&set(&[many, vec![300, 350], vec![400, 450]]));
        let wanted = Wanted {
            level: 5.0,
            least: 0.0,
            different_hearts: false,
            recent: &[],
        };
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let mut of = [0; 3];
        for _ in 0..600 {
            let below = |n: usize| (random.next_u64() % n as u64) as usize;
            let [low, high] = pool.nearest(&wanted, below).unwrap();
            assert_eq!(low.points_to(high), 5.0);
            of[low.heart] += 1;
        }
        assert!(of.iter().all(|n| (160..240).contains(n)), "{of:?}");
    }
}
