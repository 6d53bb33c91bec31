//! `report.html`: one file without script or anything from outside, for the screen and for A4.

use super::plot::bland_altman;
use super::{Lower, Report, Sources, Trainee};
use crate::drill::progress::{FEWEST_FOR_LIMITS, Group, Point, explained_by_truth};
use crate::drill::staircase::{Noticeable, TRIALS};
use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = "
body { font: 15px/1.5 system-ui, sans-serif; color: #1b1f24; max-width: 760px; margin: 24px auto; padding: 0 16px }
h1 { font-size: 24px; margin: 0 } h2 { font-size: 18px; margin: 28px 0 6px; break-after: avoid }
p.note { color: #555 } table { border-collapse: collapse; margin: 8px 0; break-inside: avoid }
th, td { padding: 3px 12px 3px 0; text-align: right; border-bottom: 1px solid #ddd } th:first-child, td:first-child { text-align: left }
th { font-weight: 600 } small { color: #555 } section { break-inside: avoid }
svg { width: 460px; max-width: 100%; font: 11px system-ui, sans-serif } svg text { fill: #333 }
line.zero { stroke: #bbb } line.bias { stroke: #1b1f24; stroke-width: 1.5 } line.limit { stroke: #1b1f24; stroke-dasharray: 6 4 }
rect.ci { fill: #dfe6ee } circle { fill: none; stroke: #14529c; stroke-width: 1.4 }
@page { size: A4; margin: 16mm }
";

/// The page, whole.
pub fn page(report: &Report, sources: &Sources, by_case: bool) -> String {
    let title = match sources.title.as_str() {
        "" => "Reading EF",
        title => title,
    };
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) ": EF training" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (title) }
                p class="note" { (truth(report)) }
                @for trainee in &report.trainees { (one(trainee, report, sources)) }
                @if let Some(groups) = &report.groups {
                    (parts("By band", "EF, %", &groups.by_band))
                    (parts("By picture quality", "Quality", &groups.by_quality))
                    (parts("By session", "Day (UTC)", &groups.by_session))
                }
                @if by_case && !report.cases.is_empty() { (cases(report)) }
                p class="note" {
                    "Generated and simulated clips are synthetic, not patients' scans. Research and education only, not \
                     for diagnosis."
                }
            }
        }
    }
    .into_string()
}

fn truth(report: &Report) -> String {
    let (name, source) = (report.truth.name(), &report.truth_source);
    // Of a profile's answers nobody knows whose word it was.
    let mut words = match source == name {
        true => format!("Truth: {name}"),
        false => format!("Truth: {name} ({source})"),
    };
    if let Some(points) = report.truth_error_points.filter(|p| *p > 0.0) {
        words += &format!(", itself off by {points:.1} points (SD)");
    }
    words + "."
}

fn number(x: Option<f64>) -> String {
    x.map_or("-".into(), |x| format!("{x:.1}"))
}

fn signed(x: Option<f64>) -> String {
    x.map_or("-".into(), |x| format!("{x:+.1}"))
}

fn percent(x: Option<f64>) -> String {
    x.map_or("-".into(), |x| format!("{:.0} %", 100.0 * x))
}

fn figure(name: &str, value: &str, interval: Option<String>) -> Markup {
    html! {
        tr {
            td { (name) } td { (value) }
            td { @if let Some(interval) = interval { small { (interval) } } }
        }
    }
}

fn one(trainee: &Trainee, report: &Report, sources: &Sources) -> Markup {
    html! {
        section {
            h2 { (trainee.alias) }
            @if trainee.progress.n > 0 || trainee.lower.is_none() { (guesses(trainee, report, sources)) }
            @if let Some(lower) = &trainee.lower { (which_is_lower(lower)) }
        }
    }
}

/// Trials of *Which is lower?*
fn which_is_lower(lower: &Lower) -> Markup {
    let known = lower.noticeable;
    let interval = known.filter(Noticeable::is_measurable);
    let value = match known {
        None => format!("fewer than {} trials", TRIALS.start()),
        Some(known) if known.is_measurable() => format!("{:.1}", known.value),
        Some(_) => "not measurable in this range".into(),
    };
    html! {
        p { "Which is lower: " (lower.trials) " trials, truth " (lower.truth.name()) "." }
        table { tbody {
            (figure(
                "Just-noticeable difference (JND), points",
                &value,
                interval.map(|known| format!("{:.1} to {:.1}", known.low, known.high)),
            ))
        } }
    }
}

fn guesses(trainee: &Trainee, report: &Report, sources: &Sources) -> Markup {
    let p = &trainee.progress;
    let points: Vec<Point> = sources.points(&trainee.alias).collect();
    let both = |low: Option<f64>, high: Option<f64>| {
        let (low, high) = (low?, high?);
        Some(format!("{low:+.1} to {high:+.1}"))
    };
    let share = |low: Option<f64>, high: Option<f64>| {
        let (low, high) = (low?, high?);
        Some(format!("{:.0} to {:.0} %", 100.0 * low, 100.0 * high))
    };
    let ci = |ci: Option<[f64; 2]>| ci.and_then(|[low, high]| both(Some(low), Some(high)));
    let both_errors = p.sd.zip(report.truth_error_points);
    let explained = both_errors.and_then(|(sd, error)| explained_by_truth(sd, report.truth, error));
    html! {
        p { (p.n) " answers." @if let Some(words) = p.slope_in_words() { " " (words) } }
        table { tbody {
            (figure("Mean absolute error, points", &number(p.mae), None))
            (figure("Median absolute error", &number(p.median_absolute_error), None))
            (figure("Bias", &signed(p.bias), both(p.bias_low, p.bias_high)))
            (figure("SD of the errors", &number(p.sd), None))
            (figure("Lower limit of agreement", &signed(p.limit_low), ci(p.limit_low_ci)))
            (figure("Upper limit", &signed(p.limit_high), ci(p.limit_high_ci)))
            (figure(
                "Slope of guess on truth",
                &p.slope.map_or("-".into(), |s| format!("{s:.2}")),
                p.slope_low.zip(p.slope_high).map(|(l, h)| format!("{l:.2} to {h:.2}")),
            ))
            (figure("Right category", &percent(p.category_accuracy), share(p.wilson_low, p.wilson_high)))
            (figure("Weighted kappa", &p.weighted_kappa.map_or("-".into(), |k| format!("{k:.2}")), None))
        } }
        @if p.n < FEWEST_FOR_LIMITS {
            p class="note" { "Under " (FEWEST_FOR_LIMITS) " answers there are no limits of agreement." }
        }
        @if let Some(explained) = explained {
            p class="note" { "The truth's own error explains " (percent(Some(explained))) " of the spread." }
        }
        (bland_altman(&points, p, report.truth))
        table {
            thead { tr { th { "Truth" } th { "guessed reduced" } th { "mildly reduced" } th { "preserved" } } }
            tbody {
                @for (name, row) in ["reduced", "mildly reduced", "preserved"].iter().zip(p.category_table) {
                    tr { td { (name) } @for n in row { td { (n) } } }
                }
            }
        }
    }
}

/// Nothing where all answers are in one part.
fn parts(title: &str, of: &str, groups: &[Group]) -> Markup {
    let to = |low: Option<f64>, high: Option<f64>| match (low, high) {
        (Some(low), Some(high)) => format!("{low:+.1} to {high:+.1}"),
        _ => "-".into(),
    };
    html! {
        @if groups.len() > 1 {
            h2 { (title) }
            table {
                thead { tr {
                    th { (of) } th { "Answers" } th { "Mean absolute error" } th { "Bias" } th { "95 % interval" }
                    th { "Limits of agreement" } th { "Right category" }
                } }
                tbody {
                    @for group in groups {
                        @let p = &group.progress;
                        tr {
                            td { (group.label) }
                            td { (p.n) }
                            td { (number(p.mae)) }
                            td { (signed(p.bias)) }
                            td { (to(p.bias_low, p.bias_high)) }
                            td { (to(p.limit_low, p.limit_high)) }
                            td { (percent(p.category_accuracy)) }
                        }
                    }
                }
            }
        }
    }
}

fn cases(report: &Report) -> Markup {
    html! {
        h2 { "Cases, those with most errors of category first" }
        table {
            thead { tr {
                th { "Case" } th { "Truth" } th { "Mean guess" } th { "SD" } th { "Guesses" } th { "Wrong category" }
            } }
            tbody {
                @for case in &report.cases {
                    tr {
                        td { (case.case) }
                        td { (number(Some(case.truth))) }
                        td { (number(Some(case.mean))) }
                        td { (number(case.sd)) }
                        td { (case.n) }
                        td { (case.category_errors) }
                    }
                }
            }
        }
    }
}
