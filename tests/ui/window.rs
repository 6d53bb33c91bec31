//! The window, driven through its accessible tree against the real worker.

use crate::common::alone;
use echoif::engine::DeviceChoice;
use echoif::ui::{App, NoPicker, Options, Settings};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The app, with every call timed.
struct Timed {
    app: App,
    calls: Vec<(Instant, &'static str, Duration)>,
}

impl eframe::App for Timed {
    fn logic(&mut self, ctx: &egui::Context, frame: &mut eframe::Frame) {
        let start = Instant::now();
        self.app.logic(ctx, frame);
        self.calls.push((start, "logic", start.elapsed()));
    }

    fn ui(&mut self, ui: &mut egui::Ui, frame: &mut eframe::Frame) {
        let start = Instant::now();
        self.app.ui(ui, frame);
        self.calls.push((start, "ui", start.elapsed()));
    }
}

fn window() -> Harness<'static, Timed> {
    window_of(1)
}

/// A window whose runs make so many cines and keep the closest.
fn window_of(best_of: usize) -> Harness<'static, Timed> {
    Harness::builder()
        .with_size([1280.0, 800.0])
        .with_step_dt(1.0 / 60.0)
        .build_eframe(|cc| {
            let options = Options {
                file: None,
                device: DeviceChoice::Cpu,
                picker: Arc::new(NoPicker),
                study: None,
                paints_background: false,
                settings: Some(Settings {
                    welcomed: true,
                    best_of,
                    ..Settings::default()
                }),
                ..Options::default()
            };
            Timed {
                app: App::new(cc, options).expect("the worker starts"),
                calls: Vec::new(),
            }
        })
}

/// Steps until `done`, as a screen would, at most two minutes.
fn step_until(window: &mut Harness<'_, Timed>, what: &str, done: impl Fn(&Timed) -> bool) {
    let start = Instant::now();
    while !done(window.state()) {
        assert!(
            start.elapsed() < Duration::from_secs(120),
            "{what} did not come"
        );
        window.step();
        std::thread::sleep(Duration::from_millis(4));
    }
    window.step();
}

fn finished_at(t: &Timed, ef: f64) -> bool {
    let e = t.app.explore();
    let made = e.made.counterfactual.as_ref();
    e.made.running.is_none()
        && made.is_some_and(|m| m.result.provenance.requested_ef_percent == ef)
        && e.made.factual.is_some()
}

