//! Where a regressor's tensors lie in a PyTorch file, under whatever names it was saved.

use super::TorchFile;
use super::pickle::TensorRef;
use crate::models::r2plus1d::R2Plus1dConfig;
use std::collections::HashMap;

/// Dictionaries that hold a network's tensors, outermost last.
const PLACES: [&[&str]; 4] = [&["state_dict"], &["ema"], &["model"], &[]];

/// What stands before every name: Lightning's and EchoDiffusion's, `DataParallel`'s,
/// `torch.compile`'s, none.
const PREFIXES: [&str; 7] = [
    "model.model.",
    "module._orig_mod.",
    "_orig_mod.module.",
    "module.",
    "_orig_mod.",
    "model.",
    "",
];

/// A tensor that every regressor has.
const FIRST: &str = "stem.0.weight";

/// Where the tensors are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub keys: &'static [&'static str],
    pub prefix: &'static str,
}

impl Layout {
    /// `None` for a file that holds no regressor.
    pub(super) fn of(file: &TorchFile) -> Option<Self> {
        PLACES.into_iter().find_map(|keys| {
            let tensors = file.tensors(keys)?;
            let prefix = PREFIXES
                .into_iter()
                .find(|prefix| tensors.contains_key(format!("{prefix}{FIRST}").as_str()))?;
            Some(Self { keys, prefix })
        })
    }

    /// The network's widths by the shapes of its tensors, each layer's by its first block.
    pub(super) fn network(self, file: &TorchFile) -> Option<R2Plus1dConfig> {
        let tensors = file.tensors(self.keys)?;
        let shape = |name: &str| shape(&tensors, &format!("{}{name}", self.prefix));
        let first = shape(FIRST)?;
        let (mut widths, mut blocks) = (Vec::new(), Vec::new());
        for layer in 1..=8 {
            let name = |block: usize| format!("layer{layer}.{block}.conv1.0.3.weight");
            let Some(of_first) = shape(&name(0)) else {
                break;
            };
            widths.push(*of_first.first()?);
            blocks.push((0..64).take_while(|&b| shape(&name(b)).is_some()).count());
        }
        Some(R2Plus1dConfig {
            widths,
            blocks,
            stem_mid: *first.first()?,
            channels: *first.get(1)?,
        })
    }
}

fn shape<'a>(tensors: &HashMap<&str, &'a TensorRef>, name: &str) -> Option<&'a [usize]> {
    tensors.get(name).map(|t| t.shape.as_slice())
}
