//! The slider dragged for ten seconds against the real worker. A process of its own, because it reads
//! the process's memory.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests may stop a test

mod common;

use echoif::engine::DeviceChoice;
use echoif::ui::{App, NoPicker, Options, Settings};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The app, with the longest of its calls.
struct Timed {
    app: App,
    calls: usize,
    longest: Duration,
}

impl eframe::App for Timed {
    fn logic(&mut self, ctx: &egui::Context, frame: &mut eframe::Frame) {
        let start = Instant::now();
        self.app.logic(ctx, frame);
        self.longest = self.longest.max(start.elapsed());
    }

    fn ui(&mut self, ui: &mut egui::Ui, frame: &mut eframe::Frame) {
        let start = Instant::now();
        self.app.ui(ui, frame);
        self.longest = self.longest.max(start.elapsed());
        self.calls += 1;
    }
}

fn step_until(window: &mut Harness<'_, Timed>, what: &str, done: impl Fn(&App) -> bool) {
    let start = Instant::now();
    while !done(&window.state().app) {
        assert!(start.elapsed() < Duration::from_secs(120), "no {what}");
        window.step();
        std::thread::sleep(Duration::from_millis(4));
    }
}

#[test]
fn ten_seconds_of_dragging() {
    let mut window = Harness::builder()
        .with_size([1280.0, 800.0])
        .with_step_dt(1.0 / 60.0)
        .build_eframe(|cc| Timed {
            app: App::new(
                cc,
                Options {
                    file: None,
                    device: DeviceChoice::Cpu,
                    picker: Arc::new(NoPicker),
                    study: None,
                    paints_background: false,
                    settings: Some(Settings {
                        welcomed: true,
                        ..Settings::default()
                    }),
                    ..Options::default()
                },
            )
            .expect("the worker starts"),
            calls: 0,
            longest: Duration::ZERO,
        });
    let settled = |app: &App| {
        let e = app.explore();
        e.made.running.is_none() && e.made.counterfactual.is_some() && e.made.factual.is_some()
    };
    step_until(&mut window, "first pair", settled);
    let role = egui::accesskit::Role::Slider;
    let slider = window.get_by_role_and_label(role, "Requested EF").rect();
    let at = |share: f32| slider.lerp_inside(egui::vec2(share, 0.5));
    window.drag_at(at(0.3));
    window.step();
    let (mut before, mut values) = (None, 0);
    let start = Instant::now();
    let mut last = -1.0;
    window.state_mut().longest = Duration::ZERO;
    window.state_mut().calls = 0;
    let shown = window.state().app.explore().made.estimates;
    while start.elapsed() < Duration::from_secs(10) {
        // There and back, once in two seconds.
        let t = start.elapsed().as_secs_f32();
        window.hover_at(at(0.5 + 0.4 * (t * std::f32::consts::PI).sin()));
        window.step();
        let requested = window.state().app.explore().wanted.requested;
        values += usize::from(requested != last);
        last = requested;
        // The first two seconds fill what is filled once.
        if before.is_none() && t > 2.0 {
            before = Some(common::memory().1);
        }
        std::thread::sleep(Duration::from_millis(8));
    }
    window.hover_at(at(0.8));
    window.step();
    window.drop_at(at(0.8));
    window.step();
    let more = common::memory().1.saturating_sub(before.unwrap());
    let (calls, longest) = (window.state().calls, window.state().longest);
    let estimates = window.state().app.explore().made.estimates - shown;
    println!("{estimates} estimates in ten seconds");
    println!(
        "{values} values, {calls} frames, the longest {longest:?}, {} KB more",
        more >> 10
    );
    let wanted = window.state().app.explore().wanted.requested;
    step_until(&mut window, "the last value", |app| {
        let made = app.explore().made.counterfactual.as_ref().unwrap();
        settled(app) && made.result.provenance.requested_ef_percent == wanted
    });
    assert!((wanted - 70.0).abs() <= 1.0, "{wanted}");
    assert!(
        values > 100 && calls > 300,
        "{values} values in {calls} frames"
    );
    // While the slider moves, the pane follows: each evaluation is shown, and none is thrown away.
    assert!(estimates >= 10, "{estimates} estimates");
    assert!(longest < Duration::from_millis(50), "{longest:?}");
    assert!(more < 64 << 20, "{} MB", more >> 20);
}
