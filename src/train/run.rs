//! Steps that a network learns by, one after the other, and a state that they can be gone on from.

use super::{Adam, AdamConfig, Ema, EmaConfig, Tensors, finite, read_state, write_state};
use crate::nn::{Interrupt, Lanes};
use candle_core::backprop::GradStore;
use candle_core::{Device, Result, Tensor, Var};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Bytes: the graph of a sample is walked, and freed, by functions that call themselves.
const STACK: usize = 256 << 20;

/// Parameters by their names.
pub type Vars = BTreeMap<String, Var>;

/// What a run is about: a network, what it learns from, and its loss.
///
/// A step's loss is the mean over its samples, which are gone through side by side in groups that may not look at each
/// other. A group is one sample, unless samples look at each other, or a GPU goes through many as fast as through one.
pub trait Task: Sync {
    /// What a step's samples share: what was drawn by chance.
    type Plan: Sync;

    fn method(&self) -> Method;

    /// Of a step, counted from 0.
    fn step_size_at(&self, step: u64) -> f64;

    fn vars(&self) -> &Vars;

    /// Follows from the task and the step's number alone.
    ///
    /// # Errors
    /// When there is no memory for it.
    fn plan(&self, step: u64) -> std::result::Result<Self::Plan, RunError>;

    /// The loss of a step's group `i` of [`Method::at_once`] samples, their mean: a scalar that leads back to the
    /// variables.
    ///
    /// # Errors
    /// When the sample cannot be had, or when interrupted.
    fn loss(
        &self,
        plan: &Self::Plan,
        step: u64,
        i: usize,
        interrupt: &Interrupt,
    ) -> std::result::Result<Tensor, RunError>;

    /// What is learned otherwise than by gradients: variables, and what each is after the step whose losses were last
    /// made.
    ///
    /// # Errors
    /// When there is no memory for it.
    fn beside(&self) -> Result<Vec<(Var, Tensor)>> {
        Ok(Vec::new())
    }

    /// Writes weights as what opens elsewhere.
    ///
    /// # Errors
    /// When the disk is full or fails.
    fn write(
        &self,
        weights: &BTreeMap<String, Tensor>,
        out: &Path,
    ) -> std::result::Result<(), RunError>;
}

/// How a task's steps are made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Method {
    /// Of the whole run.
    pub steps: u64,
    /// Samples of a step.
    pub batch: usize,
    /// Samples of a group; the batch is a multiple of it.
    pub at_once: usize,
    /// The largest norm of a gradient over all parameters, if it is cut: a rare sample must not undo a hundred others.
    pub largest_norm: Option<f64>,
    pub adam: AdamConfig,
    pub ema: EmaConfig,
    /// Parameters whose names begin so learn in steps smaller by this.
    pub slower: Option<(&'static str, f64)>,
}

