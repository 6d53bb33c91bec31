use crate::statistics::proportion::{binomial_power, trials_for_equivalence, wilson_half_width};
use crate::statistics::two_way::Design;
use crate::study::power::warnings;
use anyhow::Context;
use serde_json::json;

/// Of the intervals and tests.
const LEVEL: f64 = 0.95;
/// An accuracy that the power is said for.
const TRUTH: f64 = 0.6;
/// Of the test for equivalence.
const POWER: f64 = 0.8;

#[derive(clap::Args)]
#[command(after_help = "Example: echoif study power --readers 3 --trials 100")]
pub struct Args {
    #[arg(long, default_value_t = 3)]
    readers: usize,
    /// Trials of a reader.
    #[arg(long, default_value_t = 100)]
    trials: usize,
    /// Standard deviation of the readers' true accuracies.
    #[arg(long, default_value_t = 0.05)]
    reader_sd: f64,
    /// Variance of the clips' true accuracies, of all readers together.
    #[arg(long, default_value_t = 0.05)]
    case_variance: f64,
    /// Around 0.5, within which readers count as no better than chance.
    #[arg(long, default_value_t = 0.10)]
    margin: f64,
    #[arg(long)]
    pub json: bool,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let (readers, trials) = (args.readers, args.trials);
    let design = Design {
        readers,
        trials,
        reader_sd: args.reader_sd,
        case_variance: args.case_variance,
        p: 0.5,
    };
    let n = trials as u64;
    let wilson = wilson_half_width(n, LEVEL).context("A reader has one trial at least.")?;
    let power =
        binomial_power(n, TRUTH, 1.0 - LEVEL).context("A reader has one trial at least.")?;
    let equivalence = trials_for_equivalence(args.margin, 1.0 - LEVEL, POWER)
        .context("--margin is above 0 and below 0.5.")?;
    // One reader alone says nothing about others.
    let mrmc = design.precision(LEVEL);
    if mrmc.is_none() && readers > 1 && trials > 1 {
        anyhow::bail!(
            "--reader-sd and --case-variance are 0 or more, and not more than an answer varies: \
             SD squared and variance together are at most 0.25."
        );
    }
    let warnings = warnings(readers);
    if args.json {
        let all = json!({
            "wilson_half_width": wilson,
            "mrmc_half_width": mrmc.map(|m| m.half_width),
            "mrmc_df": mrmc.map(|m| m.df),
            "power_p60": power,
            "equivalence_n": equivalence,
            "warnings": warnings,
        });
        println!("{all}");
        return Ok(());
    }
    let points = |share: f64| format!("{:.1} points", 100.0 * share);
    println!(
        "One reader, {trials} trials: +/- {} (Wilson, 95 %)",
        points(wilson)
    );
    if let Some(mrmc) = mrmc {
        println!(
            "{readers} readers of the same clips: +/- {} (readers and clips by chance, df {:.1})",
            points(mrmc.half_width),
            mrmc.df
        );
    }
    println!("An accuracy of 60 % is told from chance with a power of {power:.2} (exact binomial)");
    println!(
        "Equivalence to chance within {} needs {equivalence} trials (two one-sided tests, power {POWER})",
        points(args.margin)
    );
    for warning in &warnings {
        eprintln!("{warning}");
    }
    Ok(())
}
