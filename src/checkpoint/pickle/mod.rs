//! A reader of pickles that executes nothing.
//!
//! It understands the containers, strings and numbers that PyTorch writes, and turns the two calls
//! that mean data (`OrderedDict()` and `_rebuild_tensor_v2(...)`) into values. Every other object
//! becomes [`Node::Opaque`]: its class is never looked up and nothing is ever called.
//!
//! Values live in one arena and refer to each other by index, so that a file with absurdly deep or
//! cyclic structure costs neither stack nor a leak.

mod machine;

/// Index of a value in the arena.
pub type Id = usize;

#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(String),
    List(Vec<Id>),
    Tuple(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    /// `module name`
    Global(String),
    Storage(Storage),
    Tensor(TensorRef),
    Opaque,
}

/// A block of numbers in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Storage {
    /// `FloatStorage` and the like.
    pub kind: String,
    pub key: String,
    pub elements: u64,
}

/// A strided view of a storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorRef {
    pub storage: Storage,
    pub offset: u64,
    pub shape: Vec<usize>,
    pub strides: Vec<u64>,
}

/// The values of one pickle.
pub struct Pickle {
    nodes: Vec<Node>,
    root: Id,
    /// Bytes of the input that the pickle took.
    pub length: usize,
}

impl Pickle {
    /// # Errors
    /// A phrase that says what is wrong, to stand after "the file is damaged: ".
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        machine::Machine::new(bytes).run()
    }

    pub fn root(&self) -> &Node {
        &self.nodes[self.root]
    }

    pub fn node(&self, id: Id) -> &Node {
        self.nodes.get(id).unwrap_or(&Node::Opaque)
    }

    /// Every storage that the values refer to.
    pub fn storages(&self) -> impl Iterator<Item = &Storage> {
        self.nodes.iter().filter_map(|n| match n {
            Node::Storage(s) => Some(s),
            _ => None,
        })
    }

    /// The value under a string key of a dictionary.
    pub fn get<'a>(&'a self, dict: &'a Node, key: &str) -> Option<&'a Node> {
        self.entries(dict)
            .find(|(k, _)| *k == key)
            .map(|(_, value)| value)
    }

    /// The string-keyed entries of a dictionary; none for anything else.
    pub fn entries<'a>(&'a self, dict: &'a Node) -> impl Iterator<Item = (&'a str, &'a Node)> {
        let pairs: &[(Id, Id)] = match dict {
            Node::Dict(pairs) => pairs,
            _ => &[],
        };
        pairs.iter().filter_map(|&(k, v)| match self.node(k) {
            Node::Str(key) => Some((key.as_str(), self.node(v))),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_call_to_the_system_is_not_made() {
        // cos\nsystem\n(S'touch x'\ntR. : what a malicious pickle looks like.
        let pickle = Pickle::parse(b"cos\nsystem\n(S'touch x'\ntR.").unwrap();
        assert_eq!(*pickle.root(), Node::Opaque);
    }

    #[test]
    fn a_dictionary_of_numbers_reads() {
        let pickle = Pickle::parse(
            b"\x80\x02}q\x00(X\x01\x00\x00\x00aK\x07X\x01\x00\x00\x00bG?\xf8\0\0\0\0\0\0u.",
        )
        .unwrap();
        assert_eq!(pickle.get(pickle.root(), "a"), Some(&Node::Int(7)));
        assert_eq!(pickle.get(pickle.root(), "b"), Some(&Node::Float(1.5)));
    }

    #[test]
    fn deep_nesting_costs_no_stack() {
        let mut bytes = vec![b']'; 200_000];
        bytes.extend(vec![b'a'; 199_999]);
        bytes.push(b'.');
        assert!(Pickle::parse(&bytes).is_ok());
    }

    /// A reference to what was remembered, `h` and its number.
    const FIRST: [u8; 2] = [b'h', 0];

    #[test]
    fn small_files_ask_for_no_more_than_they_are() {
        // One value of many entries, and many calls, of which each would copy it.
        let many = 50_000;
        let asked = |value: &[&[u8]], class: &[u8]| {
            let call = [b"c", class, b"\n", &FIRST, b"\x85R"].concat();
            let whole = [&value.concat(), call.repeat(many).as_slice(), b"."].concat();
            Pickle::parse(&whole)
        };
        let entries = b"K\x01K\x02".repeat(many);
        let dictionary = asked(
            &[b"}q\x00(", &entries, b"u"],
            b"torch._utils\n_rebuild_parameter",
        );
        let pickle = dictionary.unwrap();
        assert_eq!(pickle.entries(pickle.root()).count(), 0);
        assert!(matches!(pickle.root(), Node::Dict(pairs) if pairs.len() == many));
        let pairs = b"K\x01K\x02\x86".repeat(many);
        let list = asked(&[b"](", &pairs, b"eq\x00"], b"collections\nOrderedDict");
        assert!(list.is_err_and(|why| why.contains("too many")));
    }

    proptest! {
        #[test]
        fn no_input_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = Pickle::parse(&bytes);
        }

        #[test]
        fn no_sequence_of_instructions_makes_it_panic(
            ops in proptest::collection::vec(
                proptest::sample::select(b"(0125NKJ}])tlduesaRQbhqX.\x85\x86\x87\x81\x93\x94\x00\x01\x02".to_vec()), 0..300)
        ) {
            let _ = Pickle::parse(&ops);
        }
    }
}
