//! What the first stage of a motion cascade learns from, made as it is needed: simulated hearts and puppets of
//! stills. A sample follows from a seed and its number alone, so that a run that goes on sees what one that was not
//! stopped sees.

mod stills;

use super::dice::Dice;
use super::run::RunError;
use crate::carry::{Carrier, CarryError, Motion, Picture};
use crate::phantom::puppet::{Life, Puppet, PuppetError, Sway};
use crate::phantom::{Heart, Lesson, Quality, Take};
use crate::puppet::{self, FRAMES, GRID, SIDE, contraction};
pub use stills::{Still, StillsError, stills, stills_sha256};

/// Ejection fractions that beats are drawn at, shares.
pub const EFS: [f64; 2] = [0.06, 0.84];

/// One sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The anatomy, `[112, 112]` in 0..1.
    pub anatomy: Vec<f32>,
    /// `[3, 16, 28, 28]`: the motion in units of `scale` pixels, x and y, and the cavity from -1 to 1.
    pub target: Vec<f32>,
    /// A share.
    pub ef: f64,
}

/// One sample for a stage that is given the carried anatomy. All in 0..1.
#[derive(Clone, Debug, PartialEq)]
pub struct BeatSample {
    /// `[112, 112]`
    pub anatomy: Vec<f32>,
    /// The beat as it is, `[16, 112, 112]`, from end-diastole.
    pub video: Vec<f32>,
    /// The anatomy, carried along the beat's own motion as the program carries it, `[16, 112, 112]`.
    pub carried: Vec<f32>,
    /// A share.
    pub ef: f64,
}

/// Pixels of the 112 x 112 frame. Tissue that would have to come from farther beyond the picture comes from its edge.
const FARTHEST: f32 = 25.0;

/// Where samples come from.
pub struct Source {
    pub seed: u64,
    /// Puppets are made of them; there may be none.
    pub stills: Vec<Still>,
    /// The share of samples that are puppets.
    pub puppets: f64,
    /// The share of simulated hearts that are shown as today's machines show them.
    pub compounded: f64,
    /// Pixels of displacement that make 1.
    pub scale: f64,
}

impl Source {
    /// Sample `i`.
    ///
    /// # Errors
    /// When no smooth warp fits a still's outline.
    pub fn sample(&self, i: u64) -> Result<Sample, PuppetError> {
        let mut dice = Dice::new(self.seed, i);
        let subject = self.subject(&mut dice)?;
        let lesson = subject.lesson()?;
        Ok(self.of(&lesson, subject.ef, &mut dice))
    }

    /// The subject of sample `i` as a stage after the one that makes motion sees it.
    ///
    /// # Errors
    /// As for [`Self::sample`].
    pub fn beat(&self, i: u64) -> Result<BeatSample, RunError> {
        let mut dice = Dice::new(self.seed, i);
        let subject = self.subject(&mut dice)?;
        let lesson = subject.lesson()?;
        let tone = Tone::drawn(&mut dice);
        let anatomy = tone.with_noise(&lesson.picture, &mut dice);
        let moved = lesson.motion.iter().map(|v| v.clamp(-FARTHEST, FARTHEST));
        let carried = || {
            let carrier = Carrier::new(Picture::new(1, SIDE, anatomy.clone())?)?;
            Ok(carrier.carry(&Motion::new(moved.collect())?).values)
        };
        let carried = carried().map_err(|e: CarryError| RunError::State(e.to_string()))?;
        let video = subject.video()?;
        Ok(BeatSample {
            video: video.iter().map(|v| tone.of(*v) as f32).collect(),
            carried,
            anatomy,
            ef: subject.ef,
        })
    }

