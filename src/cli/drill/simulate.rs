use crate::drill::staircase::{Observer, Simulated, recovery};
use anyhow::Context;

#[derive(clap::Args)]
#[command(
    after_help = "Example: echoif drill simulate --jnd-alpha 6 --slope 2 --lapse 0.02 --observers 200"
)]
pub struct Args {
    /// Points; with the slope, how the share of right answers grows with the difference in EF.
    #[arg(long, default_value_t = 6.0)]
    jnd_alpha: f64,
    #[arg(long, default_value_t = 2.0)]
    slope: f64,
    /// Share of trials in which whatever is shown is missed, twice over.
    #[arg(long, default_value_t = 0.02)]
    lapse: f64,
    /// They guess always, instead.
    #[arg(long)]
    guess: bool,
    #[arg(long, default_value_t = 200)]
    observers: usize,
    #[arg(long, default_value_t = 0)]
    seed: u64,
    #[arg(long)]
    pub json: bool,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let sound = args.jnd_alpha > 0.0
        && args.slope > 0.0
        && (0.0..0.25).contains(&args.lapse)
        && (1..=100_000).contains(&args.observers);
    anyhow::ensure!(
        sound,
        "--jnd-alpha and --slope are above 0, --lapse is 0 to below 0.25, and there are 1 to 100000 observers."
    );
    let who = match args.guess {
        true => Simulated::Guesser,
        false => Simulated::Observer(Observer {
            alpha: args.jnd_alpha,
            slope: args.slope,
            lapse: args.lapse,
        }),
    };
    let found = recovery(who, args.observers, args.seed).context("There are no observers.")?;
    if args.json {
        println!("{}", serde_json::to_string(&found)?);
        return Ok(());
    }
    if let Some(truth) = found.true_jnd {
        println!("Just-noticeable difference: {truth:.2} points");
    }
    println!(
        "Found: median {:.2}, 90 % from {:.2} to {:.2}, in {:.0} trials (median)",
        found.median_jnd, found.p5, found.p95, found.trials_median
    );
    let percent = |share: Option<f64>| share.map(|s| format!("{:.1} %", 100.0 * s));
    if let (Some(near), Some(covers)) = (
        percent(found.within_factor_1_5),
        percent(found.interval_covers),
    ) {
        println!("Within a factor of 1.5: {near}; intervals that hold it: {covers}");
    }
    println!("Not measurable: {:.1} %", 100.0 * found.not_measurable);
    Ok(())
}
