//! Scores of generated clips, one row a sample, and what the published evaluation makes of them (Reynaud et al.,
//! MICCAI 2023): figures over all samples, and over the best of each file's samples.
//!
//! Both are told, always: choosing the best of several samples by the very number that is reported flatters it, and
//! what is used in practice is one sample.

use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Rows that are read at most.
const MOST_ROWS: usize = 10_000_000;

/// One sample. EFs in percent; what was not measured is not there.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    pub file: String,
    /// What was asked for.
    pub asked_ef: f64,
    /// What the regressor reads of the generated clip.
    pub generated_ef: f64,
    /// What it reads of the recorded one.
    pub reference_ef: Option<f64>,
    /// Of the generated clip and the recorded one.
    pub ssim: Option<f64>,
    pub lpips: Option<f64>,
}

/// How far one EF is from another, over samples or files.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Against {
    /// 1 - residual sum of squares / total sum of squares, of the first about its own mean; none where it does not
    /// vary.
    pub r_squared: Option<f64>,
    /// Points.
    pub mae: f64,
    pub rmse: f64,
}

/// Figures of a choice of samples.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figures {
    /// Samples that they are of.
    pub samples: usize,
    /// The EF asked for, against the generated clip's.
    pub asked_generated: Against,
    /// The EF asked for, against the recorded clip's.
    pub asked_reference: Option<Against>,
    /// The recorded clip's, against the generated one's.
    pub reference_generated: Option<Against>,
    pub ssim: Option<f64>,
    pub lpips: Option<f64>,
}

/// What a file of scores says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    pub files: usize,
    pub samples: usize,
    /// Samples of a file: of the file with fewest, and with most.
    pub samples_a_file: [usize; 2],
    /// Every sample counts: what one shot gives.
    pub single_shot: Figures,
    /// Each file's best sample, by the distance between the EFs; each of the other figures takes its own best.
    pub best_of: Figures,
}

/// Why scores cannot be read.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum ScoresError {
    #[error("{path}: {why}. Check the file and its permissions.", path = path.display())]
    Unreadable { path: PathBuf, why: String },
    #[error(
        "{path}: its first line does not name the column {column}. It is to begin with \
         FileName,GT EF,Gen EF,Ref EF,SSIM,LPIPS, of which the first three are needed.",
        path = path.display()
    )]
    Column { path: PathBuf, column: &'static str },
    #[error("{path}, line {line}: {why}", path = path.display())]
    Line {
        path: PathBuf,
        line: u64,
        why: String,
    },
    #[error("{path}: it has no row below its first line, or more than {MOST_ROWS}.", path = path.display())]
    Rows { path: PathBuf },
}

/// The scores of a CSV in the published columns, `FileName,GT EF,Gen EF,Ref EF,SSIM,LPIPS`, in any order; others are
/// passed over.
///
/// # Errors
/// With the line that cannot be understood.
pub fn read(path: &Path) -> Result<Vec<Score>, ScoresError> {
    let unreadable = |why: String| ScoresError::Unreadable {
        path: path.to_owned(),
        why,
    };
    let text = crate::files::read_text(path).map_err(|e| unreadable(e.to_string()))?;
    parse(&text, path)
}

fn parse(text: &str, path: &Path) -> Result<Vec<Score>, ScoresError> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let at = |line: u64, why: String| ScoresError::Line {
        path: path.to_owned(),
        line,
        why,
    };
    let of_csv = |e: &csv::Error| {
        let line = e.position().map_or(1, csv::Position::line);
        let why = match e.kind() {
            csv::ErrorKind::UnequalLengths { .. } => "it has more or fewer columns than the first.",
            _ => "it cannot be read.",
        };
        at(line, why.into())
    };
    let head = reader.headers().map_err(|e| of_csv(&e))?.clone();
    let find = |name: &str| head.iter().position(|h| h == name);
    let needed = |column: &'static str| {
        find(column).ok_or_else(|| ScoresError::Column {
            path: path.to_owned(),
            column,
        })
    };
    let (file, asked, generated) = (needed("FileName")?, needed("GT EF")?, needed("Gen EF")?);
    let [reference, ssim, lpips] = ["Ref EF", "SSIM", "LPIPS"].map(find);
    let mut all = Vec::new();
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(|e| of_csv(&e))? {
        let line = record.position().map_or(0, csv::Position::line);
        if all.len() == MOST_ROWS {
            return Err(ScoresError::Rows {
                path: path.to_owned(),
            });
        }
        let number = |column: usize| {
            let said = record.get(column).unwrap_or_default();
            match said.parse::<f64>() {
                Ok(value) if value.is_finite() => Ok(value),
                _ => Err(at(line, format!("`{said}` is no number."))),
            }
        };
        // What was not measured is empty.
        let some = |column: Option<usize>| match column {
            Some(column) if !record.get(column).unwrap_or_default().is_empty() => {
                number(column).map(Some)
            }
            _ => Ok(None),
        };
        let name = record.get(file).unwrap_or_default();
        if name.is_empty() {
            return Err(at(line, "its file has no name.".into()));
        }
        all.push(Score {
            file: name.to_owned(),
            asked_ef: number(asked)?,
            generated_ef: number(generated)?,
            reference_ef: some(reference)?,
            ssim: some(ssim)?,
            lpips: some(lpips)?,
        });
    }
    match all.is_empty() {
        true => Err(ScoresError::Rows {
            path: path.to_owned(),
        }),
        false => Ok(all),
    }
}

