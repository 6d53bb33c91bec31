//! A sitting: practice, a test or a class, from the first case to the last. Whoever drives it brings the time and
//! the guesses, and shows what it says.

use super::case::{Band, Case, Relevance, Truth, relevance};
use super::class::{Class, Feedback};
use super::profile::{Given, Grade, Mode, Profile, ProfileError};
use super::progress::{Point, Progress};
use super::result::ClassResult;
use super::sampler::Source;
use super::schedule::{self, ScheduleError};
use super::session::{Session, Wanted};
use crate::ef::{Category, EfPercent};
use crate::phantom::Quality;
use dicom_core::chrono::NaiveDate;
use std::collections::VecDeque;

/// What cases are drawn from, and what is said of their truth.
#[derive(Clone, Debug, PartialEq)]
pub struct About {
    pub source: Source,
    pub truth: Truth,
    pub truth_source: String,
    pub truth_error_points: f64,
    /// Of the source; in a class, of the class.
    pub sha256: String,
}

impl About {
    pub fn of(source: Source) -> Self {
        let (truth, truth_source, truth_error_points) = match &source {
            Source::BuiltIn { .. } => (Truth::Exact, "simulated heart".to_owned(), 0.0),
            Source::Set(set) => (set.truth, set.truth_source.clone(), set.truth_error_points),
        };
        Self {
            sha256: source.sha256(),
            source,
            truth,
            truth_source,
            truth_error_points,
        }
    }

    /// Of what a class is drawn from; known by the class itself.
    pub fn of_class(class: &Class) -> Self {
        let source = match &class.set {
            Some(set) => Source::Set(set.clone()),
            None => Source::built_in(class.quality),
        };
        Self {
            sha256: class.sha256(),
            ..Self::of(source)
        }
    }

    /// As `simulated heart, exact`, or `a regressor, measured, itself off by 4 points (SD)`.
    pub fn in_words(&self) -> String {
        let mut words = format!("{}, {}", self.truth_source, self.truth.name());
        if self.truth_error_points > 0.0 {
            words += &format!(", itself off by {} points (SD)", self.truth_error_points);
        }
        words
    }
}

/// What is wanted of practice or a test.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    pub about: About,
    pub seed: u64,
    pub cases: usize,
    /// Of the five bands, in their order.
    pub shares: [f64; Band::COUNT],
    pub time_limit_s: Option<f64>,
    /// How often a clip plays before it is hidden; none for as often as one likes.
    pub most_loops: Option<usize>,
}

/// A case that was answered, or whose time passed.
#[derive(Clone, Debug, PartialEq)]
pub struct Done {
    pub case: Case,
    pub guess_percent: Option<u32>,
    pub seconds: f64,
    /// None without a guess.
    pub verdict: Option<Verdict>,
}

/// What a guess is, beside the truth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// Guess less truth, in points.
    pub error: f64,
    pub relevance: Relevance,
    pub truth: Category,
    pub guessed: Category,
}

impl Verdict {
    /// Both in percent; categories are of unrounded values.
    pub fn of(ef_percent: f64, guess_percent: u32) -> Self {
        let guess = f64::from(guess_percent);
        Self {
            error: guess - ef_percent,
            relevance: relevance(ef_percent, guess),
            truth: EfPercent::measured(ef_percent).category(),
            guessed: EfPercent::measured(guess).category(),
        }
    }
}

/// Where cases come from.
enum Cases {
    Drawn(Box<Session>),
    /// A class's, those that this profile has not answered yet.
    Listed(VecDeque<Case>),
}

impl Cases {
    fn ask(&mut self) -> Option<Case> {
        match self {
            Self::Drawn(session) => session.ask(),
            Self::Listed(cases) => cases.pop_front(),
        }
    }
}

