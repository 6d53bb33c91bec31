//! DICOM: ultrasound and secondary capture, single and multi-frame, and directories.
//!
//! Only what is needed to show the picture is read; no attribute that could name a patient comes
//! into memory. Frames are read and decoded one at a time. What cannot be decoded is named by its
//! transfer syntax.

mod coded;
mod dataset;
mod pixels;
mod region;
mod rle;
mod samples;
mod shape;
mod start;
mod timing;

use super::bytes::Bytes;
use super::export::DICOM_MARK;
use super::mark::Mark;
use super::{Coding, Error, Found, Kind, Opened};
use crate::recording::Recording;
use dicom_dictionary_std::tags;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Whether a file's beginning, 132 bytes or all of it, is one of DICOM's.
pub fn is_dicom(head: &[u8]) -> bool {
    let bare = matches!(head, [8 | 2, 0, ..] | [0, 8, ..]);
    head.get(128..132) == Some(b"DICM") || bare
}

/// Opens an image, or the list of a DICOMDIR's files.
pub fn open(path: &Path) -> Result<Found, Error> {
    let file = std::fs::File::open(path).map_err(|e| Error::io(path, e))?;
    let fail = |why: &str| Error::undecodable(path, why);
    let start = Bytes::of_file(file)
        .and_then(start::find)
        .map_err(|e| Error::io(path, e))?;
    let start = start.ok_or_else(|| Error::Unknown {
        path: path.to_owned(),
        why: "its content is of no known kind".into(),
    })?;
    let data = dataset::read(&start).map_err(|why| {
        fail(&format!(
            "{why}. Export it again, as a complete DICOM file."
        ))
    })?;
    if !data.referenced.is_empty() && data.pixels.is_none() {
        return Ok(Found::Collection(referenced(path, &data.referenced)));
    }
    let no_picture = "it holds no picture. Open a file of the image series.";
    let pixels = data.pixels.ok_or_else(|| fail(no_picture))?;
    let shape = shape::Shape::read(&data.values).map_err(|why| fail(&format!("{why}.")))?;
    let looks = samples::Looks::read(&data.values, &shape);
    let (rows, columns, claimed) = (shape.rows, shape.columns, shape.frames);
    let coding = Coding {
        photometric: shape.photometric.clone(),
        transfer_syntax: start.syntax.clone(),
    };
    let mut colour_doppler = data.values.integer(tags::ULTRASOUND_COLOR_DATA_PRESENT) == Some(1)
        || region::has_colour_flow(&data.regions);
    // A gray picture cannot show it, whatever the attributes say.
    colour_doppler &= shape.samples == 3 || shape.photometric == "PALETTE COLOR";
    let frames = pixels::DicomFrames::new(start.bytes, start.syntax, pixels, shape, looks);
    let there = frames.there();
    let mut warnings = Vec::new();
    if there == 0 {
        return Err(fail("its pixels are cut off. Export it again."));
    }
    if there < claimed {
        warnings.push(format!(
            "The file is cut off: {there} of its {claimed} frames are there."
        ));
    }
    let rate = (there > 1).then(|| timing::rate(&data.values)).flatten();
    let recording = Recording::new(there, rate, Box::new(frames)).map_err(|why| {
        let syntax = &coding.transfer_syntax;
        fail(&format!(
            "{why} (transfer syntax {syntax}). Export it uncompressed or as JPEG."
        ))
    })?;
    let mark = data.values.text(DICOM_MARK);
    let mark = mark.and_then(|text| Mark::parse(text.as_bytes()));
    let tissue = region::tissue(&data.regions, columns, rows);
    Ok(Found::Recording(Box::new(Opened {
        square: tissue.map(region::square),
        mark,
        coding: Some(coding),
        heart_rate: timing::heart_rate(&data.values),
        r_waves_ms: timing::r_waves_ms(&data.values),
        colour_doppler,
        warnings,
        ..Opened::new(recording, Kind::Dicom)
    })))
}

/// The files that a DICOMDIR names, within its own folder. Discs that were copied may have the names
/// in the other case.
fn referenced(directory: &Path, ids: &[Vec<String>]) -> Vec<PathBuf> {
    let folder = directory.parent().unwrap_or(Path::new("."));
    let mut names = Names::default();
    let sound = |part: &&String| {
        !part.is_empty() && !part.contains(['/', '\\', ':', '\0']) && *part != "." && *part != ".."
    };
    ids.iter()
        .filter(|parts| !parts.is_empty() && parts.iter().all(|p| sound(&p)))
        .map(|parts| {
            let parts = parts.iter();
            parts.fold(folder.to_owned(), |at, part| names.resolve(&at, part))
        })
        .collect()
}

/// What lies in each folder, by lower-case name.
#[derive(Default)]
struct Names(HashMap<PathBuf, HashMap<String, PathBuf>>);

impl Names {
    /// `part` in `folder`, in whatever case it is there; as it is written where it is not.
    fn resolve(&mut self, folder: &Path, part: &str) -> PathBuf {
        let there = self.0.entry(folder.to_owned()).or_insert_with(|| {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            let named = entries.map(|e| (e.file_name().to_string_lossy().to_lowercase(), e.path()));
            named.collect()
        });
        let written = folder.join(part);
        match there.get(&part.to_lowercase()) {
            Some(other) if !written.exists() => other.clone(),
            _ => written,
        }
    }
}
