//! A patient's clip in the window: read, turned, masked, measured, and nothing of the patient kept.

use crate::harness::{Kept, alone, press, step_until_seen as step_until};
use dicom_core::{DataElement, PrimitiveValue, Tag, VR, dicom_value};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use echoif::engine::DeviceChoice;
use echoif::media;
use echoif::ui::{App, Measuring, Options, Picker, Purpose, Settings};
use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// Invented, and nowhere else in the program's texts.
const IDENTIFIERS: [(Tag, VR, &str); 9] = [
    (tags::PATIENT_NAME, VR::PN, "ZZYZXOVA^QUENTINA"),
    (tags::PATIENT_ID, VR::LO, "MRN-8675309-Q"),
    (tags::PATIENT_BIRTH_DATE, VR::DA, "19231117"),
    (tags::INSTITUTION_NAME, VR::LO, "Saint Elsewhere"),
    (tags::REFERRING_PHYSICIAN_NAME, VR::PN, "MOREAU^DOC"),
    (tags::ACCESSION_NUMBER, VR::SH, "ACC77712345"),
    (tags::STUDY_DATE, VR::DA, "20991231"),
    (tags::STATION_NAME, VR::SH, "ECHOCART09"),
    (tags::STUDY_INSTANCE_UID, VR::UI, "2.25.424242424242424242"),
];

/// What must not be found, beside the values above.
const NAMES: [&str; 4] = ["ZZYZXOVA", "QUENTINA", "MOREAU", "secret_ward"];

/// A beating heart of 224 x 224 on a screen of 400 x 300, with a name burned in at the left.
pub fn write_clip(path: &Path, rate: Option<&str>) {
    write_clip_from(path, rate, 0);
}

/// The same, beginning with this frame of the beat.
pub fn write_clip_from(path: &Path, rate: Option<&str>, first: usize) {
    let gif = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/a4c_2.gif");
    let heart = media::open(&gif).unwrap().recording.to_clip().unwrap();
    let mut pixels = Vec::new();
    let beat = heart.frames.iter().cycle().skip(first);
    for frame in beat.take(2 * heart.frames.len()) {
        for y in 0..300 {
            for x in 0..400 {
                let inside = (120..344).contains(&x) && (40..264).contains(&y);
                let burned = (10..90).contains(&x) && (8..16).contains(&y) && (x / 3 + y) % 2 == 0;
                pixels.push(match (inside, burned) {
                    (true, _) => frame.rgb((x - 120) / 2, (y - 40) / 2)[0],
                    (_, true) => 255,
                    _ => 0,
                });
            }
        }
    }
    let frames = 2 * heart.frames.len();
    let us = |v: u16| dicom_value!(U16, v);
    let mut object = InMemDicomObject::new_empty();
    let mut elements: Vec<(Tag, VR, PrimitiveValue)> = vec![
        (tags::SAMPLES_PER_PIXEL, VR::US, us(1)),
        (
            tags::PHOTOMETRIC_INTERPRETATION,
            VR::CS,
            "MONOCHROME2".into(),
        ),
        (tags::NUMBER_OF_FRAMES, VR::IS, frames.to_string().into()),
        (tags::ROWS, VR::US, us(300)),
        (tags::COLUMNS, VR::US, us(400)),
        (tags::BITS_ALLOCATED, VR::US, us(8)),
        (tags::BITS_STORED, VR::US, us(8)),
        (tags::HEART_RATE, VR::IS, "72".into()),
        (tags::PIXEL_DATA, VR::OB, pixels.into()),
    ];
    elements.extend(IDENTIFIERS.map(|(tag, vr, text)| (tag, vr, text.into())));
    elements.extend(rate.map(|r| (tags::FRAME_TIME, VR::DS, r.into())));
    for (tag, vr, value) in elements {
        object.put(DataElement::new(tag, vr, value));
    }
    let meta = FileMetaTableBuilder::new()
        .transfer_syntax(uids::EXPLICIT_VR_LITTLE_ENDIAN)
        .media_storage_sop_class_uid(uids::ULTRASOUND_MULTI_FRAME_IMAGE_STORAGE)
        .media_storage_sop_instance_uid("2.25.424242424242424243");
    object.with_meta(meta).unwrap().write_to_file(path).unwrap();
}

