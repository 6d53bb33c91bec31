//! Files of pictures that were computed, not made by a network.

use super::{Error, Format, Sidecar, Work, banner, encode, sidecar_of};
use crate::clip::{Clip, Frame, FrameRate};
use crate::files::write_atomically;
use crate::media::mark::{Drawn, Mark};
use std::path::{Path, PathBuf};

/// A simulated heart or a puppet that is to leave the program.
pub struct Picture<'a> {
    /// Gray, of one size.
    pub frames: Vec<Frame>,
    pub rate: FrameRate,
    /// Whether the frames are one beat in its phases, not in time.
    pub beat_normalised: bool,
    pub about: Drawn,
    /// All that is known of it, for the file beside it.
    pub truth: &'a serde_json::Value,
}

/// Writes it, with its words and its mark, and what is known of it beside it as `NAME.EXT.json`. Returns that path.
///
/// # Errors
/// When the name says no format, or a file cannot be written; nothing is left half-written.
pub fn write_drawn(picture: Picture<'_>, path: &Path) -> Result<PathBuf, Error> {
    let format = Format::of(path)?;
    let fail = |why: String| Error::Write {
        path: path.to_owned(),
        why,
    };
    let ef = format!("EF {:.0}%", picture.about.ef_percent);
    let what = format!("{}, {ef}", picture.about.what.title());
    let rate = picture.rate;
    let count = picture.frames.len();
    let clip = Clip {
        frames: picture.frames,
        rate: Some(rate),
        beat_normalised: picture.beat_normalised,
    };
    let marked = banner::add(&clip, &["SYNTHETIC, NOT A SCAN", &what], &ef);
    let mark = Mark::drawn(
        marked.picture,
        marked.words,
        picture.beat_normalised,
        rate,
        picture.about,
    );
    let work = Work::of(&marked.frames, rate, &mark).map_err(fail)?;
    encode(&work, format, path)?;
    let beside = sidecar_of(path);
    let sidecar = Sidecar::of_drawn(mark, count, picture.truth.clone());
    write_atomically(&beside, sidecar.to_json().as_bytes()).map_err(|e| Error::Write {
        path: beside.clone(),
        why: e.to_string(),
    })?;
    Ok(beside)
}
