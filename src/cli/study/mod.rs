//! `echoif study`: real-or-fake reader studies, without the window.

mod access;
mod merge;
mod plan;
mod power;
mod report;
mod run;
mod verify;

use anyhow::Context;
use clap::Subcommand;
use std::path::Path;

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Say what a design can show: widths of intervals, power, trials for equivalence.
    Power(power::Args),
    /// Plan a study from clips: audit them, draw who reads what, seal it all.
    Plan(Box<plan::Args>),
    /// Read a study, or have a script read it.
    Run(run::Args),
    /// Say whether logs are what readers' sessions wrote.
    Verify(verify::Args),
    /// Make one file of several readers' logs.
    Merge(merge::Args),
    /// Open the key and say what the readers could tell.
    Report(report::Args),
}

impl Args {
    pub fn json(&self) -> bool {
        match &self.command {
            Command::Power(a) => a.json,
            Command::Plan(a) => a.json,
            Command::Run(a) => a.json,
            Command::Verify(a) => a.json,
            Command::Merge(a) => a.json,
            Command::Report(a) => a.json,
        }
    }
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    match &args.command {
        Command::Power(args) => power::run(args),
        Command::Plan(args) => plan::run(args),
        Command::Run(args) => run::run(args),
        Command::Verify(args) => verify::run(args),
        Command::Merge(args) => merge::run(args),
        Command::Report(args) => report::run(args),
    }
}

/// The word that seals a key, or opens it: the first line of a file, or what is typed where a person sits.
fn passphrase(file: Option<&Path>, none: bool, twice: bool) -> anyhow::Result<Option<String>> {
    use std::io::IsTerminal;
    if none {
        return Ok(None);
    }
    if let Some(path) = file {
        let text = crate::files::read_text(path)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        let word = text.lines().next().unwrap_or_default().to_owned();
        anyhow::ensure!(
            !word.is_empty(),
            "{}: its first line is empty.",
            path.display()
        );
        return Ok(Some(word));
    }
    anyhow::ensure!(
        std::io::stdin().is_terminal(),
        "The key needs a passphrase: give --passphrase-file FILE, or --no-passphrase to leave it open."
    );
    let word = rpassword::prompt_password("Passphrase of the key: ")?;
    if twice {
        let again = rpassword::prompt_password("Once more: ")?;
        anyhow::ensure!(word == again, "The two passphrases differ: begin again.");
    }
    Ok(Some(word))
}
