use super::wanted::{Wanted, WantedArgs};
use crate::edm::Seed;
use crate::engine::{
    ASK_FIRST_SECONDS, Generated, Models, Pace, Part, Report, Request, cost_of, generate,
};
use crate::media::export::{self, Cine};
use crate::media::region::Anatomy;
use crate::nn::Interrupt;
use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Map, Value};
use std::io::{BufRead, IsTerminal};
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    echoif generate --frame frame.png --ef 30 --factual-ef 55 --out ef30.gif\n  \
    echoif generate --from ef30.gif.json --out again.dcm")]
pub struct Args {
    #[command(flatten)]
    pub(super) wanted: WantedArgs,
    #[command(flatten)]
    models: super::ModelArgs,
    /// The file to write: .gif, .apng, .avi, .mp4 or .dcm by its ending, a folder of PNG frames
    /// without one. NAME.EXT.json, from which the run can be repeated, is written beside it.
    #[arg(long)]
    out: PathBuf,
    /// Write the cine at the source's own resolution, where that is finer than 112 x 112 and the cascade
    /// carries the anatomy.
    #[arg(long)]
    fine: bool,
    /// Leave the anatomy out of NAME.EXT.json.
    #[arg(long)]
    without_anatomy: bool,
    /// Do not ask before a run of more than two minutes.
    #[arg(long)]
    yes: bool,
    /// Print one JSON object on standard output.
    #[arg(long)]
    pub json: bool,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    // Before any work: the name must be one that can be written.
    export::check(&args.out)?;
    let mut wanted = Wanted::of(&args.wanted)?;
    let models = args.models.open()?;
    wanted.check(&models)?;
    wanted.calibrate(&models)?;
    let mut warnings = std::mem::take(&mut wanted.warnings);
    warnings.extend(models.device.note.clone());
    warnings.extend(models.warnings());
    let told = wanted.request.conditioning();
    let told = told.unwrap_or(wanted.request.ef);
    if !models.info().card.covers(told.get()) {
        warnings.push(format!(
            "An EF of {told} is outside the range that the cascade was trained on."
        ));
    }
    if wanted.text_is_unanswered && !args.without_anatomy {
        warnings.push(
            "Something in the frame looks like text, which may name somebody: the anatomy is left out of the \
             sidecar. Blacken it with --mask X,Y,W,H, or say --no-text."
                .into(),
        );
    }
    for warning in &warnings {
        eprintln!("{warning}");
    }
    let mut pace = Pace::calibrate(&models.device.device)?;
    let runs = wanted.request.best_of + usize::from(wanted.factual.is_some());
    let seconds = pace.seconds(cost_of(&models, &wanted.request)) * runs as f64;
    ask_first(seconds, args.yes)?;

    let mut made = one(&models, &wanted.request, &mut pace, wanted.part)?;
    let repeated = wanted.repeats(&mut made);
    let factual = wanted
        .factual
        .map(|ef| {
            let request = Request {
                ef,
                seed: Seed(made.provenance.seed),
                best_of: 1,
                ..wanted.request.clone()
            };
            one(&models, &request, &mut pace, Part::Factual)
        })
        .transpose()?;
    let anatomy = (!args.without_anatomy && !wanted.text_is_unanswered)
        .then_some(wanted.request.anatomy.as_ref());
    let heart_rate = wanted.heart_rate;
    write(&made, wanted.part, anatomy, heart_rate, args, &args.out)?;
    let mut object = describe(&made, &args.out, &warnings)?;
    if let Some(same) = repeated {
        object.insert("same_pixels".into(), same.into());
    }
    if let Some(factual) = &factual {
        let out = factual_path(&args.out);
        write(factual, Part::Factual, anatomy, heart_rate, args, &out)?;
        object.insert("factual".into(), describe(factual, &out, &warnings)?.into());
    }
    if args.json {
        println!("{}", Value::Object(object));
        return Ok(());
    }
    say(&made, &args.out);
    match repeated {
        Some(true) => println!("  the same pixels as before"),
        Some(false) => println!(
            "  not the same pixels as before: another device or version made them, on {}",
            wanted.made_on
        ),
        None => {}
    }
    if let Some(factual) = &factual {
        say(factual, &factual_path(&args.out));
    }
    Ok(())
}

