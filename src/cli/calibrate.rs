//! `echoif calibrate`: what a cascade measures for what it is conditioned on, and what a curve of that is worth on other
//! anatomies; into the cascade's card.

use super::anatomies::{AnatomyArgs, Subject};
use crate::calibration::{Asking, Calibration, Curve, Point, Test, rising};
use crate::card::with_calibration;
use crate::checkpoint;
use crate::edm::{Preset, Seed};
use crate::ef::EfPercent;
use crate::engine::{Generated, Models, Pace, Request, generate};
use crate::files::write_atomically;
use crate::nn::Interrupt;
use crate::statistics::asked::Readings;
use crate::statistics::bootstrap::{Estimate, grouped_mean};
use anyhow::{Context, bail, ensure};
use indicatif::{ProgressBar, ProgressDrawTarget};
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::PathBuf;

#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    echoif calibrate --cascade 1SCM --frames frames/\n  \
    echoif calibrate --frames frames/ --out card.yaml\n  \
    echoif calibrate --simulated 24 --kind simulated_unseen\n\n\
    Half of the anatomies, by their hashes, give the curve: the mean EF measured at each EF conditioned on, made to \
    rise. The other half says what it is worth: each EF of --test-ef is made as it is asked, and by the curve. Once \
    the card has it, the program can ask so that the EF measured is the one requested; by default where that lowered \
    the error beyond its 95 % interval, on anatomies that training did not see. The kind recorded_seen is for those \
    that it saw.")]
pub struct Args {
    #[command(flatten)]
    models: super::ModelArgs,
    #[command(flatten)]
    anatomies: AnatomyArgs,
    /// What the anatomies are: recorded_unseen, recorded_seen or simulated_unseen. Simulated hearts are the last.
    #[arg(long)]
    kind: Option<Kind>,
    /// EFs of the curve, in percent, rising.
    #[arg(long, value_delimiter = ',', default_values_t = [10.0, 15.0, 20.0, 25.0, 30.0, 35.0, 40.0, 45.0, 50.0, 55.0, 60.0, 65.0, 70.0, 75.0, 80.0, 85.0])]
    ef: Vec<f64>,
    /// EFs of the test, in percent, rising.
    #[arg(long, value_delimiter = ',', default_values_t = [20.0, 30.0, 40.0, 50.0, 60.0, 70.0])]
    test_ef: Vec<f64>,
    /// preview, balanced or paper.
    #[arg(long, default_value = "balanced")]
    preset: Preset,
    /// Write the card there, or add to the one that is there, instead of the one in the cascade's folder. The built-in cascade has none: without --out its
    /// card is printed.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print one JSON object on standard output.
    #[arg(long)]
    pub json: bool,
}

/// Whether a command asks by a cascade's calibration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Choice {
    /// Where the card says that it helps.
    Auto,
    On,
    Off,
}

