//! Where a regressor's tensors lie in a PyTorch file, under whatever names it was saved.

use super::TorchFile;
use super::pickle::{Node, TensorRef};
use super::source::TorchSource;
use crate::models::r2plus1d::R2Plus1dConfig;
use std::collections::{HashMap, HashSet};

/// Dictionaries that hold a network's tensors, likelier ones first; then any other.
const PLACES: [&[&str]; 8] = [
    &["state_dict"],
    &["ema"],
    &["model"],
    &["model_state_dict"],
    &["net"],
    &["network"],
    &["weights"],
    &[],
];
/// Dictionaries within dictionaries that are looked into.
const MOST_DEPTH: usize = 3;
/// Dictionaries that are looked into.
const MOST_DICTIONARIES: usize = 1000;
/// Bytes of a key to one of them.
const LONGEST_KEY: usize = 256;

/// What stands before every name, likelier ones first: Lightning's and EchoDiffusion's,
/// `DataParallel`'s, `torch.compile`'s, none; then any other.
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub keys: Vec<String>,
    pub prefix: String,
}

impl Layout {
    /// `None` for a file that holds no regressor.
    pub(super) fn of(file: &TorchFile) -> Option<Self> {
        let likely = PLACES
            .iter()
            .map(|keys| keys.iter().map(|&k| k.to_owned()).collect());
        let mut places: Vec<Vec<String>> = likely.collect();
        places.extend(dictionaries(file));
        places.into_iter().find_map(|keys| {
            let tensors = file.tensors(&borrowed(&keys))?;
            let prefix = prefix(&tensors)?;
            Some(Self { keys, prefix })
        })
    }

    /// The source of its tensors.
    pub(super) fn source<'a>(&self, file: &'a TorchFile) -> Option<TorchSource<'a>> {
        TorchSource::below(file, &borrowed(&self.keys), &self.prefix)
    }

    /// The network's widths by the shapes of its tensors, each layer's by its first block.
    pub(super) fn network(&self, file: &TorchFile) -> Option<R2Plus1dConfig> {
        let tensors = file.tensors(&borrowed(&self.keys))?;
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

fn borrowed(keys: &[String]) -> Vec<&str> {
    keys.iter().map(String::as_str).collect()
}

/// Every dictionary of a file by the keys that lead to it, outer ones first; one that lies in several, or in itself, by the
/// first of its ways.
fn dictionaries(file: &TorchFile) -> Vec<Vec<String>> {
    let pickle = file.pickle();
    let mut found: Vec<(Vec<String>, &Node)> = vec![(Vec::new(), pickle.root())];
    let mut seen = HashSet::from([std::ptr::from_ref(pickle.root())]);
    let mut next = 0;
    while let Some((keys, node)) = found.get(next).cloned() {
        next += 1;
        if keys.len() == MOST_DEPTH {
            continue;
        }
        if found.len() > MOST_DICTIONARIES {
            break;
        }
        let inner = pickle
            .entries(node)
            .filter(|(key, n)| matches!(n, Node::Dict(_)) && key.len() <= LONGEST_KEY)
            .filter(|(_, n)| seen.insert(std::ptr::from_ref(*n)));
        found.extend(inner.map(|(key, node)| {
            let keys = keys.iter().cloned().chain([key.to_owned()]).collect();
            (keys, node)
        }));
    }
    found.into_iter().map(|(keys, _)| keys).collect()
}

/// What stands before the regressor's names.
fn prefix(tensors: &HashMap<&str, &TensorRef>) -> Option<String> {
    let known = PREFIXES.into_iter();
    let mut known = known.filter(|p| tensors.contains_key(format!("{p}{FIRST}").as_str()));
    if let Some(known) = known.next() {
        return Some(known.to_owned());
    }
    let others = tensors.keys().filter_map(|name| name.strip_suffix(FIRST));
    let others = others.filter(|p| p.ends_with('.'));
    others.min_by_key(|p| (p.len(), *p)).map(str::to_owned)
}

fn shape<'a>(tensors: &HashMap<&str, &'a TensorRef>, name: &str) -> Option<&'a [usize]> {
    tensors.get(name).map(|t| t.shape.as_slice())
}
