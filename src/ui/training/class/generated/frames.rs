//! The frames that a set is made of.

use super::super::super::said::about_file;
use crate::drill::make::{self, EFS, Made};
use crate::media;
use crate::media::region::Anatomy;
use crate::ui::source::{Origin, Source};
use crate::ui::task::Reporter;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Frames that are taken of a folder.
const MOST: usize = 200;

/// Hearts, and what of them is there already.
pub struct Prepared {
    pub hearts: Vec<Arc<Anatomy>>,
    pub done: BTreeSet<usize>,
    pub skipped: usize,
}

/// All files of a folder, in the order of their names. Numbered stills are frames of their own here, not a clip's.
fn files_of(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let unreadable = |e: std::io::Error| about_file(folder, &format!("it cannot be read ({e})"));
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Opens a folder's frames, and looks which clips of this cascade are there already.
pub fn prepared(
    frames: &Path,
    out: &Path,
    cascade_sha256: &str,
    reporter: &Reporter,
) -> Result<Prepared, String> {
    std::fs::create_dir_all(out).map_err(|e| about_file(out, &e))?;
    let paths = files_of(frames)?;
    let (mut hearts, mut skipped) = (Vec::<Arc<Anatomy>>::new(), 0);
    for (i, path) in paths.iter().take(MOST).enumerate() {
        if !reporter.report("Opening frames", i as f64 / paths.len().min(MOST) as f64) {
            return Err(String::new());
        }
        let source = media::open(path)
            .map_err(|e| e.to_string())
            .and_then(|opened| {
                // What this program made is no frame to begin with.
                if opened.mark.is_some() {
                    return Err("it is synthetic".into());
                }
                let origin = Origin::File(opened.kind);
                Source::prepare(opened, origin)
            });
        match source {
            Ok(source) if !hearts.iter().any(|h| h.sha256 == source.anatomy.sha256) => {
                hearts.push(source.anatomy);
            }
            Ok(_) => {}
            Err(_) => skipped += 1,
        }
    }
    skipped += paths.len().saturating_sub(MOST);
    if hearts.is_empty() {
        return Err(about_file(
            frames,
            &"nothing in it can be opened as a frame",
        ));
    }
    let mut done = BTreeSet::new();
    for (h, heart) in hearts.iter().enumerate() {
        for (e, ef) in EFS.iter().enumerate() {
            let path = out.join(make::file_name(&heart.sha256, *ef));
            // Another cascade's is made anew.
            let made = Made::of(&path);
            if made.is_some_and(|m| m.cascade_sha256 == cascade_sha256) {
                done.insert(h * EFS.len() + e);
            }
        }
    }
    Ok(Prepared {
        hearts,
        done,
        skipped,
    })
}
