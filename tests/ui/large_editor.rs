//! The square and the masks of a frame, large.

use crate::harness::{Window, alone, drag, image, plain, press, settled, source, step_until};
use egui::{Event, Key, Modifiers, MouseWheelUnit, TouchPhase, Vec2, vec2};
use egui_kittest::kittest::Queryable as _;

#[test]
fn the_square_is_set_in_the_centre_enlarged_and_moved() {
    let _alone = alone();
    let mut window = plain();
    let before = source(&window).anatomy.sha256.clone();
    let square = |w: &Window| source(w).crop.square;
    assert_eq!(square(&window).side, 112);
    press(&mut window, Modifiers::NONE, Key::C);
    let area = image(&window, "Source frame, large");
    // The frame is square, and as large as fits.
    let side = area.width().min(area.height());
    assert!(side > 500.0, "{side}");
    let pixel = side / 112.0;
    let corner = area.center() + Vec2::splat(side / 2.0 - 5.0);
    drag(&mut window, corner, Vec2::splat(-28.0 * pixel));
    let smaller = square(&window);
    assert!(
        smaller.x == 0 && smaller.y == 0 && smaller.side.abs_diff(84) <= 1,
        "{smaller:?}"
    );
    step_until(&mut window, "what the other square gives", settled);
    assert_ne!(source(&window).anatomy.sha256, before);

    // Twice as large, what lies in the middle staying there: as many points move it half as far.
    window.hover_at(area.center());
    window.step();
    window.event(Event::MouseWheel {
        unit: MouseWheelUnit::Point,
        delta: vec2(0.0, 200.0 * std::f32::consts::LN_2),
        phase: TouchPhase::Move,
        source: egui::MouseWheelSource::Wheel,
        modifiers: Modifiers::NONE,
    });
    window.run_steps(60);
    drag(&mut window, area.center(), vec2(20.0, 16.0) * pixel);
    let moved = square(&window);
    assert_eq!(moved.side, smaller.side);
    assert!(
        moved.x.abs_diff(10) <= 1 && moved.y.abs_diff(8) <= 1,
        "{moved:?}"
    );

    // A mask where it is drawn.
    window
        .get_all_by_label("Draw a mask")
        .next()
        .unwrap()
        .click();
    window.run_steps(2);
    drag(&mut window, area.center(), vec2(16.0, 8.0) * pixel);
    let mask = *source(&window).crop.masks.first().expect("a mask");
    // The middle of the area is the middle of the frame, which is shown twice as large.
    assert!(
        mask.x.abs_diff(56) <= 1 && mask.y.abs_diff(56) <= 1,
        "{mask:?}"
    );
    assert!(
        mask.width.abs_diff(8) <= 1 && mask.height.abs_diff(4) <= 1,
        "{mask:?}"
    );
    step_until(&mut window, "what the mask leaves", settled);

    press(&mut window, Modifiers::NONE, Key::Escape);
    assert!(window.query_by_label("Source frame, large").is_none());
    // And it is a step that can be taken back.
    press(&mut window, Modifiers::COMMAND, Key::Z);
    step_until(&mut window, "the step back", settled);
    assert!(source(&window).crop.masks.is_empty());
}

#[test]
fn the_square_is_set_in_the_sources_pane_beside_the_cines() {
    let _alone = alone();
    let mut window = plain();
    let before = source(&window).anatomy.sha256.clone();
    // A still has no pane of its own until it is to be edited there.
    assert!(window.query_by_label("Set the square").is_none());
    press(&mut window, Modifiers::SHIFT, Key::C);
    let area = image(&window, "Source frame, in its pane");
    let cine = image(&window, "Counterfactual");
    assert!(
        area.width() == cine.width() && area.top() == cine.top(),
        "{area:?} {cine:?}"
    );
    let pixel = area.width() / 112.0;
    let corner = area.max - Vec2::splat(5.0);
    drag(&mut window, corner, Vec2::splat(-28.0 * pixel));
    let smaller = source(&window).crop.square;
    assert!(smaller.side.abs_diff(84) <= 1, "{smaller:?}");
    step_until(&mut window, "what the other square gives", settled);
    assert_ne!(source(&window).anatomy.sha256, before);
    // Calipers take the panes for themselves; then it is back, until it is put away.
    press(&mut window, Modifiers::NONE, Key::M);
    assert!(window.query_by_label("Source frame, in its pane").is_none());
    press(&mut window, Modifiers::NONE, Key::Escape);
    image(&window, "Source frame, in its pane");
    window.get_by_label("Done").click();
    window.run_steps(3);
    assert!(window.query_by_label("Source frame, in its pane").is_none());
}
