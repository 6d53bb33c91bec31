//! Pictures of the screens, on a software renderer. With the feature `snapshots` only: they need a
//! Vulkan driver. `UPDATE_SNAPSHOTS=1` accepts changes; `ECHOIF_UPDATE_PICTURE=1` makes the
//! README's picture anew.

use crate::common::alone;
use echoif::engine::DeviceChoice;
use echoif::ui::{App, NoPicker, Options, Settings};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use egui_kittest::{Harness, SnapshotOptions};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A window with a finished run of a simulated heart, paused at its sixth frame.
pub fn finished(size: [f32; 2], light: bool) -> Harness<'static, App> {
    finished_of(None, size, light)
}

/// The same of a file.
pub fn finished_of(file: Option<PathBuf>, size: [f32; 2], light: bool) -> Harness<'static, App> {
    let mut window = Harness::builder()
        .with_size(size)
        .with_step_dt(1.0 / 60.0)
        .with_render_cursor(false)
        .wgpu()
        .build_eframe(|cc| {
            let options = Options {
                file,
                device: DeviceChoice::Cpu,
                picker: Arc::new(NoPicker),
                settings: Some(Settings {
                    welcomed: true,
                    ..Settings::default()
                }),
                study: None,
                paints_background: true,
                ..Options::default()
            };
            App::new(cc, options).expect("the worker starts")
        });
    let start = Instant::now();
    loop {
        window.step();
        let e = window.state().explore();
        let done = e.made.factual.is_some() && e.made.counterfactual.is_some();
        if done && e.made.running.is_none() && !e.case.measuring.is_going_on() {
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
pub fn compare(window: &mut Harness<'_, App>, name: &str) {
    let image = egui::accesskit::Role::Image;
    let pictures = window.query_all_by_role(image);
    let moving = pictures.filter(|p| {
        let label = p.accesskit_node().label().unwrap_or_default();
        !label.starts_with("Requested against measured")
    });
    let mut masks: Vec<egui::Rect> = moving.map(|p| p.rect()).collect();
    masks.push(window.get_by_label_contains("CPU, ").rect());
    for rect in masks {
        window.mask(rect);
    }
    let options = SnapshotOptions::new().max_failed_pixels(200);
    window.snapshot_options(name, &options);
}

const THEMES: [(egui::Theme, &str); 2] =
    [(egui::Theme::Dark, "dark"), (egui::Theme::Light, "light")];

/// A panel in both themes: what is pressed, then the pictures.
pub fn panel(name: &str, open: impl Fn(&mut Harness<'static, App>)) {
    let mut window = finished([1280.0, 800.0], false);
    open(&mut window);
    both_themes(&mut window, name);
}

pub fn both_themes(window: &mut Harness<'static, App>, name: &str) {
    for (theme, text) in THEMES {
        window.ctx.set_theme(theme);
        window.run_steps(4);
        if std::env::var_os("ECHOIF_UPDATE_PICTURE").is_some() {
            let picture = window.render().expect("the renderer works");
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pictures");
            std::fs::create_dir_all(&folder).expect("target is writable");
            let path = folder.join(format!("{name}_{text}.png"));
            picture.save(path).expect("target is writable");
        }
        if theme == egui::Theme::Dark {
            for_the_manual(window, name);
        }
        compare(window, &format!("{name}_{text}"));
    }
}

/// A picture of the manual, where it has one of that name.
pub fn for_the_manual(window: &mut Harness<'_, App>, name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/manual/{name}.png"));
    if path.exists() && std::env::var_os("ECHOIF_UPDATE_PICTURE").is_some() {
        let picture = window.render().expect("the renderer works");
        picture.save(path).expect("docs/ is writable");
    }
}

#[test]
fn folded() {
    let _alone = alone();
    panel("folded", |window| {
        window.key_press(egui::Key::O);
        window.key_press(egui::Key::F3);
        window.key_press(egui::Key::F4);
    });
}

#[test]
fn wipe() {
    let _alone = alone();
    panel("wipe", |window| window.key_press(egui::Key::Num2));
}

/// What stands in a picture's rectangle, one gray level a pixel.
fn levels(window: &mut Harness<'static, App>, name: &str) -> Vec<u8> {
    let picture = window.render().expect("the renderer works");
    let role = egui::accesskit::Role::Image;
    let rect = window.get_by_role_and_label(role, name).rect();
    let rows = rect.top() as u32..rect.bottom() as u32;
    let columns = rect.left() as u32..rect.right() as u32;
    let at = |(x, y)| picture.get_pixel(x, y).0[0];
    rows.flat_map(|y| columns.clone().map(move |x| (x, y)))
        .map(at)
        .collect()
}

#[test]
fn difference_and_flicker_show_what_they_say() {
    let _alone = alone();
    let mut window = finished([1280.0, 800.0], false);
    let far = |a: &[u8], b: &[u8]| {
        a.iter()
            .zip(b)
            .filter(|(a, b)| a.abs_diff(**b) > 25)
            .count()
    };
    window.key_press(egui::Key::Num3);
    window.run_steps(2);
    // Two changes a second, sixty steps a second: half a second later it is the other one.
    let first = levels(&mut window, "Flicker");
    window.run_steps(30);
    let second = levels(&mut window, "Flicker");
    window.run_steps(30);
    let third = levels(&mut window, "Flicker");
    let (other, same) = (far(&first, &second), far(&first, &third));
    assert!(
        other > 20 * same.max(50),
        "{other} pixels change, {same} come back otherwise"
    );
    // The difference has colour where the two are far apart, and none where they are alike.
    window.key_press(egui::Key::Num4);
    window.run_steps(3);
    let picture = window.render().expect("the renderer works");
    let role = egui::accesskit::Role::Image;
    let rect = window.get_by_role_and_label(role, "Difference").rect();
    let (mut orange, mut blue, mut gray) = (0, 0, 0);
    for y in rect.top() as u32..rect.bottom() as u32 {
        for x in rect.left() as u32..rect.right() as u32 {
            let [red, _, b, _] = picture.get_pixel(x, y).0;
            match i32::from(red) - i32::from(b) {
                40.. => orange += 1,
                ..=-40 => blue += 1,
                -6..=6 => gray += 1,
                _ => {}
            }
        }
    }
    let all = rect.area() as usize;
    assert!(orange > 1000 && blue > 1000, "{orange} orange, {blue} blue");
    assert!(gray > all / 3, "{gray} of {all} gray");
}

#[test]
fn m_mode() {
    let _alone = alone();
    panel("m_mode", |window| {
        window.key_press(egui::Key::Num5);
        window.run_steps(2);
        let role = egui::accesskit::Role::Image;
        let rect = window.get_by_role_and_label(role, "Factual").rect();
        let at = |x: f32, y: f32| rect.min + egui::vec2(x, y) * rect.size();
        window.drag_at(at(0.3, 0.45));
        window.step();
        window.hover_at(at(0.6, 0.5));
        window.step();
        window.hover_at(at(0.85, 0.55));
        window.step();
        window.drop_at(at(0.85, 0.55));
    });
}

#[test]
fn outline() {
    let _alone = alone();
    panel("outline", |window| {
        window.key_press(egui::Key::O);
        window.key_press(egui::Key::S);
        window.run_steps(2);
        window.get_by_label("Correct outline...").click();
        window.run_steps(4);
    });
}

#[test]
fn ladder() {
    let _alone = alone();
    panel("ladder", climb);
}

/// Makes the ladder and waits for it.
fn climb(window: &mut Harness<'static, App>) {
    window.key_press(egui::Key::L);
    let start = Instant::now();
    loop {
        window.step();
        let ladder = window.state().explore().made.ladder.as_ref();
        if ladder.is_some_and(|l| !l.rungs.is_empty()) {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(120), "no ladder came");
        std::thread::sleep(Duration::from_millis(10));
    }
    window.run_steps(3);
}

#[test]
fn the_first_start_explains_itself() {
    let _alone = alone();
    let mut window = finished([1280.0, 800.0], false);
    window.state_mut().forget_welcome();
    both_themes(&mut window, "first_start");
    window.get_by_label("Begin").click();
    window.run_steps(3);
    assert!(window.query_by_label("Begin").is_none());
}

#[test]
fn a_small_window() {
    let _alone = alone();
    let mut window = finished([900.0, 600.0], false);
    both_themes(&mut window, "small");
    climb(&mut window);
    both_themes(&mut window, "small_ladder");
}

#[test]
fn a_small_window_with_a_clip_and_a_ladder() {
    let _alone = alone();
    let clip = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/a4c_1.gif");
    let mut window = finished_of(Some(clip), [900.0, 600.0], false);
    climb(&mut window);
    both_themes(&mut window, "small_clip");
}

#[test]
fn larger_text() {
    let _alone = alone();
    let mut window = finished([1280.0, 800.0], false);
    window.ctx.set_zoom_factor(1.5);
    window.run_steps(4);
    both_themes(&mut window, "text_150");
    // What does not fit any more is reached by scrolling.
    window.ctx.set_zoom_factor(2.0);
    window.run_steps(4);
    let wheel = |window: &mut Harness<'static, App>, at: egui::Pos2, delta: egui::Vec2| {
        window.hover_at(at);
        window.step();
        window.event(egui::Event::MouseWheel {
            unit: egui::MouseWheelUnit::Point,
            delta,
            phase: egui::TouchPhase::Move,
            source: egui::MouseWheelSource::Unknown,
            modifiers: egui::Modifiers::NONE,
        });
        window.run_steps(60);
    };
    // The whole screen to the right, then its settings down.
    wheel(
        &mut window,
        egui::pos2(400.0, 150.0),
        egui::vec2(-2000.0, 0.0),
    );
    wheel(
        &mut window,
        egui::pos2(560.0, 150.0),
        egui::vec2(0.0, -2000.0),
    );
    let shown = window.ctx.content_rect();
    let last = window.get_by_label("Keep anatomies").rect();
    assert!(shown.contains_rect(last), "{last} of {shown}");
}

#[test]
fn text_of_twice_the_size() {
    let _alone = alone();
    let mut window = finished([1800.0, 1200.0], false);
    window.ctx.set_zoom_factor(2.0);
    window.run_steps(4);
    both_themes(&mut window, "text_200");
}

#[test]
fn export() {
    let _alone = alone();
    let command = egui::Modifiers::COMMAND;
    panel("export", |window| {
        window.key_press_modifiers(command, egui::Key::S)
    });
}

#[test]
fn palette() {
    let _alone = alone();
    let command = egui::Modifiers::COMMAND;
    panel("palette", |window| {
        window.key_press_modifiers(command, egui::Key::K)
    });
}

#[test]
fn about() {
    let _alone = alone();
    let mut window = finished([1280.0, 800.0], false);
    window.key_press(egui::Key::F2);
    window.run_steps(4);
    for (theme, name) in THEMES {
        window.ctx.set_theme(theme);
        window.run_steps(4);
        // The place of the settings is another on every machine.
        let place = window.get_by_label_contains("Settings and history").rect();
        window.mask(egui::Rect::from_x_y_ranges(0.0..=1280.0, place.y_range()));
        compare(&mut window, &format!("about_{name}"));
    }
}

#[test]
fn explore_dark() {
    let _alone = alone();
    let mut window = finished([1280.0, 800.0], false);
    for_the_manual(&mut window, "explore");
    compare(&mut window, "explore_dark");
}

#[test]
fn explore_on_a_common_screen() {
    let _alone = alone();
    compare(&mut finished([1920.0, 1080.0], false), "explore_1920");
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
                settings: Some(Settings {
                    welcomed: true,
                    ..Settings::default()
                }),
                study: None,
                paints_background: true,
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
    for (theme, name) in THEMES {
        window.ctx.set_theme(theme);
        window.run_steps(3);
        if theme == egui::Theme::Dark {
            for_the_manual(&mut window, "gallery");
        }
        let device = window.get_by_label_contains("CPU, ").rect();
        window.mask(device);
        let options = SnapshotOptions::new().max_failed_pixels(200);
        window.snapshot_options(format!("gallery_{name}"), &options);
    }
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
    window.key_press(egui::Key::O);
    climb(&mut window);
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
