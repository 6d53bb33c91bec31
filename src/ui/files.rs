//! Choosing and opening files, off the window's thread.

use super::explore::{Package, What, usual_name};
use super::folder::{self, Look};
use super::source::{Origin, Source};
use super::study::StudyFile;
use super::training::TrainingFile;
use crate::media::export::{Sidecar, sidecar_of};
use crate::media::{self, Found};
use crate::nn::Interrupt;
use crossbeam_channel::{Receiver, Sender, unbounded};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What a file or folder is chosen for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Source,
    Folder,
    Cascade,
    Regressor,
    /// Where an export goes, by its extension; empty for a folder.
    Export(What, &'static str),
    /// A study's screens.
    Study(StudyFile),
    /// Training's screens.
    Training(TrainingFile),
}

impl Purpose {
    /// What to type, where there is no dialog.
    pub fn text(self) -> &'static str {
        match self {
            Self::Source => "Path of a frame or clip",
            Self::Folder => "Path of a folder of recordings, or of a clip's stills",
            Self::Cascade => "Path of the folder with config.yaml and merged.pt",
            Self::Regressor => "Path of an EF regressor",
            Self::Export(_, "") => "Path of a new folder for the frames",
            Self::Export(..) => "Path of the file to write",
            Self::Study(file) => file.text(),
            Self::Training(file) => file.text(),
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
            Purpose::Folder => dialog.set_title("Open a folder").pick_folder(),
            Purpose::Cascade => dialog
                .set_title("Open the folder with config.yaml and merged.pt")
                .pick_folder(),
            Purpose::Regressor => dialog
                .set_title("Open an EF regressor")
                .add_filter("Regressor", &["ckpt", "pt", "safetensors"])
                .add_filter("All files", &["*"])
                .pick_file(),
            Purpose::Export(what, extension) => {
                let name = usual_name(what, extension);
                dialog
                    .set_title("Export")
                    .set_file_name(name.to_string_lossy())
                    .save_file()
            }
            Purpose::Study(file) => file.ask(),
            Purpose::Training(file) => file.ask(),
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
    Opened(Box<Result<Ready, String>>),
    /// An export is done, or why not.
    Exported(Result<PathBuf, String>),
    /// One more file of a collection was looked at.
    Card(Look),
    /// All of them were.
    Surveyed,
}

/// What was found at a path.
pub enum Ready {
    Source {
        source: Box<Source>,
        /// The beginning of its content's SHA-256; nothing for a folder.
        hash: Option<String>,
        path: PathBuf,
    },
    Collection(Vec<PathBuf>),
    /// A reader study's bundle.
    Study(PathBuf),
    /// A set of cases, a class or a result.
    Training(TrainingFile, PathBuf),
    /// The run of an exported cine, with its anatomy.
    Run {
        source: Box<Source>,
        sidecar: Box<Sidecar>,
        path: PathBuf,
    },
}

/// Starts the threads and collects what they bring.
pub struct Desk {
    sender: Sender<(u64, Arrival)>,
    arrivals: Receiver<(u64, Arrival)>,
    /// Counts openings, and looks through a collection; what an older one brings is thrown away.
    generation: u64,
    survey: u64,
    opening: bool,
    picking: bool,
    surveying: Option<Interrupt>,
}

impl Default for Desk {
    fn default() -> Self {
        let (sender, arrivals) = unbounded();
        Self {
            sender,
            arrivals,
            generation: 0,
            survey: 0,
            opening: false,
            picking: false,
            surveying: None,
        }
    }
}

impl Desk {
    pub fn is_opening(&self) -> bool {
        self.opening
    }

    pub fn is_surveying(&self) -> bool {
        self.surveying.is_some()
    }

    /// Gives up on what is being opened.
    pub fn forget(&mut self) {
        self.generation += 1;
        self.opening = false;
    }

    /// Looks at no more files of a collection.
    pub fn stop_surveying(&mut self) {
        self.survey += 1;
        if let Some(interrupt) = self.surveying.take() {
            interrupt.set();
        }
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
        self.forget();
        self.opening = true;
        let (sender, ctx) = (self.sender.clone(), ctx.clone());
        let (generation, path) = (self.generation, path.to_owned());
        std::thread::spawn(move || {
            let opened = open_now(path);
            let _ = sender.send((generation, Arrival::Opened(Box::new(opened))));
            ctx.request_repaint();
        });
    }

    /// Writes an export.
    pub fn export(&mut self, package: Package, path: PathBuf, ctx: &egui::Context) {
        let (sender, ctx) = (self.sender.clone(), ctx.clone());
        std::thread::spawn(move || {
            let written = package.write(&path).map(|()| path);
            let _ = sender.send((0, Arrival::Exported(written)));
            ctx.request_repaint();
        });
    }

