//! What was planned beside what was found.

use super::parts::{meaning, or_none, rated, read};
use crate::study::key::Class;
use crate::study::plan::{Design, Primary};
use crate::study::report::flow::Flow;
use crate::study::report::words::{count, list, number, percent, whole_percent};
use crate::study::report::{ClassFigures, Report, Study};
use maud::{Markup, html};

pub fn plan(report: &Report, study: &Study) -> Markup {
    let rows = rows(report, study);
    let shown = &study.plan.presentation;
    html! {
        section {
            h2 { "What was planned, what was found" }
            p {
                "Clips are " (classes(report)) ". Readers saw one clip at a time, without name, ejection \
                 fraction or feedback, and said of each whether it is real or fake. Primary measure, \
                 interval and margin stood in the plan before anybody read."
            }
            table class="words plan" {
                thead { tr { th {} th scope="col" { "Planned" } th scope="col" { "Found" } } }
                tbody {
                    @for (what, planned, found) in &rows {
                        tr { th scope="row" { (what) } td { (planned) } td { (or_none(found)) } }
                    }
                }
            }
            p {
                "Every clip was shown as " (shown.frames) " frames at " (number(shown.fps, 1)) " a second, "
                (shown.width) " × " (shown.height) " pixels in " (shown.levels) " gray levels, "
                (shown.points) " points wide on the screen, with a blank of " (shown.loop_gap_ms)
                " ms between repeats. The result holds for clips shown like that."
            }
        }
    }
}

fn classes(report: &Report) -> String {
    let of = |c: &&ClassFigures| format!("{} ({})", c.class.name(), meaning(c.class));
    let all: Vec<String> = read(report).iter().map(of).collect();
    list(&all.iter().map(String::as_str).collect::<Vec<_>>())
}

fn rows(report: &Report, study: &Study) -> Vec<(&'static str, String, String)> {
    let (plan, flow) = (study.plan, Flow::of(report, study));
    let share = |class: Class| format!("{} {}", class.name(), whole_percent(plan.shares.of(class)));
    let shares: Vec<String> = Class::ALL
        .into_iter()
        .filter(|c| plan.shares.of(*c) > 0.0)
        .map(share)
        .collect();
    let found = read(report)
        .iter()
        .map(|c| format!("{} {}", c.class.name(), c.n))
        .collect::<Vec<_>>();
    let mut who = format!("{} in the figures", count(flow.readers, "reader"));
    if flow.withdrawn > 0 {
        who += &format!("; {} withdrew", flow.withdrawn);
    }
    if flow.logs < flow.planned_readers {
        who += &format!("; no log of {}", flow.planned_readers - flow.logs);
    }
    let mut trials = format!(
        "{} answered; {} ended without an answer",
        flow.answered, flow.missing
    );
    if flow.not_reached > 0 {
        trials += &format!("; {} not reached yet", flow.not_reached);
    }
    let repeats: usize = report.agreement.repeated.iter().map(|r| r.clips).sum();
    let scale = match plan.answer.confidence {
        0 => "real or fake, no confidence".to_owned(),
        steps => format!("real or fake, then confidence 1 to {steps}"),
    };
    let limit = plan.answer.time_limit_s.map_or_else(
        || "none".to_owned(),
        |s| format!("{} s; then no answer", number(s, 0)),
    );
    let limit_passed = match plan.answer.time_limit_s {
        Some(_) => format!("passed in {}", count(flow.missing, "trial")),
        None => String::new(),
    };
    let some = |n: usize| {
        if n == 0 {
            "none".to_owned()
        } else {
            count(n, "trial")
        }
    };
    let of = |n: usize, words: String| if n == 0 { String::new() } else { words };
    let yes = |yes: bool, a: &str, b: &str| if yes { a } else { b }.to_owned();
    vec![
        ("Readers", count(flow.planned_readers, "reader"), who),
        ("Trials that count", flow.planned_trials.to_string(), trials),
        (
            "Clips by reader",
            design(plan.design).to_owned(),
            shared(report),
        ),
        (
            "Classes",
            shares.join(", "),
            format!("answers: {}", found.join(", ")),
        ),
        (
            "Repeated readings",
            some(flow.planned_repeats),
            of(
                flow.planned_repeats,
                format!("{repeats} answered both times"),
            ),
        ),
        (
            "Practice",
            some(flow.practice),
            of(flow.practice, "counts nowhere".to_owned()),
        ),
        (
            "Answer",
            scale,
            yes(rated(report), "with confidence", "without confidence"),
        ),
        ("Time limit", limit, limit_passed),
        (
            "Share of real clips",
            yes(plan.prior_told, "told to readers", "not told to readers"),
            report.overall.always_fake.map_or_else(String::new, |fake| {
                format!("{} of the answers", percent(1.0 - fake))
            }),
        ),
        (
            "Primary measure",
            format!(
                "{}, {} interval, margin of equivalence ± {}",
                match plan.analysis.primary {
                    Primary::BalancedAccuracy => "balanced accuracy",
                    Primary::Auc => "AUC of ratings",
                },
                whole_percent(plan.analysis.level),
                number(plan.analysis.equivalence_margin, 2),
            ),
            report.verdict.to_string(),
        ),
        (
            "Key",
            "committed to by its SHA-256".to_owned(),
            yes(
                study.key_sealed,
                "sealed by a passphrase",
                "not sealed from the administrator",
            ),
        ),
    ]
}

fn design(design: Design) -> &'static str {
    match design {
        Design::Crossed => "crossed: all readers the same clips, each in an order of their own",
        Design::Split => "split: no clip to two readers",
        Design::Shared => "shared: some clips to all readers, the rest to one each",
    }
}

fn shared(report: &Report) -> String {
    let clips: usize = report.by_class.iter().map(|c| c.clips).sum();
    format!(
        "{} with an answer, {} of them by two readers or more",
        count(clips, "clip"),
        report.agreement.clips
    )
}
