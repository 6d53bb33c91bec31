//! Where a network runs, and how exactly.

use candle_core::{DType, Device};
use std::fmt::{self, Display};
use std::str::FromStr;

/// How a GPU computes the large products of the U-Nets. Sums are always in `f32`, and so are norms'
/// statistics, softmax, the conditioning, the solver and the regressor. The CPU knows `f32` alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Arithmetic {
    /// As near to `f32` as its own rounding: each product is three of tf32 on the tensor cores.
    #[default]
    F32,
    /// Factors are rounded to 11 bits, tensors are kept in `f32`: as PyTorch's convolutions do.
    Tf32,
    /// Factors and tensors are rounded to 8 bits: half the memory.
    Bf16,
}

impl Arithmetic {
    pub const ALL: [Self; 3] = [Self::F32, Self::Tf32, Self::Bf16];

    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Tf32 => "tf32",
            Self::Bf16 => "bf16",
        }
    }

    /// What tensors between the layers are kept in.
    pub fn dtype(self) -> DType {
        match self {
            Self::F32 | Self::Tf32 => DType::F32,
            Self::Bf16 => DType::BF16,
        }
    }
}

impl Display for Arithmetic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Arithmetic {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|a| a.name() == s)
            .ok_or_else(|| format!("`{s}` is not a precision; they are f32, tf32 and bf16"))
    }
}

/// A device, and the arithmetic of the networks there.
#[derive(Clone, Debug)]
pub struct Backend {
    pub device: Device,
    pub arithmetic: Arithmetic,
}

impl From<&Device> for Backend {
    fn from(device: &Device) -> Self {
        Self {
            device: device.clone(),
            arithmetic: Arithmetic::default(),
        }
    }
}

impl From<&Backend> for Backend {
    fn from(backend: &Backend) -> Self {
        backend.clone()
    }
}
