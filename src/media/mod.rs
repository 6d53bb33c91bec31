//! Files to recordings, and clips to files. Content decides what a file is, not its name.

mod avi;
mod bytes;
mod dicom;
pub mod export;
mod folder;
mod gif;
mod jpeg;
pub mod mark;
#[cfg(feature = "mp4")]
mod mp4;
pub mod region;
mod scale;
mod sector;
mod square;
mod still;
pub mod text_areas;
mod tiff_stack;
mod times;
pub mod view;

pub use times::at_even_pace;

use crate::clip::Frame;
use crate::recording::Recording;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Why a file could not be opened or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read at all.
    #[error("{} cannot be read: {why}. Check that it is there and that you may read it.", path.display())]
    Io { path: PathBuf, why: String },
    /// The content is of no kind that is opened here.
    #[error("{} is not a picture that can be opened ({why}). Open a DICOM, PNG, JPEG, TIFF, GIF or AVI file.", path.display())]
    Unknown { path: PathBuf, why: String },
    /// It is of a known kind, and damaged or of an unsupported sort.
    #[error("{} cannot be shown: {why}", path.display())]
    Undecodable { path: PathBuf, why: String },
    /// There are several recordings where one is needed.
    #[error("{} holds {count} files. Open one of them.", path.display())]
    Several { path: PathBuf, count: usize },
    /// The name does not say which kind of file is wanted.
    #[error("{} cannot be written: {why}.", path.display())]
    Format { path: PathBuf, why: String },
    /// The file cannot be written.
    #[error("{} cannot be written: {why}. Choose another folder.", path.display())]
    Write { path: PathBuf, why: String },
}

impl Error {
    fn io(path: &Path, e: impl std::fmt::Display) -> Self {
        Self::Io {
            path: path.to_owned(),
            why: e.to_string(),
        }
    }

    fn unknown(path: &Path, why: impl Into<String>) -> Self {
        Self::Unknown {
            path: path.to_owned(),
            why: why.into(),
        }
    }

    fn undecodable(path: &Path, why: impl Into<String>) -> Self {
        Self::Undecodable {
            path: path.to_owned(),
            why: why.into(),
        }
    }
}

/// What kind of file a recording came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Dicom,
    Still,
    Gif,
    Apng,
    Avi,
    Mp4,
    Folder,
}

impl Kind {
    /// A lower-case word, for scripts.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dicom => "dicom",
            Self::Still => "still",
            Self::Gif => "gif",
            Self::Apng => "apng",
            Self::Avi => "avi",
            Self::Mp4 => "mp4",
            Self::Folder => "folder",
        }
    }

    /// As screens say it.
    pub fn text(self) -> &'static str {
        match self {
            Self::Dicom => "DICOM",
            Self::Still => "Still",
            Self::Gif => "GIF",
            Self::Apng => "Animated PNG",
            Self::Avi => "AVI",
            Self::Mp4 => "MP4",
            Self::Folder => "Folder of stills",
        }
    }
}

/// How a DICOM file codes its pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coding {
    /// Photometric Interpretation.
    pub photometric: String,
    /// The transfer syntax's UID.
    pub transfer_syntax: String,
}

/// An opened file. Nothing that could name a patient is kept.
#[derive(Debug)]
pub struct Opened {
    pub recording: Recording,
    pub kind: Kind,
    /// Where the ultrasound is, by the file or by the picture; else the centre is taken.
    pub square: Option<region::Square>,
    /// How large a pixel is, where the file says it.
    pub scale: Option<region::Scale>,
    pub coding: Option<Coding>,
    /// The machine-readable mark of a cine that this program made.
    pub mark: Option<mark::Mark>,
    /// Beats a minute, where the file says it.
    pub heart_rate: Option<f64>,
    /// Times of the R waves from the first frame, in milliseconds.
    pub r_waves_ms: Vec<f64>,
    /// The file says that it shows flow in colour.
    pub colour_doppler: bool,
    /// The file has fewer frames than it says.
    pub cut_off: bool,
    pub warnings: Vec<String>,
}

impl Opened {
    /// Knows nothing but the frames.
    pub fn new(recording: Recording, kind: Kind) -> Self {
        Self {
            recording,
            kind,
            square: None,
            scale: None,
            coding: None,
            mark: None,
            heart_rate: None,
            r_waves_ms: Vec::new(),
            colour_doppler: false,
            cut_off: false,
            warnings: Vec::new(),
        }
    }

