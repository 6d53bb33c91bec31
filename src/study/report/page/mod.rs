//! `report.html`: one file without script or anything from outside, for the screen and for A4. The verdict
//! stands first, in words; what limits it stands beside it.

mod accuracy;
mod agreement;
mod blocks;
mod dots;
mod draw;
mod limits;
mod parts;
mod plan;
mod ratings;
mod readers;
mod roc;
mod times;
mod verdict;

pub(super) use times::sentence as time_sentence;
pub(super) use verdict::why;

use super::words::{full_title, marks, title};
use super::{Report, Study};
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// No word of it comes from outside.
const STYLE: &str = include_str!("style.css");

/// The page, whole.
pub(super) fn page(report: &Report, study: &Study) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (full_title(study)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (head(report, study))
                (verdict::verdict(report, study))
                (verdict::warnings(report))
                (plan::plan(report, study))
                (accuracy::accuracy(report, study))
                (readers::readers(report, study))
                (times::times(report, study))
                (agreement::agreement(report, study))
                (limits::otherwise(report, study))
                (limits::audit(report, study))
                (readers::about(study))
                (limits::limits(report, study))
                (limits::methods(report, study))
                (foot(report, study))
            }
        }
    }
    .into_string()
}

fn head(report: &Report, study: &Study) -> Markup {
    html! {
        header {
            p class="kicker" { "Reader study · echocardiogram clips, real or generated" }
            h1 { (title(study)) }
            @for mark in marks(study) { span class="mark" { (mark) } }
            p class="meta" {
                "Study " code { (report.study) } " · plan " code { (report.plan_sha256.get(..16).unwrap_or(&report.plan_sha256)) }
                " · planned with " (study.plan.program)
            }
        }
    }
}

fn foot(report: &Report, study: &Study) -> Markup {
    html! {
        footer {
            p {
                i { (full_title(study)) } " · SHA-256 of the plan " code { (report.plan_sha256) } " · \
                 The generated clips are synthetic, not patients’ scans. Research and education only, \
                 not for diagnosis."
            }
        }
    }
}
