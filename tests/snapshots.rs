//! Pictures of the screens, on a software renderer. With the feature `snapshots` only: they need a
//! Vulkan driver. `UPDATE_SNAPSHOTS=1` accepts changes; `ECHOIF_UPDATE_PICTURE=1` makes the
//! README's picture anew.

#![cfg(feature = "snapshots")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests may stop a test

use echoif::engine::DeviceChoice;
use echoif::ui::{App, NoPicker, Options};
use egui_kittest::kittest::Queryable as _;
use egui_kittest::{Harness, SnapshotOptions};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// One at a time: each has a worker that takes every core.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A window with a finished run, paused at its first frame.
fn finished(size: [f32; 2], light: bool) -> Harness<'static, App> {
    let mut window = Harness::builder()
        .with_size(size)
        .with_step_dt(1.0 / 60.0)
        .with_render_cursor(false)
        .wgpu()
        .build_eframe(|cc| {
            let options = Options {
                file: None,
                device: DeviceChoice::Cpu,
                picker: Arc::new(NoPicker),
                ..Options::default()
            };
            App::new(cc, options).expect("the worker starts")
        });
    let start = Instant::now();
    loop {
        window.step();
        let e = window.state().explore();
        if e.running.is_none() && e.factual.is_some() && e.counterfactual.is_some() {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(120), "no cine came");
        std::thread::sleep(Duration::from_millis(10));
    }
    if light {
        window.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::T);
    }
    // To the middle of the sixth frame, and still.
    window.get_by_label("Pause").click();
    window.step();
    let e = window.state().explore();
    let ahead = (5 + 16 - e.frame_now(0.0)) % 16;
    for _ in 0..ahead {
        window.key_press(egui::Key::Period);
        window.step();
    }
    for _ in 0..4 {
        window.step();
    }
    window
}

/// Compares with the kept picture; what differs from machine to machine is masked.
fn compare(window: &mut Harness<'_, App>, name: &str) {
    let image = egui::accesskit::Role::Image;
    let mut masks = Vec::new();
    for label in [
        "Source",
        "Factual",
        "Counterfactual",
        "Source frame",
        "Anatomy as the networks get it",
    ] {
        masks.push(window.get_by_role_and_label(image, label).rect());
    }
    masks.push(window.get_by_label_contains("CPU, ").rect());
    for rect in masks {
        window.mask(rect);
    }
    let options = SnapshotOptions::new().max_failed_pixels(200);
    window.snapshot_options(name, &options);
}

#[test]
fn explore_dark() {
    let _alone = alone();
    compare(&mut finished([1280.0, 800.0], false), "explore_dark");
}

#[test]
fn a_folder_as_a_grid() {
    let _alone = alone();
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
    let folder = tempfile::tempdir().expect("a temporary folder");
    for name in ["a4c_1.gif", "a4c_2.gif", "a4c_3.png"] {
        std::fs::copy(assets.join(name), folder.path().join(name)).expect("it is writable");
    }
    let mut window = Harness::builder()
        .with_size([1280.0, 800.0])
        .with_step_dt(1.0 / 60.0)
        .with_render_cursor(false)
        .wgpu()
        .build_eframe(|cc| {
            let options = Options {
                file: Some(folder.path().to_owned()),
                device: DeviceChoice::Cpu,
                picker: Arc::new(NoPicker),
                ..Options::default()
            };
            App::new(cc, options).expect("the worker starts")
        });
    let start = Instant::now();
    while window.query_by_label("3 recordings").is_none()
        || window.query_by_label_contains("CPU, ").is_none()
    {
        assert!(start.elapsed() < Duration::from_secs(60), "no grid came");
        window.step();
        std::thread::sleep(Duration::from_millis(10));
    }
    window.run_steps(3);
    let device = window.get_by_label_contains("CPU, ").rect();
    window.mask(device);
    let options = SnapshotOptions::new().max_failed_pixels(200);
    window.snapshot_options("gallery_dark", &options);
}

#[test]
fn explore_light() {
    let _alone = alone();
    compare(&mut finished([1280.0, 800.0], true), "explore_light");
}

#[test]
fn explore_large() {
    let _alone = alone();
    compare(&mut finished([2560.0, 1440.0], false), "explore_large");
}

#[test]
fn the_readmes_picture_shows_a_finished_run() {
    let _alone = alone();
    let mut window = finished([1280.0, 800.0], false);
    let picture = window.render().expect("the renderer works");
    if std::env::var_os("ECHOIF_UPDATE_PICTURE").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/window.png");
        picture.save(path).expect("docs/ is writable");
    }
    // The counterfactual pane holds a heart: many grays, neither black nor one tone.
    let rect = window
        .get_by_role_and_label(egui::accesskit::Role::Image, "Counterfactual")
        .rect();
    let mut seen = [false; 256];
    for y in rect.top() as u32..rect.bottom() as u32 {
        for x in rect.left() as u32..rect.right() as u32 {
            seen[usize::from(picture.get_pixel(x, y).0[0])] = true;
        }
    }
    let grays = seen.iter().filter(|&&s| s).count();
    assert!(grays > 100, "{grays} grays");
}
