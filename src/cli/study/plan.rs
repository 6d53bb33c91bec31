use super::passphrase;
use crate::study::assemble::{Order, assemble};
use crate::study::design::Wanted;
use crate::study::key::Class;
use crate::study::plan::{Analysis, Answering, Design, Shares, Sitting, Texts};
use crate::study::prepare::Wishes;
use crate::study::seal::{self, Kdf};
use crate::study::secret::Secret;
use crate::study::stamp::Stamp;
use crate::study::{PROGRAM, sources};
use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
#[command(
    after_help = "Example: echoif study plan --real echoes --factual f --counterfactual cf \
    --readers 3 --trials 100 --passphrase-file word.txt --out study"
)]
pub struct Args {
    /// A folder of recorded clips.
    #[arg(long, value_name = "DIR", conflicts_with = "clips")]
    real: Option<PathBuf>,
    /// A folder of clips generated at their source's own EF.
    #[arg(long, value_name = "DIR", conflicts_with = "clips")]
    factual: Option<PathBuf>,
    /// A folder of clips generated at another EF.
    #[arg(long, value_name = "DIR", conflicts_with = "clips")]
    counterfactual: Option<PathBuf>,
    /// A list instead of folders: file,class,anatomy,requested_ef_percent,measured_ef_percent.
    #[arg(long, value_name = "CSV")]
    clips: Option<PathBuf>,
    /// published: 3 readers, 100 trials each, 130 real, 89 factual and 81 counterfactual clips, split.
    #[arg(long, value_parser = ["published"])]
    preset: Option<String>,
    #[arg(long)]
    readers: Option<usize>,
    /// Scored trials of a reader.
    #[arg(long)]
    trials: Option<usize>,
    /// crossed: all readers the same clips; split: no clip twice.
    #[arg(long, value_parser = ["crossed", "split"])]
    design: Option<String>,
    /// Trials that all readers share; the rest is split.
    #[arg(long, value_name = "N", conflicts_with = "design")]
    shared: Option<usize>,
    /// Shares of real, factual and counterfactual clips, such as 0.5,0.25,0.25.
    #[arg(long, value_delimiter = ',', value_name = "R,F,C")]
    shares: Option<Vec<f64>>,
    /// Trials that come once more, for a reader's agreement with themselves.
    #[arg(long, default_value_t = 0, value_name = "N")]
    repeat: usize,
    /// To learn the keys: so many trials with moving bars, or a folder of clips that are in no other trial.
    #[arg(long, default_value = "0", value_name = "N|DIR")]
    practice: String,
    /// Steps of the confidence scale: 2 to 5, or 0 for none.
    #[arg(long, default_value_t = 5)]
    confidence: u8,
    /// Seconds until a trial ends without an answer.
    #[arg(long, value_name = "S")]
    time_limit: Option<f64>,
    /// Readers are told the share of real clips.
    #[arg(long)]
    prior_told: bool,
    /// Around 0.5, within which readers count as no better than chance.
    #[arg(long, default_value_t = 0.10)]
    margin: f64,
    /// Frames a second at most.
    #[arg(long)]
    rate: Option<f64>,
    /// Seconds of each clip at most.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// 64 hexadecimal digits of an earlier study's key, to repeat its plan.
    #[arg(long, value_name = "HEX")]
    secret: Option<String>,
    /// A file whose first line seals the key.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// The key lies open: whoever finds it knows which clip is which. The report says so.
    #[arg(long, conflicts_with = "passphrase_file")]
    no_passphrase: bool,
    /// What the study is called, for its readers to see.
    #[arg(long, default_value = "")]
    title: String,
    /// A file with what readers are told before the first trial, instead of the program's words.
    #[arg(long, value_name = "FILE")]
    instruction: Option<PathBuf>,
    /// A file with what readers consent to.
    #[arg(long, value_name = "FILE")]
    consent: Option<PathBuf>,
    /// A file with what readers are told after the last trial.
    #[arg(long, value_name = "FILE")]
    debrief: Option<PathBuf>,
    /// Trials of a block; a break follows each but the last.
    #[arg(long, default_value_t = 25, value_name = "N")]
    block: usize,
    /// Seconds that a break lasts at least.
    #[arg(long, default_value_t = 60, value_name = "S")]
    break_s: u32,
    /// What the files' names begin with.
    #[arg(long, default_value = "study")]
    name: String,
    /// The folder to write to.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[arg(long)]
    pub json: bool,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let wanted = wanted(args)?;
    let order = Order {
        listed: listed(args)?,
        wishes: Wishes {
            rate: args.rate,
            seconds: args.seconds,
            ..Wishes::default()
        },
        wanted,
        secret: match &args.secret {
            Some(text) => Secret::parse(text).context("--secret is 64 hexadecimal digits.")?,
            None => Secret::new(seal::random()?),
        },
        passphrase: passphrase(args.passphrase_file.as_deref(), args.no_passphrase, true)?,
        kdf: Kdf::default(),
        out: args.out.clone(),
        name: args.name.clone(),
        created_utc: Stamp::now().utc(),
    };
    let bar = ProgressBar::new(1000);
    let style = ProgressStyle::with_template("{msg} [{wide_bar}] {percent} %")?;
    bar.set_style(style);
    let made = assemble(order, &mut |what, share| {
        bar.set_message(what.to_owned());
        bar.set_position((1000.0 * share) as u64);
        true
    });
    bar.finish_and_clear();
    let made = made?;
    if args.json {
        let all = json!({
            "study": made.plan.study,
            "plan_sha256": made.plan_sha256,
            "bundle": made.bundle,
            "key": made.key,
            "codes": made.codes,
            "plan": made.plan_file,
            "clips": made.clips,
            "trials": made.plan.readers.iter().map(|r| r.trials.len()).sum::<usize>(),
            "presentation": made.plan.presentation,
            "audit": made.audit,
            "warnings": made.warnings,
        });
        println!("{all}");
        return Ok(());
    }
    let shown = made.plan.presentation;
    println!(
        "{} readers, {} clips of {} frames at {:.1} a second, {} x {}, {} levels",
        made.plan.readers.len(),
        made.clips,
        shown.frames,
        shown.fps,
        shown.width,
        shown.height,
        shown.levels
    );
    println!("For the readers: {}", made.bundle.display());
    println!("A code for each of them: {}", made.codes.display());
    println!("For you alone: {}", made.key.display());
    println!(
        "Plan: {} (SHA-256 {})",
        made.plan_file.display(),
        made.plan_sha256
    );
    let telling = made.audit.content.iter().filter(|c| {
        // The interval lies on one side of chance.
        c.low.is_some_and(|low| low > 0.5) || c.high.is_some_and(|high| high < 0.5)
    });
    for content in telling {
        let auc = content.auc.unwrap_or(0.5);
        println!(
            "{} alone tells fake from real with an AUC of {auc:.2}",
            content.feature
        );
    }
    for warning in &made.warnings {
        eprintln!("{warning}");
    }
    Ok(())
}

