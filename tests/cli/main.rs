//! The program as a script sees it: what it is told, says, writes and refuses.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests may stop a test

#[path = "../common/mod.rs"]
mod common;
mod dataset;
mod drill;
mod evaluate;
mod generate;
mod motion;
mod phantom;
mod study;
mod sweep;
mod train;
