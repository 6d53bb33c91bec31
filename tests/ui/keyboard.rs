//! A working session by keyboard alone, seen through the accessible tree.

use crate::harness::*;
use echoif::media;
use echoif::media::export::{Sidecar, sidecar_of};
use echoif::ui::Comparison;
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Presses Tab until what has this label has the keyboard.
fn tab_to(window: &mut Window, label: &str) {
    for _ in 0..80 {
        press(window, Modifiers::NONE, Key::Tab);
        let found = window.query_all_by_label(label);
        let mut focused = found.filter(|node| node.accesskit_node().is_focused());
        if focused.next().is_some() {
            return;
        }
    }
    panic!("Tab does not come to {label}");
}

fn write(window: &mut Window, text: &str) {
    window.event(egui::Event::Text(text.into()));
    window.run_steps(2);
}

#[test]
fn a_folder_is_worked_through_by_keyboard_alone() {
    let _alone = alone();
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
    let folder = tempfile::tempdir().unwrap();
    for name in ["a4c_1.gif", "a4c_2.gif", "a4c_3.png"] {
        std::fs::copy(assets.join(name), folder.path().join(name)).unwrap();
    }
    let out = tempfile::tempdir().unwrap();
    let place = Arc::new(Place(out.path().join("shown")));
    let mut window = unopened(place, folder.path().to_owned());
    step_until_seen(&mut window, "the grid", |w| {
        w.query_by_label("3 recordings").is_some()
    });

    // The second clip.
    press(&mut window, Modifiers::NONE, Key::ArrowRight);
    press(&mut window, Modifiers::NONE, Key::Enter);
    step_until_seen(&mut window, "the second clip", |w| {
        w.query_by_label("2 of 3").is_some() && settled(w.state())
    });

    // Its own EF, by the palette; then a counterfactual.
    press(&mut window, Modifiers::COMMAND, Key::K);
    write(&mut window, "factual 62");
    press(&mut window, Modifiers::NONE, Key::Enter);
    step_until(&mut window, "a factual cine", settled);
    assert_eq!(window.state().explore().case.factual_ef, 62.0);
    press(&mut window, Modifiers::COMMAND, Key::K);
    write(&mut window, "ef 25");
    press(&mut window, Modifiers::NONE, Key::Enter);
    step_until(&mut window, "a counterfactual", settled);

    // Pinned, and another beside it; compared.
    press(&mut window, Modifiers::NONE, Key::P);
    for _ in 0..4 {
        press(&mut window, Modifiers::SHIFT, Key::ArrowRight);
    }
    step_until(&mut window, "another counterfactual", settled);
    assert_eq!(window.state().explore().wanted.requested, 45.0);
    press(&mut window, Modifiers::NONE, Key::Num4);
    assert_eq!(window.state().explore().view.mode, Comparison::Difference);
    press(&mut window, Modifiers::NONE, Key::Num1);

    // A length.
    press(&mut window, Modifiers::NONE, Key::M);
    press(&mut window, Modifiers::NONE, Key::Enter);
    for _ in 0..4 {
        press(&mut window, Modifiers::SHIFT, Key::ArrowRight);
    }
    press(&mut window, Modifiers::NONE, Key::Enter);
    press(&mut window, Modifiers::NONE, Key::Escape);
    window.get_by_label("22.4 px");

    // The panes, as one file.
    press(&mut window, Modifiers::COMMAND, Key::S);
    tab_to(&mut window, "Panes side by side");
    press(&mut window, Modifiers::NONE, Key::Space);
    tab_to(&mut window, "The source, marked as recorded");
    press(&mut window, Modifiers::NONE, Key::Space);
    tab_to(&mut window, "Save...");
    press(&mut window, Modifiers::NONE, Key::Enter);
    until_exported(&mut window);
    let path: PathBuf = out.path().join("shown.gif");
    let opened = media::open(&path).unwrap();
    assert!(opened.mark.is_some_and(|m| m.synthetic));
    let sidecar = Sidecar::read(&sidecar_of(&path)).unwrap();
    let asked: Vec<f64> = sidecar
        .mark
        .rungs
        .iter()
        .map(|p| p.requested_ef_percent)
        .collect();
    assert_eq!(asked, [62.0, 25.0, 45.0]);
    // Four pictures beside each other.
    let picture = image::open(&path).unwrap();
    assert!(picture.width() >= 4 * 336, "{}", picture.width());

    // The next recording; what is asked for stays.
    press(&mut window, Modifiers::NONE, Key::PageDown);
    step_until_seen(&mut window, "the next recording", |w| {
        w.query_by_label("3 of 3").is_some() && settled(w.state())
    });
    assert_eq!(window.state().explore().wanted.requested, 45.0);
}
