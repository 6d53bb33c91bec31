//! Exported cines: each format comes back as it was, marked, with its words.

use dicom_core::{Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{InMemDicomObject, open_file};
use echoif::clip::{Clip, FrameRate, Pixels, Video};
use echoif::edm::Preset;
use echoif::media::export::{self, Cine, Format, Sidecar, sidecar_of};
use echoif::media::region::{Anatomy, Crop, Square};
use echoif::media::{self, mark::Mark};
use echoif::provenance::{Candidate, Part, Provenance, SCHEMA};
use std::path::Path;

const SIDE: usize = 112;

/// A simulated heart's beat, as the networks give it.
fn beat() -> (Video, Anatomy) {
    let gif = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/a4c_1.gif");
    let clip = media::open(&gif).unwrap().recording.to_clip().unwrap();
    let crop = Crop::from(Square::centred(SIDE, SIDE));
    let anatomy = Anatomy::from_frame(&clip.frames[0], &crop).unwrap();
    let levels = |f: &echoif::clip::Frame| -> Vec<f32> {
        (0..SIDE * SIDE)
            .map(|i| f32::from(f.rgb(i % SIDE, i / SIDE)[0]) / 255.0)
            .collect()
    };
    let video = Video {
        channels: 1,
        frames: clip.frames.len(),
        height: SIDE,
        width: SIDE,
        data: clip.frames.iter().flat_map(levels).collect(),
    };
    (video, anatomy)
}

fn provenance(anatomy: &Anatomy) -> Provenance {
    Provenance {
        schema: SCHEMA,
        stages: Vec::new(),
        requested_ef_percent: 30.0,
        conditioning_ef_percent: None,
        measured_ef_percent: 33.25,
        outline_ef_percent: None,
        volumes: None,
        ed_frame: None,
        es_frame: None,
        leaflets: None,
        outline: None,
        regressor: "a regressor".into(),
        regressor_sha256: "ab".repeat(32),
        seed: 7,
        preset: Preset::Balanced,
        guidance: vec![3.0, 1.0],
        guidance_asked: None,
        // Every mark is ASCII, whatever the name.
        cascade: "Kaskade <&> \u{e4}\u{1f600}".into(),
        cascade_sha256: "cd".repeat(32),
        device: "CPU".into(),
        evaluations: 20,
        seconds: 1.5,
        best_of: 2,
        candidates: vec![Candidate {
            seed: 7,
            measured_ef_percent: 33.25,
        }],
        anatomy_sha256: anatomy.sha256.clone(),
        pixels_sha256: "ef".repeat(32),
        looks_like_four_chamber: true,
        echoif_version: "0.1.0".into(),
    }
}

/// A file in each format that this build writes, with its sidecar; what went in.
fn written(folder: &Path) -> (Vec<(Format, std::path::PathBuf)>, Clip, Anatomy) {
    let (video, anatomy) = beat();
    let provenance = provenance(&anatomy);
    let cine = Cine {
        part: Part::Counterfactual,
        video: &video,
        rate: FrameRate::new(12.5).unwrap(),
        beat_normalised: true,
        provenance: &provenance,
        factual: None,
        anatomy: Some(&anatomy),
    };
    let files = Format::ALL
        .into_iter()
        .filter(|f| f.is_built())
        .map(|format| {
            let name = match format.extension() {
                "" => "frames".to_owned(),
                extension => format!("cine.{extension}"),
            };
            let path = folder.join(name);
            assert_eq!(export::write(&cine, &path).unwrap(), sidecar_of(&path));
            (format, path)
        });
    let files = files.collect();
    (files, video.to_clip(FrameRate::new(12.5), true), anatomy)
}

/// Corner words that were blackened again, and a pixel around them that a lossy coding touches.
fn is_corner(x: usize, y: usize) -> bool {
    y < 9 && !(40..=84).contains(&x)
}

#[test]
fn every_format_comes_back_marked_and_alike() {
    let folder = tempfile::tempdir().unwrap();
    let (files, clip, anatomy) = written(folder.path());
    for (format, path) in files {
        let opened = media::open(&path).unwrap();
        let mark = opened
            .mark
            .as_ref()
            .unwrap_or_else(|| panic!("{format:?} has no mark"));
        assert!(mark.synthetic && mark.digital_source_type == "trainedAlgorithmicMedia");
        assert_eq!(mark.part, Some(Part::Counterfactual));
        assert_eq!(mark.provenance.cascade, "Kaskade <&> \u{e4}\u{1f600}");
        let sidecar = Sidecar::read(&sidecar_of(&path)).unwrap();
        assert_eq!(sidecar.mark, *mark, "{format:?}");
        assert_eq!(sidecar.anatomy().unwrap(), anatomy);
        assert!(sidecar.statement.starts_with("Synthetic."));

        let recording = &opened.recording;
        assert_eq!((recording.width(), recording.height()), (SIDE, SIDE));
        assert!(recording.beat_normalised);
        assert_eq!(recording.rate, FrameRate::new(12.5), "{format:?}");
        let back = recording.to_clip().unwrap();
        assert_eq!(back.frames.len(), clip.frames.len());
        let lossy = matches!(format, Format::Avi | Format::Mp4);
        let (mut worst, mut sum) = (0, 0.0);
        for (a, b) in back.frames.iter().zip(&clip.frames) {
            for i in (0..SIDE * SIDE).filter(|i| !is_corner(i % SIDE, i / SIDE)) {
                let (x, y) = (i % SIDE, i / SIDE);
                let off = a.rgb(x, y)[0].abs_diff(b.rgb(x, y)[0]);
                worst = worst.max(off);
                sum += f64::from(off);
            }
        }
        let mean = sum / (back.frames.len() * SIDE * SIDE) as f64;
        println!("{format:?}: at most {worst} of 255, mean {mean:.3}");
        assert!(worst <= if lossy { 24 } else { 0 }, "{format:?}: {worst}");
        assert!(mean < 1.0, "{format:?}: {mean}");
    }
}

/// What a viewer sees who knows nothing of marks: words below, and in the upper corners.
#[test]
fn no_picture_is_without_its_words() {
    let folder = tempfile::tempdir().unwrap();
    let (files, clip, _) = written(folder.path());
    let (_, gif) = files.iter().find(|(f, _)| *f == Format::Gif).unwrap();
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::RGBA);
    let mut decoder = options
        .read_info(std::fs::File::open(gif).unwrap())
        .unwrap();
    let (w, h) = (usize::from(decoder.width()), usize::from(decoder.height()));
    let mark = media::open(gif).unwrap().mark.unwrap();
    let [x, y, pw, ph] = mark.picture;
    assert_eq!((y, pw, ph), (0, SIDE, SIDE));
    assert!(h > SIDE + 30 && mark.words.len() == 2);
    let mut frames = 0;
    while let Some(frame) = decoder.read_next_frame().unwrap() {
        let white = |left: usize, top: usize, w_: usize, h_: usize| {
            let at = |r: usize, c: usize| frame.buffer[4 * (r * w + c)] == 255;
            (top..top + h_).any(|r| (left..left + w_).any(|c| at(r, c)))
        };
        assert!(white(0, SIDE, w, h - SIDE), "the strip");
        for [wx, wy, ww, wh] in &mark.words {
            assert!(white(x + wx, *wy, *ww, *wh), "a corner");
            // Cutting the corner words off takes the sector's tip: rows of the picture's top.
            assert!(wy + wh < 10);
        }
        frames += 1;
    }
    assert_eq!(frames, clip.frames.len());
    // The corners were black, so that the words hide nothing of the sector.
    for frame in &clip.frames {
        for [wx, wy, ww, wh] in &mark.words {
            let most = (*wy..wy + wh)
                .flat_map(|r| (*wx..wx + ww).map(move |c| (c, r)))
                .map(|(c, r)| frame.rgb(c, r)[0])
                .max();
            assert!(most.unwrap() < 60, "{most:?}");
        }
    }
}