/// Why a run cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(
        "The loss of step {0} is no number: the run has left its way. What was learned before it is kept. Begin \
         another run from that, with a smaller step_size."
    )]
    NotANumber(u64),
    #[error(
        "The gradient of {1} in step {0} is no number. What was learned before it is kept. Begin another run from that, \
         with a smaller step_size."
    )]
    Gradient(u64, String),
    #[error(transparent)]
    Sample(#[from] crate::phantom::puppet::PuppetError),
    #[error(transparent)]
    Clip(#[from] super::clips::ClipsError),
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
    #[error(transparent)]
    Checkpoint(#[from] crate::checkpoint::Error),
    #[error("{0}")]
    State(String),
}

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// From 0.
    pub step: u64,
    pub loss: f64,
    /// Of the gradient over all parameters, before it was cut.
    pub norm: f64,
    pub step_size: f64,
}

impl Method {
    /// Groups of a step.
    fn groups(&self) -> usize {
        self.batch / self.at_once.max(1)
    }
}

/// A run, at the step it has come to.
pub struct Run<T> {
    task: T,
    method: Method,
    adam: Adam,
    ema: Ema,
    /// Steps that are done.
    step: u64,
    lanes: Lanes,
}

/// The loss of a group and its slopes, by the parameters' names.
type Slopes = (f64, BTreeMap<String, Tensor>);

/// Sums over groups in their order, whichever comes first: those that come early wait.
#[derive(Default)]
struct Sums {
    loss: f64,
    slopes: BTreeMap<String, Tensor>,
    next: usize,
    early: BTreeMap<usize, Slopes>,
}

impl Sums {
    fn take(&mut self, i: usize, made: Slopes) -> Result<()> {
        self.early.insert(i, made);
        while let Some((loss, slopes)) = self.early.remove(&self.next) {
            self.loss += loss;
            for (name, slope) in slopes {
                let sum = match self.slopes.remove(&name) {
                    Some(sum) => (sum + slope)?,
                    None => slope,
                };
                self.slopes.insert(name, sum);
            }
            self.next += 1;
        }
        Ok(())
    }
}

impl<T: Task> Run<T> {
    /// From the weights that the task has.
    ///
    /// # Errors
    /// When there is no memory or no thread for it.
    pub fn new(task: T) -> std::result::Result<Self, RunError> {
        let method = task.method();
        // A GPU takes one thing after the other.
        let on_gpu = task.vars().values().any(|var| !var.device().is_cpu());
        let side_by_side = if on_gpu { 1 } else { method.groups() };
        let lanes = Lanes::new(side_by_side, STACK);
        Ok(Self {
            adam: Adam::new(method.adam),
            ema: Ema::new(method.ema, task.vars())?,
            step: 0,
            lanes: lanes.map_err(|e| RunError::State(e.to_string()))?,
            method,
            task,
        })
    }

    pub fn step_number(&self) -> u64 {
        self.step
    }

    pub fn is_done(&self) -> bool {
        self.step >= self.method.steps
    }

    /// One step. What it does follows from the weights, the task and its number alone, whatever the number of
    /// threads.
    ///
    /// # Errors
    /// [`RunError`]; the weights are then those of before.
    pub fn advance(&mut self, interrupt: &Interrupt) -> std::result::Result<Step, RunError> {
        let (loss, mut grads) = self.slopes(interrupt)?;
        if !loss.is_finite() {
            return Err(RunError::NotANumber(self.step));
        }
        let norm = self.norm(&grads)?;
        if !norm.is_finite() {
            return Err(RunError::Gradient(self.step, self.wrong(&grads)?));
        }
        if let Some(most) = self.method.largest_norm.filter(|most| norm > *most) {
            self.cut(&mut grads, most / norm)?;
        }
        let step_size = self.task.step_size_at(self.step);
        let slower = self.method.slower;
        let size = |name: &str| match slower {
            Some((prefix, by)) if name.starts_with(prefix) => by * step_size,
            _ => step_size,
        };
        // All that may fail but for want of memory comes before the first change.
        let beside = self.task.beside()?;
        self.adam.step_by(self.task.vars(), &grads, &size)?;
        for (var, value) in beside {
            var.set(&value)?;
        }
        self.ema.step(self.task.vars())?;
        let done = Step {
            step: self.step,
            loss,
            norm,
            step_size,
        };
        self.step += 1;
        Ok(done)
    }

    /// The loss of a step and its slopes: the mean over the groups, summed in their order.
    fn slopes(&self, interrupt: &Interrupt) -> std::result::Result<(f64, GradStore), RunError> {
        let plan = self.task.plan(self.step)?;
        let groups = self.method.groups();
        let sums = Mutex::new(Sums::default());
        let each = |i: usize| {
            let made = self.slopes_of(&plan, i, interrupt)?;
            let mut sums = sums.lock().unwrap_or_else(PoisonError::into_inner);
            Ok(sums.take(i, made)?)
        };
        let done = self.lanes.map(groups, each).into_iter();
        done.collect::<std::result::Result<(), RunError>>()?;
        let sums = sums.into_inner().unwrap_or_else(PoisonError::into_inner);
        let share = 1.0 / groups as f64;
        let mut grads = GradStore::default();
        for (name, sum) in sums.slopes {
            if let Some(var) = self.task.vars().get(&name) {
                grads.insert(var, (sum * share)?);
            }
        }
        Ok((sums.loss * share, grads))
    }

    fn slopes_of(
        &self,
        plan: &T::Plan,
        i: usize,
        interrupt: &Interrupt,
    ) -> std::result::Result<Slopes, RunError> {
        let value = self.task.loss(plan, self.step, i, interrupt)?;
        let grads = value.backward()?;
        let slopes = self.task.vars().iter().filter_map(|(name, var)| {
            let slope = grads.get(var)?;
            Some((name.clone(), slope.detach()))
        });
        Ok((f64::from(value.to_scalar::<f32>()?), slopes.collect()))
    }

    /// The first parameter whose gradient is no number.
    fn wrong(&self, grads: &GradStore) -> Result<String> {
        for (name, var) in self.task.vars() {
            if let Some(grad) = grads.get(var) {
                let values: Vec<f32> = grad.flatten_all()?.to_vec1()?;
                if values.iter().any(|v| !v.is_finite()) {
                    return Ok(name.clone());
                }
            }
        }
        Ok("a parameter".into())
    }

    /// Of the gradient over all parameters. Sums go by their names, so that they are the same for any number of
    /// threads.
    fn norm(&self, grads: &GradStore) -> Result<f64> {
        let square = |var: &Var| -> Result<f64> {
            let Some(grad) = grads.get(var) else {
                return Ok(0.0);
            };
            let values: Vec<f32> = grad.flatten_all()?.to_vec1()?;
            Ok(values.iter().map(|v| f64::from(*v).powi(2)).sum())
        };
        let vars: Vec<&Var> = self.task.vars().values().collect();
        let squares: Vec<f64> = vars.into_par_iter().map(square).collect::<Result<_>>()?;
        let square: f64 = squares.iter().sum();
        Ok(square.sqrt())
    }

    fn cut(&self, grads: &mut GradStore, by: f64) -> Result<()> {
        for var in self.task.vars().values() {
            if let Some(grad) = grads.get(var) {
                let less = (grad * by)?;
                grads.insert(var, less);
            }
        }
        Ok(())
    }

    /// Writes everything that a later step depends on; whole or not at all.
    ///
    /// # Errors
    /// When the disk is full or fails.
    pub fn keep(&self, path: &Path) -> std::result::Result<(), RunError> {
        let vars = self.task.vars().iter();
        let weights: Tensors = vars
            .map(|(n, v)| Ok((n.clone(), v.as_tensor().to_device(&Device::Cpu)?)))
            .collect::<Result<_>>()?;
        let step = Tensor::new(&[self.step as i64], &Device::Cpu)?;
        let run = Tensors::from([("step".to_owned(), step)]);
        let (adam, ema) = (self.adam.state()?, self.ema.state()?);
        let parts = [
            ("weights", &weights),
            ("adam", &adam),
            ("ema", &ema),
            ("run", &run),
        ];
        Ok(write_state(path, &parts)?)
    }

    /// Goes on from what [`Self::keep`] wrote, of a run with the same settings.
    ///
    /// # Errors
    /// When the file is of another network or none.
    pub fn go_on(&mut self, path: &Path) -> std::result::Result<(), RunError> {
        let parts = read_state(path)?;
        let none =
            |what: &str| RunError::State(format!("{}: it has no {what} of a run.", path.display()));
        let weights = parts.get("weights").ok_or_else(|| none("weights"))?;
        let step = parts.get("run").and_then(|run| run.get("step"));
        let step = step.ok_or_else(|| none("step"))?;
        let step = step.flatten_all()?.to_vec1::<i64>()?;
        let empty = Tensors::new();
        let adam = parts.get("adam").unwrap_or(&empty);
        let ema = parts.get("ema").ok_or_else(|| none("averaged weights"))?;
        for (name, var) in self.task.vars() {
            let kept = weights.get(name).ok_or_else(|| none(name))?;
            finite(name, kept)?;
            var.set(&kept.to_device(var.device())?)?;
        }
        self.adam = Adam::with_state(self.method.adam, self.task.vars(), adam)?;
        self.ema = Ema::with_state(self.method.ema, self.task.vars(), ema)?;
        let step = step.first().and_then(|&step| u64::try_from(step).ok());
        self.step = step.ok_or_else(|| none("step"))?;
        Ok(())
    }

    /// Writes the averaged weights.
    ///
    /// # Errors
    /// When the disk is full or fails.
    pub fn write(&self, out: &Path) -> std::result::Result<(), RunError> {
        self.task.write(self.ema.weights(), out)
    }
}

#[cfg(test)]
mod tests;
