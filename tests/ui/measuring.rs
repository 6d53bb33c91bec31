//! What is measured on the pictures, and which of them stand beside each other.

use crate::harness::*;
use echoif::ui::{App, Pane};
use egui::accesskit::Role;
use egui::{Key, Modifiers, Vec2, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};

/// Half an ellipse from one end of the annulus over the apex to the other.
fn border(half_width: f32, length: f32) -> Vec<Vec2> {
    (0..=24u8)
        .map(|i| {
            let t = std::f32::consts::PI * (f32::from(i) / 24.0);
            vec2(0.5 - half_width * t.cos(), 0.75 - length * t.sin())
        })
        .collect()
}

/// The number in the words of the caliper that begin or end so.
fn said(window: &Harness<'_, App>, contains: &str) -> f64 {
    let label = window.get_by_label_contains(contains);
    let text = label.accesskit_node().value().unwrap();
    let line = text.lines().find(|line| line.contains(contains)).unwrap();
    let number = line.split_whitespace().find_map(|w| w.parse().ok());
    number.expect("a number")
}

#[test]
fn a_length_an_area_and_an_ef_by_hand_are_those_of_what_was_drawn() {
    let _alone = alone();
    let mut window = exporting();
    press(&mut window, Modifiers::NONE, Key::M);
    assert!(!window.state().explore().view.playback.is_playing());
    let rect = image(&window, "Counterfactual");
    window.get_by_label_contains("The file says no scale");
    // Half the square, of 112 pixels.
    click(&mut window, rect, &[vec2(0.25, 0.4), vec2(0.75, 0.4)]);
    let length = said(&window, " px");
    assert!((length / 56.0 - 1.0).abs() < 0.02, "{length}");
    // Of another frame it is not gone; Escape ends the tool, Delete takes it away.
    press(&mut window, Modifiers::NONE, Key::Escape);
    window.get_by_label("Side by side");
    press(&mut window, Modifiers::NONE, Key::Delete);
    assert!(window.query_by_label_contains(" px").is_none());

    press(&mut window, Modifiers::NONE, Key::A);
    let square = [(0.3, 0.3), (0.7, 0.3), (0.7, 0.7), (0.3, 0.7)];
    click(&mut window, rect, &square.map(|(x, y)| vec2(x, y)));
    // Twice at the same place without a pause between: the area is whole.
    let end = rect.min + vec2(0.3, 0.7) * rect.size();
    for _ in 0..2 {
        for pressed in [true, false] {
            window.event(egui::Event::PointerButton {
                pos: end,
                button: egui::PointerButton::Primary,
                pressed,
                modifiers: Modifiers::NONE,
            });
            window.step();
        }
    }
    let area = said(&window, " px\u{b2}");
    assert!((area / (0.16 * 112.0 * 112.0) - 1.0).abs() < 0.02, "{area}");
    press(&mut window, Modifiers::NONE, Key::Escape);
    press(&mut window, Modifiers::NONE, Key::Delete);

    // The same shape at 0.8 of its size: 1 - 0.8^3 is ejected.
    press(&mut window, Modifiers::NONE, Key::E);
    let made = window.state().explore().made.counterfactual.as_ref();
    let p = made.unwrap().result.provenance.clone();
    assert_eq!(Some(window.state().explore().frame_now(0.0)), p.ed_frame);
    for (part, (half_width, length)) in [(0.2, 0.5), (0.16, 0.4)].into_iter().enumerate() {
        let border = border(half_width, length);
        click(&mut window, rect, &border);
        // The same place twice more, without a pause between: it is whole.
        for pressed in [true, false, true, false] {
            window.event(egui::Event::PointerButton {
                pos: rect.min + border[24] * rect.size(),
                button: egui::PointerButton::Primary,
                pressed,
                modifiers: Modifiers::NONE,
            });
            window.step();
        }
        window.run_steps(3);
        if part == 0 {
            window.get_by_label_contains("Now the inner border at end-systole");
            assert_eq!(Some(window.state().explore().frame_now(0.0)), p.es_frame);
        }
    }
    let ef = said(&window, "EF by hand");
    let truth = 100.0 * (1.0 - 0.8f64.powi(3));
    println!("EF by hand {ef}, of the solid {truth:.1}");
    assert!((ef - truth).abs() < 2.0, "{ef}");
    // The tool has ended, and what was drawn stays with its cine.
    window.get_by_label("Side by side");
    assert_eq!(window.query_all_by_label_contains("EF by hand").count(), 1);
}

