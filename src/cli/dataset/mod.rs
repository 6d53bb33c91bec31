//! `echoif dataset`: rebalanced data sets for networks that learn.

mod anatomies;
mod cine;
mod make;
mod merge;
mod plan;

use clap::Subcommand;

#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  echoif dataset plan --echonet EchoNet-Dynamic --fill 150 --list EchoNet-Dynamic/FileList.csv --out balanced\n  \
    echoif dataset make balanced --echonet EchoNet-Dynamic --shard 1/3\n  \
    echoif dataset merge balanced"
)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Say which clips there are to be: EFs from a list, or as many as a histogram lacks.
    Plan(Box<plan::Args>),
    /// Make the planned clips, or a machine's part of them; those that are there are not made again.
    Make(make::Args),
    /// Look whether every planned clip is there and readable, and write FileList.csv and VolumeTracings.csv.
    Merge(merge::Args),
}

impl Args {
    pub fn json(&self) -> bool {
        match &self.command {
            Command::Plan(a) => a.json,
            Command::Make(a) => a.json,
            Command::Merge(a) => a.json,
        }
    }
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    match &args.command {
        Command::Plan(args) => plan::run(args),
        Command::Make(args) => make::run(args),
        Command::Merge(args) => merge::run(args),
    }
}
