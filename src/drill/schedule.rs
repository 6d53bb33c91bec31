//! When what comes back: a cell, a band of EFs in one picture quality, is due when it is likely to be half
//! forgotten. Not a clip: a clip that is seen again is recognised, not read.
//!
//! FSRS-6 with its default parameters and a retention of 0.9 (crate `fsrs`).

use super::case::Band;
use super::profile::{Answer, Grade};
use crate::phantom::Quality;
use dicom_core::chrono::{Days, NaiveDate};
use fsrs::{DEFAULT_PARAMETERS, FSRS, MemoryState};
use serde::Serialize;
use std::collections::BTreeMap;

/// Share of what was learnt that is to be there when a cell comes back.
const RETENTION: f32 = 0.9;
/// Share of a session that due cells fill at most.
const MOST_DUE: f64 = 0.6;
/// A day at least, a hundred years at most.
const DAYS: std::ops::RangeInclusive<f32> = 1.0..=36_500.0;

/// A cell that was practised.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cell {
    pub band: Band,
    pub quality: Quality,
    /// Days after which 90 % is still there.
    pub stability_days: f64,
    /// `2026-12-01`
    pub due: String,
    pub last_grade: Grade,
    #[serde(skip)]
    pub due_on: NaiveDate,
}

/// Why there is no schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    #[error("the time {0} of an answer is none")]
    Time(String),
    #[error("the schedule cannot be computed: {0}")]
    Fsrs(String),
}

/// The day of an answer, by UTC, so that a profile gives the same days everywhere.
pub(super) fn day_of(answer: &Answer) -> Result<NaiveDate, ScheduleError> {
    let time = answer.time();
    let time = time.ok_or_else(|| ScheduleError::Time(answer.utc.clone()))?;
    Ok(time.date_naive())
}

/// All cells that a profile has practised, the weakest first: those with the least stability.
///
/// # Errors
/// When a time is none.
pub fn cells(answers: &[Answer]) -> Result<Vec<Cell>, ScheduleError> {
    struct State {
        memory: MemoryState,
        interval: f32,
        day: NaiveDate,
        grade: Grade,
    }
    let failed = |e: fsrs::FSRSError| ScheduleError::Fsrs(e.to_string());
    let model = FSRS::new(&DEFAULT_PARAMETERS).map_err(failed)?;
    let mut states: BTreeMap<(Band, Quality), State> = BTreeMap::new();
    // What had no feedback taught nothing; a case that was seen before was recognised.
    for answer in answers.iter().filter(|a| a.feedback && a.first) {
        let day = day_of(answer)?;
        let cell = (Band::of(answer.ef_percent), answer.quality);
        let before = states.get(&cell);
        let elapsed = before.map_or(0, |s| (day - s.day).num_days().max(0)) as u32;
        let next = model.next_states(before.map(|s| s.memory), RETENTION, elapsed);
        let next = next.map_err(failed)?;
        let next = match answer.grade {
            Grade::Again => next.again,
            Grade::Hard => next.hard,
            Grade::Good => next.good,
            Grade::Easy => next.easy,
        };
        let state = State {
            memory: next.memory,
            interval: next.interval,
            day,
            grade: answer.grade,
        };
        states.insert(cell, state);
    }
    let cell = |((band, quality), state): ((Band, Quality), State)| {
        let days = state.interval.clamp(*DAYS.start(), *DAYS.end()).round() as u64;
        let due_on = state
            .day
            .checked_add_days(Days::new(days))
            .unwrap_or(state.day);
        Cell {
            band,
            quality,
            stability_days: f64::from(state.memory.stability),
            due: due_on.format("%Y-%m-%d").to_string(),
            last_grade: state.grade,
            due_on,
        }
    };
    let mut all: Vec<Cell> = states.into_iter().map(cell).collect();
    all.sort_by(|a, b| a.stability_days.total_cmp(&b.stability_days));
    Ok(all)
}

/// The cells that are due on a day, the weakest first, as many as a session of so many cases takes.
pub fn due(cells: &[Cell], on: NaiveDate, cases: usize) -> Vec<&Cell> {
    let most = (MOST_DUE * cases as f64).floor() as usize;
    let due = cells.iter().filter(|c| c.due_on <= on);
    due.take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drill::case::Truth;
    use crate::drill::profile::Mode;

    fn answer(day: u32, ef_percent: f64, grade: Grade) -> Answer {
        Answer {
            utc: format!("2026-11-{day:02}T07:00:00.000Z"),
            set: String::new(),
            case: format!("{day}-{ef_percent}"),
            ladder: "h".into(),
            truth: Truth::Exact,
            quality: Quality::Good,
            ef_percent,
            guess_percent: 50,
            seconds: 5.0,
            loops: 2,
            first: true,
            mode: Mode::Practice,
            feedback: true,
            grade,
        }
    }

    /// The published parameters' own first intervals.
    #[test]
    fn first_intervals_are_the_published_ones() {
        for (grade, days) in [
            (Grade::Again, 0.212),
            (Grade::Hard, 1.2931),
            (Grade::Good, 2.3065),
            (Grade::Easy, 8.2956),
        ] {
            let cells = cells(&[answer(1, 35.0, grade)]).unwrap();
            assert!((cells[0].stability_days - days).abs() < 1e-4, "{cells:?}");
        }
    }

    #[test]
    fn what_is_missed_is_due_tomorrow_and_what_is_read_well_moves_out() {
        let mut month = vec![
            answer(1, 25.0, Grade::Again),
            answer(1, 55.0, Grade::Easy),
            answer(2, 25.0, Grade::Good),
        ];
        let on = |day| NaiveDate::from_ymd_opt(2026, 11, day).unwrap();
        let first = cells(&month[..2]).unwrap();
        assert_eq!(first[0].due_on, on(2));
        assert_eq!((first[1].band, first[1].due_on), (Band::To60, on(9)));
        assert_eq!(due(&first, on(2), 20).len(), 1);
        assert_eq!(due(&first, on(1), 20).len(), 0);
        let stable = |month: &[Answer]| {
            let of = cells(month).unwrap();
            of.iter().find(|c| c.band == Band::To30).unwrap().clone()
        };
        let mut before = stable(&month);
        for day in [4, 9, 20] {
            month.push(answer(day, 25.0, Grade::Good));
            let now = stable(&month);
            assert!(now.stability_days > before.stability_days && now.due_on > before.due_on);
            before = now;
        }
        month.push(answer(28, 25.0, Grade::Again));
        assert_eq!(stable(&month).due_on, on(29).max(stable(&month).due_on));
        assert!(stable(&month).stability_days < before.stability_days);
        assert_eq!(cells(&month), cells(&month));
        // A test teaches nothing; and due cells are no more than 60 % of a session.
        let test = Answer {
            feedback: false,
            ..answer(28, 45.0, Grade::Again)
        };
        assert!(cells(&[test]).unwrap().is_empty());
        let many: Vec<Answer> = [20.0, 35.0, 45.0, 55.0, 65.0]
            .map(|ef| answer(1, ef, Grade::Again))
            .to_vec();
        let cells = cells(&many).unwrap();
        assert_eq!(due(&cells, on(20), 5).len(), 3);
    }
}
