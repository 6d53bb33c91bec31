//! Embeds every file below `weights/` with its SHA-256, and refuses weights that differ from the
//! manifest that was written when they were imported. With the feature `cuda` it compiles our kernels.

#![allow(clippy::expect_used, clippy::panic)] // a build script stops the build by stopping

use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Files that the program asks for by name.
const REQUIRED: [&str; 6] = [
    "README.md",
    "card.yaml",
    "cascade/config.yaml",
    "cascade/unet1.safetensors",
    "regressor/regressor.safetensors",
    "regressor/regressor.yaml",
];

fn main() {
    let root = PathBuf::from(env("CARGO_MANIFEST_DIR"));
    let weights = root.join("weights");
    println!("cargo::rerun-if-changed={}", weights.display());
    let mut table = String::from("pub static WEIGHTS: &[(&str, &[u8], &str)] = &[\n");
    for name in REQUIRED {
        let path = weights.join(name);
        println!("cargo::rerun-if-changed={}", path.display());
        let bytes = std::fs::read(&path)
            .unwrap_or_else(|e| panic!("weights/{name} cannot be read ({e}); check it out again"));
        let hash: String = Sha256::digest(&bytes)
            .iter()
            .fold(String::new(), |mut s, b| {
                write!(s, "{b:02x}").expect("writing to a string");
                s
            });
        check(&path, name, &hash);
        writeln!(table, "    ({name:?}, include_bytes!({path:?}), {hash:?}),")
            .expect("writing to a string");
    }
    table.push_str("];\n");
    let out = PathBuf::from(env("OUT_DIR")).join("weights.rs");
    std::fs::write(&out, table).expect("OUT_DIR is writable");
    #[cfg(feature = "cuda")]
    compile_kernels(&root.join("src/nn/cuda/kernels"));
}

/// Compiles the CUDA kernels to PTX, which the GPU's driver compiles for its own processor.
#[cfg(feature = "cuda")]
fn compile_kernels(sources: &Path) {
    println!("cargo::rerun-if-changed={}", sources.display());
    let built = cudaforge::KernelBuilder::new()
        .source_dir(sources)
        .arg("-std=c++17")
        .arg("-O3")
        .build_ptx();
    let out = PathBuf::from(env("OUT_DIR")).join("kernels.rs");
    match built {
        Ok(built) => assert!(built.write(&out).is_ok(), "OUT_DIR is writable"),
        Err(e) => panic!("the CUDA kernels cannot be compiled: {e}"),
    }
}

/// Holds an imported file against the `manifest.json` beside it.
fn check(path: &Path, name: &str, hash: &str) {
    let Ok(manifest) = std::fs::read_to_string(path.with_file_name("manifest.json")) else {
        return;
    };
    let file = path
        .file_name()
        .and_then(|f| f.to_str())
        .unwrap_or_default();
    let line = manifest
        .lines()
        .find(|l| l.contains(&format!("\"{file}\":")));
    assert!(
        line.is_none_or(|l| l.contains(hash)),
        "weights/{name} differs from its manifest.json; import the weights again"
    );
}

fn env(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("cargo sets {name}"))
}
