//! What several tests share: writers of checkpoints in PyTorch's formats, memory as the system
//! counts it, and the lock of tests that need every core.

#![allow(dead_code)] // each test uses its part
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests may stop a test

pub mod clips;

use echoif::nn::{Fetched, TensorSource};
use std::cell::RefCell;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The recorded fixtures.
pub fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// A cascade of two stages that make pictures, trained: what the program had inside before its motion
/// cascade.
pub fn pixel_cascade() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pixel_cascade")
}

/// One such test of a binary at a time: each takes every core, and some time what they do.
pub fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Peak resident memory since the last [`reset_peak`], and resident memory now, in bytes.
pub fn memory() -> (usize, usize) {
    let status = std::fs::read_to_string("/proc/self/status").expect("/proc is mounted");
    let field = |name: &str| {
        let line = status
            .lines()
            .find(|l| l.starts_with(name))
            .expect("the field is there");
        let kb: String = line.chars().filter(char::is_ascii_digit).collect();
        kb.parse::<usize>().expect("a number of kB") * 1024
    };
    (field("VmHWM:"), field("VmRSS:"))
}

/// Starts counting the peak anew.
pub fn reset_peak() {
    std::fs::write("/proc/self/clear_refs", "5").expect("this process may reset its own peak");
}

/// Notes every tensor that a network asks for.
#[derive(Default)]
pub struct Names(pub RefCell<Vec<(String, Vec<usize>)>>);

impl TensorSource for Names {
    fn fetch(&self, name: &str, shape: &[usize]) -> Result<Fetched, String> {
        self.0.borrow_mut().push((name.to_owned(), shape.to_vec()));
        Ok(Fetched::Missing)
    }
    fn origin(&self) -> String {
        "nothing".into()
    }
    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A pickle, written value by value.
#[derive(Default)]
pub struct Pickler {
    pub bytes: Vec<u8>,
}

impl Pickler {
    pub fn new() -> Self {
        Self {
            bytes: vec![0x80, 2],
        }
    }

    pub fn text(&mut self, s: &str) {
        self.bytes.push(b'X');
        self.bytes.extend((s.len() as u32).to_le_bytes());
        self.bytes.extend(s.as_bytes());
    }

    pub fn int(&mut self, v: i32) {
        self.bytes.push(b'J');
        self.bytes.extend(v.to_le_bytes());
    }

    fn ints(&mut self, values: &[usize]) {
        self.bytes.push(b'(');
        for &v in values {
            self.int(v as i32);
        }
        self.bytes.push(b't');
    }

    /// A tensor of f32 in storage `key`; `legacy` adds the view that old files carry.
    pub fn tensor(&mut self, key: &str, shape: &[usize], legacy: bool) {
        let n: usize = shape.iter().product();
        let mut stride = 1;
        let mut strides: Vec<usize> = shape
            .iter()
            .rev()
            .map(|&d| {
                let s = stride;
                stride *= d;
                s
            })
            .collect();
        strides.reverse();
        self.bytes.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
        self.text("storage");
        self.bytes.extend(b"ctorch\nFloatStorage\n");
        self.text(key);
        self.text("cuda:0");
        self.int(n as i32);
        if legacy {
            self.bytes.push(b'N');
        }
        self.bytes.extend(b"tQ");
        self.int(0);
        self.ints(shape);
        self.ints(&strides);
        self.bytes.push(0x89);
        self.bytes.extend(b"ccollections\nOrderedDict\n)RtR");
    }

    /// `{ ... }` around what `fill` writes as key, value, key, value.
    pub fn dict(&mut self, fill: impl FnOnce(&mut Self)) {
        self.bytes.extend(b"}(");
        fill(self);
        self.bytes.push(b'u');
    }

    pub fn finish(mut self) -> Vec<u8> {
        self.bytes.push(b'.');
        self.bytes
    }
}

/// Writes a zip as `torch.save` does. `storages` yields key and values.
pub fn write_zip(path: &Path, pickle: &[u8], storages: impl Iterator<Item = (String, Vec<f32>)>) {
    let file = std::fs::File::create(path).expect("the folder is writable");
    let mut zip = zip::ZipWriter::new(std::io::BufWriter::new(file));
    let options =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    zip.start_file("archive/data.pkl", options).expect("zip");
    zip.write_all(pickle).expect("zip");
    for (key, values) in storages {
        zip.start_file(format!("archive/data/{key}"), options)
            .expect("zip");
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        zip.write_all(&bytes).expect("zip");
    }
    zip.finish().expect("zip");
}

/// Writes the form from before PyTorch 1.6.
pub fn write_legacy(path: &Path, pickle: &[u8], storages: &[(String, Vec<f32>)]) {
    let mut bytes = Vec::new();
    bytes.extend(b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.");
    bytes.extend(b"\x80\x02M\xe9\x03.");
    bytes.extend(b"\x80\x02}X\x0d\x00\x00\x00little_endian\x88s.");
    bytes.extend(pickle);
    let mut keys = Pickler::new();
    keys.bytes.extend(b"](");
    for (key, _) in storages {
        keys.text(key);
    }
    keys.bytes.push(b'e');
    bytes.extend(keys.finish());
    for (_, values) in storages {
        bytes.extend((values.len() as u64).to_le_bytes());
        bytes.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    }
    std::fs::write(path, bytes).expect("the folder is writable");
}
