//! The window, driven through its accessible tree against the real worker. Pictures of it are compared
//! with the feature `snapshots` only: they need a Vulkan driver.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests may stop a test

mod calibrated;
mod clips;
#[path = "../common/mod.rs"]
mod common;
#[cfg(feature = "snapshots")]
mod every_size_snapshots;
mod explore;
mod harness;
mod hints;
mod history;
mod keyboard;
mod keys;
mod large_editor;
mod measuring;
mod motion;
mod session;
#[cfg(feature = "snapshots")]
mod shown;
#[cfg(feature = "snapshots")]
mod snapshots;
mod sources;
mod study;
mod study_around;
#[cfg(feature = "snapshots")]
mod study_pictures;
#[cfg(feature = "snapshots")]
mod tool_snapshots;
mod training;
mod training_class;
#[cfg(feature = "snapshots")]
mod training_pictures;
mod truth;
mod versions;
mod window;
