//! Where gradients pass. A network that is [loaded](super::Params::load) runs by the kernels of this crate; one
//! that [learns](super::Params::learn) holds its parameters as variables, and every layer that meets one is
//! computed by Candle's own operations, which know their derivatives: the same that the kernels are tested
//! against.
//!
//! What the kernels give is made with `apply_opN`, never with `apply_opN_no_bwd`: a kernel that a tracked tensor
//! reaches all the same fails in the backward pass, by its name, instead of cutting the graph in silence.

use candle_core::Tensor;

/// Whether one of them is a variable, or was made of one: whether a gradient is to pass here.
pub(super) fn tracked(tensors: &[&Tensor]) -> bool {
    tensors.iter().any(|t| t.track_op())
}

/// # Errors
/// Where a gradient is to pass through a GPU's kernels, which have no derivatives.
#[cfg(feature = "cuda")]
pub(super) fn none_on_gpu(tracked: bool) -> candle_core::Result<()> {
    match tracked {
        true => Err(candle_core::Error::Msg(ON_GPU.into())),
        false => Ok(()),
    }
}

pub(super) const ON_GPU: &str =
    "gradients are computed on the CPU alone: networks do not learn on a GPU yet";
