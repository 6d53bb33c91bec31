//! Other ways to count, what the clips alone give away, limits, and how the figures were computed.

use super::dots::{Dots, Row};
use super::draw::Unit;
use super::parts::{figure, number_row, percent_cell, table};
use crate::study::power::FEW;
use crate::study::report::primary::equivalence_level;
use crate::study::report::words::{count, number, whole_percent};
use crate::study::report::{Estimate, Otherwise, Report, Study};
use maud::{Markup, html};
use serde_json::Value;

/// Features that are drawn.
const MOST_FEATURES: usize = 40;

pub fn otherwise(report: &Report, study: &Study) -> Markup {
    let balanced = &report.balanced_accuracy;
    let level = whole_percent(study.plan.analysis.level);
    let planned = Otherwise {
        what: "as planned",
        trials: report.answered,
        value: balanced.value,
        low: balanced.low,
        high: balanced.high,
    };
    html! {
        section {
            h2 { "Had it been counted otherwise" }
            @if balanced.also.is_empty() {
                p { "No trial was shown again and none ended without an answer, so there is no other way to count." }
            } @else {
                (table(
                    &format!("Balanced accuracy. {level} intervals, readers and clips random."),
                    &["Readings", "Trials", "Balanced accuracy"],
                    html! {
                        @for o in std::iter::once(&planned).chain(&balanced.also) {
                            tr {
                                th scope="row" { (o.what) }
                                td { (o.trials) }
                                (percent_cell(Estimate { value: o.value, low: o.low, high: o.high }))
                            }
                        }
                    },
                ))
            }
        }
    }
}

/// What measures of the clips tell without anybody looking.
pub fn audit(report: &Report, study: &Study) -> Markup {
    let level = whole_percent(study.plan.analysis.level);
    let equal = report
        .audit
        .as_ref()
        .and_then(|a| a.get("presentation_equal"))
        .and_then(Value::as_bool);
    let mut features = features(report);
    let told = |row: &Row| row.value.map_or(0.0, |auc| (auc - 0.5).abs());
    features.sort_by(|a, b| told(b).total_cmp(&told(a)));
    features.truncate(MOST_FEATURES);
    let readers = Estimate {
        value: report.auc.value,
        low: report.auc.low,
        high: report.auc.high,
    };
    let mut rows = vec![number_row("Readers’ ratings", String::new(), readers)];
    rows.extend(features);
    let dots = Dots {
        rows,
        unit: Unit::Plain(2),
        shares: true,
        name: "AUC, generated against real",
        lines: vec![(0.5, "tells nothing")],
        band: None,
        what: "Area under the ROC curve of measures of the clips, beside that of the readers",
    };
    html! {
        section {
            h2 { "What the clips alone give away" }
            @match equal {
                Some(true) => p {
                    "Frames, rate, size, gray levels, mask and the values outside it are equal in all \
                     classes: how clips are shown tells nothing."
                },
                Some(false) => p {
                    "The way clips are shown differs between classes: readers may have gone by that, not \
                     by what the clips show."
                },
                None => p { "There is no audit of the clips with this report." },
            }
            @if dots.rows.len() > 1 {
                p {
                    "A generator may differ in what its clips show. How well one measure alone parts \
                     generated from real clips stands here beside the readers, neither hidden nor \
                     corrected: an AUC far from 0.5, on either side, is something that a reader could \
                     have gone by."
                }
                (figure(
                    dots.draw(),
                    "Measures of the clips alone.",
                    &format!("{level} intervals of the readers, readers and clips random; of the \
                     measures as the audit gives them. Farthest from 0.5 first."),
                ))
            }
        }
    }
}

fn features(report: &Report) -> Vec<Row> {
    let content = report
        .audit
        .as_ref()
        .and_then(|a| a.get("content"))
        .and_then(Value::as_array);
    let row = |feature: &Value| {
        let name = feature.get("feature")?.as_str()?.replace('_', " ");
        let at = |key| feature.get(key).and_then(Value::as_f64);
        let value = at("auc")?;
        Some(number_row(
            &name,
            String::new(),
            Estimate {
                value: Some(value),
                low: at("low"),
                high: at("high"),
            },
        ))
    };
    content.into_iter().flatten().filter_map(row).collect()
}

