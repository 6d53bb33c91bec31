//! A window whose screens are compared with kept pictures.

use echoif::ui::{App, Options};
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use egui_kittest::{Harness, SnapshotOptions};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub type Size = ([f32; 2], &'static str);

pub const SMALL: Size = ([1280.0, 800.0], "1280");
pub const LARGE: Size = ([2560.0, 1440.0], "2560");

/// Points that a path takes at most, and a sentence with one.
const PATH: f32 = 480.0;
const SENTENCE: f32 = 760.0;

/// A window, and where its files lie.
pub struct Shown {
    /// Of the mode, as the names of its pictures begin.
    of: &'static str,
    /// Names of pictures that renderers sample differently, or that play.
    moving: &'static [&'static str],
    pub window: Harness<'static, App>,
    folder: PathBuf,
    size: &'static str,
}

impl Shown {
    pub fn new(
        of: &'static str,
        moving: &'static [&'static str],
        options: Options,
        folder: &Path,
        size: Size,
    ) -> Self {
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
            of,
            moving,
            window,
            folder: folder.to_owned(),
            size: size.1,
        }
    }

    pub fn said(&self) -> Vec<(String, egui::Rect)> {
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

    pub fn until(&mut self, text: &str) {
        let start = Instant::now();
        while !self.said().iter().any(|(t, _)| t.contains(text)) {
            assert!(start.elapsed() < Duration::from_secs(60), "no {text}");
            self.window.step();
            std::thread::sleep(Duration::from_millis(2));
        }
        self.window.run_steps(2);
    }

    pub fn key(&mut self, key: Key) {
        self.window.key_press_modifiers(Modifiers::NONE, key);
        self.window.run_steps(2);
    }

    pub fn click(&mut self, label: &str) {
        self.window.get_by_label(label).click();
        self.window.run_steps(3);
    }

    /// Compares with the kept picture. What differs from run to run is masked: paths, codes, receipts, the
    /// name of the processor; and what renderers sample differently, the clip.
    pub fn picture(&mut self, name: &str) {
        let name = format!("{}_{name}_{}", self.of, self.size);
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
        let moving = self.moving;
        let moves = |text: &str| moving.iter().any(|m| text.starts_with(m));
        for (text, mut rect) in self.said() {
            if text.contains(&folder) {
                // Letters of a path are of different widths: what is masked is not.
                let width = if rect.width() <= PATH { PATH } else { SENTENCE };
                rect.max.x = rect.min.x + width;
            } else if !(is_code(&text) || text.starts_with("CPU, ") || moves(&text)) {
                continue;
            }
            self.window.mask(rect);
        }
        let options = SnapshotOptions::new().max_failed_pixels(200);
        self.window.snapshot_options(&name, &options);
    }
}
