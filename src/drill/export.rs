//! A profile's answers for other programs: as a table, and as one JSON object.

use super::case::Truth;
use super::lower::noticeable_of;
use super::profile::{Answer, Compared, Grade, Mode};
use super::progress::{Point, Progress};
use super::staircase::Noticeable;
use crate::ef::EfPercent;
use crate::phantom::Quality;
use serde::Serialize;

/// Of the table: the keys of an answer, and what follows from them.
pub const COLUMNS: [&str; 18] = [
    "utc",
    "set",
    "case",
    "ladder",
    "truth",
    "truth_source",
    "quality",
    "ef_percent",
    "guess_percent",
    "error",
    "category",
    "guessed_category",
    "seconds",
    "loops",
    "first",
    "mode",
    "feedback",
    "grade",
];

/// A row, in the order of [`COLUMNS`].
#[derive(Serialize)]
struct Row<'a> {
    utc: &'a str,
    set: &'a str,
    case: &'a str,
    ladder: &'a str,
    truth: Truth,
    truth_source: &'static str,
    quality: Quality,
    ef_percent: f64,
    guess_percent: u32,
    error: f64,
    category: &'static str,
    guessed_category: &'static str,
    seconds: f64,
    loops: usize,
    first: bool,
    mode: Mode,
    feedback: bool,
    grade: Grade,
}

impl<'a> Row<'a> {
    fn of(answer: &'a Answer) -> Self {
        let point = Point::of(answer);
        let category = |ef| EfPercent::measured(ef).category().name();
        Self {
            utc: &answer.utc,
            set: &answer.set,
            case: &answer.case,
            ladder: &answer.ladder,
            truth: answer.truth,
            truth_source: answer.truth.source().unwrap_or_default(),
            quality: answer.quality,
            ef_percent: answer.ef_percent,
            guess_percent: answer.guess_percent,
            error: point.error(),
            category: category(point.ef_percent),
            guessed_category: category(point.guess_percent),
            seconds: answer.seconds,
            loops: answer.loops,
            first: answer.first,
            mode: answer.mode,
            feedback: answer.feedback,
            grade: answer.grade,
        }
    }
}

/// A table of all answers, one a row, in UTF-8 with a line of [`COLUMNS`]. `truth_source` is empty where a profile
/// does not know it.
pub fn csv(answers: &[Answer]) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new()
        .has_headers(false)
        .from_writer(Vec::new());
    // Rows of names and numbers always have a form, and memory takes all of them.
    let _ = writer.write_record(COLUMNS);
    for answer in answers {
        let _ = writer.serialize(Row::of(answer));
    }
    writer.into_inner().unwrap_or_default()
}

/// Figures of first answers of one mode with one kind of truth.
#[derive(Serialize)]
struct Figures {
    mode: Mode,
    truth: Truth,
    #[serde(flatten)]
    progress: Progress,
}

#[derive(Serialize)]
struct Whole<'a> {
    alias: &'a str,
    answers: &'a [Answer],
    compared: &'a [Compared],
    figures: Vec<Figures>,
    /// None where *which is lower* was not drilled long enough.
    jnd: Option<Noticeable>,
}

/// One object: `alias`, `answers`, `compared`, `figures` by mode and kind of truth, `jnd`.
pub fn json(alias: &str, answers: &[Answer], compared: &[Compared]) -> Vec<u8> {
    let modes = [Mode::Practice, Mode::Test, Mode::Class];
    let kinds = modes.map(|mode| Truth::ALL.map(|truth| (mode, truth)));
    let figures = kinds.into_iter().flatten().map(|(mode, truth)| {
        let of = |a: &&Answer| a.first && a.mode == mode && a.truth == truth;
        let points: Vec<Point> = answers.iter().filter(of).map(Point::of).collect();
        Figures {
            mode,
            truth,
            progress: Progress::of(&points),
        }
    });
    let whole = Whole {
        alias,
        answers,
        compared,
        figures: figures.filter(|f| f.progress.n > 0).collect(),
        jnd: noticeable_of(compared),
    };
    // Names, numbers and lists of them always have a form.
    serde_json::to_vec_pretty(&whole).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(i: usize, mode: Mode, truth: Truth) -> Answer {
        Answer {
            utc: format!("2026-11-26T07:00:{i:02}.000Z"),
            set: "ab".into(),
            case: format!("h0007-38{i}"),
            ladder: "h0007".into(),
            truth,
            quality: Quality::Poor,
            ef_percent: 38.5,
            guess_percent: 50 + i as u32,
            seconds: 6.25,
            loops: 5,
            first: i != 1,
            mode,
            feedback: mode == Mode::Practice,
            grade: Grade::Again,
        }
    }

    fn answers() -> Vec<Answer> {
        vec![
            answer(0, Mode::Practice, Truth::Exact),
            answer(1, Mode::Practice, Truth::Exact),
            answer(2, Mode::Practice, Truth::Labelled),
            answer(3, Mode::Test, Truth::Exact),
        ]
    }

    #[test]
    fn a_table_has_one_row_an_answer_and_its_truth_in_each() {
        let text = String::from_utf8(csv(&answers())).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 5);
        assert_eq!(lines[0], COLUMNS.join(","));
        assert_eq!(
            lines[1],
            "2026-11-26T07:00:00.000Z,ab,h0007-380,h0007,exact,simulated heart,poor,38.5,50,11.5,reduced,preserved,\
             6.25,5,true,practice,true,again"
        );
        assert!(lines[3].contains(",labelled,,poor,"), "{}", lines[3]);
        // Whoever reads it finds the keys of a profile's own lines.
        let line = serde_json::to_value(&answers()[0]).unwrap();
        for key in line.as_object().unwrap().keys() {
            assert!(COLUMNS.contains(&key.as_str()), "{key}");
        }
        let none = String::from_utf8(csv(&[])).unwrap();
        assert_eq!(none.trim_end(), lines[0]);
    }

    #[test]
    fn an_object_has_everything_and_figures_of_first_answers() {
        let found: serde_json::Value =
            serde_json::from_slice(&json("trainee 1", &answers(), &[])).unwrap();
        assert_eq!(found["alias"], "trainee 1");
        assert_eq!(
            found["answers"][3],
            serde_json::to_value(&answers()[3]).unwrap()
        );
        assert_eq!(found["compared"], serde_json::json!([]));
        assert_eq!(found["jnd"], serde_json::Value::Null);
        let figures = found["figures"].as_array().unwrap();
        let of = |f: &serde_json::Value| {
            let word = |key: &str| f[key].as_str().unwrap().to_owned();
            (word("mode"), word("truth"), f["n"].as_u64().unwrap())
        };
        let wanted = [
            ("practice", "exact", 1),
            ("practice", "labelled", 1),
            ("test", "exact", 1),
        ];
        let found: Vec<_> = figures.iter().map(of).collect();
        assert_eq!(
            found,
            wanted.map(|(m, t, n)| (m.to_owned(), t.to_owned(), n))
        );
        assert_eq!(figures[2]["mae"], 14.5);
    }
}
