//! The files that anatomies are taken from, by the names that a plan has for them.

use crate::cli::anatomies::files;
use crate::cli::wanted::Taken;
use crate::dataset::{AnatomyName, Clip, Source};
use crate::hash::sha256_file;
use crate::train::clips::Clips;
use anyhow::{Context, bail, ensure};
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// Where anatomies come from; the plan does not say it, as a path may name somebody.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
pub struct From {
    /// Anatomies: a folder of stills and clips. DICOM, PNG, JPEG and what else `generate` opens.
    #[arg(long, value_name = "FOLDER")]
    frames: Option<PathBuf>,
    /// Anatomies: EchoNet-Dynamic's folder, with its FileList.csv and Videos; of its training split alone.
    #[arg(long, value_name = "FOLDER")]
    echonet: Option<PathBuf>,
}

/// Files with what a plan calls them.
pub struct Anatomies {
    pub names: Vec<AnatomyName>,
    paths: Vec<PathBuf>,
    /// By a plan's name.
    at: HashMap<String, usize>,
    /// By a file's name, and by that without its ending.
    files: HashMap<OsString, usize>,
}

impl From {
    pub fn source(&self) -> Source {
        match self.echonet {
            Some(_) => Source::Echonet,
            None => Source::Folder,
        }
    }

    /// Those that can be planned with: every still of a folder is opened.
    pub fn looked_through(&self, no_text: bool) -> anyhow::Result<Anatomies> {
        if let Some(folder) = &self.echonet {
            return echonet(folder);
        }
        let mut all = Anatomies::none();
        let mut with_text = Vec::new();
        for (i, path) in self.in_folder()?.into_iter().enumerate() {
            match Taken::from(&path) {
                Ok(taken) if taken.looks_like_text && !no_text => with_text.push(path),
                Ok(_) => {
                    let sha256 = hash(&path)?;
                    all.push((i + 1).to_string(), sha256, path);
                }
                Err(why) => eprintln!("Left out: {why:#}"),
            }
        }
        if let Some(first) = with_text.first() {
            bail!(
                "Something in {} of the frames looks like text, which may name somebody and would stand in every clip; \
                 the first is {}. Blacken it, or say --no-text where it is none or names nobody.",
                with_text.len(),
                first.display()
            );
        }
        ensure!(
            !all.names.is_empty(),
            "None of the folder's files is a frame that can be read."
        );
        Ok(all)
    }

    /// As they are; a file is compared with the plan when it is needed.
    pub fn listed(&self) -> anyhow::Result<Anatomies> {
        if let Some(folder) = &self.echonet {
            return echonet(folder);
        }
        let mut all = Anatomies::none();
        for (i, path) in self.in_folder()?.into_iter().enumerate() {
            all.push((i + 1).to_string(), String::new(), path);
        }
        Ok(all)
    }

    fn in_folder(&self) -> anyhow::Result<Vec<PathBuf>> {
        let folder = self
            .frames
            .as_ref()
            .context("Give --frames or --echonet.")?;
        ensure!(folder.is_dir(), "{} is no folder.", folder.display());
        files(std::slice::from_ref(folder))
    }
}

fn hash(path: &Path) -> anyhow::Result<String> {
    let hash = sha256_file(path, || false)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    hash.context("nobody stops it")
}

fn echonet(folder: &Path) -> anyhow::Result<Anatomies> {
    // Without it the folder's own list would be taken, which has no splits.
    ensure!(
        folder.join("FileList.csv").is_file(),
        "{} is not EchoNet-Dynamic's folder: there is no FileList.csv in it.",
        folder.display()
    );
    let Clips::Recorded(entries) = Clips::of_folder(folder)? else {
        bail!("{} holds no recorded clips.", folder.display());
    };
    let mut all = Anatomies::none();
    for entry in entries {
        let stem = entry.path.file_stem().unwrap_or_default();
        let name = stem.to_string_lossy().into_owned();
        all.push(name, String::new(), entry.path);
    }
    Ok(all)
}

impl Anatomies {
    fn none() -> Self {
        Self {
            names: Vec::new(),
            paths: Vec::new(),
            at: HashMap::new(),
            files: HashMap::new(),
        }
    }

    fn push(&mut self, name: String, sha256: String, path: PathBuf) {
        let at = self.names.len();
        self.at.insert(name.clone(), at);
        for own in [path.file_stem(), path.file_name()].into_iter().flatten() {
            self.files.entry(own.to_owned()).or_insert(at);
        }
        self.names.push(AnatomyName { name, sha256 });
        self.paths.push(path);
    }

    /// Which one a person means by a file's name, with or without its ending.
    pub fn find(&self, wanted: &str) -> Option<usize> {
        self.files.get(OsStr::new(wanted)).copied()
    }

    /// The file of a clip's anatomy.
    ///
    /// # Errors
    /// When it is not the one that was planned with.
    pub fn path_of(&self, clip: &Clip) -> anyhow::Result<&Path> {
        let other =
            "It is not the folder, or no longer the files, that the data set was planned with.";
        let path = self
            .at
            .get(&clip.anatomy)
            .and_then(|&at| self.paths.get(at))
            .with_context(|| {
                format!(
                    "There is no anatomy {} in the folder. {other}",
                    clip.anatomy
                )
            })?;
        if !clip.anatomy_sha256.is_empty() {
            let now = hash(path)?;
            ensure!(
                now == clip.anatomy_sha256,
                "{} is not the file that it was. {other}",
                path.display()
            );
        }
        Ok(path)
    }
}
