use super::bytes_of;
use crate::drill::case::Band;
use crate::drill::class::{Class, Feedback, Kind, Wanted};
use crate::drill::sampler::Source;
use crate::drill::set::{self, CaseSet};
use crate::phantom::Quality;
use anyhow::Context;
use serde_json::json;
use std::path::PathBuf;

#[derive(clap::Args)]
#[command(
    after_help = "Example: echoif drill class --set built-in --seed 7 --cases 20 --out tuesday.echoclass"
)]
pub struct Args {
    /// A set of cases, or built-in for the program's own hearts.
    #[arg(long, default_value = "built-in", value_name = "FILE|built-in")]
    set: String,
    /// Of the program's own hearts: good, medium or poor.
    #[arg(long, default_value = "good")]
    quality: Quality,
    #[arg(long, default_value_t = 0)]
    seed: u64,
    #[arg(long, default_value_t = 20)]
    cases: usize,
    /// Shares of the five bands: 30 or less, to 40, to below 50, 50 to 60, over 60.
    #[arg(long, value_delimiter = ',', value_name = "A,B,C,D,E")]
    bands: Option<Vec<f64>>,
    /// after-each or at-end.
    #[arg(long, default_value = "after-each")]
    feedback: Feedback,
    /// guess: the EF of a clip; lower: which of two is lower.
    #[arg(long, default_value = "guess")]
    kind: Kind,
    /// Seconds until a case ends without an answer.
    #[arg(long, value_name = "S")]
    time_limit: Option<f64>,
    /// What the class is called, for its trainees to see.
    #[arg(long, default_value = "")]
    name: String,
    /// The file to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[arg(long)]
    pub json: bool,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let source = match args.set.as_str() {
        "built-in" => Source::built_in(args.quality),
        path => {
            let bytes = bytes_of(path.as_ref(), set::MOST_BYTES)?;
            Source::Set(CaseSet::parse(&bytes).with_context(|| path.to_owned())?)
        }
    };
    let shares = match &args.bands {
        None => [1.0; Band::COUNT],
        Some(given) => given[..]
            .try_into()
            .ok()
            .context("--bands takes five numbers, such as 1,1,1,1,1.")?,
    };
    let class = Class::new(Wanted {
        name: args.name.clone(),
        source,
        seed: args.seed,
        cases: args.cases,
        shares,
        kind: args.kind,
        feedback: args.feedback,
        time_limit_s: args.time_limit,
    })?;
    crate::files::write_atomically(&args.out, &class.to_bytes())
        .with_context(|| format!("{} cannot be written", args.out.display()))?;
    let list = class.list();
    if args.json {
        let cases = list.iter().map(|c| {
            json!({
                "case": c.case,
                "ladder": c.ladder,
                "ef_percent": c.ef_percent,
                "band": c.band(),
            })
        });
        let all = json!({
            "class": class.name,
            "set_sha256": class.set_sha256,
            "seed": class.seed,
            "cases": cases.collect::<Vec<_>>(),
            "cases_sha256": class.cases_sha256,
            "out": args.out,
        });
        println!("{all}");
        return Ok(());
    }
    println!(
        "{}: {} cases, seed {}",
        args.out.display(),
        list.len(),
        class.seed
    );
    println!(
        "Everybody who opens it sees the same ones: {}",
        class.cases_sha256
    );
    Ok(())
}
