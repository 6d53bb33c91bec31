//! The commands of `echoif`, one file each. `echoif [FILE]` opens the window.

mod import;
mod verify;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(
    name = "echoif",
    version,
    about = "What would this heart look like if its ejection fraction were X?",
    long_about = "What would this heart look like if its ejection fraction were X?\n\n\
        Without a command, opens the window; a file given is opened in it.\n\
        Synthetic pictures. Not a patient's scan. Research and education only, not for diagnosis.",
    after_help = "Example: echoif frame.dcm",
    args_conflicts_with_subcommands = true
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    window: window::Args,
}

#[derive(Subcommand)]
enum Command {
    /// Write a published cascade or a regressor in the native form.
    Import(import::Args),
    /// Replay recorded fixtures and say whether this machine computes the same.
    Verify(verify::Args),
}

/// A command's way to end that is neither success nor a message.
#[derive(Debug, thiserror::Error)]
#[error("failed")]
pub struct AlreadyReported;

/// Runs the program.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let json = matches!(&cli.command, Some(Command::Verify(a)) if a.json);
    let outcome = match cli.command {
        Some(Command::Import(args)) => import::run(&args),
        Some(Command::Verify(args)) => verify::run(&args),
        None => Ok(()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) if e.is::<AlreadyReported>() => ExitCode::FAILURE,
        Err(e) => {
            if json {
                println!("{}", serde_json::json!({ "error": format!("{e:#}") }));
            }
            eprintln!("{e:#}");
            ExitCode::FAILURE
        }
    }
}

mod window {
    #[derive(clap::Args)]
    pub struct Args {
        /// A frame or clip to open: DICOM, PNG or JPEG.
        pub file: Option<std::path::PathBuf>,
    }
}
