//! Weights in, cines out: checkpoints, networks beside the reference, runs and the worker.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests may stop a test

mod broken;
mod checkpoints;
#[path = "../common/mod.rs"]
mod common;
mod follow;
mod interrupt;
mod motion;
mod parity;
mod worker;