/// The identifier that is in there, as UTF-8 or UTF-16, in any case.
fn found_in(bytes: &[u8]) -> Option<&'static str> {
    let text = String::from_utf8_lossy(bytes).to_lowercase();
    let thin: Vec<u8> = bytes.iter().copied().filter(|&b| b != 0).collect();
    let thin = String::from_utf8_lossy(&thin).to_lowercase();
    let values = IDENTIFIERS.iter().map(|(_, _, text)| *text);
    values.chain(NAMES).find(|name| {
        let name = name.to_lowercase();
        text.contains(&name) || thin.contains(&name)
    })
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            files.extend(files_below(&entry.path()));
        } else {
            files.push(entry.path());
        }
    }
    files
}

pub fn window(file: &Path) -> Harness<'static, App> {
    let opened = Some(file.to_owned());
    Harness::builder()
        .with_size([1280.0, 1400.0])
        .with_step_dt(1.0 / 60.0)
        .build_eframe(|cc| {
            let options = Options {
                file: opened,
                device: DeviceChoice::Cpu,
                picker: Arc::new(Beside(file.to_owned())),
                study: None,
                paints_background: false,
                settings: Some(Settings {
                    welcomed: true,
                    ..Settings::default()
                }),
                ..Options::default()
            };
            App::new(cc, options).expect("the worker starts")
        })
}

/// Exports go beside the file that is open.
struct Beside(PathBuf);

impl Picker for Beside {
    fn pick(&self, purpose: Purpose) -> Option<PathBuf> {
        matches!(purpose, Purpose::Export(..)).then(|| self.0.with_file_name("out").join("cine"))
    }
}

pub fn settled(w: &Harness<'_, App>) -> bool {
    let e = w.state().explore();
    e.made.running.is_none()
        && e.made.factual.is_some()
        && e.made.counterfactual.is_some()
        && !e.case.measuring.is_going_on()
}

