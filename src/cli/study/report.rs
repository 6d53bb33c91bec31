use super::access::key_in;
use crate::study::bundle::ReadError;
use crate::study::given::{self, Opener, Why};
use crate::study::results::{Asked, ResultsError, results};
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
    let key = key_in(&args.key, args.passphrase_file.as_deref())?;
    let plan = match given::plan(&args.plan, Opener::Key(&key.key)) {
        // Said of the key, as it is where the plan lies open.
        Err(e) if matches!(e.why, Why::Bundle(ReadError::OtherKey)) => {
            return Err(ResultsError::OtherKey(args.key.clone()).into());
        }
        plan => plan?,
    };
    let logs = given::logs(&args.logs)?;
    let asked = Asked {
        plan_file: &args.plan,
        plan: &plan,
        key: &key,
        logs: &logs,
        interim: args.interim,
        out: &args.out,
    };
    let found = results(&asked).map_err(|e| match e {
        ResultsError::Incomplete(open) => anyhow::anyhow!(
            "The study is not complete ({open}). Wait for it; or look now with --interim, which every later \
             report will say."
        ),
        ResultsError::Logs(e) => super::merge::with_file(e, &args.logs),
        e => e.into(),
    })?;
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
