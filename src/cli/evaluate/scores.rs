//! `echoif evaluate --scores`: the published figures of per-sample scores, beside the published ones.

use crate::metrics::scores::{Against, Figures, PUBLISHED, Published, Summary, read, summary};
use anyhow::Context;
use maud::{DOCTYPE, Markup, html};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Samples of a file in the published evaluation.
const PUBLISHED_SAMPLES: usize = 3;

/// Which of the published rows is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The recorded clip's own EF is asked for.
    Factual,
    /// Another one, by chance, 15 to 85 %.
    Counterfactual,
}

impl Kind {
    fn published(self) -> Published {
        match self {
            Self::Factual => PUBLISHED[0],
            Self::Counterfactual => PUBLISHED[1],
        }
    }
}

#[derive(Serialize)]
struct Told {
    #[serde(flatten)]
    summary: Summary,
    published: Option<Published>,
    /// Sentences.
    differs: Vec<String>,
}

pub fn run(
    paths: &[PathBuf],
    kind: Option<Kind>,
    report: Option<&Path>,
    json: bool,
) -> anyhow::Result<()> {
    let mut scores = Vec::new();
    for path in paths {
        scores.extend(read(path)?);
    }
    let summary = summary(&scores).context("There are no scores.")?;
    let told = Told {
        published: kind.map(Kind::published),
        differs: differs(&summary),
        summary,
    };
    if let Some(to) = report {
        crate::files::write_atomically(to, page(&told).into_string().as_bytes())
            .with_context(|| format!("{} cannot be written", to.display()))?;
    }
    match json {
        true => println!("{}", serde_json::to_string(&told)?),
        false => table(&told),
    }
    Ok(())
}

/// What stands between these figures and the published ones.
fn differs(s: &Summary) -> Vec<String> {
    let mut all = vec![
        "EFs are read by whatever regressor made these scores; the published ones are EchoDiffusion's own, and its \
         errors are part of every figure."
            .to_owned(),
        format!(
            "These are {} files; the published ones are EchoNet-Dynamic's validation split.",
            s.files
        ),
    ];
    let [few, many] = s.samples_a_file;
    if few != many {
        all.push(format!(
            "Files have from {few} to {many} samples: the best of few is no match for the best of many."
        ));
    }
    if (few, many) != (PUBLISHED_SAMPLES, PUBLISHED_SAMPLES) {
        all.push(format!(
            "The published best is of {PUBLISHED_SAMPLES} samples a file, this of {many}: with more samples the best is \
             better, whatever made them."
        ));
    }
    all
}

/// The rows of a table: its name, then R2, MAE and RMSE, SSIM and LPIPS.
fn rows(told: &Told) -> Vec<(String, [Option<f64>; 5])> {
    let of = |a: Against, ssim, lpips| [a.r_squared, Some(a.mae), Some(a.rmse), ssim, lpips];
    let figures = |f: &Figures| of(f.asked_generated, f.ssim, f.lpips);
    let s = &told.summary;
    let [_, n] = s.samples_a_file;
    let mut all = vec![("single shot".to_owned(), figures(&s.single_shot))];
    let published = told.published;
    all.extend(published.map(|p| {
        (
            format!("single shot, published 1SCM, {}", p.kind),
            of(p.single_shot, None, None),
        )
    }));
    all.push((format!("best of {n}"), figures(&s.best_of)));
    all.extend(published.map(|p| {
        (
            format!("best of {PUBLISHED_SAMPLES}, published 1SCM, {}", p.kind),
            of(p.best_of_3, p.ssim, p.lpips),
        )
    }));
    let others = [
        ("recorded clip, single shot", s.single_shot.asked_reference),
        ("recorded clip, best", s.best_of.asked_reference),
        (
            "recorded against generated",
            s.single_shot.reference_generated,
        ),
    ];
    let others = others.into_iter().filter_map(|(name, a)| Some((name, a?)));
    all.extend(others.map(|(name, a)| (name.to_owned(), of(a, None, None))));
    all
}

const COLUMNS: [&str; 5] = ["R2", "MAE", "RMSE", "SSIM", "LPIPS"];
const DECIMALS: [usize; 5] = [4, 3, 3, 4, 4];

fn shown(values: [Option<f64>; 5]) -> [String; 5] {
    let mut decimals = DECIMALS.into_iter();
    values.map(|value| {
        let decimals = decimals.next().unwrap_or_default();
        value.map_or("-".into(), |v| format!("{v:.decimals$}"))
    })
}

fn head(s: &Summary) -> String {
    format!("{} samples of {} files", s.samples, s.files)
}

fn table(told: &Told) {
    println!("{}\n", head(&told.summary));
    println!("{:46}{}", "", COLUMNS.map(|c| format!("{c:>10}")).concat());
    for (name, values) in rows(told) {
        let values = shown(values).map(|v| format!("{v:>10}"));
        println!("{name:46}{}", values.concat());
    }
    println!();
    for why in &told.differs {
        println!("{why}");
    }
}

/// One file without script or anything from outside.
fn page(told: &Told) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Evaluation of generated echocardiograms" }
                style {
                    "body { font: 16px/1.5 sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; }"
                    "table { border-collapse: collapse; }"
                    "th, td { text-align: right; padding: .3em .8em; border-bottom: 1px solid #bbb; }"
                    "th:first-child, td:first-child { text-align: left; }"
                    "tr.published { color: #666; }"
                }
            }
            body {
                h1 { "EF asked for against EF found" }
                p { (head(&told.summary)) ". EFs in points of percent." }
                table {
                    thead { tr { th {} @for column in COLUMNS { th { (column) } } } }
                    tbody {
                        @for (name, values) in rows(told) {
                            tr.published[name.contains("published")] {
                                td { (name) }
                                @for value in shown(values) { td { (value) } }
                            }
                        }
                    }
                }
                p {
                    "Every sample counts in " em { "single shot" } ": that is what one gets. " em { "Best of" }
                    " takes, of each file's samples, the one whose EF is nearest to the one that was asked for, and of SSIM and \
                     LPIPS the best each by itself, as the published tables do."
                }
                h2 { "What differs from the published figures" }
                ul { @for why in &told.differs { li { (why) } } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::scores::Score;

    #[test]
    fn the_page_has_both_and_what_is_between_them() {
        let score = |file: &str, asked_ef, generated_ef| Score {
            file: file.into(),
            asked_ef,
            generated_ef,
            reference_ef: None,
            ssim: Some(0.5),
            lpips: None,
        };
        let scores = [score("a", 30.0, 35.0), score("b", 60.0, 55.0)];
        let summary = summary(&scores).unwrap();
        let told = Told {
            published: Some(Kind::Counterfactual.published()),
            differs: differs(&summary),
            summary,
        };
        let page = page(&told).into_string();
        for text in [
            "single shot",
            "5.000",
            "12.840",
            "best of 1",
            "9.650",
            "of 3 samples",
        ] {
            assert!(page.contains(text), "{text}");
        }
        assert!(!page.contains("<script"));
    }
}
