//! Puppets: a recorded still with the outline of its left ventricle as a heart of any ejection fraction.
//!
//! The still, near end-diastole, is warped: disk by disk the ventricle holds the share of its volume that is asked
//! for ([`crate::puppet::Rig`]). Tissue moves within the sector, which stays where it is, as does what the scanner
//! wrote beside it; a valve that the still shows closed can open, by rule; speckle can be made anew in part, and
//! the probe and the chest can move.

mod speckle;
mod sway;

use super::blur::{Edge, Kernel};
use super::motion::{contraction, end_systole};
use super::{Lesson, SIZE, Take};
use crate::carry::{self, Carrier, CarryError};
use crate::leaflets::{Hinges, Valve, opening};
use crate::puppet::disks;
use crate::puppet::{
    Axis, FRAMES, Landmarks, OutlineError, Point, Rig, ThinPlate, Traits, centres, sub,
};
use rayon::prelude::*;
use speckle::Speckle;
pub use sway::Sway;

/// The share of a beat that systole takes, before it is brought onto a frame.
const SYSTOLE: f64 = 0.375;

/// Why a still is no puppet.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PuppetError {
    #[error(transparent)]
    Outline(#[from] OutlineError),
    #[error(transparent)]
    Carry(#[from] CarryError),
}

/// What moves besides the heart, and what changes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Life {
    /// How much of the speckle's variance is new in each frame, 0 to 1: where nothing moves, the speckle of two
    /// frames correlates by 1 less this.
    pub decorrelation: f64,
    /// Of probe and chest.
    pub sway: Sway,
    /// Whether a valve that is seen closed opens.
    pub leaflets: bool,
    /// Of all that is drawn by chance.
    pub seed: u64,
}

/// A still, ready to be drawn at any ejection fraction.
pub struct Puppet {
    carrier: Carrier,
    rig: Rig,
    axis: Axis,
    /// At rest, in cubic pixels.
    volume: f64,
    outline: Vec<Point>,
    valve: Option<Valve>,
}

/// A puppet in frames.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// Gray levels `[frames, 112, 112]`.
    pub frames: Vec<u8>,
    /// Of each frame 29 points `[x, y]` in pixels from the septal end of the annulus over the apex to the lateral
    /// one: where the warp takes the still's outline.
    pub outlines: Vec<Vec<[f32; 2]>>,
    /// Of each frame as a share of that at end-diastole, by disks from its outline.
    pub volumes: Vec<f64>,
    /// The ejection fraction of these volumes, a share.
    pub ef: f64,
    pub phases: Vec<f64>,
    /// Always 0.
    pub ed_frame: usize,
    /// As in [`Beat`](super::Beat).
    pub es_frame: usize,
    /// Whether a valve opens.
    pub opens_valve: bool,
}

/// Where everything is at one moment.
struct State {
    warp: Warp,
    sway: sway::Moved,
    phase: f64,
}

/// A warp and its inverse, without sway.
struct Warp {
    /// From the puppet to the still.
    to_still: ThinPlate,
    /// Nearly the way back.
    from_still: ThinPlate,
}

impl Warp {
    /// Where the warp takes to `p`, by Newton's method from where the way back leads.
    fn inverse(&self, p: Point) -> Point {
        const STEP: f64 = 1e-4;
        let warp = &self.to_still;
        let mut x = self.from_still.at(p);
        for _ in 0..20 {
            let at = warp.at(x);
            let off = sub(at, p);
            if off[0].abs().max(off[1].abs()) < 1e-7 {
                break;
            }
            let along = |k: usize| {
                let mut beside = x;
                beside[k] += STEP;
                sub(warp.at(beside), at).map(|v| v / STEP)
            };
            let ([a, c], [b, d]) = (along(0), along(1));
            let area = a * d - b * c;
            // A warp that folds has no inverse; a step of its own length goes on.
            let step = match area > 0.05 {
                true => [
                    (d * off[0] - b * off[1]) / area,
                    (a * off[1] - c * off[0]) / area,
                ],
                false => off,
            };
            x = sub(x, step);
        }
        x
    }
}

impl State {
    /// Where what is seen at a place of the frame lies in the still.
    fn still_of(&self, p: Point) -> Point {
        self.warp.to_still.at(self.sway.back(p))
    }

