//! From files to clips that are shown alike: opened one after the other, taken by the one path, kept in a
//! file without a name until they are sealed, and audited.

mod found;

use super::audit::{self, Audit, Figures};
use super::key::ClipTruth;
use super::levels::{self, Histogram};
use super::normalise::{self, Common, NotAlike, Survey};
use super::plan::Presentation;
use super::secret::Secret;
use super::sources::Listed;
use crate::hash::sha256;
use crate::media::Opened;
use found::{Found, find, name_hearts, open};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Clips that are worked on side by side, in memory at once.
const AT_ONCE: usize = 4;
/// Side of a clip on screen, in points.
const POINTS: u32 = 448;

/// How clips are to be shown, as far as that is open.
#[derive(Clone, Copy, Debug)]
pub struct Wishes {
    /// Frames a second at most.
    pub rate: Option<f64>,
    /// Seconds at most.
    pub seconds: f64,
    pub loop_gap_ms: u32,
}

impl Default for Wishes {
    fn default() -> Self {
        Self {
            rate: None,
            seconds: 2.0,
            loop_gap_ms: 300,
        }
    }
}

/// Why clips could not be prepared.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// A sentence that begins with the file.
    #[error("{0}")]
    File(String),
    #[error("{file}: {why}")]
    Unfit { file: String, why: String },
    #[error("no clip was found in what was given")]
    Nothing,
    #[error("{0}")]
    NotAlike(String),
    #[error("the clips could not be kept while they are prepared ({0}): make room on the disk")]
    Disk(#[from] io::Error),
    #[error("it was stopped")]
    Stopped,
}

/// Clips that are alike.
pub struct Prepared {
    pub presentation: Presentation,
    /// Without identifiers, which the design gives.
    pub clips: Vec<ClipTruth>,
    /// Hashes of the pixels of practice's clips, which are in neither clips nor audit.
    pub practice: Vec<String>,
    pub audit: Audit,
    pub warnings: Vec<String>,
    spool: Spool,
    /// By the hash of the pixels.
    places: BTreeMap<String, usize>,
}

impl Prepared {
    /// The frames of a clip, by the hash of its pixels, as they are shown. None for a clip that is not there.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn frames(&mut self, pixels_sha256: &str) -> io::Result<Option<Vec<u8>>> {
        let place = self.places.get(pixels_sha256).copied();
        place.map(|place| self.spooled(place)).transpose()
    }

    fn spooled(&mut self, place: usize) -> io::Result<Vec<u8>> {
        let mut clip = self.spool.read(place)?;
        levels::cut(&mut clip, self.presentation.levels);
        Ok(clip)
    }
}

/// Clips one after the other, in a file that has no name and goes with the program.
struct Spool {
    file: File,
    bytes: usize,
}

impl Spool {
    fn read(&mut self, place: usize) -> io::Result<Vec<u8>> {
        let mut clip = vec![0; self.bytes];
        self.file
            .seek(SeekFrom::Start((place * self.bytes) as u64))?;
        self.file.read_exact(&mut clip)?;
        Ok(clip)
    }
}

