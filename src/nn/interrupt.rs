//! The flag by which a long computation is stopped from another thread.

use candle_core::{Error, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Read between the network's blocks, and between the tiles of its large convolutions.
///
/// One evaluation of a published cascade takes minutes on a CPU, so a flag that is read only
/// between evaluations would leave the user waiting.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks every computation that holds a clone of this flag to stop.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// # Errors
    /// When the flag is set. The error's text is never shown: whoever set the flag knows why.
    pub fn check(&self) -> Result<()> {
        if self.is_set() {
            Err(Error::Msg("interrupted".into()))
        } else {
            Ok(())
        }
    }
}
