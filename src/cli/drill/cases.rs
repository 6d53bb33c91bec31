use crate::cli::count;
use crate::drill::case::RANGE;
use crate::drill::folder;
use crate::drill::set::{CaseSet, Simulated};
use crate::phantom::Quality;
use anyhow::Context;
use serde_json::json;
use std::path::PathBuf;

#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  echoif drill cases --hearts 12 --efs 20:75:5 --seed 1 --out hearts.echocases\n  \
    echoif drill cases --folder clips --csv efs.csv --out clips.echocases"
)]
pub struct Args {
    /// Simulated hearts.
    #[arg(long, conflicts_with = "folder", value_parser = count(1..=10_000))]
    hearts: Option<usize>,
    /// EFs of each heart, in percent: from:to:step, or a list such as 20,35,50.
    #[arg(long, default_value = "20:75:5")]
    efs: String,
    /// good, medium or poor.
    #[arg(long, default_value = "good")]
    quality: Quality,
    /// Of the first heart; the others follow.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A folder of clips whose EFs are known.
    #[arg(long, value_name = "DIR", requires = "csv")]
    folder: Option<PathBuf>,
    /// Their EFs: file,ef_percent[,ladder,quality].
    #[arg(long, value_name = "CSV")]
    csv: Option<PathBuf>,
    /// Whose word these EFs are.
    #[arg(long, default_value = "labelled", value_parser = ["labelled", "measured"])]
    truth: String,
    /// Who labelled, or what measured.
    #[arg(long, default_value = "", value_name = "WHO")]
    truth_source: String,
    /// By which these EFs are themselves off, SD, in points.
    #[arg(long, default_value_t = 0.0, value_name = "POINTS")]
    truth_error: f64,
    /// What the set is called.
    #[arg(long, default_value = "")]
    name: String,
    /// The file to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[arg(long)]
    pub json: bool,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let (mut set, warnings) = match (&args.folder, &args.csv, args.hearts) {
        (Some(dir), Some(csv), _) => {
            let truth = folder::Told {
                measured: args.truth == "measured",
                source: args.truth_source.clone(),
                error_points: args.truth_error,
            };
            folder::set(dir, csv, &truth)?
        }
        (_, _, Some(hearts)) => {
            let wanted = Simulated {
                hearts,
                efs: efs(&args.efs)?,
                quality: args.quality,
                seed: args.seed,
            };
            (CaseSet::simulated(&wanted), Vec::new())
        }
        _ => {
            anyhow::bail!("Give --hearts N for simulated hearts, or --folder DIR with --csv FILE.")
        }
    };
    set.name.clone_from(&args.name);
    // What nobody could open is not written.
    let set = CaseSet::parse(&set.to_bytes())?;
    crate::files::write_atomically(&args.out, &set.to_bytes())
        .with_context(|| format!("{} cannot be written", args.out.display()))?;
    let cases = set.cases().count();
    if args.json {
        let all = json!({
            "set": set.name,
            "sha256": set.sha256(),
            "ladders": set.ladders.len(),
            "cases": cases,
            "truth": set.truth,
            "out": args.out,
            "warnings": warnings,
        });
        println!("{all}");
        return Ok(());
    }
    println!(
        "{}: {cases} cases of {} hearts, truth {} ({})",
        args.out.display(),
        set.ladders.len(),
        set.truth.name(),
        set.truth_source
    );
    for warning in &warnings {
        eprintln!("{warning}");
    }
    Ok(())
}

/// `20:75:5`, or `20,35,50`.
fn efs(text: &str) -> anyhow::Result<Vec<f64>> {
    let number = |text: &str| {
        let ef: f64 = text.trim().parse().ok()?;
        RANGE.contains(&ef).then_some(ef)
    };
    let parts: Vec<&str> = text.split(':').collect();
    let found = match parts[..] {
        [from, to, step] => {
            let step: Option<f64> = step.trim().parse().ok().filter(|s| *s >= 0.1);
            match (number(from), number(to), step) {
                (Some(from), Some(to), Some(step)) if from <= to => {
                    let n = ((to - from) / step + 1e-9).floor() as usize;
                    // To a tenth of a point, as cases are named.
                    let ef = |i: usize| (10.0 * (from + i as f64 * step)).round() / 10.0;
                    Some((0..=n).map(ef).collect())
                }
                _ => None,
            }
        }
        _ => text.split(',').map(number).collect(),
    };
    found.with_context(|| {
        format!(
            "--efs is from:to:step, or a list, of EFs from {} to {} %, and {text} is neither.",
            RANGE.start(),
            RANGE.end()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn any_text_is_efs_of_cases_or_a_sentence(text in "[-0-9.:,e ]{0,16}|\\PC{0,12}") {
            if let Ok(all) = efs(&text) {
                proptest::prop_assert!(all.len() < 1000 && all.iter().all(|ef| RANGE.contains(ef)));
            }
        }
    }

    #[test]
    fn efs_are_a_range_or_a_list() {
        assert_eq!(efs("20:35:5").unwrap(), [20.0, 25.0, 30.0, 35.0]);
        assert_eq!(efs("20:20.4:0.2").unwrap(), [20.0, 20.2, 20.4]);
        assert_eq!(efs("55, 20").unwrap(), [55.0, 20.0]);
        for wrong in ["", "a", "20:10:5", "20:30:0", "1", "20:30", "20,95"] {
            assert!(efs(wrong).is_err(), "{wrong}");
        }
    }
}
