//! `echoif dataset merge`.

use crate::cli::AlreadyReported;
use crate::dataset::{Clip, Fault, Folder, Plan, Record, write_lists};
use rayon::prelude::*;
use serde_json::json;
use std::path::PathBuf;

#[derive(clap::Args)]
#[command(
    after_help = "Example: echoif dataset merge balanced\n\nFileList.csv is written when every clip is there; a clip that is \
    missing or damaged is named, and the exit status is 1. echoif dataset make makes it."
)]
pub struct Args {
    /// The data set's folder.
    dataset: PathBuf,
    /// Print one JSON object on standard output.
    #[arg(long)]
    pub json: bool,
}

/// Clips that are named on a terminal.
const NAMED: usize = 20;

pub fn run(args: &Args) -> anyhow::Result<()> {
    let plan = Plan::read(&args.dataset)?;
    let folder = Folder::new(&args.dataset);
    let looked = |clip: &Clip| {
        let record = Record::there(&folder, &plan, clip)?;
        record.look(&folder.video(&plan, clip))?;
        Ok(record)
    };
    let found: Vec<Result<Record, Fault>> = plan.clips.par_iter().map(looked).collect();
    let (mut records, mut missing, mut damaged) = (Vec::new(), Vec::new(), Vec::new());
    for (clip, found) in plan.clips.iter().zip(found) {
        match found {
            Ok(record) => records.push(record),
            Err(Fault::Missing) => missing.push(clip.name.as_str()),
            Err(Fault::Damaged(why)) => damaged.push((clip.name.as_str(), why)),
        }
    }
    let whole = missing.is_empty() && damaged.is_empty();
    let without_outline = match whole {
        true => {
            // All is made: what is half-written is of programs that were killed, and in nobody's way where it stays.
            let _ = folder.tidy();
            write_lists(&folder, &records)?
        }
        false => 0,
    };
    if args.json {
        let damaged: Vec<_> = (damaged.iter())
            .map(|(name, why)| json!({ "name": name, "why": why }))
            .collect();
        let said = json!({
            "dataset": args.dataset,
            "clips": plan.clips.len(),
            "there": records.len(),
            "missing": missing,
            "damaged": damaged,
            "without_outline": without_outline,
            "whole": whole,
        });
        println!("{said}");
    } else if whole {
        println!(
            "All {} clips are there. {}",
            records.len(),
            args.dataset.join("FileList.csv").display()
        );
        if without_outline > 0 {
            println!(
                "{without_outline} have no outline: their lines in VolumeTracings.csv have no length, and segmentation \
                 cannot be learned from them."
            );
        }
    } else {
        for name in missing.iter().take(NAMED) {
            eprintln!("Missing: {name}");
        }
        for (name, why) in damaged.iter().take(NAMED) {
            eprintln!("Damaged: {name}: {why}");
        }
        eprintln!(
            "{} of {} clips are missing and {} damaged. Make them with echoif dataset make, then merge again.",
            missing.len(),
            plan.clips.len(),
            damaged.len()
        );
    }
    match whole {
        true => Ok(()),
        false => Err(AlreadyReported.into()),
    }
}
