//! A class of *Which is lower?* that goes on where it was left.

use super::Pairs;
use crate::drill::class::Class;
use crate::drill::profile::{Compared, Profile};
use crate::drill::result::LowerTrial;

/// A class of kind *lower*, as far as a profile has answered it.
pub struct OfClass {
    /// What its next trials are to be kept under; none before the first.
    pub run: Option<String>,
    /// To be handed in, with those that follow.
    pub trials: Vec<LowerTrial>,
    /// Those that follow; [done](Pairs::is_done) where nothing is left to be asked.
    pub pairs: Pairs,
}

/// What a profile has answered of a class of kind *lower*: the last run, where there are several.
pub fn of_class(profile: &Profile, class: &Class) -> OfClass {
    let sha256 = class.sha256();
    let kept = profile.compared().iter().filter(|c| c.set == sha256);
    let run = kept.clone().next_back().map(|c| c.run.clone());
    let answered: Vec<&Compared> = kept.filter(|c| Some(&c.run) == run.as_ref()).collect();
    let (_, _, error) = class.truth();
    OfClass {
        trials: answered.iter().map(|c| LowerTrial::from(*c)).collect(),
        pairs: Pairs::resumed(class.source(), class.seed, false, error, &answered),
        run,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drill::case::Truth;
    use crate::drill::class::{Feedback, Kind, Wanted};
    use crate::drill::lower::{Pair, Side};
    use crate::drill::profile::Trial;
    use crate::drill::sampler::Source;
    use crate::drill::set::{CaseSet, Simulated};
    use crate::drill::staircase::Noticeable;
    use crate::phantom::Quality;

    fn class(source: Source, seed: u64) -> Class {
        let class = Class::new(Wanted {
            name: "c".into(),
            source,
            seed,
            cases: 4,
            shares: [1.0; 5],
            kind: Kind::Lower,
            feedback: Feedback::AfterEach,
            time_limit_s: None,
        });
        class.unwrap()
    }

    /// Every third is wrong.
    fn say(pair: &Pair, trials: usize) -> Side {
        match (trials % 3, pair.lower) {
            (2, Side::Left) => Side::Right,
            (2, Side::Right) => Side::Left,
            (_, lower) => lower,
        }
    }

    /// Answers so many trials of what is left, into the profile.
    fn go_on(profile: &mut Profile, class: &Class, run: &str, most: usize) -> Vec<Pair> {
        let OfClass {
            run: before,
            mut pairs,
            ..
        } = of_class(profile, class);
        let run = before.unwrap_or_else(|| run.to_owned());
        let mut asked = Vec::new();
        while asked.len() < most
            && let Some(pair) = pairs.ask()
        {
            let said = say(&pair, pairs.trials());
            let trial = Trial {
                pair: &pair,
                said,
                truth: Truth::Exact,
                set_sha256: &class.sha256(),
                run: &run,
                seconds: 2.5,
                utc: "2026-11-26T07:00:00.000Z",
            };
            profile.compare(&trial).unwrap();
            pairs.answered(&pair, said);
            asked.push(pair);
        }
        asked
    }

    fn uninterrupted(mut pairs: Pairs) -> (Vec<Pair>, Noticeable) {
        let mut all = Vec::new();
        while let Some(pair) = pairs.ask() {
            let said = say(&pair, pairs.trials());
            pairs.answered(&pair, said);
            all.push(pair);
        }
        (all, pairs.noticeable())
    }

    #[test]
    fn a_class_that_was_left_goes_on_as_if_it_was_not() {
        let set = CaseSet::simulated(&Simulated {
            hearts: 3,
            efs: vec![20.0, 25.0, 37.0, 52.0],
            quality: Quality::Good,
            seed: 1,
        });
        for source in [Source::built_in(Quality::Good), Source::Set(set)] {
            let class = class(source, 7);
            let (all, noticeable) = uninterrupted(class.pairs());
            let folder = tempfile::tempdir().unwrap();
            let open = || Profile::open(folder.path(), "x").unwrap();
            let begun = of_class(&open(), &class);
            assert_eq!(
                (begun.run, begun.trials.len(), begun.pairs.trials()),
                (None, 0, 0)
            );
            // Left after the first, then somewhere, then never; each time by another program.
            let mut asked = Vec::new();
            for (run, most) in [("first", 1), ("second", 13), ("third", 60)] {
                asked.extend(go_on(&mut open(), &class, run, most));
            }
            assert_eq!(asked, all);
            let profile = open();
            assert!(profile.compared().iter().all(|c| c.run == "first"));
            let mut done = of_class(&profile, &class);
            assert!(done.pairs.is_done() && done.pairs.ask().is_none());
            assert_eq!(done.pairs.noticeable(), noticeable);
            let points: Vec<f64> = done.trials.iter().map(|t| t.points).collect();
            assert_eq!(points, all.iter().map(|p| p.points).collect::<Vec<_>>());
            assert_eq!(
                done.trials.iter().filter(|t| !t.right_answer).count(),
                all.len() / 3
            );
        }
    }

    #[test]
    fn only_the_last_run_of_the_class_itself_is_gone_on_with() {
        let of = |seed| class(Source::built_in(Quality::Good), seed);
        let folder = tempfile::tempdir().unwrap();
        let mut profile = Profile::open(folder.path(), "x").unwrap();
        go_on(&mut profile, &of(8), "another class", 5);
        let begun = of_class(&profile, &of(7));
        assert_eq!((begun.run, begun.trials.len()), (None, 0));
        let mut pairs = of(7).pairs();
        let pair = pairs.ask().unwrap();
        for run in ["before", "last", "last"] {
            let trial = Trial {
                pair: &pair,
                said: pair.lower,
                truth: Truth::Exact,
                set_sha256: &of(7).sha256(),
                run,
                seconds: 2.5,
                utc: "2026-11-26T07:00:00.000Z",
            };
            profile.compare(&trial).unwrap();
        }
        let begun = of_class(&profile, &of(7));
        assert_eq!(begun.run.as_deref(), Some("last"));
        assert_eq!((begun.trials.len(), begun.pairs.trials()), (2, 2));
        assert_eq!(begun.trials[0], LowerTrial::new(&pair, pair.lower, 2.5));
    }
}
