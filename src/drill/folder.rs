//! A folder of clips whose EFs somebody says, as a set of cases. A clip is known by its pixels, never by its name.

use super::case::{Ladder, RANGE, Recipe, Rung, Truth};
use super::set::{CaseSet, FORMAT, VERSION};
use crate::clip::Pixels;
use crate::files::{lines_of_rows, read_text, why_no_row};
use crate::hash::{hex, sha256};
use crate::media;
use crate::phantom::Quality;
use crate::recording::Recording;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;

/// Digits of the hash that a case is called by.
const NAME: usize = 16;

/// What is said of these EFs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Told {
    /// By a regressor; else somebody labelled them.
    pub measured: bool,
    pub source: String,
    /// SD, in EF points.
    pub error_points: f64,
}

/// Why there is no set. The message begins with the file.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    #[error("{path}: it cannot be read ({why})")]
    Unreadable { path: String, why: String },
    #[error("{path}: line {line}: {what}")]
    Line {
        path: String,
        line: usize,
        what: String,
    },
    /// A sentence that begins with the file.
    #[error("{0}")]
    Clip(String),
}

#[derive(serde::Deserialize)]
struct Row {
    file: String,
    ef_percent: f64,
    #[serde(default)]
    ladder: Option<String>,
    #[serde(default)]
    quality: Option<Quality>,
}

/// The set, and what has to be known of it.
///
/// # Errors
/// With the line of the list that cannot be understood, or the clip that cannot be opened.
pub fn set(folder: &Path, csv: &Path, told: &Told) -> Result<(CaseSet, Vec<String>), FolderError> {
    let shown = csv.display().to_string();
    let text = read_text(csv).map_err(|e| FolderError::Unreadable {
        path: shown.clone(),
        why: e.to_string(),
    })?;
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .comment(Some(b'#'))
        .from_reader(text.as_bytes());
    let lines = lines_of_rows(&text, true);
    let mut ladders: BTreeMap<String, (Quality, Vec<Rung>)> = BTreeMap::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for (i, row) in reader.deserialize::<Row>().enumerate() {
        let line = lines.get(i + 1).copied().unwrap_or(i + 2);
        let wrong = |what: String| FolderError::Line {
            path: shown.clone(),
            line,
            what,
        };
        let row = row.map_err(|e| wrong(why_no_row(&e)))?;
        if !RANGE.contains(&row.ef_percent) {
            return Err(wrong(format!(
                "an EF of a case is {} to {} %, not {}",
                RANGE.start(),
                RANGE.end(),
                row.ef_percent
            )));
        }
        let pixels_sha256 = pixels_of(&folder.join(&row.file))?;
        let case: String = pixels_sha256.chars().take(NAME).collect();
        if let Some(before) = seen.insert(case.clone(), line) {
            return Err(wrong(format!("it shows the same pixels as line {before}")));
        }
        // Whatever a ladder is called in the list may name somebody.
        let ladder = match row.ladder.filter(|l| !l.is_empty()) {
            Some(name) => {
                let hash = sha256(format!("ladder {name}").as_bytes());
                format!("l{}", hash.chars().take(NAME).collect::<String>())
            }
            None => format!("c{case}"),
        };
        let quality = row.quality.unwrap_or_default();
        let (_, rungs) = ladders.entry(ladder).or_insert((quality, Vec::new()));
        rungs.push(Rung {
            case,
            ef_percent: row.ef_percent,
            recipe: Recipe::Clip { pixels_sha256 },
        });
    }
    let mut warnings = Vec::new();
    let mut all = Vec::with_capacity(ladders.len());
    for (ladder, (quality, mut rungs)) in ladders {
        rungs.sort_by(|a, b| a.ef_percent.total_cmp(&b.ef_percent));
        let before = rungs.len();
        rungs.dedup_by(|b, a| a.ef_percent == b.ef_percent);
        if rungs.len() < before {
            warnings.push("Of clips of one heart with one EF, one was taken.".to_owned());
        }
        all.push(Ladder {
            ladder,
            quality,
            rungs,
        });
    }
    warnings.dedup();
    let (truth, source) = match told.measured {
        true => (Truth::Measured, "a regressor"),
        false => (Truth::Labelled, "a list"),
    };
    let set = CaseSet {
        format: FORMAT.into(),
        version: VERSION,
        name: String::new(),
        truth,
        truth_source: match told.source.as_str() {
            "" => source.into(),
            said => said.into(),
        },
        truth_error_points: told.error_points,
        ladders: all,
    };
    Ok((set, warnings))
}

/// SHA-256 of a clip's size and pixels, frame after frame.
pub(super) fn pixels_of(path: &Path) -> Result<String, FolderError> {
    let opened = media::open(path).map_err(|e| FolderError::Clip(e.to_string()))?;
    let hash = hash_of(&opened.recording);
    hash.map_err(|why| FolderError::Clip(format!("{}: {why}", path.display())))
}

/// The same of what was opened.
///
/// # Errors
/// A phrase that says why a frame cannot be shown.
pub(super) fn hash_of(recording: &Recording) -> Result<String, String> {
    let mut hasher = Sha256::new();
    let size = [recording.width() as u64, recording.height() as u64];
    for n in size {
        hasher.update(n.to_le_bytes());
    }
    for i in 0..recording.frames() {
        let frame = recording.frame(i)?;
        let (Pixels::Gray(pixels) | Pixels::Rgb(pixels)) = &frame.pixels;
        hasher.update(pixels);
    }
    Ok(hex(&hasher.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_list_is_a_set_or_a_sentence_with_the_line() {
        let folder = tempfile::tempdir().unwrap();
        for (name, level) in [("a.png", 10), ("b.png", 20), ("c.png", 30)] {
            let picture = image::GrayImage::from_pixel(8, 8, image::Luma([level]));
            picture.save(folder.path().join(name)).unwrap();
        }
        let csv = folder.path().join("efs.csv");
        let told = Told {
            measured: false,
            source: String::new(),
            error_points: 0.0,
        };
        let of = |list: &[u8]| {
            std::fs::write(&csv, list).unwrap();
            set(folder.path(), &csv, &told)
        };
        let own = "file,ef_percent,ladder,quality\n# two of one heart\na.png,30,h,good\nb.png,55,h,\nc.png,40,,poor\n";
        let (whole, _) = of(own.as_bytes()).unwrap();
        assert_eq!(whole.cases().count(), 3);
        let wrong = of(own.replace("55", "555").as_bytes()).unwrap_err();
        assert!(wrong.to_string().contains("line 4: an EF"), "{wrong}");
        let mut read = 0;
        for changed in crate::damage::mutations(own.as_bytes(), 300) {
            match of(&changed) {
                Ok((set, _)) => {
                    read += 1;
                    assert!(set.cases().all(|case| RANGE.contains(&case.ef_percent)));
                }
                Err(why) => assert!(!why.to_string().is_empty()),
            }
        }
        assert!(read > 30, "{read}");
    }
}
