//! What an item says of this study.

use super::OPEN;
use crate::study::key::Class;
use crate::study::plan::{Design, Kind, Primary};
use crate::study::report::flow::Flow;
use crate::study::report::page::{time_sentence, why};
use crate::study::report::words::{
    NONE, count, list, number_or_none, percent_or_none, percent_range, range, whole_percent,
};
use crate::study::report::{Report, Study};
use std::fmt::Write as _;

pub(super) fn knew(study: &Study) -> String {
    let prior = if study.plan.prior_told {
        "were told"
    } else {
        "were not told"
    };
    format!(
        "Readers saw no name, ejection fraction or other information, and no feedback. They {prior} the share of \
         real clips. All clips went through one path of size, rate, mask and gray levels."
    )
}

pub(super) fn intended(report: &Report, study: &Study) -> String {
    let flow = Flow::of(report, study);
    let design = match study.plan.design {
        Design::Crossed => "every reader the same clips",
        Design::Split => "no clip to two readers",
        Design::Shared => "some clips to all readers, the rest to one each",
    };
    format!(
        "Planned: {}, {} that count ({design}), {} repeated. How the number was chosen (`echoif study power` \
         computes what a design can show): {OPEN}.",
        count(flow.planned_readers, "reader"),
        count(flow.planned_trials, "trial"),
        flow.planned_repeats
    )
}

pub(super) fn flow(report: &Report, study: &Study) -> String {
    let f = Flow::of(report, study);
    format!(
        "- {} planned, {} given, {} withdrew, {} in the figures\n- {} of these planned: {} answered, {} ended \
         without an answer, {} not reached",
        count(f.planned_readers, "reader"),
        count(f.logs, "log"),
        f.withdrawn,
        count(f.readers, "reader"),
        count(f.trials, "trial"),
        f.answered,
        f.missing,
        f.not_reached
    )
}

pub(super) fn cross(report: &Report) -> String {
    let mut text = "| clips | said real | said fake | no answer |\n|---|---|---|---|".to_owned();
    for c in report.by_class.iter().filter(|c| c.n + c.missing > 0) {
        let wrong = c.n.saturating_sub(c.correct);
        let (real, fake) = if c.class == Class::Real {
            (c.correct, wrong)
        } else {
            (wrong, c.correct)
        };
        let _ = write!(
            text,
            "\n| {} | {real} | {fake} | {} |",
            c.class.name(),
            c.missing
        );
    }
    text
}

pub(super) fn estimates(report: &Report, study: &Study) -> String {
    let mut text = format!("{} Verdict: {}.\n\n", why(report, study), report.verdict);
    let level = whole_percent(study.plan.analysis.level);
    let _ = write!(text, "| figure | value | {level} interval |\n|---|---|---|");
    let mut row = |name: &str, value: String, interval: Option<String>| {
        let interval = interval.unwrap_or_else(|| NONE.to_owned());
        let _ = write!(text, "\n| {name} | {value} | {interval} |");
    };
    let (b, a, d) = (&report.balanced_accuracy, &report.auc, &report.d_prime);
    row(
        "balanced accuracy",
        percent_or_none(b.value),
        percent_range(b.low, b.high),
    );
    row(
        "AUC of ratings",
        number_or_none(a.value, 3),
        range(a.low, a.high, 3),
    );
    row(
        "d′, mean of readers",
        number_or_none(d.value, 2),
        range(d.low, d.high, 2),
    );
    for c in report.by_class.iter().filter(|c| c.n > 0) {
        let name = format!("accuracy, {}", c.class.name());
        row(
            &name,
            percent_or_none(c.accuracy),
            percent_range(c.low, c.high),
        );
    }
    row(
        "sensitivity (fake)",
        percent_or_none(report.sensitivity),
        None,
    );
    row(
        "specificity (real)",
        percent_or_none(report.specificity),
        None,
    );
    text
}

pub(super) fn agreement(report: &Report) -> String {
    let a = &report.agreement;
    let mut text = if a.clips == 0 {
        "Between readers: not defined, as no clip was read by two.".to_owned()
    } else {
        let with = |value, low, high| {
            let value = number_or_none(value, 3);
            range(low, high, 3).map_or(value.clone(), |range| format!("{value} ({range})"))
        };
        format!(
            "Between readers, on {}: {} of pairs agree; Fleiss' kappa {}, Krippendorff's alpha {}, AC1 {}; \
             intervals by resamples of clips.",
            count(a.clips, "clip"),
            percent_or_none(a.percent),
            with(a.fleiss, a.fleiss_low, a.fleiss_high),
            with(a.alpha, a.alpha_low, a.alpha_high),
            with(a.ac1, a.ac1_low, a.ac1_high)
        )
    };
    let repeated: Vec<String> = a
        .repeated
        .iter()
        .map(|r| {
            let kappa = number_or_none(r.kappa, 2);
            format!(
                "{} {} of {} (kappa {kappa})",
                r.reader,
                percent_or_none(r.percent),
                r.clips
            )
        })
        .collect();
    if repeated.is_empty() {
        text += " Within readers: no repeated readings.";
    } else {
        let _ = write!(
            text,
            " Within readers, first reading against repeat: {}.",
            repeated.join(", ")
        );
    }
    text
}

