//! Adam: the published optimiser.

use super::state::{Tensors, finite};
use candle_core::backprop::GradStore;
use candle_core::{Device, Error, Result, Tensor, Var};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// In the paper's symbols (Kingma and Ba, *Adam: A Method for Stochastic Optimization*, 2015, algorithm 1).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamConfig {
    /// Step size.
    pub alpha: f64,
    pub beta1: f64,
    pub beta2: f64,
    pub epsilon: f64,
}

impl AdamConfig {
    /// As published: no weight decay, no schedule, no warm-up, no clipping.
    pub const PUBLISHED: Self = Self {
        alpha: 5e-4,
        beta1: 0.9,
        beta2: 0.99,
        epsilon: 1e-8,
    };
}

/// Of one parameter.
#[derive(Clone, Debug, PartialEq)]
struct Moments {
    /// Steps that it took: fewer than the run, where it had no gradient in some.
    t: u64,
    m: Vec<f32>,
    v: Vec<f32>,
}

/// The optimiser of a set of named variables, all in `f32`. What it does to one does not depend on another, nor
/// on the number of threads.
#[derive(Clone, Debug, PartialEq)]
pub struct Adam {
    config: AdamConfig,
    moments: BTreeMap<String, Moments>,
}

impl Adam {
    pub fn new(config: AdamConfig) -> Self {
        Self {
            config,
            moments: BTreeMap::new(),
        }
    }

    /// One step down the gradients. A variable without one stays as it is, and so do its moments.
    ///
    /// # Errors
    /// When a gradient is not of its variable's shape, or is no number: then nothing has been changed. When
    /// the device fails.
    pub fn step(&mut self, vars: &BTreeMap<String, Var>, grads: &GradStore) -> Result<()> {
        let alpha = self.config.alpha;
        self.step_by(vars, grads, &|_| alpha)
    }

    /// As [`Self::step`], with a step size for each variable by its name.
    ///
    /// # Errors
    /// As [`Self::step`].
    pub fn step_by(
        &mut self,
        vars: &BTreeMap<String, Var>,
        grads: &GradStore,
        alpha: &(dyn Fn(&str) -> f64 + Sync),
    ) -> Result<()> {
        let values = |t: &Tensor| t.flatten_all()?.to_vec1::<f32>();
        let slope = |(name, var): (&String, &Var)| -> Result<Option<(String, Vec<f32>)>> {
            let Some(grad) = grads.get(var.as_tensor()) else {
                return Ok(None);
            };
            if grad.dims() != var.dims() {
                return Err(Error::Msg(format!("{name}: a gradient of another shape")));
            }
            let grad = values(grad)?;
            if grad.iter().any(|g| !g.is_finite()) {
                return Err(Error::Msg(format!("{name}: its gradient is no number")));
            }
            Ok(Some((name.clone(), grad)))
        };
        let slopes: Vec<_> = vars.par_iter().map(slope).collect::<Result<_>>()?;
        let slopes: BTreeMap<String, Vec<f32>> = slopes.into_iter().flatten().collect();
        for (name, grad) in &slopes {
            let none = || Moments {
                t: 0,
                m: vec![0.0; grad.len()],
                v: vec![0.0; grad.len()],
            };
            self.moments.entry(name.clone()).or_insert_with(none);
        }
        let config = &self.config;
        self.moments.par_iter_mut().try_for_each(|(name, moments)| {
            let (Some(var), Some(grad)) = (vars.get(name), slopes.get(name)) else {
                return Ok(());
            };
            let mut theta = values(var.as_tensor())?;
            moments.update(config, alpha(name), &mut theta, grad);
            var.set(&Tensor::from_vec(theta, var.shape(), var.device())?)
        })
    }

    /// What a run needs to go on: `m.NAME`, `v.NAME` and `t.NAME` of every variable that took a step.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn state(&self) -> Result<Tensors> {
        let mut state = Tensors::new();
        for (name, moments) in &self.moments {
            let (n, cpu) = (moments.m.len(), &Device::Cpu);
            let mut put = |kind: &str, t| state.insert(format!("{kind}.{name}"), t);
            put("m", Tensor::from_slice(&moments.m, n, cpu)?);
            put("v", Tensor::from_slice(&moments.v, n, cpu)?);
            put("t", Tensor::new(&[moments.t as i64], cpu)?);
        }
        Ok(state)
    }

    /// The optimiser that [`Adam::state`] was of.
    ///
    /// # Errors
    /// A sentence, when a part of the state is missing or is not of the shape of its variable.
    pub fn with_state(
        config: AdamConfig,
        vars: &BTreeMap<String, Var>,
        state: &Tensors,
    ) -> Result<Self> {
        let mut moments = BTreeMap::new();
        for (name, t) in state {
            let Some(name) = name.strip_prefix("t.") else {
                continue;
            };
            let n = vars.get(name).map(|var| var.elem_count());
            let part = |kind: &str| -> Result<Vec<f32>> {
                let part = state.get(&format!("{kind}.{name}"));
                match part {
                    Some(part) if Some(part.elem_count()) == n => finite(name, part),
                    _ => Err(Error::Msg(format!(
                        "the optimiser's state of {name} is not of this network"
                    ))),
                }
            };
            let (m, v) = (part("m")?, part("v")?);
            let t: Vec<i64> = t.flatten_all()?.to_vec1()?;
            let t = t.first().and_then(|&t| u64::try_from(t).ok());
            let t = t.ok_or_else(|| {
                Error::Msg(format!(
                    "the optimiser's state of {name} has no count of its steps"
                ))
            })?;
            moments.insert(name.to_owned(), Moments { t, m, v });
        }
        Ok(Self { config, moments })
    }
}

impl Moments {
    /// `m <- beta1 m + (1 - beta1) g`, `v <- beta2 v + (1 - beta2) g^2`,
    /// `theta <- theta - alpha / (1 - beta1^t) m / (sqrt(v / (1 - beta2^t)) + epsilon)`; the corrections in `f64`.
    fn update(&mut self, config: &AdamConfig, alpha: f64, theta: &mut [f32], grad: &[f32]) {
        self.t += 1;
        let t = self.t as f64;
        let step = (alpha / (1.0 - config.beta1.powf(t))) as f32;
        let root = (1.0 - config.beta2.powf(t)).sqrt() as f32;
        let (keep1, keep2) = (config.beta1 as f32, config.beta2 as f32);
        let (take1, take2) = ((1.0 - config.beta1) as f32, (1.0 - config.beta2) as f32);
        let epsilon = config.epsilon as f32;
        // Whole slices of one length: the compiler makes vectors of it.
        let n = theta.len().min(grad.len());
        let (theta, grad) = (&mut theta[..n], &grad[..n]);
        let (m, v) = (&mut self.m[..n], &mut self.v[..n]);
        for i in 0..n {
            m[i] = keep1 * m[i] + take1 * grad[i];
            v[i] = keep2 * v[i] + take2 * grad[i] * grad[i];
            theta[i] -= step * m[i] / (v[i].sqrt() / root + epsilon);
        }
    }
}