pub fn limits(report: &Report, study: &Study) -> Markup {
    let shown = &study.plan.presentation;
    let margin = number(100.0 * study.plan.analysis.equivalence_margin, 0);
    html! {
        section {
            h2 { "Limits" }
            ul class="limits" {
                li {
                    "A result that does not differ from chance is no proof that clips cannot be told \
                     apart. Only the verdict " i { "equivalent to chance within the margin" } " says \
                     that, and only within the margin of " (margin) " percentage points."
                }
                @if report.readers < FEW {
                    li {
                        "With " (count(report.readers, "reader")) " it is hardly known how readers \
                         differ. Intervals take that into account and are wide; another group of readers \
                         may still lie outside them."
                    }
                }
                li {
                    "The result holds for these classes of clips, shown at " (shown.width) " × " (shown.height)
                    " pixels without sound, text or other views, and for readers who had only to say \
                     real or fake. It says nothing of whether a generated clip is right about a heart."
                }
                li {
                    "Plain accuracy depends on the shares of the classes; balanced accuracy, d′ and AUC \
                     do not. Wilson’s and Newcombe’s intervals, and all that stands as " i { "if independent" } ", \
                     are too narrow where readers differ or share clips."
                }
                li {
                    "Who holds a code and the bundle could analyse its pixels by program. No name, \
                     order, size or time in it tells a class."
                }
                li { "Synthetic clips are for research and education only, not for diagnosis." }
            }
        }
    }
}

pub fn methods(report: &Report, study: &Study) -> Markup {
    let weights = if report.by_reader.len() > 1 {
        " A reader counts by the number of comparisons of a generated with a real clip that they made."
    } else {
        ""
    };
    html! {
        section {
            h2 { "How the figures were computed" }
            ul class="methods" {
                li {
                    b { "Balanced accuracy and AUC: " } "the U-statistic over readers and clips, with \
                     answers and with ratings (+ confidence for fake, − for real) (Gallas 2006; Gallas \
                     et al. 2009; Gallas and Brown 2008); degrees of freedom by Satterthwaite \
                     (Obuchowski, Gallas and Hillis 2012), rounded down, the normal distribution from 50 \
                     on." (weights)
                }
                li {
                    b { "Equivalence: " } "two one-sided tests, which is the "
                    (whole_percent(equivalence_level(study.plan.analysis.level)))
                    " interval inside the margin (Schuirmann 1987)."
                }
                li {
                    b { "Accuracy by class: " } "mean over readers and clips, both random; \
                     Satterthwaite’s degrees of freedom where every reader read every clip, readers − 1 \
                     otherwise (Gallas, Pennello and Myers 2007)."
                }
                li {
                    b { "Each reader: " } "Wilson’s interval (Newcombe 1998), MOVER for balanced \
                     accuracy (Zou and Donner 2008), d′ and criterion with the log-linear correction \
                     (Hautus 1995; Gourevitch and Galanter 1967), AUC with DeLong’s variance (1988)."
                }
                li {
                    b { "d′ of all readers: " } "mean of the readers’ d′, with the variance between \
                     readers, never taken as less than that of their own answers, and the covariance \
                     that comes of shared clips (Obuchowski and Rockette; Hillis 2007)."
                }
                li {
                    b { "Agreement: " } "pairs of readers, Cohen 1960, Fleiss 1971, Krippendorff 2011 \
                     (nominal, missing allowed), Gwet 2008; percentiles of resamples of clips, drawn \
                     from the plan’s hash."
                }
                li { b { "Response times: " } "quartiles of type 7 (Hyndman and Fan 1996)." }
                li {
                    b { "Counting: " } "readings of who withdrew and practice count nowhere, repeats \
                     only in agreement with oneself, trials shown again in accuracy but not in times. No \
                     answer is missing, not wrong."
                }
            }
        }
    }
}
