use super::super::window;
use super::access;
use crate::study::log::beside;
use crate::study::record::PresentedBy;
use crate::study::script::{self as scripts, Script};
use crate::study::session::Start;
use crate::study::stamp::Stamp;
use crate::study::{PROGRAM, given};
use crate::ui::{Opening, Reading};
use anyhow::Context;
use serde_json::json;
use std::path::PathBuf;
use std::time::Duration;

#[derive(clap::Args)]
#[command(after_help = "Example: echoif study run study.echostudy --code-file code.txt")]
pub struct Args {
    /// The bundle, `NAME.echostudy`.
    file: PathBuf,
    /// The log to write or to go on with; beside the bundle without it.
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Answers instead of a reader: trial,answer,confidence,rt_ms. The log says that a script answered. Without
    /// it the window opens, and a reader answers.
    #[arg(long, value_name = "CSV")]
    script: Option<PathBuf>,
    /// A file with the reader's code. The window asks for it where it is not given.
    #[arg(long, value_name = "FILE")]
    code_file: Option<PathBuf>,
    /// Milliseconds to wait at each step.
    #[arg(long, default_value_t = 0, value_name = "N")]
    pace_ms: u64,
    #[arg(long)]
    pub json: bool,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let Some(script) = &args.script else {
        let code = args.code_file.as_deref().map(access::code_in).transpose()?;
        let study = Reading {
            bundle: args.file.clone(),
            code: code.map(|c| c.to_string()),
            log: args.log.clone(),
        };
        return window::open(Opening {
            study: Some(study),
            ..Opening::default()
        });
    };
    let code_file = args
        .code_file
        .as_deref()
        .context("The bundle is sealed: give --code-file FILE with a reader's code.")?;
    let opened = given::bundle(&args.file, &access::code_in(code_file)?)?;
    let place = opened.reader.context("The code is no reader's.")?;
    let reader = opened.plan.readers.get(place).map(|r| r.reader.clone());
    let reader = reader.unwrap_or_default();
    let log = args
        .log
        .clone()
        .unwrap_or_else(|| beside(&args.file, &reader));
    let shown = script.display();
    let answers = std::fs::read(script).with_context(|| format!("{shown} cannot be read"))?;
    let answers = Script::parse(&answers).with_context(|| format!("{shown}"))?;
    let start = Start {
        log: &log,
        by: PresentedBy::Script,
        program: PROGRAM,
        at: Stamp::now(),
    };
    let pace = Duration::from_millis(args.pace_ms);
    let ran = scripts::run(&answers, &opened.plan, place, start, || {
        if !pace.is_zero() {
            std::thread::sleep(pace);
        }
    });
    let ran = ran.with_context(|| format!("{}", log.display()))?;
    if args.json {
        let all = json!({
            "reader": ran.reader,
            "answered": ran.answered,
            "trials": ran.trials,
            "complete": ran.complete,
            "receipt": ran.receipt,
            "log": log,
        });
        println!("{all}");
        return Ok(());
    }
    println!(
        "{}: {} of {} trials answered",
        ran.reader, ran.answered, ran.trials
    );
    println!("Log: {}", log.display());
    println!("Receipt for the administrator: {}", ran.receipt);
    Ok(())
}
