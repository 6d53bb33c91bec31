//! Every comparison at every size, in both themes, with text as it is and half as large again.
//!
//! A fifth of them is kept as pictures; all are made, and looked at by what holds at any size: the pictures of hearts
//! and the buttons lie in the window, and no two panes over each other. `ECHOIF_UPDATE_PICTURE=1` writes all of them to
//! `target/pictures`.

use crate::common::alone;
use crate::snapshots::{compare, finished, finished_of};
use echoif::ui::App;
use egui::accesskit::Role;
use egui::{Key, Rect, Theme};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use std::path::Path;

const COMPARISONS: [(Key, &str); 5] = [
    (Key::Num1, "side"),
    (Key::Num2, "wipe"),
    (Key::Num3, "flicker"),
    (Key::Num4, "difference"),
    (Key::Num5, "m_mode"),
];

/// With the picture that is kept: its theme, and how much larger its text is.
const SIZES: [([f32; 2], (Theme, u32)); 4] = [
    ([900.0, 600.0], (Theme::Dark, 100)),
    ([1280.0, 800.0], (Theme::Light, 150)),
    ([1920.0, 1080.0], (Theme::Light, 150)),
    ([2560.0, 1440.0], (Theme::Dark, 100)),
];

/// Panes as they are named.
const PANES: [&str; 7] = [
    "Source",
    "Factual",
    "Counterfactual",
    "Wipe",
    "Flicker",
    "Difference",
    "Pinned",
];

fn lies_well(window: &Harness<'_, App>, what: &str) {
    let whole = window.ctx.content_rect();
    let pictures = window.query_all_by_role(Role::Image);
    let panes: Vec<(String, Rect)> = pictures
        .filter_map(|p| Some((p.accesskit_node().label()?, p.rect())))
        .filter(|(name, _)| PANES.contains(&name.as_str()))
        .collect();
    assert!(!panes.is_empty(), "{what}: no pane");
    for (i, (name, rect)) in panes.iter().enumerate() {
        assert!(
            rect.width() >= 60.0 && rect.height() >= 60.0,
            "{what}: {name} has {rect}"
        );
        for (other, place) in &panes[i + 1..] {
            let both = rect.shrink(1.0).intersect(place.shrink(1.0));
            assert!(!both.is_positive(), "{what}: {name} over {other}");
        }
    }
    // What is wider than the least that the window can be asked for is reached by scrolling.
    if whole.width() >= 840.0 {
        for (name, rect) in &panes {
            assert!(whole.contains_rect(*rect), "{what}: {name} at {rect}");
        }
        for button in window.query_all_by_role(Role::Button) {
            let rect = button.rect();
            assert!(
                rect.left() >= 0.0 && rect.right() <= whole.right() + 0.5,
                "{what}: {:?} at {rect}",
                button.accesskit_node().label()
            );
        }
    }
}

/// A clip, with its panels and without: playing in its panel, small beside the cines, and as large as they are.
#[test]
fn a_clip_at_every_size() {
    let _alone = alone();
    let clip = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/a4c_1.gif");
    let mut window = finished_of(Some(clip), [900.0, 600.0], false);
    for (size, _) in SIZES {
        window.set_size(size.into());
        for percent in [100, 150] {
            window.ctx.set_zoom_factor(percent as f32 / 100.0);
            for is_folded in [false, true] {
                for is_beside in [false, true] {
                    window.run_steps(4);
                    let what = format!("{size:?} {percent} folded {is_folded} beside {is_beside}");
                    lies_well(&window, &what);
                    window.key_press_modifiers(egui::Modifiers::SHIFT, Key::S);
                }
                window.key_press(Key::F3);
                window.key_press(Key::F4);
            }
        }
    }
}

fn at(([width, height], kept): ([f32; 2], (Theme, u32))) {
    let _alone = alone();
    let mut window = finished([width, height], false);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pictures");
    for percent in [100, 150] {
        // The window has so many pixels; with larger text fewer points.
        window.ctx.set_zoom_factor(percent as f32 / 100.0);
        window.run_steps(4);
        for theme in [Theme::Dark, Theme::Light] {
            window.ctx.set_theme(theme);
            for (key, name) in COMPARISONS {
                window.key_press(key);
                window.run_steps(4);
                let of_theme = if theme == Theme::Dark {
                    "dark"
                } else {
                    "light"
                };
                let what = format!("every_{name}_{width}_{of_theme}_{percent}");
                lies_well(&window, &what);
                if std::env::var_os("ECHOIF_UPDATE_PICTURE").is_some() {
                    let picture = window.render().expect("the renderer works");
                    std::fs::create_dir_all(&folder).expect("target is writable");
                    let path = folder.join(format!("{what}.png"));
                    picture.save(path).expect("target is writable");
                }
                if kept == (theme, percent) {
                    compare(&mut window, &format!("every_{name}_{width}"));
                }
            }
        }
    }
}

#[test]
fn in_a_small_window() {
    at(SIZES[0]);
}

#[test]
fn in_a_usual_window() {
    at(SIZES[1]);
}

#[test]
fn in_a_large_window() {
    at(SIZES[2]);
}

#[test]
fn in_a_very_large_window() {
    at(SIZES[3]);
}