    /// Where a place of the still is seen in the frame: the inverse of [`Self::still_of`].
    fn seen_of(&self, p: Point) -> Point {
        self.sway.forth(self.warp.inverse(p))
    }
}

impl Puppet {
    /// Of a still of 112 x 112 gray levels near end-diastole and its outline there.
    ///
    /// # Errors
    /// When the outline is none, or the still has another size.
    pub fn new(still: &[u8], outline: &Landmarks, traits: Traits) -> Result<Self, PuppetError> {
        outline.check()?;
        let planes = still.iter().map(|v| f32::from(*v) / 255.0).collect();
        let carrier = Carrier::new(carry::Picture::new(1, SIZE, planes)?)?;
        let rig = Rig::new(outline, traits)?;
        let axis = outline.axis();
        let at_rest = rig.outline(0.0)?;
        let hinges = Hinges {
            septal: outline.septal_annulus,
            lateral: outline.lateral_annulus,
            apex: outline.apex,
        };
        Ok(Self {
            volume: disks::volume(&at_rest, &axis),
            valve: Valve::find(still, &hinges),
            outline: at_rest,
            carrier,
            rig,
            axis,
        })
    }

    /// Pixels of the sector, `[112, 112]`: nothing outside of it ever changes.
    pub fn sector(&self) -> &[bool] {
        self.carrier.mask()
    }

    /// A recording of it. The wall moves as a whole: of `take` the wall motion does not count.
    ///
    /// # Errors
    /// When no smooth warp goes so far.
    pub fn take(&self, take: &Take, life: &Life) -> Result<Recorded, PuppetError> {
        let (states, es_frame) = self.states(take, life)?;
        let outlines: Vec<Vec<Point>> = states
            .iter()
            .map(|state| self.outline.iter().map(|p| state.seen_of(*p)).collect())
            .collect();
        let volumes: Vec<f64> = outlines
            .iter()
            .zip(&states)
            .map(|(outline, state)| {
                let still: Vec<Point> = outline.iter().map(|p| state.sway.back(*p)).collect();
                disks::volume(&still, &self.axis) / self.volume
            })
            .collect();
        let least = volumes.iter().copied().fold(f64::INFINITY, f64::min);
        let opens_valve = life.leaflets && self.valve.is_some();
        Ok(Recorded {
            frames: self.drawn(&states, life, es_frame as f64 / take.frames_per_beat)?,
            outlines: outlines
                .iter()
                .map(|o| o.iter().map(|p| p.map(|v| v as f32)).collect())
                .collect(),
            ef: 1.0 - least / volumes.first().copied().unwrap_or(1.0),
            volumes,
            phases: states.iter().map(|s| s.phase).collect(),
            ed_frame: 0,
            es_frame,
            opens_valve,
        })
    }

    /// What a motion cascade learns of it: its picture with `left` of the volume at end-diastole left, and the
    /// motion of a beat of ejection fraction `ef` in 16 frames. Of what sways only the pose counts.
    ///
    /// # Errors
    /// As for [`Self::take`].
    pub fn lesson(&self, ef: f64, left: f64, life: &Life) -> Result<Lesson, PuppetError> {
        let pose = Sway {
            pose: life.sway.pose,
            ..Sway::default()
        };
        let still = Life {
            sway: pose,
            leaflets: false,
            ..*life
        };
        let (mut states, _) = self.states(&Take::beat(ef, FRAMES), &still)?;
        states.push(State {
            warp: self.emptied(left)?,
            sway: pose.at(0.0, life.seed),
            phase: 0.0,
        });
        let Some((seen, beat)) = states.split_last() else {
            return Ok(Lesson {
                picture: Vec::new(),
                motion: Vec::new(),
                outlines: Vec::new(),
            });
        };
        let frames: Vec<(Vec<f32>, Vec<[f32; 2]>)> = beat
            .par_iter()
            .map(|state| {
                let motion = centres()
                    .flat_map(|p| sub(seen.seen_of(state.still_of(p)), p).map(|v| v as f32));
                let outline = self
                    .outline
                    .iter()
                    .map(|p| state.seen_of(*p).map(|v| v as f32));
                (motion.collect(), outline.collect())
            })
            .collect();
        let picture = self.drawn(std::slice::from_ref(seen), &still, 1.0)?;
        let (motion, outlines): (Vec<Vec<f32>>, Vec<_>) = frames.into_iter().unzip();
        Ok(Lesson {
            picture,
            motion: motion.concat(),
            outlines,
        })
    }

