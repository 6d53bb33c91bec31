//! Networks that learn: the loss of a stage, the optimiser, and the average of the weights that is sampled from.
//!
//! Reynaud et al. (MICCAI 2023) train each stage by itself, with the loss of Karras et al. (2022) and Adam
//! (Kingma and Ba, 2015). Loss, optimiser and average of a stage of pictures are as published: what a step draws at random comes from
//! outside ([`Draws`]), so that a recorded step can be replayed to its gradients. A [`Run`] goes through the steps of a
//! [`Task`]: [`MotionTask`] teaches the first stage of a motion cascade, from [`samples`] made as they are needed,
//! [`PictureTask`] any stage whose channels are pictures, and [`RegressorTask`]
//! a regressor, from [`clips`].

mod adam;
mod beat;
pub mod clips;
pub(crate) mod dice;
mod draws;
mod ema;
mod loss;
mod motion;
mod pictures;
mod regressor;
mod run;
pub mod samples;
mod state;
#[cfg(test)]
mod tests;

/// Settings by name and range, and whether each is within it.
///
/// # Errors
/// A phrase on the first that is not.
fn within(settings: &[((&str, &str), bool)]) -> Result<(), String> {
    match settings.iter().find(|(_, good)| !good) {
        Some(((name, range), _)) => Err(format!("`{name}` is out of its range: {range}")),
        None => Ok(()),
    }
}

/// A share of nothing is not kept: runs that were begun before there was one go on.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it so")]
fn is_none(share: &f64) -> bool {
    *share == 0.0
}

pub use crate::edm::LossConfig;
pub use adam::{Adam, AdamConfig};
pub use beat::{BeatErrors, beat_errors};
pub use draws::{Draws, LowresDraw};
pub use ema::{Ema, EmaConfig};
pub use loss::{Batch, Loss, loss};
pub use motion::{MotionSettings, MotionTask};
pub use pictures::{Material, PictureSettings, PictureTask};
pub use regressor::{RegressorSettings, RegressorTask};
pub use run::{Method, Run, RunError, Step, Task};
pub use state::{Tensors, finite, read_state, write_state};
