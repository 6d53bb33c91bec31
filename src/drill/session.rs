//! A sitting of practice or of a test: which case comes next, and what is asked again.
//!
//! Practice: cells that are due fill at most 60 % of it, the weakest first, and come evenly between the others. A
//! cell that was missed comes back after three to six cases, in another heart. What the profile has seen is asked only
//! where nothing else is left. A test has cases that the profile has not seen, and nothing comes back.

use super::case::{Band, Case};
use super::profile::{Grade, Mode};
use super::sampler::{Sampler, Source};
use super::schedule::Cell;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};
use std::collections::{BTreeSet, VecDeque};

/// Cases after which a missed cell comes back.
const AFTER: [usize; 4] = [3, 4, 5, 6];
/// Cases that are looked through for one of a band.
const PATIENCE: usize = 400;

/// What a sitting is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted<'a> {
    pub source: Source,
    pub seed: u64,
    pub cases: usize,
    /// Of the five bands, in their order.
    pub shares: [f64; Band::COUNT],
    pub mode: Mode,
    /// Cells that are due, the weakest first, no more than a sitting takes; none in a test.
    pub due: &'a [&'a Cell],
    /// Cases that the profile has seen.
    pub seen: &'a BTreeSet<&'a str>,
}

/// A sitting on its way.
pub struct Session {
    sampler: Sampler,
    random: ChaCha8Rng,
    mode: Mode,
    cases: usize,
    /// Cases that were asked so far; one may be asked ahead of the answer to the one before.
    asked: usize,
    answered: usize,
    /// Bands of the cells that are due, and where in the sitting each comes at the earliest.
    due: VecDeque<(usize, Band)>,
    /// Bands that were missed, where they come back, and in which heart they were missed.
    missed: Vec<(usize, Band, String)>,
    /// Drawn, and passed over for another band.
    waiting: VecDeque<Case>,
    seen: BTreeSet<String>,
    /// Drawn, and seen before: for practice, when nothing else is left.
    again: VecDeque<Case>,
}

impl Session {
    pub fn new(wanted: &Wanted<'_>) -> Self {
        let n = wanted.due.len();
        let due = match wanted.mode {
            Mode::Practice => wanted.due,
            Mode::Test | Mode::Class => &[],
        };
        // Between the others, from the beginning on.
        let place = |i: usize| i * wanted.cases / n.max(1);
        Self {
            sampler: Sampler::new(wanted.source.clone(), wanted.seed, wanted.shares),
            random: ChaCha8Rng::seed_from_u64(wanted.seed),
            mode: wanted.mode,
            cases: wanted.cases,
            asked: 0,
            answered: 0,
            due: due
                .iter()
                .enumerate()
                .map(|(i, cell)| (place(i), cell.band))
                .collect(),
            missed: Vec::new(),
            waiting: VecDeque::new(),
            seen: wanted.seen.iter().map(|s| (*s).to_owned()).collect(),
            again: VecDeque::new(),
        }
    }

    /// How many cases it has.
    pub fn cases(&self) -> usize {
        self.cases
    }

    pub fn asked(&self) -> usize {
        self.asked
    }

    /// The case that comes next; none at the end, or where the source has no more.
    pub fn ask(&mut self) -> Option<Case> {
        if self.asked >= self.cases {
            return None;
        }
        let case = self
            .back()
            .or_else(|| self.of_due())
            .or_else(|| self.waiting.pop_front())
            .or_else(|| self.drawn(|_| true))
            .or_else(|| self.again.pop_front())?;
        self.asked += 1;
        Some(case)
    }

    /// One that was missed comes back, in another heart.
    fn back(&mut self) -> Option<Case> {
        let due = self.missed.iter().position(|(at, ..)| *at <= self.asked)?;
        let (_, band, heart) = self.missed.remove(due);
        self.of_band(band, &heart)
    }

