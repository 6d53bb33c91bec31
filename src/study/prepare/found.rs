//! A file is looked at: whether it is a clip, and what is known of it.

use super::PrepareError;
use crate::media::mark::Mark;
use crate::media::region::{self, Anatomy, Crop};
use crate::media::{self, Opened};
use crate::metrics::beat::Grays;
use crate::provenance::Part;
use crate::study::key::{Class, ClipTruth};
use crate::study::normalise::{Survey, Unfit};
use crate::study::sources::Listed;
use std::collections::BTreeSet;
use std::io;
use std::path::Path;

/// What is known of a clip before it is taken.
pub(super) struct Found {
    pub listed: Listed,
    pub truth: ClipTruth,
    pub survey: Survey,
    pub heart_rate: Option<f64>,
    /// Hashes of what the networks would see of its frames, where it is recorded.
    pub anatomies: Vec<String>,
    pub warning: Option<String>,
}

pub(super) fn open(listed: &Listed) -> Result<Option<Opened>, PrepareError> {
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
pub(super) fn find(listed: &Listed) -> Result<Option<Found>, PrepareError> {
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
    if listed.class == Class::Real && mark.is_some() && !listed.practice {
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
    // A heart that was computed has no run behind it.
    let made = mark.filter(|m| m.drawn.is_none()).map(|m| &m.provenance);
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
pub(super) fn name_hearts(found: &mut [Found]) {
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
