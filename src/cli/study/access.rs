//! What a study's commands are given: its plan, open or sealed, codes and keys.

use crate::study::bundle::{self, Opened};
use crate::study::code::Code;
use crate::study::key::Key;
use crate::study::keyfile::{is_sealed, open_key};
use crate::study::log;
use crate::study::plan::Plan;
use anyhow::Context;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes of a plan or a key: of the largest study many times.
const MOST_BYTES: u64 = 64 << 20;
/// What a bundle, a zip, begins with.
const ZIP: &[u8] = b"PK";

/// How a sealed plan is opened.
#[derive(clap::Args)]
pub struct Access {
    /// A file with a reader's code.
    #[arg(long, value_name = "FILE")]
    pub code_file: Option<PathBuf>,
    /// The study's key instead of a code.
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// A file whose first line is the key's passphrase.
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
}

impl Access {
    /// A plan: `plan.json` as it is, or from a bundle.
    pub fn plan(&self, path: &Path) -> anyhow::Result<Arc<Plan>> {
        let shown = path.display();
        if !begins_with_zip(path)? {
            let bytes = bytes_of(path)?;
            return Ok(Arc::new(
                Plan::parse(&bytes).with_context(|| format!("{shown}"))?,
            ));
        }
        let opened = match (&self.code_file, &self.key) {
            (Some(code), _) => bundle::open(path, &code_in(code)?),
            (None, Some(key)) => {
                bundle::open_with_key(path, &key_in(key, self.passphrase_file.as_deref())?.0)
            }
            (None, None) => anyhow::bail!(
                "{shown} is sealed: give --code-file FILE or --key FILE, or plan.json instead."
            ),
        };
        Ok(opened.with_context(|| format!("{shown}"))?.plan)
    }
}

/// A bundle, opened by a code.
pub fn bundle(path: &Path, code_file: Option<&Path>) -> anyhow::Result<Opened> {
    let code =
        code_file.context("The bundle is sealed: give --code-file FILE with a reader's code.")?;
    let opened = bundle::open(path, &code_in(code)?);
    opened.with_context(|| format!("{}", path.display()))
}

/// The code in a file: alone, or behind a reader's name.
fn code_in(path: &Path) -> anyhow::Result<Code> {
    let text = crate::files::read_text(path);
    let text = text.with_context(|| format!("{} cannot be read", path.display()))?;
    let mut codes = text.lines().filter_map(|line| {
        let words = line.trim();
        let last = words.split_whitespace().next_back().unwrap_or_default();
        Code::parse(words).or_else(|_| Code::parse(last)).ok()
    });
    let code = codes.next();
    anyhow::ensure!(
        codes.next().is_none(),
        "{} holds the codes of several readers: give a file with one.",
        path.display()
    );
    code.with_context(|| {
        format!(
            "{} holds no code: it has 20 letters and digits, as XXXXX-XXXXX-XXXXX-XXXXX.",
            path.display()
        )
    })
}

/// A key and its plain text, and whether it was sealed.
pub fn key_in(path: &Path, passphrase_file: Option<&Path>) -> anyhow::Result<(Key, Vec<u8>, bool)> {
    let shown = || format!("{}", path.display());
    let file = bytes_of(path)?;
    let passphrase = match is_sealed(&file).with_context(shown)? {
        true => super::passphrase(passphrase_file, false, false)?,
        false => None,
    };
    let opened = open_key(&file, passphrase.as_deref()).with_context(shown)?;
    let key = Key::parse(&opened.bytes).with_context(shown)?;
    Ok((key, opened.bytes, opened.sealed))
}

/// The bytes of files of logs.
pub fn logs_in(paths: &[PathBuf]) -> anyhow::Result<Vec<Vec<u8>>> {
    let load = |path: &PathBuf| log::load(path).with_context(|| format!("{}", path.display()));
    paths.iter().map(load).collect()
}

fn begins_with_zip(path: &Path) -> anyhow::Result<bool> {
    let mut head = Vec::new();
    let file = std::fs::File::open(path);
    let file = file.with_context(|| format!("{} cannot be read", path.display()))?;
    file.take(2).read_to_end(&mut head)?;
    Ok(head == ZIP)
}

fn bytes_of(path: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path);
    let file = file.with_context(|| format!("{} cannot be read", path.display()))?;
    file.take(MOST_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}
