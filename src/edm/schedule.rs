//! Noise levels, churn, preconditioning and the low-resolution augmentation's noise.

use super::NoiseLevels;

/// `sigma_0 > ... > sigma_{N-1} > sigma_N = 0`, and the churn of each step.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// N + 1 values, as `f32`: that is what the published code computes with.
    pub sigmas: Vec<f32>,
    /// N + 1 values; the last is 0.
    pub gammas: Vec<f64>,
    pub s_noise: f64,
}

impl Schedule {
    /// EDM equation 5 and algorithm 2: `sigma_i = (a + i / (N - 1) (b - a))^rho` with
    /// `a = sigma_max^(1/rho)`, `b = sigma_min^(1/rho)`, and
    /// `gamma_i = min(S_churn / N, sqrt(2) - 1)` between `S_tmin` and `S_tmax`.
    pub fn new(levels: &NoiseLevels) -> Self {
        let (n, rho) = (levels.steps, levels.rho);
        let (a, b) = (
            levels.sigma_max.powf(1.0 / rho),
            levels.sigma_min.powf(1.0 / rho),
        );
        let mut sigmas: Vec<f32> = (0..n)
            .map(|i| {
                // In `f32` from here on, as published: the 7th power makes the rounding of a and b
                // visible, and a cascade of stages amplifies it.
                let along = if n > 1 {
                    i as f32 / (n - 1) as f32
                } else {
                    0.0
                };
                (a as f32 + along * (b - a) as f32).powf(rho as f32)
            })
            .collect();
        sigmas.push(0.0);
        let churn = (levels.s_churn / n as f64).min(std::f64::consts::SQRT_2 - 1.0);
        let churned = |s: &f32| (levels.s_tmin..=levels.s_tmax).contains(&f64::from(*s));
        let gammas = sigmas
            .iter()
            .map(|s| if churned(s) { churn } else { 0.0 })
            .collect();
        Self {
            sigmas,
            gammas,
            s_noise: levels.s_noise,
        }
    }

    pub fn steps(&self) -> usize {
        self.sigmas.len() - 1
    }

    /// Step `i` alone.
    pub fn step(&self, i: usize) -> Self {
        Self {
            sigmas: self.sigmas[i..=i + 1].to_vec(),
            gammas: self.gammas[i..=i + 1].to_vec(),
            s_noise: self.s_noise,
        }
    }

    /// The noise level after the churn of step `i`.
    pub fn sigma_hat(&self, i: usize) -> f64 {
        f64::from(self.sigmas[i]) * (1.0 + self.gammas[i])
    }
}

/// EDM table 1: how the network is wrapped at a noise level. Computed in `f32`, operation by
/// operation as published: an error here is the same at every pixel, and a guided cascade
/// amplifies that more than any other.
#[derive(Clone, Copy, Debug)]
pub struct Preconditioning {
    pub c_skip: f32,
    pub c_out: f32,
    pub c_in: f32,
    pub c_noise: f32,
}

impl Preconditioning {
    /// The sums `sigma^2 + sigma_data^2` are the EDM paper's; the MICCAI paper prints products.
    pub fn new(sigma: f32, sigma_data: f64) -> Self {
        let data2 = (sigma_data * sigma_data) as f32;
        let variance = sigma * sigma + data2;
        Self {
            c_skip: variance.recip() * data2,
            c_out: sigma * sigma_data as f32 * variance.sqrt().recip(),
            c_in: variance.sqrt().recip(),
            c_noise: sigma.max(1e-20).ln() * 0.25,
        }
    }
}

/// The loss weight of EDM table 1: `(sigma^2 + sigma_data^2) / (sigma sigma_data)^2`.
pub fn loss_weight(sigma: f32, sigma_data: f64) -> f64 {
    let sigma = f64::from(sigma);
    (sigma * sigma + sigma_data * sigma_data) / (sigma * sigma_data).powi(2)
}

/// Decay of the published EMA at its `step` counter, as it stands after the step: powers of 2/3,
/// from 101 on, at most .9999.
pub fn ema_decay(step: u64) -> f64 {
    let counted = step.saturating_sub(101);
    if counted == 0 {
        return 0.0;
    }
    (1.0 - (1.0 + counted as f64).powf(-2.0 / 3.0)).clamp(0.0, 0.9999)
}

/// The "linear" schedule of the low-resolution augmentation.
#[derive(Clone, Copy, Debug)]
pub struct Augmentation {
    pub log_snr: f64,
    pub alpha: f64,
    pub sigma: f64,
}

impl Augmentation {
    /// `t` in 0..1: `logsnr = -ln(expm1(1e-4 + 10 t^2))`, `alpha^2 = sigmoid(logsnr)`.
    pub fn at(t: f64) -> Self {
        let log_snr = -(1e-4 + 10.0 * t * t).exp_m1().ln();
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        Self {
            log_snr,
            alpha: sigmoid(log_snr).sqrt(),
            sigma: sigmoid(-log_snr).sqrt(),
        }
    }

    /// The time of a logSNR: [`Augmentation::at`] the other way round.
    pub fn time_of(log_snr: f64) -> f64 {
        ((-log_snr).exp().ln_1p() - 1e-4).max(0.0).sqrt() / 10f64.sqrt()
    }
}