#[test]
fn calipers_are_set_by_keys_alone() {
    let _alone = alone();
    let mut window = exporting();
    press(&mut window, Modifiers::NONE, Key::M);
    press(&mut window, Modifiers::NONE, Key::Enter);
    let requested = window.state().explore().wanted.requested;
    // Four leaps of 5 % to the right, and one step of 1 % down.
    for _ in 0..4 {
        press(&mut window, Modifiers::SHIFT, Key::ArrowRight);
    }
    press(&mut window, Modifiers::NONE, Key::ArrowDown);
    press(&mut window, Modifiers::NONE, Key::Enter);
    let length = said(&window, " px");
    let truth = 112.0 * 0.2f64.hypot(0.01);
    assert!((length - truth).abs() < 0.2, "{length} {truth}");
    assert_eq!(window.state().explore().wanted.requested, requested);
    // Over the left border into the factual cine.
    for _ in 0..16 {
        press(&mut window, Modifiers::SHIFT, Key::ArrowLeft);
    }
    press(&mut window, Modifiers::NONE, Key::Enter);
    press(&mut window, Modifiers::SHIFT, Key::ArrowUp);
    press(&mut window, Modifiers::NONE, Key::Enter);
    assert_eq!(window.query_all_by_label_contains(" px").count(), 2);
    press(&mut window, Modifiers::NONE, Key::Escape);
    press(&mut window, Modifiers::NONE, Key::ArrowRight);
    assert_ne!(window.state().explore().wanted.requested, requested);
}

#[test]
fn a_pinned_cine_stays_beside_the_next_one() {
    let _alone = alone();
    let mut window = exporting();
    let pixels = |window: &Harness<'_, App>, pinned: bool| {
        let made = &window.state().explore().made;
        let shown = if pinned {
            &made.pinned
        } else {
            &made.counterfactual
        };
        let shown = shown.as_ref().expect("a cine");
        shown.result.provenance.pixels_sha256.clone()
    };
    let first = pixels(&window, false);
    press(&mut window, Modifiers::NONE, Key::P);
    for _ in 0..4 {
        press(&mut window, Modifiers::SHIFT, Key::ArrowRight);
    }
    step_until(&mut window, "pair", settled);
    assert_eq!(pixels(&window, true), first);
    assert_ne!(pixels(&window, false), first);
    let (left, right) = (image(&window, "Pinned"), image(&window, "Counterfactual"));
    assert!(left.right() < right.left() && left.width() == right.width());

    // Compared with, in one picture and as a strip.
    press(&mut window, Modifiers::NONE, Key::Num4);
    window.get_by_label("pinned").click();
    window.run_steps(2);
    assert_eq!(window.state().explore().view.against, Pane::Pinned);
    press(&mut window, Modifiers::NONE, Key::Num5);
    window.run_steps(2);
    image(&window, "M-mode, pinned");
    press(&mut window, Modifiers::NONE, Key::Num1);

    // While X is held, the counterfactual's pane shows it.
    window.key_down(Key::X);
    window.run_steps(2);
    assert!(window.state().explore().view.before);
    assert_eq!(window.query_all_by_label("Pinned").count(), 3);
    window.key_up(Key::X);
    window.run_steps(2);
    assert!(!window.state().explore().view.before);
    // In one picture, too.
    press(&mut window, Modifiers::NONE, Key::Num2);
    window.key_down(Key::X);
    window.run_steps(2);
    assert!(window.state().explore().view.before);
    window.key_up(Key::X);
    window.run_steps(2);
    press(&mut window, Modifiers::NONE, Key::Num1);

    press(&mut window, Modifiers::NONE, Key::P);
    let e = window.state().explore();
    assert!(e.made.pinned.is_none() && e.view.against == Pane::Factual);
    // Another heart has none.
    press(&mut window, Modifiers::NONE, Key::P);
    assert!(window.state().explore().made.pinned.is_some());
    press(&mut window, Modifiers::COMMAND, Key::H);
    step_until(&mut window, "pair", settled);
    assert!(window.state().explore().made.pinned.is_none());
}

#[test]
fn overlays_are_switched_one_by_one_and_all_at_once() {
    let _alone = alone();
    let mut window = exporting();
    window.get_by_label("Overlays").click();
    window.run_steps(4);
    for name in ["EF", "Frame", "Heart rate"] {
        window.get_by_role_and_label(Role::CheckBox, name).click();
        window.run_steps(2);
    }
    press(&mut window, Modifiers::NONE, Key::Escape);
    let on = window.state().explore().view.overlays;
    assert!(on.ef && on.frame && on.heart_rate && !on.outline && !on.hidden);
    press(&mut window, Modifiers::NONE, Key::H);
    assert!(window.state().explore().view.overlays.hidden);
    // One that is switched on is meant to be seen.
    press(&mut window, Modifiers::NONE, Key::O);
    let on = window.state().explore().view.overlays;
    assert!(on.outline && on.ef && !on.hidden);
}
