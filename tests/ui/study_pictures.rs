//! Pictures of a study's screens, in two sizes. As the other snapshots, with the feature `snapshots` only.

use crate::study::{clips, options, study};
use echoif::study::assemble::Assembled;
use echoif::ui::{App, Options, Reading, StudyFile};
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use egui_kittest::{Harness, SnapshotOptions};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

type Size = ([f32; 2], &'static str);

const SMALL: Size = ([1280.0, 800.0], "1280");
const LARGE: Size = ([2560.0, 1440.0], "2560");

/// Points that a path takes at most, and a sentence with one.
const PATH: f32 = 480.0;
const SENTENCE: f32 = 760.0;

struct Shown {
    window: Harness<'static, App>,
    folder: PathBuf,
    size: &'static str,
}

impl Shown {
    fn new(options: Options, folder: &Path, size: Size) -> Self {
        let window = Harness::builder()
            .with_size(size.0)
            .with_step_dt(1.0 / 60.0)
            .with_render_cursor(false)
            .wgpu()
            .build_eframe(|cc| {
                let options = Options {
                    paints_background: true,
                    ..options
                };
                App::new(cc, options).expect("the worker starts")
            });
        Self {
            window,
            folder: folder.to_owned(),
            size: size.1,
        }
    }

    fn said(&self) -> Vec<(String, egui::Rect)> {
        fn walk(node: &egui_kittest::Node<'_>, all: &mut Vec<(String, egui::Rect)>) {
            let inner = node.accesskit_node();
            for text in [inner.label(), inner.value()].into_iter().flatten() {
                all.push((text, node.rect()));
            }
            for child in node.children() {
                walk(&child, all);
            }
        }
        let mut all = Vec::new();
        walk(&self.window.root(), &mut all);
        all
    }

    fn until(&mut self, text: &str) {
        let start = Instant::now();
        while !self.said().iter().any(|(t, _)| t.contains(text)) {
            assert!(start.elapsed() < Duration::from_secs(60), "no {text}");
            self.window.step();
            std::thread::sleep(Duration::from_millis(2));
        }
        self.window.run_steps(2);
    }

    fn key(&mut self, key: Key) {
        self.window.key_press_modifiers(Modifiers::NONE, key);
        self.window.run_steps(2);
    }

    fn click(&mut self, label: &str) {
        self.window.get_by_label(label).click();
        self.window.run_steps(3);
    }

    /// Compares with the kept picture. What differs from run to run is masked: paths, codes, receipts, the
    /// name of the processor; and what renderers sample differently, the clip.
    fn picture(&mut self, name: &str) {
        let name = format!("study_{name}_{}", self.size);
        self.window.run_steps(4);
        if std::env::var_os("ECHOIF_UPDATE_PICTURE").is_some() {
            let picture = self.window.render().expect("the renderer works");
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pictures");
            std::fs::create_dir_all(&folder).expect("target is writable");
            picture
                .save(folder.join(format!("{name}.png")))
                .expect("target is writable");
        }
        let folder = self.folder.to_str().expect("the path is text").to_owned();
        let is_code =
            |text: &str| text.len() == 23 && text.split('-').all(|group| group.len() == 5);
        for (text, mut rect) in self.said() {
            if text.contains(&folder) {
                // Letters of a path are of different widths: what is masked is not.
                let width = if rect.width() <= PATH { PATH } else { SENTENCE };
                rect.max.x = rect.min.x + width;
            } else if !(is_code(&text) || text.starts_with("CPU, ") || text == "Clip") {
                continue;
            }
            self.window.mask(rect);
        }
        let options = SnapshotOptions::new().max_failed_pixels(200);
        self.window.snapshot_options(&name, &options);
    }
}

fn reading(made: &Assembled) -> Reading {
    Reading {
        bundle: made.bundle.clone(),
        code: Some(made.readers[0].code.clone()),
        log: None,
    }
}

#[test]
fn a_session() {
    session(SMALL);
}

#[test]
fn a_session_on_a_large_screen() {
    session(LARGE);
}

fn session(size: Size) {
    let folder = clips([6, 3, 3]);
    let made = study(folder.path());
    let options = options(Some(reading(&made)), Vec::new());
    let mut shown = Shown::new(options, folder.path(), size);
    shown.until("You will be shown");
    shown.picture("instruction");
    shown.key(Key::Enter);
    shown.picture("consent");
    shown.key(Key::Enter);
    shown.picture("about");
    shown.key(Key::Enter);
    shown.window.run_steps(130);
    shown.picture("display");
    shown.key(Key::Enter);
    shown.picture("ready");
    shown.key(Key::Enter);
    for trial in 1..=6 {
        shown.until("Clip");
        // Into the second round of the clip.
        shown.window.run_steps(52);
        if trial == 1 {
            shown.picture("practice");
        } else if trial == 2 {
            shown.picture("trial");
        }
        shown.key(Key::R);
        if trial == 2 {
            shown.picture("confidence");
        }
        shown.key(Key::Num4);
        if trial == 1 {
            shown.until("Ready");
            shown.key(Key::Enter);
        }
    }
    shown.until("Break");
    shown.until("Go on when you like.");
    shown.picture("break");
    shown.key(Key::Enter);
    shown.until("Clip");
    shown.key(Key::Escape);
    shown.until("Paused");
    shown.picture("paused");
    shown.click("Leave the study...");
    shown.picture("leave");
    shown.click("Leave");
    shown.until("You have left");
    shown.picture("left");
}

#[test]
fn around_a_session() {
    screens(SMALL, egui::Theme::Dark, "dark");
}

#[test]
fn around_a_session_in_light() {
    screens(SMALL, egui::Theme::Light, "light");
}

#[test]
fn around_a_session_on_a_large_screen() {
    screens(LARGE, egui::Theme::Dark, "dark");
}

fn screens(size: Size, theme: egui::Theme, text: &str) {
    let folder = clips([6, 3, 3]);
    let at = |name: &str| folder.path().join(name);
    let files = vec![
        (StudyFile::Real, at("real")),
        (StudyFile::Factual, at("factual")),
        (StudyFile::Counterfactual, at("counterfactual")),
    ];
    let mut shown = Shown::new(options(None, files), folder.path(), size);
    shown.window.ctx.set_theme(theme);
    shown
        .window
        .key_press_modifiers(Modifiers::COMMAND, Key::Num3);
    shown.window.run_steps(3);
    shown.until("Choose a folder with recorded clips.");
    shown.until("built-in cascade");
    shown.picture(&format!("new_empty_{text}"));
    shown.click("Recorded clips: choose");
    shown.until("6 files");
    shown.click("Generated at the source's EF: choose");
    shown.until("3 files");
    shown.click("Generated at another EF: choose");
    shown.window.run_steps(20);
    shown.click("More");
    shown.window.run_steps(30);
    shown.picture(&format!("new_filled_{text}"));
    shown.click("More");
    shown.window.run_steps(30);
    shown.click("Start");
    shown.until("The study is made");
    shown.picture(&format!("new_made_{text}"));
    shown.click("Read");
    shown.picture(&format!("read_{text}"));

    // A study that was read, by the script's machinery.
    let made = study(folder.path());
    crate::study::read_all(&made);
    shown.click("Collect");
    crate::harness::drop_file(&mut shown.window, made.bundle.parent().unwrap().to_owned());
    shown.until("study-R1.jsonl");
    shown.click("Check the logs");
    shown.until("Nothing is wrong");
    shown.picture(&format!("collect_{text}"));
    shown.click("Report");
    shown.click("Open the key and report");
    shown.until("Balanced accuracy");
    shown.picture(&format!("report_{text}"));
}
