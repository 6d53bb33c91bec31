//! What an ejection fraction hangs on, of a whole beat: how its volume goes and how its wall strains on average.
//!
//! An error a cell says little of either: a rim one cell wide, wrong everywhere in the same direction, is a small error
//! and another ejection fraction.

use crate::nn::matmul;
use crate::puppet::{FRAMES, GRID};
use candle_core::{D, Device, Result, Tensor};

const CELLS: usize = GRID * GRID;

/// Pixels of the frame from a cell to the next.
const CELL: f64 = 4.0;

/// Heights along the ventricle's axis, in cells from its middle.
const HEIGHTS: usize = 33;

/// The errors of beats' estimates, `[b]`.
pub struct BeatErrors {
    /// Mean square of the error of the mean strain, over frames and its four components.
    pub strain: Tensor,
    /// Mean square of the error of the volume, as a share of the first frame's.
    pub volume: Tensor,
}

/// Of estimates `[b, 3, 16, 28, 28]` of so many targets, both as the stage has them: motion x and y in units of `scale`
/// pixels and the cavity from -1 to 1.
///
/// Strain is the mean gradient of the displacement over the target's cavity. Volume is by disks across the long axis
/// of the target's first frame, of the cavity's shares of cells.
///
/// # Errors
/// When the estimates are of another shape.
pub fn beat_errors(estimate: &Tensor, targets: &[&[f32]], scale: f64) -> Result<BeatErrors> {
    let b = targets.len();
    let estimate = estimate.reshape((b, 3, FRAMES, CELLS))?;
    let device = estimate.device().clone();
    let right = Tensor::from_vec(targets.concat(), (b, 3, FRAMES, CELLS), &device)?;
    let shares = targets.iter().map(|target| -> Vec<f64> {
        let cavity = target[2 * FRAMES * CELLS..].iter();
        let share = |v: &f32| f64::from((v + 1.0) / 2.0).clamp(0.0, 1.0);
        cavity.map(share).collect()
    });
    let shares: Vec<Vec<f64>> = shares.collect();
    let each = |of: &dyn Fn(&[f64]) -> Result<Tensor>| {
        let all = shares.iter().map(|shares| of(shares));
        Tensor::stack(&all.collect::<Result<Vec<_>>>()?, 0)?.to_device(&device)
    };

    let slopes = each(&mean_slopes)?;
    let strain = |of: &Tensor| -> Result<Tensor> {
        let motion = (of.narrow(1, 0, 2)? * scale)?.unsqueeze(2)?;
        motion.broadcast_mul(&slopes)?.sum(D::Minus1)
    };
    let strain = (strain(&estimate)? - strain(&right)?)?.sqr()?;

    let disks = each(&disks)?;
    let volume = |of: &Tensor| -> Result<Tensor> {
        let shares = ((of.narrow(1, 2, 1)?.squeeze(1)? + 1.0)? * 0.5)?.clamp(0f32, 1f32)?;
        let volumes = matmul(&shares, &disks)?.sqr()?.sum(2)?;
        let first = volumes.narrow(1, 0, 1)?.maximum(1f32)?;
        volumes.broadcast_div(&first)
    };
    let volume = (volume(&estimate)? - volume(&right)?)?.sqr()?;
    let mean = |of: Tensor| of.flatten_from(1)?.mean(1);
    Ok(BeatErrors {
        strain: mean(strain)?,
        volume: mean(volume)?,
    })
}

/// What each cell's displacement counts for in the mean gradient over a frame's cavity, `[1, 2, 16, 28 * 28]`: in x,
/// then in y.
fn mean_slopes(shares: &[f64]) -> Result<Tensor> {
    let mut of = vec![0f32; 2 * FRAMES * CELLS];
    for (frame, shares) in shares.chunks_exact(CELLS).enumerate() {
        let total = shares.iter().sum::<f64>().max(1e-3);
        for y in 1..GRID - 1 {
            for x in 1..GRID - 1 {
                let by = (shares[y * GRID + x] / total / (2.0 * CELL)) as f32;
                for (axis, step) in [1, GRID].into_iter().enumerate() {
                    let at = (axis * FRAMES + frame) * CELLS + y * GRID + x;
                    of[at + step] += by;
                    of[at - step] -= by;
                }
            }
        }
    }
    Tensor::from_vec(of, (1, 2, FRAMES, CELLS), &Device::Cpu)
}

