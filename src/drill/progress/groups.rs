//! Figures by band, by picture quality, and by session, which are the figures over time.

use super::{Point, Progress};
use crate::drill::case::Band;
use crate::drill::profile::{Answer, Mode};
use crate::phantom::Quality;
use dicom_core::chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use strum::IntoEnumIterator;

/// So long a time between two answers parts two sessions.
const PAUSE: TimeDelta = TimeDelta::minutes(30);

/// Figures of some of the answers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Group {
    pub label: String,
    #[serde(flatten)]
    pub progress: Progress,
}

impl Group {
    /// Of first answers; none where there is none.
    fn of<'a>(
        label: impl Into<String>,
        answers: impl IntoIterator<Item = &'a Answer>,
    ) -> Option<Self> {
        let first = answers.into_iter().filter(|a| a.first);
        let points: Vec<Point> = first.map(Point::of).collect();
        (!points.is_empty()).then(|| Self {
            label: label.into(),
            progress: Progress::of(&points),
        })
    }
}

/// First answers by band, from the lowest EFs on; bands without one are left out.
pub fn by_band(answers: &[&Answer]) -> Vec<Group> {
    let group = |band: Band| {
        let of = answers.iter().copied();
        Group::of(band.name(), of.filter(|a| Band::of(a.ef_percent) == band))
    };
    Band::iter().filter_map(group).collect()
}

/// First answers by picture quality, from good to poor; those without one are left out.
pub fn by_quality(answers: &[&Answer]) -> Vec<Group> {
    let group = |quality: Quality| {
        let of = answers.iter().copied();
        Group::of(quality.name(), of.filter(|a| a.quality == quality))
    };
    Quality::ALL.into_iter().filter_map(group).collect()
}

/// First answers by session, in the order of time; the label is the session's date by UTC.
pub fn by_session(answers: &[&Answer]) -> Vec<Group> {
    let group = |session: Vec<&Answer>| {
        let date = session.first().and_then(|a| a.time())?.date_naive();
        Group::of(date.format("%Y-%m-%d").to_string(), session)
    };
    sessions(answers).into_iter().filter_map(group).collect()
}

/// Answers of one mode with less than 30 minutes between two, in the order in which they were given. One whose time
/// is none is in no session.
pub fn sessions<'a>(answers: &[&'a Answer]) -> Vec<Vec<&'a Answer>> {
    let mut sessions: Vec<Vec<&Answer>> = Vec::new();
    let mut last: Option<(DateTime<Utc>, Mode)> = None;
    for answer in answers {
        let Some(at) = answer.time() else {
            continue;
        };
        // A clock that was set back goes on in the same session only where it was set by less.
        let goes_on = last.is_some_and(|(before, mode)| {
            mode == answer.mode && at.signed_duration_since(before).abs() < PAUSE
        });
        match sessions.last_mut() {
            Some(session) if goes_on => session.push(answer),
            _ => sessions.push(vec![answer]),
        }
        last = Some((at, answer.mode));
    }
    sessions
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drill::case::Truth;
    use crate::drill::profile::Grade;

    fn answer(utc: &str, ef_percent: f64, guess_percent: u32, mode: Mode) -> Answer {
        Answer {
            utc: utc.into(),
            set: String::new(),
            case: format!("{utc}-{ef_percent}"),
            ladder: "h".into(),
            truth: Truth::Exact,
            quality: Quality::Medium,
            ef_percent,
            guess_percent,
            seconds: 5.0,
            loops: 2,
            first: true,
            mode,
            feedback: true,
            grade: Grade::Good,
        }
    }

    fn labels(groups: &[Group]) -> Vec<(&str, usize)> {
        let each = groups.iter();
        each.map(|g| (g.label.as_str(), g.progress.n)).collect()
    }

    #[test]
    fn groups_hold_first_answers_only_and_each_once() {
        let at = "2026-11-26T07:00:00.000Z";
        let mut all = vec![
            answer(at, 62.0, 60, Mode::Practice),
            answer(at, 30.0, 36, Mode::Practice),
            answer(at, 25.0, 29, Mode::Practice),
            answer(at, 45.0, 45, Mode::Practice),
        ];
        all[0].quality = Quality::Good;
        all.push(Answer {
            first: false,
            ..answer(at, 26.0, 80, Mode::Practice)
        });
        let all: Vec<&Answer> = all.iter().collect();
        let bands = by_band(&all);
        let wanted = [
            ("30 or less", 2),
            ("above 40 to below 50", 1),
            ("over 60", 1),
        ];
        assert_eq!(labels(&bands), wanted);
        assert_eq!(
            (bands[0].progress.mae, bands[0].progress.bias),
            (Some(5.0), Some(5.0))
        );
        assert_eq!(labels(&by_quality(&all)), [("good", 1), ("medium", 3)]);
        assert!(by_band(&[]).is_empty() && by_session(&[]).is_empty());
        let line = serde_json::to_value(&bands[1]).unwrap();
        assert_eq!(
            (&line["label"], &line["n"]),
            (&"above 40 to below 50".into(), &1.into())
        );
    }

    #[test]
    fn a_pause_of_half_an_hour_or_another_mode_begins_a_session() {
        let all = [
            answer("2026-11-25T23:50:00.000Z", 40.0, 50, Mode::Practice),
            answer("2026-11-26T00:19:59.999Z", 40.0, 48, Mode::Practice),
            // Half an hour later, to the millisecond.
            answer("2026-11-26T00:49:59.999Z", 40.0, 44, Mode::Practice),
            answer("2026-11-26T00:50:30.000Z", 40.0, 43, Mode::Test),
            // The clock was set back by an hour.
            answer("2026-11-25T23:50:31.000Z", 40.0, 41, Mode::Test),
            answer("no time", 40.0, 41, Mode::Test),
        ];
        let all: Vec<&Answer> = all.iter().collect();
        let groups = by_session(&all);
        let wanted = [
            ("2026-11-25", 2),
            ("2026-11-26", 1),
            ("2026-11-26", 1),
            ("2026-11-25", 1),
        ];
        assert_eq!(labels(&groups), wanted);
        assert_eq!(groups[0].progress.bias, Some(9.0));
        assert_eq!(
            groups[0].progress.limit_low, None,
            "two answers have no limits"
        );
    }
}
