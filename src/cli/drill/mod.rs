//! `echoif drill`: training eyes to see EF, without the window.

mod cases;
mod class;
mod due;
mod profiles;
mod report;
mod run;
mod simulate;

use crate::drill::profile::{self, Looked, ProfileError};
use anyhow::Context;
use clap::Subcommand;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a set of cases: simulated hearts at the EFs asked for, or a folder's clips with a list of their EFs.
    Cases(cases::Args),
    /// Make a class: the same cases in the same order for everybody.
    Class(class::Args),
    /// Have a script answer a class, as one trainee.
    Run(run::Args),
    /// Say how well the search for a just-noticeable difference finds one that is known.
    Simulate(simulate::Args),
    /// Say what a profile is to practise next.
    Due(due::Args),
    /// Say what trainees' answers show.
    Report(report::Args),
    /// List the profiles that are on this machine.
    Profiles(profiles::Args),
    /// Delete a profile and every answer of it.
    Delete(profiles::DeleteArgs),
}

impl Args {
    pub fn json(&self) -> bool {
        match &self.command {
            Command::Cases(a) => a.json,
            Command::Class(a) => a.json,
            Command::Run(a) => a.json,
            Command::Simulate(a) => a.json,
            Command::Due(a) => a.json,
            Command::Report(a) => a.json,
            Command::Profiles(a) => a.json,
            Command::Delete(a) => a.json,
        }
    }
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    match &args.command {
        Command::Cases(args) => cases::run(args),
        Command::Class(args) => class::run(args),
        Command::Run(args) => run::run(args),
        Command::Simulate(args) => simulate::run(args),
        Command::Due(args) => due::run(args),
        Command::Report(args) => report::run(args),
        Command::Profiles(args) => profiles::run(args),
        Command::Delete(args) => profiles::delete(args),
    }
}

/// Of a profile that ends in half a line.
const HALF: &str = "Half an answer was left by a program that was stopped; it is left out.";

/// Where profiles lie.
#[derive(clap::Args)]
struct DataArgs {
    /// A folder instead of the user's own data directory.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

impl DataArgs {
    fn profiles(&self) -> anyhow::Result<PathBuf> {
        if let Some(folder) = &self.data {
            return Ok(folder.join("profiles"));
        }
        crate::drill::profiles_folder()
            .context("This system has no data directory: give --data DIR.")
    }

    /// What a profile holds, whichever program has it open.
    fn look(&self, alias: &str) -> anyhow::Result<Looked> {
        let looked = profile::look(&self.profiles()?, alias).map_err(told)?;
        if looked.was_torn {
            eprintln!("{HALF}");
        }
        Ok(looked)
    }
}

/// The bytes of a file that is no longer than it can be.
fn bytes_of(path: &Path, most: usize) -> anyhow::Result<Vec<u8>> {
    let bytes = crate::files::read_at_most(path, most)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    bytes.with_context(|| {
        let shown = path.display();
        format!("{shown}: this file is longer than any that it could be.")
    })
}

/// A profile's own sentences, with what to do.
fn told(e: ProfileError) -> anyhow::Error {
    match e {
        ProfileError::NoSuch(alias) => {
            anyhow::anyhow!("There is no profile {alias}: `echoif drill profiles` lists them.")
        }
        e => e.into(),
    }
}
