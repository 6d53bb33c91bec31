//! The average of the weights over the steps of a run: what is sampled from.

use super::state::{Tensors, finite};
use candle_core::{Device, Error, Result, Tensor, Var};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Exponential moving average, as published.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EmaConfig {
    /// Steps from one update to the next.
    pub every: u64,
    /// Up to this step the average is the weights themselves.
    pub after: u64,
}

impl EmaConfig {
    pub const PUBLISHED: Self = Self {
        every: 10,
        after: 100,
    };
}

/// Of a set of named variables.
#[derive(Clone, Debug)]
pub struct Ema {
    config: EmaConfig,
    /// Steps that it was told of.
    steps: u64,
    /// Whether it has begun to average.
    begun: bool,
    weights: BTreeMap<String, Tensor>,
}

/// In a state: the counters, beside the weights.
const STEPS: &str = "steps";
const WEIGHTS: &str = "weights.";

impl Ema {
    /// # Errors
    /// When there is no memory for it.
    pub fn new(config: EmaConfig, vars: &BTreeMap<String, Var>) -> Result<Self> {
        Ok(Self {
            config,
            steps: 0,
            begun: false,
            weights: copied(vars)?,
        })
    }

    /// Hears of the weights after an optimiser's step: step `k`, from 0. Nothing happens unless k is a multiple
    /// of [`EmaConfig::every`]. Up to [`EmaConfig::after`], and the first time after it, the weights are
    /// copied; from then on `ema <- ema + (1 - decay) (weights - ema)`, with
    /// [`ema_decay`](crate::edm::schedule::ema_decay) of k + 1, counted as if `after` were the published 100.
    ///
    /// # Errors
    /// When the variables are others than before.
    pub fn step(&mut self, vars: &BTreeMap<String, Var>) -> Result<()> {
        let k = self.steps;
        self.steps += 1;
        if !k.is_multiple_of(self.config.every.max(1)) {
            return Ok(());
        }
        if k <= self.config.after {
            self.weights = copied(vars)?;
            return Ok(());
        }
        if !self.begun {
            self.weights = copied(vars)?;
            self.begun = true;
        }
        let share = (1.0 - self.decay()) as f32;
        let weights = &self.weights;
        let averaged = |(name, var): (&String, &Var)| {
            let other = || Error::Msg(format!("{name} is not in the average"));
            let old = weights.get(name).ok_or_else(other)?;
            let values = |t: &Tensor| t.flatten_all()?.to_vec1::<f32>();
            let (mut average, new) = (values(old)?, values(var.as_tensor())?);
            if average.len() != new.len() {
                return Err(other());
            }
            for (average, new) in average.iter_mut().zip(new) {
                *average += share * (new - *average);
            }
            let average = Tensor::from_vec(average, var.shape(), &Device::Cpu)?;
            Ok((name.clone(), average))
        };
        let averages: Vec<_> = vars.par_iter().map(averaged).collect::<Result<_>>()?;
        self.weights.extend(averages);
        Ok(())
    }

    fn decay(&self) -> f64 {
        let later = self.steps.saturating_sub(self.config.after) + 100;
        crate::edm::schedule::ema_decay(later)
    }

    /// The averaged weights, by the variables' names.
    pub fn weights(&self) -> &BTreeMap<String, Tensor> {
        &self.weights
    }

    /// What a run needs to go on.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn state(&self) -> Result<Tensors> {
        let mut state: Tensors = (self.weights.iter())
            .map(|(name, t)| (format!("{WEIGHTS}{name}"), t.clone()))
            .collect();
        let counters = [self.steps as i64, i64::from(self.begun)];
        state.insert(STEPS.into(), Tensor::new(&counters, &Device::Cpu)?);
        Ok(state)
    }

    /// The average that [`Ema::state`] was of.
    ///
    /// # Errors
    /// A sentence, when the state is not of these variables.
    pub fn with_state(
        config: EmaConfig,
        vars: &BTreeMap<String, Var>,
        state: &Tensors,
    ) -> Result<Self> {
        let counters = state.get(STEPS).map(Tensor::to_vec1::<i64>).transpose()?;
        let of_steps = |&[steps, begun]: &[i64; 2]| Some((u64::try_from(steps).ok()?, begun));
        let counters = counters.and_then(|c| c.first_chunk().and_then(of_steps));
        let Some((steps, begun)) = counters else {
            return Err(Error::Msg("the average's state has no counters".into()));
        };
        let mut weights = BTreeMap::new();
        for (name, var) in vars {
            match state.get(&format!("{WEIGHTS}{name}")) {
                Some(t) if t.dims() == var.dims() => {
                    finite(name, t)?;
                    weights.insert(name.clone(), t.clone())
                }
                _ => {
                    return Err(Error::Msg(format!(
                        "the average's state of {name} is not of this network"
                    )));
                }
            };
        }
        Ok(Self {
            config,
            steps,
            begun: begun != 0,
            weights,
        })
    }
}

/// In memory of their own: a variable changes where it is.
fn copied(vars: &BTreeMap<String, Var>) -> Result<BTreeMap<String, Tensor>> {
    let copy = |(name, var): (&String, &Var)| {
        let values: Vec<f32> = var.flatten_all()?.to_vec1()?;
        let t = Tensor::from_vec(values, var.shape(), &Device::Cpu)?;
        Ok((name.clone(), t))
    };
    vars.iter().map(copy).collect()
}
