//! A set of generated ladders: clips of one heart at several EFs, of which those are kept whose EFs rise as they were
//! asked to.

use super::case::{Ladder, RANGE, Recipe, Rung, Truth};
use super::folder::hash_of;
use super::set::{CaseSet, FORMAT, VERSION};
use crate::media;
use crate::phantom::Quality;
use crate::provenance::Provenance;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// EFs that each heart is generated at, in percent.
pub const EFS: [f64; 12] = [
    20.0, 25.0, 30.0, 35.0, 40.0, 45.0, 50.0, 55.0, 60.0, 65.0, 70.0, 75.0,
];
/// Digits of a heart's hash in names.
const DIGITS: usize = 12;

/// `1f0c66a2b3d4-ef35.gif`: a heart is known by the hash of its frame, never by a file's name.
pub fn file_name(anatomy_sha256: &str, ef_percent: f64) -> String {
    let heart: String = anatomy_sha256.chars().take(DIGITS).collect();
    format!("{heart}-ef{ef_percent:.0}.gif")
}

/// A generated clip, as its mark tells.
#[derive(Clone, Debug, PartialEq)]
pub struct Made {
    /// Digits of the heart's hash.
    pub heart: String,
    pub asked_percent: f64,
    /// By the outline where the cascade gives one, else by the regressor.
    pub ef_percent: f64,
    pub measured_percent: f64,
    /// Whose word the EF is.
    pub source: String,
    /// Of the cascade.
    pub cascade_sha256: String,
    pub pixels_sha256: String,
}

impl Made {
    /// Of a clip that was written; none where it is not there, or is none of this program's.
    pub fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let (heart, _) = name.split_once("-ef")?;
        let opened = media::open(path).ok()?;
        let mark = opened.mark.as_ref().filter(|m| m.drawn.is_none())?;
        let made: &Provenance = &mark.provenance;
        let source = match made.outline_ef_percent {
            Some(_) => format!("outline of {}", made.cascade),
            None => made.regressor.clone(),
        };
        Some(Self {
            heart: heart.to_owned(),
            asked_percent: made.requested_ef_percent,
            ef_percent: made.outline_ef_percent.unwrap_or(made.measured_ef_percent),
            measured_percent: made.measured_ef_percent,
            source,
            cascade_sha256: made.cascade_sha256.clone(),
            pixels_sha256: hash_of(&opened.recording).ok()?,
        })
    }
}

/// All clips of a folder that this program generated for a set.
///
/// # Errors
/// A sentence, when the folder cannot be read.
pub fn made_in(folder: &Path) -> Result<Vec<Made>, String> {
    let unreadable = |e: std::io::Error| format!("{}: it cannot be read ({e}).", folder.display());
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|e| e == "gif") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths.iter().filter_map(|path| Made::of(path)).collect())
}

/// A set, and how many clips were left out since their EFs do not rise with what was asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Assembled {
    pub set: CaseSet,
    pub left_out: usize,
}

/// A set of one cascade's clips.
///
/// # Errors
/// A sentence, when no heart has two rungs.
pub fn assemble(made: &[Made], cascade_sha256: &str) -> Result<Assembled, String> {
    let mut hearts: BTreeMap<&str, Vec<&Made>> = BTreeMap::new();
    let of_cascade = made.iter().filter(|m| m.cascade_sha256 == cascade_sha256);
    for made in of_cascade {
        hearts.entry(&made.heart).or_default().push(made);
    }
    let (mut ladders, mut left_out, mut kept) = (Vec::new(), 0, Vec::new());
    for (heart, mut rungs) in hearts {
        rungs.sort_by(|a, b| a.asked_percent.total_cmp(&b.asked_percent));
        let efs: Vec<f64> = rungs.iter().map(|m| m.ef_percent).collect();
        let rising = rising(&efs);
        left_out += rungs.len() - rising.len();
        let chosen: Vec<&Made> = rising
            .iter()
            .filter_map(|i| rungs.get(*i).copied())
            .collect();
        if chosen.len() < 2 {
            left_out += chosen.len();
            continue;
        }
        kept.extend(chosen.iter().copied());
        ladders.push(Ladder {
            ladder: format!("g{heart}"),
            quality: Quality::Good,
            rungs: chosen.iter().map(|m| rung(m)).collect(),
        });
    }
    let first = kept.first().ok_or(
        "No heart has two clips whose EFs rise with what was asked: choose other frames, or another cascade.",
    )?;
    Ok(Assembled {
        set: CaseSet {
            format: FORMAT.into(),
            version: VERSION,
            name: String::new(),
            truth: Truth::Measured,
            truth_source: first.source.clone(),
            truth_error_points: disagreement(&kept),
            ladders,
        },
        left_out,
    })
}

