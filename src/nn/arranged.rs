//! Weights as the kernels read them, arranged when they are first needed.

use super::Backend;
use super::cpu::product::Packed;
#[cfg(feature = "cuda")]
use super::cuda;
use candle_core::{Error, Result, Tensor};
use std::sync::{Arc, OnceLock};

/// Of one convolution.
#[derive(Clone, Debug)]
pub(super) struct Arranged {
    backend: Backend,
    for_cpu: OnceLock<Arc<Packed>>,
    #[cfg(feature = "cuda")]
    for_gpu: OnceLock<Arc<cuda::Conv>>,
}

impl Arranged {
    pub fn at(backend: &Backend) -> Self {
        Self {
            backend: backend.clone(),
            for_cpu: OnceLock::new(),
            #[cfg(feature = "cuda")]
            for_gpu: OnceLock::new(),
        }
    }

    /// For the CPU's kernels, to be multiplied with x.
    ///
    /// # Errors
    /// When x is elsewhere than the weights.
    pub fn for_cpu(
        &self,
        x: &Tensor,
        make: impl FnOnce() -> Result<Packed>,
    ) -> Result<Arc<Packed>> {
        if !self.backend.device.same_device(x.device()) {
            return Err(Error::Msg(
                "a tensor on another device than the weights".into(),
            ));
        }
        once(&self.for_cpu, make)
    }

    /// For a GPU's kernels.
    ///
    /// # Errors
    /// When the device fails.
    #[cfg(feature = "cuda")]
    pub fn for_gpu(
        &self,
        make: impl FnOnce(&Backend) -> Result<cuda::Conv>,
    ) -> Result<Arc<cuda::Conv>> {
        once(&self.for_gpu, || make(&self.backend))
    }
}

fn once<T>(once: &OnceLock<Arc<T>>, make: impl FnOnce() -> Result<T>) -> Result<Arc<T>> {
    if let Some(known) = once.get() {
        return Ok(known.clone());
    }
    let made = Arc::new(make()?);
    // Another thread may have been quicker; its weights are the same.
    Ok(once.get_or_init(|| made).clone())
}