/// Why there is no sitting.
#[derive(Debug, thiserror::Error)]
pub enum SittingError {
    #[error(transparent)]
    Profile(#[from] ProfileError),
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    #[error("there is no case that this profile has not seen: choose another set or quality")]
    NoCases,
}

/// A sitting on its way.
pub struct Sitting {
    about: About,
    mode: Mode,
    feedback: Feedback,
    time_limit_s: Option<f64>,
    most_loops: Option<usize>,
    profile: Profile,
    cases: Cases,
    count: usize,
    /// The case on screen; answered once `done` is as long as `shown`.
    current: Option<Case>,
    /// Asked ahead, so that it is there when it is wanted.
    next: Option<Case>,
    shown: usize,
    done: Vec<Done>,
    /// What is handed in, in a class.
    result: Option<ClassResult>,
}

impl Sitting {
    /// Practice: feedback after each case, and what is due by this day comes back.
    ///
    /// # Errors
    /// When the profile's times are none, or there is no case.
    pub fn practice(profile: Profile, asked: Asked, on: NaiveDate) -> Result<Self, SittingError> {
        let cells = schedule::cells(profile.answers())?;
        let quality = match &asked.about.source {
            Source::BuiltIn { quality, .. } => Some(*quality),
            Source::Set(_) => None,
        };
        let here: Vec<_> = cells
            .into_iter()
            .filter(|c| quality.is_none_or(|q| q == c.quality))
            .collect();
        let due = schedule::due(&here, on, asked.cases);
        Self::drawn(profile, asked, Mode::Practice, &due)
    }

    /// A test: cases that this profile has not seen, and nothing is told before the end.
    ///
    /// # Errors
    /// When there is no such case.
    pub fn test(profile: Profile, asked: Asked) -> Result<Self, SittingError> {
        Self::drawn(profile, asked, Mode::Test, &[])
    }

    fn drawn(
        profile: Profile,
        asked: Asked,
        mode: Mode,
        due: &[&schedule::Cell],
    ) -> Result<Self, SittingError> {
        let session = Session::new(&Wanted {
            source: asked.about.source.clone(),
            seed: asked.seed,
            cases: asked.cases,
            shares: asked.shares,
            mode,
            due,
            seen: &profile.seen(),
        });
        let feedback = match mode {
            Mode::Practice => Feedback::AfterEach,
            Mode::Test | Mode::Class => Feedback::AtEnd,
        };
        let sitting = Self {
            about: asked.about,
            mode,
            feedback,
            time_limit_s: asked.time_limit_s,
            most_loops: asked.most_loops,
            profile,
            cases: Cases::Drawn(Box::new(session)),
            count: asked.cases,
            current: None,
            next: None,
            shown: 0,
            done: Vec::new(),
            result: None,
        };
        sitting.begun()
    }

    /// A class; what this profile has answered of it before stays as it was.
    ///
    /// # Errors
    /// When all of it was answered before: the result is [`class_result`]'s then.
    pub fn class(profile: Profile, class: &Class) -> Result<Self, SittingError> {
        let result = class_result(&profile, class);
        let open = |case: &Case| {
            let of = result.answers.iter().find(|a| a.case == case.case);
            of.is_some_and(|a| a.guess_percent.is_none())
        };
        let left: VecDeque<Case> = class.list().into_iter().filter(open).collect();
        let sitting = Self {
            about: About::of_class(class),
            mode: Mode::Class,
            feedback: class.feedback,
            time_limit_s: class.time_limit_s,
            most_loops: None,
            profile,
            count: left.len(),
            cases: Cases::Listed(left),
            current: None,
            next: None,
            shown: 0,
            done: Vec::new(),
            result: Some(result),
        };
        sitting.begun()
    }

    fn begun(mut self) -> Result<Self, SittingError> {
        self.next = self.cases.ask();
        self.proceed();
        match self.current {
            Some(_) => Ok(self),
            None => Err(SittingError::NoCases),
        }
    }

    /// Goes on to the next case, once the one on screen is answered.
    pub fn proceed(&mut self) {
        if self.done.len() < self.shown {
            return;
        }
        self.current = self.next.take();
        self.shown += usize::from(self.current.is_some());
        self.next = self.cases.ask();
    }

