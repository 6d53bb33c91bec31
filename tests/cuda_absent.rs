//! A program that was built with CUDA starts and works on a machine without any of its libraries.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)] // helpers of tests may stop a test

use std::process::{Command, Output};

/// The program where libraries are found in the system's own folders alone.
fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_echoif"))
        .args(arguments)
        .env_remove("LD_LIBRARY_PATH")
        .output()
        .unwrap()
}

#[test]
fn a_machine_without_cuda() {
    let told = run(&["doctor"]);
    assert!(told.status.success(), "{told:?}");
    let refused = run(&["verify", "tests/fixtures", "--device", "cuda"]);
    let why = String::from_utf8_lossy(&refused.stderr);
    // With a GPU's driver in the system's folders it is found there.
    let driver = ["/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib"]
        .iter()
        .any(|folder| std::path::Path::new(folder).join("libcuda.so.1").exists());
    if driver {
        eprintln!("NOT TESTED: this machine has NVIDIA's driver in the system's folders");
        return;
    }
    assert!(!refused.status.success());
    assert!(why.contains("No CUDA device can be used"), "{why}");
    // It works, and who asked for no GPU hears nothing of one.
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("ef30.gif");
    let made = run(&[
        "generate",
        "--frame",
        "assets/a4c_1.png",
        "--ef",
        "30",
        "--preset",
        "preview",
        "--out",
        out.to_str().unwrap(),
    ]);
    assert!(made.status.success() && out.exists(), "{made:?}");
    let said = String::from_utf8_lossy(&made.stderr);
    assert!(!said.contains("CUDA"), "{said}");
}
