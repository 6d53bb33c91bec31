//! Pictures of what stands around the pictures: pins, calipers, overlays, help; and the manual, which shows them.

use crate::common::alone;
use crate::harness::{click, image, settled, step_until};
use crate::snapshots::{both_themes, finished_of, panel};
use echoif::ui::App;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use std::path::Path;

#[test]
fn a_pinned_cine() {
    let _alone = alone();
    panel("pinned", |window| {
        window.key_press(egui::Key::P);
        window.step();
        for _ in 0..4 {
            window.key_press_modifiers(egui::Modifiers::SHIFT, egui::Key::ArrowRight);
            window.step();
        }
        step_until(window, "cine", settled);
    });
}

#[test]
fn calipers() {
    let _alone = alone();
    panel("calipers", |window| {
        window.key_press(egui::Key::E);
        window.run_steps(4);
        let rect = image(window, "Counterfactual");
        for _ in 0..2 {
            let border = border_now(window);
            click(window, rect, &border);
            for pressed in [true, false, true, false] {
                window.event(egui::Event::PointerButton {
                    pos: rect.min + border[24] * rect.size(),
                    button: egui::PointerButton::Primary,
                    pressed,
                    modifiers: egui::Modifiers::NONE,
                });
                window.step();
            }
            window.run_steps(20);
        }
        window.event(egui::Event::PointerGone);
        window.run_steps(20);
    });
}

/// The ventricle's border as the counterfactual cine has it now, from one side of the annulus to the other.
fn border_now(window: &Harness<'static, App>) -> Vec<egui::Vec2> {
    let e = window.state().explore();
    let made = e.made.counterfactual.as_ref().expect("a cine");
    let beating = made.result.cine.beating.as_ref().expect("a motion cascade");
    let frame = e.frame_now(0.0) as f64;
    let outline = beating.outline_at(frame / made.result.cine.video.frames as f64);
    let low = outline.iter().fold(0.0, |low: f32, p| low.max(p[1]));
    let middle = outline.iter().map(|p| p[0]).sum::<f32>() / outline.len() as f32;
    let angle = |p: &egui::Vec2| (low - p.y).atan2(p.x - middle);
    let mut points: Vec<egui::Vec2> = outline.into_iter().map(egui::Vec2::from).collect();
    points.retain(|p| p.y < low - 0.012);
    points.sort_by(|a, b| angle(b).total_cmp(&angle(a)));
    let n = points.len() - 1;
    (0..25).map(|k| points[k * n / 24]).collect()
}

#[test]
fn overlays_of_all_kinds() {
    let _alone = alone();
    panel("overlays", |window| {
        window.key_press(egui::Key::O);
        window.get_by_label("Overlays").click();
        window.run_steps(4);
        for name in ["End-diastole and end-systole", "EF", "Frame", "Heart rate"] {
            let role = egui::accesskit::Role::CheckBox;
            window.get_by_role_and_label(role, name).click();
            window.run_steps(2);
        }
        window.key_press(egui::Key::S);
        window.run_steps(2);
    });
}

#[test]
fn the_frame_large() {
    let _alone = alone();
    panel("large_editor", |window| {
        window.key_press(egui::Key::C);
        window.run_steps(4);
    });
}

#[test]
fn the_frame_in_its_pane() {
    let _alone = alone();
    panel("pane_editor", |window| {
        window.key_press_modifiers(egui::Modifiers::SHIFT, egui::Key::C);
        window.run_steps(4);
    });
}

#[test]
fn a_clip_and_without_panels() {
    let _alone = alone();
    let clip = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/a4c_1.gif");
    let mut window = finished_of(Some(clip), [1280.0, 800.0], false);
    both_themes(&mut window, "clip");
    window.key_press(egui::Key::F3);
    window.key_press(egui::Key::F4);
    window.run_steps(4);
    both_themes(&mut window, "clip_folded");
}

