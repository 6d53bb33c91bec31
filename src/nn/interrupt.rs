//! The flag by which a long computation is stopped from another thread.

use candle_core::{Error, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// Read between the network's blocks, and between the tiles of its large convolutions.
///
/// One evaluation of a published cascade takes minutes on a CPU, so a flag that is read only
/// between evaluations would leave the user waiting.
///
/// A computation that something newer supersedes may have asked for patience: it is then stopped
/// only when it gives that up, so that even a run that is superseded many times a second shows
/// something.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicU8>);

const STOP: u8 = 1;
const SUPERSEDED: u8 = 2;
const PATIENCE: u8 = 4;

impl Interrupt {
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks every computation that holds a clone of this flag to stop.
    pub fn set(&self) {
        self.0.fetch_or(STOP, Ordering::Relaxed);
    }

    /// Asks the same, once nobody has asked for patience.
    pub fn supersede(&self) {
        self.0.fetch_or(SUPERSEDED, Ordering::Relaxed);
    }

    /// Takes back what supersedes: what made room begins again. To be stopped is for good.
    pub fn resume(&self) {
        self.0.fetch_and(!SUPERSEDED, Ordering::Relaxed);
    }

    /// Whether it was asked to stop, and not only to make room for something newer.
    pub fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed) & STOP != 0
    }

    /// Whether to be superseded waits; to be stopped never does.
    pub fn ask_patience(&self, patience: bool) {
        if patience {
            self.0.fetch_or(PATIENCE, Ordering::Relaxed);
        } else {
            self.0.fetch_and(!PATIENCE, Ordering::Relaxed);
        }
    }

    pub fn is_set(&self) -> bool {
        let flags = self.0.load(Ordering::Relaxed);
        flags & STOP != 0 || flags & (SUPERSEDED | PATIENCE) == SUPERSEDED
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_delays_what_supersedes_and_nothing_else() {
        let interrupt = Interrupt::new();
        interrupt.ask_patience(true);
        interrupt.supersede();
        assert!(!interrupt.is_set());
        interrupt.ask_patience(false);
        assert!(interrupt.is_set());
        interrupt.ask_patience(true);
        interrupt.set();
        assert!(interrupt.is_set());
    }

    #[test]
    fn what_was_superseded_may_go_on_and_what_was_stopped_may_not() {
        let interrupt = Interrupt::new();
        interrupt.supersede();
        assert!(interrupt.is_set() && !interrupt.is_stopped());
        interrupt.resume();
        assert!(!interrupt.is_set());
        interrupt.set();
        interrupt.resume();
        assert!(interrupt.is_set() && interrupt.is_stopped());
    }
}
