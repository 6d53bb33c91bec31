//! The three places tensors come from.

use super::Error;
use super::pickle::TensorRef;
use super::torch_file::TorchFile;
use crate::nn::{Fetched, Interrupt, TensorSource};
use safetensors::tensor::{Dtype, SafeTensors};
use std::collections::HashMap;

/// Tensors of a PyTorch file under one prefix.
pub struct TorchSource<'a> {
    file: &'a TorchFile,
    tensors: HashMap<&'a str, &'a TensorRef>,
    /// What stands before every name in the file.
    prefix: String,
}

impl<'a> TorchSource<'a> {
    /// The EMA weights of stage `i` of a `merged.pt`: `ema.<i>.ema_model.*`.
    pub fn stage(file: &'a TorchFile, i: usize) -> Result<Self, Error> {
        let prefix = format!("{i}.ema_model.");
        Self::below(file, &["ema"], &prefix).ok_or_else(|| {
            Error::damaged(
                file.path(),
                "it has no `ema` part, where the weights for sampling are",
            )
        })
    }

    /// The tensors of the dictionary at `keys` whose names begin with `prefix`, without it.
    pub fn below(file: &'a TorchFile, keys: &[&str], prefix: &str) -> Option<Self> {
        let tensors = file
            .tensors(keys)?
            .into_iter()
            .filter_map(|(name, t)| Some((name.strip_prefix(prefix)?, t)))
            .collect();
        Some(Self {
            file,
            tensors,
            prefix: keys.iter().map(|key| format!("{key}.")).collect::<String>() + prefix,
        })
    }
}

impl TensorSource for TorchSource<'_> {
    fn fetch(&self, name: &str, shape: &[usize]) -> Result<Fetched, String> {
        let Some(tensor) = self.tensors.get(name) else {
            return Ok(Fetched::Missing);
        };
        if tensor.shape != shape {
            return Ok(Fetched::WrongShape(tensor.shape.clone()));
        }
        self.file.read(tensor).map(Fetched::Data)
    }

    fn origin(&self) -> String {
        self.file.path().display().to_string()
    }

    fn full_name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.tensors.keys().map(|&n| n.to_owned()).collect();
        names.sort_unstable();
        names
    }
}

/// Tensors of a safetensors buffer (f32 or f16).
pub struct SafetensorsSource<'a> {
    tensors: SafeTensors<'a>,
    origin: String,
}

impl<'a> SafetensorsSource<'a> {
    /// # Errors
    /// A phrase when the buffer is not in the format.
    pub fn new(bytes: &'a [u8], origin: impl Into<String>) -> Result<Self, String> {
        let tensors = SafeTensors::deserialize(bytes).map_err(|e| e.to_string())?;
        Ok(Self {
            tensors,
            origin: origin.into(),
        })
    }
}

impl TensorSource for SafetensorsSource<'_> {
    fn fetch(&self, name: &str, shape: &[usize]) -> Result<Fetched, String> {
        let Ok(view) = self.tensors.tensor(name) else {
            return Ok(Fetched::Missing);
        };
        if view.shape() != shape {
            return Ok(Fetched::WrongShape(view.shape().to_vec()));
        }
        let data = view.data();
        Ok(Fetched::Data(match view.dtype() {
            Dtype::F32 => data
                .as_chunks::<4>()
                .0
                .iter()
                .map(|&b| f32::from_le_bytes(b))
                .collect(),
            Dtype::F16 => data
                .as_chunks::<2>()
                .0
                .iter()
                .map(|&b| half::f16::from_le_bytes(b).to_f32())
                .collect(),
            other => return Err(format!("its numbers are {other:?}; f32 and f16 are read")),
        }))
    }

    fn origin(&self) -> String {
        self.origin.clone()
    }

    fn names(&self) -> Vec<String> {
        self.tensors
            .names()
            .into_iter()
            .map(str::to_owned)
            .collect()
    }
}

/// Another source, until a flag is set: what a network still asks for is then refused at once.
pub(super) struct Until<'a> {
    pub source: &'a dyn TensorSource,
    pub interrupt: &'a Interrupt,
}

impl TensorSource for Until<'_> {
    fn fetch(&self, name: &str, shape: &[usize]) -> Result<Fetched, String> {
        if self.interrupt.is_set() {
            return Err("stopped".into());
        }
        self.source.fetch(name, shape)
    }

    fn origin(&self) -> String {
        self.source.origin()
    }

    fn full_name(&self, name: &str) -> String {
        self.source.full_name(name)
    }

    fn names(&self) -> Vec<String> {
        self.source.names()
    }
}

/// Weights by the hash recipe of the parity fixtures: each tensor is computed from its name.
pub struct Recipe {
    pub prefix: String,
    pub gain: f64,
}

impl Recipe {
    /// `offset + scale * v_i` for the tensor called `name`, where `v_i` in -1..1 comes from
    /// SplitMix64 seeded with the FNV-1a hash of the name.
    pub fn values(name: &str, n: usize, scale: f64, offset: f64) -> Vec<f32> {
        let seed = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, b| {
            (hash ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)
        });
        (1..=n as u64)
            .map(|i| {
                let mut z = seed.wrapping_add(i.wrapping_mul(0x9E37_79B9_7F4A_7C15));
                z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
                z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
                z ^= z >> 31;
                let u = (z >> 40) as f64 / 16_777_216.0;
                (offset + scale * (2.0 * u - 1.0)) as f32
            })
            .collect()
    }

    fn scale_and_offset(&self, name: &str, shape: &[usize]) -> (f64, f64) {
        let last = name.rsplit('.').next().unwrap_or(name);
        match (last, shape.len()) {
            ("running_var", _) => (0.5, 1.0),
            (_, rank) if rank >= 2 => {
                let fan_in: usize = shape[1..].iter().product();
                ((3.0 * self.gain / fan_in as f64).sqrt(), 0.0)
            }
            ("weight" | "g", 1) => (0.2, 1.0),
            ("weights" | "null_attn_bias", 1) => (1.0, 0.0),
            _ => (0.2, 0.0),
        }
    }
}

impl TensorSource for Recipe {
    fn fetch(&self, name: &str, shape: &[usize]) -> Result<Fetched, String> {
        let (scale, offset) = self.scale_and_offset(name, shape);
        let full = format!("{}{name}", self.prefix);
        let n = shape.iter().product();
        Ok(Fetched::Data(Self::values(&full, n, scale, offset)))
    }

    fn origin(&self) -> String {
        "the hash recipe".into()
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}