    /// Takes a guess for the case on screen, or that its time passed. It is on the disk when this returns.
    ///
    /// # Errors
    /// When the disk is full or fails: nothing was taken then.
    pub fn answer(
        &mut self,
        guess_percent: Option<u32>,
        seconds: f64,
        loops: usize,
        utc: &str,
    ) -> Result<(), ProfileError> {
        let Some(case) = self.case().filter(|_| !self.is_answered()).cloned() else {
            return Ok(());
        };
        let grade = match guess_percent {
            Some(guess_percent) => {
                let answer = self.profile.answer(&Given {
                    case: &case,
                    truth: self.about.truth,
                    set_sha256: &self.about.sha256,
                    guess_percent,
                    seconds,
                    loops,
                    mode: self.mode,
                    feedback: self.feedback == Feedback::AfterEach,
                    utc,
                })?;
                answer.grade
            }
            None => Grade::Again,
        };
        if let Cases::Drawn(session) = &mut self.cases {
            session.answered(&case, grade);
        }
        if let Some(result) = &mut self.result
            && let Some(open) = result.answers.iter_mut().find(|a| a.case == case.case)
        {
            (open.guess_percent, open.seconds) = (guess_percent, seconds);
        }
        self.done.push(Done {
            verdict: guess_percent.map(|guess| Verdict::of(case.ef_percent, guess)),
            case,
            guess_percent,
            seconds,
        });
        Ok(())
    }

    pub fn about(&self) -> &About {
        &self.about
    }

    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Whether the truth is told after each case.
    pub fn tells_at_once(&self) -> bool {
        self.feedback == Feedback::AfterEach
    }

    pub fn time_limit_s(&self) -> Option<f64> {
        self.time_limit_s
    }

    pub fn most_loops(&self) -> Option<usize> {
        self.most_loops
    }

    pub fn alias(&self) -> &str {
        self.profile.alias()
    }

    /// The case on screen; none at the end.
    pub fn case(&self) -> Option<&Case> {
        self.current.as_ref()
    }

    /// The one after it.
    pub fn next(&self) -> Option<&Case> {
        self.next.as_ref()
    }

    /// Whether the case on screen was answered, or its time has passed.
    pub fn is_answered(&self) -> bool {
        self.done.len() == self.shown
    }

    /// The number of the case on screen, from 1, and of all.
    pub fn place(&self) -> (usize, usize) {
        (self.shown, self.count)
    }

    /// All cases that were answered, or whose time passed, in order.
    pub fn done(&self) -> &[Done] {
        &self.done
    }

    /// Whether a class has cases that are not answered.
    pub fn is_class_open(&self) -> bool {
        let left = match &self.cases {
            Cases::Listed(cases) => cases.len() + usize::from(self.next.is_some()),
            Cases::Drawn(_) => return false,
        };
        left > 0 || !self.is_answered()
    }

    /// What is handed in, in a class.
    pub fn result(&self) -> Option<&ClassResult> {
        self.result.as_ref()
    }