fn listed(args: &Args) -> anyhow::Result<Vec<sources::Listed>> {
    if let Some(csv) = &args.clips {
        let mut all = sources::list(csv)?;
        all.extend(practice(args)?);
        return Ok(all);
    }
    let mut all = Vec::new();
    let folders = [&args.real, &args.factual, &args.counterfactual];
    for (class, folder) in Class::ALL.into_iter().zip(folders) {
        if let Some(folder) = folder {
            all.extend(sources::folder(folder, class)?);
        }
    }
    anyhow::ensure!(
        !all.is_empty(),
        "Give the clips: --real DIR with --factual DIR, --counterfactual DIR or both, or --clips CSV."
    );
    all.extend(practice(args)?);
    Ok(all)
}

/// Clips of practice, where a folder of them is given.
fn practice(args: &Args) -> anyhow::Result<Vec<sources::Listed>> {
    match args.practice.parse::<usize>() {
        Ok(_) => Ok(Vec::new()),
        Err(_) => Ok(sources::practice(Path::new(&args.practice))?),
    }
}

/// The administrator's own words, from a file.
fn words(file: Option<&Path>) -> anyhow::Result<String> {
    let Some(path) = file else {
        return Ok(String::new());
    };
    let text = crate::files::read_text(path);
    let text = text.with_context(|| format!("{} cannot be read", path.display()))?;
    let text = text.trim().to_owned();
    anyhow::ensure!(
        !text.is_empty(),
        "{}: there is nothing in it.",
        path.display()
    );
    Ok(text)
}

fn wanted(args: &Args) -> anyhow::Result<Wanted> {
    let mut wanted = Wanted::usual(PROGRAM);
    if args.preset.is_some() {
        wanted.design = Design::Split;
        wanted.shares = Shares {
            real: 130.0 / 300.0,
            factual: 89.0 / 300.0,
            counterfactual: 81.0 / 300.0,
        };
    } else if args.clips.is_none() && args.shares.is_none() {
        // A class that is not there gives its share to the other.
        wanted.shares = Shares::of_classes(args.factual.is_some(), args.counterfactual.is_some());
    }
    if let Some(given) = &args.shares {
        let [real, factual, counterfactual] = given[..] else {
            anyhow::bail!("--shares takes three numbers that add up to 1, such as 0.5,0.25,0.25.");
        };
        wanted.shares = Shares {
            real,
            factual,
            counterfactual,
        };
    }
    match args.design.as_deref() {
        Some("split") => wanted.design = Design::Split,
        Some(_) => wanted.design = Design::Crossed,
        None => {}
    }
    if let Some(shared) = args.shared {
        (wanted.design, wanted.shared) = (Design::Shared, shared);
    }
    anyhow::ensure!(
        matches!(args.confidence, 0 | 2..=5),
        "--confidence is 2 to 5 steps, or 0 for none."
    );
    anyhow::ensure!(
        args.margin > 0.0 && args.margin < 0.5,
        "--margin is above 0 and below 0.5."
    );
    anyhow::ensure!(args.seconds > 0.0, "--seconds is above 0.");
    Ok(Wanted {
        title: args.title.clone(),
        readers: args.readers.unwrap_or(wanted.readers),
        trials: args.trials.unwrap_or(wanted.trials),
        repeats: args.repeat,
        practice: args.practice.parse().unwrap_or(0),
        session: Sitting {
            block: args.block,
            break_s: args.break_s,
            ..wanted.session
        },
        texts: Texts {
            instruction: words(args.instruction.as_deref())?,
            consent: words(args.consent.as_deref())?,
            debrief: words(args.debrief.as_deref())?,
        },
        prior_told: args.prior_told,
        answer: Answering {
            confidence: args.confidence,
            time_limit_s: args.time_limit,
            ..wanted.answer
        },
        analysis: Analysis {
            equivalence_margin: args.margin,
            ..wanted.analysis
        },
        ..wanted
    })
}
