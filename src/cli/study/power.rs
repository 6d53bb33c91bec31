use crate::cli::count;
use crate::study::power::{Assumed, POWER, Power, PowerError, power, warnings};
use serde_json::json;

#[derive(clap::Args)]
#[command(after_help = "Example: echoif study power --readers 3 --trials 100")]
pub struct Args {
    #[arg(long, default_value_t = 3, value_parser = count(1..=1000))]
    readers: usize,
    /// Trials of a reader.
    #[arg(long, default_value_t = 100, value_parser = count(0..=100_000))]
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
    let found = power(&Assumed {
        readers,
        trials,
        reader_sd: args.reader_sd,
        case_variance: args.case_variance,
        margin: args.margin,
    })
    .map_err(|e| match e {
        PowerError::Trials => anyhow::anyhow!("--trials is 1 at least: {e}."),
        PowerError::Margin => anyhow::anyhow!("--margin is above 0 and below 0.5."),
        PowerError::Variance => anyhow::anyhow!("--reader-sd and --case-variance: {e}."),
    })?;
    let Power {
        mrmc,
        equivalence_n,
        ..
    } = found;
    let warnings = warnings(readers);
    if args.json {
        let all = json!({
            "wilson_half_width": found.wilson_half_width,
            "mrmc_half_width": mrmc.map(|m| m.half_width),
            "mrmc_df": mrmc.map(|m| m.df),
            "power_p60": found.power,
            "equivalence_n": equivalence_n,
            "warnings": warnings,
        });
        println!("{all}");
        return Ok(());
    }
    let points = |share: f64| format!("{:.1} points", 100.0 * share);
    println!(
        "One reader, {trials} trials: +/- {} (Wilson, 95 %)",
        points(found.wilson_half_width)
    );
    if let Some(mrmc) = mrmc {
        println!(
            "{readers} readers of the same clips: +/- {} (readers and clips by chance, df {:.1})",
            points(mrmc.half_width),
            mrmc.df
        );
    }
    println!(
        "An accuracy of 60 % is told from chance with a power of {:.2} (exact binomial)",
        found.power
    );
    println!(
        "Equivalence to chance within {} needs {equivalence_n} trials (two one-sided tests, power {POWER})",
        points(args.margin)
    );
    for warning in &warnings {
        eprintln!("{warning}");
    }
    Ok(())
}