/// Types of PS3.3 for the modules of A.8.3 (Multi-frame Grayscale Byte SC): 1 has a value, 2 is
/// there.
const MANDATORY: &[(Tag, VR, u8)] = &[
    (tags::SOP_CLASS_UID, VR::UI, 1),
    (tags::SOP_INSTANCE_UID, VR::UI, 1),
    (tags::SYNTHETIC_DATA, VR::CS, 1),
    (tags::PATIENT_NAME, VR::PN, 2),
    (tags::PATIENT_ID, VR::LO, 2),
    (tags::PATIENT_BIRTH_DATE, VR::DA, 2),
    (tags::PATIENT_SEX, VR::CS, 2),
    (tags::STUDY_INSTANCE_UID, VR::UI, 1),
    (tags::STUDY_DATE, VR::DA, 2),
    (tags::STUDY_TIME, VR::TM, 2),
    (tags::REFERRING_PHYSICIAN_NAME, VR::PN, 2),
    (tags::STUDY_ID, VR::SH, 2),
    (tags::ACCESSION_NUMBER, VR::SH, 2),
    (tags::MODALITY, VR::CS, 1),
    (tags::SERIES_INSTANCE_UID, VR::UI, 1),
    (tags::SERIES_NUMBER, VR::IS, 2),
    (tags::BODY_PART_EXAMINED, VR::CS, 1),
    (tags::CONVERSION_TYPE, VR::CS, 1),
    (tags::INSTANCE_NUMBER, VR::IS, 2),
    (tags::PATIENT_ORIENTATION, VR::CS, 2),
    (tags::IMAGE_TYPE, VR::CS, 1),
    (tags::NUMBER_OF_FRAMES, VR::IS, 1),
    (tags::FRAME_INCREMENT_POINTER, VR::AT, 1),
    (tags::FRAME_TIME, VR::DS, 1),
    (tags::BURNED_IN_ANNOTATION, VR::CS, 1),
    (tags::PRESENTATION_LUT_SHAPE, VR::CS, 1),
    (tags::RESCALE_INTERCEPT, VR::DS, 1),
    (tags::RESCALE_SLOPE, VR::DS, 1),
    (tags::RESCALE_TYPE, VR::LO, 1),
    (tags::SAMPLES_PER_PIXEL, VR::US, 1),
    (tags::PHOTOMETRIC_INTERPRETATION, VR::CS, 1),
    (tags::ROWS, VR::US, 1),
    (tags::COLUMNS, VR::US, 1),
    (tags::BITS_ALLOCATED, VR::US, 1),
    (tags::BITS_STORED, VR::US, 1),
    (tags::HIGH_BIT, VR::US, 1),
    (tags::PIXEL_REPRESENTATION, VR::US, 1),
    (tags::PIXEL_DATA, VR::OB, 1),
];

