use super::{DataArgs, bytes_of};
use crate::drill::profile::Mode;
use crate::drill::report::{self, Sources};
use crate::drill::result::{self, ClassResult};
use anyhow::Context;
use std::path::PathBuf;

#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  echoif drill report *.echoresult --by-case --out report\n  \
    echoif drill report --profile \"trainee 1\" --out report"
)]
pub struct Args {
    /// Results of one class.
    #[arg(value_name = "RESULT", conflicts_with = "profile")]
    results: Vec<PathBuf>,
    /// A profile's own practice, instead.
    #[arg(long, value_name = "ALIAS")]
    profile: Option<String>,
    /// Its tests, instead of its practice.
    #[arg(long, requires = "profile")]
    tests: bool,
    /// Each case, too: mean and spread of the guesses.
    #[arg(long)]
    by_case: bool,
    #[command(flatten)]
    data: DataArgs,
    /// The folder to write to.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[arg(long)]
    pub json: bool,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let sources = match &args.profile {
        Some(alias) => {
            let profile = args.data.look(alias)?;
            let mode = if args.tests {
                Mode::Test
            } else {
                Mode::Practice
            };
            Sources::of_profile(alias, &profile.answers, &profile.compared, mode)
        }
        None => {
            anyhow::ensure!(
                !args.results.is_empty(),
                "Give results of a class, or --profile ALIAS."
            );
            let read = |path: &PathBuf| {
                let bytes = bytes_of(path, result::MOST_BYTES)?;
                ClassResult::parse(&bytes).with_context(|| format!("{}", path.display()))
            };
            let results: anyhow::Result<Vec<ClassResult>> = args.results.iter().map(read).collect();
            Sources::of_results(&results?)?
        }
    };
    let found = sources.report()?;
    std::fs::create_dir_all(&args.out)
        .with_context(|| format!("{} cannot be written to", args.out.display()))?;
    report::write(&found, &sources, args.by_case, &mut |name, bytes| {
        crate::files::write_atomically(&args.out.join(name), bytes)
    })
    .with_context(|| format!("{}", args.out.display()))?;
    if args.json {
        let mut all = serde_json::to_value(&found)?;
        if let Some(all) = all.as_object_mut() {
            all.insert("out".into(), serde_json::to_value(&args.out)?);
        }
        println!("{all}");
        return Ok(());
    }
    for trainee in &found.trainees {
        let p = &trainee.progress;
        let number = |x: Option<f64>| x.map_or("?".into(), |x| format!("{x:.1}"));
        if p.n > 0 {
            println!(
                "{}: {} answers, mean absolute error {}, bias {}",
                trainee.alias,
                p.n,
                number(p.mae),
                number(p.bias)
            );
        }
        if let Some(lower) = &trainee.lower {
            let found = trainee
                .jnd
                .map_or("too few to say".into(), |jnd| jnd.to_string());
            println!(
                "{}: which is lower, {} trials: {found}",
                trainee.alias, lower.trials
            );
        }
    }
    println!("Report: {}", args.out.join("report.html").display());
    Ok(())
}
