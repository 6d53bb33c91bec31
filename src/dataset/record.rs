//! A clip that was made: its files, and what is written of it.

use super::{Clip, Plan, Row, SIDE, Tracing};
use crate::files::{TEMPORARY, read_at_most, write_atomically};
use crate::hash::sha256_file;
use crate::media;
use crate::media::export::Sidecar;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Bytes of a record at most.
const MOST_BYTES: usize = 4 << 20;

/// What is known of a clip: its sidecar, as of any export, with its row of the list and its tracings. Written after the
/// clip: a clip is there when both are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    #[serde(flatten)]
    pub sidecar: Sidecar,
    pub name: String,
    /// Beats a minute, of a cascade that makes one beat.
    pub heart_rate: Option<f64>,
    pub row: Row,
    /// End-systole, then end-diastole, as EchoNet-Dynamic's loader takes the first for the small one and the last for the
    /// large one. Empty where the cascade draws no outline.
    pub tracings: Vec<Tracing>,
    /// By disks on the outline, in cubic pixels of the 112 x 112 frame: end-systole, end-diastole.
    pub volumes_cubic_pixels: Option<[f64; 2]>,
    pub video_sha256: String,
}

/// What is wrong with a clip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It has not been made, or not to its end.
    Missing,
    /// It was made, and is not what was made. With why.
    Damaged(String),
}

/// Where the files of a data set lie.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Makes the folders of clips and of records.
    ///
    /// # Errors
    /// When they cannot be made.
    pub fn make(&self) -> std::io::Result<()> {
        std::fs::create_dir_all(self.0.join("Videos"))?;
        std::fs::create_dir_all(self.0.join("Sidecars"))
    }

    /// Takes away what programs that were killed left half-written. For when no program writes into it any more.
    ///
    /// # Errors
    /// When it cannot be listed, or a file not be removed.
    pub fn tidy(&self) -> std::io::Result<()> {
        for folder in ["Videos", "Sidecars"] {
            for entry in std::fs::read_dir(self.0.join(folder))? {
                let entry = entry?;
                if entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
                    std::fs::remove_file(entry.path())?;
                }
            }
        }
        Ok(())
    }

    /// `Videos/NAME.avi`.
    pub fn video(&self, plan: &Plan, clip: &Clip) -> PathBuf {
        let name = format!("{}.{}", clip.name, plan.settings.container.extension());
        self.0.join("Videos").join(name)
    }

    /// Whether both files of a clip are there, whatever is in them.
    pub fn has(&self, plan: &Plan, clip: &Clip) -> bool {
        self.video(plan, clip).is_file() && self.record(plan, clip).is_file()
    }

    /// `Sidecars/NAME.avi.json`: beside no clip, so that `Videos` holds clips alone.
    pub fn record(&self, plan: &Plan, clip: &Clip) -> PathBuf {
        let name = format!("{}.{}.json", clip.name, plan.settings.container.extension());
        self.0.join("Sidecars").join(name)
    }
}

impl Record {
    /// Writes it, whole or not at all.
    ///
    /// # Errors
    /// When the disk is full or fails.
    pub fn write(&self, path: &Path) -> std::io::Result<()> {
        let text = serde_json::to_string_pretty(self).map_err(std::io::Error::other)?;
        write_atomically(path, text.as_bytes())
    }

    /// The record of a clip that is there as it was made.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn there(folder: &Folder, plan: &Plan, clip: &Clip) -> Result<Self, Fault> {
        let (video, path) = (folder.video(plan, clip), folder.record(plan, clip));
        if !folder.has(plan, clip) {
            return Err(Fault::Missing);
        }
        let damaged = |why: &str| Fault::Damaged(why.to_owned());
        let bytes = read_at_most(&path, MOST_BYTES).map_err(|e| Fault::Damaged(e.to_string()))?;
        let record = bytes.and_then(|bytes| Self::parse(&bytes));
        let record = record.ok_or_else(|| damaged("its sidecar cannot be read"))?;
        if record.name != clip.name || record.row.ef != clip.ef_percent {
            return Err(damaged("its sidecar is another clip's"));
        }
        let hash = sha256_file(&video, || false).map_err(|e| Fault::Damaged(e.to_string()))?;
        match hash.is_some_and(|hash| hash == record.video_sha256) {
            true => Ok(record),
            false => Err(damaged("its video is not the one that was made")),
        }
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let record: Self = serde_json::from_slice(bytes).ok()?;
        let mark = &record.sidecar.mark;
        (mark.program == "echoif" && mark.synthetic).then_some(record)
    }

    /// Opens the clip and looks whether it is what its row says.
    ///
    /// # Errors
    /// [`Fault::Damaged`].
    pub fn look(&self, video: &Path) -> Result<(), Fault> {
        let damaged = |why: String| Fault::Damaged(why);
        let opened = media::open(video).map_err(|_| damaged("it cannot be opened".into()))?;
        if opened.mark.is_none() {
            return Err(damaged("it is not marked as synthetic".into()));
        }
        let recording = &opened.recording;
        let found = (recording.frames(), recording.height(), recording.width());
        if found != (self.row.frames, SIDE, SIDE) || opened.cut_off {
            let (frames, height, width) = found;
            return Err(damaged(format!(
                "it has {frames} frames of {width} x {height}, not {} of {SIDE} x {SIDE}",
                self.row.frames
            )));
        }
        let rate = recording.rate.map_or(0.0, |rate| rate.fps());
        if (rate - self.row.fps).abs() > 0.01 {
            return Err(damaged(format!(
                "it has {rate:.2} frames a second, not {}",
                self.row.fps
            )));
        }
        match (0..recording.frames()).find(|&i| recording.frame(i).is_err()) {
            Some(i) => Err(damaged(format!("its frame {i} cannot be decoded"))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_record_is_none_or_of_a_synthetic_clip() {
        let mut record = Record {
            name: "ECHOIF_000001_01234567".into(),
            heart_rate: Some(61.5),
            volumes_cubic_pixels: Some([30_000.0, 60_000.0]),
            video_sha256: "ab".repeat(32),
            ..Record::default()
        };
        record.sidecar.mark.program = "echoif".into();
        record.sidecar.mark.synthetic = true;
        let own = serde_json::to_vec_pretty(&record).unwrap();
        assert_eq!(Record::parse(&own), Some(record));
        let mut read = 0;
        for changed in crate::damage::mutations(&own, 1000) {
            if let Some(record) = Record::parse(&changed) {
                read += 1;
                assert!(record.sidecar.mark.synthetic);
            }
        }
        assert!(read > 30, "{read}");
    }
}
