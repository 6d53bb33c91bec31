//! Two sessions compared: before and after.

use super::{LEVEL, Point};
use crate::drill::profile::Answer;
use crate::drill::result::Answered;
use crate::statistics::means::{MeanDifference, of_pairs, welch};
use serde::Serialize;
use std::collections::BTreeMap;

/// A guess, and of which case.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CasePoint<'a> {
    pub case: &'a str,
    pub point: Point,
}

impl<'a> CasePoint<'a> {
    pub fn of(answer: &'a Answer) -> Self {
        Self {
            case: &answer.case,
            point: Point::of(answer),
        }
    }

    /// None where nothing was answered.
    pub fn of_result(answered: &'a Answered) -> Option<Self> {
        Some(Self {
            case: &answered.case,
            point: Point {
                ef_percent: answered.ef_percent,
                guess_percent: f64::from(answered.guess_percent?),
            },
        })
    }
}

/// How two sessions were compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// Both answered the same cases: differences case by case, Student's interval.
    Case,
    /// They answered others: the two lists, Welch's interval.
    List,
}

impl By {
    /// For a report's readers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Case => "paired by case",
            Self::List => "other cases, by Welch",
        }
    }
}

/// After less before, in EF points, with 95 % intervals; below 0 is better. Each None where it is not defined.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Change {
    pub by: By,
    /// Answers.
    pub before: usize,
    pub after: usize,
    /// Of the mean absolute error.
    pub mae: Option<MeanDifference>,
    /// Of the bias without its sign. Its interval takes the two signs for known: near a bias of 0 it is rough.
    pub absolute_bias: Option<MeanDifference>,
}

/// Compares two sessions.
pub fn paired(before: &[CasePoint<'_>], after: &[CasePoint<'_>]) -> Change {
    let by_case = |session: &[CasePoint<'_>]| -> Option<Vec<f64>> {
        let errors: BTreeMap<&str, f64> =
            session.iter().map(|p| (p.case, p.point.error())).collect();
        // A case that was answered twice has no pair.
        (errors.len() == session.len()).then(|| errors.into_values().collect())
    };
    let cases = |session: &[CasePoint<'_>]| {
        let mut cases: Vec<String> = session.iter().map(|p| p.case.to_owned()).collect();
        cases.sort_unstable();
        cases
    };
    let in_order = by_case(before).zip(by_case(after));
    let in_order = in_order.filter(|_| cases(before) == cases(after));
    let list = |session: &[CasePoint<'_>]| session.iter().map(|p| p.point.error()).collect();
    let (by, (before, after)) = match in_order {
        Some(errors) => (By::Case, errors),
        None => (By::List, (list(before), list(after))),
    };
    let difference = |of: &dyn Fn(&[f64]) -> Vec<f64>| {
        let (after, before) = (of(&after), of(&before));
        match by {
            By::Case => of_pairs(&after, &before, LEVEL),
            By::List => welch(&after, &before, LEVEL),
        }
    };
    Change {
        by,
        before: before.len(),
        after: after.len(),
        mae: difference(&|errors| errors.iter().map(|e| e.abs()).collect()),
        // The mean of errors times their mean's sign is the bias without its sign.
        absolute_bias: difference(&|errors| {
            let sign = errors.iter().sum::<f64>().signum();
            errors.iter().map(|e| sign * e).collect()
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRUTH: [f64; 12] = [22., 28., 33., 38., 41., 44., 48., 52., 55., 58., 63., 68.];
    const BEFORE: [f64; 12] = [30., 35., 35., 45., 40., 40., 55., 50., 55., 60., 60., 65.];
    const AFTER: [f64; 12] = [25., 27., 36., 40., 44., 40., 50., 49., 57., 58., 65., 66.];
    const NAMES: [&str; 12] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];

    fn session(guesses: &[f64]) -> Vec<CasePoint<'static>> {
        let each = NAMES.iter().zip(TRUTH).zip(guesses);
        let point = |((case, ef_percent), guess): ((&&'static str, f64), &f64)| CasePoint {
            case,
            point: Point {
                ef_percent,
                guess_percent: *guess,
            },
        };
        each.map(point).collect()
    }

    fn close(found: Option<MeanDifference>, [value, low, high]: [f64; 3]) {
        let found = found.unwrap();
        let off = (found.value - value).abs()
            + (found.interval.low - low).abs()
            + (found.interval.high - high).abs();
        assert!(off < 1e-8, "{found:?}");
    }

    /// Computed with scipy: `ttest_rel` and `ttest_1samp`.
    #[test]
    fn the_same_cases_are_compared_case_by_case() {
        let mut after = session(&AFTER);
        after.reverse();
        let change = paired(&session(&BEFORE), &after);
        assert_eq!((change.by, change.before, change.after), (By::Case, 12, 12));
        close(
            change.mae,
            [-1.583_333_333_3, -3.469_279_896_2, 0.302_613_229_6],
        );
        let bias = [-1.083_333_333_3, -3.631_421_921_5, 1.464_755_254_8];
        close(change.absolute_bias, bias);
    }

    /// Computed with scipy: `ttest_ind(equal_var=False)`.
    #[test]
    fn other_cases_are_compared_as_two_lists() {
        let change = paired(&session(&BEFORE), &session(&AFTER)[..8]);
        assert_eq!((change.by, change.after), (By::List, 8));
        close(
            change.mae,
            [-1.208_333_333_3, -3.028_085_278_5, 0.611_418_611_8],
        );
        let bias = [-1.041_666_666_7, -4.516_584_821, 2.433_251_487_7];
        close(change.absolute_bias, bias);
        // One of them twice.
        let mut twice = session(&AFTER);
        twice[1] = twice[0];
        assert_eq!(paired(&twice, &twice).by, By::List);
        let none = paired(&[], &session(&AFTER));
        assert_eq!((none.before, none.mae), (0, None));
        assert_eq!(paired(&[], &[]).mae, None);
    }
}
