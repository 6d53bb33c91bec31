//! The native form: `config.yaml` and one safetensors file a stage, with a manifest of hashes.

use super::source::SafetensorsSource;
use super::{Error, Identity, LoadedCascade, folder_name, parse_cascade, read_text};
use crate::hash::{combined, sha256};
use crate::nn::{Backend, Interrupt};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

pub const MANIFEST: &str = "manifest.json";

/// Figures that were measured on a cascade ([`crate::card::Card`]), where there are any.
pub const CARD: &str = "card.yaml";

/// What stands beside the imported files.
#[derive(Serialize, Deserialize)]
pub(super) struct Manifest {
    /// `cascade` or `regressor`.
    pub kind: String,
    /// What is shown for it; the folder's name where there is none. An import gives none: a file's or a
    /// folder's name could be a person's.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The checkpoint it came from.
    pub source_sha256: String,
    /// SHA-256 of each file.
    pub files: BTreeMap<String, String>,
}

pub(super) struct NativeFile {
    pub bytes: Vec<u8>,
    pub sha256: String,
}

/// Reads a file and holds it against the manifest beside it, if there is one.
pub(super) fn read_checked(path: &Path) -> Result<NativeFile, Error> {
    let bytes = std::fs::read(path).map_err(|e| Error::io(path, &e))?;
    let hash = sha256(&bytes);
    let manifest = path.with_file_name(MANIFEST);
    if manifest.is_file() {
        let manifest = read_manifest(&manifest)?;
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned());
        let expected = name.and_then(|n| manifest.files.get(&n).cloned());
        if expected.is_some_and(|e| e != hash) {
            return Err(Error::Changed {
                path: path.to_owned(),
            });
        }
    }
    Ok(NativeFile {
        bytes,
        sha256: hash,
    })
}

fn read_manifest(path: &Path) -> Result<Manifest, Error> {
    serde_json::from_str(&read_text(path)?)
        .map_err(|e| Error::damaged(path, &format!("it is not a manifest ({e})")))
}

pub(super) fn stage_file(i: usize) -> String {
    format!("unet{}.safetensors", i + 1)
}

pub(super) fn open_cascade(
    folder: &Path,
    backend: &Backend,
    interrupt: &Interrupt,
) -> Result<LoadedCascade, Error> {
    let manifest = read_manifest(&folder.join(MANIFEST))?;
    let config = read_checked(&folder.join("config.yaml"))?;
    let text = String::from_utf8_lossy(&config.bytes);
    let stages = parse_cascade(&text)
        .map_err(|why| Error::config(&folder.join("config.yaml"), why))?
        .stages
        .len();
    let mut files = Vec::new();
    for i in 0..stages {
        if interrupt.is_set() {
            return Err(Error::Stopped);
        }
        files.push(read_checked(&folder.join(stage_file(i)))?);
    }
    let bytes: Vec<&[u8]> = files.iter().map(|f| f.bytes.as_slice()).collect();
    let name = if manifest.name.is_empty() {
        folder_name(folder)
    } else {
        manifest.name
    };
    let named = (name, None);
    from_bytes(&text, &bytes, named, folder, backend, interrupt)
}

/// Builds a cascade from its configuration's text and one safetensors buffer a stage; its name on screens,
/// and the one its card gives.
pub(super) fn from_bytes(
    text: &str,
    stages: &[&[u8]],
    (name, published): (String, Option<String>),
    folder: &Path,
    backend: &Backend,
    interrupt: &Interrupt,
) -> Result<LoadedCascade, Error> {
    let config =
        parse_cascade(text).map_err(|why| Error::config(&folder.join("config.yaml"), why))?;
    let bytes = |i: usize| stages.get(i).copied().unwrap_or_default();
    let mut hashes = vec![sha256(text.as_bytes())];
    hashes.extend((0..config.stages.len()).map(|i| sha256(bytes(i))));
    let identity = Identity {
        name,
        published,
        sha256: combined(&hashes),
    };
    super::build(config, identity, backend, interrupt, |i| {
        let path = folder.join(stage_file(i));
        SafetensorsSource::new(bytes(i), path.display().to_string())
            .map_err(|why| Error::damaged(&path, &why))
    })
}
