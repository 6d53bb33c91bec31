use super::super::AlreadyReported;
use super::access::Access;
use crate::study::given;
use crate::study::verify::{Receipt, verify};
use std::path::PathBuf;

#[derive(clap::Args)]
#[command(
    after_help = "Example: echoif study verify study-R1.jsonl --plan plan.json \
    --receipt R1=XXXXX-XXXXX-XXXXX-XXXXX"
)]
pub struct Args {
    /// Readers' logs, or a merged one.
    #[arg(required = true, value_name = "LOG")]
    logs: Vec<PathBuf>,
    /// The plan, `plan.json`, or the bundle that it is sealed in.
    #[arg(long, value_name = "FILE")]
    plan: PathBuf,
    #[command(flatten)]
    access: Access,
    /// A receipt that a reader handed in, as R1=XXXXX-XXXXX-XXXXX-XXXXX.
    #[arg(long, value_name = "R1=RECEIPT")]
    receipt: Vec<String>,
    #[arg(long)]
    pub json: bool,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let plan = args.access.plan(&args.plan)?;
    let receipts: Result<Vec<Receipt>, _> =
        args.receipt.iter().map(|r| Receipt::parse(r)).collect();
    let logs = given::logs(&args.logs)?;
    let found = verify(logs.iter().map(Vec::as_slice), &plan, &receipts?)?;
    if args.json {
        println!("{}", serde_json::to_string(&found)?);
    } else {
        for log in &found.logs {
            let path = args.logs.get(log.file).map(|p| p.display().to_string());
            let (path, reader) = (path.unwrap_or_default(), &log.reader);
            let end = match (log.withdrawn, log.complete) {
                (true, _) => "withdrawn",
                (_, true) => "complete",
                _ => "not complete",
            };
            println!(
                "{path}: {reader}, {} lines, {} of {} trials answered, {end}, {} runs, receipt {}",
                log.lines, log.answered, log.trials, log.runs, log.receipt
            );
            for problem in &log.problems {
                println!("{path}: line {}: {}", problem.line, problem.what);
            }
            for warning in &log.warnings {
                eprintln!("{path}: line {}: {}", warning.line, warning.what);
            }
        }
        if args.receipt.is_empty() {
            eprintln!(
                "Without receipts this finds accidents and edits; someone who has the program and a code \
                 could have written a new log."
            );
        }
    }
    if found.ok {
        Ok(())
    } else {
        Err(AlreadyReported.into())
    }
}
