//! PyTorch's file, the zip of today and the plain one from before 1.6, opened lazily.

use super::Error;
use super::pickle::{Node, Pickle, TensorRef};
use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// An open checkpoint: its structure is in memory, its numbers are still in the file.
pub struct TorchFile {
    path: PathBuf,
    file: RefCell<File>,
    pickle: Pickle,
    /// Where each storage's bytes lie: offset, length.
    storages: HashMap<String, (u64, u64)>,
}

/// The structure of a checkpoint of a thousand tensors takes less than a megabyte.
const MAX_PICKLE: u64 = 256 << 20;
const LEGACY_MAGIC: &[u8] = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.";

impl TorchFile {
    /// # Errors
    /// [`Error`] when the file cannot be read or is not what PyTorch writes.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let mut file = File::open(path).map_err(|e| Error::io(path, &e))?;
        let mut head = [0u8; 16];
        let n = file.read(&mut head).map_err(|e| Error::io(path, &e))?;
        let damaged = |why: &str| Error::damaged(path, why);
        let (pickle, storages) = if head[..n].starts_with(b"PK") {
            open_zip(&mut file).map_err(|why| damaged(&why))?
        } else if head[..n].starts_with(LEGACY_MAGIC) {
            open_legacy(&mut file).map_err(|why| damaged(&why))?
        } else {
            return Err(damaged("it is not a file that PyTorch's save writes"));
        };
        Ok(Self {
            path: path.to_owned(),
            file: RefCell::new(file),
            pickle,
            storages,
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn pickle(&self) -> &Pickle {
        &self.pickle
    }

    /// The tensors of the dictionary at `keys` below the root, by name.
    pub fn tensors(&self, keys: &[&str]) -> Option<HashMap<&str, &TensorRef>> {
        let mut node = self.pickle.root();
        for key in keys {
            node = self.pickle.get(node, key)?;
        }
        matches!(node, Node::Dict(_)).then(|| {
            self.pickle
                .entries(node)
                .filter_map(|(name, node)| match node {
                    Node::Tensor(t) => Some((name, t)),
                    _ => None,
                })
                .collect()
        })
    }

    /// A tensor's values as `f32`, row-major.
    ///
    /// # Errors
    /// A phrase that says why it cannot be read.
    pub fn read(&self, tensor: &TensorRef) -> Result<Vec<f32>, String> {
        let storage = &tensor.storage;
        let kind = ElementKind::of(&storage.kind)
            .ok_or_else(|| format!("its numbers are of the unknown kind {}", storage.kind))?;
        let width = kind.width() as u64;
        let &(start, length) = self
            .storages
            .get(&storage.key)
            .ok_or("its numbers are not in the file")?;
        let last: u64 = tensor
            .shape
            .iter()
            .zip(&tensor.strides)
            .map(|(&n, &s)| (n as u64).saturating_sub(1) * s)
            .sum();
        let elements: u64 = if tensor.shape.contains(&0) {
            0
        } else {
            last + 1
        };
        let end = (tensor.offset + elements)
            .checked_mul(width)
            .filter(|&end| end <= length);
        if end.is_none() {
            return Err("its numbers are cut off".into());
        }
        let mut bytes = vec![0u8; (elements * width) as usize];
        let mut file = self.file.borrow_mut();
        file.seek(SeekFrom::Start(start + tensor.offset * width))
            .and_then(|_| file.read_exact(&mut bytes))
            .map_err(|e| format!("its numbers cannot be read ({e})"))?;
        let values = kind.to_f32(&bytes);
        drop(bytes);
        Ok(gather(values, &tensor.shape, &tensor.strides))
    }
}

/// Row-major values of a strided view that begins at element 0.
fn gather(values: Vec<f32>, shape: &[usize], strides: &[u64]) -> Vec<f32> {
    let mut expected = 1;
    let contiguous = shape.iter().zip(strides).rev().all(|(&n, &s)| {
        let fits = n == 1 || s == expected;
        expected *= n as u64;
        fits
    });
    if contiguous || values.is_empty() {
        return values;
    }
    let total: usize = shape.iter().product();
    let mut index = vec![0usize; shape.len()];
    (0..total)
        .map(|_| {
            let at: u64 = index.iter().zip(strides).map(|(&i, &s)| i as u64 * s).sum();
            for (i, &n) in index.iter_mut().zip(shape).rev() {
                *i += 1;
                if *i < n {
                    break;
                }
                *i = 0;
            }
            values.get(at as usize).copied().unwrap_or(f32::NAN)
        })
        .collect()
}

#[derive(Clone, Copy)]
enum ElementKind {
    F32,
    F64,
    F16,
    Bf16,
    I64,
    I32,
    U8,
}

impl ElementKind {
    fn of(storage: &str) -> Option<Self> {
        Some(match storage {
            "FloatStorage" => Self::F32,
            "DoubleStorage" => Self::F64,
            "HalfStorage" => Self::F16,
            "BFloat16Storage" => Self::Bf16,
            "LongStorage" => Self::I64,
            "IntStorage" => Self::I32,
            "ByteStorage" | "BoolStorage" => Self::U8,
            _ => return None,
        })
    }

    fn width(self) -> usize {
        match self {
            Self::F64 | Self::I64 => 8,
            Self::F32 | Self::I32 => 4,
            Self::F16 | Self::Bf16 => 2,
            Self::U8 => 1,
        }
    }

    fn to_f32(self, bytes: &[u8]) -> Vec<f32> {
        fn each<const N: usize>(bytes: &[u8], f: impl Fn([u8; N]) -> f32) -> Vec<f32> {
            bytes.as_chunks::<N>().0.iter().map(|&c| f(c)).collect()
        }
        match self {
            Self::F32 => each(bytes, f32::from_le_bytes),
            Self::F64 => each(bytes, |b| f64::from_le_bytes(b) as f32),
            Self::F16 => each(bytes, |b| half::f16::from_le_bytes(b).to_f32()),
            Self::Bf16 => each(bytes, |b| half::bf16::from_le_bytes(b).to_f32()),
            Self::I64 => each(bytes, |b| i64::from_le_bytes(b) as f32),
            Self::I32 => each(bytes, |b| i32::from_le_bytes(b) as f32),
            Self::U8 => each(bytes, |[b]| f32::from(b)),
        }
    }
}

type Opened = (Pickle, HashMap<String, (u64, u64)>);

fn open_zip(file: &mut File) -> Result<Opened, String> {
    let length = file.metadata().map_err(|e| e.to_string())?.len();
    let mut zip = zip::ZipArchive::new(&mut *file)
        .map_err(|_| "its table of contents cannot be read; it may be cut off".to_owned())?;
    let mut storages = HashMap::new();
    let mut pickle_index = None;
    let mut big_endian = false;
    for i in 0..zip.len() {
        let mut entry = zip.by_index(i).map_err(|e| e.to_string())?;
        let name = entry.name().map_err(|e| e.to_string())?.into_owned();
        if entry.compression() != zip::CompressionMethod::Stored {
            return Err("its contents are compressed, which PyTorch never does".into());
        }
        let start = entry.data_start().unwrap_or(u64::MAX);
        let size = entry.size();
        if start.checked_add(size).is_none_or(|end| end > length) {
            return Err("it is cut off".into());
        }
        if name.ends_with("/data.pkl") || name == "data.pkl" {
            if size > MAX_PICKLE {
                return Err("its structure is absurdly large".into());
            }
            pickle_index = Some(i);
        } else if name.ends_with("/byteorder") && size < 16 {
            let mut order = String::new();
            entry
                .read_to_string(&mut order)
                .map_err(|e| e.to_string())?;
            big_endian = order.trim() == "big";
        } else if let Some((_, key)) = name.rsplit_once("data/") {
            storages.insert(key.to_owned(), (start, size));
        }
    }
    if big_endian {
        return Err("it was written on a big-endian machine, which is not supported".into());
    }
    let index = pickle_index.ok_or("it has no `data.pkl`, so it is not a PyTorch checkpoint")?;
    let mut bytes = Vec::new();
    zip.by_index(index)
        .map_err(|e| e.to_string())?
        .take(MAX_PICKLE)
        .read_to_end(&mut bytes)
        .map_err(|e| format!("its structure cannot be read ({e})"))?;
    Ok((Pickle::parse(&bytes)?, storages))
}

/// The form before PyTorch 1.6: five pickles (magic, version, system, values, storage keys), then
/// for each key, in order, a count of elements and the elements.
fn open_legacy(file: &mut File) -> Result<Opened, String> {
    let length = file.metadata().map_err(|e| e.to_string())?.len();
    file.seek(SeekFrom::Start(0)).map_err(|e| e.to_string())?;
    // The pickles come first; in any checkpoint here they take less than this.
    let mut head = Vec::new();
    (&mut *file)
        .take(64 << 20)
        .read_to_end(&mut head)
        .map_err(|e| e.to_string())?;
    let mut at = 0;
    let mut next = || -> Result<Pickle, String> {
        let pickle = Pickle::parse(head.get(at..).unwrap_or_default())?;
        at += pickle.length;
        Ok(pickle)
    };
    for _ in 0..3 {
        next()?;
    }
    let values = next()?;
    let keys = next()?;
    let mut widths = HashMap::new();
    for s in values.storages() {
        let width = ElementKind::of(&s.kind).map_or(0, ElementKind::width) as u64;
        widths.insert(s.key.clone(), width);
    }
    let Node::List(ids) = keys.root() else {
        return Err("its list of storages is missing".into());
    };
    let mut storages = HashMap::new();
    let mut position = at as u64;
    for &id in ids {
        let Node::Str(key) = keys.node(id) else {
            return Err("a storage has no name".into());
        };
        let mut count = [0; 8];
        file.seek(SeekFrom::Start(position))
            .and_then(|_| file.read_exact(&mut count))
            .map_err(|_| "it is cut off".to_owned())?;
        let width = widths.get(key).copied().filter(|&w| w > 0);
        let width = width.ok_or("a storage is of an unknown kind")?;
        let bytes = u64::from_le_bytes(count).checked_mul(width);
        let end = bytes.and_then(|b| (position + 8).checked_add(b));
        match (bytes, end) {
            (Some(bytes), Some(end)) if end <= length => {
                storages.insert(key.clone(), (position + 8, bytes));
                position = end;
            }
            _ => return Err("it is cut off".into()),
        }
    }
    Ok((values, storages))
}