    fn subject(&self, dice: &mut Dice) -> Result<Subject, PuppetError> {
        let ef = dice.within(EFS);
        let is_puppet = dice.share() < self.puppets && !self.stills.is_empty();
        let body = match is_puppet {
            true => {
                let still = &self.stills[dice.below(self.stills.len())];
                // The anatomy's own EF says next to nothing of the one that is asked for, as in use.
                let own = match dice.share() {
                    s if s < 0.1 => ef,
                    s if s < 0.55 => 0.57 + 0.11 * dice.normal(),
                    _ => dice.within([0.12, 0.78]),
                };
                // End-systole is the hardest to begin from.
                let contracted = match dice.share() {
                    s if s < 0.3 => 0.0,
                    s if s < 0.6 => dice.within([0.8, 1.0]),
                    _ => contraction(dice.share(), 0.375),
                };
                let renewed = match dice.share() {
                    s if s < 0.5 => dice.within([0.0, 0.6]),
                    _ => 0.0,
                };
                let life = Life {
                    decorrelation: renewed,
                    sway: Sway {
                        pose: 1.0,
                        ..Sway::default()
                    },
                    leaflets: false,
                    seed: dice.number(),
                };
                Body::Puppet {
                    left: 1.0 - own.clamp(0.1, 0.8) * contracted,
                    puppet: Box::new(still.puppet(dice)?),
                    life,
                }
            }
            false => {
                let quality = Quality::ALL[dice.below(Quality::ALL.len())];
                let mut heart = Heart::from_seed(dice.number(), quality).steady();
                // Without any, no die is cast: samples are those of before.
                if self.compounded > 0.0 && dice.share() < self.compounded {
                    heart = heart.compounded();
                }
                let own = match dice.share() {
                    s if s < 0.1 => ef,
                    _ => dice.within([0.12, 0.8]),
                };
                let phase = match dice.share() {
                    s if s < 0.3 => 0.0,
                    s if s < 0.6 => (0.375 + 0.03 * dice.normal()).clamp(0.2, 0.55),
                    _ => dice.share(),
                };
                Body::Heart(Box::new(heart), (own, phase))
            }
        };
        Ok(Subject { body, ef })
    }

    fn of(&self, lesson: &Lesson, ef: f64, dice: &mut Dice) -> Sample {
        const CELLS: usize = GRID * GRID;
        let mut target = vec![0.0; 3 * FRAMES * CELLS];
        let (moved, cavities) = target.split_at_mut(2 * FRAMES * CELLS);
        let most = f64::from(FARTHEST) / self.scale;
        for (i, step) in lesson.motion.chunks_exact(2).enumerate() {
            for (axis, v) in step.iter().enumerate() {
                let v = (f64::from(*v) / self.scale).clamp(-most, most);
                moved[axis * FRAMES * CELLS + i] = v as f32;
            }
        }
        for (cavity, outline) in cavities.chunks_exact_mut(CELLS).zip(&lesson.outlines) {
            let outline: Vec<_> = outline.iter().map(|p| p.map(f64::from)).collect();
            cavity.copy_from_slice(&puppet::cavity(&outline));
        }
        Sample {
            anatomy: Tone::drawn(dice).with_noise(&lesson.picture, dice),
            target,
            ef,
        }
    }
}

/// What a sample is of.
struct Subject {
    body: Body,
    ef: f64,
}

enum Body {
    /// `left` of its volume at end-diastole is left in the anatomy.
    Puppet {
        puppet: Box<Puppet>,
        left: f64,
        life: Life,
    },
    /// With the EF and the phase of the anatomy.
    Heart(Box<Heart>, (f64, f64)),
}

impl Subject {
    fn lesson(&self) -> Result<Lesson, PuppetError> {
        match &self.body {
            Body::Puppet { puppet, left, life } => puppet.lesson(self.ef, *left, life),
            Body::Heart(heart, own) => Ok(heart.lesson(self.ef, *own)),
        }
    }

    /// Gray levels of the beat that the lesson's motion is of, `[16, 112, 112]`. A valve that is seen closed opens.
    fn video(&self) -> Result<Vec<u8>, PuppetError> {
        let take = Take::beat(self.ef, FRAMES);
        match &self.body {
            Body::Puppet { puppet, life, .. } => {
                let life = Life {
                    leaflets: true,
                    ..*life
                };
                Ok(puppet.take(&take, &life)?.frames)
            }
            Body::Heart(heart, _) => {
                let beat = heart.take(&take);
                let frames = (0..beat.len()).filter_map(|i| beat.frame(i));
                Ok(frames.flatten().copied().collect())
            }
        }
    }
}

/// Another gain, another gamma and at times noise: an answer must not hang on a scanner's gray scale.
struct Tone {
    gamma: f64,
    gain: f64,
    noise: f64,
}

impl Tone {
    fn drawn(dice: &mut Dice) -> Self {
        Self {
            gamma: dice.within([0.7, 1.4]),
            gain: dice.within([0.8, 1.2]),
            noise: match dice.share() {
                s if s < 0.3 => 0.03 * dice.share(),
                _ => 0.0,
            },
        }
    }

