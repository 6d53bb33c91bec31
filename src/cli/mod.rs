//! The commands of `echoif`, one file each. `echoif [FILE]` opens the window.

mod anatomies;
mod bench;
mod calibrate;
mod dataset;
mod doctor;
mod drill;
mod evaluate;
mod generate;
mod import;
mod measure;
mod open;
mod phantom;
mod study;
mod sweep;
mod train;
mod trial;
mod verify;
mod wanted;
mod window;

use crate::checkpoint::Normalisation;
use crate::engine::{CascadeSource, DeviceChoice, Models, OpenDevice};
use crate::nn::{Arithmetic, compute_here};
use anyhow::Context;
use clap::builder::TypedValueParser;
use clap::{Parser, Subcommand};
use std::io::Write as _;
use std::path::PathBuf;
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
    /// Make a counterfactual cine from one frame.
    Generate(generate::Args),
    /// Measure the ejection fraction in a clip.
    Measure(measure::Args),
    /// Say what a file holds, and write a frame of it; nothing that names a patient.
    Open(open::Args),
    /// Say what this machine has, what is missing and how to get it.
    Doctor(doctor::Args),
    /// Replay recorded fixtures and say whether this machine computes the same.
    Verify(verify::Args),
    /// Time the networks on this machine.
    Bench(bench::Args),
    /// Measure what fewer evaluations cost: EF error, similarity and time of solvers and steps.
    Sweep(sweep::Args),
    /// Evaluate a cascade on frames: EF asked against EF found by three measures, haze, detail.
    Evaluate(Box<evaluate::Args>),
    /// Measure what a cascade's cines read against what is asked, so that it can be asked for what is to be read.
    Calibrate(calibrate::Args),
    /// Real-or-fake reader studies: plan, read, check, merge, report.
    Study(study::Args),
    /// Train eyes to see EF: case sets, classes, profiles, reports.
    Drill(drill::Args),
    /// Draw a heart with everything known: simulated, or a still that moves.
    Phantom(phantom::Args),
    /// Teach a stage of a cascade, or a regressor: from hearts that are drawn, or from clips with their EFs.
    Train(train::Args),
    /// Make a rebalanced data set of clips, in EchoNet-Dynamic's layout: plan, make in parts, merge.
    Dataset(dataset::Args),
    /// Write a published cascade or a regressor in the native form.
    Import(import::Args),
}

impl Command {
    fn json(&self) -> bool {
        match self {
            Self::Generate(a) => a.json,
            Self::Measure(a) => a.json,
            Self::Open(a) => a.json,
            Self::Doctor(a) => a.json,
            Self::Verify(a) => a.json,
            Self::Bench(a) => a.json,
            Self::Sweep(a) => a.json,
            Self::Evaluate(a) => a.json,
            Self::Calibrate(a) => a.json,
            Self::Study(a) => a.json(),
            Self::Drill(a) => a.json(),
            Self::Phantom(a) => a.json,
            Self::Train(a) => a.json,
            Self::Dataset(a) => a.json(),
            Self::Import(_) => false,
        }
    }
}

/// Options that choose weights and device, the same everywhere.
#[derive(clap::Args)]
struct ModelArgs {
    /// A cascade folder: `config.yaml` with `merged.pt`, or what `echoif import` wrote. The
    /// built-in cascade without it.
    #[arg(long, value_name = "DIR")]
    cascade: Option<PathBuf>,
    #[command(flatten)]
    regressor: RegressorArgs,
    #[command(flatten)]
    device: DeviceArgs,
}

/// Options that choose where the networks run.
#[derive(clap::Args)]
struct DeviceArgs {
    /// cpu, cuda or auto.
    #[arg(long, default_value = "auto")]
    device: DeviceChoice,
    /// What a GPU computes the U-Nets in: f32, tf32 or bf16. The CPU knows f32 alone.
    #[arg(long)]
    precision: Option<Arithmetic>,
}

impl DeviceArgs {
    fn open(&self) -> anyhow::Result<OpenDevice> {
        OpenDevice::open(self.device, self.precision).map_err(anyhow::Error::msg)
    }

    /// As [`Self::open`], in `f32` where nothing else is asked for.
    fn open_exact(&self) -> anyhow::Result<OpenDevice> {
        let precision = self.precision.or(Some(Arithmetic::F32));
        OpenDevice::open(self.device, precision).map_err(anyhow::Error::msg)
    }
}

impl ModelArgs {
    fn open(&self) -> anyhow::Result<Models> {
        let device = self.device.open()?;
        let cascade = self
            .cascade
            .clone()
            .map_or(CascadeSource::Builtin, CascadeSource::Folder);
        self.regressor.open_with(device, cascade)
    }
}

#[derive(clap::Args)]
struct RegressorArgs {
    /// An EF regressor: a Lightning `.ckpt`, EchoNet-Dynamic's `.pt`, or what `echoif import`
    /// wrote. The built-in one without it.
    #[arg(long, value_name = "FILE")]
    regressor: Option<PathBuf>,
    /// Mean a channel, 0..255, for EchoNet-Dynamic's regressor, such as 32.6,32.7,33.0.
    #[arg(
        long,
        value_delimiter = ',',
        requires = "regressor_std",
        value_name = "R,G,B"
    )]
    regressor_mean: Option<Vec<f64>>,
    /// Standard deviation a channel, 0..255, for EchoNet-Dynamic's regressor.
    #[arg(
        long,
        value_delimiter = ',',
        requires = "regressor_mean",
        value_name = "R,G,B"
    )]
    regressor_std: Option<Vec<f64>>,
}

