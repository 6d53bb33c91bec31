//! Cines to files. Whatever the format: the words are in the pixels, the mark is in the file, and
//! a sidecar beside it holds all that the run can be repeated from.

mod apng;
mod avi;
mod banner;
mod dicom;
mod drawn;
mod frames;
mod gif;
#[cfg(feature = "mp4")]
mod mp4;
mod panes;
mod sidecar;

use super::Error;
use super::mark::Mark;
use super::region::Anatomy;
use crate::clip::{Clip, Frame, FrameRate, Video};
use crate::ef::{EfOrigin, EfPercent};
use crate::files::write_atomically;
use crate::provenance::{Part, Provenance};
pub use drawn::{Picture as DrawnPicture, write_drawn};
pub use panes::{Drawn as DrawnOver, Panel, Panes, SCALES, write_panes};
pub use sidecar::{Sidecar, anatomy_from_png, anatomy_to_png, sidecar_of};
use std::path::{Path, PathBuf};

/// A cine that is to leave the program.
pub struct Cine<'a> {
    pub part: Part,
    pub video: &'a Video,
    /// As it is played.
    pub rate: FrameRate,
    pub beat_normalised: bool,
    pub provenance: &'a Provenance,
    /// The source's own EF, and whose word that is; `None` where nobody knows or says.
    pub factual: Option<(EfPercent, EfOrigin)>,
    /// `None` leaves it out of the sidecar.
    pub anatomy: Option<&'a Anatomy>,
}

/// A kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Gif,
    Apng,
    Avi,
    Mp4,
    Dicom,
    /// A folder of PNG files.
    Frames,
}

impl Format {
    pub const ALL: [Self; 6] = [
        Self::Gif,
        Self::Apng,
        Self::Avi,
        Self::Mp4,
        Self::Dicom,
        Self::Frames,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Gif => "GIF",
            Self::Apng => "Animated PNG",
            Self::Avi => "AVI (Motion JPEG)",
            Self::Mp4 => "MP4 (H.264)",
            Self::Dicom => "DICOM",
            Self::Frames => "PNG frames (a folder)",
        }
    }

    /// Without the dot; a folder has none.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Gif => "gif",
            Self::Apng => "apng",
            Self::Avi => "avi",
            Self::Mp4 => "mp4",
            Self::Dicom => "dcm",
            Self::Frames => "",
        }
    }

    /// Whether this build writes it.
    pub fn is_built(self) -> bool {
        self != Self::Mp4 || cfg!(feature = "mp4")
    }

    /// By the name's extension; a name without one is a folder for frames.
    ///
    /// # Errors
    /// A sentence with the extensions that there are.
    pub fn of(path: &Path) -> Result<Self, Error> {
        let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
        let format = Self::ALL.into_iter().find(|f| *f.extension() == *extension);
        match format {
            Some(format) if format.is_built() => Ok(format),
            Some(_) => Err(Error::Format {
                path: path.to_owned(),
                why: "this build does not write MP4: give it a name that ends in .avi".into(),
            }),
            None => Err(Error::Format {
                path: path.to_owned(),
                why: "give it a name that ends in .gif, .apng, .avi, .mp4 or .dcm, \
                      or one without an ending for a folder of frames"
                    .into(),
            }),
        }
    }
}

/// Whether a file of this name can be written: asked before a run, so that none is made in vain.
///
/// # Errors
/// A sentence.
pub fn check(path: &Path) -> Result<(), Error> {
    let fail = |why: &str| {
        Err(Error::Write {
            path: path.to_owned(),
            why: why.into(),
        })
    };
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
    if folder.is_some_and(|f| !f.is_dir()) {
        return fail("there is no such folder");
    }
    match Format::of(path)? {
        Format::Frames if frames::is_taken(path) => fail("the folder is not empty"),
        _ => Ok(()),
    }
}

/// What the encoders get: gray frames of one size, with their words.
struct Work<'a> {
    frames: &'a [Frame],
    width: usize,
    height: usize,
    rate: FrameRate,
    mark: &'a Mark,
}

impl<'a> Work<'a> {
    fn of(frames: &'a [Frame], rate: FrameRate, mark: &'a Mark) -> Result<Self, String> {
        let first = frames.first().ok_or("it has no frames")?;
        Ok(Self {
            frames,
            width: first.width,
            height: first.height,
            rate,
            mark,
        })
    }
}

/// Writes the file alone.
fn encode(work: &Work<'_>, format: Format, path: &Path) -> Result<(), Error> {
    let fail = |why: String| Error::Write {
        path: path.to_owned(),
        why,
    };
    let bytes = match format {
        Format::Gif => gif::encode(work),
        Format::Apng => apng::encode(work),
        Format::Avi => avi::encode(work),
        #[cfg(feature = "mp4")]
        Format::Mp4 => mp4::encode(work),
        #[cfg(not(feature = "mp4"))]
        Format::Mp4 => Err("this build does not write MP4".into()),
        Format::Dicom => dicom::encode(work),
        Format::Frames => return frames::write(work, path).map_err(fail),
    };
    write_atomically(path, &bytes.map_err(fail)?).map_err(|e| fail(e.to_string()))
}

