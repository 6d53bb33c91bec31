use super::*;
use crate::drill::case::Truth;
use crate::drill::set::{CaseSet, Simulated};
use crate::drill::staircase::Observer;
use crate::hash::sha256;
use crate::phantom::Quality;
use std::collections::BTreeSet;

fn built_in(seed: u64, different_hearts: bool) -> Pairs {
    let source = Source::built_in(Quality::Medium);
    Pairs::new(source, seed, different_hearts, 0.0)
}

fn set(hearts: usize, efs: &[f64]) -> CaseSet {
    CaseSet::simulated(&Simulated {
        hearts,
        efs: efs.to_vec(),
        quality: Quality::Good,
        seed: 1,
    })
}

fn other(side: Side) -> Side {
    match side {
        Side::Left => Side::Right,
        Side::Right => Side::Left,
    }
}

/// Answers until it is done: every third is wrong.
fn run(mut pairs: Pairs) -> Vec<Pair> {
    let mut all = Vec::new();
    while let Some(pair) = pairs.ask() {
        let said = if all.len() % 3 == 2 {
            other(pair.lower)
        } else {
            pair.lower
        };
        pairs.answered(&pair, said);
        all.push(pair);
    }
    assert_eq!(pairs.trials(), all.len());
    all
}

fn run_of(seed: u64) -> Vec<Pair> {
    run(built_in(seed, false))
}

/// So many pairs as a trainee sees them who stops and begins again.
fn many(n: usize, mut begin: impl FnMut(u64) -> Pairs) -> Vec<Pair> {
    let sittings = (0..).flat_map(|seed| run(begin(seed)));
    sittings.take(n).collect()
}

fn check(pair: &Pair) {
    let low = pair.case(pair.lower);
    let high = pair.case(other(pair.lower));
    assert!(pair.points > 0.0);
    assert!(
        (high.ef_percent - low.ef_percent - pair.points).abs() < 1e-9,
        "{pair:?}"
    );
}

#[test]
fn built_in_hearts_differ_by_exactly_the_level() {
    for different_hearts in [false, true] {
        for seed in 0..10 {
            let all = run(built_in(seed, different_hearts));
            assert!((30..=60).contains(&all.len()));
            let mut staircase = Staircase::new();
            for (i, pair) in all.iter().enumerate() {
                check(pair);
                assert_eq!(pair.points, staircase.next());
                staircase.learn(pair.points, i % 3 != 2);
                assert_eq!(pair.left.ladder != pair.right.ladder, different_hearts);
                for case in [&pair.left, &pair.right] {
                    assert!((15.0..=75.0).contains(&case.ef_percent));
                    let tenths = (10.0 * case.ef_percent).round() / 10.0;
                    assert_eq!(tenths, case.ef_percent, "as its name says");
                    assert_eq!(case.quality, Quality::Medium);
                }
            }
            assert!(staircase.is_done());
            let hearts = |p: &Pair| BTreeSet::from([p.left.ladder.clone(), p.right.ladder.clone()]);
            for five in all.windows(5) {
                let of: BTreeSet<String> = five.iter().flat_map(hearts).collect();
                assert_eq!(of.len(), if different_hearts { 10 } else { 5 });
            }
        }
    }
}

#[test]
fn means_are_even_over_what_the_level_leaves() {
    let first = |seed| built_in(seed, false).ask().unwrap();
    let means: Vec<f64> = (0..600)
        .map(|seed| {
            let pair = first(seed);
            assert_eq!(pair.points, 16.0);
            (pair.left.ef_percent + pair.right.ef_percent) / 2.0
        })
        .collect();
    // 23 to 67: a quarter in each quarter.
    for quarter in 0..4 {
        let from = 23.0 + 11.0 * f64::from(quarter);
        let n = means
            .iter()
            .filter(|m| (from..from + 11.0).contains(*m))
            .count();
        assert!((110..=190).contains(&n), "{quarter}: {n}");
    }
}