impl Choice {
    /// The curve to ask by, of simulated or recorded anatomies.
    ///
    /// # Errors
    /// When one is wanted and there is none.
    pub fn curve(self, models: &Models, simulated: bool) -> anyhow::Result<Option<Curve>> {
        let calibrations = models.info().calibrations;
        let known = calibrations.get(simulated);
        match self {
            Self::Off => Ok(None),
            Self::Auto => Ok(known.filter(|c| c.is_default()).map(|c| c.curve.clone())),
            Self::On => known.map(|c| Some(c.curve.clone())).with_context(|| {
                let kind = if simulated { "simulated hearts" } else { "recorded frames" };
                format!(
                    "The card of this cascade holds no calibration for {kind} by this regressor. Make one with \
                     echoif calibrate."
                )
            }),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
enum Kind {
    RecordedUnseen,
    RecordedSeen,
    SimulatedUnseen,
}

impl Kind {
    /// As a card has it.
    fn name(self) -> &'static str {
        match self {
            Self::RecordedUnseen => "recorded_unseen",
            Self::RecordedSeen => "recorded_seen",
            Self::SimulatedUnseen => "simulated_unseen",
        }
    }
}

#[derive(Serialize)]
struct Said<'a> {
    kind: String,
    cascade: String,
    cascade_sha256: String,
    regressor: String,
    preset: Preset,
    card: Option<String>,
    is_default: bool,
    calibration: &'a Calibration,
    skipped: Vec<String>,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    for (of, least) in [(&args.ef, 3), (&args.test_ef, 2)] {
        ensure!(
            of.len() >= least && of.windows(2).all(|w| w[0] < w[1]),
            "Give --ef (three or more) and --test-ef (two or more) rising, such as 20,40,60."
        );
    }
    ensure!(
        !args.anatomies.compounded,
        "A card's curve of simulated hearts is of those that the program itself shows: leave out --compounded."
    );
    let kind = match (args.kind, args.anatomies.simulated) {
        (None, None) => Kind::RecordedUnseen,
        (None, Some(_)) => Kind::SimulatedUnseen,
        (Some(kind), Some(_)) if kind != Kind::SimulatedUnseen => {
            bail!(
                "--simulated makes simulated hearts; --kind {} is of recorded ones.",
                kind.name()
            )
        }
        (Some(kind), _) => kind,
    };
    let models = args.models.open()?;
    // What is there is read first: it is to be kept, and nobody waits for minutes to hear that it is none.
    let target = Target::of(args)?;
    let (subjects, skipped) = args.anatomies.read()?;
    let [of_curve, of_test] = halves(subjects)?;
    let cines = of_curve.len() * args.ef.len() + 2 * of_test.len() * args.test_ef.len();
    let bar = ProgressBar::with_draw_target(Some(cines as u64), ProgressDrawTarget::stderr());
    let mut maker = Maker {
        pace: Pace::calibrate(&models.device.device)?,
        models: &models,
        preset: args.preset,
        bar,
    };
    let points = maker.points(&of_curve, &args.ef)?;
    let config = &models.cascade.cascade.config;
    let as_measured = args.preset.apply(config);
    let presets = Preset::ALL
        .into_iter()
        .filter(|p| p.apply(config) == as_measured);
    let curve = Curve::new(presets.collect(), points).map_err(|why| {
        anyhow::anyhow!(
            "The EF that is measured does not follow the one that is conditioned on: {why}."
        )
    })?;
    let calibration = Calibration {
        regressor_sha256: models.regressor.identity.sha256.clone(),
        anatomies: of_curve.len(),
        cines: of_curve.len() * args.ef.len(),
        seen_in_training: kind == Kind::RecordedSeen,
        test: maker.test(&of_test, &args.test_ef, &curve)?,
        curve,
    };
    maker.bar.finish_and_clear();
    let card = target.write(kind.name(), &calibration)?;
    if args.json {
        let said = Said {
            kind: kind.name().to_owned(),
            cascade: models.cascade.identity.in_files(),
            cascade_sha256: models.cascade.identity.sha256.clone(),
            regressor: models.regressor.identity.in_files(),
            preset: args.preset,
            card: target.path.as_ref().map(|p| p.display().to_string()),
            is_default: calibration.is_default(),
            calibration: &calibration,
            skipped,
        };
        println!("{}", serde_json::to_string(&said)?);
        return Ok(());
    }
    match &target.path {
        None => print!("{card}"),
        Some(path) => {
            table(&calibration);
            println!("\nWritten to {}.", path.display());
        }
    }
    Ok(())
}

/// Where the card is, and what it says now.
struct Target {
    path: Option<PathBuf>,
    text: String,
}

impl Target {
    fn of(args: &Args) -> anyhow::Result<Self> {
        let own = args
            .models
            .cascade
            .as_ref()
            .map(|folder| folder.join("card.yaml"));
        // What --out holds is added to.
        let there = args.out.as_ref().filter(|path| path.exists());
        let text = match there.or(own.as_ref()) {
            None => checkpoint::card_text().to_owned(),
            Some(path) if path.exists() => crate::files::read_text(path)
                .with_context(|| format!("{} cannot be read", path.display()))?,
            Some(_) => String::new(),
        };
        let text = if text.trim().is_empty() {
            "name: \"\"\n".to_owned()
        } else {
            text
        };
        crate::card::Card::parse(&text)
            .map_err(|why| anyhow::anyhow!("The cascade's card.yaml cannot be used: {why}."))?;
        Ok(Self {
            path: args.out.clone().or(own),
            text,
        })
    }

    fn write(&self, kind: &str, calibration: &Calibration) -> anyhow::Result<String> {
        let card = with_calibration(&self.text, kind, calibration)
            .map_err(|why| anyhow::anyhow!("The cascade's card.yaml cannot be used: {why}."))?;
        if let Some(path) = &self.path {
            write_atomically(path, card.as_bytes())
                .with_context(|| format!("{} cannot be written", path.display()))?;
        }
        Ok(card)
    }
}

/// One anatomy once, in order of hash, every other one for the curve.
fn halves(mut subjects: Vec<Subject>) -> anyhow::Result<[Vec<Subject>; 2]> {
    subjects.sort_by(|a, b| a.anatomy.sha256.cmp(&b.anatomy.sha256));
    let mut seen = BTreeSet::new();
    subjects.retain(|s| seen.insert(s.anatomy.sha256.clone()));
    ensure!(
        subjects.len() >= 4,
        "A calibration needs four anatomies or more, half of them to test it on; {} given.",
        subjects.len()
    );
    let mut halves = [Vec::new(), Vec::new()];
    for (i, subject) in subjects.into_iter().enumerate() {
        halves[i % 2].push(subject);
    }
    Ok(halves)
}

struct Maker<'a> {
    models: &'a Models,
    pace: Pace,
    preset: Preset,
    bar: ProgressBar,
}

/// Digits of a card.
fn rounded(v: f64) -> f64 {
    (v * 1000.0).round() / 1000.0
}

