//! What Explore offers around a finished pair: comparisons, ladder, history, undo, palette.

use crate::harness::*;
use echoif::ui::{Comparison, NoPicker, Pane, Settings};
use egui::accesskit::Role;
use egui::{Key, Modifiers, vec2};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[test]
fn comparisons_by_key_and_mouse() {
    let _alone = alone();
    let mut window = exporting();
    for (key, mode) in [
        (Key::Num2, Comparison::Wipe),
        (Key::Num3, Comparison::Flicker),
        (Key::Num4, Comparison::Difference),
        (Key::Num5, Comparison::MMode),
        (Key::Num1, Comparison::SideBySide),
    ] {
        press(&mut window, Modifiers::NONE, key);
        assert_eq!(window.state().explore().view.mode, mode);
    }
    // The wipe's edge follows a drag; elsewhere a drag moves the picture, once it is enlarged.
    press(&mut window, Modifiers::NONE, Key::Num2);
    let rect = image(&window, "Wipe");
    drag(&mut window, rect.center(), vec2(-0.25 * rect.width(), 0.0));
    let edge = window.state().explore().view.edge;
    assert!((edge - 0.25).abs() < 0.03, "{edge}");
    window.get_by_label("source").click();
    window.run_steps(2);
    assert_eq!(window.state().explore().view.against, Pane::Source);

    // Zoom, window and level, invert, reset.
    press(&mut window, Modifiers::NONE, Key::Num1);
    let rect = image(&window, "Counterfactual");
    window.hover_at(rect.center() + vec2(20.0, 0.0));
    window.step();
    window.event(egui::Event::MouseWheel {
        unit: egui::MouseWheelUnit::Point,
        delta: vec2(0.0, 120.0),
        phase: egui::TouchPhase::Move,
        source: egui::MouseWheelSource::Wheel,
        modifiers: Modifiers::NONE,
    });
    window.run_steps(30);
    let look = window.state().explore().view.look;
    assert!(look.zoom() > 1.3, "{}", look.zoom());
    press(&mut window, Modifiers::NONE, Key::I);
    assert!(window.state().explore().view.look.invert);
    window.get_by_label("Reset view").click();
    window.run_steps(2);
    assert!(window.state().explore().view.look.is_plain());

    // M-mode: a line, three strips, and the strip as a time line.
    press(&mut window, Modifiers::NONE, Key::Num5);
    let usual = window
        .state()
        .explore()
        .view
        .line
        .expect("a line across the ventricle");
    assert!(
        usual[0].y == usual[1].y && usual[1].x - usual[0].x > 0.2,
        "{usual:?}"
    );
    let rect = image(&window, "Factual");
    let from = rect.min + vec2(0.25, 0.45) * rect.size();
    drag(&mut window, from, vec2(0.5, 0.1) * rect.size());
    let line = window.state().explore().view.line.expect("a line");
    assert!((line[0] - vec2(0.25, 0.45)).length() < 0.02, "{line:?}");
    assert!((line[1] - vec2(0.75, 0.55)).length() < 0.03, "{line:?}");
    for name in ["source", "factual", "counterfactual"] {
        image(&window, &format!("M-mode, {name}"));
    }
    let strip = image(&window, "M-mode, factual");
    let at = strip.min + vec2(0.5, 0.5) * strip.size();
    drag(&mut window, at, vec2(2.0, 0.0));
    let e = window.state().explore();
    assert!(!e.view.playback.is_playing());
    assert_eq!(e.frame_now(0.0), 8);

    // The source's strip only where that is ticked.
    let without = exported(&mut window, "M-mode picture", &[], "png");
    let source = "The source, a simulated heart";
    let picture = exported(&mut window, "M-mode picture", &[source], "png");
    assert!(picture.1 >= without.1 + 100, "{without:?} {picture:?}");
    assert!(picture.1 > 3 * 112, "{picture:?}");

    // Forth and back.
    press(&mut window, Modifiers::NONE, Key::B);
    assert!(window.state().explore().view.playback.bounces());
    window.get_by_label("Bounce");
}