#[test]
fn dicom_has_every_attribute_and_says_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let (files, clip, _) = written(folder.path());
    let (_, path) = files.iter().find(|(f, _)| *f == Format::Dicom).unwrap();
    let object = open_file(path).unwrap();
    assert_eq!(
        object.meta().transfer_syntax(),
        uids::EXPLICIT_VR_LITTLE_ENDIAN
    );
    for &(tag, vr, kind) in MANDATORY {
        let element = object.element(tag).unwrap_or_else(|_| panic!("no {tag}"));
        assert_eq!(element.vr(), vr, "{tag}");
        assert!(
            kind == 2 || !element.to_str().unwrap().trim().is_empty(),
            "{tag}"
        );
    }
    let text = |o: &InMemDicomObject, tag| {
        o.element(tag)
            .unwrap()
            .to_str()
            .unwrap()
            .trim_end_matches([' ', '\0'])
            .to_owned()
    };
    let of = |tag| text(&object, tag);
    assert_eq!(of(tags::SOP_CLASS_UID), "1.2.840.10008.5.1.4.1.1.7.2");
    assert_eq!(
        of(tags::SOP_INSTANCE_UID),
        object.meta().media_storage_sop_instance_uid()
    );
    assert_eq!(of(tags::SYNTHETIC_DATA), "YES");
    assert_eq!(of(tags::IMAGE_TYPE), "DERIVED\\SECONDARY");
    assert_eq!(of(tags::PATIENT_NAME), "SYNTHETIC^COUNTERFACTUAL");
    assert_eq!(of(tags::BURNED_IN_ANNOTATION), "YES");
    assert_eq!(of(tags::FRAME_TIME), "80");
    let derivation = of(tags::DERIVATION_DESCRIPTION);
    for part in [
        "cd".repeat(32).as_str(),
        "seed 7",
        "Requested EF 30 %",
        "measured EF 33.2 %",
    ] {
        assert!(derivation.contains(part), "{derivation}");
    }
    assert!(object.element(tags::PIXEL_SPACING).is_err());
    assert!(
        object
            .element(tags::SEQUENCE_OF_ULTRASOUND_REGIONS)
            .is_err()
    );
    let equipment = object
        .element(tags::CONTRIBUTING_EQUIPMENT_SEQUENCE)
        .unwrap();
    let equipment = &equipment.items().unwrap()[0];
    assert_eq!(text(equipment, tags::MANUFACTURER), "EchoIf");
    let purpose = equipment
        .element(tags::PURPOSE_OF_REFERENCE_CODE_SEQUENCE)
        .unwrap();
    let purpose = &purpose.items().unwrap()[0];
    assert_eq!(text(purpose, tags::CODE_VALUE), "109100");
    assert_eq!(text(purpose, tags::CODE_MEANING), "Synthesizing Equipment");
    let size = |tag| object.element(tag).unwrap().to_int::<usize>().unwrap();
    let pixels = object
        .element(tags::PIXEL_DATA)
        .unwrap()
        .to_bytes()
        .unwrap()
        .len();
    let expected = size(tags::ROWS) * size(tags::COLUMNS) * clip.frames.len();
    assert_eq!(pixels, expected + expected % 2);
    // UIDs are new each time.
    let again = folder.path().join("again");
    std::fs::create_dir(&again).unwrap();
    let (files, ..) = written(&again);
    let (_, path) = files.iter().find(|(f, _)| *f == Format::Dicom).unwrap();
    let another = open_file(path).unwrap();
    for tag in [
        tags::SOP_INSTANCE_UID,
        tags::STUDY_INSTANCE_UID,
        tags::SERIES_INSTANCE_UID,
    ] {
        assert_ne!(text(&another, tag), of(tag));
    }
}

