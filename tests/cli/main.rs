//! The program as a script sees it: what it is told, says, writes and refuses.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests may stop a test

mod calibrate;
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

use serde_json::Value;
use std::process::{Command, Output, Stdio};

/// Runs the program, which nobody answers.
fn echoif(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_echoif"))
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// What a command that did what it was told printed, as JSON.
fn said(output: &Output) -> Value {
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What one that did not said.
fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}