/// A long run is announced, and on a terminal asked about.
fn ask_first(seconds: f64, yes: bool) -> anyhow::Result<()> {
    if seconds <= ASK_FIRST_SECONDS || yes {
        return Ok(());
    }
    let about = super::duration(seconds);
    if !std::io::stdin().is_terminal() {
        bail!("This run takes about {about} on this device. Pass --yes to make it all the same.");
    }
    eprint!("This run takes about {about} on this device. Make it? [y/N] ");
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    if !answer.trim().eq_ignore_ascii_case("y") {
        bail!("Nothing was made.");
    }
    Ok(())
}

fn one(
    models: &Models,
    request: &Request,
    pace: &mut Pace,
    part: Part,
) -> anyhow::Result<Generated> {
    let bar = ProgressBar::with_draw_target(Some(1000), ProgressDrawTarget::stderr());
    bar.set_style(
        ProgressStyle::with_template("{prefix:15} {bar:30} {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    bar.set_prefix(part.name());
    let mut report = |r: &Report| {
        bar.set_position((1000.0 * r.fraction) as u64);
        bar.set_message(format!(
            "stage {} of {}, step {} of {}, {} left",
            r.stage + 1,
            r.stages,
            r.step + 1,
            r.steps,
            super::duration(r.seconds_left)
        ));
    };
    let made = generate(models, request, pace, &Interrupt::new(), &mut report);
    bar.finish_and_clear();
    made.with_context(|| format!("The {} cine could not be made", part.name().to_lowercase()))
}

fn factual_path(out: &Path) -> PathBuf {
    let stem = out.file_stem().unwrap_or_default().to_string_lossy();
    let ending = out.extension().map(|e| format!(".{}", e.to_string_lossy()));
    out.with_file_name(format!("{stem}_factual{}", ending.unwrap_or_default()))
}

fn write(
    made: &Generated,
    part: Part,
    anatomy: Option<&Anatomy>,
    heart_rate: f64,
    args: &Args,
    out: &Path,
) -> anyhow::Result<()> {
    let beating = made.cine.beating.as_ref().filter(|_| args.fine);
    let fine = beating.and_then(|beating| beating.fine_video());
    let cine = Cine {
        part,
        video: fine.as_ref().unwrap_or(&made.cine.video),
        rate: made.rate_at(heart_rate),
        beat_normalised: made.beat_normalised,
        provenance: &made.provenance,
        factual: args.wanted.known_factual(),
        anatomy,
    };
    export::write(&cine, out)?;
    Ok(())
}

fn describe(
    made: &Generated,
    out: &Path,
    warnings: &[String],
) -> anyhow::Result<Map<String, Value>> {
    let Value::Object(mut object) = serde_json::to_value(&made.provenance)? else {
        bail!("a provenance is an object");
    };
    object.insert("out".into(), out.display().to_string().into());
    object.insert("warnings".into(), warnings.into());
    Ok(object)
}

fn say(made: &Generated, out: &Path) {
    let p = &made.provenance;
    println!(
        "{}: requested EF {:.0} %, measured {:.1} % ({}), {:.1} s, {} evaluations",
        out.display(),
        p.requested_ef_percent,
        p.measured_ef_percent,
        p.regressor,
        p.seconds,
        p.evaluations
    );
    if let Some(ef) = p.conditioning_ef_percent {
        println!(
            "  calibrated: conditioned on an EF of {ef:.1} % so that it measures what is requested"
        );
    }
    if p.best_of > 1 {
        let all: Vec<String> = p
            .candidates
            .iter()
            .map(|c| format!("seed {} measured {:.1} %", c.seed, c.measured_ef_percent))
            .collect();
        println!("  kept the closest of {}: {}", p.best_of, all.join(", "));
    }
}
