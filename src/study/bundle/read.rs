//! A bundle is opened, by a reader's code or by the key, and gives one clip at a time.

use super::header::HeaderError;
use super::{BEFORE_CLIPS, Header, about_clip, about_plan, clip_name};
use crate::study::code::Code;
use crate::study::key::Key;
use crate::study::plan::{MOST_BYTES, Plan, PlanError};
use crate::study::seal::{ContentKey, OVERHEAD, SealError};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use zip::{CompressionMethod, ZipArchive};

const MOST_HEADER: u64 = 1 << 20;
/// Of a zip's first entry.
const BEGINNING: &[u8] = b"PK\x03\x04";

/// Why a bundle was not opened.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("the bundle cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error("this is no bundle of a study: choose the file with the ending .echostudy")]
    NoBundle,
    #[error(
        "this bundle was written by a later version of the program (its form is {0}): open it with that version"
    )]
    Later(u32),
    #[error("this bundle is damaged: copy it again from where it was made")]
    Damaged,
    #[error(
        "this code opens nothing in this bundle: compare it letter by letter, or ask for whose study it is"
    )]
    WrongCode,
    #[error("this bundle was not made with this key: choose the key with the bundle's name")]
    OtherKey,
    /// Another text was sealed than the header says, which no accident does.
    #[error("this bundle holds another plan than it says: use the file as it was made")]
    OtherPlan,
    #[error("{0}")]
    Plan(#[from] PlanError),
    #[error(
        "clip {0} of this bundle is not the one that was sealed in its place: it was damaged or exchanged; copy the bundle again"
    )]
    Clip(usize),
    #[error("this bundle has no clip {0}")]
    NoClip(String),
}

/// An opened bundle.
#[derive(Debug)]
pub struct Opened {
    pub header: Header,
    pub plan: Arc<Plan>,
    /// SHA-256 of the plan's bytes.
    pub plan_sha256: String,
    /// Whose code it was, by the place in [`Plan::readers`]; none where the key opened it.
    pub reader: Option<usize>,
    content: ContentKey,
    /// Identifiers in their order, which is that of the entries.
    clips: Vec<String>,
    archive: Mutex<ZipArchive<File>>,
}

/// What a bundle says of itself, without a code.
///
/// # Errors
/// When it cannot be read or is no bundle of this version.
pub fn header(path: &Path) -> Result<Header, ReadError> {
    Ok(unopened(path)?.1)
}

/// Opens a bundle with a reader's code. Each reader's place is tried, which takes a tenth of a second each.
///
/// # Errors
/// When the code is nobody's, or the bundle is not as it was made.
pub fn open(path: &Path, code: &Code) -> Result<Opened, ReadError> {
    let (archive, header) = unopened(path)?;
    let (reader, content) = header.opened_by(code).ok_or(ReadError::WrongCode)?;
    let reader = reader.to_owned();
    let mut opened = opened(archive, header, content)?;
    let place = opened.plan.place_of(&reader);
    opened.reader = Some(place.ok_or(ReadError::OtherPlan)?);
    Ok(opened)
}

/// Opens a bundle with the study's key: no code is needed, and nobody reads.
///
/// # Errors
/// When it was made with another key, or is not as it was made.
pub fn open_with_key(path: &Path, key: &Key) -> Result<Opened, ReadError> {
    let (archive, header) = unopened(path)?;
    let bytes = key.to_bytes();
    let secret = key.secret().ok_or(ReadError::OtherKey)?;
    if header.key_commitment != crate::hash::sha256(&bytes) {
        return Err(ReadError::OtherKey);
    }
    opened(archive, header, ContentKey::of(&secret))
}

fn unopened(path: &Path) -> Result<(ZipArchive<File>, Header), ReadError> {
    let mut file = File::open(path)?;
    let mut head = Vec::new();
    (&mut file)
        .take(BEGINNING.len() as u64)
        .read_to_end(&mut head)?;
    // What is no zip would be searched for the end of one, all of it.
    if head != BEGINNING {
        return Err(ReadError::NoBundle);
    }
    let mut archive = ZipArchive::new(file).map_err(|e| match e {
        zip::result::ZipError::Io(e) if e.kind() != io::ErrorKind::UnexpectedEof => e.into(),
        _ => ReadError::NoBundle,
    })?;
    let bytes =
        entry(&mut archive, 1, "header.json", MOST_HEADER).map_err(|_| ReadError::NoBundle)?;
    let header = Header::parse(&bytes).map_err(|e| match e {
        HeaderError::NoHeader => ReadError::NoBundle,
        HeaderError::Later(version) => ReadError::Later(version),
    })?;
    Ok((archive, header))
}

