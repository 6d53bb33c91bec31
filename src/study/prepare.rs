//! From files to clips that are shown alike: opened one after the other, taken by the one path, kept in a
//! file without a name until they are sealed, and audited.

use super::audit::{self, Audit, Figures};
use super::key::{Class, ClipTruth};
use super::normalise::{self, Common, Histogram, NotAlike, Survey, Unfit};
use super::plan::Presentation;
use super::secret::Secret;
use super::sources::Listed;
use crate::hash::sha256;
use crate::media::mark::Mark;
use crate::media::region::{self, Anatomy, Crop};
use crate::media::{self, Opened};
use crate::metrics::beat::Grays;
use crate::provenance::Part;
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// Clips that are worked on side by side, in memory at once.
const AT_ONCE: usize = 8;
/// Levels of gray and points on screen of a clip, where nothing else is asked for.
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
    pub audit: Audit,
    pub warnings: Vec<String>,
    spool: Spool,
}

impl Prepared {
    /// The frames of the clip at a place of [`Prepared::clips`], as they are shown.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn frames(&mut self, place: usize) -> io::Result<Vec<u8>> {
        let mut clip = self.spool.read(place)?;
        normalise::cut(&mut clip, self.presentation.levels);
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

/// What is known of a clip before it is taken.
struct Found {
    listed: Listed,
    truth: ClipTruth,
    survey: Survey,
    heart_rate: Option<f64>,
    /// Hashes of what the networks would see of its frames, where it is recorded.
    anatomies: Vec<String>,
    warning: Option<String>,
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
        levels: normalise::levels(&histograms),
        points: POINTS,
        loop_gap_ms: wishes.loop_gap_ms,
    };

    let mut prepared = Prepared {
        presentation,
        clips: Vec::with_capacity(found.len()),
        audit: audit::audit(&[]),
        warnings,
        spool,
    };
    let mut figures = Vec::with_capacity(found.len());
    for (i, one) in found.into_iter().enumerate() {
        let clip = prepared.frames(i)?;
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
        prepared.clips.push(truth);
        figures.push(of);
        if !report(0.9 + 0.1 * i as f64 / all) {
            return Err(PrepareError::Stopped);
        }
    }
    prepared.audit = audit::audit(&figures);
    Ok(prepared)
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

fn open(listed: &Listed) -> Result<Option<Opened>, PrepareError> {
    match media::open(&listed.path) {
        Ok(opened) => Ok(Some(opened)),
        // Other things lie in a folder, too.
        Err(media::Error::Unknown { .. } | media::Error::Several { .. }) if listed.found => {
            Ok(None)
        }
        Err(e) => Err(PrepareError::File(e.to_string())),
    }
}

/// Opens a clip and looks at it; `None` for what is no clip and was only found.
fn find(listed: &Listed) -> Result<Option<Found>, PrepareError> {
    let Some(opened) = open(listed)? else {
        return Ok(None);
    };
    let unfit = |why: String| PrepareError::Unfit {
        file: listed.path.display().to_string(),
        why,
    };
    // Until its own heart rate is drawn.
    let survey = match Survey::of(&opened, 60.0) {
        Err(Unfit::Still) if listed.found => return Ok(None),
        survey => survey.map_err(|e| unfit(e.to_string()))?,
    };
    let mark = opened.mark.as_ref();
    if listed.class == Class::Real && mark.is_some() {
        return Err(unfit(
            "it is among the real clips, but is marked as synthetic".into(),
        ));
    }
    if mark.is_some_and(|m| !m.rungs.is_empty()) {
        return Err(unfit(
            "it shows several cines in one picture: export each by itself".into(),
        ));
    }
    let mut found = Found {
        truth: truth(
            listed,
            mark,
            hash_of(&listed.path).map_err(|e| unfit(e.to_string()))?,
        ),
        warning: mark.and_then(|m| another_class(listed, m)),
        listed: listed.clone(),
        heart_rate: opened.heart_rate,
        anatomies: Vec::new(),
        survey,
    };
    if mark.is_none() && !found.survey.looped {
        let crop = Crop::from(opened.first_square());
        let video = region::video(&opened.recording, &crop, || false);
        let rate = opened.recording.rate;
        if let (None, Ok(video), Some(rate)) = (found.heart_rate, video, rate) {
            found.heart_rate = Grays::of(&video).beat(rate.fps()).map(|beat| 60.0 / beat);
        }
        if found.truth.anatomy.is_empty() {
            let frames =
                (0..opened.recording.frames()).filter_map(|i| opened.recording.frame(i).ok());
            let anatomies = frames.filter_map(|f| Anatomy::from_frame(&f, &crop).ok());
            found.anatomies = anatomies.map(|a| a.sha256).collect();
        }
    }
    Ok(Some(found))
}

/// A file's hash; of a folder of stills that of their hashes.
fn hash_of(path: &Path) -> io::Result<String> {
    if !path.is_dir() {
        return Ok(crate::hash::sha256_file(path, || false)?.unwrap_or_default());
    }
    let mut paths: Vec<_> = std::fs::read_dir(path)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_file())
        .collect();
    paths.sort();
    let hashes: io::Result<Vec<String>> = paths.iter().map(|path| hash_of(path)).collect();
    Ok(crate::hash::combined(&hashes?))
}

/// What is said of a clip, by the administrator's list first, then by its own mark.
fn truth(listed: &Listed, mark: Option<&Mark>, source_sha256: String) -> ClipTruth {
    let made = mark.map(|m| &m.provenance);
    let by_list = listed.anatomy.clone();
    ClipTruth {
        clip: String::new(),
        class: listed.class,
        anatomy: by_list
            .or_else(|| made.map(|p| p.anatomy_sha256.clone()))
            .unwrap_or_default(),
        requested_ef_percent: listed
            .requested_ef_percent
            .or_else(|| made.map(|p| p.requested_ef_percent)),
        measured_ef_percent: listed
            .measured_ef_percent
            .or_else(|| made.map(|p| p.measured_ef_percent)),
        cascade: made.map(|p| p.cascade.clone()),
        weights_sha256: made.map(|p| p.cascade_sha256.clone()),
        seed: made.map(|p| p.seed),
        source_sha256,
        pixels_sha256: String::new(),
    }
}

fn another_class(listed: &Listed, mark: &Mark) -> Option<String> {
    let class = match mark.part? {
        Part::Factual => Class::Factual,
        Part::Counterfactual => Class::Counterfactual,
    };
    (class != listed.class).then(|| {
        format!(
            "{}: it is among the {} clips, but its mark says {}.",
            listed.path.display(),
            listed.class.name(),
            class.name()
        )
    })
}

/// Which heart each clip shows, where nobody said: a recorded clip is the heart of the generated ones that
/// were made from a frame of it; else it is a heart of its own.
fn name_hearts(found: &mut [Found]) {
    let generated: BTreeSet<String> = found
        .iter()
        .filter(|f| f.truth.class.is_fake())
        .map(|f| f.truth.anatomy.clone())
        .collect();
    for one in found.iter_mut().filter(|f| f.truth.anatomy.is_empty()) {
        let of = one.anatomies.iter().find(|a| generated.contains(*a));
        one.truth.anatomy = of.unwrap_or(&one.truth.source_sha256).clone();
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
