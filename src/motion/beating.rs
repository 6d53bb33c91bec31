//! One heart beating: an anatomy, and the motion that a picture at any time of the beat is carried by.

use super::{Motion, Tissue};
use crate::carry::{self, Carrier, CarryError};
use crate::clip::Video;
use crate::leaflets::{Hinges, Valve, opening};
use crate::outline::{self, Beat};
use std::sync::Arc;

/// A beat of a motion cascade.
#[derive(Clone, Debug)]
pub struct Beating {
    tissue: Arc<Tissue>,
    motion: Motion,
    displacement: carry::Motion,
    beat: Option<Beat>,
    /// The mitral valve that opens.
    valve: Option<Valve>,
}

impl PartialEq for Beating {
    fn eq(&self, other: &Self) -> bool {
        self.motion == other.motion
            && self.tissue.carrier().picture() == other.tissue.carrier().picture()
    }
}

impl Beating {
    /// # Errors
    /// When a displacement is no number, or the motion is not of 28 x 28 cells.
    pub fn new(tissue: Arc<Tissue>, motion: Motion) -> Result<Self, CarryError> {
        Ok(Self {
            displacement: carry::Motion::new(motion.displacement.clone())?,
            beat: Beat::of(&motion.cavity, motion.frames, motion.side),
            tissue,
            motion,
            valve: None,
        })
    }

    /// The same beat with a mitral valve that opens in diastole, where the anatomy shows a closed one.
    pub fn with_leaflets(mut self) -> Self {
        let hinges = self.motion.guess().ok().map(|said| Hinges {
            septal: said.landmarks.septal_annulus,
            lateral: said.landmarks.lateral_annulus,
            apex: said.landmarks.apex,
        });
        let level = |v: &f32| (v * 255.0).round() as u8;
        let picture = self.tissue.carrier().picture();
        let gray = picture.planes().iter().map(level).collect::<Vec<_>>();
        self.valve = hinges.and_then(|hinges| Valve::find(&gray, &hinges));
        self
    }

    /// Whether a valve opens.
    pub fn opens_valve(&self) -> bool {
        self.valve.is_some()
    }

    pub fn motion(&self) -> &Motion {
        &self.motion
    }

    /// Volumes, end-diastole, end-systole and ejection fraction by the cavity; none where the cascade saw
    /// no ventricle.
    pub fn beat(&self) -> Option<&Beat> {
        self.beat.as_ref()
    }

    /// Every frame, `[c, f, h, w]` in 0..1.
    pub fn video(&self) -> Video {
        self.pictures(self.tissue.carrier(), &self.frames())
    }

    /// Every frame at the source's own resolution; `None` where that is not finer. Makes what it needs
    /// first, a tenth of a second once for an anatomy.
    pub fn fine_video(&self) -> Option<Video> {
        Some(self.pictures(self.tissue.refine()?, &self.frames()))
    }

    /// The picture at a time of the beat, from 0 to 1: the motion is interpolated, pixels are not mixed.
    pub fn picture_at(&self, share: f64) -> Video {
        self.pictures(self.tissue.carrier(), &[share])
    }

    /// The pictures at times of the beat, each from 0 to 1, one after the other.
    pub fn pictures_at(&self, shares: &[f64]) -> Video {
        self.pictures(self.tissue.carrier(), shares)
    }

    /// [`Beating::picture_at`] at the source's own resolution, where that is finer and ready.
    pub fn fine_picture_at(&self, share: f64) -> Option<Video> {
        Some(self.pictures(self.tissue.fine()?, &[share]))
    }

    /// Pixels a side of [`Beating::fine_video`], where there is one.
    pub fn fine_side(&self) -> Option<usize> {
        self.tissue.fine_side()
    }

    /// Whether [`Beating::fine_picture_at`] has one.
    pub fn is_fine(&self) -> bool {
        self.tissue.fine().is_some()
    }

    fn frames(&self) -> Vec<f64> {
        let n = self.motion.frames;
        (0..n).map(|k| k as f64 / n as f64).collect()
    }

    fn pictures(&self, carrier: &Carrier, shares: &[f64]) -> Video {
        let frames = self.motion.frames as f64;
        let at: Vec<f64> = shares.iter().map(|share| share * frames).collect();
        let mut carried = carrier.carry_at(&self.displacement, &at);
        if let (Some(valve), Some(beat)) = (&self.valve, &self.beat) {
            let systole = beat.es_frame as f64 / frames;
            for (k, &share) in shares.iter().enumerate() {
                let open = opening(share - beat.ed_frame as f64 / frames, systole);
                if open > 0.0 {
                    let change: Vec<f32> = valve.residual(open).iter().map(|v| v / 255.0).collect();
                    let change = outline::upsample(&change, outline::FRAME, carried.side);
                    carrier.add(&mut carried, k, &self.displacement, at[k], &change);
                }
            }
        }
        video(carried)
    }

    /// The left ventricle's outline at a time of the beat, a closed line of points (x, y) in shares of the
    /// picture, from 0 to 1; empty where there is none.
    pub fn outline_at(&self, share: f64) -> Vec<[f32; 2]> {
        let (n, cells) = (self.motion.frames, self.motion.side * self.motion.side);
        let at = share.rem_euclid(1.0) * n as f64;
        let (first, part) = (at as usize % n.max(1), at.fract() as f32);
        let frame = |k: usize| &self.motion.cavity[k % n * cells..][..cells];
        let pairs = frame(first).iter().zip(frame(first + 1));
        let cavity: Vec<f32> = pairs.map(|(a, b)| a + part * (b - a)).collect();
        let points = outline::outline(&cavity, self.motion.side).unwrap_or_default();
        let share = |v: f32| (v + 0.5) / outline::FRAME as f32;
        points.into_iter().map(|p| p.map(share)).collect()
    }
}

fn video(carried: carry::Carried) -> Video {
    Video {
        channels: carried.channels,
        frames: carried.frames,
        height: carried.side,
        width: carried.side,
        data: carried.values,
    }
}