impl Against {
    /// Of pairs: what should be, and what is.
    pub fn of(pairs: &[(f64, f64)]) -> Option<Self> {
        let n = pairs.len() as f64;
        let mean = pairs.iter().map(|(x, _)| x).sum::<f64>() / n;
        let total: f64 = pairs.iter().map(|(x, _)| (x - mean).powi(2)).sum();
        let left: f64 = pairs.iter().map(|(x, y)| (x - y).powi(2)).sum();
        let off: f64 = pairs.iter().map(|(x, y)| (x - y).abs()).sum();
        (!pairs.is_empty()).then(|| Self {
            r_squared: (total > 0.0).then(|| 1.0 - left / total),
            mae: off / n,
            rmse: (left / n).sqrt(),
        })
    }
}

/// What scores say; nothing of none.
pub fn summary(scores: &[Score]) -> Option<Summary> {
    let mut files: BTreeMap<&str, Vec<&Score>> = BTreeMap::new();
    for score in scores {
        files.entry(&score.file).or_default().push(score);
    }
    let counts = || files.values().map(Vec::len);
    Some(Summary {
        files: files.len(),
        samples: scores.len(),
        samples_a_file: [counts().min()?, counts().max()?],
        single_shot: all(scores)?,
        best_of: best(files.values().map(Vec::as_slice))?,
    })
}

fn all(scores: &[Score]) -> Option<Figures> {
    let with_reference = || scores.iter().filter_map(|s| Some((s, s.reference_ef?)));
    let pairs = |of: &dyn Fn(&Score, f64) -> (f64, f64)| {
        let pairs: Vec<_> = with_reference().map(|(s, r)| of(s, r)).collect();
        Against::of(&pairs)
    };
    let own: Vec<_> = scores
        .iter()
        .map(|s| (s.asked_ef, s.generated_ef))
        .collect();
    Some(Figures {
        samples: scores.len(),
        asked_generated: Against::of(&own)?,
        asked_reference: pairs(&|s, reference| (s.asked_ef, reference)),
        reference_generated: pairs(&|s, reference| (reference, s.generated_ef)),
        ssim: mean(scores.iter().filter_map(|s| s.ssim)),
        lpips: mean(scores.iter().filter_map(|s| s.lpips)),
    })
}

/// As the published script chooses: the EF asked for is the largest of the file's samples, which all have the same;
/// the sample whose EFs are nearest; of similarities the largest, of distances the smallest.
fn best<'a>(files: impl Iterator<Item = &'a [&'a Score]> + Clone) -> Option<Figures> {
    let asked = |file: &[&Score]| file.iter().map(|s| s.asked_ef).reduce(f64::max);
    let nearest = |file: &[&Score], of: &dyn Fn(&Score) -> Option<f64>| {
        let each = file.iter().filter_map(|s| Some((s.asked_ef, of(s)?)));
        each.map(|(asked, found)| ((asked - found).abs(), found))
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, found)| found)
    };
    let pairs = |of: &dyn Fn(&Score) -> Option<f64>| {
        let each = files
            .clone()
            .filter_map(|file| Some((asked(file)?, nearest(file, of)?)));
        each.collect::<Vec<_>>()
    };
    let own = pairs(&|s| Some(s.generated_ef));
    let most = |of: &dyn Fn(&Score) -> Option<f64>, choose: fn(f64, f64) -> f64| {
        let each = files
            .clone()
            .filter_map(|file| file.iter().filter_map(|s| of(s)).reduce(choose));
        mean(each)
    };
    Some(Figures {
        samples: own.len(),
        asked_generated: Against::of(&own)?,
        asked_reference: Against::of(&pairs(&|s| s.reference_ef)),
        // Each would choose its own sample: there is no pair.
        reference_generated: None,
        ssim: most(&|s| s.ssim, f64::max),
        lpips: most(&|s| s.lpips, f64::min),
    })
}

/// Of none there is none.
fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let values: Vec<f64> = values.collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// A row of the published evaluation of 1SCM on EchoNet-Dynamic's validation split, with three samples a file.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Published {
    pub kind: &'static str,
    pub single_shot: Against,
    pub best_of_3: Against,
    /// Of the best of three.
    pub ssim: Option<f64>,
    pub lpips: Option<f64>,
}

