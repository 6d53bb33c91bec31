//! The window in tests, driven against the real worker.

pub use crate::common::alone;
use echoif::engine::{DeviceChoice, Provenance};
use echoif::ui::{App, NoPicker, Options, Picker, Purpose, Settings, Source};
use egui::accesskit::Role;
use egui::{Key, Modifiers, Vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub type Window = Harness<'static, App>;

/// A window in which nothing was waited for.
pub fn unopened(picker: Arc<dyn Picker>, file: PathBuf) -> Window {
    started(None, picker, Some(file))
}

pub fn window(
    settings: Option<Settings>,
    picker: Arc<dyn Picker>,
    file: Option<PathBuf>,
) -> Window {
    let mut window = started(settings, picker, file);
    step_until(&mut window, "the first pair", settled);
    window
}

fn started(settings: Option<Settings>, picker: Arc<dyn Picker>, file: Option<PathBuf>) -> Window {
    let settings = Settings {
        welcomed: true,
        ..settings.unwrap_or_default()
    };
    Harness::builder()
        .with_size([1280.0, 1100.0])
        .with_step_dt(1.0 / 60.0)
        .build_eframe(|cc| {
            let options = Options {
                file,
                device: DeviceChoice::Cpu,
                picker,
                study: None,
                paints_background: false,
                settings: Some(settings),
                ..Options::default()
            };
            App::new(cc, options).expect("the worker starts")
        })
}

pub fn plain() -> Window {
    window(None, Arc::new(NoPicker), None)
}

/// Steps until `done`, as a screen would, at most two minutes.
pub fn step_until(window: &mut Window, what: &str, done: impl Fn(&App) -> bool) {
    step_until_seen(window, what, |w| done(w.state()));
}

/// The same, of what is on screen.
pub fn step_until_seen(window: &mut Window, what: &str, done: impl Fn(&Window) -> bool) {
    let start = Instant::now();
    while !done(window) {
        assert!(start.elapsed() < Duration::from_secs(120), "no {what}");
        window.step();
        std::thread::sleep(Duration::from_millis(4));
    }
    window.step();
}

pub fn settled(app: &App) -> bool {
    let e = app.explore();
    let made = e.made.counterfactual.as_ref();
    let made = made.map(|m| m.result.provenance.requested_ef_percent);
    let measured = !e.case.measuring.is_going_on();
    e.made.running.is_none()
        && e.made.factual.is_some()
        && made == Some(e.wanted.requested)
        && measured
}

pub fn press(window: &mut Window, modifiers: Modifiers, key: Key) {
    window.key_press_modifiers(modifiers, key);
    window.run_steps(2);
}

pub fn drag(window: &mut Window, from: egui::Pos2, by: Vec2) {
    window.drag_at(from);
    window.step();
    for k in 1..=6 {
        window.hover_at(from + by * (k as f32 / 6.0));
        window.step();
    }
    window.drop_at(from + by);
    window.run_steps(2);
}

/// Clicks places of a picture, in shares of it, with time between them for each to be one click.
pub fn click(window: &mut Window, rect: egui::Rect, places: &[Vec2]) {
    for share in places {
        window.hover_at(rect.min + *share * rect.size());
        window.step();
        for pressed in [true, false] {
            window.event(egui::Event::PointerButton {
                pos: rect.min + *share * rect.size(),
                button: egui::PointerButton::Primary,
                pressed,
                modifiers: Modifiers::NONE,
            });
            window.step();
        }
        window.run_steps(30);
    }
}

/// How the counterfactual that is shown was made.
pub fn made(window: &Window) -> &Provenance {
    let made = window.state().explore().made.counterfactual.as_ref();
    &made.expect("a cine").result.provenance
}

/// What is open.
pub fn source(window: &Window) -> &Source {
    let source = window.state().explore().case.source.as_ref();
    source.expect("something is open")
}

pub fn image(window: &Window, name: &str) -> egui::Rect {
    window.get_by_role_and_label(Role::Image, name).rect()
}

/// What the system keeps for the app.
#[derive(Default)]
pub struct Kept(pub HashMap<String, String>);

impl eframe::Storage for Kept {
    fn get_string(&self, key: &str) -> Option<String> {
        self.0.get(key).cloned()
    }
    fn set_string(&mut self, key: &str, value: String) {
        self.0.insert(key.to_owned(), value);
    }
    fn remove_string(&mut self, key: &str) {
        self.0.remove(key);
    }
    fn flush(&mut self) {}
}

pub fn after_a_restart(window: &mut Window) -> Settings {
    let mut kept = Kept::default();
    eframe::App::save(window.state_mut(), &mut kept);
    Settings::restore(&kept).expect("settings")
}

/// Always answers with the same place.
pub struct Place(pub PathBuf);

impl Picker for Place {
    fn pick(&self, purpose: Purpose) -> Option<PathBuf> {
        matches!(purpose, Purpose::Export(..)).then(|| self.0.clone())
    }
}

#[derive(Debug)]
pub struct Dropped(pub PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }
    fn bytes(&self) -> Result<Vec<u8>, String> {
        std::fs::read(&self.0).map_err(|e| e.to_string())
    }
}

/// Drops a file on the window.
pub fn drop_file(window: &mut Window, path: PathBuf) {
    let dropped = &mut window.input_mut().dropped_files;
    dropped.push(Arc::new(Dropped(path)));
    window.step();
    window.input_mut().dropped_files.clear();
}

/// Steps until a file is written.
pub fn until_exported(window: &mut Window) {
    step_until_seen(window, "file was written", |w| {
        w.query_by_label_contains("Exported: ").is_some()
    });
}

/// A window whose exports go into a folder of their own.
pub fn exporting() -> Window {
    let folder = tempfile::tempdir().unwrap().keep();
    window(None, Arc::new(Place(folder.join("shown"))), None)
}

/// Exports by the dialog, with boxes ticked; the size of the picture that was written, which is marked.
pub fn exported(
    window: &mut Window,
    what: &str,
    ticked: &[&str],
    extension: &str,
) -> (usize, usize) {
    press(window, Modifiers::COMMAND, Key::S);
    window.run_steps(3);
    for label in std::iter::once(&what).chain(ticked) {
        window.get_by_label(label).click();
        window.run_steps(2);
    }
    window.get_by_label("Save...").click();
    until_exported(window);
    let said = window.get_by_label_contains("Exported: ");
    let text = said.accesskit_node().value().unwrap_or_default();
    let path = PathBuf::from(text.trim_start_matches("Exported: "));
    assert_eq!(path.extension().unwrap(), extension);
    let opened = echoif::media::open(&path).unwrap();
    assert!(opened.mark.is_some_and(|m| m.synthetic));
    let whole = image::open(&path).unwrap();
    // Empty for the next one.
    std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
    std::fs::create_dir(path.parent().unwrap()).unwrap();
    window.get_by_label("Dismiss").click();
    window.run_steps(2);
    (whole.width() as usize, whole.height() as usize)
}