/// Writes a cine and its sidecar. Returns the sidecar's path.
///
/// # Errors
/// When the name says no format, or a file cannot be written; nothing is left half-written.
pub fn write(cine: &Cine<'_>, path: &Path) -> Result<PathBuf, Error> {
    let format = Format::of(path)?;
    let fail = |why: String| Error::Write {
        path: path.to_owned(),
        why,
    };
    let asked = cine.provenance.requested_ef_percent;
    let measured = cine.provenance.measured_ef_percent;
    let clip = cine.video.to_clip(Some(cine.rate), cine.beat_normalised);
    let assumed = cine.factual.is_some_and(|(_, by)| by == EfOrigin::Assumed);
    let what = match (cine.part, assumed) {
        (Part::Factual, true) => "At an assumed EF",
        (part, _) => part.name(),
    };
    let words = format!("asked EF {asked:.0}%, got {measured:.0}%");
    let mut lines = vec!["SYNTHETIC, NOT A SCAN", what, &words];
    let conditioned = cine.provenance.conditioning_ef_percent;
    let conditioned = conditioned.map(|ef| format!("calibrated, conditioned on {ef:.0}%"));
    lines.extend(conditioned.as_deref());
    let chosen = format!("closest of {}", cine.provenance.best_of);
    if cine.provenance.best_of > 1 {
        lines.push(&chosen);
    }
    let marked = banner::add(&clip, &lines, &format!("EF {measured:.0}%"));
    let mut mark = Mark::new(
        marked.picture,
        marked.words,
        cine.beat_normalised,
        cine.rate,
        cine.part,
        cine.provenance.clone(),
    );
    if let Some((ef, by)) = cine.factual {
        mark.factual_ef_percent = Some(ef.get());
        mark.factual_ef_origin = by;
    }
    let work = Work::of(&marked.frames, cine.rate, &mark).map_err(fail)?;
    encode(&work, format, path)?;
    beside(path, mark, cine.anatomy, cine.video.frames)
}

/// Writes a cine as a clip of a data set, and returns its sidecar for the caller to write: frames keep their size, and
/// their word, the same in all clips, stands in a black corner outside the sector.
///
/// # Errors
/// As [`write`].
pub fn write_clip(cine: &Cine<'_>, path: &Path) -> Result<Sidecar, Error> {
    let format = Format::of(path)?;
    let marked = banner::corner(&cine.video.to_clip(Some(cine.rate), cine.beat_normalised));
    let mark = Mark::new(
        marked.picture,
        marked.words,
        cine.beat_normalised,
        cine.rate,
        cine.part,
        cine.provenance.clone(),
    );
    let work = Work::of(&marked.frames, cine.rate, &mark).map_err(|why| Error::Write {
        path: path.to_owned(),
        why,
    })?;
    encode(&work, format, path)?;
    Sidecar::new(mark, cine.anatomy, cine.video.frames)
}

/// One picture that was made of cines.
pub struct Picture<'a> {
    pub frame: &'a Frame,
    /// Lines of words below it.
    pub words: &'a [String],
    /// How the cine was made that an export of it is repeated from.
    pub provenance: &'a Provenance,
    /// How each of its cines was made, where they are several runs.
    pub rungs: &'a [Provenance],
    /// `None` leaves it out of the sidecar.
    pub anatomy: Option<&'a Anatomy>,
}

/// Writes a picture as PNG, with its words, its mark and its sidecar. Returns the sidecar's path.
///
/// # Errors
/// When a file cannot be written; nothing is left half-written.
pub fn write_picture(picture: &Picture<'_>, path: &Path) -> Result<PathBuf, Error> {
    let fail = |why: String| Error::Write {
        path: path.to_owned(),
        why,
    };
    let clip = Clip::still(picture.frame.clone());
    let lines = picture.words.iter().map(String::as_str);
    let lines: Vec<&str> = std::iter::once("SYNTHETIC, NOT A SCAN")
        .chain(lines)
        .collect();
    // It is made of many squares: there is no black corner for words.
    let marked = banner::add(&clip, &lines, "");
    let rate = FrameRate::new(1.0).ok_or_else(|| fail("it has no rate".into()))?;
    let part = Part::Counterfactual;
    let mut mark = Mark::new(
        marked.picture,
        Vec::new(),
        false,
        rate,
        part,
        picture.provenance.clone(),
    );
    mark.rungs = picture.rungs.to_vec();
    let work = Work::of(&marked.frames, rate, &mark).map_err(fail)?;
    let bytes = apng::encode(&work).map_err(fail)?;
    write_atomically(path, &bytes).map_err(|e| fail(e.to_string()))?;
    beside(path, mark, picture.anatomy, 1)
}

/// Writes the sidecar of a file.
fn beside(
    path: &Path,
    mark: Mark,
    anatomy: Option<&Anatomy>,
    frames: usize,
) -> Result<PathBuf, Error> {
    let beside = sidecar_of(path);
    let sidecar = Sidecar::new(mark, anatomy, frames)?;
    let write = write_atomically(&beside, sidecar.to_json().as_bytes());
    write.map_err(|e| Error::Write {
        path: beside.clone(),
        why: e.to_string(),
    })?;
    Ok(beside)
}
