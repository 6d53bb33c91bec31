use super::super::AlreadyReported;
use super::access::Access;
use crate::study::given;
use crate::study::merge::{MergeError, merge};
use anyhow::Context;
use serde_json::json;
use std::path::PathBuf;

#[derive(clap::Args)]
#[command(
    after_help = "Example: echoif study merge R1.jsonl R2.jsonl --plan plan.json --out all.jsonl"
)]
pub struct Args {
    /// Readers' logs.
    #[arg(required = true, value_name = "LOG")]
    logs: Vec<PathBuf>,
    /// The plan, `plan.json`, or the bundle that it is sealed in.
    #[arg(long, value_name = "FILE")]
    plan: PathBuf,
    #[command(flatten)]
    access: Access,
    /// The file to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[arg(long)]
    pub json: bool,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let plan = args.access.plan(&args.plan)?;
    let logs = given::logs(&args.logs)?;
    let merged = match merge(logs.iter().map(Vec::as_slice), &plan) {
        Ok(merged) => merged,
        Err(MergeError::Conflicts(conflicts)) if args.json => {
            let all = json!({
                "ok": false,
                "out": null,
                "readers": [],
                "answered": 0,
                "conflicts": conflicts,
                "error": MergeError::Conflicts(conflicts.clone()).to_string(),
            });
            println!("{all}");
            eprintln!("{}", MergeError::Conflicts(conflicts));
            return Err(AlreadyReported.into());
        }
        Err(e) => return Err(with_file(e, &args.logs)),
    };
    crate::files::write_atomically(&args.out, &merged.bytes)
        .with_context(|| format!("{} cannot be written", args.out.display()))?;
    if args.json {
        let none: [(); 0] = [];
        let all = json!({
            "ok": true,
            "out": args.out,
            "readers": merged.readers,
            "answered": merged.answered,
            "conflicts": none,
        });
        println!("{all}");
    } else {
        println!(
            "{}: {} answers of {}",
            args.out.display(),
            merged.answered,
            merged.readers.join(", ")
        );
    }
    Ok(())
}

/// The error, behind the file that it is about.
pub fn with_file(e: MergeError, paths: &[PathBuf]) -> anyhow::Error {
    let file = match &e {
        MergeError::Wrong { file, .. } | MergeError::NoReader { file } => paths.get(*file),
        _ => None,
    };
    let e = anyhow::Error::new(e);
    match file {
        Some(path) => e.context(path.display().to_string()),
        None => e,
    }
}
