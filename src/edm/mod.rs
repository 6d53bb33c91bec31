//! The diffusion: elucidated diffusion models (EDM) in cascade.
//!
//! Karras et al., *Elucidating the Design Space of Diffusion-Based Generative Models*, 2022, as
//! Reynaud et al. (MICCAI 2023) use it: stochastic Heun, classifier-free guidance on the raw
//! network output, dynamic thresholding (Saharia et al., *Imagen*), and later stages conditioned
//! on the noised result of the one before. Symbols are the paper's.

pub mod cascade;
mod config;
pub mod denoiser;
pub mod multistep;
pub mod noise;
mod preset;
pub mod sample;
pub mod schedule;
mod training;

pub use cascade::{Carry, Cascade, Made, Plan, Progress, Stage};
pub use config::{CascadeConfig, NoiseLevels, Output, Solver, StageConfig};
pub use denoiser::Openings;
pub use multistep::Multistep;
pub use noise::{Draw, Noise, Replayed, Seed, Seeded};
pub use preset::Preset;
pub use training::LossConfig;
