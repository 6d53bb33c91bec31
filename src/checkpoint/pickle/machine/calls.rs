//! The calls of a pickle that mean data: tensors, their storages, and ordered dictionaries.

use super::{MAX_NAME, Machine, Outcome, damaged};
use crate::checkpoint::pickle::{Id, Node, Storage, TensorRef};

/// torch tensors have at most 64 dimensions.
const MAX_RANK: usize = 64;
/// Entries that calls copy from one value into others: no honest checkpoint comes near.
const MAX_COPIED: usize = 4_000_000;
/// What is copied of a call's arguments: no call that means data looks at more.
const MAX_ARGUMENTS: usize = 8;

impl Machine<'_> {
    /// A call. Two mean data; the others are not made.
    pub(super) fn reduce(&mut self) -> Outcome<()> {
        let (args, callee) = (self.pop()?, self.pop()?);
        let args = match &self.nodes[args] {
            Node::Tuple(items) => items.iter().copied().take(MAX_ARGUMENTS).collect(),
            _ => Vec::new(),
        };
        let node = match &self.nodes[callee] {
            Node::Global(name) => match name.as_str() {
                "collections OrderedDict" => self.ordered_dict(&args)?,
                "torch._utils _rebuild_tensor_v2" | "torch._utils _rebuild_tensor" => {
                    Node::Tensor(self.tensor(&args)?)
                }
                // The tensor itself, not a copy: a small file may ask for many.
                "torch._utils _rebuild_parameter" if !args.is_empty() => {
                    self.stack.push(args[0]);
                    return Ok(());
                }
                _ => Node::Opaque,
            },
            _ => Node::Opaque,
        };
        self.push(node)
    }

    /// `OrderedDict()` or `OrderedDict([(k, v), ...])`.
    fn ordered_dict(&mut self, args: &[Id]) -> Outcome<Node> {
        let mut pairs = Vec::new();
        if let Some(Node::List(items)) = args.first().map(|&id| &self.nodes[id]) {
            self.copied += items.len();
            if self.copied > MAX_COPIED {
                return damaged("it has too many values");
            }
            for &item in items {
                if let Node::Tuple(pair) | Node::List(pair) = &self.nodes[item]
                    && let [k, v] = pair[..]
                {
                    pairs.push((k, v));
                }
            }
        }
        Ok(Node::Dict(pairs))
    }

    /// `(storage, offset, size, stride, ...)`.
    fn tensor(&mut self, args: &[Id]) -> Outcome<TensorRef> {
        let of = |i: usize| match args.get(i).map(|&id| &self.nodes[id]) {
            Some(Node::Tuple(items) | Node::List(items)) => items.len().min(MAX_RANK),
            _ => 0,
        };
        self.copied += 1 + of(2) + of(3);
        if self.copied > MAX_COPIED {
            return damaged("it has too many values");
        }
        let get = |i: usize| args.get(i).map(|&id| &self.nodes[id]);
        let (Some(Node::Storage(storage)), Some(&Node::Int(offset))) = (get(0), get(1)) else {
            return damaged("a tensor has no storage");
        };
        let numbers = |i: usize| -> Outcome<Vec<u64>> {
            let (Some(Node::Tuple(items)) | Some(Node::List(items))) = get(i) else {
                return damaged("a tensor has no shape");
            };
            if items.len() > MAX_RANK {
                return damaged("a tensor has too many dimensions");
            }
            items
                .iter()
                .map(|&id| match self.nodes[id] {
                    Node::Int(v) => u64::try_from(v).map_err(|_| "a shape is negative".to_owned()),
                    _ => damaged("a shape is not numbers"),
                })
                .collect()
        };
        let (shape, strides) = (numbers(2)?, numbers(3)?);
        if shape.len() != strides.len() {
            return damaged("a tensor's shape and strides disagree");
        }
        let offset = u64::try_from(offset).map_err(|_| "an offset is negative".to_owned())?;
        // The last element must lie within the storage, computed without overflow.
        let mut last = offset;
        if !shape.contains(&0) {
            for (&n, &s) in shape.iter().zip(&strides) {
                last = (n - 1)
                    .checked_mul(s)
                    .and_then(|step| last.checked_add(step))
                    .ok_or("a tensor is larger than any memory")?;
            }
            if last >= storage.elements {
                return damaged("a tensor reaches beyond its storage");
            }
        }
        Ok(TensorRef {
            storage: storage.clone(),
            offset,
            shape: shape.iter().map(|&n| n as usize).collect(),
            strides,
        })
    }

    /// `('storage', class, key, location, elements, ...)`.
    pub(super) fn persistent(&mut self) -> Outcome<()> {
        let id = self.pop()?;
        let node = match &self.nodes[id] {
            Node::Tuple(items) => {
                let get = |i: usize| items.get(i).map(|&id| &self.nodes[id]);
                match (get(1), get(2), get(4)) {
                    (
                        Some(Node::Global(class)),
                        Some(Node::Str(key)),
                        Some(&Node::Int(elements)),
                    ) if key.len() <= MAX_NAME => {
                        let kind = class.rsplit([' ', '.']).next().unwrap_or_default();
                        Node::Storage(Storage {
                            kind: kind.to_owned(),
                            key: key.clone(),
                            elements: u64::try_from(elements)
                                .map_err(|_| "a storage has a negative size")?,
                        })
                    }
                    _ => Node::Opaque,
                }
            }
            _ => Node::Opaque,
        };
        self.push(node)
    }
}