fn rung(made: &Made) -> Rung {
    Rung {
        case: made.pixels_sha256.chars().take(16).collect(),
        // To a tenth, as everything is told.
        ef_percent: (10.0 * made.ef_percent).round() / 10.0,
        recipe: Recipe::Clip {
            pixels_sha256: made.pixels_sha256.clone(),
        },
    }
}

/// How far two words on the same clips are apart, SD in points to a tenth: outline and regressor, or what was asked
/// and the regressor. What nobody knows better stands for the truth's own error.
fn disagreement(made: &[&Made]) -> f64 {
    let of = |m: &&Made| match m.ef_percent == m.measured_percent {
        true => m.measured_percent - m.asked_percent,
        false => m.ef_percent - m.measured_percent,
    };
    let differences: Vec<f64> = made.iter().map(of).collect();
    let n = differences.len() as f64;
    let mean = differences.iter().sum::<f64>() / n;
    let squares: f64 = differences.iter().map(|d| (d - mean).powi(2)).sum();
    (10.0 * (squares / (n - 1.0).max(1.0)).sqrt()).round() / 10.0
}

/// Places of the longest run of EFs that rise by a tenth of a point at least, within what a case may have.
fn rising(efs: &[f64]) -> Vec<usize> {
    let told = |i: usize| efs.get(i).map(|ef| (10.0 * ef).round());
    let may = |i: usize| {
        efs.get(i)
            .is_some_and(|ef| RANGE.contains(&((10.0 * ef).round() / 10.0)))
    };
    // Of each place the longest run that ends there.
    let mut runs: Vec<Vec<usize>> = Vec::with_capacity(efs.len());
    for i in 0..efs.len() {
        let mut best: Vec<usize> = Vec::new();
        for run in &runs {
            let rises = run.last().is_some_and(|j| told(*j) < told(i));
            if rises && run.len() > best.len() {
                best.clone_from(run);
            }
        }
        if may(i) {
            best.push(i);
        } else {
            best.clear();
        }
        runs.push(best);
    }
    // Of several that are as long, the first.
    let longest = runs.into_iter().rev().max_by_key(Vec::len);
    longest.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::sha256;

    fn made(heart: &str, asked: f64, ef: f64, measured: f64) -> Made {
        Made {
            heart: heart.into(),
            asked_percent: asked,
            ef_percent: ef,
            measured_percent: measured,
            source: "outline of a cascade".into(),
            cascade_sha256: "c".into(),
            pixels_sha256: sha256(format!("{heart}{asked}").as_bytes()),
        }
    }

    #[test]
    fn rungs_that_do_not_rise_are_left_out() {
        assert_eq!(rising(&[20.0, 31.0, 30.0, 41.0, 41.04]), [0, 1, 3]);
        assert_eq!(rising(&[4.0, 30.0, 92.0]), [1]);
        assert_eq!(rising(&[]), Vec::<usize>::new());
        let all = [
            made("a", 20.0, 21.0, 25.0),
            made("a", 40.0, 39.0, 39.0),
            made("a", 30.0, 42.0, 41.0),
            made("b", 20.0, 30.0, 30.0),
        ];
        let assembled = assemble(&all, "c").unwrap();
        // Of two that cannot both stay one does; and a heart with one rung is no ladder.
        assert_eq!((assembled.set.ladders.len(), assembled.left_out), (1, 2));
        let cases: Vec<f64> = assembled.set.cases().map(|c| c.ef_percent).collect();
        assert_eq!(cases.len(), 2);
        assert!(cases[0] < cases[1]);
        assert_eq!(CaseSet::parse(&assembled.set.to_bytes()), Ok(assembled.set));
        assert!(assemble(&all, "another").is_err());
    }

    #[test]
    fn the_truths_error_is_how_far_two_words_are_apart() {
        let all = [made("a", 20.0, 21.0, 23.0), made("a", 40.0, 41.0, 39.0)];
        let assembled = assemble(&all, "c").unwrap();
        assert!((assembled.set.truth_error_points - 2.8).abs() < 1e-9);
    }

    #[test]
    fn a_name_tells_the_heart_and_what_was_asked() {
        let name = file_name(&"0123456789abcdef".repeat(4), 35.0);
        assert_eq!(name, "0123456789ab-ef35.gif");
        assert_eq!(Made::of(Path::new("nowhere/0123456789ab-ef35.gif")), None);
    }
}