    /// Looks through the files of a collection, one card after the other.
    pub fn survey(&mut self, paths: &[PathBuf], ctx: &egui::Context) {
        self.stop_surveying();
        let interrupt = Interrupt::new();
        self.surveying = Some(interrupt.clone());
        let (sender, ctx) = (self.sender.clone(), ctx.clone());
        let (survey, paths) = (self.survey, paths.to_vec());
        std::thread::spawn(move || {
            for path in paths {
                if interrupt.is_set() {
                    return;
                }
                let card = folder::look(path);
                let _ = sender.send((survey, Arrival::Card(card)));
                ctx.request_repaint();
            }
            let _ = sender.send((survey, Arrival::Surveyed));
            ctx.request_repaint();
        });
    }

    /// The next thing that arrived and is still wanted.
    pub fn next(&mut self) -> Option<Arrival> {
        loop {
            let (generation, arrival) = self.arrivals.try_recv().ok()?;
            match arrival {
                Arrival::Picked(..) | Arrival::NothingPicked { .. } => {
                    self.picking = false;
                    return Some(arrival);
                }
                Arrival::Exported(_) => return Some(arrival),
                Arrival::Opened(_) if generation == self.generation => {
                    self.opening = false;
                    return Some(arrival);
                }
                Arrival::Surveyed if generation == self.survey => {
                    self.surveying = None;
                    return Some(arrival);
                }
                Arrival::Card(_) if generation == self.survey => return Some(arrival),
                Arrival::Opened(_) | Arrival::Surveyed | Arrival::Card(_) => {}
            }
        }
    }
}

/// The run that a file tells of: a sidecar, or one that lies beside an exported file.
fn run_of(path: &Path) -> Result<Option<Ready>, String> {
    let is_sidecar = path
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("json"));
    let beside = sidecar_of(path);
    let sidecar = match is_sidecar {
        true => Sidecar::read(path).map_err(|e| e.to_string())?,
        false if beside.is_file() => match Sidecar::read(&beside) {
            Ok(sidecar) => sidecar,
            // Whatever else lies there.
            Err(_) => return Ok(None),
        },
        false => return Ok(None),
    };
    match sidecar.anatomy() {
        Some(anatomy) => Ok(Some(Ready::Run {
            source: Box::new(Source::of_anatomy(&anatomy, Origin::Sidecar)?),
            sidecar: Box::new(sidecar),
            path: path.to_owned(),
        })),
        // The cine itself can still be opened.
        None if !is_sidecar => Ok(None),
        None if sidecar.mark.drawn.is_some() => Err(format!(
            "{} is what is known of a heart that was computed; there is no run to repeat. Open the clip beside it.",
            path.display()
        )),
        None => Err(format!(
            "{} holds no anatomy, so its run cannot be repeated here. Open the frame it was made \
             of, or use echoif generate --from with --frame.",
            path.display()
        )),
    }
}

fn open_now(path: PathBuf) -> Result<Ready, String> {
    // A zip has no other use here; whatever is wrong with a bundle is said where it is read.
    if crate::study::bundle::header(&path).is_ok() {
        return Ok(Ready::Study(path));
    }
    if let Some(file) = TrainingFile::of(&path) {
        return Ok(Ready::Training(file, path));
    }
    if let Some(run) = run_of(&path)? {
        return Ok(run);
    }
    match media::look(&path).map_err(|e| e.to_string())? {
        Found::Collection(paths) => Ok(Ready::Collection(paths)),
        Found::Recording(opened) => {
            let origin = Origin::File(opened.kind);
            Ok(Ready::Source {
                source: Box::new(Source::prepare(*opened, origin)?),
                hash: short_hash(&path),
                path,
            })
        }
    }
}

/// How much of a file's beginning is hashed.
const HASHED: u64 = 1 << 20;

/// Tells a file from others without its name: 8 hexadecimal digits of SHA-256 over its length and
/// its first megabyte.
fn short_hash(path: &Path) -> Option<String> {
    let file = File::open(path).ok()?;
    let about = file.metadata().ok()?;
    let mut hasher = Sha256::new();
    hasher.update(about.len().to_le_bytes());
    let mut bytes = Vec::new();
    file.take(HASHED).read_to_end(&mut bytes).ok()?;
    hasher.update(&bytes);
    let digest = hasher.finalize();
    Some(digest.iter().take(4).map(|b| format!("{b:02x}")).collect())
}
