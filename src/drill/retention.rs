//! Whether what was learnt is still there: tests of unseen cases, weeks and months after a course.
//!
//! A course is practice with feedback. It ends with its 60th answer, for the third twenty of sixty cases brought no
//! more; or, where it had 20 at least, with the last one before seven days without practice.

use super::profile::{Answer, Mode};
use dicom_core::chrono::{Days, NaiveDate};
use serde::{Serialize, Serializer};

/// Answers after which a course ends.
const MOST: usize = 60;
/// Answers without which there is no course.
const FEWEST: usize = 20;
/// So many days without practice end a course.
const PAUSE_DAYS: i64 = 7;
/// Days after a course on which it is tested.
pub const AFTER_DAYS: [u32; 3] = [7, 30, 180];
/// Cases of a test, which the profile has not seen.
pub const CASES: usize = 20;

/// A retention test that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Retention {
    /// So many after the course: 7, 30 or 180.
    pub days: u32,
    /// Day of its last answer, by UTC.
    #[serde(serialize_with = "as_text")]
    pub course_ended: NaiveDate,
    /// Days since the test could first be taken.
    pub overdue_days: u32,
}

/// `2026-12-01`
fn as_text<S: Serializer>(day: &NaiveDate, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(day)
}

/// The retention test that is offered on a day: of the last course that has ended, the latest that has come and was
/// not taken since. Days are UTC's; an answer whose time is none, or that was given later, does not count.
pub fn offered(answers: &[Answer], on: NaiveDate) -> Option<Retention> {
    let dated = answers.iter().filter_map(|a| {
        let day = a.time()?.date_naive();
        (day <= on).then_some((a, day))
    });
    let practice = dated
        .clone()
        .filter(|(a, _)| a.mode == Mode::Practice && a.feedback);
    let course_ended = last_course(practice.map(|(_, day)| day), on)?;
    let (days, from) = AFTER_DAYS.iter().rev().find_map(|days| {
        let from = course_ended.checked_add_days(Days::new(u64::from(*days)))?;
        (from <= on).then_some((*days, from))
    })?;
    let tested = dated.filter(|(a, day)| a.mode == Mode::Test && *day >= from);
    (tested.count() < CASES).then(|| Retention {
        days,
        course_ended,
        overdue_days: (on - from).num_days().try_into().unwrap_or(0),
    })
}

