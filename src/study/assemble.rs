//! A study is made: clips are prepared, who reads what is drawn, and all of it is sealed and written.

use super::audit::Audit;
use super::bundle::{self, Made};
use super::code::Code;
use super::design::{self, DesignError, Wanted};
use super::key::ReaderCode;
use super::keyfile::{KeyFileError, seal_key};
use super::plan::Plan;
use super::prepare::{PrepareError, Wishes, prepare};
use super::seal::Kdf;
use super::secret::Secret;
use super::sources::Listed;
use crate::files;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// What a study is made of.
pub struct Order {
    pub listed: Vec<Listed>,
    pub wishes: Wishes,
    /// Its presentation is what the clips allow.
    pub wanted: Wanted,
    pub secret: Secret,
    /// Seals the key; none where its administrator wants it open.
    pub passphrase: Option<String>,
    pub kdf: Kdf,
    /// A folder; made where it is not there.
    pub out: PathBuf,
    /// What the files' names begin with.
    pub name: String,
    /// `2026-11-26T07:00:00.000Z`
    pub created_utc: String,
}

/// What was made, and where it lies.
#[derive(Debug)]
pub struct Assembled {
    pub plan: Plan,
    pub plan_sha256: String,
    pub bundle: PathBuf,
    pub key: PathBuf,
    /// A line for each reader: name and code.
    pub codes: PathBuf,
    pub plan_file: PathBuf,
    /// Who opens it by which code.
    pub readers: Vec<ReaderCode>,
    /// Clips of the bundle, without practice.
    pub clips: usize,
    pub audit: Audit,
    pub warnings: Vec<String>,
}

/// Why no study was made; then nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum AssembleError {
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    #[error("{0}")]
    Design(#[from] DesignError),
    #[error(
        "clips are not shown alike in all classes ({0}), which would tell them apart: see audit.json"
    )]
    Unequal(String),
    #[error("{}: it is there already: name another folder, so that no study is lost", .0.display())]
    There(PathBuf),
    #[error("{}: it cannot be written ({why})", path.display())]
    Write { path: PathBuf, why: String },
    #[error("{0}")]
    Bundle(#[from] bundle::WriteError),
    #[error("{0}")]
    Key(#[from] KeyFileError),
}

/// Makes a study. `report` is told what is being done and which share of it, and stops it by `false`.
///
/// # Errors
/// When clips do not fit or do not suffice, a file is there already, or the disk is full or fails.
pub fn assemble(
    order: Order,
    report: &mut dyn FnMut(&str, f64) -> bool,
) -> Result<Assembled, AssembleError> {
    let out = order.out.clone();
    let made = write(order, report);
    match &made {
        // The sentence speaks of the audit.
        Ok(_) | Err(AssembleError::Unequal(_) | AssembleError::There(_)) => {}
        Err(_) => {
            let _ = std::fs::remove_file(out.join("audit.json"));
            // Only where nothing else is in it.
            let _ = std::fs::remove_dir(&out);
        }
    }
    made
}

fn write(
    order: Order,
    report: &mut dyn FnMut(&str, f64) -> bool,
) -> Result<Assembled, AssembleError> {
    let file = |ending: &str| order.out.join(format!("{}{ending}", order.name));
    let (bundle, key_file) = (file(".echostudy"), file(".key"));
    let (codes, plan_file) = (file("-codes.txt"), order.out.join("plan.json"));
    for path in [&bundle, &key_file, &codes, &plan_file] {
        if path.exists() {
            return Err(AssembleError::There(path.clone()));
        }
    }
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |e: io::Error| AssembleError::Write {
            path,
            why: e.to_string(),
        }
    };
    std::fs::create_dir_all(&order.out).map_err(failed(&order.out))?;
    let mut prepared = prepare(
        order.listed,
        order.wishes,
        &order.secret,
        &order.out,
        &mut |share| report("clips are prepared", share),
    )?;
    let audit_file = order.out.join("audit.json");
    let write_audit = |audit: &Audit| {
        let text = serde_json::to_vec_pretty(audit).unwrap_or_default();
        files::write_atomically(&audit_file, &text).map_err(failed(&audit_file))
    };
    write_audit(&prepared.audit)?;
    if !prepared.audit.presentation_equal {
        let unequal = prepared.audit.presentation.iter().filter(|s| !s.equal);
        let names: Vec<&str> = unequal.map(|s| s.feature.as_str()).collect();
        return Err(AssembleError::Unequal(names.join(", ")));
    }

    let wanted = Wanted {
        presentation: prepared.presentation,
        practice_clips: prepared.practice.clone(),
        ..order.wanted
    };
    let secret = &order.secret;
    let code = |reader: &str| Code::of_reader(secret, reader).to_string();
    let (plan, key) = design::design(&wanted, &prepared.clips, secret, code)?;
    prepared.audit.place(&plan, &key);
    write_audit(&prepared.audit)?;
    let practice = prepared.practice.iter();
    let sealed: BTreeMap<String, String> = practice
        .map(|sha256| (design::identifier(secret, sha256), sha256.clone()))
        .chain(
            key.clips
                .iter()
                .map(|c| (c.clip.clone(), c.pixels_sha256.clone())),
        )
        .collect();
    let all = plan.clips().len().max(1) as f64;
    let clips = plan.clips();
    let mut done = 0;
    let frames = clips.iter().map(|&clip| -> io::Result<(String, Vec<u8>)> {
        done += 1;
        if !report("clips are sealed", done as f64 / all) {
            return Err(io::Error::other("it was stopped"));
        }
        let missing = || io::Error::other("a clip of the plan is missing");
        let pixels = sealed.get(clip).ok_or_else(missing)?;
        let frames = prepared.frames(pixels)?.ok_or_else(missing)?;
        Ok((clip.to_owned(), frames))
    });
    let made = Made {
        created_utc: order.created_utc,
        kdf: order.kdf.clone(),
    };
    // The key first: a bundle without it could be read and never be told.
    let sealed_key = seal_key(&key.to_bytes(), order.passphrase.as_deref(), &order.kdf)?;
    let lines: Vec<String> = key
        .readers
        .iter()
        .map(|r| format!("{} {}\n", r.reader, r.code))
        .collect();
    let written = [
        (&key_file, sealed_key),
        (&codes, lines.concat().into_bytes()),
        (&plan_file, plan.to_bytes()),
    ];
    let paths = written.each_ref().map(|(path, _)| *path);
    let write = || {
        for (path, bytes) in &written {
            files::write_atomically(path, bytes).map_err(failed(path))?;
        }
        Ok(bundle::write(&bundle, &plan, &key, &made, frames)?)
    };
    write().inspect_err(|_: &AssembleError| {
        // Of a study that is not there, nothing is left to be mistaken for one.
        for path in paths {
            let _ = std::fs::remove_file(path);
        }
    })?;
    let mut warnings = prepared.warnings;
    warnings.extend(super::power::warnings(plan.readers.len()));
    if order.passphrase.is_none() {
        warnings.push(
            "The key is not sealed: whoever has it knows which clip is which, and the report says so.".into(),
        );
    }
    Ok(Assembled {
        plan_sha256: plan.sha256(),
        clips: key.clips.len(),
        readers: key.readers,
        plan,
        bundle,
        key: key_file,
        codes,
        plan_file,
        audit: prepared.audit,
        warnings,
    })
}
