//! Training eyes to see EF: cases whose truth is known, guesses, and what becomes of them.
//!
//! Time and answers come from outside, so that the window, a script and a simulated trainee drive the same code.

pub mod case;
pub mod class;
pub mod export;
pub mod folder;
pub mod lower;
pub mod make;
pub mod material;
pub mod outlines;
pub mod profile;
pub mod progress;
pub mod report;
pub mod result;
pub mod retention;
pub mod rungs;
pub mod sampler;
pub mod schedule;
pub mod session;
pub mod set;
pub mod sitting;
pub mod staircase;

use std::path::PathBuf;

/// Where profiles lie; none where the system has no data directory.
pub fn profiles_folder() -> Option<PathBuf> {
    let dirs = directories::ProjectDirs::from("", "", "echoif")?;
    Some(dirs.data_dir().join("profiles"))
}