    fn of_due(&mut self) -> Option<Case> {
        let (_, band) = self.due.pop_front_if(|(at, _)| *at <= self.asked)?;
        self.of_band(band, "")
    }

    fn of_band(&mut self, band: Band, not_heart: &str) -> Option<Case> {
        let is_it = |c: &Case| c.band() == band && c.ladder != not_heart;
        if let Some(i) = self.waiting.iter().position(is_it) {
            return self.waiting.remove(i);
        }
        self.drawn(is_it).or_else(|| {
            let i = self.again.iter().position(is_it)?;
            self.again.remove(i)
        })
    }

    /// Draws until there is one; what is passed over waits.
    fn drawn(&mut self, is_it: impl Fn(&Case) -> bool) -> Option<Case> {
        let mut passed_over = 0;
        while passed_over < PATIENCE {
            let case = self.sampler.next()?;
            if self.seen.contains(&case.case) {
                self.put_behind(case);
            } else if is_it(&case) {
                return Some(case);
            } else {
                self.waiting.push_back(case);
                passed_over += 1;
            }
        }
        None
    }

    fn put_behind(&mut self, seen: Case) {
        if self.mode == Mode::Practice {
            self.again.push_back(seen);
        }
    }

    /// Learns that a case was seen meanwhile, though it was not asked.
    pub fn saw(&mut self, case: &str) {
        self.seen.insert(case.to_owned());
        let waits = self.waiting.iter().position(|c| c.case == case);
        if let Some(seen) = waits.and_then(|i| self.waiting.remove(i)) {
            self.put_behind(seen);
        }
    }