#[test]
fn a_patients_clip_is_measured_masked_turned_and_not_kept() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let ward = folder.path().join("secret_ward");
    std::fs::create_dir_all(ward.join("out")).unwrap();
    let path = ward.join("ZZYZXOVA_QUENTINA.dcm");
    write_clip(&path, None);
    let mut window = window(&path);
    step_until(&mut window, "cine", settled);

    // The sector was found; the burned-in name is outside of its square.
    let source = window.state().explore().case.source.as_ref().unwrap();
    let square = source.crop.square;
    assert!(
        square.x.abs_diff(120) < 20 && square.side.abs_diff(224) < 20,
        "{square:?}"
    );
    let anatomy = source.anatomy.clone();
    assert_eq!(window.state().explore().view.heart_rate, 72.0);

    // The file says no rate: it is asked for, and then the clip is measured.
    assert!(matches!(
        window.state().explore().case.measuring,
        Measuring::Nothing
    ));
    window.get_by_label_contains("How many frames a second?");
    window.get_by_label("30").click();
    step_until(&mut window, "measurement", |w| {
        matches!(w.state().explore().case.measuring, Measuring::Measured(_)) && settled(w)
    });
    let e = window.state().explore();
    let Measuring::Measured(m) = &e.case.measuring else {
        panic!("it was measured");
    };
    assert_eq!(
        e.case.factual_ef,
        m.measured_ef_percent.clamp(10.0, 85.0).round()
    );
    let made = &e.made.factual.as_ref().unwrap().result.provenance;
    assert_eq!(made.requested_ef_percent, e.case.factual_ef);
    // Its line in the list knows its picture, if that is kept.
    assert_eq!(
        e.kept.settings.recent[0].anatomy_sha256,
        made.anatomy_sha256
    );
    assert!(made.looks_like_four_chamber);
    window.get_by_label_contains("Not a diagnosis.");

    // One key mirrors it, and back; a mask over the upper left corner changes the anatomy.
    for expected in [false, true] {
        window.key_press(egui::Key::F);
        window.run_steps(2);
        let source = window.state().explore().case.source.as_ref().unwrap();
        assert_eq!(source.anatomy.sha256 == anatomy.sha256, expected);
    }
    window.get_by_label("Draw a mask").click();
    window.run_steps(3);
    let image = window
        .get_by_role_and_label(egui::accesskit::Role::Image, "Source frame")
        .rect();
    let middle = image.center();
    window.drag_at(middle);
    window.step();
    for k in 1..8 {
        window.hover_at(middle + egui::vec2(k as f32 * 4.0, k as f32 * 3.0));
        window.step();
    }
    window.drop_at(middle + egui::vec2(28.0, 21.0));
    window.run_steps(3);
    window.get_by_label("1 masked");
    let masked = window.state().explore().case.source.as_ref().unwrap();
    assert_eq!(masked.crop.masks.len(), 1);
    assert_ne!(masked.anatomy.sha256, anatomy.sha256);
    // No picture of what the mask now covers stays in the history.
    let past = &window.state().explore().kept.history;
    let mut of_before = past
        .iter()
        .filter(|p| p.kept.provenance.anatomy_sha256 == anatomy.sha256)
        .peekable();
    assert!(of_before.peek().is_some(), "there were runs of it");
    assert!(of_before.all(|p| p.anatomy.is_none() && p.kept.anatomy_png.is_none()));
    window.get_by_label("Unmask last").click();
    window.run_steps(2);
    let source = window.state().explore().case.source.as_ref().unwrap();
    assert_eq!(source.anatomy.sha256, anatomy.sha256);
    step_until(&mut window, "cine", settled);

    // What is kept: settings, with the file as a hash and a date.
    let mut kept = Kept::default();
    eframe::App::save(window.state_mut(), &mut kept);
    let text = format!("{:?}", kept.0);
    assert!(text.contains("recent") && text.contains("DICOM"), "{text}");
    assert_eq!(found_in(text.as_bytes()), None, "{text}");
    let hash = &window.state().explore().kept.settings.recent[0].hash;
    assert_eq!(hash.len(), 8);
    // And the window's title never changes from the program's name.
    for output in window.output().viewport_output.values() {
        let titles = output.commands.iter();
        let titles = titles.filter(|c| matches!(c, egui::ViewportCommand::Title(_)));
        assert_eq!(titles.count(), 0);
    }
    // What is exported, and what lies beside it.
    window.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::S);
    window.run_steps(4);
    window.get_by_label("Save...").click();
    step_until(&mut window, "export", |w| {
        w.query_by_label_contains("Exported: ").is_some()
    });
    let exported = files_below(&ward.join("out"));
    assert_eq!(exported.len(), 2, "{exported:?}");
    for file in exported {
        let bytes = std::fs::read(&file).unwrap();
        assert_eq!(found_in(&bytes), None, "{}", file.display());
    }
    // Off means off.
    window.get_by_label("List recent files").click();
    window.run_steps(2);
    assert!(window.state().explore().kept.settings.recent.is_empty());
}

