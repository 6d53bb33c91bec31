//! Clips in the window: how large they are, frames that are damaged, another square, and in phase with the cines.

use crate::harness::{alone, click, image, press, step_until_seen as step_until};
use crate::sources::{settled, window, write_clip, write_clip_from};
use dicom_core::{DataElement, VR, dicom_value};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use echoif::media;
use echoif::ui::App;
use egui::{Key, Modifiers, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use std::path::Path;

#[test]
fn a_file_that_says_its_scale_is_measured_in_centimetres() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip");
    write_clip(&path, Some("33.3"));
    let mut object = dicom_object::open_file(&path).unwrap();
    let mut region = InMemDicomObject::new_empty();
    let [one, three] = [1u16, 3].map(|v| dicom_value!(U16, v));
    for (tag, vr, value) in [
        (tags::REGION_SPATIAL_FORMAT, VR::US, one.clone()),
        (tags::REGION_DATA_TYPE, VR::US, one),
        (tags::REGION_LOCATION_MIN_X0, VR::UL, dicom_value!(U32, 120)),
        (tags::REGION_LOCATION_MIN_Y0, VR::UL, dicom_value!(U32, 40)),
        (tags::REGION_LOCATION_MAX_X1, VR::UL, dicom_value!(U32, 343)),
        (tags::REGION_LOCATION_MAX_Y1, VR::UL, dicom_value!(U32, 263)),
        (tags::PHYSICAL_UNITS_X_DIRECTION, VR::US, three.clone()),
        (tags::PHYSICAL_UNITS_Y_DIRECTION, VR::US, three),
        (tags::PHYSICAL_DELTA_X, VR::FD, 0.05.into()),
        (tags::PHYSICAL_DELTA_Y, VR::FD, 0.05.into()),
    ] {
        region.put(DataElement::new(tag, vr, value));
    }
    let regions = dicom_core::value::DataSetSequence::from(vec![region]);
    let regions = DataElement::new(tags::SEQUENCE_OF_ULTRASOUND_REGIONS, VR::SQ, regions);
    object.put(regions);
    object.write_to_file(&path).unwrap();

    let mut window = window(&path);
    step_until(&mut window, "cine", settled);
    let source = window.state().explore().case.source.as_ref().unwrap();
    let half = 0.5 * 0.05 * source.crop.square.side as f64;
    press(&mut window, Modifiers::NONE, Key::M);
    assert!(window.query_by_label_contains("says no scale").is_none());
    window.get_by_label("On the source").click();
    window.run_steps(3);
    // Half the square on the recording and on the cine that was made of it.
    for pane in ["Source", "Counterfactual"] {
        let rect = image(&window, pane);
        click(&mut window, rect, &[vec2(0.25, 0.4), vec2(0.75, 0.4)]);
    }
    let said: Vec<f64> = window
        .query_all_by_label_contains(" cm")
        .filter_map(|node| {
            node.accesskit_node()
                .value()?
                .split(' ')
                .next()?
                .parse()
                .ok()
        })
        .collect();
    println!("{said:?} cm of {half:.2}");
    assert_eq!(said.len(), 2);
    assert!(said.iter().all(|cm| (cm / half - 1.0).abs() < 0.02));
}

#[test]
fn a_damaged_frame_is_named_and_the_one_before_stays() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let gif = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/a4c_2.gif");
    let heart = media::open(&gif).unwrap().recording.to_clip().unwrap();
    for (i, frame) in heart.frames.iter().take(5).enumerate() {
        let path = folder.path().join(format!("{i:03}.png"));
        frame.to_image().save(&path).unwrap();
        if i == 4 {
            let bytes = std::fs::read(&path).unwrap();
            std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        }
    }
    let mut window = window(folder.path());
    step_until(&mut window, "clip", |w| {
        let source = w.state().explore().case.source.as_ref();
        source.is_some_and(|s| s.recording.frames() == 5) && settled(w)
    });
    let role = egui::accesskit::Role::Slider;
    let slider = window.get_by_role_and_label(role, "Anatomy frame").rect();
    window.drag_at(slider.left_center() + egui::vec2(4.0, 0.0));
    window.step();
    for k in 1..6 {
        let x = slider.left() + slider.width() * k as f32 / 5.0;
        window.hover_at(egui::pos2(x, slider.center().y));
        window.step();
    }
    window.drop_at(slider.right_center() - egui::vec2(1.0, 0.0));
    step_until(&mut window, "sentence", |w| {
        w.query_by_label_contains("Frame 5 cannot be shown. Choose another one.")
            .is_some()
    });
    let source = window.state().explore().case.source.as_ref().unwrap();
    assert_eq!(source.frame, source.picture_number);
    assert!(source.frame < 4);
}

#[test]
fn a_new_square_is_searched_for_text_again() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip");
    write_clip(&path, Some("33.3"));
    let mut window = window(&path);
    step_until(&mut window, "cine", settled);
    let proposals = |w: &Harness<'_, App>| {
        let source = w.state().explore().case.source.as_ref().unwrap();
        source.proposals.len()
    };
    assert_eq!(proposals(&window), 0);
    // The whole height holds the burned-in name as well, once the square is moved to the left.
    let image = window
        .get_by_role_and_label(egui::accesskit::Role::Image, "Source frame")
        .rect();
    let scale = image.width() / 400.0;
    let at = |x: f32, y: f32| {
        let top = image.center().y - 150.0 * scale;
        egui::pos2(image.left() + x * scale, top + y * scale)
    };
    window.drag_at(at(230.0, 150.0));
    window.step();
    for k in 1..=10 {
        window.hover_at(at(230.0 - 16.0 * k as f32, 150.0 - 7.0 * k as f32));
        window.step();
    }
    window.drop_at(at(70.0, 80.0));
    step_until(&mut window, "proposal", |w| proposals(w) > 0);
    let source = window.state().explore().case.source.as_ref().unwrap();
    assert!(source.crop.square.x < 60, "{:?}", source.crop.square);
}

#[test]
fn a_clip_is_played_in_phase_with_the_cines() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip");
    // A beat of 16 frames at 72 a minute, that begins five frames after end-diastole.
    write_clip_from(&path, Some("52.083333"), 5);
    let mut window = window(&path);
    step_until(&mut window, "cine", settled);
    let e = window.state().explore();
    let (offset, correlation) = e.view.offset.expect("a phase");
    let frame = (offset / 0.052_083_333).round() as usize % 16;
    println!("begins at frame {frame}, correlation {correlation:.2}");
    assert!((9..=13).contains(&frame), "frame {frame}");
    window.get_by_label_contains("Phase-aligned, correlation");
    // Its own volume beside the cines': of EF 60, which what follows pixels reads low.
    step_until(&mut window, "the source's volume", |w| {
        w.state().explore().view.tracked.ef().is_some()
    });
    let tracked = &window.state().explore().view.tracked;
    let volumes = tracked.volumes().unwrap();
    let least = (0..volumes.len()).min_by(|&a, &b| volumes[a].total_cmp(&volumes[b]));
    println!(
        "tracked EF {:.1}, least at {least:?}",
        tracked.ef().unwrap()
    );
    assert!((40.0..65.0).contains(&tracked.ef().unwrap()));
    assert!((4..=9).contains(&least.unwrap()), "{volumes:?}");
    window.get_by_label("Align phase").click();
    window.run_steps(2);
    window.get_by_label("Not phase-aligned");
    // What plays from elsewhere has no curve beside theirs.
    assert!(window.state().explore().view.tracked.volumes().is_none());
}
