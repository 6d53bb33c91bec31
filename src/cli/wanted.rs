//! What `generate` is to make: by its arguments, or what a sidecar says was made.

use super::calibrate::Choice;
use crate::calibration::Asking;
use crate::clip::Frame;
use crate::edm::{Preset, Seed};
use crate::ef::{EfOrigin, EfPercent};
use crate::engine::{Generated, Models, Part, Provenance, Request};
use crate::media::export::Sidecar;
use crate::media::region::{Anatomy, Crop, Mask};
use crate::media::{self, text_areas};
use crate::provenance::Leaflets;
use crate::puppet::Landmarks;
use anyhow::{Context, bail, ensure};
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(clap::Args)]
pub struct WantedArgs {
    /// The anatomy: DICOM, PNG or JPEG; the first frame of a clip; the square that
    /// a DICOM file's ultrasound region gives, else the sector in the picture, else the centre.
    #[arg(long, required_unless_present = "from")]
    frame: Option<PathBuf>,
    /// Blacken a rectangle of the frame, X,Y,WIDTH,HEIGHT in its pixels: burned-in text. As often as needed.
    #[arg(long, value_name = "X,Y,W,H", value_parser = mask)]
    mask: Vec<Mask>,
    /// What looks like text in the frame is none, or names nobody.
    #[arg(long)]
    no_text: bool,
    /// The ejection fraction to show, in percent, 10 to 85.
    #[arg(long, required_unless_present = "from")]
    ef: Option<f64>,
    /// The source's own ejection fraction: makes the factual cine too, beside OUT as
    /// `NAME_factual.EXT`.
    #[arg(long)]
    factual_ef: Option<f64>,
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
    /// The left ventricle's outline in the anatomy, corrected: a JSON file with nine points in pixels of its
    /// 112 x 112 (`apex`, `septal_annulus`, `lateral_annulus`, `septal` and `lateral` of three points from
    /// the apex on); for a motion cascade.
    #[arg(long, value_name = "FILE")]
    outline: Option<PathBuf>,
    /// Open the mitral valve of a carried cine by rule, where the frame shows a closed one. The regressor
    /// has not learned from such cines: it may read them higher.
    #[arg(long)]
    leaflets: bool,
    /// Ask by the cascade's calibration, so that the EF measured is the one requested: auto, on or off. By itself where
    /// its card shows that this helps; not with guidance, a corrected outline or leaflets.
    #[arg(long, value_enum, default_value_t = Choice::Auto, hide_possible_values = true)]
    calibration: Choice,
    /// Repeat the run that this NAME.EXT.json tells of; with --frame where it holds no anatomy.
    #[arg(
        long,
        conflicts_with_all = ["ef", "factual_ef", "preset", "seed", "best_of", "guidance", "outline", "leaflets", "calibration", "mask", "no_text"]
    )]
    from: Option<PathBuf>,
}

impl WantedArgs {
    /// The source's own EF, as the user said it.
    pub fn known_factual(&self) -> Option<(EfPercent, EfOrigin)> {
        let ef = EfPercent::new(self.factual_ef?).ok()?;
        Some((ef, EfOrigin::Given))
    }
}

pub struct Wanted {
    pub request: Request,
    pub part: Part,
    pub factual: Option<EfPercent>,
    /// Beats a minute, for cines that are one beat.
    pub heart_rate: f64,
    pub warnings: Vec<String>,
    /// The frame has what looks like text, and the user has not said what it is: the anatomy is not written.
    pub text_is_unanswered: bool,
    calibration: Choice,
    /// The run that is repeated.
    before: Option<Provenance>,
    /// Where it was made.
    pub made_on: String,
}

/// `X,Y,WIDTH,HEIGHT`.
fn mask(text: &str) -> Result<Mask, String> {
    let numbers: Result<Vec<usize>, _> = text.split(',').map(|n| n.trim().parse()).collect();
    match numbers.as_deref() {
        Ok(&[x, y, width, height]) if width > 0 && height > 0 => Ok(Mask {
            x,
            y,
            width,
            height,
        }),
        _ => Err("a mask is X,Y,WIDTH,HEIGHT in pixels of the frame, such as 0,0,200,24".into()),
    }
}

