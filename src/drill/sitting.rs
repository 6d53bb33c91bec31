//! A sitting: practice, a test or a class, from the first case to the last. Whoever drives it brings the time and
//! the guesses, and shows what it says.

mod about;
mod done;

pub use about::About;
pub use done::{Done, Verdict, points};

use super::case::{Band, Case};
use super::class::{Class, Feedback};
use super::profile::{Given, Grade, Mode, Profile, ProfileError, Shown};
use super::progress::Progress;
use super::result::ClassResult;
use super::sampler::Source;
use super::schedule::{self, ScheduleError};
use super::session::{Session, Wanted};
use dicom_core::chrono::NaiveDate;
use std::collections::{BTreeSet, VecDeque};

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
    #[error(
        "there is no case of these bands that this profile has not seen: choose other bands, or another set"
    )]
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
        let seen = profile.seen();
        let session = Session::new(&Wanted {
            source: asked.about.source.clone(),
            seed: asked.seed,
            cases: asked.cases,
            shares: asked.shares,
            mode,
            due,
            seen: &seen,
        });
        // Practice comes back to what was seen; a test does not.
        let left_out = match mode {
            Mode::Practice => BTreeSet::new(),
            Mode::Test | Mode::Class => seen,
        };
        let there = asked.about.source.there(asked.shares, &left_out);
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
            count: there.map_or(asked.cases, |there| there.min(asked.cases)),
            current: None,
            next: None,
            shown: 0,
            done: Vec::new(),
            result: None,
        };
        sitting.begun()
    }

    /// A class; what this profile has answered of it before stays as it was, and so do cases whose time had passed.
    ///
    /// # Errors
    /// When all of it was answered before, or its time has passed: the result is [`class_result`]'s then.
    pub fn class(profile: Profile, class: &Class) -> Result<Self, SittingError> {
        let result = class_result(&profile, class);
        let passed: BTreeSet<&str> = profile
            .passed(&result.class_sha256)
            .map(|(c, _)| c)
            .collect();
        let open = |case: &Case| {
            let of = result.answers.iter().find(|a| a.case == case.case);
            of.is_some_and(|a| a.guess_percent.is_none() && !passed.contains(case.case.as_str()))
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
            None => {
                self.keep_shown(vec![case.case.clone()], Some(seconds), utc)?;
                Grade::Again
            }
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

    /// Keeps cases that are told beside the one on screen: they are seen from now on. To be called before they are on
    /// screen with their EF; they are on the disk when this returns.
    ///
    /// # Errors
    /// When the disk is full or fails: none of them may be told then.
    pub fn tell(&mut self, cases: &[Case], utc: &str) -> Result<(), ProfileError> {
        let seen = self.profile.seen();
        let unseen = cases
            .iter()
            .map(|c| &c.case)
            .filter(|c| !seen.contains(c.as_str()));
        let unseen: BTreeSet<String> = unseen.cloned().collect();
        if unseen.is_empty() {
            return Ok(());
        }
        self.keep_shown(unseen.iter().cloned().collect(), None, utc)?;
        if let Cases::Drawn(session) = &mut self.cases {
            unseen.iter().for_each(|case| session.saw(case));
        }
        Ok(())
    }

    fn keep_shown(
        &mut self,
        cases: Vec<String>,
        seconds: Option<f64>,
        utc: &str,
    ) -> Result<(), ProfileError> {
        self.profile.show(Shown {
            utc: utc.to_owned(),
            set: self.about.sha256.clone(),
            cases,
            mode: self.mode,
            seconds,
        })
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

    /// The number of the case on screen, from 1, and of all that there are for this sitting.
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

/// What a profile has answered of a class, to be handed in. A case whose time had passed has no guess, and its seconds.
pub fn class_result(profile: &Profile, class: &Class) -> ClassResult {
    let mut result = ClassResult::new(class, profile.alias());
    let class_sha256 = result.class_sha256.clone();
    let answers = profile.answers().iter().filter(|a| a.set == class_sha256);
    let answered = answers.map(|a| (a.case.as_str(), Some(a.guess_percent), a.seconds));
    let passed = profile.passed(&class_sha256);
    // What was answered first stands.
    for (case, guess_percent, seconds) in answered.chain(passed.map(|(c, t)| (c, None, t))) {
        let mut all = result.answers.iter_mut();
        if let Some(open) = all.find(|a| a.case == case && a.guess_percent.is_none()) {
            (open.guess_percent, open.seconds) = (guess_percent, seconds);
        }
    }
    result
}

#[cfg(test)]
mod tests;
