//! Which files a study is made of: a folder for each class, or a list.

use super::key::Class;
use crate::files::{lines_of_rows, read_text, why_no_row};
use std::path::{Path, PathBuf};

/// A file, and what is said of it beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    pub path: PathBuf,
    pub class: Class,
    /// The heart it shows, by the administrator's word.
    pub anatomy: Option<String>,
    pub requested_ef_percent: Option<f64>,
    pub measured_ef_percent: Option<f64>,
    /// It was found in a folder, where other files than clips may lie.
    pub found: bool,
    /// To learn the keys with; its class is not asked for.
    pub practice: bool,
}

/// Why no list could be had. The message begins with the file or the folder.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SourcesError {
    #[error("{path}: it cannot be read ({why})")]
    Unreadable { path: String, why: String },
    #[error("{path}: there is nothing in it")]
    Empty { path: String },
    #[error("{path}: line {line}: {what}")]
    Line {
        path: String,
        line: u64,
        what: String,
    },
}

/// Everything in a folder, by name: files, and folders of stills. What is no clip is found when it is opened.
///
/// # Errors
/// When the folder cannot be read or is empty.
pub fn folder(path: &Path, class: Class) -> Result<Vec<Listed>, SourcesError> {
    let shown = || path.display().to_string();
    let unreadable = |e: std::io::Error| SourcesError::Unreadable {
        path: shown(),
        why: e.to_string(),
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(path).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            paths.push(entry.path());
        }
    }
    if paths.is_empty() {
        return Err(SourcesError::Empty { path: shown() });
    }
    paths.sort();
    let listed = |path| Listed {
        path,
        class,
        anatomy: None,
        requested_ef_percent: None,
        measured_ef_percent: None,
        found: true,
        practice: false,
    };
    Ok(paths.into_iter().map(listed).collect())
}

/// Clips of practice, as [`folder`] finds them. What they are counts nowhere.
///
/// # Errors
/// When the folder cannot be read or is empty.
pub fn practice(path: &Path) -> Result<Vec<Listed>, SourcesError> {
    let mut all = folder(path, Class::Real)?;
    for one in &mut all {
        one.practice = true;
    }
    Ok(all)
}

#[derive(serde::Deserialize)]
struct Row {
    file: String,
    class: String,
    #[serde(default)]
    anatomy: Option<String>,
    #[serde(default)]
    requested_ef_percent: Option<f64>,
    #[serde(default)]
    measured_ef_percent: Option<f64>,
}

/// A list with the columns `file,class,anatomy,requested_ef_percent,measured_ef_percent`, of which the first
/// two are needed; files are named from the list's own folder.
///
/// # Errors
/// With the line that cannot be understood.
pub fn list(path: &Path) -> Result<Vec<Listed>, SourcesError> {
    let shown = || path.display().to_string();
    let text = read_text(path).map_err(|e| SourcesError::Unreadable {
        path: shown(),
        why: e.to_string(),
    })?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .comment(Some(b'#'))
        .from_reader(text.as_bytes());
    let wrong = |line: u64, what: String| SourcesError::Line {
        path: shown(),
        line,
        what,
    };
    let lines = lines_of_rows(&text, true);
    let mut all: Vec<Listed> = Vec::new();
    for row in reader.deserialize::<Row>() {
        let line = lines.get(all.len() + 1).copied().unwrap_or(all.len() + 2) as u64;
        let row = row.map_err(|e| wrong(line, why_no_row(&e)))?;
        let class = Class::ALL
            .into_iter()
            .find(|c| c.name() == row.class.to_lowercase());
        let class = class.ok_or_else(|| {
            let what = format!(
                "the class is real, factual or counterfactual, not {:?}",
                row.class
            );
            wrong(line, what)
        })?;
        let percents = [row.requested_ef_percent, row.measured_ef_percent];
        if let Some(ef) = percents
            .into_iter()
            .flatten()
            .find(|ef| !(0.0..=100.0).contains(ef))
        {
            return Err(wrong(
                line,
                format!("an ejection fraction is 0 to 100 %, not {ef}"),
            ));
        }
        all.push(Listed {
            path: folder.join(&row.file),
            class,
            anatomy: row.anatomy.filter(|a| !a.is_empty()),
            requested_ef_percent: row.requested_ef_percent,
            measured_ef_percent: row.measured_ef_percent,
            found: false,
            practice: false,
        });
    }
    if all.is_empty() {
        return Err(SourcesError::Empty { path: shown() });
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Vec<Listed>, SourcesError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clips.csv");
        std::fs::write(&path, text).unwrap();
        list(&path)
    }

    #[test]
    fn a_list_is_read() {
        let all = of(
            "file,class,anatomy,requested_ef_percent,measured_ef_percent\n\
                      a.gif, Real,h1,,55.5\nsub/b.avi,counterfactual,,30,\n",
        )
        .unwrap();
        assert_eq!(all.len(), 2);
        assert!(all[0].path.ends_with("a.gif") && all[1].path.ends_with("sub/b.avi"));
        assert_eq!(
            (all[0].class, all[1].class),
            (Class::Real, Class::Counterfactual)
        );
        assert_eq!(all[0].anatomy.as_deref(), Some("h1"));
        assert_eq!(
            (all[0].measured_ef_percent, all[1].requested_ef_percent),
            (Some(55.5), Some(30.0))
        );
        assert_eq!((all[1].anatomy.as_deref(), all[1].found), (None, false));
        assert_eq!(
            of("\u{feff}class,file\nfactual,x\n").unwrap()[0].class,
            Class::Factual
        );
    }

    #[test]
    fn a_list_that_is_wrong_is_refused_with_its_line() {
        let line = |text| match of(text) {
            Err(SourcesError::Line { line, what, .. }) => (line, what),
            other => panic!("{other:?}"),
        };
        assert!(line("file,class\na,real\nb,fake\n").1.contains("\"fake\""));
        assert_eq!(line("file,class\na,real\nb,fake\n").0, 3);
        assert_eq!(line("file,class,measured_ef_percent\na,real,x\n").0, 2);
        assert!(
            line("file,class,measured_ef_percent\na,real,140\n")
                .1
                .contains("140")
        );
        assert!(line("file\na\n").1.contains("class"));
        assert!(matches!(
            of("file,class\n"),
            Err(SourcesError::Empty { .. })
        ));
        assert!(matches!(
            list(Path::new("/nowhere/clips.csv")),
            Err(SourcesError::Unreadable { .. })
        ));
    }

    proptest::proptest! {
        #[test]
        fn no_list_is_too_strange(text in "(file,class,anatomy\n)?([a-zA-Z0-9,\"\n\r\t #\u{fc}-]{0,60})") {
            if let Ok(all) = of(&text) {
                proptest::prop_assert!(!all.is_empty());
            }
        }
    }

    #[test]
    fn a_folder_is_all_that_is_in_it() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(
            super::folder(folder.path(), Class::Real),
            Err(SourcesError::Empty { .. })
        ));
        for name in ["b.gif", "a.avi", ".hidden"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        std::fs::create_dir(folder.path().join("c")).unwrap();
        let all = super::folder(folder.path(), Class::Real).unwrap();
        let names: Vec<_> = all.iter().map(|l| l.path.file_name().unwrap()).collect();
        assert_eq!(names, ["a.avi", "b.gif", "c"]);
        assert!(all.iter().all(|l| l.found && l.class == Class::Real));
    }
}