    /// What a look at a frame and its anatomy tells: not the view that the networks know, or flow
    /// in colour.
    pub fn doubts(&self, anatomy: &region::Anatomy, frame: &Frame) -> Vec<&'static str> {
        let mut doubts = Vec::new();
        if !anatomy.view.is_like_training() {
            doubts.push(view::UNLIKE);
        }
        if self.colour_doppler || view::is_coloured(frame, self.first_square()) {
            doubts.push(view::COLOURED);
        }
        doubts
    }

    /// The square to begin with.
    pub fn first_square(&self) -> region::Square {
        let (width, height) = (self.recording.width(), self.recording.height());
        self.square
            .unwrap_or_else(|| region::Square::centred(width, height))
            .within(width, height)
    }
}

/// What is at a path.
#[derive(Debug)]
pub enum Found {
    Recording(Box<Opened>),
    /// A ward's export: files to choose from, most of them recordings.
    Collection(Vec<PathBuf>),
}

/// Widths and heights past this are a mistake in the file or an attack.
const MAX_SIDE: usize = 16_384;
/// Decoded pixels of a clip whose frames can only be decoded one after the other, in bytes.
const MAX_RESIDENT: usize = 128 << 20;

/// Opens a file, or a folder of numbered stills.
///
/// # Errors
/// [`Error`], a sentence with what to do; also for a folder or a DICOMDIR with several files.
pub fn open(path: &Path) -> Result<Opened, Error> {
    let several = |count| {
        Err(Error::Several {
            path: path.to_owned(),
            count,
        })
    };
    match look(path)? {
        Found::Recording(opened) => Ok(*opened),
        Found::Collection(paths) => match paths.as_slice() {
            // Not further than one step: a directory may name itself.
            [only] => match look(only)? {
                Found::Recording(opened) => Ok(*opened),
                Found::Collection(paths) => several(paths.len()),
            },
            _ => several(paths.len()),
        },
    }
}

/// Looks what is there: one recording, or a collection of files.
///
/// # Errors
/// [`Error`], a sentence with what to do.
pub fn look(path: &Path) -> Result<Found, Error> {
    let about = std::fs::metadata(path).map_err(|e| Error::io(path, e))?;
    let found = if about.is_dir() {
        folder::look(path)?
    } else if about.is_file() {
        let head = head_of(path)?;
        if head.is_empty() {
            return Err(Error::unknown(path, "it is empty"));
        }
        // A decoder that panics on damaged data must cost a sentence, not the program.
        let caught = std::panic::catch_unwind(|| look_inside(path, &head));
        caught.unwrap_or_else(|_| {
            Err(Error::undecodable(
                path,
                "its data could not be decoded. Export it again.",
            ))
        })?
    } else {
        // Reading a pipe or a device could wait for ever.
        return Err(Error::unknown(path, "it is not a file"));
    };
    let Found::Recording(opened) = found else {
        return Ok(found);
    };
    let mut opened = *opened;
    match &opened.mark {
        None => opened.square = sector::square(&opened.recording, opened.square),
        // What this program made is its picture already, but for its words.
        Some(mark) => {
            let stripped = mark.strip(opened.recording);
            opened.recording =
                stripped.map_err(|why| Error::undecodable(path, format!("{why}.")))?;
        }
    }
    Ok(Found::Recording(Box::new(opened)))
}

fn look_inside(path: &Path, head: &[u8]) -> Result<Found, Error> {
    let one = |opened: Result<Opened, Error>| opened.map(|o| Found::Recording(Box::new(o)));
    if dicom::is_dicom(head) {
        dicom::open(path)
    } else if head.starts_with(b"GIF8") {
        one(gif::open(path))
    } else if avi::is_avi(head) {
        one(avi::open(path))
    } else if head.get(4..8) == Some(b"ftyp") {
        #[cfg(feature = "mp4")]
        return one(mp4::open(path));
        #[cfg(not(feature = "mp4"))]
        Err(Error::undecodable(
            path,
            "this build does not decode MP4 video. \
             Convert it to AVI with Motion JPEG, or export DICOM.",
        ))
    } else if tiff_stack::is_tiff(head) {
        one(tiff_stack::open(path))
    } else if image::guess_format(head).is_ok() {
        one(still::open(path))
    } else {
        // Old DICOM files may begin with anything.
        dicom::open(path).map_err(|_| Error::unknown(path, "its content is of no known kind"))
    }
}

/// The first 132 bytes, or fewer.
fn head_of(path: &Path) -> Result<Vec<u8>, Error> {
    let file = std::fs::File::open(path).map_err(|e| Error::io(path, e))?;
    let mut head = Vec::new();
    file.take(132)
        .read_to_end(&mut head)
        .map_err(|e| Error::io(path, e))?;
    Ok(head)
}