    /// As [`Heart::displacements`](super::Heart::displacements).
    ///
    /// # Errors
    /// As for [`Self::take`].
    pub fn displacements(
        &self,
        take: &Take,
        life: &Life,
        from: &[usize],
        to: usize,
    ) -> Result<Option<Vec<Vec<[f32; 2]>>>, PuppetError> {
        let (states, _) = self.states(take, life)?;
        let Some(to) = states.get(to) else {
            return Ok(None);
        };
        let fields = from.par_iter().map(|k| {
            let from = states.get(*k)?;
            let moved = (0..SIZE * SIZE).map(|i| {
                let pixel = [(i % SIZE) as f64, (i / SIZE) as f64];
                sub(to.seen_of(from.still_of(pixel)), pixel).map(|v| v as f32)
            });
            Some(moved.collect())
        });
        Ok(fields.collect())
    }

    fn states(&self, take: &Take, life: &Life) -> Result<(Vec<State>, usize), PuppetError> {
        let take = take.checked();
        let (es_frame, systole) = end_systole(SYSTOLE, take.frames_per_beat);
        let states = (0..take.frames)
            .into_par_iter()
            .map(|k| {
                let phase = take.phase(k);
                let left = 1.0 - take.ef * contraction(phase, systole);
                let beats = k as f64 / take.frames_per_beat;
                Ok(State {
                    warp: self.emptied(left)?,
                    sway: life.sway.at(beats, life.seed),
                    phase,
                })
            })
            .collect::<Result<_, PuppetError>>()?;
        Ok((states, es_frame))
    }

    /// The warp under which the outline holds `left` of its volume. A spline that is smoothed misses its control
    /// points a little, so that what they are asked to hold is corrected (secant method).
    fn emptied(&self, left: f64) -> Result<Warp, PuppetError> {
        let of = |ejected: f64| -> Result<(Warp, f64), PuppetError> {
            let warp = Warp {
                to_still: self.rig.to_rest(ejected)?,
                from_still: self.rig.from_rest(ejected)?,
            };
            let outline: Vec<Point> = self.outline.iter().map(|p| warp.inverse(*p)).collect();
            let volume = disks::volume(&outline, &self.axis) / self.volume;
            Ok((warp, volume - left))
        };
        let (mut before, mut now) = (1.0 - left, 1.02 * (1.0 - left));
        let (mut warp, mut missed) = of(before)?;
        for _ in 0..4 {
            if missed.abs() < 1e-5 {
                break;
            }
            let (next, miss) = of(now)?;
            let step = match (miss - missed).abs() > 1e-12 {
                true => miss * (now - before) / (miss - missed),
                false => 0.0,
            };
            (before, now) = (now, now - step);
            (warp, missed) = (next, miss);
        }
        Ok(warp)
    }

    fn drawn(&self, states: &[State], life: &Life, systole: f64) -> Result<Vec<u8>, PuppetError> {
        let mut cells = Vec::new();
        for state in states {
            cells.extend(centres().flat_map(|p| sub(state.still_of(p), p).map(|v| v as f32)));
        }
        let motion = carry::Motion::new(cells)?;
        let mut carried = self.carrier.carry(&motion);
        if let Some(valve) = self.valve.as_ref().filter(|_| life.leaflets) {
            for (k, state) in states.iter().enumerate() {
                let open = opening(state.phase, systole);
                if open > 0.0 {
                    let change: Vec<f32> = valve.residual(open).iter().map(|v| v / 255.0).collect();
                    self.carrier
                        .add(&mut carried, k, &motion, k as f64, &change);
                }
            }
        }
        if life.decorrelation > 0.0 {
            let speckle = Speckle::new(life.decorrelation, life.seed);
            let frames = carried.values.chunks_exact_mut(SIZE * SIZE);
            for (k, frame) in frames.enumerate() {
                speckle.renew(k, frame, self.carrier.share());
            }
        }
        Ok(carried
            .values
            .iter()
            .map(|v| (v * 255.0).round() as u8)
            .collect())
    }
}

#[cfg(test)]
mod tests;