#[test]
fn a_set_shows_the_nearest_difference_and_that_is_learnt_from() {
    let set = set(12, &[20.0, 25.0, 37.0, 52.0]);
    let steps = [5.0, 12.0, 15.0, 17.0, 27.0, 32.0];
    for different_hearts in [false, true] {
        let source = Source::Set(set.clone());
        let all = run(Pairs::new(source, 3, different_hearts, 0.0));
        let mut staircase = Staircase::new();
        for (i, pair) in all.iter().enumerate() {
            check(pair);
            assert_eq!(pair.left.ladder != pair.right.ladder, different_hearts);
            let off = |step: f64| (step - staircase.next()).abs();
            assert!(
                steps.iter().all(|s| off(pair.points) <= off(*s)),
                "{pair:?}"
            );
            staircase.learn(pair.points, i % 3 != 2);
        }
        let apart = if different_hearts { 10 } else { 5 };
        for five in all.windows(5) {
            let hearts = |p: &Pair| [p.left.ladder.clone(), p.right.ladder.clone()];
            let of: BTreeSet<String> = five.iter().flat_map(hearts).collect();
            assert_eq!(of.len(), apart);
        }
    }
}

#[test]
fn without_a_pair_nothing_is_asked() {
    let ask = |set: CaseSet, different_hearts, error| {
        Pairs::new(Source::Set(set), 1, different_hearts, error).ask()
    };
    assert_eq!(ask(set(3, &[40.0]), false, 0.0), None);
    assert_eq!(ask(set(3, &[40.0]), true, 0.0), None, "of one EF");
    assert_eq!(ask(set(1, &[40.0, 50.0]), true, 0.0), None, "of one heart");
    assert!(ask(set(1, &[40.0, 50.0]), false, 0.0).is_some());
    // Two hearts are enough, again and again.
    let two = Pairs::new(Source::Set(set(2, &[40.0, 50.0])), 1, true, 0.0);
    assert!(run(two).len() >= 30);
    assert_eq!(ask(set(3, &[40.0, 50.0]), false, 10.5), None);
    assert_eq!(ask(set(3, &[40.0, 85.0]), false, 41.0), None);
}

#[test]
fn no_difference_is_asked_that_the_truth_cannot_tell() {
    let source = Source::Set(set(12, &[20.0, 22.0, 26.0, 31.0, 38.0, 50.0]));
    let all = run(Pairs::new(source, 1, false, 4.4));
    let least = all.iter().map(|p| p.points).fold(f64::INFINITY, f64::min);
    assert_eq!(least, 5.0, "4 points are less than the error");
    let right = |mut pairs: Pairs| {
        let mut least = f64::INFINITY;
        while let Some(pair) = pairs.ask() {
            least = pair.points.min(least);
            pairs.answered(&pair, pair.lower);
        }
        least
    };
    let source = || Source::built_in(Quality::Good);
    assert_eq!(right(Pairs::new(source(), 1, false, 4.4)), 5.0);
    assert!(right(Pairs::new(source(), 1, false, 0.0)) < 2.0);
    assert_eq!(Pairs::new(source(), 1, false, f64::NAN).ask(), None);
}

#[test]
fn sides_follow_from_nothing_that_can_be_seen() {
    let share = |pairs: &[&Pair]| {
        let left = pairs.iter().filter(|p| p.lower == Side::Left).count();
        left as f64 / pairs.len() as f64
    };
    let fair = |pairs: &[&Pair], what: &str| {
        // Three standard errors of a coin.
        let most = 1.5 / (pairs.len() as f64).sqrt();
        let off = (share(pairs) - 0.5).abs();
        assert!(pairs.len() >= 80 && off < most, "{what}: {}", share(pairs));
    };
    for different_hearts in [false, true] {
        let all = many(200, |seed| built_in(seed, different_hearts));
        fair(&all.iter().collect::<Vec<_>>(), "200 trials");
        // Of one case, the side, by its heart's number and its EF; of both, which is named first.
        let is_odd = |name: &str| name.ends_with(['1', '3', '5', '7', '9']);
        for odd in [false, true] {
            let of = |is: &dyn Fn(&Pair) -> bool| {
                all.iter().filter(|p| is(p) == odd).collect::<Vec<_>>()
            };
            fair(&of(&|p| is_odd(&p.left.ladder)), "heart");
            fair(&of(&|p| is_odd(&p.left.case)), "case");
            if different_hearts {
                fair(&of(&|p| p.left.ladder < p.right.ladder), "name");
            }
        }
    }
    let first: Vec<Pair> = (0..400)
        .map(|s| built_in(s, false).ask().unwrap())
        .collect();
    for parity in 0..2 {
        let of: Vec<&Pair> = first.iter().skip(parity).step_by(2).collect();
        fair(&of, "seed");
    }
    let source = || Source::Set(set(6, &[30.0, 40.0, 55.0]));
    let all = many(200, |seed| Pairs::new(source(), seed, false, 0.0));
    fair(&all.iter().collect::<Vec<_>>(), "a set");
}

