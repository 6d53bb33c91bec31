//! Solvers that remember: one evaluation a step, order two from the second step on.
//!
//! Both work in `lambda = -ln sigma`, in which the probability flow from noise level s to t is, with
//! the denoised estimate D, `x_t = (t / s) x_s - expm1(-h) D` for `h = lambda_t - lambda_s` (EDM's
//! scaling of 1; Lu et al., *DPM-Solver++*, 2022, proposition 4.1, with alpha = 1).

use super::sample::Denoise;
use candle_core::{Result, Tensor};

/// How a multistep solver goes on from what it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Multistep {
    /// DPM-Solver++(2M): Lu et al. 2022, algorithm 2.
    DpmPlusPlus,
    /// UniPC of order two with `B(h) = expm1(-h)`, predictor and corrector: Zhao et al., *UniPC*,
    /// 2023, algorithms 5 to 8.
    UniPc,
}

/// One evaluation that was made.
struct Known {
    lambda: f64,
    denoised: Tensor,
}

/// From `x` at noise level `sigmas[0]` to a sample at the last one.
///
/// # Errors
/// When the denoiser fails or is interrupted.
pub fn sample(
    kind: Multistep,
    sigmas: &[f32],
    mut x: Tensor,
    denoise: &mut Denoise<'_>,
) -> Result<Tensor> {
    let mut run = Run::new(kind);
    for step in sigmas.windows(2) {
        x = run.step(x, step[0], step[1], denoise)?;
    }
    Ok(x)
}

/// A run of a multistep solver.
struct Run {
    kind: Multistep,
    /// Where the last step began: its noise level and x.
    from: Option<(f64, Tensor)>,
    /// The newest last, at most two.
    known: Vec<Known>,
}

impl Run {
    fn new(kind: Multistep) -> Self {
        Self {
            kind,
            from: None,
            known: Vec::new(),
        }
    }

    /// From x at `sigma` to `next`; to 0 that is the denoised estimate itself.
    fn step(
        &mut self,
        x: Tensor,
        sigma: f32,
        next: f32,
        denoise: &mut Denoise<'_>,
    ) -> Result<Tensor> {
        let denoised = denoise(&x, sigma)?;
        if next == 0.0 {
            return Ok(denoised);
        }
        let lambda = -f64::from(sigma).ln();
        let x = match (self.kind, &self.from) {
            (Multistep::UniPc, Some((from, before))) => {
                self.corrected(*from, before, lambda, &denoised)?
            }
            _ => x,
        };
        let h = -f64::from(next).ln() - lambda;
        // The slope of D over lambda, from the evaluation before.
        let slope = match self.known.last() {
            None => None,
            Some(last) => Some(((&denoised - &last.denoised)? / (lambda - last.lambda))?),
        };
        let phi = (-h).exp_m1();
        let mut to = ((&x * f64::from(next / sigma))? - (&denoised * phi)?)?;
        if let Some(slope) = slope {
            // Both take half of B(h) h D'; they differ in the corrector alone.
            to = (to - (slope * (0.5 * h * phi))?)?;
        }
        if self.known.len() == 2 {
            self.known.remove(0);
        }
        self.known.push(Known { lambda, denoised });
        self.from = Some((f64::from(sigma), x));
        Ok(to)
    }

    /// UniC: the last step again, now that D at its end is known.
    fn corrected(
        &self,
        from: f64,
        before: &Tensor,
        lambda: f64,
        denoised: &Tensor,
    ) -> Result<Tensor> {
        let Some((start, earlier)) = self.known.split_last() else {
            return Err(candle_core::Error::Msg("no step to correct".into()));
        };
        let h = lambda - start.lambda;
        let (hh, phi) = (-h, (-h).exp_m1());
        let to = (-lambda).exp();
        let plain = ((before * (to / from))? - (&start.denoised * phi)?)?;
        let change = (denoised - &start.denoised)?;
        let Some(earlier) = earlier.last() else {
            return plain - (change * (0.5 * phi))?;
        };
        // The weights that make the step exact for D linear and quadratic in lambda.
        let ratio = (earlier.lambda - start.lambda) / h;
        let first = phi / hh - 1.0;
        let b1 = first / phi;
        let b2 = (first / hh - 0.5) * 2.0 / phi;
        let of_earlier = (b2 - b1) / (ratio - 1.0);
        let of_change = b1 - of_earlier;
        let back = ((&earlier.denoised - &start.denoised)? / ratio)?;
        plain - ((back * (of_earlier * phi))? + (change * (of_change * phi))?)?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    /// Of data distributed as N(0, s^2), for which the flow is known: x grows as sqrt(s^2 + sigma^2).
    fn error(kind: Multistep, steps: usize) -> f64 {
        let (data, most, least) = (0.5f64, 20.0f64, 0.05f64);
        let at = |i: usize| (most.ln() + (least / most).ln() * i as f64 / steps as f64).exp();
        let mut denoise = |x: &Tensor, sigma: f32| {
            let s2 = f64::from(sigma).powi(2);
            x * (data * data / (data * data + s2))
        };
        let sigmas: Vec<f32> = (0..=steps).map(|i| at(i) as f32).collect();
        let x = Tensor::new(&[most], &Device::Cpu).unwrap();
        let x = sample(kind, &sigmas, x, &mut denoise).unwrap();
        let grown = |sigma: f64| (data * data + sigma * sigma).sqrt();
        let exact = most * grown(least) / grown(most);
        (x.to_vec1::<f64>().unwrap()[0] / exact - 1.0).abs()
    }

    #[test]
    fn halving_the_steps_shows_the_order() {
        for (kind, order) in [(Multistep::DpmPlusPlus, 1.8), (Multistep::UniPc, 2.6)] {
            let (coarse, fine) = (error(kind, 40), error(kind, 80));
            let seen = (coarse / fine).log2();
            assert!(
                fine < 1e-3 && seen > order,
                "{kind:?}: {coarse} {fine} {seen}"
            );
        }
    }

    #[test]
    fn the_first_step_is_exact_for_a_constant_estimate() {
        let mut constant = |x: &Tensor, _: f32| x.zeros_like()? + 3.0;
        for kind in [Multistep::DpmPlusPlus, Multistep::UniPc] {
            let x = Tensor::new(&[10f64], &Device::Cpu).unwrap();
            let mut run = Run::new(kind);
            let half = run.step(x, 4.0, 2.0, &mut constant).unwrap();
            let last = run.step(half, 2.0, 1.0, &mut constant).unwrap();
            let end = last.to_vec1::<f64>().unwrap()[0];
            assert!((end - (3.0 + 7.0 / 4.0)).abs() < 1e-6, "{kind:?}: {end}");
            let zero = run.step(last, 1.0, 0.0, &mut constant).unwrap();
            assert_eq!(zero.to_vec1::<f64>().unwrap(), [3.0]);
        }
    }
}
