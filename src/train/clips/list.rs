//! Which clips a folder holds, and their EFs.

use super::{ClipsError, Entry};
use csv::{ReaderBuilder, StringRecord};
use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};

/// Rows that are read at most.
const MOST_ROWS: usize = 1_000_000;

/// One row: the file as it stands there, and the EF in percent.
struct Row {
    number: u64,
    file: String,
    ef_percent: f64,
}

/// Of one of EchoNet-Dynamic's splits, or of the folder's one CSV.
pub(super) fn entries(folder: &Path, split: &str) -> Result<Vec<Entry>, ClipsError> {
    let published = folder.join("FileList.csv");
    let is_published = published.is_file();
    let (list, rows) = if is_published {
        let rows = rows(&published, ["FileName", "EF"], Some(("Split", split)))?;
        (published, rows)
    } else {
        let list = list_in(folder)?;
        let rows = rows(&list, ["file", "ef_percent"], None)?;
        (list, rows)
    };
    let bad = |why: String| ClipsError::List {
        path: list.clone(),
        why,
    };
    if rows.is_empty() {
        return Err(bad(match is_published {
            true => format!("no row's Split says {split}."),
            false => "it has no row below its first line.".into(),
        }));
    }
    if rows.iter().all(|row| row.ef_percent <= 1.0) {
        return Err(bad("its EFs are shares of 1; write them in percent.".into()));
    }
    let mut seen = HashSet::new();
    let entry = |row: Row| {
        let Row {
            number,
            file,
            ef_percent,
        } = row;
        let own = Path::new(&file);
        let inside = |c| matches!(c, Component::Normal(_) | Component::CurDir);
        if file.is_empty() || !own.components().all(inside) {
            return Err(bad(format!(
                "line {number}: `{file}` is no name of a file in its folder."
            )));
        }
        if !(0.0..=100.0).contains(&ef_percent) {
            return Err(bad(format!(
                "line {number}: the EF of {file} is {ef_percent}, which is not from 0 to 100 %."
            )));
        }
        let path = match is_published {
            true => {
                let named = folder.join("Videos").join(own);
                match named.is_file() {
                    true => named,
                    // Its names have no ending.
                    false => folder.join("Videos").join(format!("{file}.avi")),
                }
            }
            false => folder.join(own),
        };
        if !path.is_file() {
            return Err(bad(format!(
                "line {number}: {} is not there.",
                path.display()
            )));
        }
        if !seen.insert(path.clone()) {
            return Err(bad(format!("line {number}: {file} stands there twice.")));
        }
        Ok(Entry {
            path,
            ef: ef_percent / 100.0,
        })
    };
    rows.into_iter().map(entry).collect()
}

/// What [`super::recorded_efs`] says.
pub(super) fn recorded_efs(list: &Path, split: &str) -> Result<Vec<f64>, ClipsError> {
    let bad = |why: String| ClipsError::List {
        path: list.to_owned(),
        why,
    };
    let rows = rows(list, ["FileName", "EF"], Some(("Split", split)))?;
    if rows.is_empty() {
        return Err(bad(format!("no row's Split says {split}.")));
    }
    if rows.iter().all(|row| row.ef_percent <= 1.0) {
        return Err(bad("its EFs are shares of 1; write them in percent.".into()));
    }
    if let Some(row) = (rows.iter()).find(|row| !(0.0..=100.0).contains(&row.ef_percent)) {
        let (number, ef) = (row.number, row.ef_percent);
        return Err(bad(format!(
            "line {number}: an EF of {ef} is not from 0 to 100 %."
        )));
    }
    Ok(rows.into_iter().map(|row| row.ef_percent).collect())
}

/// The one CSV of a folder.
fn list_in(folder: &Path) -> Result<PathBuf, ClipsError> {
    let unreadable = |e: std::io::Error| ClipsError::Unreadable {
        path: folder.to_owned(),
        why: e.to_string(),
    };
    let mut lists = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path
            .extension()
            .is_some_and(|e| e.eq_ignore_ascii_case("csv"))
        {
            lists.push(path);
        }
    }
    lists.sort();
    match lists.as_slice() {
        [only] => Ok(only.clone()),
        [] => Err(ClipsError::None(folder.to_owned())),
        [first, second, ..] => Err(ClipsError::List {
            path: folder.to_owned(),
            why: format!(
                "it holds several CSVs ({} and {}), and one of them is to be its list.",
                name(first),
                name(second)
            ),
        }),
    }
}

fn name(path: &Path) -> String {
    path.file_name()
        .map(|n| n.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// The rows of a list, by the names of its columns; of those alone whose `only` column says so.
fn rows(
    list: &Path,
    [file, ef]: [&str; 2],
    only: Option<(&str, &str)>,
) -> Result<Vec<Row>, ClipsError> {
    let bad = |why: String| ClipsError::List {
        path: list.to_owned(),
        why,
    };
    let mut reader = ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_path(list)
        .map_err(|e| ClipsError::Unreadable {
            path: list.to_owned(),
            why: e.to_string(),
        })?;
    let head = reader.headers().map_err(|e| bad(line_of(&e)))?.clone();
    let column = |name: &str| {
        head.iter().position(|h| h == name).ok_or_else(|| {
            bad(format!(
                "its first line does not name the column {name}. It is to begin with a line such as \
                 `{file},{ef}`, with commas between."
            ))
        })
    };
    let (of_file, of_ef) = (column(file)?, column(ef)?);
    let of_only = match only {
        Some((name, value)) => Some((column(name)?, value)),
        None => None,
    };
    let mut all = Vec::new();
    let mut record = StringRecord::new();
    while reader
        .read_record(&mut record)
        .map_err(|e| bad(line_of(&e)))?
    {
        if all.len() == MOST_ROWS {
            return Err(bad(format!("it has more than {MOST_ROWS} rows.")));
        }
        if of_only.is_some_and(|(column, value)| record.get(column) != Some(value)) {
            continue;
        }
        let number = record.position().map_or(0, csv::Position::line);
        let said = record.get(of_ef).unwrap_or_default();
        let Ok(ef_percent) = said.parse() else {
            return Err(bad(format!("line {number}: the EF `{said}` is no number.")));
        };
        all.push(Row {
            number,
            file: record.get(of_file).unwrap_or_default().to_owned(),
            ef_percent,
        });
    }
    Ok(all)
}

/// Why a list cannot be read, by its line.
fn line_of(e: &csv::Error) -> String {
    let line = e.position().map(|p| format!("line {}: ", p.line()));
    let why = match e.kind() {
        csv::ErrorKind::UnequalLengths { .. } => "it has more or fewer columns than the first.",
        csv::ErrorKind::Utf8 { .. } => "it is no text in UTF-8.",
        _ => "it cannot be read.",
    };
    line.unwrap_or_default() + why
}