pub(super) fn process(study: &Study) -> String {
    let plan = study.plan;
    let limit = plan.answer.time_limit_s.map_or_else(
        || "no time limit".to_owned(),
        |s| format!("a time limit of {s} s"),
    );
    let scale = match plan.answer.confidence {
        0 => "no confidence".to_owned(),
        steps => format!("confidence from 1 to {steps}"),
    };
    format!(
        "One clip at a time, repeating until answered; real or fake, {scale}, {limit}; blocks of {} with breaks \
         of {} s.{} {} {}",
        count(plan.session.block, "trial"),
        plan.session.break_s,
        distance(study),
        knew(study),
        time_sentence(study)
    )
}

/// How far repeats lie from the first reading.
fn distance(study: &Study) -> String {
    let mut least = None;
    for reading in &study.plan.readers {
        for again in reading.trials.iter().filter(|t| t.kind == Kind::Repeat) {
            let before = reading.trials.iter().take_while(|t| t.trial < again.trial);
            let first = before.filter(|t| t.clip == again.clip).last();
            let apart = first.map(|first| again.trial - first.trial);
            least = [least, apart].into_iter().flatten().min();
        }
    }
    least.map_or_else(String::new, |n| {
        format!(
            " Repeats came at least {} after the reading before.",
            count(n, "trial")
        )
    })
}

pub(super) fn analysis(study: &Study) -> String {
    let analysis = &study.plan.analysis;
    let primary = match analysis.primary {
        Primary::BalancedAccuracy => "balanced accuracy",
        Primary::Auc => "the area under the ROC curve of the ratings",
    };
    format!(
        "Planned before the first reading: {primary} with readers and clips random (U-statistic), {} interval, \
         equivalence margin {}. Agreement: percent, Cohen's and Fleiss' kappa, Krippendorff's alpha (nominal), \
         Gwet's AC1 on shared clips, repeats for agreement within readers alone. `report.html` names the sources.",
        whole_percent(analysis.level),
        analysis.equivalence_margin
    )
}

pub(super) fn sample(report: &Report, study: &Study) -> String {
    let mut text = String::from("| reader | role | years | log |\n|---|---|---|---|");
    for planned in &study.plan.readers {
        let log = study
            .readers
            .iter()
            .find(|about| about.reader == planned.reader);
        let role = log.map_or("", |l| l.role.as_str());
        let state = match log {
            None => "none",
            Some(log) if log.withdrawn => "withdrawn",
            Some(log) if log.complete => "complete",
            Some(_) => "incomplete",
        };
        let role = if role.trim().is_empty() {
            OPEN.to_owned()
        } else {
            plain(role)
        };
        let years = number_or_none(log.and_then(|l| l.years), 0);
        let _ = write!(
            text,
            "\n| {} | {role} | {years} | {state} |",
            planned.reader
        );
    }
    let clips = report.by_class.iter().filter(|c| c.clips > 0);
    let clips: Vec<String> = clips
        .map(|c| format!("{} {}", c.clips, c.class.name()))
        .collect();
    let clips: Vec<&str> = clips.iter().map(String::as_str).collect();
    let _ = write!(
        text,
        "\n\nClips read: {}. Patients and machines behind the real clips: {OPEN}.",
        list(&clips)
    );
    text
}

pub(super) fn programs(study: &Study) -> String {
    let all = study.readers.iter().flat_map(|about| &about.programs);
    let all: std::collections::BTreeSet<&str> = all.map(String::as_str).collect();
    plain(&list(&all.into_iter().collect::<Vec<_>>()))
}

/// Words of others: on one line, and no mark-up.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::new();
    for letter in text.chars() {
        match letter {
            '\n' | '\r' => plain.push(' '),
            '<' => plain += "&lt;",
            '>' => plain += "&gt;",
            '&' => plain += "&amp;",
            '\\' | '|' | '*' | '_' | '`' | '[' | ']' | '#' => plain.extend(['\\', letter]),
            letter => plain.push(letter),
        }
    }
    plain
}
