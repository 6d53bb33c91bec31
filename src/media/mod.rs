//! Files to clips, and clips to files. Content decides what a file is, not its name.

mod dicom;
pub mod gif;
pub mod region;
mod still;

use crate::clip::Clip;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Why a file could not be opened or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read at all.
    #[error("{} cannot be read: {why}. Check that it is there and that you may read it.", path.display())]
    Io { path: PathBuf, why: String },
    /// The content is of no kind that is opened here.
    #[error("{} is not a picture that can be opened ({why}). Open a DICOM, PNG, JPEG or GIF file.", path.display())]
    Unknown { path: PathBuf, why: String },
    /// It is of a known kind, and damaged or of an unsupported sort.
    #[error("{} cannot be shown: {why}", path.display())]
    Undecodable { path: PathBuf, why: String },
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

    fn undecodable(path: &Path, why: impl Into<String>) -> Self {
        Self::Undecodable {
            path: path.to_owned(),
            why: why.into(),
        }
    }
}

/// What kind of file a clip came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Dicom,
    Still,
    Gif,
    Folder,
}

impl Kind {
    /// A lower-case word, for scripts.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dicom => "dicom",
            Self::Still => "still",
            Self::Gif => "gif",
            Self::Folder => "folder",
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
#[derive(Clone, Debug)]
pub struct Opened {
    pub clip: Clip,
    pub kind: Kind,
    /// Where the file says the ultrasound is; else the centre is taken.
    pub square: Option<region::Square>,
    pub coding: Option<Coding>,
    /// The machine-readable mark of a cine that this program made.
    pub mark: Option<gif::Mark>,
    pub warnings: Vec<String>,
}

impl Opened {
    /// The square to begin with; `None` for a file without frames.
    pub fn first_square(&self) -> Option<region::Square> {
        let first = self.clip.frames.first()?;
        let square = self
            .square
            .unwrap_or_else(|| region::Square::centred(first));
        Some(square.within(first))
    }
}

/// Widths and heights past this are a mistake in the file or an attack.
const MAX_SIDE: usize = 16_384;
/// Decoded pixels of one clip, in bytes.
const MAX_CLIP_BYTES: usize = 512 << 20;

/// Opens a file, or a folder of numbered stills, as a clip.
///
/// # Errors
/// [`Error`], a sentence with what to do.
pub fn open(path: &Path) -> Result<Opened, Error> {
    if path.is_dir() {
        return open_folder(path);
    }
    let mut head = [0u8; 132];
    let mut file = std::fs::File::open(path).map_err(|e| Error::io(path, e))?;
    let mut read = 0;
    while read < head.len() {
        match file
            .read(&mut head[read..])
            .map_err(|e| Error::io(path, e))?
        {
            0 => break,
            n => read += n,
        }
    }
    drop(file);
    let head = &head[..read];
    if head.is_empty() {
        return Err(Error::Unknown {
            path: path.to_owned(),
            why: "it is empty".into(),
        });
    }
    // A decoder that panics on damaged data must cost a sentence, not the program.
    let caught = std::panic::catch_unwind(|| {
        let bare_dicom = head.starts_with(&[8, 0]) || head.starts_with(&[0, 8]);
        if head.get(128..132) == Some(b"DICM") || bare_dicom {
            dicom::open(path)
        } else if head.starts_with(b"GIF8") {
            gif::open(path)
        } else if image::guess_format(head).is_ok() {
            still::open(path)
        } else {
            // Old DICOM files may begin without their preamble.
            dicom::open(path).map_err(|_| Error::Unknown {
                path: path.to_owned(),
                why: "its content is of no known kind".into(),
            })
        }
    });
    caught.unwrap_or_else(|_| Err(Error::undecodable(path, "its data is damaged.")))
}

fn open_folder(folder: &Path) -> Result<Opened, Error> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .map_err(|e| Error::io(folder, e))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|p| p.is_file())
        .collect();
    paths.sort_by_key(|p| number_of(p));
    let mut frames = Vec::new();
    let mut bytes = 0;
    for path in paths {
        let is_picture = std::fs::File::open(&path).ok().and_then(|mut f| {
            let mut head = [0u8; 16];
            let n = f.read(&mut head).ok()?;
            image::guess_format(&head[..n]).ok()
        });
        if is_picture.is_none() {
            continue;
        }
        let opened = still::open(&path)?;
        for frame in opened.clip.frames {
            bytes += 3 * frame.width * frame.height;
            frames.push(frame);
        }
        if bytes > MAX_CLIP_BYTES {
            return Err(Error::undecodable(
                folder,
                "its pictures are more than fit in memory.",
            ));
        }
    }
    let Some(first) = frames.first() else {
        return Err(Error::Unknown {
            path: folder.to_owned(),
            why: "the folder holds no pictures".into(),
        });
    };
    let size = (first.width, first.height);
    if frames.iter().any(|f| (f.width, f.height) != size) {
        return Err(Error::undecodable(
            folder,
            "its pictures differ in size; a clip's frames are of one size.",
        ));
    }
    Ok(Opened {
        clip: Clip {
            frames,
            rate: None,
            beat_normalised: false,
        },
        kind: Kind::Folder,
        square: None,
        coding: None,
        mark: None,
        warnings: Vec::new(),
    })
}

/// Sorts `frame2` before `frame10`.
fn number_of(path: &Path) -> (u64, String) {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let digits: String = name
        .chars()
        .rev()
        .skip_while(|c| !c.is_ascii_digit())
        .take_while(char::is_ascii_digit)
        .collect();
    let number = digits
        .chars()
        .rev()
        .collect::<String>()
        .parse()
        .unwrap_or(u64::MAX);
    (number, name)
}