fn opened(
    mut archive: ZipArchive<File>,
    header: Header,
    content: ContentKey,
) -> Result<Opened, ReadError> {
    let most = (MOST_BYTES + OVERHEAD) as u64;
    let sealed = entry(&mut archive, 2, "plan.sealed", most)?;
    let bytes = content.open(&about_plan(&header.study), &sealed);
    let bytes = bytes.map_err(|_: SealError| ReadError::Damaged)?;
    let plan = Plan::parse(&bytes)?;
    let plan_sha256 = plan.sha256();
    let clips: Vec<String> = plan.clips().into_iter().map(str::to_owned).collect();
    let as_it_says = header.plan_sha256 == plan_sha256
        && header.study == plan.study
        && header.key_commitment == plan.key_commitment
        && header.clips == clips.len()
        && header.clip_bytes == plan.presentation.clip_bytes()
        && header
            .readers
            .iter()
            .map(|r| &r.reader)
            .eq(plan.readers.iter().map(|r| &r.reader));
    if !as_it_says {
        return Err(ReadError::OtherPlan);
    }
    // Names and sizes now, so that a bundle that was cut off is told before anybody sits down to read.
    if archive.len() != BEFORE_CLIPS + clips.len() {
        return Err(ReadError::Damaged);
    }
    entry(&mut archive, 0, "README.txt", MOST_HEADER)?;
    for place in 0..clips.len() {
        let entry = archive
            .by_index(BEFORE_CLIPS + place)
            .map_err(|_| ReadError::Damaged)?;
        let as_written = entry.name().is_ok_and(|name| name == clip_name(place))
            && entry.compression() == CompressionMethod::Stored
            && entry.size() == (header.clip_bytes + OVERHEAD) as u64
            && entry.compressed_size() == entry.size();
        if !as_written {
            return Err(ReadError::Damaged);
        }
    }
    Ok(Opened {
        header,
        plan: Arc::new(plan),
        plan_sha256,
        reader: None,
        content,
        clips,
        archive: Mutex::new(archive),
    })
}

impl Opened {
    /// Identifiers of all clips, sorted.
    pub fn clips(&self) -> &[String] {
        &self.clips
    }

    /// The frames of a clip: 8 bits a pixel, `[frames, height, width]`. Any thread may ask.
    ///
    /// # Errors
    /// When there is no such clip, or it is not the one that was sealed in its place.
    pub fn clip(&self, clip: &str) -> Result<Vec<u8>, ReadError> {
        let place = self.clips.binary_search_by(|c| c.as_str().cmp(clip));
        let place = place.map_err(|_| ReadError::NoClip(clip.to_owned()))?;
        let sealed = {
            let mut archive = self.archive.lock().unwrap_or_else(PoisonError::into_inner);
            let most = (self.header.clip_bytes + OVERHEAD) as u64;
            entry(&mut archive, BEFORE_CLIPS + place, &clip_name(place), most)
        };
        let sealed = sealed.map_err(|e| match e {
            ReadError::Io(e) => ReadError::Io(e),
            _ => ReadError::Clip(place + 1),
        })?;
        let about = about_clip(&self.plan.study, clip);
        let frames = self.content.open(&about, &sealed);
        frames.map_err(|_: SealError| ReadError::Clip(place + 1))
    }
}

/// The bytes of an entry, which has this place and name.
fn entry(
    archive: &mut ZipArchive<File>,
    place: usize,
    name: &str,
    most: u64,
) -> Result<Vec<u8>, ReadError> {
    let damaged = |_| ReadError::Damaged;
    let entry = archive.by_index(place).map_err(damaged)?;
    let as_written = entry.name().is_ok_and(|n| n == name)
        && entry.compression() == CompressionMethod::Stored
        && entry.size() <= most;
    if !as_written {
        return Err(ReadError::Damaged);
    }
    let (mut bytes, size) = (Vec::new(), entry.size());
    // A file that ends early and bytes that do not fit their sum are damage, not failures of the disk.
    entry
        .take(most)
        .read_to_end(&mut bytes)
        .map_err(|e| match e.kind() {
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::InvalidData
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::Other => ReadError::Damaged,
            _ => e.into(),
        })?;
    if bytes.len() as u64 != size {
        return Err(ReadError::Damaged);
    }
    Ok(bytes)
}