#[test]
fn a_mask_covers_every_frame_that_plays_in_the_panel() {
    let _alone = alone();
    let clip = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/a4c_1.gif");
    let mut window = finished_of(Some(clip), [1280.0, 1000.0], false);
    window.get_by_label("Draw a mask").click();
    window.run_steps(3);
    // Over the chamber's wall and the cavity beside it, from the third to the fifth tenth of the picture.
    let frame = image(&window, "Source frame");
    let covered =
        egui::Rect::from_min_max(frame.lerp_inside([0.3, 0.3]), frame.lerp_inside([0.5, 0.5]));
    window.drag_at(covered.min);
    window.step();
    for k in 1..=4 {
        window.hover_at(covered.min + covered.size() * (k as f32 / 4.0));
        window.step();
    }
    window.drop_at(covered.max);
    window.run_steps(3);
    window.get_by_label("1 masked");
    step_until(&mut window, "cine", settled);
    let brightest = |picture: &image::RgbaImage, rect: egui::Rect| {
        let rows = rect.top() as u32..rect.bottom() as u32;
        let all = rows.flat_map(|y| (rect.left() as u32..rect.right() as u32).map(move |x| (x, y)));
        all.map(|(x, y)| picture.get_pixel(x, y).0[0]).max()
    };
    let (mut seen, mut pictures) = (Vec::new(), Vec::new());
    for _ in 0..6 {
        window.key_press(egui::Key::Period);
        window.run_steps(3);
        let picture = window.render().expect("the renderer works");
        assert_eq!(brightest(&picture, covered.shrink(4.0)), Some(0));
        assert!(brightest(&picture, frame.shrink(20.0)) > Some(100));
        seen.push(window.state().explore().case.frame_on_screen());
        pictures.push(picture);
    }
    seen.dedup();
    assert_eq!(seen.len(), 6, "{seen:?}");
    let pixels = |p: &image::RgbaImage| {
        let size = frame.size();
        let (x, y) = (frame.left() as u32, frame.top() as u32);
        image::imageops::crop_imm(p, x, y, size.x as u32, size.y as u32).to_image()
    };
    assert_ne!(
        pixels(&pictures[0]),
        pixels(&pictures[3]),
        "it stands still"
    );
}

#[test]
fn runs_of_the_history() {
    let _alone = alone();
    panel("history", |window| {
        // All of the panel in view.
        window.set_size(egui::vec2(1280.0, 1200.0));
        window.key_press_modifiers(egui::Modifiers::SHIFT, egui::Key::ArrowRight);
        window.run_steps(2);
        step_until(window, "cine", settled);
        let star = window.get_all_by_label("Star this run").next_back();
        star.expect("a run").click();
        window.run_steps(2);
    });
}

#[test]
fn asked_by_calibration() {
    let _alone = alone();
    panel("calibrated", |window| {
        window.get_by_label("Volume over the beat").click();
        window.get_by_label("Advanced").click();
        window.run_steps(20);
        window.get_by_label("Calibrated").click();
        window.run_steps(2);
        step_until(window, "cine", settled);
    });
}

#[test]
fn shortcuts() {
    let _alone = alone();
    panel("shortcuts", |window| {
        window.key_press(egui::Key::Questionmark)
    });
}

#[test]
fn manual() {
    let _alone = alone();
    panel("manual", |window| window.key_press(egui::Key::F1));
}

/// The manual shows what the program looks like: its pictures are the snapshots, but for what is masked there.
#[test]
fn the_manuals_pictures_are_those_of_the_snapshots() {
    // They are being written in one run, and compared in the next.
    if std::env::var_os("ECHOIF_UPDATE_PICTURE").is_some() {
        return;
    }
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut n = 0;
    for entry in std::fs::read_dir(here.join("docs/manual")).expect("the manual has pictures") {
        let path = entry.expect("it can be read").path();
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let snapshot = here.join(format!("tests/snapshots/{name}_dark.png"));
        let open = |path: &Path| ::image::open(path).expect("a picture").to_rgba8();
        let (own, kept) = (open(&path), open(&snapshot));
        assert_eq!(own.dimensions(), kept.dimensions(), "{name}");
        let pairs = own.pixels().zip(kept.pixels());
        // Magenta is what the snapshot masks.
        let seen: Vec<_> = pairs.filter(|(_, k)| k.0[..3] != [255, 0, 255]).collect();
        let differ = seen.iter().filter(|(a, b)| {
            let mut levels = a.0.iter().zip(b.0);
            levels.any(|(a, b)| a.abs_diff(b) > 24)
        });
        let differ = differ.count();
        assert!(
            differ <= 200,
            "{name}: {differ} pixels of {} differ",
            seen.len()
        );
        assert!(seen.len() > own.pixels().len() / 4, "{name}: all is masked");
        n += 1;
    }
    assert_eq!(n, 8);
}