fn guidance(asked: f64) -> anyhow::Result<f64> {
    ensure!(
        (0.0..=50.0).contains(&asked),
        "Guidance must be from 0 to 50."
    );
    Ok(asked)
}

pub fn read_outline(path: &Path) -> anyhow::Result<Arc<Landmarks>> {
    let text = crate::files::read_text(path)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    let outline = serde_json::from_str(&text)
        .with_context(|| format!("{} is no outline that can be used", path.display()))?;
    Ok(Arc::new(outline))
}

/// Beats a minute, where nobody says another number.
const USUAL_HEART_RATE: f64 = 60.0;

impl Wanted {
    pub fn of(args: &WantedArgs) -> anyhow::Result<Self> {
        if let Some(path) = &args.from {
            return Self::again(path, args.frame.as_deref());
        }
        let (Some(path), Some(ef)) = (&args.frame, args.ef) else {
            bail!("Give --frame and --ef, or --from.");
        };
        let percent = |v| EfPercent::new(v).map_err(|why| anyhow::anyhow!("{why}."));
        let requested = percent(ef)?;
        let factual = args.factual_ef.map(percent).transpose()?;
        let guidance = args.guidance.map(guidance).transpose()?;
        let taken = Taken::masked(path, &args.mask)?;
        let unanswered = taken.looks_like_text && args.mask.is_empty() && !args.no_text;
        let outline = args.outline.as_deref().map(read_outline).transpose()?;
        Ok(Self {
            request: Request {
                anatomy: Arc::new(taken.anatomy),
                ef: requested,
                preset: args.preset,
                seed: Seed(args.seed),
                best_of: usize::from(args.best_of),
                guidance,
                outline,
                leaflets: args.leaflets,
                calibration: None,
            },
            calibration: args.calibration,
            part: Part::Counterfactual,
            factual,
            heart_rate: taken.heart_rate.unwrap_or(USUAL_HEART_RATE),
            warnings: taken.warnings,
            text_is_unanswered: unanswered,
            before: None,
            made_on: String::new(),
        })
    }

    /// What a sidecar tells of.
    fn again(path: &Path, frame: Option<&Path>) -> anyhow::Result<Self> {
        let sidecar = Sidecar::read(path)?;
        if sidecar.mark.drawn.is_some() {
            bail!(
                "{} is what is known of a heart that was computed; there is no run to repeat. Draw it again with \
                 echoif phantom.",
                path.display()
            );
        }
        let p = sidecar.mark.provenance.clone();
        let mut warnings = Vec::new();
        let anatomy = match (frame, sidecar.anatomy()) {
            (Some(frame), _) => {
                let taken = Taken::from(frame)?;
                if taken.anatomy.sha256 != p.anatomy_sha256 {
                    bail!(
                        "{} is not the anatomy that this cine was made of (its hash is another one). \
                         Give the same frame with the same square as a 112 x 112 PNG.",
                        frame.display()
                    );
                }
                warnings = taken.warnings;
                taken.anatomy
            }
            (None, Some(anatomy)) => anatomy,
            (None, None) => bail!(
                "{} holds no anatomy. Give the frame that the cine was made of with --frame.",
                path.display()
            ),
        };
        let beats = sidecar.mark.fps * 60.0 / sidecar.frames.max(1) as f64;
        Ok(Self {
            request: Request {
                anatomy: Arc::new(anatomy),
                // What it was conditioned on: the calibration may be another one by now.
                ef: EfPercent::new(p.conditioning_ef_percent.unwrap_or(p.requested_ef_percent))
                    .map_err(|why| anyhow::anyhow!("{why}."))?,
                preset: p.preset,
                // The one that was kept is made again, not all that it was chosen from.
                seed: Seed(p.seed),
                best_of: 1,
                guidance: p
                    .guidance_asked
                    .map(guidance)
                    .transpose()
                    .with_context(|| format!("{} is of no run", path.display()))?,
                outline: p.outline.clone().map(Arc::new),
                leaflets: p.leaflets.is_some_and(|l| l != Leaflets::Off),
                calibration: None,
            },
            calibration: Choice::Off,
            part: sidecar.mark.part.unwrap_or(Part::Counterfactual),
            factual: None,
            heart_rate: if beats.is_finite() {
                beats
            } else {
                USUAL_HEART_RATE
            },
            warnings,
            text_is_unanswered: false,
            made_on: p.device.clone(),
            before: Some(p),
        })
    }

