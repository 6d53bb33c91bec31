//! Which EFs are wanted: as a list says them, or as a histogram lacks them.

use super::DatasetError;
use crate::ef::EfPercent;
use csv::ReaderBuilder;
use std::ops::RangeInclusive;
use std::path::Path;

/// Clips of a data set at most.
pub const MOST_CLIPS: usize = 1_000_000;

/// One wanted clip.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    pub ef: EfPercent,
    /// By its file's name in its folder, or by EchoNet-Dynamic's name; by chance where nobody says.
    pub anatomy: Option<String>,
}

/// The rows of a CSV with a column `ef_percent` and, if need be, one named `anatomy`. Others are passed over.
///
/// # Errors
/// When it cannot be read, lacks the column, has no rows or more than [`MOST_CLIPS`], or an EF that cannot be asked for.
pub fn from_csv(list: &Path) -> Result<Vec<Wanted>, DatasetError> {
    let text = crate::files::read_text(list).map_err(|e| DatasetError::Unreadable {
        path: list.to_owned(),
        why: e.to_string(),
    })?;
    parse(&text).map_err(|why| DatasetError::List {
        path: list.to_owned(),
        why,
    })
}

fn parse(text: &str) -> Result<Vec<Wanted>, String> {
    let mut reader = ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let unread = |e: csv::Error| match e.position() {
        Some(at) => format!(
            "line {}: it has more or fewer columns than the first.",
            at.line()
        ),
        None => "it is no CSV.".into(),
    };
    let head = reader.headers().map_err(unread)?.clone();
    let column = |name: &str| head.iter().position(|h| h == name);
    let of_ef = column("ef_percent").ok_or(
        "its first line does not name the column ef_percent. It is to begin with `ef_percent`, or \
         `ef_percent,anatomy`.",
    )?;
    let of_anatomy = column("anatomy");
    let mut all = Vec::new();
    for record in reader.records() {
        let record = record.map_err(unread)?;
        if all.len() == MOST_CLIPS {
            return Err(format!("it has more than {MOST_CLIPS} rows."));
        }
        let line = record.position().map_or(0, csv::Position::line);
        let said = record.get(of_ef).unwrap_or_default();
        let percent: f64 = said
            .parse()
            .map_err(|_| format!("line {line}: the EF `{said}` is no number."))?;
        let ef = EfPercent::of_dataset(percent).map_err(|why| format!("line {line}: {why}."))?;
        let anatomy = of_anatomy.and_then(|at| record.get(at));
        all.push(Wanted {
            ef,
            anatomy: anatomy.filter(|name| !name.is_empty()).map(str::to_owned),
        });
    }
    match all.is_empty() {
        true => Err("it has no row below its first line.".into()),
        false => Ok(all),
    }
}

/// What is missing to `to` clips in each whole percent of a range, from the lowest on: recorded EFs count in the percent
/// that they round to (half up).
pub fn fill(recorded: &[f64], to: usize, percents: RangeInclusive<u8>) -> Vec<u8> {
    let mut counts = [0usize; 256];
    for ef in recorded {
        // What is no number, or no percent, is in none of them: the cast holds at its ends.
        if let Some(count) = counts
            .get_mut((ef + 0.5).floor() as usize)
            .filter(|_| *ef >= 0.0)
        {
            *count += 1;
        }
    }
    let missing = |percent: u8| to.saturating_sub(counts[usize::from(percent)]);
    percents
        .flat_map(|percent| std::iter::repeat_n(percent, missing(percent)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_list_says_efs_and_anatomies() {
        let wanted = parse("anatomy, ef_percent,more\na.png,35,x\n,60.5,y\n").unwrap();
        let told: Vec<_> = wanted
            .iter()
            .map(|w| (w.ef.get(), w.anatomy.as_deref()))
            .collect();
        assert_eq!(told, [(35.0, Some("a.png")), (60.5, None)]);
        assert_eq!(parse("ef_percent\n10\n89\n").unwrap().len(), 2);
        for (text, said) in [
            ("", "does not name the column ef_percent"),
            ("ef\n35\n", "does not name the column ef_percent"),
            ("ef_percent\n", "no row"),
            (
                "ef_percent\nthirty\n",
                "line 2: the EF `thirty` is no number",
            ),
            (
                "ef_percent\n35\n9\n",
                "line 3: an EF of 9 % cannot be asked for",
            ),
            ("ef_percent\n0.35\n", "cannot be asked for"),
            ("ef_percent\nNaN\n", "cannot be asked for"),
            (
                "ef_percent,anatomy\n35\n",
                "line 2: it has more or fewer columns",
            ),
        ] {
            let why = parse(text).unwrap_err();
            assert!(why.contains(said), "{text:?}: {why}");
        }
    }

    #[test]
    fn a_histogram_is_filled_where_it_lacks() {
        let recorded = [10.4, 9.6, 11.5, 12.0, 12.2, 88.7, f64::NAN, -3.0, 1e300];
        assert_eq!(fill(&recorded, 2, 10..=13), [11, 11, 13, 13]);
        assert_eq!(fill(&recorded, 1, 88..=89), [88]);
        assert_eq!(fill(&[], 3, 10..=89).len(), 240);
        assert_eq!(fill(&recorded, 0, 10..=89).len(), 0);
    }

    proptest! {
        #[test]
        fn what_is_there_and_what_is_made_are_what_was_asked(
            recorded in prop::collection::vec(0.0f64..100.0, 0..300), to in 0usize..6,
        ) {
            let made = fill(&recorded, to, 10..=89);
            for percent in 10u8..=89 {
                let there = recorded.iter().filter(|ef| (**ef + 0.5).floor() == f64::from(percent)).count();
                let new = made.iter().filter(|p| **p == percent).count();
                prop_assert_eq!((there + new).max(to), there.max(to));
                prop_assert!(new == 0 || there + new == to);
            }
        }

        #[test]
        fn nothing_panics(text in ".{0,60}") {
            let _ = parse(&text);
            let _ = parse(&format!("ef_percent,anatomy\n{text}"));
        }
    }
}
