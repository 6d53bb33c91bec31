use super::access::{Access, key_in, logs_in};
use crate::study::PROGRAM;
use crate::study::collect::Collected;
use crate::study::report::{self, Study};
use crate::study::stamp::Stamp;
use crate::study::unblind::{self, Look};
use anyhow::Context;
use std::path::PathBuf;

#[derive(clap::Args)]
#[command(
    after_help = "Example: echoif study report study-R*.jsonl --plan plan.json --key study.key --out report"
)]
pub struct Args {
    /// Readers' logs, or a merged one.
    #[arg(required = true, value_name = "LOG")]
    logs: Vec<PathBuf>,
    /// The plan, `plan.json`, or the bundle that it is sealed in.
    #[arg(long, value_name = "FILE")]
    plan: PathBuf,
    /// The study's key, which says which clip is which.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// A file whose first line is the key's passphrase.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Look before all readers have read to the end. Every later report says so.
    #[arg(long)]
    interim: bool,
    /// The folder to write to.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[arg(long)]
    pub json: bool,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let (key, key_bytes, key_sealed) = key_in(&args.key, args.passphrase_file.as_deref())?;
    let access = Access {
        code_file: None,
        key: Some(args.key.clone()),
        passphrase_file: args.passphrase_file.clone(),
    };
    let plan = access.plan(&args.plan)?;
    anyhow::ensure!(
        plan.commits_to(&key_bytes),
        "{} is not the key that {} was made with: give that one.",
        args.key.display(),
        args.plan.display()
    );
    let logs = logs_in(&args.logs)?;
    let collected = Collected::of(logs.iter().map(Vec::as_slice), &plan)
        .map_err(|e| super::merge::with_file(e, &args.logs))?;
    if !collected.is_complete() && !args.interim {
        let mut open = Vec::new();
        let names = |all: &[String]| all.join(", ");
        if !collected.missing.is_empty() {
            open.push(format!("no log of {}", names(&collected.missing)));
        }
        if !collected.unfinished.is_empty() {
            open.push(format!(
                "{} not read to the end",
                names(&collected.unfinished)
            ));
        }
        anyhow::bail!(
            "The study is not complete ({}). Wait for it; or look now with --interim, which every later report \
             will say.",
            open.join("; ")
        );
    }

    // Written down before anything is seen.
    let looks_file = unblind::beside(&args.key);
    let shown = || format!("{}", looks_file.display());
    let looks = unblind::read(&looks_file).with_context(shown)?;
    let look = Look {
        utc: Stamp::now().utc(),
        program: PROGRAM.into(),
        plan_sha256: plan.sha256(),
        logs: collected.looked(),
        complete: collected.is_complete(),
    };
    unblind::append(&looks_file, &look).with_context(shown)?;

    // What the plan's audit found lies beside it.
    let audit = std::fs::read(args.plan.with_file_name("audit.json"));
    let study = Study {
        interim_before: unblind::was_interim(&looks, &look.plan_sha256),
        key_sealed,
        audit: audit
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok()),
        ..collected.study(&plan, &key)
    };
    let found = report::report(&study)?;
    std::fs::create_dir_all(&args.out)
        .with_context(|| format!("{} cannot be written to", args.out.display()))?;
    report::write(&found, &study, &mut |name, bytes| {
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
    let percent = |share: Option<f64>| share.map_or("?".into(), |s| format!("{:.1} %", 100.0 * s));
    let accuracy = &found.balanced_accuracy;
    println!(
        "Balanced accuracy {} ({} to {}): {}",
        percent(accuracy.value),
        percent(accuracy.low),
        percent(accuracy.high),
        found.verdict
    );
    println!("Report: {}", args.out.join("report.html").display());
    for warning in &found.warnings {
        eprintln!("{warning}");
    }
    Ok(())
}
