//! The window. It only plays what the engine makes: no network runs, no file is decoded and
//! nothing waits on this thread.

mod about;
mod about_commands;
mod app;
mod arrivals;
mod command;
mod explore;
mod files;
mod folder;
mod help;
mod hints;
mod look;
mod manual;
mod mode;
mod options;
mod palette;
mod parts;
mod passes;
mod playback;
mod projector;
mod sheets;
mod source;
mod still;
mod study;
mod task;
mod theme;
mod top_bar;
mod training;
mod widgets;

pub use app::App;
pub use explore::{Comparison, Explore, Measuring, Pane, Settings, What};

pub use files::{NoPicker, Picker, Purpose, SystemPicker};
pub use mode::{House, Mode};
pub use options::{Opening, Options, Reading};
pub use source::Source;
pub use study::StudyFile;
pub use training::TrainingFile;

/// Opens the window and returns when it is closed.
///
/// # Errors
/// A sentence that says what is missing.
pub fn run(opening: Opening) -> Result<(), String> {
    let native = eframe::NativeOptions {
        viewport: egui::ViewportBuilder::default()
            .with_title("EchoIf")
            .with_app_id("echoif")
            .with_inner_size([1280.0, 800.0])
            .with_min_inner_size([900.0, 600.0]),
        // Noise that hides the steps of gradients would also change the levels of a heart's picture; without
        // it a renderer in software takes half the time.
        dithering: false,
        // A study's response times are too long by at most one queued frame.
        wgpu_options: eframe::egui_wgpu::WgpuConfiguration::default()
            .with_surface_config(eframe::egui_wgpu::SurfaceConfig::LOW_LATENCY),
        ..eframe::NativeOptions::default()
    };
    let options = Options {
        file: opening.file,
        study: opening.study,
        ..Options::default()
    };
    eframe::run_native(
        "echoif",
        native,
        Box::new(|cc| Ok(Box::new(App::new(cc, options)?))),
    )
    .map_err(|e| format!("The window cannot be opened: {e}."))
}

/// As 2026-11-26, where the window is.
fn today() -> String {
    let now = dicom_core::chrono::Local::now();
    now.format("%Y-%m-%d").to_string()
}
