//! An anatomy, ready to be carried.

use crate::carry::{Carrier, CarryError, Picture};
use std::sync::{Arc, OnceLock};

/// An anatomy's carriers: at the networks' size, and at the source's own where that is finer.
#[derive(Debug)]
pub struct Tissue {
    carrier: Carrier,
    /// Gray levels and their side, from which the fine carrier is made.
    source: Option<(usize, Vec<u8>)>,
    /// It takes a tenth of a second to make, and nothing waits for it.
    fine: OnceLock<Option<Carrier>>,
}

impl Tissue {
    /// `gray` is `[side, side]` in 0..1, the anatomy as the networks get it; `source` the same square at its
    /// source's resolution, its side and 8-bit levels.
    ///
    /// # Errors
    /// When the number of values is another, or one is no number.
    pub fn new(
        side: usize,
        gray: Vec<f32>,
        source: Option<(usize, Vec<u8>)>,
    ) -> Result<Arc<Self>, CarryError> {
        Ok(Arc::new(Self {
            carrier: Carrier::new(Picture::new(1, side, gray)?)?,
            source,
            fine: OnceLock::new(),
        }))
    }

    pub fn carrier(&self) -> &Carrier {
        &self.carrier
    }

    /// Pixels a side of the source's own resolution, where that is finer.
    pub fn fine_side(&self) -> Option<usize> {
        self.source.as_ref().map(|(side, _)| *side)
    }

    /// At the source's own resolution, once [`Tissue::refine`] is done and where there is one.
    pub fn fine(&self) -> Option<&Carrier> {
        self.fine.get()?.as_ref()
    }

    /// Makes what carries the anatomy at its source's own resolution.
    pub fn refine(&self) -> Option<&Carrier> {
        let make = || {
            let (side, levels) = self.source.as_ref()?;
            let gray = levels.iter().map(|&v| f32::from(v) / 255.0).collect();
            let picture = Picture::new(1, *side, gray).ok()?;
            Carrier::new(picture).ok()
        };
        self.fine.get_or_init(make).as_ref()
    }
}
