//! DICOM: ultrasound and secondary capture, single and multi-frame, and directories.
//!
//! Only what is needed to show the picture is read; no attribute that could name a patient comes
//! into memory. Frames are read and decoded one at a time. What cannot be decoded is named by its
//! transfer syntax.

mod coded;
mod colour;
mod dataset;
mod format;
mod jpeg2000;
mod palette;
mod pixels;
mod region;
mod rle;
mod samples;
mod shape;
mod start;
mod timing;
mod walk;
mod window;

use super::bytes::Bytes;
use super::mark::Mark;
use super::mark::place;
use super::{Coding, Error, Found, Kind, Opened};
use crate::recording::Recording;
use dicom_dictionary_std::tags;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

pub use colour::from_full as from_ybr;

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
    let mut data = dataset::read(&start).map_err(|why| {
        fail(&format!(
            "{why}. Export it again, as a complete DICOM file."
        ))
    })?;
    if !data.referenced.is_empty() && data.pixels.is_none() {
        return Ok(Found::Collection(referenced(path, &data.referenced)));
    }
    let no_picture = "it holds no picture. Open a file of the image series.";
    let pixels = data.pixels.take().ok_or_else(|| fail(no_picture))?;
    let shape = shape::Shape::read(&data.values).map_err(|why| fail(&format!("{why}.")))?;
    let looks = samples::Looks::read(&data, &shape);
    let (rows, columns, claimed) = (shape.rows, shape.columns, shape.frames);
    let coding = Coding {
        photometric: shape.photometric.clone(),
        transfer_syntax: start.syntax.clone(),
    };
    let mut colour_doppler = data.values.integer(tags::ULTRASOUND_COLOR_DATA_PRESENT) == Some(1)
        || region::has_colour_flow(&data.regions);
    // A gray picture cannot show it, whatever the attributes say.
    colour_doppler &= shape.samples == 3 || shape.photometric == "PALETTE COLOR";
    let frames = pixels::DicomFrames::new(
        start.bytes,
        start.syntax,
        start.layout,
        pixels,
        shape,
        looks,
    );
    let there = frames.there();
    let mut warnings = Vec::new();
    if there == 0 {
        return Err(fail("its pixels are missing. Export it again."));
    }
    if there < claimed {
        warnings.push(if frames.are_cut_off() {
            format!("The file is cut off: {there} of its {claimed} frames are there.")
        } else {
            format!("Only {there} of its {claimed} frames are in the file.")
        });
    }
    let really = frames.unlike_label();
    if let Some(really) = really {
        warnings.push(format!(
            "The file says transfer syntax {}; its pixels are {}, and are read so.",
            coding.transfer_syntax,
            really.name()
        ));
    }
    let times = (there > 1)
        .then(|| timing::times(&data.values, there))
        .flatten();
    let is_jpeg = really
        .or(format::Format::labelled(&coding.transfer_syntax))
        .is_some_and(|f| f.is_jpeg());
    let (rate, each) = match times {
        Some(times) => {
            warnings.extend(times.warning);
            (Some(times.rate), times.each)
        }
        None => (None, None),
    };
    let recording = Recording::new(there, rate, Box::new(frames)).map_err(|why| {
        let syntax = &coding.transfer_syntax;
        let how = if is_jpeg {
            "uncompressed"
        } else {
            "uncompressed or as JPEG"
        };
        fail(&format!(
            "{why} (transfer syntax {syntax}). Export it {how}."
        ))
    })?;
    let recording = recording.with_times(each);
    let mark = data.values.text(place::DICOM);
    let mark = mark.and_then(|text| Mark::parse(text.as_bytes()));
    let tissue = region::tissue(&data.regions, columns, rows);
    Ok(Found::Recording(Box::new(Opened {
        square: tissue.map(|(place, _)| region::square(place)),
        scale: tissue.and_then(|(_, scale)| scale),
        mark,
        coding: Some(coding),
        heart_rate: timing::heart_rate(&data.values),
        r_waves_ms: timing::r_waves_ms(&data.values),
        colour_doppler,
        cut_off: there < claimed,
        warnings,
        ..Opened::new(recording, Kind::Dicom)
    })))
}

/// The files that a DICOMDIR names, within its own folder. Discs that were copied may have the names
/// in the other case, with the version that the disc's file system gave them, with an ending or without.
fn referenced(directory: &Path, ids: &[Vec<String>]) -> Vec<PathBuf> {
    let folder = directory.parent().unwrap_or(Path::new("."));
    let mut names = Names::default();
    let sound = |part: &str| !part.contains(['\\', ':', '\0']) && part != "..";
    ids.iter()
        .map(|parts| {
            // Some write a whole path as one part.
            let parts = parts.iter().flat_map(|p| p.split(['/', '\\']));
            parts
                .filter(|p| !p.is_empty() && *p != ".")
                .collect::<Vec<_>>()
        })
        .filter(|parts| !parts.is_empty() && parts.iter().all(|p| sound(p)))
        .map(|parts| {
            let parts = parts.iter();
            parts.fold(folder.to_owned(), |at, part| names.resolve(&at, part))
        })
        .collect()
}

/// What lies in each folder, by its name as [`plain`] gives it.
#[derive(Default)]
struct Names(HashMap<PathBuf, Vec<(String, PathBuf)>>);

impl Names {
    /// `part` in `folder`, under whatever name it is there; as it is written where it is not.
    fn resolve(&mut self, folder: &Path, part: &str) -> PathBuf {
        let written = folder.join(part);
        if written.exists() {
            return written;
        }
        let there = self.0.entry(folder.to_owned()).or_insert_with(|| {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            let named = entries.map(|e| (e.file_name().to_string_lossy().into_owned(), e.path()));
            let mut named: Vec<_> = named.collect();
            named.sort();
            named
        });
        let exactly = |name: &str| name.eq_ignore_ascii_case(part);
        let nearly = |name: &str| plain(name) == plain(part);
        let found = there.iter().find(|(name, _)| exactly(name));
        let found = found.or_else(|| there.iter().find(|(name, _)| nearly(name)));
        found.map_or(written, |(_, path)| path.clone())
    }
}

/// A name in lower case, without the version of ISO 9660 (`;1`), a final dot, or the endings that
/// DICOM files are given.
fn plain(name: &str) -> String {
    let name = name.trim().to_lowercase();
    let unversioned = match name.rsplit_once(';') {
        Some((before, version)) if version.bytes().all(|b| b.is_ascii_digit()) => before,
        _ => &name,
    };
    let mut stem = unversioned.trim_end_matches('.');
    for ending in [".dcm", ".dicom", ".dic", ".ima", ".img"] {
        stem = stem.strip_suffix(ending).unwrap_or(stem);
    }
    stem.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_discs_and_of_copies_of_them_are_the_same() {
        for name in [
            "IM000001",
            "im000001.dcm",
            "IM000001.;1",
            "IM000001.DCM;1",
            "Im000001.IMA",
        ] {
            assert_eq!(plain(name), "im000001", "{name}");
        }
        assert_ne!(plain("IM000001"), plain("IM0000011"));
    }
}
