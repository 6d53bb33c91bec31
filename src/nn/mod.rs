//! Layers that Candle lacks, each with a parity test.
//!
//! Every function takes and returns `f32` tensors laid out as `[batch, channel, frame, height,
//! width]` unless it says otherwise. The hot ones are written here, for the CPU (`cpu/`) and for CUDA
//! (`cuda/`, with the feature); what they are composed of in Candle's operations stands beside them,
//! and tests hold the two against each other. On a GPU tensors between the layers may be bfloat16.

pub mod attention;
pub mod backend;
pub mod carry;
pub mod context;
pub mod conv;
mod cpu;
#[cfg(feature = "cuda")]
mod cuda;
pub mod embed;
pub mod interrupt;
pub mod join;
mod learn;
pub mod linear;
mod matmul;
pub mod norm;
pub mod params;
pub mod profile;
pub mod replay;
pub mod resize;
pub mod scale;
mod shuffle;
pub mod softmax;
#[cfg(test)]
pub(crate) mod testing;
pub mod threshold;

pub use backend::{Arithmetic, Backend};
pub use cpu::{ComputesHere, Lanes, compute_here};
pub use interrupt::Interrupt;
pub use matmul::matmul;
pub use params::{Fetched, LoadError, Params, TensorSource};
pub use replay::Replay;
pub use resize::{ResizeMode, resize};
pub use shuffle::space_to_depth;

/// Returns what CUDA makes of x, where x is on a GPU and no gradient is to pass: its kernels have no derivatives. What
/// `learns` beside x is said, too.
macro_rules! on_gpu {
    ($x:expr, learns: $learns:expr, $made:expr) => {
        #[cfg(feature = "cuda")]
        if $x.device().is_cuda() && !$x.track_op() && !$learns {
            return $made;
        }
    };
    ($x:expr, $made:expr) => {
        $crate::nn::on_gpu!($x, learns: false, $made)
    };
}
pub(crate) use on_gpu;
