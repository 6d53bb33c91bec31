//! The engine.

mod device;

pub use device::{BUILT_WITH_CUDA, DeviceChoice, OpenDevice, available_memory};