    fn of(&self, level: u8) -> f64 {
        ((f64::from(level) / 255.0).powf(self.gamma) * self.gain).clamp(0.0, 1.0)
    }

    fn with_noise(&self, levels: &[u8], dice: &mut Dice) -> Vec<f32> {
        debug_assert_eq!(levels.len(), SIDE * SIDE);
        levels
            .iter()
            .map(|v| {
                let toned = (f64::from(*v) / 255.0).powf(self.gamma) * self.gain;
                let noise = match self.noise > 0.0 {
                    true => self.noise * dice.normal(),
                    false => 0.0,
                };
                (toned + noise).clamp(0.0, 1.0) as f32
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(puppets: f64) -> Source {
        let beat = Heart::from_seed(5, Quality::Good).take(&Take::beat(0.5, 2));
        let at = |i: usize| beat.outlines[0][i].map(f64::from);
        let outline =
            crate::puppet::Landmarks::from_points([0, 3, 7, 12, 24, 36, 41, 45, 48].map(at));
        Source {
            seed: 3,
            stills: vec![Still {
                levels: beat.frame(0).unwrap().to_vec(),
                outline,
            }],
            puppets,
            compounded: 0.0,
            scale: 3.0,
        }
    }

    #[test]
    fn a_sample_is_its_number_and_nothing_else() {
        for puppets in [0.0, 1.0] {
            let source = source(puppets);
            let [first, second] = [4, 5].map(|i| source.sample(i).unwrap());
            assert_eq!(first, source.sample(4).unwrap());
            assert_ne!(first, second);
            assert_eq!(first.target.len(), 3 * 16 * 28 * 28);
            assert!(first.target.iter().all(|v| v.is_finite()));
            assert!(first.anatomy.iter().all(|v| (0.0..=1.0).contains(v)));
        }
    }

    #[test]
    fn the_cavity_holds_what_the_ejection_fraction_says() {
        for puppets in [0.0, 1.0] {
            let source = source(puppets);
            for i in 0..4 {
                let sample = source.sample(i).unwrap();
                let cavity = &sample.target[2 * 16 * 784..];
                let beat = crate::outline::Beat::of(cavity, 16, 28).unwrap();
                let off: f64 = beat.ef_percent - 100.0 * sample.ef;
                assert!(off.abs() < 4.0, "{puppets} {i}: {off}");
            }
        }
    }

    #[test]
    fn the_motion_of_the_pictures_own_state_is_none() {
        // A simulated heart at end-diastole: the first frame is the picture.
        let heart = Heart::from_seed(8, Quality::Good).steady();
        let lesson = heart.lesson(0.6, (0.3, 0.0));
        let frame = |t: usize| &lesson.motion[t * 784 * 2..][..784 * 2];
        let largest = |t: usize| frame(t).iter().fold(0f32, |m, v| m.max(v.abs()));
        assert!(
            largest(0) < 1e-3 && largest(6) > 3.0,
            "{} {}",
            largest(0),
            largest(6)
        );
        assert_eq!(lesson.picture, heart.beat(0.3, 16).frame(0).unwrap());
    }

    #[test]
    fn a_beat_is_nearer_to_what_is_carried_than_to_the_frame() {
        for puppets in [0.0, 1.0] {
            let source = source(puppets);
            let (mut by_carrying, mut by_none) = (0.0, 0.0);
            for i in 0..3 {
                let sample = source.beat(i).unwrap();
                assert_eq!(sample, source.beat(i).unwrap());
                let own = source.sample(i).unwrap();
                assert!(own.anatomy == sample.anatomy && own.ef == sample.ef);
                assert_eq!(sample.video.len(), 16 * 112 * 112);
                let off = |other: &mut dyn Iterator<Item = f32>| {
                    let each = sample.video.iter().zip(other);
                    each.map(|(a, b)| (a - b).powi(2)).sum::<f32>()
                };
                let carried = off(&mut sample.carried.iter().copied());
                let still = off(&mut sample.anatomy.iter().copied().cycle());
                (by_carrying, by_none) = (by_carrying + carried, by_none + still);
            }
            println!("{puppets}: {by_carrying:.0} of {by_none:.0}");
            assert!(
                by_carrying < 0.7 * by_none,
                "{puppets}: {by_carrying} of {by_none}"
            );
        }
    }
}
