use super::{DataArgs, HALF, bytes_of, told};
use crate::drill::class::{self, Class, Feedback, Kind};
use crate::drill::profile::{GUESSES, Given, Mode, Profile};
use crate::drill::progress::{Point, Progress};
use crate::drill::sitting::class_result;
use crate::study::stamp::Stamp;
use anyhow::Context;
use serde::Deserialize;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
#[command(
    after_help = "Example: echoif drill run tuesday.echoclass --profile \"trainee 1\" --script answers.csv \
    --out result.echoresult"
)]
pub struct Args {
    /// A class, `NAME.echoclass`.
    class: PathBuf,
    /// Who answers.
    #[arg(long, value_name = "ALIAS")]
    profile: String,
    /// Answers: case,guess_percent,seconds.
    #[arg(long, value_name = "CSV")]
    script: PathBuf,
    /// The result to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Milliseconds to wait before each answer.
    #[arg(long, default_value_t = 0, value_name = "N")]
    pace_ms: u64,
    #[command(flatten)]
    data: DataArgs,
    #[arg(long)]
    pub json: bool,
}

#[derive(Deserialize)]
struct Row {
    case: String,
    guess_percent: u32,
    seconds: f64,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let shown = args.class.display();
    let class = Class::parse(&bytes_of(&args.class, class::MOST_BYTES)?);
    let class = class.with_context(|| format!("{shown}"))?;
    anyhow::ensure!(
        class.kind == Kind::Guess,
        "{shown}: a script can guess EFs; which of two is lower is asked in the window."
    );
    let script = script(&args.script, &class)?;
    let mut profile = Profile::open(&args.data.profiles()?, &args.profile).map_err(told)?;
    if profile.was_torn() {
        eprintln!("{HALF}");
    }
    // What this profile has answered of this class before stays as it was, and so do cases whose time had passed.
    let mut result = class_result(&profile, &class);
    let passed = profile.passed(&result.class_sha256);
    let passed: BTreeSet<String> = passed.map(|(case, _)| case.to_owned()).collect();
    let (truth, ..) = class.truth();
    for (case, answered) in class.list().iter().zip(&mut result.answers) {
        if answered.guess_percent.is_some() || passed.contains(&case.case) {
            continue;
        }
        let Some((guess_percent, seconds)) = script.get(&case.case).copied() else {
            continue;
        };
        std::thread::sleep(std::time::Duration::from_millis(args.pace_ms));
        profile.answer(&Given {
            case,
            truth,
            set_sha256: &result.class_sha256,
            guess_percent,
            seconds,
            loops: 0,
            mode: Mode::Class,
            feedback: class.feedback == Feedback::AfterEach,
            utc: &Stamp::now().utc(),
        })?;
        (answered.guess_percent, answered.seconds) = (Some(guess_percent), seconds);
    }
    crate::files::write_atomically(&args.out, &result.to_bytes())
        .with_context(|| format!("{} cannot be written", args.out.display()))?;
    let points: Vec<Point> = result
        .answers
        .iter()
        .filter_map(|a| {
            Some(Point {
                ef_percent: a.ef_percent,
                guess_percent: f64::from(a.guess_percent?),
            })
        })
        .collect();
    let progress = Progress::of(&points);
    if args.json {
        let all = json!({
            "profile": args.profile,
            "answered": progress.n,
            "mae": progress.mae,
            "bias": progress.bias,
            "category_accuracy": progress.category_accuracy,
            "out": args.out,
        });
        println!("{all}");
        return Ok(());
    }
    let mae = progress.mae.map_or("?".into(), |m| format!("{m:.1}"));
    println!(
        "{}: {} answers, mean absolute error {mae} points; {}",
        args.profile,
        progress.n,
        args.out.display()
    );
    Ok(())
}

fn script(path: &Path, class: &Class) -> anyhow::Result<BTreeMap<String, (u32, f64)>> {
    let shown = path.display();
    let text = crate::files::read_text(path).with_context(|| format!("{shown} cannot be read"))?;
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let lines = crate::files::lines_of_rows(&text, false);
    let mut all = BTreeMap::new();
    let cases: Vec<String> = class.list().into_iter().map(|c| c.case).collect();
    for (i, row) in reader.deserialize::<Row>().enumerate() {
        let line = lines.get(i + 1).copied().unwrap_or(i + 2);
        let row = row.map_err(|e| {
            let why = crate::files::why_no_row(&e);
            anyhow::anyhow!("{shown}: line {line}: {why}.")
        })?;
        anyhow::ensure!(
            GUESSES.contains(&row.guess_percent),
            "{shown}: line {line}: a guess is {} to {} %.",
            GUESSES.start(),
            GUESSES.end()
        );
        anyhow::ensure!(
            row.seconds.is_finite() && row.seconds >= 0.0,
            "{shown}: line {line}: seconds are 0 or more."
        );
        anyhow::ensure!(
            cases.contains(&row.case),
            "{shown}: line {line}: the class has no case {}.",
            row.case
        );
        let twice = all.insert(row.case.clone(), (row.guess_percent, row.seconds));
        anyhow::ensure!(
            twice.is_none(),
            "{shown}: line {line}: {} is answered twice.",
            row.case
        );
    }
    Ok(all)
}
