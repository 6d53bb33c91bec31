//! How a study's commands open what is sealed: codes and passphrases lie in files, or are typed.

use crate::study::code::Code;
use crate::study::given::{self, GivenKey, Opener};
use crate::study::plan::Plan;
use anyhow::Context;
use std::path::{Path, PathBuf};
use std::sync::Arc;

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
        let plan = match given::plan(path, Opener::Nothing) {
            Err(e) if matches!(e.why, given::Why::Sealed) => match (&self.code_file, &self.key) {
                (Some(code), _) => given::plan(path, Opener::Code(&code_in(code)?)),
                (None, Some(file)) => {
                    let key = key_in(file, self.passphrase_file.as_deref())?;
                    given::plan(path, Opener::Key(&key.key))
                }
                (None, None) => anyhow::bail!(
                    "{} is sealed: give --code-file FILE or --key FILE, or plan.json instead.",
                    path.display()
                ),
            },
            plan => plan,
        };
        Ok(plan?)
    }
}

/// The code in a file: alone, or behind a reader's name.
pub fn code_in(path: &Path) -> anyhow::Result<Code> {
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

/// A key; its passphrase is asked for where it needs one.
pub fn key_in(path: &Path, passphrase_file: Option<&Path>) -> anyhow::Result<GivenKey> {
    let passphrase = match given::key_is_sealed(path)? {
        true => super::passphrase(passphrase_file, false, false)?,
        false => None,
    };
    Ok(given::key(path, passphrase.as_deref())?)
}
