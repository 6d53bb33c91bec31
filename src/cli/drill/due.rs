use super::DataArgs;
use crate::drill::retention::{CASES, offered};
use crate::drill::schedule::cells;
use anyhow::Context;
use dicom_core::chrono::{NaiveDate, Utc};
use serde_json::json;

#[derive(clap::Args)]
#[command(after_help = "Example: echoif drill due --profile \"trainee 1\" --on 2026-12-01")]
pub struct Args {
    #[arg(long, value_name = "ALIAS")]
    profile: String,
    /// The day; today without it.
    #[arg(long, value_name = "YYYY-MM-DD")]
    on: Option<String>,
    #[command(flatten)]
    data: DataArgs,
    #[arg(long)]
    pub json: bool,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let on = match &args.on {
        Some(text) => NaiveDate::parse_from_str(text, "%Y-%m-%d")
            .ok()
            .context("--on is a day, such as 2026-12-01.")?,
        None => Utc::now().date_naive(),
    };
    let profile = args.data.look(&args.profile)?;
    let cells = cells(&profile.answers)?;
    let due: Vec<_> = cells.iter().filter(|c| c.due_on <= on).collect();
    let retention = offered(&profile.answers, on);
    if args.json {
        println!("{}", json!({ "cells": due, "retention": retention }));
        return Ok(());
    }
    for cell in &due {
        println!(
            "EF {}, {} quality: due {}, holds for {:.1} days",
            cell.band.name(),
            cell.quality.name(),
            cell.due,
            cell.stability_days
        );
    }
    if let Some(it) = &retention {
        println!(
            "Retention test, {} days after the course that ended on {}: {CASES} cases that were not seen before",
            it.days, it.course_ended
        );
    }
    if due.is_empty() && retention.is_none() {
        println!("Nothing is due on {on}.");
    }
    Ok(())
}
