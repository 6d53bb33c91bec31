//! The networks: the video U-Net of the cascade's stages, the encoder in front of a motion stage, and
//! the EF regressor.

pub mod anatomy_encoder;
pub mod r2plus1d;
pub mod unet3d;
pub mod vgg16;
