//! `NAME-R1.jsonl`: what a reader was shown and answered, a line each, never changed afterwards.
//!
//! Each line is a JSON object as [`super::record::Line`] writes it, and is on the disk before the program goes
//! on. `n` counts from 0; `prev` is the SHA-256 of the bytes of the line before, without its newline, and of
//! the plan in line 0. So a line that is changed, taken out, added or moved no longer fits its neighbours;
//! the [receipt](super::code::receipt) of a line covers all before it.
//!
//! A program that is killed leaves at most a beginning of a line. It stays: the next program ends it by a
//! newline and writes, in the same piece, a line `torn` with its length and SHA-256. `n` and `prev` of `torn`
//! are those of the line that was lost, so that the chain of whole lines goes on, and `torn` itself covers
//! what lies between. Where a program is killed while it writes `torn`, both beginnings with the newline
//! between them are what the next `torn` names. A last line that lacks nothing but its newline is a line.
//!
//! Of times, only those of one run are compared with each other (by `mono_ms`), and the wall clock with
//! itself for the length of a pause; never the clocks of two logs.

mod chain;
mod read;
mod rules;
mod write;

#[cfg(test)]
mod tests;

pub use chain::split;
pub use read::{Answered, Problem, ReadLog, Run, read};
pub use write::{LogError, LogWriter, load};

use std::path::{Path, PathBuf};

/// Bytes of a log: thousands of trials with a hundred times as many pauses as anybody makes.
pub const MOST_BYTES: usize = 64 << 20;
/// Bytes of the logs of all readers in one file.
pub const MOST_OF_ALL: usize = 256 << 20;

/// Where the log of a reader lies: beside the bundle, with its name.
pub fn beside(bundle: &Path, reader: &str) -> PathBuf {
    let name = bundle.file_stem().unwrap_or_default().to_string_lossy();
    bundle.with_file_name(format!("{name}-{reader}.jsonl"))
}
