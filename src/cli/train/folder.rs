//! A run's folder: what lies in it, and whose it is.

use super::config::Kept;
use crate::files::{read_text, write_atomically, yaml};
use anyhow::{Context, bail};
use serde_json::Value;
use std::fs::{File, TryLockError};
use std::path::Path;

/// Files of a run, in its folder.
pub const STATE: &str = "state.safetensors";
const LOCK: &str = "lock";
const KEPT: &str = "run.yaml";
pub const LOSSES: &str = "loss.csv";
pub const PICTURE: &str = "loss.png";
pub const CASCADE: &str = "cascade";
pub const REGRESSOR: &str = "regressor";
pub const SAMPLES: &str = "samples";

fn kept_in(path: &Path) -> anyhow::Result<Kept> {
    let named = || format!("{} cannot be read", path.display());
    let text = read_text(path).with_context(named)?;
    yaml::read(&text)
        .map_err(anyhow::Error::msg)
        .with_context(named)
}

/// Looks whether a new run may have a folder: it is a run's that kept nothing, or holds nothing that a run would write over.
///
/// # Errors
/// A sentence that names what is in the way.
pub fn free(out: &Path) -> anyhow::Result<()> {
    let is_run = out.join(KEPT).is_file();
    let made = [KEPT, LOSSES, PICTURE, CASCADE, REGRESSOR, SAMPLES];
    if let Some(name) = made.iter().find(|name| !is_run && out.join(name).exists()) {
        bail!(
            "{} is there and is no run's. Name another folder.",
            out.join(name).display()
        );
    }
    Ok(())
}

/// Keeps a second program out of a run's folder for as long as it is held. The folder is made, or is a run's already, or
/// holds nothing that a run would write over.
///
/// # Errors
/// A sentence.
fn alone(out: &Path, resume: bool) -> anyhow::Result<File> {
    if !resume {
        free(out)?;
        std::fs::create_dir_all(out)
            .with_context(|| format!("{} cannot be made a folder", out.display()))?;
    }
    let path = out.join(LOCK);
    let file = File::create(&path)
        .with_context(|| format!("Nothing can be written into {}", out.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => bail!(
            "Another program trains in {}. Wait for it, or name another folder.",
            out.display()
        ),
        // A file system without locks.
        Err(TryLockError::Error(_)) => Ok(file),
    }
}

/// Says what the run is made with, or looks whether it is this run's. The folder is the run's own for as long as what is
/// returned is held.
pub fn begin(out: &Path, config: &Path, resume: bool, kept: &Kept) -> anyhow::Result<File> {
    let path = out.join(KEPT);
    let held = alone(out, resume)?;
    if resume {
        let before = kept_in(&path)?;
        let what = match () {
            () if before.what != kept.what || before.stage != kept.stage => "another network",
            () if before.from_sha256 != kept.from_sha256 => "other weights",
            () if before.data_sha256 != kept.data_sha256 => {
                "other clips or stills, or in another order"
            }
            () if but_for_steps(&before.settings) != but_for_steps(&kept.settings) => {
                "other settings"
            }
            () => return Ok(held),
        };
        bail!(
            "{} was begun with {what} than {} names now. What it was begun with stands in {}.",
            out.display(),
            config.display(),
            path.display()
        );
    }
    note(out, kept)?;
    Ok(held)
}

/// Notes in the folder what the run is made with.
pub fn note(out: &Path, kept: &Kept) -> anyhow::Result<()> {
    let text = yaml::write(kept).map_err(anyhow::Error::msg)?;
    Ok(write_atomically(&out.join(KEPT), text.as_bytes())?)
}

/// A run may be made longer: all else is what it was begun with.
fn but_for_steps(settings: &Value) -> Value {
    let mut settings = settings.clone();
    if let Some(object) = settings.as_object_mut() {
        object.remove("steps");
    }
    settings
}