impl RegressorArgs {
    fn open_with(&self, device: OpenDevice, cascade: CascadeSource) -> anyhow::Result<Models> {
        let three = |v: &Option<Vec<f64>>| -> anyhow::Result<Option<[f64; 3]>> {
            v.as_ref()
                .map(|v| {
                    <[f64; 3]>::try_from(v.as_slice())
                        .ok()
                        .filter(|v| v.iter().all(|x| x.is_finite()))
                        .context("--regressor-mean and --regressor-std take three numbers each.")
                })
                .transpose()
        };
        let normalisation = match (three(&self.regressor_mean)?, three(&self.regressor_std)?) {
            (Some(mean), Some(std)) if std.iter().all(|&s| s > 0.0) => Some(Normalisation {
                mean,
                std,
                verified: true,
            }),
            (Some(_), Some(_)) => anyhow::bail!("--regressor-std must be above 0."),
            _ => None,
        };
        let regressor = self.regressor.clone().map(|path| (path, normalisation));
        Ok(Models::open(device, cascade, regressor)?)
    }
}

/// A command's end that it has already told about.
#[derive(Debug, thiserror::Error)]
#[error("failed")]
struct AlreadyReported;

/// Runs the program.
pub fn run() -> ExitCode {
    crate::faults::watch_and_keep();
    // After it: output that cannot be written is no fault.
    end_with_the_output();
    let cli = Cli::parse();
    let json = cli.command.as_ref().is_some_and(Command::json);
    if matches!(cli.command, Some(Command::Train(_))) {
        keep_candle_to_its_threads();
    }
    // The window computes on its worker.
    let _computes = cli.command.is_some().then(compute_here);
    let outcome = match &cli.command {
        Some(Command::Generate(args)) => generate::run(args),
        Some(Command::Measure(args)) => measure::run(args),
        Some(Command::Open(args)) => open::run(args),
        Some(Command::Doctor(args)) => doctor::run(args),
        Some(Command::Verify(args)) => verify::run(args),
        Some(Command::Bench(args)) => bench::run(args),
        Some(Command::Sweep(args)) => sweep::run(args),
        Some(Command::Evaluate(args)) => evaluate::run(args),
        Some(Command::Calibrate(args)) => calibrate::run(args),
        Some(Command::Study(args)) => study::run(args),
        Some(Command::Drill(args)) => drill::run(args),
        Some(Command::Phantom(args)) => phantom::run(args),
        Some(Command::Train(args)) => train::run(args),
        Some(Command::Dataset(args)) => dataset::run(args),
        Some(Command::Import(args)) => import::run(args),
        None => window::run(&cli.window),
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

/// Training goes through several samples side by side ([`crate::nn::Lanes`]); Candle would share out each larger
/// operation of each of them among all threads, behind one lock. Before any thread is started.
fn keep_candle_to_its_threads() {
    // The second is Candle's, too, where it multiplies matrices: without it, it asks the system for its cores each time.
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    for (name, value) in [("CANDLE_NUM_THREADS", 1), ("RAYON_NUM_THREADS", threads)] {
        if std::env::var_os(name).is_none() {
            // SAFETY: no other thread is there to read the environment.
            unsafe { std::env::set_var(name, value.to_string()) };
        }
    }
}

/// A number of things, within bounds.
fn count(range: std::ops::RangeInclusive<u64>) -> impl TypedValueParser<Value = usize> {
    clap::value_parser!(u64).range(range).map(|n| n as usize)
}

/// "40 s", "3 min", "2 h".
fn duration(seconds: f64) -> String {
    crate::text::duration(seconds)
}

/// Where the output goes to a program that has read enough (`echoif doctor | head`), printing
/// fails: that is the end, and no fault. Nor is a full disk, which is said.
fn end_with_the_output() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let failed = info
            .payload_as_str()
            .and_then(|why| why.strip_prefix("failed printing to stdout: "));
        match failed {
            Some(why) if why.contains("Broken pipe") => std::process::exit(0),
            Some(why) => {
                // Where that cannot be written either, nothing is left to say.
                let _ = writeln!(
                    std::io::stderr(),
                    "The output cannot be written: {why}. Send it elsewhere."
                );
                std::process::exit(1);
            }
            None => usual(info),
        }
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_nothing_could_be_made_of_are_refused_where_they_are_typed() {
        for typed in [
            "drill cases --out x --hearts 18446744073709551615",
            "drill cases --out x --hearts 0",
            "study power --trials 1000000000",
            "study power --readers 1001",
            "sweep --long 100000",
        ] {
            let words = ["echoif"].into_iter().chain(typed.split(' '));
            assert!(Cli::try_parse_from(words).is_err(), "{typed}");
        }
        let usual = "study power --trials 100 --readers 3".split(' ');
        assert!(Cli::try_parse_from(["echoif"].into_iter().chain(usual)).is_ok());
    }
}