impl Maker<'_> {
    fn made(
        &mut self,
        subject: &Subject,
        noise: u64,
        ef: f64,
        by: Option<&Curve>,
    ) -> anyhow::Result<Generated> {
        let ef = EfPercent::new(ef).map_err(|why| anyhow::anyhow!("{why}."))?;
        let request = Request {
            preset: self.preset,
            seed: Seed(noise),
            calibration: by.cloned().map(Asking::by),
            ..Request::new(subject.anatomy.clone(), ef)
        };
        let made = generate(
            self.models,
            &request,
            &mut self.pace,
            &Interrupt::new(),
            &mut |_| {},
        )?;
        self.bar.inc(1);
        Ok(made)
    }

    fn points(&mut self, subjects: &[Subject], efs: &[f64]) -> anyhow::Result<Vec<Point>> {
        let mut found = Vec::new();
        for (i, subject) in subjects.iter().enumerate() {
            let measured = efs.iter().map(|&ef| {
                let made = self.made(subject, i as u64, ef, None)?;
                Ok(made.provenance.measured_ef_percent)
            });
            found.push(measured.collect::<anyhow::Result<Vec<_>>>()?);
        }
        let readings = Readings::new(efs.to_vec(), found).context("an anatomy has no readings")?;
        let spreads = readings.by_ef();
        let means: Vec<f64> = spreads.iter().map(|s| s.mean).collect();
        let point = |(s, mean): (&crate::statistics::asked::Spread, f64)| Point {
            conditioned: s.asked,
            measured: rounded(mean),
            sd: rounded(s.sd),
        };
        Ok(spreads.iter().zip(rising(&means)).map(point).collect())
    }

    fn test(&mut self, subjects: &[Subject], efs: &[f64], curve: &Curve) -> anyhow::Result<Test> {
        // Before and after, measured and by the outline: errors in points, each with its anatomy.
        let mut errors: [[Vec<(usize, f64)>; 2]; 2] = Default::default();
        for (i, subject) in subjects.iter().enumerate() {
            for &ef in efs {
                for (k, by) in [None, Some(curve)].into_iter().enumerate() {
                    // Other noises than the curve's.
                    let p = self.made(subject, 1000 + i as u64, ef, by)?.provenance;
                    errors[k][0].push((i, (p.measured_ef_percent - ef).abs()));
                    errors[k][1].extend(
                        p.outline_ef_percent
                            .map(|outline| (i, (outline - ef).abs())),
                    );
                }
            }
        }
        let [[before, outline_before], [after, outline_after]] = errors;
        let estimate = |of: &[(usize, f64)]| {
            let [value, low, high] = grouped_mean(of).map(rounded);
            Estimate { value, low, high }
        };
        let lowered: Vec<(usize, f64)> = (before.iter().zip(&after))
            .map(|(b, a)| (b.0, b.1 - a.1))
            .collect();
        let of_outline = |of: &[(usize, f64)]| (!of.is_empty()).then(|| estimate(of));
        Ok(Test {
            anatomies: subjects.len(),
            requested: efs.to_vec(),
            before: estimate(&before),
            after: estimate(&after),
            lowered_by: estimate(&lowered),
            outline_before: of_outline(&outline_before),
            outline_after: of_outline(&outline_after),
        })
    }
}

fn table(c: &Calibration) {
    println!(
        "Conditioned on, measured (SD), on {} anatomies:",
        c.anatomies
    );
    for p in c.curve.points() {
        println!("{:>8.0}{:>10.1} ({:.1})", p.conditioned, p.measured, p.sd);
    }
    let test = &c.test;
    let said = |e: &Estimate| format!("{:.2} ({:.2} to {:.2})", e.value, e.low, e.high);
    println!(
        "\nMean error on {} other anatomies, in points (95 % interval):",
        test.anatomies
    );
    println!("  measured, as asked      {}", said(&test.before));
    println!("  measured, by the curve  {}", said(&test.after));
    println!("  lowered by              {}", said(&test.lowered_by));
    for (name, outline) in [
        ("outline, as asked       ", &test.outline_before),
        ("outline, by the curve   ", &test.outline_after),
    ] {
        if let Some(outline) = outline {
            println!("  {name}{}", said(outline));
        }
    }
    println!(
        "\n{}",
        if c.is_default() {
            "It is used by default."
        } else if c.seen_in_training {
            "It is used where it is asked for: training saw these anatomies."
        } else {
            "It is used where it is asked for: it does not lower the error beyond doubt."
        }
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_share_no_anatomy() {
        let args = AnatomyArgs::simulated(5);
        let (mut subjects, _) = args.read().unwrap();
        subjects.extend(args.read().unwrap().0);
        let [a, b] = halves(subjects).unwrap();
        let hashes = |of: &[Subject]| -> BTreeSet<String> {
            of.iter().map(|s| s.anatomy.sha256.clone()).collect()
        };
        assert_eq!((a.len(), b.len()), (3, 2));
        assert!(hashes(&a).is_disjoint(&hashes(&b)));
        assert!(halves(AnatomyArgs::simulated(3).read().unwrap().0).is_err());
    }
}
