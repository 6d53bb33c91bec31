//! The last panic of this program: what a library or a kernel said, and where. A panic costs the job in
//! which it happens, no more; `echoif doctor` shows it, so that it can be reported.
//!
//! Within the process the whole message is known. What is kept on disk, for the next process, says where
//! it was, and of the message its fixed words alone: a panic may quote what it choked on, which may be a
//! name out of a patient's file.

use crate::files::write_atomically;
use serde::{Deserialize, Serialize};
use std::any::Any;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, Once, OnceLock, PoisonError};

/// One panic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    pub message: String,
    /// `crate or file:line:column`
    pub place: String,
    pub echoif_version: String,
}

static LAST: Mutex<Option<Fault>> = Mutex::new(None);
static FILE: OnceLock<PathBuf> = OnceLock::new();

/// Remembers panics from now on, beside what is done about them already.
pub fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            note(&said(info.payload()), info.location());
            usual(info);
        }));
    });
}

/// As [`watch`], and keeps the last one for the next process.
pub fn watch_and_keep() {
    if let Some(dirs) = directories::ProjectDirs::from("", "", "echoif") {
        let _ = FILE.set(dirs.cache_dir().join("last_fault.json"));
    }
    watch();
}

fn note(message: &str, location: Option<&Location<'_>>) {
    let fault = Fault {
        message: message.to_owned(),
        place: location.map_or_else(|| "unknown".into(), place_of),
        echoif_version: env!("CARGO_PKG_VERSION").into(),
    };
    if let Some(path) = FILE.get() {
        // Nothing can be done where it cannot be kept.
        let _ = keep(&fault, path);
    }
    *LAST.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
}

/// Writes a fault, without what it quotes.
fn keep(fault: &Fault, path: &Path) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let kept = Fault {
        message: fixed_words(&fault.message).to_owned(),
        ..fault.clone()
    };
    write_atomically(path, &serde_json::to_vec(&kept)?)
}

/// The last panic of this process.
pub fn last() -> Option<Fault> {
    LAST.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// The last panic of an earlier process, as far as it was kept.
pub fn kept() -> Option<Fault> {
    let dirs = directories::ProjectDirs::from("", "", "echoif")?;
    let text = std::fs::read(dirs.cache_dir().join("last_fault.json")).ok()?;
    serde_json::from_slice(&text).ok()
}

/// Runs `f`; a panic in it is an error, in a phrase for the user.
///
/// # Errors
/// When `f` fails or panics.
pub fn caught<T>(f: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|payload| Err(phrase(&*payload)))
}

/// A panic, in a phrase for the user.
pub fn phrase(payload: &(dyn Any + Send)) -> String {
    let said = said(payload);
    let place = last().filter(|fault| fault.message == said);
    let place = place.map_or_else(String::new, |fault| format!(" at {}", fault.place));
    format!("an unexpected fault in the computation ({said}{place})")
}

fn said(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no message").to_owned()
}

/// The source file from its crate on: what is before that is the folder in which this program was built.
fn place_of(location: &Location<'_>) -> String {
    let file = location.file().replace('\\', "/");
    let from_crate = |marker: &str| {
        let (before, after) = file.rsplit_once(marker)?;
        let name = before.rsplit('/').next().unwrap_or(before);
        Some(format!("{name}{marker}{after}"))
    };
    let file = match from_crate("/src/") {
        Some(file) => file,
        None => file,
    };
    format!("{file}:{}:{}", location.line(), location.column())
}

/// A message up to where it begins to quote, and at most a line.
fn fixed_words(message: &str) -> &str {
    /// The standard library's own, which stand in quotes.
    const KNOWN: [&str; 2] = [
        "called `Option::unwrap()` on a `None` value",
        "called `Result::unwrap()` on an `Err` value",
    ];
    if let Some(known) = KNOWN.iter().find(|known| message.starts_with(**known)) {
        return known;
    }
    let quotes = |c: char| !(c.is_ascii_lowercase() || " ,-".contains(c));
    let end = message.find(quotes).unwrap_or(message.len()).min(120);
    message[..end].trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_phrase_with_its_place() {
        watch();
        let why = caught::<()>(|| std::panic::panic_any(format!("no row {}", 7))).unwrap_err();
        assert!(why.contains("(no row 7"), "{why}");
        assert_eq!(caught(|| Ok(3)), Ok(3));
        assert_eq!(caught::<()>(|| Err("a".into())), Err("a".into()));
    }

    #[test]
    fn the_place_begins_with_its_crate() {
        let here = place_of(Location::caller());
        assert!(here.starts_with("src/faults.rs:"), "{here}");
    }

    #[test]
    fn what_is_kept_quotes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("below/fault.json");
        for (message, left) in [
            (
                "index out of bounds: the len is 3 but the index is 7",
                "index out of bounds",
            ),
            (
                "byte index 3 is not a char boundary; it is inside 'ü' (bytes 2..4) of `Müller^Hans`",
                "byte index",
            ),
            (
                "called `Result::unwrap()` on an `Err` value: Io { path: \"/home/hans\" }",
                "called `Result::unwrap()` on an `Err` value",
            ),
            ("Müller", ""),
        ] {
            let fault = Fault {
                message: message.into(),
                place: "src/a.rs:1:2".into(),
                echoif_version: "0".into(),
            };
            keep(&fault, &path).unwrap();
            let kept: Fault = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            assert_eq!((kept.message.as_str(), kept.place), (left, fault.place));
        }
    }
}