    /// Learns how a case was answered; cases are answered in the order in which they were asked.
    pub fn answered(&mut self, case: &Case, grade: Grade) {
        let place_of_case = self.answered;
        self.answered += 1;
        if self.mode == Mode::Practice && grade == Grade::Again {
            let place = (self.random.next_u64() % AFTER.len() as u64) as usize;
            let after = AFTER.get(place).copied().unwrap_or(3);
            self.missed
                .push((place_of_case + after, case.band(), case.ladder.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drill::case::Truth;
    use crate::drill::profile::Answer;
    use crate::drill::schedule::{cells, due};
    use crate::drill::set::{CaseSet, Simulated};
    use crate::phantom::Quality;
    use dicom_core::chrono::NaiveDate;

    fn wanted<'a>(mode: Mode, due: &'a [&'a Cell], seen: &'a BTreeSet<&'a str>) -> Wanted<'a> {
        Wanted {
            source: Source::built_in(Quality::Good),
            seed: 3,
            cases: 20,
            shares: [1.0; 5],
            mode,
            due,
            seen,
        }
    }

    #[test]
    fn what_is_missed_comes_back_within_six_cases_in_another_heart() {
        let none = BTreeSet::new();
        for missed in 0..12 {
            let mut session = Session::new(&wanted(Mode::Practice, &[], &none));
            let mut asked: Vec<Case> = Vec::new();
            while let Some(case) = session.ask() {
                let grade = if asked.len() == missed {
                    Grade::Again
                } else {
                    Grade::Good
                };
                session.answered(&case, grade);
                asked.push(case);
            }
            assert_eq!(asked.len(), 20);
            let it = &asked[missed];
            let back = asked[missed + 3..].iter().take(4);
            let mut back = back.filter(|c| c.band() == it.band() && c.ladder != it.ladder);
            assert!(back.next().is_some(), "{missed}");
            let names: BTreeSet<_> = asked.iter().map(|c| &c.case).collect();
            assert_eq!(names.len(), 20, "no case twice");
        }
    }

    #[test]
    fn a_case_that_is_asked_ahead_keeps_nothing_from_coming_back() {
        let none = BTreeSet::new();
        let mut session = Session::new(&wanted(Mode::Practice, &[], &none));
        let mut asked = vec![session.ask().unwrap()];
        while let Some(ahead) = session.ask() {
            let grade = if asked.len() == 1 {
                Grade::Again
            } else {
                Grade::Good
            };
            session.answered(&asked[asked.len() - 1], grade);
            asked.push(ahead);
        }
        let missed = &asked[0];
        let mut back = asked[3..7].iter();
        assert!(back.any(|c| c.band() == missed.band() && c.ladder != missed.ladder));
    }

    #[test]
    fn a_test_has_nothing_that_was_seen_and_nothing_comes_back() {
        let none = BTreeSet::new();
        let practice: Vec<Case> = {
            let mut session = Session::new(&wanted(Mode::Practice, &[], &none));
            std::iter::from_fn(|| session.ask()).collect()
        };
        let seen: BTreeSet<&str> = practice.iter().map(|c| c.case.as_str()).collect();
        let mut test = Session::new(&wanted(Mode::Test, &[], &seen));
        let mut cases = Vec::new();
        while let Some(case) = test.ask() {
            test.answered(&case, Grade::Again);
            cases.push(case);
        }
        assert_eq!(cases.len(), 20);
        assert!(cases.iter().all(|c| !seen.contains(c.case.as_str())));
        assert!(test.missed.is_empty());
    }

    #[test]
    fn practice_asks_what_was_seen_when_nothing_else_is_left() {
        let set = CaseSet::simulated(&Simulated {
            hearts: 4,
            efs: vec![25.0, 35.0, 45.0, 55.0, 65.0],
            quality: Quality::Good,
            seed: 1,
        });
        let names: Vec<String> = set.cases().map(|c| c.case).collect();
        let seen: BTreeSet<&str> = names.iter().step_by(2).map(String::as_str).collect();
        let all = |mode| {
            let mut session = Session::new(&Wanted {
                source: Source::Set(set.clone()),
                cases: 100,
                ..wanted(mode, &[], &seen)
            });
            let mut cases = vec![session.ask().unwrap().case];
            // One that was told meanwhile.
            let told = names
                .iter()
                .find(|n| !seen.contains(n.as_str()) && **n != cases[0]);
            session.saw(told.unwrap());
            cases.extend(std::iter::from_fn(|| session.ask()).map(|c| c.case));
            (cases, told.unwrap().clone())
        };
        let (cases, told) = all(Mode::Practice);
        assert_eq!(cases.iter().collect::<BTreeSet<_>>().len(), 20);
        assert_eq!(cases.len(), 20, "each once");
        let is_seen = |c: &String| seen.contains(c.as_str()) || *c == told;
        assert_eq!(cases.iter().position(is_seen), Some(9));
        assert!(cases[9..].iter().all(is_seen));
        let (cases, _) = all(Mode::Test);
        assert_eq!(cases.len(), 9);
        assert!(!cases.iter().any(is_seen));
    }

    #[test]
    fn due_cells_fill_no_more_than_their_share() {
        let answer = |ef_percent: f64| Answer {
            utc: "2026-11-01T07:00:00.000Z".into(),
            set: String::new(),
            case: format!("{ef_percent}"),
            ladder: "h".into(),
            truth: Truth::Exact,
            quality: Quality::Good,
            ef_percent,
            guess_percent: 60,
            seconds: 5.0,
            loops: 2,
            first: true,
            mode: Mode::Practice,
            feedback: true,
            grade: Grade::Again,
        };
        let cells = cells(&[answer(20.0), answer(35.0)]).unwrap();
        let on = NaiveDate::from_ymd_opt(2026, 12, 1).unwrap();
        let due = due(&cells, on, 20);
        let none = BTreeSet::new();
        let mut session = Session::new(&wanted(Mode::Practice, &due, &none));
        let first = session.ask().unwrap();
        assert_eq!(first.band(), due[0].band);
        let cases: Vec<Case> = std::iter::from_fn(|| session.ask()).collect();
        assert_eq!(cases.len(), 19);
        // The other one comes in the middle.
        assert_eq!(cases[9].band(), due[1].band);
    }
}
