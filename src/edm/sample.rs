//! EDM algorithm 2: the stochastic sampler. Who wants to watch, to stop or to remember an evaluation does
//! so in the denoiser that is handed in.

use super::schedule::Schedule;
use candle_core::{Result, Tensor};

/// D(x; sigma): `[b, c, f, h, w]` to the same shape.
pub type Denoise<'a> = dyn FnMut(&Tensor, f32) -> Result<Tensor> + 'a;

/// From `x` at noise level `sigma_0` to a sample. `epsilon(i)` is standard normal noise of x's shape.
///
/// # Errors
/// When the denoiser fails or is interrupted, or when there is no noise.
pub fn sample(
    schedule: &Schedule,
    mut x: Tensor,
    epsilon: &mut dyn FnMut(usize) -> Result<Tensor>,
    denoise: &mut Denoise<'_>,
) -> Result<Tensor> {
    for i in 0..schedule.steps() {
        let (sigma, sigma_next) = (f64::from(schedule.sigmas[i]), schedule.sigmas[i + 1]);

        // Lines 4 to 6: raise the noise. Noise comes by counter: skipping changes no other draw.
        let sigma_hat = schedule.sigma_hat(i);
        let mut x_hat = x;
        if schedule.gammas[i] > 0.0 {
            let churn = (sigma_hat * sigma_hat - sigma * sigma).sqrt();
            x_hat = (x_hat + ((epsilon(i)? * schedule.s_noise)? * churn)?)?;
        }

        // Lines 7 and 8: Euler's step.
        let h = f64::from(sigma_next) - sigma_hat;
        let d = slope(&x_hat, sigma_hat, denoise(&x_hat, sigma_hat as f32)?)?;
        x = (&x_hat + (&d * h)?)?;

        // Lines 9 to 11: Heun's correction.
        if sigma_next != 0.0 {
            let d_next = slope(&x, f64::from(sigma_next), denoise(&x, sigma_next)?)?;
            x = (x_hat + ((d + d_next)? * (0.5 * h))?)?;
        }
    }
    Ok(x)
}

/// dx / dsigma, equation 3: `(x - D) / sigma`. As a division: Candle's own multiplies by the reciprocal,
/// and at large sigma, where x is hundreds and what remains of it is one, that last bit is seen in the
/// result.
fn slope(x: &Tensor, sigma: f64, denoised: Tensor) -> Result<Tensor> {
    (x - denoised)?.broadcast_div(&Tensor::new(sigma as f32, x.device())?)
}

#[cfg(test)]
mod tests {
    use super::super::NoiseLevels;
    use super::*;
    use candle_core::Device;

    fn levels(steps: usize, s_churn: f64) -> NoiseLevels {
        NoiseLevels {
            steps,
            sigma_min: 0.05,
            sigma_max: 20.0,
            sigma_data: 0.5,
            rho: 7.0,
            s_churn,
            s_tmin: 0.1,
            s_tmax: 10.0,
            s_noise: 1.003,
        }
    }

    fn number(x: &Tensor) -> f32 {
        x.to_vec1().unwrap()[0]
    }

    /// For data distributed as N(0, s^2) with s = 0.5.
    fn ideal(x: &Tensor, sigma: f32) -> Result<Tensor> {
        x * (0.25 / (0.25 + f64::from(sigma).powi(2)))
    }

    /// Along the flow x grows as sqrt(s^2 + sigma^2).
    #[test]
    fn halving_the_steps_shows_order_two() {
        let error = |steps| {
            let mut schedule = Schedule::new(&levels(steps, 0.0));
            // The last step, to 0, is of order one by design.
            schedule.sigmas.pop();
            let x = Tensor::new(&[20f32], &Device::Cpu).unwrap();
            let mut none = |_| unreachable!();
            let x = sample(&schedule, x, &mut none, &mut ideal).unwrap();
            let grown = |sigma: f32| (0.25 + sigma * sigma).sqrt();
            (number(&x) / 20.0 * grown(20.0) / grown(0.05) - 1.0).abs()
        };
        let (coarse, fine) = (error(10), error(20));
        assert!(fine < 2e-2 && coarse / fine > 3.5, "{coarse} {fine}");
    }

    #[test]
    fn noise_is_asked_for_where_there_is_churn_and_steps_alone_are_the_same() {
        let schedule = Schedule::new(&levels(8, 4.0));
        let start = Tensor::new(&[20f32], &Device::Cpu).unwrap();
        let (mut asked, mut seen) = (Vec::new(), Vec::new());
        let noise = |i: usize| Tensor::new(&[(i as f32 * 0.7).sin()], &Device::Cpu);
        let mut epsilon = |i| {
            asked.push(i);
            noise(i)
        };
        let mut watched = |x: &Tensor, sigma: f32| {
            seen.push(sigma);
            ideal(x, sigma)
        };
        let whole = sample(&schedule, start.clone(), &mut epsilon, &mut watched).unwrap();
        let churned = (0..8).filter(|&i| (0.1..=10.0).contains(&schedule.sigmas[i]));
        assert_eq!(asked, churned.collect::<Vec<_>>());
        assert!(!asked.is_empty() && asked.len() < 8, "{asked:?}");
        assert_eq!(seen.len(), 15);
        assert_eq!(seen[0], schedule.sigmas[0]);
        assert_eq!(seen[14], schedule.sigma_hat(7) as f32);

        let mut x = start;
        for i in 0..8 {
            let step = schedule.step(i);
            assert_eq!(step.sigma_hat(0), schedule.sigma_hat(i));
            x = sample(&step, x, &mut |_| noise(i), &mut ideal).unwrap();
        }
        assert_eq!(number(&x), number(&whole));
    }
}
