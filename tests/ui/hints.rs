//! Help: what can be pressed has some, and no bubble covers a picture.

use crate::harness::*;
use echoif::ui::NoPicker;
use egui::accesskit::Role;
use egui::{Key, Modifiers, Rect, vec2};
use egui_kittest::Node;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use std::path::Path;
use std::sync::Arc;

const CONTROLS: [Role; 5] = [
    Role::Button,
    Role::CheckBox,
    Role::ComboBox,
    Role::Slider,
    Role::SpinButton,
];

/// What has help, or should have some: its name, its help and its place.
fn helpful(window: &Window) -> Vec<(String, String, Rect)> {
    fn walk(node: &Node<'_>, found: &mut Vec<(String, String, Rect)>) {
        let inner = node.accesskit_node();
        let role = inner.role();
        let is_pressed = CONTROLS.contains(&role);
        let is_told = inner.description().is_some() && role != Role::Image;
        if (is_pressed || is_told) && inner.raw_bounds().is_some() {
            let name = inner.label().or(inner.value()).unwrap_or_default();
            let help = inner.description().unwrap_or_default();
            found.push((name, help, node.rect()));
        }
        node.children().for_each(|child| walk(&child, found));
    }
    let mut found = Vec::new();
    walk(&window.root(), &mut found);
    found
}

/// Rests the pointer on all of it that is in view. What has no help, in a bubble or in the line at the bottom, and which
/// bubble lies over a picture.
fn faults_of_help(window: &mut Window, what: &str) -> Vec<String> {
    let names = [
        "Factual",
        "Counterfactual",
        "Source",
        "Source frame",
        "Difference",
    ];
    let pictures = window.query_all_by_role(Role::Image);
    let pictures: Vec<Rect> = pictures
        .filter(|p| {
            let name = p.accesskit_node().label().unwrap_or_default();
            names.contains(&name.as_str()) || name.starts_with("Rung EF")
        })
        .map(|p| p.rect())
        .collect();
    assert!(pictures.len() >= 2, "{what}: {pictures:?}");
    // What is scrolled out of view lies below this, where the transport is.
    let whole = window.ctx.content_rect();
    let run = window.get_by_role_and_label(Role::Button, "Run").rect();
    let seen = whole.with_max_y(run.top() - 36.0);
    const BELOW: [&str; 8] = [
        "Run",
        "Requested EF",
        "Speed",
        "Loop",
        "Play",
        "Step back",
        "Step forward",
        "Frame",
    ];
    let (mut faults, mut bubbles) = (Vec::new(), 0);
    for (name, help, rect) in helpful(window) {
        let is_below = BELOW.contains(&name.as_str()) && rect.top() > seen.bottom();
        if !seen.contains_rect(rect) && !is_below {
            continue;
        }
        window.hover_at(rect.center());
        window.run_steps(45);
        let all: Vec<Rect> = window
            .query_all_by_role(Role::Tooltip)
            .map(|bubble| {
                // Its words, and what is around them.
                let words = bubble.query_all_by_role(Role::Label).map(|l| l.rect());
                words.reduce(Rect::union).expect("words").expand(7.0)
            })
            .collect();
        bubbles += all.len();
        let line = window
            .query_by_label(&help)
            .is_some_and(|l| !help.is_empty() && l.rect().top() > seen.bottom());
        if all.is_empty() && !line {
            faults.push(format!("{name}: nothing at {rect}"));
        }
        for place in all {
            for picture in &pictures {
                let both = picture.intersect(place);
                if both.is_positive() {
                    faults.push(format!("{name}: {place} over {picture}"));
                }
            }
        }
    }
    println!("{what}: {bubbles} bubbles, faults {faults:?}");
    assert!(bubbles >= 15);
    faults
}

#[test]
fn help_covers_no_picture() {
    let _alone = alone();
    let clip = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/a4c_1.gif");
    let mut window = window(None, Arc::new(NoPicker), Some(clip));
    window.set_size(vec2(1280.0, 800.0));
    press(&mut window, Modifiers::NONE, Key::Space);
    let mut faults = faults_of_help(&mut window, "with panels");
    // All that can be unfolded, and high enough for it.
    window.set_size(vec2(1280.0, 1900.0));
    for unfolded in ["Advanced", "Volume over the beat"] {
        window.get_by_label(unfolded).click();
        window.run_steps(20);
    }
    faults.extend(faults_of_help(&mut window, "unfolded"));
    window.set_size(vec2(1280.0, 800.0));
    press(&mut window, Modifiers::NONE, Key::Num4);
    faults.extend(faults_of_help(&mut window, "a difference"));
    press(&mut window, Modifiers::NONE, Key::Num1);
    press(&mut window, Modifiers::SHIFT, Key::S);
    faults.extend(faults_of_help(&mut window, "the source beside"));
    press(&mut window, Modifiers::SHIFT, Key::S);
    press(&mut window, Modifiers::NONE, Key::L);
    step_until(&mut window, "ladder", |app| {
        let ladder = app.explore().made.ladder.as_ref();
        ladder.is_some_and(|l| l.job.is_none() && !l.rungs.is_empty())
    });
    faults.extend(faults_of_help(&mut window, "a ladder"));
    press(&mut window, Modifiers::NONE, Key::L);
    press(&mut window, Modifiers::NONE, Key::F3);
    press(&mut window, Modifiers::NONE, Key::F4);
    faults.extend(faults_of_help(&mut window, "folded"));
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn the_lines_of_the_export_say_what_they_are() {
    let _alone = alone();
    let mut window = plain();
    press(&mut window, Modifiers::COMMAND, Key::S);
    window.run_steps(4);
    let told = |window: &Window, name: &str| {
        let node = window.get_by_label(name);
        assert!(node.accesskit_node().description().is_some(), "{name}");
    };
    for name in [
        "Counterfactual cine",
        "Factual cine",
        "Panes at this moment, a picture",
        "M-mode picture",
        "Ladder picture",
        "Leave out the anatomy",
        "Save...",
        "Do not export",
    ] {
        told(&window, name);
    }
    window.get_by_label("Panes side by side").click();
    window.run_steps(4);
    for name in [
        "Panes side by side",
        "The source, a simulated heart",
        "The volume over the beat",
        "The EF ladder beside them",
        "The M-mode under them",
    ] {
        told(&window, name);
    }
}

#[test]
fn what_a_pane_can_do_is_said_below() {
    let _alone = alone();
    let mut window = plain();
    window.get_by_label("Ready. Drag the slider to ask for another EF.");
    window.hover_at(image(&window, "Factual").center());
    window.run_steps(60);
    assert!(window.query_all_by_role(Role::Tooltip).next().is_none());
    window.get_by_label_contains("Wheel: zoom.");
    // While something is made, too.
    press(&mut window, Modifiers::NONE, Key::R);
    assert!(window.state().explore().made.running.is_some());
    window.get_by_label_contains("Wheel: zoom.");
    step_until(&mut window, "pair", settled);
    press(&mut window, Modifiers::NONE, Key::Num5);
    window.hover_at(image(&window, "Factual").center());
    window.run_steps(4);
    window.get_by_label("Drag to draw the line.");
}
