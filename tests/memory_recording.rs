//! A long clip opens at once and in little memory. A process of its own, because it
//! measures the peak.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)] // helpers of tests may stop a test

mod common;

use dicom_core::{DataElement, VR, dicom_value};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use echoif::engine::DeviceChoice;
use echoif::media;
use echoif::ui::{App, NoPicker, Options, Settings};
use egui_kittest::Harness;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

const FRAMES: u32 = 500;
const SECOND: u32 = 31;
const ROWS: u16 = 768;
const COLUMNS: u16 = 1024;

#[test]
fn five_hundred_frames_of_colour() {
    let folder = tempfile::tempdir().unwrap();
    let path = clip(folder.path(), FRAMES);

    common::reset_peak();
    let (_, before) = common::memory();
    let start = Instant::now();
    let opened = media::open(&path).unwrap();
    assert!(opened.recording.kept(0).is_some());
    let first = start.elapsed();
    assert_eq!(opened.recording.frames(), FRAMES as usize);
    for i in 0..FRAMES as usize {
        opened.recording.frame(i).unwrap();
    }
    let last = opened.recording.frame(FRAMES as usize - 1).unwrap();
    assert_eq!(last.rgb(3, 3), [77; 3]);
    let more = common::memory().0.saturating_sub(before);
    println!("first frame after {first:?}, {} MB at most", more >> 20);
    assert!(first < Duration::from_millis(500), "{first:?}");
    assert!(more < 300 << 20, "{} MB", more >> 20);
    drop(opened);
    // In turn with a clip of a second: what else the machine does, it does to both. Where all
    // frames were waited for, the long one would take sixteen times as long.
    let short = clip(folder.path(), SECOND);
    let times = [(); 4].map(|()| {
        (
            on_screen_after(&short, SECOND),
            on_screen_after(&path, FRAMES),
        )
    });
    println!("on screen, {SECOND} frames and {FRAMES}, after {times:?}");
    let second = times.iter().map(|t| t.0).min().unwrap();
    let long = times.iter().map(|t| t.1).min().unwrap();
    assert!(
        long < 2 * second && long < Duration::from_secs(5),
        "{times:?}"
    );
}

/// A clip in colour of so many frames. Its pixels, of the long one 1.2 GB, are nothing that the
/// file system stores: a hole, but for the last frame.
fn clip(folder: &Path, frames: u32) -> PathBuf {
    let path = folder.join(format!("clip of {frames}"));
    let mut object = InMemDicomObject::new_empty();
    let us = |v: u16| dicom_value!(U16, v);
    for (tag, vr, value) in [
        (tags::SAMPLES_PER_PIXEL, VR::US, us(3)),
        (tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "RGB".into()),
        (tags::PLANAR_CONFIGURATION, VR::US, us(0)),
        (tags::NUMBER_OF_FRAMES, VR::IS, frames.to_string().into()),
        (tags::FRAME_TIME, VR::DS, "20".into()),
        (tags::ROWS, VR::US, us(ROWS)),
        (tags::COLUMNS, VR::US, us(COLUMNS)),
        (tags::BITS_ALLOCATED, VR::US, us(8)),
        (tags::BITS_STORED, VR::US, us(8)),
        (tags::PIXEL_DATA, VR::OB, vec![0u8; 2].into()),
    ] {
        object.put(DataElement::new(tag, vr, value));
    }
    let meta = FileMetaTableBuilder::new()
        .transfer_syntax(uids::EXPLICIT_VR_LITTLE_ENDIAN)
        .media_storage_sop_class_uid(uids::ULTRASOUND_MULTI_FRAME_IMAGE_STORAGE)
        .media_storage_sop_instance_uid("2.25.1");
    object
        .with_meta(meta)
        .unwrap()
        .write_to_file(&path)
        .unwrap();
    let frame = 3 * u64::from(ROWS) * u64::from(COLUMNS);
    let mut file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    let begin = file.metadata().unwrap().len() - 2;
    file.seek(SeekFrom::Start(begin - 4)).unwrap();
    let length = u32::try_from(frame * u64::from(frames)).unwrap();
    file.write_all(&length.to_le_bytes()).unwrap();
    file.set_len(begin + u64::from(length)).unwrap();
    file.seek(SeekFrom::Start(begin + u64::from(length) - frame))
        .unwrap();
    file.write_all(&vec![77; frame as usize]).unwrap();
    path
}

/// From the drop of the file, of so many frames, on a window to the first in its pane that was decoded for it: not the
/// anatomy's, which came with the file.
fn on_screen_after(path: &Path, frames: u32) -> Duration {
    let mut window = Harness::builder()
        .with_size([1280.0, 800.0])
        .with_step_dt(1.0 / 60.0)
        .build_eframe(|cc| {
            let options = Options {
                file: None,
                device: DeviceChoice::Cpu,
                picker: Arc::new(NoPicker),
                study: None,
                paints_background: false,
                settings: Some(Settings {
                    welcomed: true,
                    ..Settings::default()
                }),
                ..Options::default()
            };
            App::new(cc, options).unwrap()
        });
    // The worker loads its weights meanwhile, as it does when the program starts.
    window.run_steps(2);
    let start = Instant::now();
    let dropped = Arc::new(Dropped(path.to_owned()));
    window.input_mut().dropped_files.push(dropped);
    window.step();
    window.input_mut().dropped_files.clear();
    let shown = |window: &Harness<'_, App>| {
        let source = window.state().explore().case.source.as_ref();
        source.is_some_and(|s| s.recording.frames() == frames as usize)
            && window.state().explore().case.frame_on_screen() != Some(0)
    };
    while !shown(&window) {
        assert!(start.elapsed() < Duration::from_secs(20), "it never opened");
        window.step();
        std::thread::sleep(Duration::from_millis(1));
    }
    start.elapsed()
}

#[derive(Debug)]
struct Dropped(PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }
    fn bytes(&self) -> Result<Vec<u8>, String> {
        std::fs::read(&self.0).map_err(|e| e.to_string())
    }
}
