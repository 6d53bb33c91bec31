//! Which files and folders training asks for.

use rfd::FileDialog;
use std::path::{Path, PathBuf};

/// What a file or folder is, to training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrainingFile {
    /// `NAME.echocases`
    Set,
    /// The folder with a set's clips.
    Clips,
    /// `NAME.echoclass`, to be taken part in.
    Class,
    /// Where a class is written.
    ClassOut,
    /// `ALIAS-NAME.echoresult`
    Result,
    /// The same, of the session that it is compared with.
    ResultBefore,
    /// Where a result is written.
    ResultOut,
    /// The folder that a report is written to.
    Report,
    /// Where a profile's answers go.
    Csv,
    Json,
    /// Frames that a set is generated from.
    Frames,
    /// The folder that a set is generated into.
    Made,
}

impl TrainingFile {
    /// What a file is that was opened or dropped, by its ending.
    pub fn of(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        match ending.as_str() {
            "echocases" => Some(Self::Set),
            "echoclass" => Some(Self::Class),
            "echoresult" => Some(Self::Result),
            _ => None,
        }
    }

    /// What to type, where there is no dialog.
    pub fn text(self) -> &'static str {
        match self {
            Self::Set => "Path of a set of cases, a file with the ending .echocases",
            Self::Clips => "Path of the folder with the set's clips",
            Self::Class => "Path of a class, a file with the ending .echoclass",
            Self::ClassOut => "Path of the class to write, with the ending .echoclass",
            Self::Result => "Path of a result, a file with the ending .echoresult",
            Self::ResultBefore => "Path of a result of the session before",
            Self::ResultOut => "Path of the result to write, with the ending .echoresult",
            Self::Report => "Path of the folder for the report",
            Self::Csv => "Path of the CSV to write",
            Self::Json => "Path of the JSON to write",
            Self::Frames => "Path of the folder with frames",
            Self::Made => "Path of a new folder for the set",
        }
    }

    /// The desktop's own dialog.
    pub fn ask(self) -> Option<PathBuf> {
        let dialog = FileDialog::new();
        let of = |name: &str, ending: &str| dialog.clone().add_filter(name, &[ending]);
        match self {
            Self::Set => of("Set of cases", "echocases")
                .set_title("Open a set of cases")
                .pick_file(),
            Self::Clips => dialog
                .set_title("Folder with the set's clips")
                .pick_folder(),
            Self::Class => of("Class", "echoclass")
                .set_title("Open a class")
                .pick_file(),
            Self::ClassOut => of("Class", "echoclass")
                .set_title("Save the class")
                .set_file_name("class.echoclass")
                .save_file(),
            Self::Result => of("Result", "echoresult")
                .set_title("A trainee's result")
                .pick_file(),
            Self::ResultBefore => of("Result", "echoresult")
                .set_title("A trainee's result of the session before")
                .pick_file(),
            Self::ResultOut => of("Result", "echoresult")
                .set_title("Save your result")
                .set_file_name("result.echoresult")
                .save_file(),
            Self::Report => dialog.set_title("Folder for the report").pick_folder(),
            Self::Csv => of("CSV", "csv")
                .set_title("Save the answers")
                .set_file_name("answers.csv")
                .save_file(),
            Self::Json => of("JSON", "json")
                .set_title("Save the profile")
                .set_file_name("profile.json")
                .save_file(),
            Self::Frames => dialog.set_title("Folder with frames").pick_folder(),
            Self::Made => dialog.set_title("Folder for the set").pick_folder(),
        }
    }
}