    /// Figures of this sitting's guesses.
    pub fn progress(&self) -> Progress {
        Progress::of(&points(&self.done))
    }
}

/// Guesses beside their truths.
pub fn points(done: &[Done]) -> Vec<Point> {
    let point = |d: &Done| {
        Some(Point {
            ef_percent: d.case.ef_percent,
            guess_percent: f64::from(d.guess_percent?),
        })
    };
    done.iter().filter_map(point).collect()
}

/// What a profile has answered of a class, to be handed in.
pub fn class_result(profile: &Profile, class: &Class) -> ClassResult {
    let mut result = ClassResult::new(class, profile.alias());
    for answer in profile.answers() {
        if answer.set != result.class_sha256 {
            continue;
        }
        let of =
            |a: &&mut super::result::Answered| a.case == answer.case && a.guess_percent.is_none();
        if let Some(open) = result.answers.iter_mut().find(of) {
            (open.guess_percent, open.seconds) = (Some(answer.guess_percent), answer.seconds);
        }
    }
    result
}

/// What qualities a source's cases have.
pub fn qualities(source: &Source) -> Vec<Quality> {
    match source {
        Source::BuiltIn { quality, .. } => vec![*quality],
        Source::Set(set) => {
            let has = |q: &Quality| set.ladders.iter().any(|l| l.quality == *q);
            Quality::ALL.into_iter().filter(has).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drill::class;

    fn asked(cases: usize) -> Asked {
        Asked {
            about: About::of(Source::built_in(Quality::Good)),
            seed: 5,
            cases,
            shares: [1.0; 5],
            time_limit_s: None,
            most_loops: None,
        }
    }

    fn day() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, 26).unwrap()
    }

    const UTC: &str = "2026-11-26T07:00:00.000Z";

    #[test]
    fn practice_goes_from_the_first_case_to_the_last() {
        let folder = tempfile::tempdir().unwrap();
        let profile = Profile::open(folder.path(), "a").unwrap();
        let mut sitting = Sitting::practice(profile, asked(8), day()).unwrap();
        let mut shown = Vec::new();
        while let Some(case) = sitting.case().cloned() {
            assert!(!sitting.is_answered());
            // What is not answered stays.
            sitting.proceed();
            assert_eq!(sitting.case(), Some(&case));
            let guess = (case.ef_percent.round() as u32).clamp(5, 90);
            sitting.answer(Some(guess), 4.0, 3, UTC).unwrap();
            sitting.answer(Some(5), 4.0, 3, UTC).unwrap();
            assert!(sitting.is_answered());
            shown.push(case.case);
            sitting.proceed();
        }
        assert_eq!((shown.len(), sitting.done().len()), (8, 8));
        assert!(sitting.progress().mae.unwrap() <= 0.5);
        drop(sitting);
        let profile = Profile::open(folder.path(), "a").unwrap();
        assert_eq!(profile.answers().len(), 8);
        // A test has none of them.
        let mut test = Sitting::test(profile, asked(20)).unwrap();
        assert!(!test.tells_at_once());
        while let Some(case) = test.case().cloned() {
            assert!(!shown.contains(&case.case));
            test.answer(None, 30.0, 9, UTC).unwrap();
            test.proceed();
        }
        assert_eq!(test.done().len(), 20);
        assert!(test.done().iter().all(|d| d.verdict.is_none()));
    }

    #[test]
    fn a_class_goes_on_where_it_was_left() {
        let folder = tempfile::tempdir().unwrap();
        let class = Class::new(class::Wanted {
            name: "c".into(),
            source: Source::built_in(Quality::Medium),
            seed: 7,
            cases: 4,
            shares: [1.0; 5],
            kind: class::Kind::Guess,
            feedback: Feedback::AtEnd,
            time_limit_s: Some(30.0),
        })
        .unwrap();
        let open = || Profile::open(folder.path(), "a").unwrap();
        let mut sitting = Sitting::class(open(), &class).unwrap();
        let first = sitting.case().cloned().unwrap();
        assert_eq!(sitting.place(), (1, 4));
        sitting.answer(Some(44), 4.0, 3, UTC).unwrap();
        drop(sitting);
        let mut sitting = Sitting::class(open(), &class).unwrap();
        assert_eq!(sitting.place(), (1, 3));
        assert_ne!(sitting.case(), Some(&first));
        while sitting.case().is_some() {
            sitting.answer(Some(50), 4.0, 3, UTC).unwrap();
            sitting.proceed();
        }
        let result = sitting.result().unwrap();
        let guesses: Vec<_> = result.answers.iter().map(|a| a.guess_percent).collect();
        assert_eq!(guesses, [Some(44), Some(50), Some(50), Some(50)]);
        let result = result.clone();
        drop(sitting);
        assert_eq!(class_result(&open(), &class), result);
        let again = Sitting::class(open(), &class);
        assert!(matches!(again.err(), Some(SittingError::NoCases)));
    }

    #[test]
    fn a_verdict_is_of_unrounded_values() {
        let border = Verdict::of(40.0, 41);
        assert_eq!(border.relevance, Relevance::AtTheBorder);
        let relevant = Verdict::of(38.0, 52);
        assert_eq!(relevant.relevance, Relevance::ClinicallyRelevant);
        assert_eq!(Verdict::of(49.99, 50).truth, Category::MildlyReduced);
        assert_eq!(Verdict::of(50.0, 50).truth, Category::Preserved);
    }
}
