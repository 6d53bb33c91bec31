//! Weights as the kernels read them, arranged when they are first needed. Afterwards they are held in
//! that form alone: a cascade's weights are most of what it takes.

use super::heads::Heads;
use crate::nn::Backend;
use crate::nn::cpu::product::Packed;
#[cfg(feature = "cuda")]
use crate::nn::cuda;
use crate::nn::learn::tracked;
use candle_core::{Error, Result, Tensor};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Of one convolution; its clones share them.
#[derive(Clone, Debug)]
pub(super) struct Arranged {
    backend: Backend,
    /// Where they learn: as they are now. They are arranged for nothing then.
    learned: Option<Tensor>,
    /// As they were read, in the host's memory, until they are arranged.
    read: Arc<Mutex<Option<Tensor>>>,
    for_cpu: Arc<OnceLock<Arc<Packed>>>,
    for_heads: Arc<OnceLock<Arc<Heads>>>,
    #[cfg(feature = "cuda")]
    for_gpu: Arc<OnceLock<Arc<cuda::Conv>>>,
}

impl Arranged {
    /// Takes weights from the host's memory.
    pub fn new(weight: Tensor, backend: &Backend) -> Self {
        let learned = tracked(&[&weight]).then(|| weight.clone());
        let read = learned.is_none().then_some(weight);
        Self {
            backend: backend.clone(),
            learned,
            read: Arc::new(Mutex::new(read)),
            for_cpu: Arc::default(),
            for_heads: Arc::default(),
            #[cfg(feature = "cuda")]
            for_gpu: Arc::default(),
        }
    }

    /// The weights as they are now, where they learn: the layer is computed by what has a gradient then.
    pub fn learned(&self) -> Option<&Tensor> {
        self.learned.as_ref()
    }

    /// The weights as they were read, unless they have been arranged.
    pub fn read(&self) -> Option<Tensor> {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.clone()
    }

    /// For the CPU's kernels, to be multiplied with x. `make` gets the values as they were read.
    ///
    /// # Errors
    /// When x is elsewhere than the weights.
    pub fn for_cpu(
        &self,
        x: &Tensor,
        make: impl FnOnce(&[f32]) -> Result<Packed>,
    ) -> Result<Arc<Packed>> {
        if !self.backend.device.same_device(x.device()) {
            return Err(Error::Msg(
                "a tensor on another device than the weights".into(),
            ));
        }
        let joined = || self.for_heads.get().map(|heads| heads.joined());
        self.once(&self.for_cpu, joined, make)
    }

    /// For the CPU's kernels of attention, of a convolution of one pixel. `make` gets the values as they were
    /// read.
    ///
    /// # Errors
    /// When the weights are on a GPU.
    pub fn for_heads(&self, make: impl FnOnce(&[f32]) -> Heads) -> Result<Arc<Heads>> {
        // Of one pixel: the terms of its sums are its channels, in order.
        let unpacked = || self.for_cpu.get().map(|packed| packed.unpacked());
        self.once(&self.for_heads, unpacked, |values| Ok(make(values)))
    }

    /// For a GPU's kernels. `make` gets the values as they were read.
    ///
    /// # Errors
    /// When the device fails.
    #[cfg(feature = "cuda")]
    pub fn for_gpu(
        &self,
        make: impl FnOnce(&Backend, &[f32]) -> Result<cuda::Conv>,
    ) -> Result<Arc<cuda::Conv>> {
        self.once(&self.for_gpu, || None, |values| make(&self.backend, values))
    }

    /// Arranged when it is first asked for, from what was read or else from `other`, and kept.
    fn once<T>(
        &self,
        once: &OnceLock<Arc<T>>,
        other: impl FnOnce() -> Option<Vec<f32>>,
        make: impl FnOnce(&[f32]) -> Result<T>,
    ) -> Result<Arc<T>> {
        if let Some(known) = once.get() {
            return Ok(known.clone());
        }
        if self.learned.is_some() {
            return Err(Error::Msg("weights that learn are not arranged".into()));
        }
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have been quicker.
        if let Some(known) = once.get() {
            return Ok(known.clone());
        }
        let none = || Error::Msg("weights are arranged for one device alone".into());
        // A layer of attention on a few positions and on many is asked for both of the CPU's forms.
        let values = match read.as_ref() {
            Some(weight) => weight.flatten_all()?.to_vec1()?,
            None => other().ok_or_else(none)?,
        };
        let made = Arc::new(make(&values)?);
        *read = None;
        Ok(once.get_or_init(|| made).clone())
    }
}