    /// Whether these models are those of the run that is repeated.
    pub fn check(&self, models: &Models) -> anyhow::Result<()> {
        let Some(before) = &self.before else {
            return Ok(());
        };
        let cascade = &models.cascade.identity;
        if cascade.sha256 != before.cascade_sha256 {
            bail!(
                "This cine was made with the cascade {} (sha256 {}), which {} is not. \
                 Give it with --cascade.",
                before.cascade,
                before.cascade_sha256,
                cascade.name
            );
        }
        Ok(())
    }

    /// Asks by the calibration of the cascade, as far as that is wanted.
    pub fn calibrate(&mut self, models: &Models) -> anyhow::Result<()> {
        // Of a simulated heart nothing is known here that its file does not say.
        let curve = self.calibration.curve(models, false)?;
        self.request.calibration = curve.map(Asking::by);
        if self.calibration == Choice::On && self.request.conditioning().is_none() {
            bail!(
                "The calibration says nothing of this run: it is of cines without --guidance, --outline and --leaflets, and \
                 of the presets that sample as it was measured."
            );
        }
        Ok(())
    }

    /// Whether the pixels are those of the run that is repeated. That it was chosen from several is
    /// said of the new one, too, and what was asked for.
    pub fn repeats(&self, made: &mut Generated) -> Option<bool> {
        let before = self.before.as_ref()?;
        made.provenance.requested_ef_percent = before.requested_ef_percent;
        made.provenance.conditioning_ef_percent = before.conditioning_ef_percent;
        made.provenance.best_of = before.best_of;
        made.provenance.candidates.clone_from(&before.candidates);
        Some(made.provenance.pixels_sha256 == before.pixels_sha256)
    }
}

/// The anatomy of a file's first frame.
pub struct Taken {
    pub anatomy: Anatomy,
    heart_rate: Option<f64>,
    warnings: Vec<String>,
    pub looks_like_text: bool,
}

/// The anatomy of the frame at a share of a file's length, from 0 to below 1; where that one is damaged, of the first
/// that is not.
pub fn anatomy_at(path: &Path, share: f64) -> anyhow::Result<Anatomy> {
    Ok(framed(path, &[], share)?.2)
}

/// A file, one of its frames, and the anatomy in it.
fn framed(
    path: &Path,
    masks: &[Mask],
    share: f64,
) -> anyhow::Result<(media::Opened, Arc<Frame>, Anatomy)> {
    let opened = media::open(path)?;
    let recording = &opened.recording;
    let frames = recording.frames();
    let at = ((share * frames as f64) as usize).min(frames.saturating_sub(1));
    // The first that can be shown; those before it are named.
    let later = || (0..frames.min(64)).find_map(|i| recording.frame(i).ok());
    let frame = recording.frame(at).or_else(|why| later().ok_or(why));
    let frame =
        frame.map_err(|why| anyhow::anyhow!("{} cannot be shown: {why}.", path.display()))?;
    let crop = Crop {
        masks: masks.to_vec(),
        ..opened.first_square().into()
    };
    let anatomy = Anatomy::from_frame(&frame, &crop)?;
    Ok((opened, frame, anatomy))
}

impl Taken {
    pub fn from(path: &Path) -> anyhow::Result<Self> {
        Self::masked(path, &[])
    }

    fn masked(path: &Path, masks: &[Mask]) -> anyhow::Result<Self> {
        let (opened, frame, anatomy) = framed(path, masks, 0.0)?;
        let square = opened.first_square();
        // What this program made has its words outside the picture.
        let searched = opened.mark.is_none();
        let looks_like_text =
            searched && !text_areas::propose(&opened.recording, square).is_empty();
        let doubts = opened.doubts(&anatomy, &frame);
        let mut warnings = opened.warnings;
        warnings.extend(opened.recording.missing());
        warnings.extend(doubts.into_iter().map(str::to_owned));
        Ok(Self {
            anatomy,
            heart_rate: opened.heart_rate,
            warnings,
            looks_like_text,
        })
    }
}