#[test]
fn names_that_cannot_be_written_get_a_sentence() {
    let (video, anatomy) = beat();
    let provenance = provenance(&anatomy);
    let cine = Cine {
        part: Part::Factual,
        video: &video,
        rate: FrameRate::new(16.0).unwrap(),
        beat_normalised: true,
        provenance: &provenance,
        factual: None,
        anatomy: None,
    };
    let folder = tempfile::tempdir().unwrap();
    let said = |name: &str| {
        export::write(&cine, &folder.path().join(name))
            .unwrap_err()
            .to_string()
    };
    assert!(said("cine.tiff").contains(".gif"));
    if !cfg!(feature = "mp4") {
        assert!(said("cine.mp4").contains(".avi"));
    }
    assert!(said("nowhere/cine.gif").contains("Choose another folder"));
    std::fs::create_dir(folder.path().join("full")).unwrap();
    std::fs::write(folder.path().join("full/thing"), "kept").unwrap();
    assert!(said("full").contains("not empty"));
    // The same is said before a run.
    for name in ["full", "nowhere/cine.gif", "cine.tiff"] {
        assert!(export::check(&folder.path().join(name)).is_err(), "{name}");
    }
    export::check(&folder.path().join("new")).unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    // Left out is left out.
    let path = folder.path().join("cine.gif");
    export::write(&cine, &path).unwrap();
    assert!(
        Sidecar::read(&sidecar_of(&path))
            .unwrap()
            .anatomy()
            .is_none()
    );
}

#[test]
fn what_is_no_mark_is_none() {
    let (video, anatomy) = beat();
    let rate = FrameRate::new(16.0).unwrap();
    let p = provenance(&anatomy);
    let mark = Mark::new([3, 0, 112, 112], vec![], true, rate, Part::Factual, p);
    assert_eq!(Mark::parse(mark.to_json().as_bytes()), Some(mark.clone()));
    assert!(mark.to_json().is_ascii());
    assert_eq!(Mark::in_xmp(mark.to_xmp().as_bytes()), Some(mark.clone()));
    for text in ["", "{}", "null", "{\"program\":\"echoif\"}"] {
        assert_eq!(Mark::parse(text.as_bytes()), None);
    }
    // A mark that claims a picture outside the file changes nothing.
    let wild = Mark {
        picture: [usize::MAX, 3, 9, usize::MAX],
        words: vec![[usize::MAX; 4]],
        ..mark
    };
    let clip = video.to_clip(Some(rate), true);
    let recording = echoif::recording::Recording::of_clip(clip.clone()).unwrap();
    assert_eq!(
        wild.strip(recording).unwrap().to_clip().unwrap().frames,
        clip.frames
    );
    assert!(matches!(clip.frames[0].pixels, Pixels::Gray(_)));
}