/// How much of each cell lies at each height along the long axis of the first frame's cavity, `[28 * 28, 33]`.
fn disks(shares: &[f64]) -> Result<Tensor> {
    let first = &shares[..CELLS];
    let total = first.iter().sum::<f64>().max(1e-3);
    let place = |i: usize| [(i % GRID) as f64, (i / GRID) as f64];
    let mean = |of: &dyn Fn([f64; 2]) -> f64| {
        let each = first.iter().enumerate();
        each.map(|(i, share)| share * of(place(i))).sum::<f64>() / total
    };
    let (mx, my) = (mean(&|[x, _]| x), mean(&|[_, y]| y));
    let spread = |of: &dyn Fn(f64, f64) -> f64| mean(&|[x, y]| of(x - mx, y - my));
    let (xx, yy, xy) = (
        spread(&|x, _| x * x),
        spread(&|_, y| y * y),
        spread(&|x, y| x * y),
    );
    let (sine, cosine) = (0.5 * (2.0 * xy).atan2(xx - yy)).sin_cos();
    let middle = (HEIGHTS / 2) as f64;
    let mut of = vec![0f32; CELLS * HEIGHTS];
    for (i, of) in of.chunks_exact_mut(HEIGHTS).enumerate() {
        let [x, y] = place(i);
        let height = (x - mx) * cosine + (y - my) * sine;
        for (k, of) in of.iter_mut().enumerate() {
            *of = (1.0 - (height - (k as f64 - middle)).abs()).max(0.0) as f32;
        }
    }
    Tensor::from_vec(of, (CELLS, HEIGHTS), &Device::Cpu)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::testing::noise;
    use candle_core::Var;

    /// A disc that shrinks by `by` of its radius until frame 8 and comes back, and whose inside moves along.
    fn beat(by: f64) -> Vec<f32> {
        let mut target = vec![0f32; 3 * FRAMES * CELLS];
        for frame in 0..FRAMES {
            let left = 1.0 - by * (1.0 - (frame as f64 - 8.0).abs() / 8.0);
            for i in 0..CELLS {
                let (x, y) = ((i % GRID) as f64 - 13.5, (i / GRID) as f64 - 13.5);
                let inside = (8.0 * left - (x * x + y * y).sqrt() + 0.5).clamp(0.0, 1.0);
                let at = frame * CELLS + i;
                // In units of three pixels, of which a cell has four: from where it was to where it is.
                target[at] = (x * (1.0 / left - 1.0) * 4.0 / 3.0) as f32;
                target[FRAMES * CELLS + at] = (y * (1.0 / left - 1.0) * 4.0 / 3.0) as f32;
                target[2 * FRAMES * CELLS + at] = (2.0 * inside - 1.0) as f32;
            }
        }
        target
    }

    fn errors(estimate: &[f32], target: &[f32]) -> (f64, f64) {
        let shape = (1, 3, FRAMES, GRID, GRID);
        let estimate = Tensor::from_slice(estimate, shape, &Device::Cpu).unwrap();
        let made = beat_errors(&estimate, &[target], 3.0).unwrap();
        let number = |t: Tensor| f64::from(t.mean_all().unwrap().to_scalar::<f32>().unwrap());
        (number(made.strain), number(made.volume))
    }

    #[test]
    fn another_contraction_is_an_error_of_its_size() {
        let target = beat(0.2);
        assert_eq!(errors(&target, &target), (0.0, 0.0));
        let other = beat(0.1);
        let (strain, volume) = errors(&other, &target);
        let per_frame = |of: &dyn Fn(f64) -> f64| {
            let share = |frame: usize| 1.0 - (frame as f64 - 8.0).abs() / 8.0;
            let square = |f: usize| (of(1.0 - 0.1 * share(f)) - of(1.0 - 0.2 * share(f))).powi(2);
            (0..FRAMES).map(square).sum::<f64>() / FRAMES as f64
        };
        // Two of four components of the gradient are those of the radius; across a disc's heights the widths' squares
        // add up to two thirds of its radius cubed.
        let right = (
            per_frame(&|left| 1.0 / left) / 2.0,
            per_frame(&|left| left.powi(3)),
        );
        assert!((strain / right.0 - 1.0).abs() < 0.02, "{strain} {right:?}");
        assert!((volume / right.1 - 1.0).abs() < 0.05, "{volume} {right:?}");
    }

    #[test]
    fn both_say_how_to_better_an_estimate() {
        let target = beat(0.2);
        let off = noise(target.len(), 4).into_iter().zip(beat(0.12));
        let off: Vec<f32> = off.map(|(n, v)| 0.1 * n + v).collect();
        let shape = (1, 3, FRAMES, GRID, GRID);
        let var = Var::from_vec(off.clone(), shape, &Device::Cpu).unwrap();
        let made = beat_errors(&var, &[&target], 3.0).unwrap();
        for (kind, error) in [(0, made.strain), (1, made.volume)] {
            let slope = error.backward().unwrap().get(&var).unwrap().clone();
            let slope: Vec<f32> = slope.flatten_all().unwrap().to_vec1().unwrap();
            let step = 1e-3 / slope.iter().map(|v| v.abs()).fold(0.0, f32::max);
            let moved = off.iter().zip(&slope).map(|(v, s)| v - step * s);
            let moved: Vec<f32> = moved.collect();
            let of = |values: &[f32]| <[f64; 2]>::from(errors(values, &target))[kind];
            assert!(of(&moved) < of(&off), "{kind}");
        }
    }
}