#[test]
fn commands_write_and_say_nothing_of_the_patient() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let ward = folder.path().join("secret_ward");
    let (home, out) = (folder.path().join("home"), folder.path().join("out"));
    for f in [&ward, &home, &out] {
        std::fs::create_dir(f).unwrap();
    }
    let path = ward.join("ZZYZXOVA_QUENTINA.dcm");
    write_clip(&path, Some("33.3"));
    let echoif = |arguments: &[&str]| {
        let done = Command::new(env!("CARGO_BIN_EXE_echoif"))
            .args(arguments)
            .env("HOME", &home)
            .env("XDG_DATA_HOME", home.join("data"))
            .env("XDG_CONFIG_HOME", home.join("config"))
            .output()
            .unwrap();
        let text = [done.stdout, done.stderr].concat();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&text));
        assert_eq!(found_in(&text), None, "{}", String::from_utf8_lossy(&text));
    };
    let (patient, gif) = (path.to_str().unwrap(), out.join("ef30.gif"));
    echoif(&["open", patient, "--json"]);
    echoif(&["measure", patient, "--json"]);
    let made = [
        "generate", "--frame", patient, "--ef", "30", "--preset", "preview",
    ];
    let more = ["--device", "cpu", "--json", "--out", gif.to_str().unwrap()];
    echoif(&[made.as_slice(), &more].concat());
    let written: Vec<PathBuf> = [files_below(&home), files_below(&out)].concat();
    assert!(written.contains(&gif));
    for file in written {
        let bytes = std::fs::read(&file).unwrap();
        assert_eq!(found_in(&bytes), None, "{}", file.display());
    }
}

#[test]
fn a_wards_export_is_a_grid_and_a_click_opens_one() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    for name in ["I10", "I20"] {
        write_clip(&folder.path().join(name), Some("33.3"));
    }
    let heart = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/a4c_1.png");
    std::fs::copy(heart, folder.path().join("I30")).unwrap();
    std::fs::write(folder.path().join("README"), "no picture").unwrap();
    let mut window = window(folder.path());
    step_until(&mut window, "grid", |w| {
        w.query_by_label_contains("3 recordings, 1 file without")
            .is_some()
    });
    let clip = "Recording 1: DICOM, 32 frames, 30 a second, 400 x 300";
    window.get_by_label("Recording 3: Still, 112 x 112");
    // Both clips, by the keyboard; then the second is opened.
    press(&mut window, Modifiers::NONE, Key::Space);
    press(&mut window, Modifiers::NONE, Key::ArrowRight);
    press(&mut window, Modifiers::NONE, Key::Space);
    window.get_by_label("of 2 chosen").click();
    step_until(&mut window, "batch", |w| {
        w.query_by_label_contains("EF 30 % was made of 2 of 2 recordings")
            .is_some()
    });
    press(&mut window, Modifiers::NONE, Key::Enter);
    let opened = |w: &Harness<'_, App>, frames: usize| {
        let source = w.state().explore().case.source.as_ref();
        source.is_some_and(|s| s.recording.frames() == frames) && settled(w)
    };
    step_until(&mut window, "clip", |w| opened(w, 32));
    assert!(window.query_by_label(clip).is_none());
    assert!(window.query_by_label_contains("I10").is_none());
    window.get_by_label("2 of 3");

    // What is asked for stays; the next one, and there is none behind it.
    press(&mut window, Modifiers::SHIFT, Key::ArrowRight);
    let asked = window.state().explore().wanted.requested;
    press(&mut window, Modifiers::NONE, Key::PageDown);
    step_until(&mut window, "still", |w| opened(w, 1));
    assert_eq!(window.state().explore().wanted.requested, asked);
    press(&mut window, Modifiers::NONE, Key::PageDown);
    window.get_by_label("3 of 3");
    window
        .get_by_label("Previous recording of the folder")
        .click();
    step_until(&mut window, "clip", |w| opened(w, 32));
    // The grid is where it was; Escape goes back to the clip, which is still open.
    press(&mut window, Modifiers::NONE, Key::Backspace);
    window.get_by_label(clip);
    press(&mut window, Modifiers::NONE, Key::Escape);
    assert!(window.query_by_label(clip).is_none());
    window.get_by_label("2 of 3");
    // Another file is not of the folder.
    press(&mut window, Modifiers::COMMAND, Key::H);
    step_until(&mut window, "heart", settled);
    assert!(window.query_by_label("2 of 3").is_none());
}
