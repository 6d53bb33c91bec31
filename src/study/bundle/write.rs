//! A bundle is written: one clip at a time, under a temporary name, on the disk before it has its own.

use super::header::SealedFor;
use super::{FORMAT, Header, README, VERSION, about_clip, about_plan, clip_name};
use crate::files;
use crate::study::code::Code;
use crate::study::key::Key;
use crate::study::plan::{Plan, PlanError};
use crate::study::seal::{CIPHER, ContentKey, Kdf, SealError};
use std::error::Error;
use std::io::{self, Write as _};
use std::path::Path;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipWriter};

/// What a bundle has besides plan, key and clips.
#[derive(Clone, Debug)]
pub struct Made {
    /// `2026-11-26T07:00:00.000Z`
    pub created_utc: String,
    /// How codes are made keys.
    pub kdf: Kdf,
}

/// Why a bundle was not written. Then there is what was there before.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("the bundle cannot be written: {0}")]
    Io(#[from] io::Error),
    #[error("the bundle cannot be written: {0}")]
    Zip(#[from] zip::result::ZipError),
    #[error("{0}")]
    Plan(#[from] PlanError),
    #[error("the bundle cannot be sealed: {0}")]
    Seal(#[from] SealError),
    #[error("the plan was not made with this key")]
    OtherKey,
    /// A reader of the plan has no code in the key.
    #[error("the key has no code for {0}")]
    NoCode(String),
    /// Clips come as the plan names them, sorted by identifier.
    #[error("the clip {given} was given where the plan has {wanted}")]
    Order { given: String, wanted: String },
    #[error("a clip has {given} bytes, and by the plan it has {wanted}")]
    Size { given: usize, wanted: usize },
    /// What whoever gives the clips says.
    #[error("{0}")]
    Clip(Box<dyn Error + Send + Sync>),
}

/// Writes a bundle: the clips of the plan, sorted by identifier, each `[frames, height, width]` of 8 bits.
/// They are taken one at a time and never held together; where one is an error, that is the end.
///
/// # Errors
/// When plan, key and clips do not belong together, a clip is an error, or the disk is full or fails.
pub fn write<E: Into<Box<dyn Error + Send + Sync>>>(
    path: &Path,
    plan: &Plan,
    key: &Key,
    made: &Made,
    clips: impl IntoIterator<Item = Result<(String, Vec<u8>), E>>,
) -> Result<(), WriteError> {
    let plan_bytes = plan.to_bytes();
    Plan::parse(&plan_bytes)?;
    if !plan.commits_to(&key.to_bytes()) || key.study != plan.study {
        return Err(WriteError::OtherKey);
    }
    let content = ContentKey::of(&key.secret().ok_or(WriteError::OtherKey)?);
    let header = header(plan, key, made, &content)?;

    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut zip = ZipWriter::new(files::temporary_in(folder)?);
    // What a zip usually says of the machine that wrote it is the same from all.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::DEFAULT)
        .system(System::Unix)
        .unix_permissions(0o644);
    let mut put = |name: &str, bytes: &[u8]| -> Result<(), WriteError> {
        zip.start_file(name, options)?;
        Ok(zip.write_all(bytes)?)
    };
    put("README.txt", README.as_bytes())?;
    put("header.json", &header.to_bytes())?;
    put(
        "plan.sealed",
        &content.seal(&about_plan(&plan.study), &plan_bytes)?,
    )?;
    let order = |given: &str, wanted: &str| WriteError::Order {
        given: given.into(),
        wanted: wanted.into(),
    };
    let mut given = clips.into_iter();
    for (place, wanted) in plan.clips().into_iter().enumerate() {
        let clip = given.next().ok_or_else(|| order("none", wanted))?;
        let (clip, frames) = clip.map_err(|e| WriteError::Clip(e.into()))?;
        if clip != wanted {
            return Err(order(&clip, wanted));
        }
        if frames.len() != header.clip_bytes {
            return Err(WriteError::Size {
                given: frames.len(),
                wanted: header.clip_bytes,
            });
        }
        let sealed = content.seal(&about_clip(&plan.study, &clip), &frames)?;
        put(&clip_name(place), &sealed)?;
    }
    if let Some(more) = given.next() {
        let (clip, _) = more.map_err(|e| WriteError::Clip(e.into()))?;
        return Err(order(&clip, "none"));
    }
    files::put(zip.finish()?, path)?;
    Ok(files::sync_folder(folder)?)
}

fn header(plan: &Plan, key: &Key, made: &Made, content: &ContentKey) -> Result<Header, WriteError> {
    let sealed = |reading: &crate::study::plan::Reading| {
        let name = &reading.reader;
        let no_code = || WriteError::NoCode(name.clone());
        let code = key.readers.iter().find(|r| r.reader == *name);
        let code = Code::parse(&code.ok_or_else(no_code)?.code).map_err(|_| no_code())?;
        Ok(SealedFor::seal(
            &plan.study,
            name,
            &code,
            &made.kdf,
            content,
        )?)
    };
    let readers: Result<_, WriteError> = plan.readers.iter().map(sealed).collect();
    Ok(Header {
        format: FORMAT.into(),
        version: VERSION,
        study: plan.study.clone(),
        created_utc: made.created_utc.clone(),
        plan_sha256: plan.sha256(),
        key_commitment: plan.key_commitment.clone(),
        clips: plan.clips().len(),
        clip_bytes: plan.presentation.clip_bytes(),
        kdf: made.kdf.clone(),
        cipher: CIPHER.into(),
        readers: readers?,
    })
}
