//! A simulated heart.

use super::anatomy::{self, Anatomy, View};
use super::beat::{Beat, Take};
use super::motion::Moment;
use super::scanner::Scanner;
use super::settings::{Compounding, Quality, Settings};
use super::texture::Texture;
use super::tissue::Section;
use super::{EF_RANGE, Lesson, SIZE, WallMotion};
use crate::puppet::{FRAMES, centres, sub};

/// A simulated heart in an apical four-chamber view, ready to be drawn at any ejection fraction.
#[derive(Clone)]
pub struct Heart {
    pub(super) seed: u64,
    quality: Quality,
    pub(super) anatomy: Anatomy,
    pub(super) view: View,
    pub(super) settings: Settings,
    pub(super) texture: Texture,
    pub(super) scanner: Scanner,
}

impl Heart {
    /// The heart of a number, always the same. Its left ventricle is seen whole. The quality changes the picture
    /// only, and no outline.
    pub fn from_seed(seed: u64, quality: Quality) -> Self {
        let (anatomy, view) = anatomy::drawn(seed);
        let settings = Settings::drawn(seed, quality);
        Self {
            seed,
            quality,
            scanner: Scanner::new(&view, &settings),
            texture: Texture::new(seed),
            anatomy,
            view,
            settings,
        }
    }

    pub fn seed(&self) -> u64 {
        self.seed
    }

    pub fn quality(&self) -> Quality {
        self.quality
    }

    /// The same heart without the rocking of its axis, which nothing in a picture tells of.
    #[must_use]
    pub fn steady(mut self) -> Self {
        self.anatomy.rock = 0.0;
        self.anatomy.bob *= 0.5;
        self
    }

    /// The same heart as today's machines show hearts: speckle averaged over looks from several directions, gain uneven
    /// over depths and beams, walls and what is around the heart uneven and in streaks.
    #[must_use]
    pub fn compounded(mut self) -> Self {
        self.settings.compounding = Some(Compounding::drawn(self.seed, self.quality));
        self.scanner = Scanner::new(&self.view, &self.settings);
        self
    }

    /// What a motion cascade learns of it: its picture at an ejection fraction and a phase of the beat, and the
    /// motion of a beat of `ef`.
    pub fn lesson(&self, ef: f64, picture: (f64, f64)) -> Lesson {
        let take = Take::beat(ef, FRAMES);
        let (moments, beat) = Beat::planned(self, &take);
        let (_, systole) = take.end_systole(self);
        let seen = Moment::new(&self.anatomy, picture.0, picture.1, systole);
        let section = |m: &Moment| Section::new(&self.anatomy, m, &self.settings, &self.texture);
        let there = section(&seen);
        let motion = moments.iter().flat_map(|moment| {
            let here = section(moment);
            let moved = centres().flat_map(|p| {
                let cm = self.view.to_cm(p).map(|v| v as f32);
                let place = there.place_of(here.material_at(cm)).map(f64::from);
                sub(self.view.to_pixels(place), p).map(|v| v as f32)
            });
            moved.collect::<Vec<f32>>()
        });
        let mut pixels = vec![0; SIZE * SIZE];
        super::beat::draw(self, 0, std::slice::from_ref(&seen), &mut pixels);
        Lesson {
            motion: motion.collect(),
            picture: pixels,
            outlines: beat.outlines,
        }
    }

    /// The same heart in a picture of another quality.
    pub fn with_quality(mut self, quality: Quality) -> Self {
        let is_compounded = self.settings.compounding.is_some();
        self.quality = quality;
        self.settings = Settings::drawn(self.seed, quality);
        if is_compounded {
            return self.compounded();
        }
        self.scanner = Scanner::new(&self.view, &self.settings);
        self
    }

    /// Pixels of a frame in one cm, the same in both directions; from 6 to 9.
    pub fn pixels_per_cm(&self) -> f64 {
        self.view.pixels_per_cm()
    }

    /// Beats per minute at which this heart may be played, from 50 to 105. Frames do not depend on it.
    pub fn beats_per_minute(&self) -> f64 {
        self.anatomy.rate
    }

    /// One heartbeat of an ejection fraction `ef` (a share, 0 to 0.9) in `frames` frames (2 to 512), from
    /// end-diastole, in phase with every other one of this heart in as many frames. What is out of these ranges
    /// is brought to their ends, and an `ef` that is no number to 0.
    pub fn beat(&self, ef: f64, frames: usize) -> Beat {
        self.take(&Take::beat(ef, frames))
    }

    /// The same beat on the thread that asks for it, which may rest after each frame: something else needs the
    /// processor more.
    pub fn beat_aside(&self, ef: f64, frames: usize, rest: impl FnMut()) -> Beat {
        Beat::aside(self, &Take::beat(ef, frames), rest)
    }

    /// A recording of any length, rate and heart rate, with any wall motion.
    pub fn take(&self, take: &Take) -> Beat {
        Beat::of(self, take)
    }

    /// Of each pixel of frames `from` of a recording, row by row `[112, 112]` a frame, how far in pixels its tissue is
    /// away in frame `to`, as `[x, y]`: exactly how this heart moves. Blood goes with the wall here, though its
    /// speckle is new in each frame, and so do the chambers beside and below the ventricle, whose borders are
    /// drawn by rules of their own. None where there is no such frame.
    pub fn displacements(
        &self,
        take: &Take,
        from: &[usize],
        to: usize,
    ) -> Option<Vec<Vec<[f32; 2]>>> {
        let (moments, _) = Beat::planned(self, take);
        let section = |k: usize| {
            let moment = moments.get(k)?;
            Some(Section::new(
                &self.anatomy,
                moment,
                &self.settings,
                &self.texture,
            ))
        };
        let to = section(to)?;
        let fields = from.iter().map(|k| {
            let from = section(*k)?;
            let moved = (0..SIZE * SIZE).map(|i| {
                let pixel = [(i % SIZE) as f64, (i / SIZE) as f64];
                let here = self.view.to_cm(pixel).map(|v| v as f32);
                let there = to.place_of(from.material_at(here)).map(f64::from);
                let there = self.view.to_pixels(there);
                [(there[0] - pixel[0]) as f32, (there[1] - pixel[1]) as f32]
            });
            Some(moved.collect())
        });
        fields.collect()
    }

    /// The largest ejection fraction, a share, that this heart reaches where its wall moves so.
    pub fn most_ef(&self, wall_motion: WallMotion) -> f64 {
        let missed = |ef: f64| {
            let take = Take {
                wall_motion,
                ..Take::beat(ef, 2)
            };
            (Beat::planned(self, &take).1.ef - ef).abs() > 0.0005
        };
        let (mut near, mut far) = (*EF_RANGE.start(), *EF_RANGE.end());
        if !missed(far) {
            return far;
        }
        for _ in 0..12 {
            let middle = 0.5 * (near + far);
            match missed(middle) {
                true => far = middle,
                false => near = middle,
            }
        }
        near
    }
}

/// The number and the quality, from which all else follows.
impl std::fmt::Debug for Heart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Heart")
            .field("seed", &self.seed)
            .field("quality", &self.quality)
            .finish_non_exhaustive()
    }
}