#[test]
fn the_same_pairs_everywhere() {
    let lines = |all: &[Pair]| -> String {
        let line = |p: &Pair| {
            format!(
                "{} {} {} {:?}\n",
                p.left.case, p.right.case, p.points, p.lower
            )
        };
        all.iter().map(line).collect()
    };
    let of = |seed, different| lines(&run(built_in(seed, different)));
    assert_eq!(of(7, false), of(7, false));
    assert_ne!(of(7, false), of(8, false));
    let hash = |text: &str| sha256(text.as_bytes())[..16].to_owned();
    let first = |different| lines(&run(built_in(7, different))[..20]);
    let source = Source::Set(set(12, &[20.0, 25.0, 37.0, 52.0]));
    let of_set = lines(&run(Pairs::new(source, 7, false, 0.0))[..20]);
    let found = [first(false), first(true), of_set].map(|text| hash(&text));
    // On another machine and in another version, too.
    assert_eq!(
        found,
        ["2a2350d643d67066", "87e63539f399cd74", "1035f6c629e2ec62"]
    );
}

#[test]
fn a_trainee_whose_difference_is_known_is_found() {
    let observer = Observer {
        alpha: 6.0,
        slope: 2.0,
        lapse: 0.02,
    };
    let mut random = random_of("a trainee");
    let mut near = 0;
    for seed in 0..20 {
        let mut pairs = built_in(seed, false);
        while let Some(pair) = pairs.ask() {
            let drawn = (random.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
            let is_right = drawn < observer.right(pair.points);
            let said = if is_right {
                pair.lower
            } else {
                other(pair.lower)
            };
            pairs.answered(&pair, said);
        }
        assert!(pairs.is_done() && pairs.ask().is_none());
        let ratio = pairs.noticeable().value / observer.noticeable();
        near += usize::from((1.0 / 1.5..1.5).contains(&ratio));
    }
    assert!(near >= 18, "{near}");
}

#[test]
fn the_last_sitting_with_enough_trials_is_what_a_profile_shows() {
    let trial = |run: &str, points: f64, right_answer: bool| Compared {
        utc: "2026-11-26T07:00:00.000Z".into(),
        set: String::new(),
        run: run.into(),
        left: "h0007-380".into(),
        right: "h0007-420".into(),
        truth: Truth::Exact,
        quality: Quality::Good,
        points,
        right_answer,
        seconds: 2.0,
        different_hearts: false,
    };
    let sitting = |run: &str, seed| -> Vec<Compared> {
        let all = run_of(seed);
        let each = all.iter().enumerate();
        each.map(|(i, p)| trial(run, p.points, i % 3 != 2))
            .collect()
    };
    let mut compared = sitting("first", 1);
    assert_eq!(noticeable_of(&compared[..29]), None);
    assert!(last_sitting(&compared[..29]).is_empty());
    let first = noticeable_of(&compared).unwrap();
    // One that was left early says nothing yet.
    compared.extend(sitting("second", 2).into_iter().take(20));
    assert_eq!(noticeable_of(&compared), Some(first));
    compared.extend((0..30).map(|_| trial("third", 1.0, true)));
    let third = noticeable_of(&compared).unwrap();
    assert!(third.high < first.value, "{third:?} {first:?}");
    assert_eq!(last_sitting(&compared).len(), 30);
    let mut pairs = built_in(1, false);
    while let Some(pair) = pairs.ask() {
        let said = if pairs.trials() % 3 == 2 {
            other(pair.lower)
        } else {
            pair.lower
        };
        pairs.answered(&pair, said);
    }
    assert_eq!(pairs.noticeable(), first, "as it was on screen");
}
