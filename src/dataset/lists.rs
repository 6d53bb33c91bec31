//! The lists of a whole data set, as EchoNet-Dynamic's, and a report.

use super::{DatasetError, Folder, Record, Tracing};
use crate::files::write_atomically;
use serde::{Deserialize, Serialize};

/// A row of `FileList.csv`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Without ending where the clip is an AVI: EchoNet-Dynamic's loader adds `.avi` and drops names that have one.
    #[serde(rename = "FileName")]
    pub name: String,
    /// Requested, in percent.
    #[serde(rename = "EF")]
    pub ef: f64,
    /// In ml; empty, as nobody knows how large a pixel is.
    #[serde(rename = "ESV")]
    pub esv: Option<f64>,
    #[serde(rename = "EDV")]
    pub edv: Option<f64>,
    #[serde(rename = "FrameHeight")]
    pub height: usize,
    #[serde(rename = "FrameWidth")]
    pub width: usize,
    #[serde(rename = "FPS")]
    pub fps: f64,
    #[serde(rename = "NumberOfFrames")]
    pub frames: usize,
    #[serde(rename = "Split")]
    pub split: String,
}

/// A row of `report.csv`.
#[derive(Serialize)]
struct Report<'a> {
    name: &'a str,
    requested_ef_percent: f64,
    measured_ef_percent: f64,
    outline_ef_percent: Option<f64>,
    end_systolic_volume_cubic_pixels: Option<f64>,
    end_diastolic_volume_cubic_pixels: Option<f64>,
    heart_rate: Option<f64>,
    seed: u64,
}

/// Writes `VolumeTracings.csv`, `report.csv` and, last, `FileList.csv`, in the order of the records. Returns how many
/// clips have no outline.
///
/// # Errors
/// When they cannot be written.
pub fn write_lists(folder: &Folder, records: &[Record]) -> Result<usize, DatasetError> {
    let mut tracings = writer();
    tracings
        .write_record(["FileName", "X1", "Y1", "X2", "Y2", "Frame"])
        .map_err(|e| failed(folder, TRACINGS, e))?;
    for record in records {
        // The loader looks for its names, which end in .avi.
        let name = match record.row.name.contains('.') {
            true => record.row.name.clone(),
            false => format!("{}.avi", record.row.name),
        };
        let placeholders = [0, record.row.frames.saturating_sub(1)].map(Tracing::placeholder);
        let traced = match record.tracings.is_empty() {
            true => placeholders.as_slice(),
            false => &record.tracings,
        };
        for tracing in traced {
            for [x1, y1, x2, y2] in &tracing.lines {
                tracings
                    .serialize((&name, x1, y1, x2, y2, tracing.frame))
                    .map_err(|e| failed(folder, TRACINGS, e))?;
            }
        }
    }
    put(folder, TRACINGS, tracings)?;
    let mut report = writer();
    for record in records {
        let p = &record.sidecar.mark.provenance;
        let volumes = record.volumes_cubic_pixels;
        report
            .serialize(Report {
                name: &record.name,
                requested_ef_percent: p.requested_ef_percent,
                measured_ef_percent: p.measured_ef_percent,
                outline_ef_percent: p.outline_ef_percent,
                end_systolic_volume_cubic_pixels: volumes.map(|v| v[0]),
                end_diastolic_volume_cubic_pixels: volumes.map(|v| v[1]),
                heart_rate: record.heart_rate,
                seed: p.seed,
            })
            .map_err(|e| failed(folder, REPORT, e))?;
    }
    put(folder, REPORT, report)?;
    let mut list = writer();
    for record in records {
        list.serialize(&record.row)
            .map_err(|e| failed(folder, LIST, e))?;
    }
    put(folder, LIST, list)?;
    Ok(records.iter().filter(|r| r.tracings.is_empty()).count())
}

const TRACINGS: &str = "VolumeTracings.csv";
const REPORT: &str = "report.csv";
const LIST: &str = "FileList.csv";

type Table = csv::Writer<Vec<u8>>;

fn writer() -> Table {
    csv::Writer::from_writer(Vec::new())
}

fn failed(folder: &Folder, name: &str, why: impl std::fmt::Display) -> DatasetError {
    DatasetError::Write {
        path: folder.path().join(name),
        why: why.to_string(),
    }
}

fn put(folder: &Folder, name: &str, table: Table) -> Result<(), DatasetError> {
    let bytes = table.into_inner().map_err(|e| failed(folder, name, e))?;
    write_atomically(&folder.path().join(name), &bytes).map_err(|e| failed(folder, name, e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_have_the_published_columns() {
        let folder = tempfile::tempdir().unwrap();
        let record = |name: &str, tracings: Vec<Tracing>| Record {
            name: name.into(),
            row: Row {
                name: name.into(),
                ef: 35.0,
                height: 112,
                width: 112,
                fps: 32.0,
                frames: 64,
                split: "TRAIN".into(),
                ..Row::default()
            },
            tracings,
            ..Record::default()
        };
        let traced = [20, 4].map(|frame| Tracing {
            frame,
            lines: vec![[1.5, 2.0, 3.0, 4.25]; 21],
        });
        let records = [record("A", traced.to_vec()), record("B", Vec::new())];
        let without = write_lists(&Folder::new(folder.path()), &records).unwrap();
        assert_eq!(without, 1);
        let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(
            read("FileList.csv"),
            "FileName,EF,ESV,EDV,FrameHeight,FrameWidth,FPS,NumberOfFrames,Split\n\
             A,35.0,,,112,112,32.0,64,TRAIN\nB,35.0,,,112,112,32.0,64,TRAIN\n"
        );
        let tracings = read("VolumeTracings.csv");
        let lines: Vec<&str> = tracings.lines().collect();
        assert_eq!(lines.len(), 1 + 4 * 21);
        assert_eq!(lines[0], "FileName,X1,Y1,X2,Y2,Frame");
        assert_eq!(lines[1], "A.avi,1.5,2.0,3.0,4.25,20");
        assert_eq!(lines[22], "A.avi,1.5,2.0,3.0,4.25,4");
        assert_eq!(lines[84], "B.avi,0.0,0.0,0.0,0.0,63");
        assert!(read("report.csv").starts_with("name,requested_ef_percent,measured_ef_percent,"));
    }
}
