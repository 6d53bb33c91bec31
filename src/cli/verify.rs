use super::AlreadyReported;
use crate::verify::{Report, Row, verify};
use std::path::PathBuf;

#[derive(clap::Args)]
#[command(after_help = "\
A GPU computes in f32 here, unless --precision names another: the tolerances are those of f32. What \
tf32 and bf16 fail shows what they cost.

Example: echoif verify tests/fixtures --device cuda")]
pub struct Args {
    /// A folder of manifests (*.json) with their safetensors beside them.
    folder: PathBuf,
    #[command(flatten)]
    device: super::DeviceArgs,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    pub json: bool,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let device = args.device.open_exact()?;
    if let Some(note) = &device.note {
        eprintln!("{note}");
    }
    eprintln!("Device: {}", device.name);
    let report = verify(&args.folder, device.backend(), |name| eprintln!("  {name}"))
        .map_err(anyhow::Error::msg)?;
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print_table(&report);
    }
    if report.failed > 0 {
        return Err(AlreadyReported.into());
    }
    Ok(())
}

fn print_table(report: &Report) {
    let width = |f: fn(&Row) -> &str| report.rows.iter().map(|r| f(r).len()).max().unwrap_or(0);
    let (w1, w2) = (width(|r| &r.fixture), width(|r| &r.quantity).min(60));
    println!(
        "{:w1$}  {:w2$}  {:>10}  {:>10}  {:>10}  {:>10}  {:>10}",
        "fixture", "quantity", "max diff", "max stored", "mean diff", "mean stored", "tolerance"
    );
    let number = |v: Option<f64>| v.map_or_else(|| "-".into(), |v| format!("{v:.2e}"));
    for r in &report.rows {
        println!(
            "{:w1$}  {:w2$}  {:>10}  {:>10}  {:>10}  {:>10}  {:>10}  {}",
            r.fixture,
            r.quantity,
            number(r.max_abs_difference),
            number(r.max_abs_stored),
            number(r.mean_abs_difference),
            number(r.mean_abs_stored),
            number(r.tolerance),
            if r.pass { "pass" } else { "FAIL" }
        );
    }
    for s in &report.skipped {
        println!("skipped  {}: {}", s.fixture, s.why);
    }
    println!(
        "{} passed, {} failed, {} skipped",
        report.rows.len() - report.failed,
        report.failed,
        report.skipped.len()
    );
}
