use crate::edm::{Preset, Seed};
use crate::ef::EfPercent;
use crate::engine::{
    ASK_FIRST_SECONDS, Generated, Models, Pace, Part, Report, Request, cost_of, generate,
};
use crate::media::region::Anatomy;
use crate::media::{self, gif};
use crate::nn::Interrupt;
use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Map, Value};
use std::io::{BufRead, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(clap::Args)]
#[command(
    after_help = "Example: echoif generate --frame frame.png --ef 30 --factual-ef 55 --out ef30.gif"
)]
pub struct Args {
    /// The anatomy: DICOM, PNG or JPEG; the first frame of a clip; the square that
    /// a DICOM file's ultrasound region gives, else the centre.
    #[arg(long)]
    frame: PathBuf,
    /// The ejection fraction to show, in percent, 10 to 85.
    #[arg(long)]
    ef: f64,
    /// The source's own ejection fraction: makes the factual cine too, beside OUT as
    /// `NAME_factual.gif`.
    #[arg(long)]
    factual_ef: Option<f64>,
    #[command(flatten)]
    models: super::ModelArgs,
    /// preview, balanced or paper.
    #[arg(long, default_value = "balanced")]
    preset: Preset,
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Make N cines with consecutive seeds and keep the one that measures closest.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    best_of: u16,
    /// Guidance of the guided stages, instead of the cascade's own.
    #[arg(long)]
    guidance: Option<f64>,
    /// The GIF to write.
    #[arg(long)]
    out: PathBuf,
    /// Do not ask before a run of more than two minutes.
    #[arg(long)]
    yes: bool,
    /// Print one JSON object on standard output.
    #[arg(long)]
    pub json: bool,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    if args
        .out
        .extension()
        .is_none_or(|e| !e.eq_ignore_ascii_case("gif"))
    {
        bail!(
            "{} is not a name for a GIF. Give --out a name that ends in .gif.",
            args.out.display()
        );
    }
    let ef = |v| EfPercent::new(v).map_err(|why| anyhow::anyhow!("{why}."));
    let requested = ef(args.ef)?;
    let factual = args.factual_ef.map(ef).transpose()?;
    if args
        .guidance
        .is_some_and(|g| !g.is_finite() || !(0.0..=50.0).contains(&g))
    {
        bail!("Guidance must be from 0 to 50.");
    }
    let opened = media::open(&args.frame)?;
    let frame = opened.recording.frame(0);
    let frame =
        frame.map_err(|why| anyhow::anyhow!("{} cannot be shown: {why}.", args.frame.display()))?;
    let anatomy = Arc::new(Anatomy::from_frame(&frame, &opened.first_square().into())?);
    let doubts = opened.doubts(&anatomy, &frame);
    let mut warnings = opened.warnings;
    warnings.extend(doubts.into_iter().map(str::to_owned));
    let models = args.models.open()?;
    warnings.extend(models.device.note.clone());
    warnings.extend(models.warnings());
    if !models.info().card.covers(requested.get()) {
        warnings.push(format!(
            "An EF of {requested} is outside the range that the cascade was trained on."
        ));
    }
    for warning in &warnings {
        eprintln!("{warning}");
    }
    let mut pace = Pace::calibrate(&models.device.device)?;
    let request = |ef, seed, best_of| Request {
        anatomy: anatomy.clone(),
        ef,
        preset: args.preset,
        seed: Seed(seed),
        best_of,
        guidance: args.guidance,
    };
    let wanted = request(requested, args.seed, usize::from(args.best_of));
    let runs = wanted.best_of + usize::from(factual.is_some());
    ask_first(
        pace.seconds(cost_of(&models, &wanted)) * runs as f64,
        args.yes,
    )?;

    let made = one(&models, &wanted, &mut pace, Part::Counterfactual)?;
    let factual = factual
        .map(|ef| {
            let request = request(ef, made.provenance.seed, 1);
            one(&models, &request, &mut pace, Part::Factual)
        })
        .transpose()?;
    write(&made, Part::Counterfactual, &args.out)?;
    let mut object = describe(&made, &args.out, &warnings)?;
    if let Some(factual) = &factual {
        let out = factual_path(&args.out);
        write(factual, Part::Factual, &out)?;
        object.insert("factual".into(), describe(factual, &out, &warnings)?.into());
    }
    if args.json {
        println!("{}", Value::Object(object));
    } else {
        say(&made, &args.out);
        if let Some(factual) = &factual {
            say(factual, &factual_path(&args.out));
        }
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
    out.with_file_name(format!("{stem}_factual.gif"))
}

fn write(made: &Generated, part: Part, out: &Path) -> anyhow::Result<()> {
    let p = &made.provenance;
    let clip = made.video.to_clip(Some(made.rate), made.beat_normalised);
    let second = format!("{} EF {:.0}%", part.name(), p.requested_ef_percent);
    let (frames, picture) = gif::with_banner(&clip, ["SYNTHETIC, NOT A SCAN", &second]);
    let mark = gif::Mark::new(
        picture,
        made.beat_normalised,
        made.rate,
        serde_json::to_value(p)?,
    );
    gif::write(out, &frames, made.rate, &mark)?;
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
    if p.best_of > 1 {
        let all: Vec<String> = p
            .candidates
            .iter()
            .map(|c| format!("seed {} measured {:.1} %", c.seed, c.measured_ef_percent))
            .collect();
        println!("  kept the closest of {}: {}", p.best_of, all.join(", "));
    }
}
