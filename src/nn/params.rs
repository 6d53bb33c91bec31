//! Named tensors on their way from a checkpoint into a network.
//!
//! A network asks for each tensor by name and shape while it is built. What is missing or has
//! another shape is collected, so that one error lists all of it; nothing is ever silently zero.

use super::Backend;
use candle_core::{Device, Result, Tensor, Var};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};
use std::fmt::{self, Display};

/// What a source has under a name.
pub enum Fetched {
    Missing,
    /// There, with this shape instead of the expected one.
    WrongShape(Vec<usize>),
    /// Row-major values of the expected shape.
    Data(Vec<f32>),
}

/// Where a network's tensors come from: a checkpoint, safetensors, or the hash recipe of the tests.
pub trait TensorSource {
    /// # Errors
    /// Only when the tensor is there and cannot be read; a sentence.
    fn fetch(&self, name: &str, shape: &[usize]) -> std::result::Result<Fetched, String>;

    /// The file, as it is named in messages.
    fn origin(&self) -> String;

    /// A tensor's name as it stands in the file.
    fn full_name(&self, name: &str) -> String {
        name.to_owned()
    }

    /// Every name the source holds; those that no network asks for become a warning.
    fn names(&self) -> Vec<String>;
}

/// All the tensors that a network wanted and did not get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadError {
    pub origin: String,
    /// One line a tensor: name, expected shape, and what was found.
    pub problems: Vec<String>,
}

