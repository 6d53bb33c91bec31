//! Files in and out: every kind that is opened, what is refused, and what is exported.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests may stop a test

mod dicom;
mod export;
mod field;
mod files;
#[cfg(feature = "mp4")]
mod mp4;
mod syntaxes;
