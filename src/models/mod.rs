//! The networks: the video U-Net of the cascade's stages, the encoder in front of a motion stage, the EF regressor, and
//! those that the published evaluation looks with.

pub mod anatomy_encoder;
pub mod i3d;
pub mod inception_v3;
pub mod r2plus1d;
pub mod unet3d;
pub mod unit;
pub mod vgg16;