impl Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} of the tensors that its configuration calls for cannot be taken from {}:",
            self.problems.len(),
            self.origin
        )?;
        for problem in &self.problems {
            write!(f, "\n  {problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for LoadError {}

impl LoadError {
    /// One error with the problems of both, for networks that come from one backend.
    pub fn and(mut self, other: Self) -> Self {
        if self.origin != other.origin {
            self.origin = format!("{} and {}", self.origin, other.origin);
        }
        self.problems.extend(other.problems);
        self
    }
}

#[derive(Default)]
struct Record {
    asked: BTreeSet<String>,
    problems: Vec<String>,
    /// What was given out so far, by its full name, where the network learns.
    learned: Option<BTreeMap<String, Var>>,
}

/// A view of a source below a name prefix.
pub struct Params<'a> {
    source: &'a dyn TensorSource,
    backend: Backend,
    record: &'a RefCell<Record>,
    prefix: String,
}

impl<'a> Params<'a> {
    /// Builds a network with `build` and reports everything that it missed.
    ///
    /// Returns the network and the names in the source that it did not ask for.
    ///
    /// # Errors
    /// [`LoadError`] with every missing, misshapen or unreadable tensor.
    pub fn load<T>(
        source: &dyn TensorSource,
        backend: impl Into<Backend>,
        build: impl FnOnce(&Params<'_>) -> Result<T>,
    ) -> std::result::Result<(T, Vec<String>), LoadError> {
        let (network, record) = Self::build(source, backend.into(), Record::default(), build)?;
        let extra = source
            .names()
            .into_iter()
            .filter(|n| !record.asked.contains(n))
            .collect();
        Ok((network, extra))
    }

    /// Builds a network with `build` whose parameters are variables, so that it can be trained: its results
    /// lead back to them. It computes what a loaded network computes, up to rounding; a regressor's norms go by the
    /// batch.
    ///
    /// Returns the network and its variables by their names in the source. A layer sees what a variable
    /// is [set](Var::set) to in its next pass.
    ///
    /// # Errors
    /// [`LoadError`] with every missing, misshapen or unreadable tensor.
    pub fn learn<T>(
        source: &dyn TensorSource,
        backend: impl Into<Backend>,
        build: impl FnOnce(&Params<'_>) -> Result<T>,
    ) -> std::result::Result<(T, BTreeMap<String, Var>), LoadError> {
        let record = Record {
            learned: Some(BTreeMap::new()),
            ..Record::default()
        };
        let (network, record) = Self::build(source, backend.into(), record, build)?;
        Ok((network, record.learned.unwrap_or_default()))
    }

    fn build<T>(
        source: &dyn TensorSource,
        backend: Backend,
        record: Record,
        build: impl FnOnce(&Params<'_>) -> Result<T>,
    ) -> std::result::Result<(T, Record), LoadError> {
        let record = RefCell::new(record);
        let params = Params {
            source,
            backend,
            record: &record,
            prefix: String::new(),
        };
        let built = build(&params);
        let record = record.into_inner();
        let fail = |problems| LoadError {
            origin: source.origin(),
            problems,
        };
        if !record.problems.is_empty() {
            return Err(fail(record.problems));
        }
        let network = built.map_err(|e| fail(vec![e.to_string()]))?;
        Ok((network, record))
    }

    /// Whether the tensors are variables. What is made of one while the network is built must be a view of
    /// it (a reshaping, a squeeze): a copy would not hear of what the variable is set to.
    pub fn learns(&self) -> bool {
        self.record.borrow().learned.is_some()
    }

    /// The parameters below `name.`.
    pub fn at(&self, name: impl Display) -> Params<'a> {
        Params {
            source: self.source,
            backend: self.backend.clone(),
            record: self.record,
            prefix: format!("{}{name}.", self.prefix),
        }
    }

    /// The same parameters, for a network that stays on the CPU.
    pub fn on_cpu(&self) -> Params<'a> {
        Params {
            source: self.source,
            backend: (&Device::Cpu).into(),
            record: self.record,
            prefix: self.prefix.clone(),
        }
    }

    pub fn backend(&self) -> &Backend {
        &self.backend
    }

    /// The tensor `name` of `shape`. A problem is recorded, and a placeholder stands in for the
    /// tensor until [`Params::load`] turns the record into an error.
    ///
    /// # Errors
    /// Only when the device fails.
    pub fn get(&self, name: &str, shape: &[usize]) -> Result<Tensor> {
        self.get_on(&self.backend.device, name, shape)
    }

    /// As [`Params::get`], in the host's memory: for layers that arrange their weights themselves. A variable is
    /// where the network is.
    ///
    /// # Errors
    /// As [`Params::get`].
    pub fn get_host(&self, name: &str, shape: &[usize]) -> Result<Tensor> {
        let device = match self.learns() {
            true => &self.backend.device,
            false => &Device::Cpu,
        };
        self.get_on(device, name, shape)
    }

    fn get_on(&self, device: &Device, name: &str, shape: &[usize]) -> Result<Tensor> {
        let full = format!("{}{name}", self.prefix);
        let fetched = self.source.fetch(&full, shape);
        let mut record = self.record.borrow_mut();
        let problem = match fetched {
            Ok(Fetched::Data(values)) => match first_unsound(&values) {
                None => {
                    record.asked.insert(full.clone());
                    let Some(learned) = &mut record.learned else {
                        return Tensor::from_vec(values, shape, device);
                    };
                    // Who asks twice gets the same variable twice.
                    let var = match learned.entry(full) {
                        Entry::Occupied(known) => known.into_mut(),
                        Entry::Vacant(new) => new.insert(Var::from_vec(values, shape, device)?),
                    };
                    return Ok(var.as_tensor().clone());
                }
                Some(at) => format!(
                    "{} at position {at} is no number to compute with",
                    values[at]
                ),
            },
            Ok(Fetched::Missing) => format!("missing, expected {shape:?}"),
            Ok(Fetched::WrongShape(found)) => format!("expected {shape:?}, found {found:?}"),
            Err(why) => why,
        };
        let problem = format!("{}: {problem}", self.source.full_name(&full));
        record.asked.insert(full);
        record.problems.push(problem);
        Tensor::zeros((), candle_core::DType::F32, device)?.broadcast_as(shape)
    }
}

/// The first that is NaN or infinite. One of them makes every pixel of every cine NaN.
fn first_unsound(values: &[f32]) -> Option<usize> {
    const PIECE: usize = 4096;
    // Whole pieces at a time: that vectorises, looking for the first does not.
    let sound = |piece: &&[f32]| !piece.iter().fold(true, |all, v| all & v.is_finite());
    let piece = values.chunks(PIECE).position(|piece| sound(&piece))?;
    let within = values[piece * PIECE..].iter().position(|v| !v.is_finite());
    within.map(|at| piece * PIECE + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct One;
    impl TensorSource for One {
        fn fetch(&self, name: &str, shape: &[usize]) -> std::result::Result<Fetched, String> {
            Ok(match name {
                "a.w" if shape == [2] => Fetched::Data(vec![1., 2.]),
                "a.w" => Fetched::WrongShape(vec![2]),
                _ => Fetched::Missing,
            })
        }
        fn origin(&self) -> String {
            "one.pt".into()
        }
        fn names(&self) -> Vec<String> {
            vec!["a.w".into(), "b".into()]
        }
    }

    #[test]
    fn every_problem_is_listed_and_extras_are_named() {
        let error = Params::load(&One, &Device::Cpu, |p| {
            p.at("a").get("w", &[3])?;
            p.get("c", &[4, 5])
        })
        .map(|_| ())
        .unwrap_err();
        assert_eq!(
            error.problems,
            [
                "a.w: expected [3], found [2]",
                "c: missing, expected [4, 5]"
            ]
        );
        let (_, extra) = Params::load(&One, &Device::Cpu, |p| p.at("a").get("w", &[2])).unwrap();
        assert_eq!(extra, ["b"]);
    }

    #[test]
    fn what_learns_is_a_variable_and_the_same_one_for_whoever_asks() {
        let build = |p: &Params| {
            assert!(p.learns() && p.at("a").on_cpu().learns());
            let p = p.at("a");
            Ok([p.get("w", &[2])?, p.get_host("w", &[2])?])
        };
        let (given, vars) = Params::learn(&One, &Device::Cpu, build).unwrap();
        assert_eq!(vars.keys().collect::<Vec<_>>(), ["a.w"]);
        let new = Tensor::new(&[5f32, 6.0], &Device::Cpu).unwrap();
        vars["a.w"].set(&new).unwrap();
        for given in given {
            assert!(given.track_op());
            assert_eq!(given.to_vec1::<f32>().unwrap(), [5.0, 6.0]);
        }
        let missing = Params::learn(&One, &Device::Cpu, |p| p.get("c", &[4]));
        let missing = missing.map(|_| ()).unwrap_err();
        assert_eq!(missing.problems, ["c: missing, expected [4]"]);
        let (loaded, _) = Params::load(&One, &Device::Cpu, |p| p.at("a").get("w", &[2])).unwrap();
        assert!(!loaded.track_op());
    }

    #[test]
    fn the_first_that_is_no_number_is_found() {
        for at in [0, 1, 4095, 4096, 9999] {
            for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                let mut values = vec![f32::MAX; 10_000];
                assert_eq!(first_unsound(&values), None);
                values[at] = bad;
                assert_eq!(first_unsound(&values), Some(at));
            }
        }
        assert_eq!(first_unsound(&[]), None);
    }
}
