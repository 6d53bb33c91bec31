//! Help: what can be pressed has some, and no bubble covers a picture.

use crate::harness::*;
use echoif::ui::NoPicker;
use egui::accesskit::Role;
use egui::{Key, Modifiers, Rect, vec2};
use egui_kittest::Node;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use std::path::Path;
use std::sync::Arc;

/// What has help, or should have some: its name, its help and its place.
fn helpful(window: &Window) -> Vec<(String, String, Rect)> {
    fn walk(node: &Node<'_>, found: &mut Vec<(String, String, Rect)>) {
        let inner = node.accesskit_node();
        let role = inner.role();
        let is_pressed = [Role::Button, Role::CheckBox].contains(&role);
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

/// Rests the pointer on all of it that is in view. What has no help, in a bubble or in the line at the bottom; no bubble may
/// lie over a picture.
fn without_help(window: &mut Window, what: &str) -> Vec<String> {
    let names = ["Factual", "Counterfactual", "Source", "Source frame"];
    let pictures = window.query_all_by_role(Role::Image);
    let pictures: Vec<Rect> = pictures
        .filter(|p| {
            let name = p.accesskit_node().label().unwrap_or_default();
            names.contains(&name.as_str())
        })
        .map(|p| p.rect())
        .collect();
    assert!(pictures.len() >= 2, "{what}: {pictures:?}");
    // What is scrolled out of view lies below this.
    let whole = window.ctx.content_rect();
    let seen = whole.with_max_y(image(window, "Counterfactual").bottom());
    let (mut without, mut bubbles) = (Vec::new(), 0);
    for (name, help, rect) in helpful(window) {
        if !seen.contains_rect(rect) {
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
            without.push(name.clone());
        }
        for place in all {
            for picture in &pictures {
                let both = picture.intersect(place);
                assert!(
                    !both.is_positive(),
                    "{what}, {name}: {place} over {picture}"
                );
            }
        }
    }
    println!("{what}: {bubbles} bubbles, none of {without:?}");
    assert!(bubbles >= 15);
    without
}

#[test]
fn help_covers_no_picture() {
    let _alone = alone();
    let clip = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/a4c_1.gif");
    let mut window = window(None, Arc::new(NoPicker), Some(clip));
    window.set_size(vec2(1280.0, 800.0));
    press(&mut window, Modifiers::NONE, Key::Space);
    let mut without = without_help(&mut window, "with panels");
    press(&mut window, Modifiers::SHIFT, Key::S);
    without.extend(without_help(&mut window, "the source beside"));
    press(&mut window, Modifiers::SHIFT, Key::S);
    press(&mut window, Modifiers::NONE, Key::F3);
    press(&mut window, Modifiers::NONE, Key::F4);
    without.extend(without_help(&mut window, "folded"));
    without.sort();
    without.dedup();
    assert_eq!(without, Vec::<String>::new());
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
