//! The networks: the video U-Net of the cascade's stages, and the EF regressor.

pub mod r2plus1d;
pub mod unet3d;
