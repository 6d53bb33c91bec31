//! A folder: numbered stills that are one clip, or a ward's export.

use super::{Error, Found, Kind, Opened, head_of, still};
use crate::clip::Frame;
use crate::recording::{FrameReader, Recording};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Files of a collection, and folders within folders.
const MOST_FILES: usize = 20_000;
const MOST_DEPTH: usize = 8;
/// Files whose beginning decides whether a folder is one clip.
const MOST_STILLS: usize = 5_000;

pub fn look(folder: &Path) -> Result<Found, Error> {
    let mut files = Vec::new();
    collect(folder, 0, &mut files)?;
    files.sort_by_cached_key(|p| number_of(p));
    if files.is_empty() {
        return Err(Error::unknown(folder, "the folder is empty"));
    }
    match numbered_stills(&files) {
        Some(stills) => {
            let n = stills.len();
            let mark = stills.first().and_then(|first| still::mark(first));
            let recording = Recording::new(n, None, Box::new(Stills(stills)))
                .map_err(|why| Error::undecodable(folder, format!("{why}.")))?;
            Ok(Found::Recording(Box::new(Opened {
                mark,
                ..Opened::new(recording, Kind::Folder)
            })))
        }
        None => Ok(Found::Collection(files)),
    }
}

/// Files below a folder; links to folders are not followed, so there are no rounds.
fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    let entries = std::fs::read_dir(folder).map_err(|e| Error::io(folder, e))?;
    for entry in entries.filter_map(Result::ok) {
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        if kind.is_dir() {
            if depth < MOST_DEPTH {
                // A folder that may not be read does not hide the others.
                let _ = collect(&entry.path(), depth + 1, files);
            }
        } else if files.len() < MOST_FILES
            && !entry.file_name().as_encoded_bytes().starts_with(b".")
        {
            files.push(entry.path());
        }
    }
    Ok(())
}

/// The pictures, where they are numbered stills of one size; other small files beside them, such
/// as a list of the frames, do not count.
fn numbered_stills(files: &[PathBuf]) -> Option<Vec<PathBuf>> {
    if files.len() > MOST_STILLS {
        return None;
    }
    let mut stills: Vec<PathBuf> = Vec::new();
    let mut size = None;
    for path in files {
        let head = head_of(path).unwrap_or_default();
        if super::dicom::is_dicom(&head) || super::avi::is_avi(&head) || head.starts_with(b"GIF8") {
            return None;
        }
        let is_tiff = super::tiff_stack::is_tiff(&head);
        if !is_tiff && image::guess_format(&head).is_err() {
            continue;
        }
        number_of(path).0?;
        if stills.first().is_some_and(|s| s.parent() != path.parent()) {
            return None;
        }
        let this = if is_tiff {
            // A stack is a clip of its own.
            let (pages, size) = super::tiff_stack::dimensions(path)?;
            (pages == 1).then_some(size)?
        } else {
            image::image_dimensions(path).ok()?
        };
        if *size.get_or_insert(this) != this {
            return None;
        }
        stills.push(path.clone());
    }
    (stills.len() > 1).then_some(stills)
}

/// Sorts `frame2` before `frame10`, and names without a number last.
fn number_of(path: &Path) -> (Option<u64>, PathBuf) {
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let digits = name
        .chars()
        .rev()
        .skip_while(|c| !c.is_ascii_digit())
        .take_while(char::is_ascii_digit);
    let digits: String = digits.collect::<Vec<_>>().into_iter().rev().collect();
    (digits.parse().ok(), path.to_owned())
}

struct Stills(Vec<PathBuf>);

impl FrameReader for Stills {
    fn read(&self, i: usize) -> Result<Arc<Frame>, String> {
        let path = self.0.get(i).ok_or("it has no frames")?;
        still::picture(path)
            .map(Arc::new)
            .map_err(|_| "it cannot be read".into())
    }
}