#[test]
fn a_ladder_is_climbed_and_a_rung_taken_at_once() {
    let _alone = alone();
    let mut window = exporting();
    let start = Instant::now();
    window.get_by_label("EF ladder").click();
    step_until(&mut window, "ladder", |app| {
        let ladder = app.explore().made.ladder.as_ref();
        ladder.is_some_and(|l| l.job.is_none() && !l.rungs.is_empty())
    });
    println!("a ladder after {:?}", start.elapsed());
    let rungs = &window.state().explore().made.ladder.as_ref().unwrap().rungs;
    assert!((6..=8).contains(&rungs.len()));
    let measured: Vec<f64> = rungs
        .iter()
        .map(|r| r.result.provenance.measured_ef_percent)
        .collect();
    println!("measured {measured:.1?}");
    assert!(measured.first() < measured.last());
    let seed = rungs[0].result.provenance.seed;
    assert!(rungs.iter().all(|r| r.result.provenance.seed == seed));
    let sixty = rungs
        .iter()
        .find(|r| r.result.provenance.requested_ef_percent == 60.0);
    let sixty = sixty.unwrap().result.provenance.pixels_sha256.clone();
    // A rung of the batch is in the pane without another run.
    let start = Instant::now();
    window
        .get_by_role_and_label(Role::Image, "Rung EF 60 %")
        .click();
    step_until(&mut window, "rung in the pane", |app| {
        let made = app.explore().made.counterfactual.as_ref();
        made.is_some_and(|m| m.result.provenance.pixels_sha256 == sixty)
    });
    assert!(
        start.elapsed() < Duration::from_secs(1),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(window.state().explore().wanted.requested, 60.0);
    // All results of the anatomy are in the plot.
    step_until(&mut window, "pair", settled);
    let points = &window.state().explore().made.points;
    assert!(points.len() >= 8, "{points:?}");
    window.get_by_label_contains("Requested against measured EF,");
    let picture = exported(&mut window, "Ladder picture", &[], "png");
    assert!(picture.0 >= 112 * 6 && picture.1 > 2 * 112, "{picture:?}");
    // The panes at this moment: both cines, each three times 112 wide, then the ladder's rungs beside them.
    let moment = "Panes at this moment, a picture";
    let alone = exported(&mut window, moment, &[], "png");
    let with_ladder = exported(&mut window, moment, &["The EF ladder beside them"], "png");
    let ladder = window.state().explore().made.ladder.as_ref().unwrap();
    let rungs = ladder.rungs.len();
    assert!(alone.0 >= 2 * 336 && alone.0 < 3 * 336, "{alone:?}");
    assert!(
        rungs >= 6 && with_ladder.0 >= alone.0 + rungs * 336,
        "{with_ladder:?}"
    );
    window.get_by_label("Close ladder").click();
    window.run_steps(2);
    assert!(window.state().explore().made.ladder.is_none());
    // The comparison on screen is a picture beside them; one with the source only where that is in the file, too.
    for (key, what) in [
        (Key::Num2, "The wipe beside them"),
        (Key::Num4, "The difference beside them"),
    ] {
        press(&mut window, Modifiers::NONE, key);
        let with_comparison = exported(&mut window, moment, &[what], "png");
        assert!(
            with_comparison.0 >= alone.0 + 336 && with_comparison.1 >= alone.1,
            "{with_comparison:?}"
        );
    }
    window.get_by_label("source").click();
    press(&mut window, Modifiers::COMMAND, Key::S);
    window.run_steps(3);
    window.get_by_label(moment).click();
    window.run_steps(2);
    let line = |w: &Window| {
        w.get_by_label("The difference beside them")
            .accesskit_node()
            .is_disabled()
    };
    assert!(line(&window));
    window.get_by_label("The source, a simulated heart").click();
    window.run_steps(2);
    assert!(!line(&window));
}

#[test]
fn a_ladder_waits_for_a_cine_and_can_be_taken_off() {
    let _alone = alone();
    let mut window = plain();
    press(&mut window, Modifiers::NONE, Key::L);
    step_until(&mut window, "climb", |app| {
        app.explore()
            .made
            .ladder
            .as_ref()
            .is_some_and(|l| l.fraction > 0.0)
    });
    press(&mut window, Modifiers::SHIFT, Key::ArrowRight);
    assert!(window.state().explore().made.ladder.as_ref().unwrap().waits);
    window.get_by_label("Next: the EF ladder");
    window.get_by_label("Take it off").click();
    window.run_steps(2);
    // The cine that was asked for is made all the same.
    assert!(window.state().explore().made.ladder.is_none());
    step_until(&mut window, "cine", settled);
    assert_eq!(window.state().explore().wanted.requested, 35.0);

    // Left alone, it goes on when the cine is there.
    press(&mut window, Modifiers::NONE, Key::L);
    step_until(&mut window, "climb", |app| {
        app.explore()
            .made
            .ladder
            .as_ref()
            .is_some_and(|l| l.fraction > 0.0)
    });
    press(&mut window, Modifiers::SHIFT, Key::ArrowRight);
    step_until(&mut window, "ladder", |app| {
        let ladder = app.explore().made.ladder.as_ref();
        ladder.is_some_and(|l| !l.rungs.is_empty())
    });
    assert_eq!(window.state().explore().wanted.requested, 40.0);
}

#[test]
fn steps_are_undone_and_commands_found() {
    let _alone = alone();
    let mut window = plain();
    window.run_steps(3);
    let state = |w: &Window| {
        let e = w.state().explore();
        let crop = &e.case.source.as_ref().unwrap().crop;
        (e.wanted.requested, crop.mirrored, e.wanted.seed)
    };
    assert_eq!(state(&window), (30.0, false, 0));
    press(&mut window, Modifiers::NONE, Key::F);
    press(&mut window, Modifiers::SHIFT, Key::ArrowRight);
    // By the palette: letters of a name, then Enter.
    press(&mut window, Modifiers::COMMAND, Key::K);
    let field = window.get_by_role_and_label(Role::TextInput, "Command");
    field.type_text("nwsd");
    window.run_steps(3);
    press(&mut window, Modifiers::NONE, Key::Enter);
    window.run_steps(3);
    assert_eq!(state(&window), (35.0, true, 1));
    let steps = [(35.0, true, 0), (30.0, true, 0), (30.0, false, 0)];
    for step in steps {
        press(&mut window, Modifiers::COMMAND, Key::Z);
        assert_eq!(state(&window), step);
    }
    press(&mut window, Modifiers::COMMAND, Key::Z);
    assert_eq!(state(&window), (30.0, false, 0));
    press(
        &mut window,
        Modifiers::COMMAND.plus(Modifiers::SHIFT),
        Key::Z,
    );
    assert_eq!(state(&window), (30.0, true, 0));
    step_until(&mut window, "pair", settled);
    // Every command has its line in the sheet, and its key.
    press(&mut window, Modifiers::NONE, Key::Questionmark);
    for name in ["Wipe", "M-mode", "Undo", "About"] {
        assert!(window.query_all_by_label(name).next().is_some(), "{name}");
    }
}

/// The share of the window that the factual and the counterfactual picture have.
fn share(window: &Window, size: egui::Vec2) -> f32 {
    let pictures = ["Factual", "Counterfactual"].map(|name| image(window, name));
    let whole = egui::Rect::from_min_size(egui::Pos2::ZERO, size);
    assert!(
        pictures.iter().all(|p| whole.contains_rect(*p)),
        "{pictures:?}"
    );
    assert!(!pictures[0].intersects(pictures[1]));
    pictures.iter().map(|p| p.area()).sum::<f32>() / whole.area()
}

#[test]
fn the_pictures_have_the_window() {
    let _alone = alone();
    let clip = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/a4c_1.gif");
    for (of, file) in [("still", None), ("clip", Some(clip))] {
        let mut window = window(None, Arc::new(NoPicker), file);
        assert_eq!(window.query_by_label("Align phase").is_some(), of == "clip");
        has_the_window(&mut window, of);
    }
}

fn has_the_window(window: &mut Window, of: &str) {
    // With the panels and without; half of the smallest window is what its words take.
    for (size, open, folded) in [
        (vec2(900.0, 600.0), 0.12, 0.2),
        (vec2(1280.0, 800.0), 0.35, 0.6),
        (vec2(1920.0, 1080.0), 0.35, 0.6),
        (vec2(2560.0, 1440.0), 0.35, 0.6),
    ] {
        window.set_size(size);
        window.run_steps(3);
        let with_panels = share(window, size);
        press(window, Modifiers::NONE, Key::F3);
        press(window, Modifiers::NONE, Key::F4);
        let pictures_alone = share(window, size);
        println!(
            "{of}, {} x {}: {:.1} %, folded {:.1} %",
            size.x,
            size.y,
            100.0 * with_panels,
            100.0 * pictures_alone
        );
        assert!(
            with_panels > open && pictures_alone > folded,
            "{of} {size:?}"
        );
        for panel in ["Source panel", "Settings panel"] {
            window.get_by_label(panel).click();
            window.run_steps(4);
        }
    }
}

#[test]
fn panels_fold_and_a_pane_can_be_alone() {
    let _alone = alone();
    let mut window = plain();
    let has =
        |window: &Window, name: &str| window.query_by_role_and_label(Role::Image, name).is_some();
    // A still is shown by its panel alone.
    assert!(!has(&window, "Source") && has(&window, "Source frame"));
    window.get_by_label("Fold the source panel").click();
    window.run_steps(3);
    assert!(!has(&window, "Source") && !has(&window, "Source frame"));
    assert!(window.state().explore().view.folded.source);
    let mut kept = Kept::default();
    eframe::App::save(window.state_mut(), &mut kept);
    let restored = Settings::restore(&kept).expect("they were kept");
    assert!(restored.source_folded && !restored.settings_folded);

    let before = image(&window, "Factual");
    let double_click = |window: &mut Window, at: egui::Pos2| {
        // Not so soon after another click that it counts as the third.
        window.run_steps(30);
        for _ in 0..2 {
            window.drag_at(at);
            window.step();
            window.drop_at(at);
            window.step();
        }
        window.run_steps(3);
    };
    double_click(&mut window, before.center());
    assert!(!has(&window, "Counterfactual"));
    let alone = image(&window, "Factual");
    assert!(alone.width() > 1.2 * before.width(), "{before:?} {alone:?}");
    double_click(&mut window, alone.center());
    assert!(has(&window, "Counterfactual") && image(&window, "Factual") == before);
    double_click(&mut window, before.center());
    press(&mut window, Modifiers::NONE, Key::Escape);
    assert!(has(&window, "Counterfactual"));
}

#[test]
fn a_clip_plays_in_its_panel_or_beside_the_cines() {
    let _alone = alone();
    let clip = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/a4c_1.gif");
    let mut window = window(None, Arc::new(NoPicker), Some(clip));
    let pane = |window: &Window| {
        let pane = window.query_by_role_and_label(Role::Image, "Source");
        pane.map(|p| p.rect())
    };
    let plays = |window: &mut Window| {
        let mut seen = Vec::new();
        for _ in 0..120 {
            seen.push(window.state().explore().case.frame_on_screen());
            window.step();
        }
        seen.sort();
        seen.dedup();
        seen.len() > 8
    };
    assert_eq!(pane(&window), None);
    assert!(plays(&mut window));
    window.get_by_label("Not phase-aligned");
    // While its square is held, the frame that it is taken from.
    let at = image(&window, "Source frame").center();
    window.drag_at(at);
    window.run_steps(2);
    assert!(!plays(&mut window));
    window.drop_at(at);
    window.run_steps(2);
    assert!(plays(&mut window));

    // Without its panel it is small, beside the others.
    press(&mut window, Modifiers::NONE, Key::F3);
    let (small, made) = (pane(&window).expect("a pane"), image(&window, "Factual"));
    assert!(small.width() >= 120.0 && small.width() < 0.5 * made.width());
    assert!(plays(&mut window));
    press(&mut window, Modifiers::NONE, Key::F3);
    assert_eq!(pane(&window), None);

    // As large as they are, if the user wants it, and still so after a restart.
    window.get_by_label("Beside").click();
    window.run_steps(3);
    let (large, made) = (pane(&window).expect("a pane"), image(&window, "Factual"));
    assert!((large.width() - made.width()).abs() < 1.0);
    assert!(plays(&mut window));
    let mut kept = Kept::default();
    eframe::App::save(window.state_mut(), &mut kept);
    assert!(
        Settings::restore(&kept)
            .expect("they were kept")
            .source_beside
    );
    // From a comparison the same key brings it again, then takes it away.
    press(&mut window, Modifiers::NONE, Key::Num2);
    press(&mut window, Modifiers::SHIFT, Key::S);
    assert!(pane(&window).is_some());
    press(&mut window, Modifiers::SHIFT, Key::S);
    assert_eq!(pane(&window), None);
}

#[test]
fn the_palette_asks_for_an_ef() {
    let _alone = alone();
    let mut window = plain();
    press(&mut window, Modifiers::COMMAND, Key::K);
    let field = window.get_by_role_and_label(Role::TextInput, "Command");
    field.type_text("ef 62");
    window.run_steps(3);
    window.get_by_label("Ask for EF 62 %");
    press(&mut window, Modifiers::NONE, Key::Enter);
    window.run_steps(3);
    assert_eq!(window.state().explore().wanted.requested, 62.0);
    step_until(&mut window, "pair", settled);
}