#[test]
fn from_the_first_heart_to_a_measured_ef() {
    let _alone = alone();
    let mut window = window();
    step_until(&mut window, "the first pair", |t| finished_at(t, 30.0));
    // What must always be on screen.
    window.get_by_label_contains("Not a patient's scan");
    window.get_by_label_contains("CPU");
    assert!(
        window
            .query_all_by_label("built-in cascade")
            .next()
            .is_some()
    );
    window.get_by_label("Simulated heart 1, 112 x 112");

    // The slider, by keyboard, through the tree.
    let role = egui::accesskit::Role::Slider;
    let slider = window.get_by_role_and_label(role, "Requested EF");
    assert_eq!(slider.accesskit_node().numeric_value(), Some(30.0));
    for _ in 0..3 {
        window.key_press_modifiers(egui::Modifiers::SHIFT, egui::Key::ArrowRight);
        window.step();
    }
    window.key_press(egui::Key::ArrowRight);
    window.step();
    let slider = window.get_by_role_and_label(role, "Requested EF");
    assert_eq!(slider.accesskit_node().numeric_value(), Some(46.0));
    window.get_by_label("mildly reduced is asked for");
    step_until(&mut window, "the cine at 46 %", |t| finished_at(t, 46.0));
    window.get_by_label("Requested EF 46 %");
    let made = window
        .state()
        .app
        .explore()
        .made
        .counterfactual
        .clone()
        .unwrap();
    let measured = format!(
        "Measured EF {:.0} %",
        made.result.provenance.measured_ef_percent
    );
    assert!(
        window.query_all_by_label(&measured).next().is_some(),
        "{measured}"
    );

    // Going back to a generated value is instant.
    let start = Instant::now();
    window.get_by_label_contains("\nasked 30 %").scroll_to_me();
    window.run_steps(3);
    window.get_by_label_contains("\nasked 30 %").click();
    step_until(&mut window, "the cine at 30 %", |t| finished_at(t, 30.0));
    assert!(
        start.elapsed() < Duration::from_secs(1),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn transport_and_cancel() {
    let _alone = alone();
    let mut window = window();
    step_until(&mut window, "a running job", |t| {
        t.app
            .explore()
            .made
            .running
            .as_ref()
            .is_some_and(|r| r.at.is_some())
    });
    window.get_by_label("Cancel").click();
    let start = Instant::now();
    step_until(&mut window, "the end of the job", |t| {
        t.app.explore().made.running.is_none()
    });
    assert!(
        start.elapsed() < Duration::from_secs(1),
        "{:?}",
        start.elapsed()
    );

    window.get_by_label("Pause").click();
    window.step();
    let frame = |w: &Harness<'_, Timed>| w.state().app.explore().frame_now(1e6);
    let before = frame(&window);
    window.get_by_label("Step forward").click();
    window.step();
    assert_eq!(frame(&window), (before + 1) % 16);
    window.get_by_label("Step back").click();
    window.step();
    assert_eq!(frame(&window), before);
    window.get_by_label("Play").click();
    window.step();
    assert!(window.state().app.explore().view.playback.is_playing());
}

#[test]
fn no_call_takes_50_ms_while_a_job_runs() {
    let _alone = alone();
    let mut window = window_of(32);
    step_until(&mut window, "the first event", |t| {
        t.app
            .explore()
            .made
            .running
            .as_ref()
            .is_some_and(|r| r.at.is_some())
    });
    let first = Instant::now();
    step_until(&mut window, "the last event", |t| finished_at(t, 30.0));
    let last = Instant::now();
    let during: Vec<_> = window
        .state()
        .calls
        .iter()
        .filter(|(at, ..)| (first..last).contains(at))
        .collect();
    let (at, name, longest) = during
        .iter()
        .max_by_key(|(_, _, d)| *d)
        .expect("there were calls");
    println!(
        "{} calls in {:.1} s, the longest {:.1} ms ({name}, {:.1} s in)",
        during.len(),
        (last - first).as_secs_f64(),
        longest.as_secs_f64() * 1e3,
        (*at - first).as_secs_f64()
    );
    assert!(
        during.len() >= 200,
        "only {} calls: the job ended too early to tell",
        during.len()
    );
    assert!(
        *longest < Duration::from_millis(50),
        "{name} took {longest:?}"
    );
}

/// Answers with a path, once for each purpose.
struct Says(std::path::PathBuf);

impl echoif::ui::Picker for Says {
    fn pick(&self, _: echoif::ui::Purpose) -> Option<std::path::PathBuf> {
        Some(self.0.clone())
    }
}

#[test]
fn files_come_by_dialog_by_drop_and_by_argument_and_bad_ones_cost_nothing() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let wide = folder.path().join("wide.png");
    image::RgbImage::from_fn(160, 120, |x, y| image::Rgb([(x + y) as u8; 3]))
        .save(&wide)
        .unwrap();
    let bad = folder.path().join("bad.png");
    std::fs::write(&bad, b"nothing").unwrap();
    let tiny =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/merged_tiny_1scm");

    // By argument, then a cascade by dialog.
    let (argument, chosen) = (wide.clone(), tiny.clone());
    let mut window = Harness::builder()
        .with_size([1280.0, 800.0])
        .with_step_dt(1.0 / 60.0)
        .build_eframe(|cc| {
            let options = Options {
                file: Some(argument),
                device: DeviceChoice::Cpu,
                picker: Arc::new(Says(chosen)),
                study: None,
                paints_background: false,
                settings: Some(Settings {
                    welcomed: true,
                    ..Settings::default()
                }),
                ..Options::default()
            };
            Timed {
                app: App::new(cc, options).expect("the worker starts"),
                calls: Vec::new(),
            }
        });
    let has = |t: &Timed, width| {
        t.app
            .explore()
            .case
            .source
            .as_ref()
            .is_some_and(|s| s.recording.width() == width)
    };
    step_until(&mut window, "the file of the argument", |t| has(t, 160));
    window.get_by_label("Still, 160 x 120");
    window.get_by_label("Square 120 x 120");
    window.get_by_label("Open cascade...").click();
    step_until(&mut window, "the chosen cascade", |t| {
        t.app
            .explore()
            .house
            .cascade
            .as_ref()
            .is_some_and(|c| c.identity.name == "merged_tiny_1scm")
    });

    // A drop replaces the source; a bad one leaves it and says why.
    let heart = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/a4c_2.gif");
    for path in [heart, bad] {
        window
            .input_mut()
            .dropped_files
            .push(Arc::new(Dropped(path)));
        window.step();
        window.input_mut().dropped_files.clear();
        step_until(&mut window, "the dropped clip", |t| has(t, 112));
    }
    let start = Instant::now();
    while window
        .query_all_by_label_contains("is not a picture that can be opened")
        .next()
        .is_none()
    {
        assert!(start.elapsed() < Duration::from_secs(20), "no message came");
        window.step();
    }
    let source = window.state().app.explore().case.source.as_ref().unwrap();
    assert_eq!(source.recording.frames(), 16);
    window.get_by_label("Dismiss").click();
    window.run_steps(2);
    assert!(window.query_by_label("Dismiss").is_none());
}

#[derive(Debug)]
struct Dropped(std::path::PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &std::path::Path {
        &self.0
    }
    fn bytes(&self) -> Result<Vec<u8>, String> {
        std::fs::read(&self.0).map_err(|e| e.to_string())
    }
}

#[test]
fn without_a_file_dialog_a_path_can_be_typed() {
    let _alone = alone();
    let mut window = window();
    step_until(&mut window, "the first cascade", |t| {
        t.app.explore().house.cascade.is_some()
    });
    window.get_by_label("Open...").click();
    let start = Instant::now();
    while window.query_by_label_contains("no file dialog").is_none() {
        assert!(start.elapsed() < Duration::from_secs(20), "no field came");
        window.step();
    }
    window.run_steps(3);
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/a4c_3.gif");
    let text = path.to_str().unwrap();
    window.event(egui::Event::Text(text.to_owned()));
    window.step();
    window.get_by_label("Open").click();
    step_until(&mut window, "the typed file", |t| {
        let source = t.app.explore().case.source.as_ref();
        source.is_some_and(|s| s.recording.frames() == 16)
    });
    assert!(window.query_by_label_contains("no file dialog").is_none());
}
