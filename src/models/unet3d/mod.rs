//! The pseudo-3-D U-Net of Imagen Video as the paper uses it: one frame and one scalar in, a
//! video's denoising direction out.
//!
//! Reynaud et al., *Feature-Conditioned Cascaded Video Diffusion Models for Precise
//! Echocardiogram Synthesis*, MICCAI 2023; Ho et al., *Imagen Video*, 2022. Tensor names are those
//! of the published checkpoints.

mod blocks;
mod conditioning;
mod config;
mod cost;
mod pass;
mod unet;

pub use config::UnetConfig;
pub use cost::pass_flops;
pub use pass::{EfTokens, Inputs, Pass, Probe};
pub use unet::Unet;