/// The day on which the last course ended that has ended; `days` are those of the practice answers.
fn last_course(days: impl Iterator<Item = NaiveDate>, on: NaiveDate) -> Option<NaiveDate> {
    let mut ended = None;
    // Answers of the course that goes on, and the day of its last one.
    let mut course: Option<(usize, NaiveDate)> = None;
    for day in days {
        let mut before = 0;
        if let Some((n, last)) = course {
            // The day itself is one with practice.
            let without = (day - last).num_days() - 1;
            if n >= FEWEST && without >= PAUSE_DAYS {
                ended = Some(last);
            } else {
                before = n;
            }
        }
        course = Some((before + 1, day));
        if before + 1 == MOST {
            ended = Some(day);
            course = None;
        }
    }
    match course {
        Some((n, last)) if n >= FEWEST && (on - last).num_days() >= PAUSE_DAYS => Some(last),
        _ => ended,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drill::case::Truth;
    use crate::drill::profile::Grade;
    use crate::phantom::Quality;

    fn day(n: u64) -> NaiveDate {
        let first = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
        first.checked_add_days(Days::new(n)).unwrap()
    }

    /// So many answers on the nth day of 2026, from 0.
    fn answers(n: usize, on: u64, mode: Mode) -> Vec<Answer> {
        let answer = |i: usize| Answer {
            utc: format!("{}T23:59:{:02}.000Z", day(on), i % 60),
            set: String::new(),
            case: format!("{on}-{i}"),
            ladder: "h".into(),
            truth: Truth::Exact,
            quality: Quality::Good,
            ef_percent: 50.0,
            guess_percent: 50,
            seconds: 5.0,
            loops: 2,
            first: true,
            mode,
            feedback: mode == Mode::Practice,
            grade: Grade::Good,
        };
        (0..n).map(answer).collect()
    }

    fn practice(days: &[(usize, u64)]) -> Vec<Answer> {
        let each = days.iter();
        each.flat_map(|(n, on)| answers(*n, *on, Mode::Practice))
            .collect()
    }

    fn told(answers: &[Answer], on: u64) -> Option<(u32, u64, u32)> {
        let found = offered(answers, day(on))?;
        let ended = (found.course_ended - day(0)).num_days() as u64;
        Some((found.days, ended, found.overdue_days))
    }

    #[test]
    fn a_course_of_sixty_is_tested_after_7_30_and_180_days() {
        let course = practice(&[(20, 0), (20, 1), (20, 2)]);
        for (on, wanted) in [
            (2, None),
            (8, None),
            (9, Some((7, 2, 0))),
            (12, Some((7, 2, 3))),
            (31, Some((7, 2, 22))),
            (32, Some((30, 2, 0))),
            (181, Some((30, 2, 149))),
            (182, Some((180, 2, 0))),
            (700, Some((180, 2, 518))),
        ] {
            assert_eq!(told(&course, on), wanted, "{on}");
        }
        let text = serde_json::to_string(&offered(&course, day(12))).unwrap();
        let wanted = r#"{"days":7,"course_ended":"2026-01-03","overdue_days":3}"#;
        assert_eq!(text, wanted);
    }

    #[test]
    fn a_test_counts_from_its_day_on_and_with_twenty_cases() {
        let mut all = practice(&[(60, 0)]);
        // Before its day, and one too few.
        all.extend(answers(20, 6, Mode::Test));
        all.extend(answers(19, 8, Mode::Test));
        assert_eq!(told(&all, 8), Some((7, 0, 1)));
        all.extend(answers(1, 9, Mode::Test));
        assert_eq!(told(&all, 8), Some((7, 0, 1)), "as it was on that day");
        assert_eq!((told(&all, 9), told(&all, 29)), (None, None));
        assert_eq!(told(&all, 30), Some((30, 0, 0)));
        all.extend(answers(20, 40, Mode::Test));
        assert_eq!((told(&all, 40), told(&all, 179)), (None, None));
        assert_eq!(told(&all, 180), Some((180, 0, 0)));
        all.extend(answers(20, 180, Mode::Test));
        assert_eq!(told(&all, 3000), None);
        // Taken for the first time after half a year: one test is enough.
        let mut late = practice(&[(60, 0)]);
        late.extend(answers(20, 200, Mode::Test));
        assert_eq!(told(&late, 201), None);
    }

    #[test]
    fn twenty_answers_and_a_week_without_practice_end_a_course() {
        assert_eq!(told(&practice(&[(19, 0)]), 100), None);
        let short = practice(&[(15, 0), (5, 3)]);
        assert_eq!((told(&short, 9), told(&short, 10)), (None, Some((7, 3, 0))));
        // Practice on the seventh day goes on with it; on the eighth day it is another course.
        let on = practice(&[(20, 0), (1, 7)]);
        assert_eq!((told(&on, 7), told(&on, 13)), (None, None));
        assert_eq!(told(&on, 14), Some((7, 7, 0)));
        let other = practice(&[(20, 0), (1, 8)]);
        assert_eq!(told(&other, 8), Some((7, 0, 1)));
        assert_eq!(told(&other, 30), Some((30, 0, 0)));
        // Fewer than twenty have ended nothing, however long ago.
        let slow = practice(&[(10, 0), (9, 40), (1, 80)]);
        assert_eq!((told(&slow, 86), told(&slow, 87)), (None, Some((7, 80, 0))));
    }

    #[test]
    fn the_last_course_counts_and_what_is_no_practice_does_not() {
        let two = practice(&[(60, 0), (60, 50)]);
        assert_eq!(told(&two, 49), Some((30, 0, 19)));
        assert_eq!(told(&two, 56), None, "the second is not a week old");
        assert_eq!(told(&two, 57), Some((7, 50, 0)));
        // Answers 61 to 65 begin another.
        let more = practice(&[(60, 0), (5, 1)]);
        assert_eq!(told(&more, 20), Some((7, 0, 13)));
        let mut class = answers(60, 0, Mode::Class);
        class.extend(answers(60, 0, Mode::Test));
        assert_eq!(told(&class, 100), None);
        let mut silent = practice(&[(60, 0)]);
        for answer in &mut silent {
            answer.feedback = false;
        }
        assert_eq!(told(&silent, 100), None);
        let mut broken = practice(&[(60, 0)]);
        broken[3].utc = "no time".into();
        assert_eq!(told(&broken, 7), Some((7, 0, 0)), "59 and a week");
        assert_eq!(offered(&[], day(0)), None);
    }
}
