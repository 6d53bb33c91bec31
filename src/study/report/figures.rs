//! All figures, under the names that `summary.json` and `echoif study report --json` give them.

use super::agreement::{self, Agreement};
use super::classes::{self, ClassFigures};
use super::d_prime::{self, DPrime};
use super::estimate::Estimate;
use super::primary::{self, Averaged, Verdict};
use super::readers::{self, ReaderFigures};
use super::readings::{Readings, Tally};
use super::times::{self, ResponseTimes};
use super::{ReportError, Study};
use crate::study::plan::Design;
use serde::Serialize;

/// What a study found. Shares lie in 0..1, intervals are of the plan's level, what is not defined is None
/// (`null`).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    pub study: String,
    pub plan_sha256: String,
    /// Who did not withdraw and came to a trial that counts.
    pub readers: usize,
    /// Planned for them: scored, without repeats and practice.
    pub trials: usize,
    pub answered: usize,
    /// Trials whose time passed. Those that nobody has come to are in neither.
    pub missing: usize,
    pub design: Design,
    /// A log is missing or incomplete.
    pub interim: bool,
    pub balanced_accuracy: Averaged,
    /// Of the planned primary measure against chance.
    pub verdict: Verdict,
    /// Of the ratings.
    pub auc: Averaged,
    /// Share of all answers on generated clips that say fake. None without one.
    pub sensitivity: Option<f64>,
    /// Share of all answers on real clips that say real. None without one.
    pub specificity: Option<f64>,
    pub d_prime: DPrime,
    pub overall: Overall,
    /// Real, factual, counterfactual, also where nobody read any.
    pub by_class: Vec<ClassFigures>,
    /// In the order of the plan.
    pub by_reader: Vec<ReaderFigures>,
    pub agreement: Agreement,
    /// Of all readers.
    pub response_s: Vec<ResponseTimes>,
    /// What measures of the clips alone tell, as the plan's audit found it.
    pub audit: Option<serde_json::Value>,
    /// Sentences that belong beside every figure.
    pub warnings: Vec<String>,
}

/// All answers, as if all trials were independent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Overall {
    pub n: u64,
    pub correct: u64,
    pub accuracy: Option<f64>,
    pub wilson_low: Option<f64>,
    pub wilson_high: Option<f64>,
    /// What a reader who always says fake would have got right of the same trials.
    pub always_fake: Option<f64>,
}

pub(super) fn of(study: &Study, readings: &Readings) -> Result<Report, ReportError> {
    let level = study.plan.analysis.level;
    let balanced_accuracy = primary::balanced_accuracy(readings, level);
    let auc = primary::auc(readings, level);
    let all = Tally::of(readings.scored.iter());
    let fakes = Tally::of(readings.of_fakes(true));
    let reals = Tally::of(readings.of_fakes(false));
    let pooled = Estimate::wilson(all, level);
    let by_reader = readers::by_reader(readings, level);
    Ok(Report {
        study: study.plan.study.clone(),
        plan_sha256: study.plan_sha256.clone(),
        readers: readings.readers.len(),
        trials: readings.readers.iter().map(|r| r.trials).sum(),
        answered: all.n as usize,
        missing: all.missing as usize,
        design: study.plan.design,
        interim: study.interim,
        verdict: primary::verdict(&study.plan.analysis, &balanced_accuracy, &auc),
        balanced_accuracy,
        auc,
        sensitivity: fakes.share(),
        specificity: reals.share(),
        d_prime: d_prime::of(readings, level),
        overall: Overall {
            n: all.n,
            correct: all.correct,
            accuracy: pooled.value,
            wilson_low: pooled.low,
            wilson_high: pooled.high,
            always_fake: (all.n > 0).then(|| fakes.n as f64 / all.n as f64),
        },
        by_class: classes::by_class(readings, level),
        by_reader,
        agreement: agreement::of(readings, &study.plan_sha256, level),
        response_s: times::response_s(readings.scored.iter()),
        audit: study.audit.clone(),
        warnings: Vec::new(),
    })
}
