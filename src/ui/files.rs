//! Choosing and opening files, off the window's thread.

use crate::media::{self, Opened};
use crossbeam_channel::{Receiver, Sender, unbounded};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What a file or folder is chosen for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Source,
    Cascade,
    Regressor,
}

impl Purpose {
    /// What to type, where there is no dialog.
    pub fn text(self) -> &'static str {
        match self {
            Self::Source => "Path of a frame or clip",
            Self::Cascade => "Path of the folder with config.yaml and merged.pt",
            Self::Regressor => "Path of an EF regressor",
        }
    }
}

/// Asks the user for a file; runs on a thread of its own, so it may block.
pub trait Picker: Send + Sync {
    fn pick(&self, purpose: Purpose) -> Option<PathBuf>;
}

/// The desktop's own dialogs.
pub struct SystemPicker;

impl Picker for SystemPicker {
    fn pick(&self, purpose: Purpose) -> Option<PathBuf> {
        let dialog = rfd::FileDialog::new();
        match purpose {
            Purpose::Source => dialog.set_title("Open a frame or clip").pick_file(),
            Purpose::Cascade => dialog
                .set_title("Open the folder with config.yaml and merged.pt")
                .pick_folder(),
            Purpose::Regressor => dialog
                .set_title("Open an EF regressor")
                .add_filter("Regressor", &["ckpt", "pt", "safetensors"])
                .add_filter("All files", &["*"])
                .pick_file(),
        }
    }
}

/// For tests: always cancelled.
pub struct NoPicker;

impl Picker for NoPicker {
    fn pick(&self, _: Purpose) -> Option<PathBuf> {
        None
    }
}

/// A dialog that closes sooner was never there: without portal or zenity the answer is immediate.
const NO_ONE_IS_SO_QUICK: Duration = Duration::from_millis(150);

/// What came back from another thread.
pub enum Arrival {
    Picked(Purpose, PathBuf),
    /// The dialog was closed; or, when it took no time at all, the desktop has none.
    NothingPicked {
        purpose: Purpose,
        no_dialog: bool,
    },
    Opened(Box<Result<Opened, String>>),
}

/// Starts the threads and collects what they bring.
pub struct Desk {
    sender: Sender<(u64, Arrival)>,
    arrivals: Receiver<(u64, Arrival)>,
    /// Counts openings; what an older one brings is thrown away.
    generation: u64,
    opening: bool,
    picking: bool,
}

impl Default for Desk {
    fn default() -> Self {
        let (sender, arrivals) = unbounded();
        Self {
            sender,
            arrivals,
            generation: 0,
            opening: false,
            picking: false,
        }
    }
}

impl Desk {
    pub fn is_opening(&self) -> bool {
        self.opening
    }

    /// Gives up on what is being opened.
    pub fn forget(&mut self) {
        self.generation += 1;
        self.opening = false;
    }

    pub fn pick(
        &mut self,
        picker: &std::sync::Arc<dyn Picker>,
        purpose: Purpose,
        ctx: &egui::Context,
    ) {
        if self.picking {
            return;
        }
        self.picking = true;
        let (picker, sender, ctx) = (picker.clone(), self.sender.clone(), ctx.clone());
        std::thread::spawn(move || {
            let start = Instant::now();
            let arrival = match picker.pick(purpose) {
                Some(path) => Arrival::Picked(purpose, path),
                None => Arrival::NothingPicked {
                    purpose,
                    no_dialog: start.elapsed() < NO_ONE_IS_SO_QUICK,
                },
            };
            // Fails only when the window is gone.
            let _ = sender.send((0, arrival));
            ctx.request_repaint();
        });
    }

    pub fn open(&mut self, path: &Path, ctx: &egui::Context) {
        self.generation += 1;
        self.opening = true;
        let (sender, ctx) = (self.sender.clone(), ctx.clone());
        let (generation, path) = (self.generation, path.to_owned());
        std::thread::spawn(move || {
            let opened = media::open(&path).map_err(|e| e.to_string());
            let _ = sender.send((generation, Arrival::Opened(Box::new(opened))));
            ctx.request_repaint();
        });
    }

    /// The next thing that arrived and is still wanted.
    pub fn next(&mut self) -> Option<Arrival> {
        loop {
            let (generation, arrival) = self.arrivals.try_recv().ok()?;
            match arrival {
                Arrival::Opened(_) if generation != self.generation => {}
                Arrival::Opened(_) => {
                    self.opening = false;
                    return Some(arrival);
                }
                Arrival::Picked(..) | Arrival::NothingPicked { .. } => {
                    self.picking = false;
                    return Some(arrival);
                }
            }
        }
    }
}
