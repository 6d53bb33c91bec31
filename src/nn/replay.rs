//! Computations that are made again and again with tensors of the same shapes.

#[cfg(feature = "cuda")]
use super::{cuda, profile};
use candle_core::{Result, Tensor};

/// Of one network. On a GPU the second computation of certain shapes is recorded and later ones are
/// replayed, which spares the host: a small network's kernels are over sooner than it can start them.
#[derive(Default)]
pub struct Replay(#[cfg(feature = "cuda")] cuda::Replay);

impl Replay {
    /// `compute(inputs)`, which must do the same for the same shapes, and nothing on the host that
    /// depends on values. The first of the inputs says how large the computation is.
    ///
    /// # Errors
    /// When the computation fails.
    pub fn run(
        &self,
        inputs: &[Tensor],
        compute: &dyn Fn(&[Tensor]) -> Result<Tensor>,
    ) -> Result<Tensor> {
        #[cfg(feature = "cuda")]
        {
            /// Larger ones keep a GPU busy by themselves, and what is recorded keeps its memory.
            const MOST_BYTES: usize = 32 << 20;
            let worth = |t: &Tensor| {
                t.device().is_cuda() && t.elem_count() * t.dtype().size_in_bytes() <= MOST_BYTES
            };
            let learns = inputs.iter().any(Tensor::track_op);
            if inputs.first().is_some_and(worth) && !learns && !profile::is_on() {
                return self.0.run(inputs, compute);
            }
        }
        compute(inputs)
    }
}