const fn against(r_squared: f64, mae: f64, rmse: f64) -> Against {
    Against {
        r_squared: Some(r_squared),
        mae,
        rmse,
    }
}

/// What the authors' per-sample scores of 1SCM come to.
pub const PUBLISHED: [Published; 2] = [
    Published {
        kind: "factual",
        single_shot: against(0.4515, 7.391, 9.113),
        best_of_3: against(0.7563, 4.514, 6.074),
        ssim: None,
        lpips: None,
    },
    Published {
        kind: "counterfactual",
        single_shot: against(0.4168, 12.840, 15.520),
        best_of_3: against(0.6401, 9.650, 12.191),
        ssim: Some(0.5332),
        lpips: Some(0.2108),
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: &str = "FileName,GT EF,Gen EF,Ref EF,SSIM,LPIPS\n\
        b,60,50,58,0.5,0.2\n\
        a,20,26,30,0.6,0.3\n\
        a,20,18,22,0.4,\n\
        b,60,63,50,0.7,0.1\n";

    fn scores(text: &str) -> Result<Vec<Score>, ScoresError> {
        parse(text, Path::new("scores.csv"))
    }

    #[test]
    fn single_shots_and_the_best_of_each_file_are_told_apart() {
        let s = summary(&scores(TEXT).unwrap()).unwrap();
        assert_eq!((s.files, s.samples, s.samples_a_file), (2, 4, [2, 2]));
        // By hand: errors 10, 6, 2, 3 about a mean of 40.
        let single = s.single_shot.asked_generated;
        assert_eq!(single.mae, 21.0 / 4.0);
        assert_eq!(single.rmse, (149.0f64 / 4.0).sqrt());
        assert_eq!(single.r_squared, Some(1.0 - 149.0 / 1600.0));
        // 18 of 20, 63 of 60; of the recorded ones 22 and 58.
        let best = &s.best_of;
        assert_eq!(best.samples, 2);
        assert_eq!(best.asked_generated.mae, 2.5);
        assert_eq!(best.asked_generated.r_squared, Some(1.0 - 13.0 / 800.0));
        assert_eq!(best.asked_reference.unwrap().mae, 2.0);
        assert_eq!(best.ssim, Some((0.6 + 0.7) / 2.0));
        assert_eq!(best.lpips, Some((0.3 + 0.1) / 2.0));
        assert_eq!(s.single_shot.lpips, Some((0.2 + 0.3 + 0.1) / 3.0));
        assert_eq!(best.reference_generated, None);
    }

    #[test]
    fn three_columns_do_and_their_order_is_free() {
        let s = scores("Gen EF,other,FileName,GT EF\n31.5,x,0X1,30\n").unwrap();
        assert_eq!(s[0].file, "0X1");
        assert_eq!((s[0].asked_ef, s[0].generated_ef), (30.0, 31.5));
        assert_eq!((s[0].reference_ef, s[0].ssim), (None, None));
        // One EF asked for has no variance.
        assert_eq!(
            summary(&s).unwrap().single_shot.asked_generated.r_squared,
            None
        );
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let said = |text: &str| scores(text).unwrap_err().to_string();
        assert!(said("FileName,Gen EF\na,3\n").contains("GT EF"));
        assert!(said("FileName,GT EF,Gen EF\na,3,x\n").contains("line 2: `x` is no number"));
        assert!(said("FileName,GT EF,Gen EF\na,3,nan\n").contains("no number"));
        assert!(said("FileName,GT EF,Gen EF\na,3\n").contains("columns"));
        assert!(said("FileName,GT EF,Gen EF\n").contains("no row"));
        assert!(said("FileName,GT EF,Gen EF\n,3,4\n").contains("no name"));
    }

    proptest! {
        #[test]
        fn any_text_is_scores_or_a_sentence(text in "(FileName,GT EF,Gen EF\n)?.{0,200}") {
            if let Ok(scores) = scores(&text) {
                prop_assert!(summary(&scores).is_some());
            }
        }

        /// The best of a file's samples is never worse than what one shot gives.
        #[test]
        fn the_best_is_no_worse(efs in prop::collection::vec((0.0..100f64, 0.0..100f64), 1..20)) {
            let all: Vec<Score> = efs
                .iter()
                .enumerate()
                .map(|(i, (asked, generated))| Score {
                    file: format!("{}", i / 3),
                    asked_ef: efs[i / 3 * 3].0 + 0.0 * asked,
                    generated_ef: *generated,
                    reference_ef: None,
                    ssim: None,
                    lpips: None,
                })
                .collect();
            let whole = &all[..all.len() / 3 * 3];
            if let Some(s) = summary(whole) {
                prop_assert!(s.best_of.asked_generated.mae <= s.single_shot.asked_generated.mae + 1e-9);
            }
        }
    }
}
