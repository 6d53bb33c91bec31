//! Which files and folders a study's screens ask for.

use rfd::FileDialog;
use std::path::{Path, PathBuf};

/// What a file or folder is, to a study.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StudyFile {
    /// A folder of recorded clips.
    Real,
    /// A folder of clips generated at their source's own EF.
    Factual,
    /// A folder of clips generated at another EF.
    Counterfactual,
    /// `clips.csv`
    List,
    /// A folder of clips to practise with.
    Practice,
    /// The folder that a new study is written to.
    Out,
    Bundle,
    /// Where a reader's log is written.
    Log,
    /// A study's folder: plan, key and logs are looked for in it.
    Folder,
    /// `plan.json`, or the bundle.
    Plan,
    Key,
    /// Logs of readers.
    Logs,
    /// Where merged logs go.
    Merged,
    /// The folder that a report is written to.
    Report,
}

impl StudyFile {
    /// What to type, where there is no dialog.
    pub fn text(self) -> &'static str {
        match self {
            Self::Real => "Path of the folder with recorded clips",
            Self::Factual => "Path of the folder with clips generated at their source's own EF",
            Self::Counterfactual => "Path of the folder with clips generated at another EF",
            Self::List => "Path of the list of clips, a CSV",
            Self::Practice => "Path of the folder with clips to practise with",
            Self::Out => "Path of the folder for the study",
            Self::Bundle => "Path of the study, a file with the ending .echostudy",
            Self::Log => "Path of the file for your answers",
            Self::Folder => "Path of the study's folder",
            Self::Plan => "Path of plan.json, or of the study",
            Self::Key => "Path of the study's key",
            Self::Logs => "Path of a reader's log",
            Self::Merged => "Path of the file to write",
            Self::Report => "Path of the folder for the report",
        }
    }

    /// The desktop's own dialog.
    pub fn ask(self) -> Option<PathBuf> {
        let dialog = FileDialog::new();
        let of = |name: &str, endings: &[&str]| dialog.clone().add_filter(name, endings);
        match self {
            Self::Real => dialog.set_title("Folder with recorded clips").pick_folder(),
            Self::Factual => dialog
                .set_title("Folder with clips generated at their source's own EF")
                .pick_folder(),
            Self::Counterfactual => dialog
                .set_title("Folder with clips generated at another EF")
                .pick_folder(),
            Self::List => of("List of clips", &["csv"])
                .set_title("List of clips")
                .pick_file(),
            Self::Practice => dialog
                .set_title("Folder with clips to practise with")
                .pick_folder(),
            Self::Out => dialog.set_title("Folder for the study").pick_folder(),
            Self::Bundle => of("Study", &["echostudy"])
                .set_title("Open a study")
                .pick_file(),
            Self::Log => dialog
                .set_title("File for your answers")
                .set_file_name("answers.jsonl")
                .save_file(),
            Self::Folder => dialog.set_title("The study's folder").pick_folder(),
            Self::Plan => of("Plan or study", &["json", "echostudy"])
                .set_title("The study's plan")
                .pick_file(),
            Self::Key => of("Key", &["key"]).set_title("The study's key").pick_file(),
            Self::Logs => of("Log", &["jsonl"])
                .set_title("A reader's log")
                .pick_file(),
            Self::Merged => dialog
                .set_title("File for all logs")
                .set_file_name("merged.jsonl")
                .save_file(),
            Self::Report => dialog.set_title("Folder for the report").pick_folder(),
        }
    }
}

/// What of a study lies in its folder.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// `plan.json`, else the bundle.
    pub plan: Option<PathBuf>,
    pub key: Option<PathBuf>,
    pub logs: Vec<PathBuf>,
}

/// Looks through a study's folder.
///
/// # Errors
/// With a sentence, when it cannot be read.
pub fn found_in(folder: &Path) -> Result<Found, String> {
    let mut paths = Vec::new();
    let shown = folder.display();
    let unreadable = |e: std::io::Error| format!("{shown}: it cannot be read ({e}).");
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        paths.push(entry.map_err(unreadable)?.path());
    }
    paths.sort();
    let with = |ending: &str| {
        let ends = |p: &&PathBuf| {
            p.extension()
                .is_some_and(|e| e.eq_ignore_ascii_case(ending))
        };
        paths.iter().filter(ends).cloned().collect::<Vec<_>>()
    };
    let named = |name: &str| paths.iter().find(|p| p.ends_with(name)).cloned();
    // What was unblinded is no reader's log.
    let is_log = |path: &PathBuf| {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        !stem.ends_with("-unblinded")
    };
    Ok(Found {
        plan: named("plan.json").or_else(|| with("echostudy").into_iter().next()),
        key: with("key").into_iter().next(),
        logs: with("jsonl").into_iter().filter(is_log).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_studys_folder_is_looked_through() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(found_in(folder.path()), Ok(Found::default()));
        for name in [
            "study.echostudy",
            "study.key",
            "study-R2.jsonl",
            "study-R1.jsonl",
            "study-unblinded.jsonl",
            "audit.json",
        ] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let at = |name: &str| folder.path().join(name);
        let found = found_in(folder.path()).unwrap();
        assert_eq!(found.plan, Some(at("study.echostudy")));
        assert_eq!(found.key, Some(at("study.key")));
        assert_eq!(found.logs, [at("study-R1.jsonl"), at("study-R2.jsonl")]);
        std::fs::write(at("plan.json"), "").unwrap();
        assert_eq!(found_in(folder.path()).unwrap().plan, Some(at("plan.json")));
        let gone = found_in(&at("nowhere")).unwrap_err();
        assert!(gone.contains("nowhere"), "{gone}");
    }
}