/// Prepares clips, in the order of `listed`. `scratch` is a folder on the disk they are kept on meanwhile.
/// `report` is told which share is done, and stops it by `false`.
///
/// # Errors
/// When a file cannot be part of a study, with the file, or when they have too little in common.
pub fn prepare(
    listed: Vec<Listed>,
    wishes: Wishes,
    secret: &Secret,
    scratch: &Path,
    report: &mut dyn FnMut(f64) -> bool,
) -> Result<Prepared, PrepareError> {
    let all = listed.len().max(1) as f64;
    let mut warnings = Vec::new();
    let (mut found, mut left_out): (Vec<Found>, usize) = (Vec::new(), 0);
    for (k, some) in listed.chunks(AT_ONCE).enumerate() {
        if !report(0.4 * (k * AT_ONCE) as f64 / all) {
            return Err(PrepareError::Stopped);
        }
        let looked: Vec<_> = some.par_iter().map(find).collect();
        for one in looked {
            match one? {
                Some(one) => found.push(one),
                None => left_out += 1,
            }
        }
    }
    if found.is_empty() {
        return Err(PrepareError::Nothing);
    }
    if left_out > 0 {
        warnings.push(format!(
            "{left_out} files in the folders are no clips and were left out."
        ));
    }
    warnings.extend(found.iter().filter_map(|f| f.warning.clone()));
    name_hearts(&mut found);
    hearts_of_practice(&found)?;

    let recorded: Vec<f64> = found.iter().filter_map(|f| f.heart_rate).collect();
    for one in &mut found {
        if one.survey.looped {
            let label = format!("heart rate of {}", one.truth.source_sha256);
            let rate = normalise::heart_rate(&recorded, &mut secret.random(&label));
            one.survey.beats(rate);
            one.heart_rate = Some(rate);
        }
    }
    let surveys: Vec<&Survey> = found.iter().map(|f| &f.survey).collect();
    let sector = normalise::sector_of_all(&surveys);
    let (sector, costly) = sector.map_err(|e| not_alike(&e, &found))?;
    warnings.extend(costly.iter().filter_map(|&(i, share)| {
        let path = found.get(i)?.listed.path.display();
        let percent = 100.0 * share;
        Some(format!(
            "{path}: its sector costs all clips {percent:.0} % of their picture; leave it out to show more."
        ))
    }));
    for (k, some) in found.chunks_mut(AT_ONCE).enumerate() {
        if !report(0.4 + 0.2 * (k * AT_ONCE) as f64 / all) {
            return Err(PrepareError::Stopped);
        }
        let settled: Result<Vec<()>, _> = some
            .par_iter_mut()
            .map(|one| settle(one, &sector))
            .collect();
        settled?;
    }
    let surveys: Vec<&Survey> = found.iter().map(|f| &f.survey).collect();
    let common = normalise::common(&surveys, &sector, wishes.rate, wishes.seconds);
    let common = common.map_err(|e| not_alike(&e, &found))?;

    let shown = common.frames as f64 / common.fps;
    if shown < 0.75 * wishes.seconds {
        let seconds = |f: &&Found| f.survey.seconds();
        let shortest = found
            .iter()
            .min_by(|a, b| seconds(a).total_cmp(&seconds(b)));
        if let Some(one) = shortest.filter(|f| f.survey.seconds() < wishes.seconds) {
            warnings.push(format!(
                "{}: it lasts {:.2} s, so no clip is shown for longer; leave it out to show more.",
                one.listed.path.display(),
                one.survey.seconds()
            ));
        }
    }

    let bytes = common.frames * common.sector.len();
    let mut spool = Spool {
        file: tempfile::tempfile_in(scratch)?,
        bytes,
    };
    let mut histograms = Vec::with_capacity(found.len());
    for (k, some) in found.chunks(AT_ONCE).enumerate() {
        if !report(0.6 + 0.3 * (k * AT_ONCE) as f64 / all) {
            return Err(PrepareError::Stopped);
        }
        let taken: Vec<_> = some
            .par_iter()
            .map(|one| take(one, &common, secret))
            .collect();
        for clip in taken {
            let clip = clip?;
            histograms.push(Histogram::of(&clip, &common.sector));
            spool.file.write_all(&clip)?;
        }
    }
    let presentation = Presentation {
        frames: common.frames,
        fps: common.fps,
        width: common.side,
        height: common.side,
        levels: levels::levels(&histograms),
        points: POINTS,
        loop_gap_ms: wishes.loop_gap_ms,
    };

    let mut prepared = Prepared {
        presentation,
        clips: Vec::with_capacity(found.len()),
        practice: Vec::new(),
        places: BTreeMap::new(),
        audit: audit::audit(&[]),
        warnings,
        spool,
    };
    let mut figures = Vec::with_capacity(found.len());
    let mut seen: BTreeMap<String, PathBuf> = BTreeMap::new();
    for (i, one) in found.into_iter().enumerate() {
        let clip = prepared.spooled(i)?;
        let truth = ClipTruth {
            pixels_sha256: sha256(&clip),
            ..one.truth
        };
        let (ef, rate) = (truth.measured_ef_percent, one.heart_rate);
        let of = Figures::of(&clip, &common.sector, &presentation, truth.class, ef, rate);
        if of.repeated() > 0 {
            return Err(PrepareError::Unfit {
                file: one.listed.path.display().to_string(),
                why: format!(
                    "{} of its frames are the same as the ones before, which would tell it from others: \
                     ask for a lower rate (--rate), or leave it out",
                    of.repeated()
                ),
            });
        }
        let path = one.listed.path.clone();
        if let Some(other) = seen.insert(truth.pixels_sha256.clone(), path.clone()) {
            return Err(PrepareError::Unfit {
                file: path.display().to_string(),
                why: format!(
                    "it shows the same pixels as {}: leave one out",
                    other.display()
                ),
            });
        }
        prepared.places.insert(truth.pixels_sha256.clone(), i);
        if one.listed.practice {
            prepared.practice.push(truth.pixels_sha256);
        } else {
            prepared.clips.push(truth);
            figures.push(of);
        }
        if !report(0.9 + 0.1 * i as f64 / all) {
            return Err(PrepareError::Stopped);
        }
    }
    prepared.audit = audit::audit(&figures);
    Ok(prepared)
}

/// A heart that practice shows betrays itself in a trial.
fn hearts_of_practice(found: &[Found]) -> Result<(), PrepareError> {
    let (practice, scored): (Vec<&Found>, Vec<&Found>) =
        found.iter().partition(|f| f.listed.practice);
    let both = practice.into_iter().find_map(|p| {
        let same = |s: &&&Found| s.truth.anatomy == p.truth.anatomy;
        Some((p, scored.iter().find(same)?))
    });
    match both {
        Some((practice, scored)) => Err(unfit(
            practice,
            format!(
                "practice shows the heart of {}, and no reader may see one heart twice: leave one out",
                scored.listed.path.display()
            ),
        )),
        None => Ok(()),
    }
}

fn not_alike(why: &NotAlike, found: &[Found]) -> PrepareError {
    let path = |i: &usize| found.get(*i).map(|f| f.listed.path.display().to_string());
    match why {
        NotAlike::Short { clip, .. } => PrepareError::Unfit {
            file: path(clip).unwrap_or_default(),
            why: why.to_string(),
        },
        _ => PrepareError::NotAlike(why.to_string()),
    }
}

fn settle(one: &mut Found, sector: &[bool]) -> Result<(), PrepareError> {
    let opened = open_again(one)?;
    one.survey
        .settle(&opened, sector)
        .map_err(|e| unfit(one, e.to_string()))
}

fn take(one: &Found, common: &Common, secret: &Secret) -> Result<Vec<u8>, PrepareError> {
    let opened = open_again(one)?;
    let mut random = secret.random(&format!("window of {}", one.truth.source_sha256));
    let taken = one.survey.take(&opened, common, &mut random);
    taken.map_err(|e| unfit(one, e.to_string()))
}

fn open_again(one: &Found) -> Result<Opened, PrepareError> {
    open(&one.listed)?.ok_or_else(|| unfit(one, "it changed while it was read".into()))
}

fn unfit(one: &Found, why: String) -> PrepareError {
    PrepareError::Unfit {
        file: one.listed.path.display().to_string(),
        why,
    }
}
