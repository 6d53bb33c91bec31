//! The one path that every clip goes, whatever its class: gray, one size, one rate, one length, one sector,
//! one number of levels. What is left to tell clips apart by is their content.

use super::secret::Random;
use crate::carry::{self, Picture};
use crate::clip::FrameRate;
use crate::media::region::{Crop, SIDE};
use crate::media::{Opened, at_even_pace};
use crate::recording::Recording;
use std::ops::Range;

/// Pixels along a side that a clip has at least.
const LEAST_SIDE: usize = 16;
/// Seconds that every clip is shown at least.
pub const LEAST_SECONDS: f64 = 0.1;
/// Beats a minute that a loop of one beat is drawn from where no recorded clip says its own.
const USUAL_HEART_RATES: Range<f64> = 50.0..90.0;
/// A clip that costs all others more of the common sector than this is named.
pub const COSTLY: f64 = 0.02;

/// What a clip is like before it is made like the others.
#[derive(Clone, Debug)]
pub struct Survey {
    /// Pixels along its square.
    side: usize,
    /// Its frames at an even pace, in order, by their places in the recording.
    steps: Vec<usize>,
    /// Frames a second.
    pub fps: f64,
    /// One beat that closes, and is repeated.
    pub looped: bool,
    /// The sector, at 112 x 112.
    sector: Vec<bool>,
}

/// Why a clip cannot be part of a study. A phrase after the file's name.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Unfit {
    #[error("it is one picture, or nothing in it moves: a study shows cines")]
    Still,
    #[error("it does not say how many frames a second it has: export it with its rate")]
    NoRate,
    #[error("its picture has {0} pixels a side, and a study shows {LEAST_SIDE} at least")]
    Small(usize),
    #[error("{0}")]
    Unreadable(String),
}

/// What all clips have in common, and are shown with.
#[derive(Clone, Debug, PartialEq)]
pub struct Common {
    pub frames: usize,
    pub fps: f64,
    pub side: usize,
    /// `[side, side]`: where all clips have tissue.
    pub sector: Vec<bool>,
}

/// Clips that cost the others over [`COSTLY`] of the sector's area, by their places, and how much.
pub type Costs = Vec<(usize, f64)>;

/// Why clips cannot be shown alike.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NotAlike {
    #[error(
        "clip {clip} lasts {seconds:.2} s, and {LEAST_SECONDS} s is the least that is shown: leave it out"
    )]
    Short { clip: usize, seconds: f64 },
    #[error("at {fps} frames a second fewer than two frames would be shown: ask for a higher rate")]
    Slow { fps: f64 },
    #[error(
        "the sectors of these clips have {percent:.0} % of the picture in common: clips of other views or \
         other crops are among them; leave those out"
    )]
    Sector { percent: f64 },
}

impl Survey {
    /// `heart_rate` in beats a minute gives a loop of one beat its pace.
    ///
    /// # Errors
    /// When the clip cannot be shown as a cine.
    pub fn of(opened: &Opened, heart_rate: f64) -> Result<Self, Unfit> {
        let recording = &opened.recording;
        if recording.frames() < 2 {
            return Err(Unfit::Still);
        }
        let looped = recording.beat_normalised;
        let crop = Crop::from(opened.first_square());
        if crop.square.side < LEAST_SIDE {
            return Err(Unfit::Small(crop.square.side));
        }
        let sector = sector(recording, &crop)?;
        let steps: Vec<usize> = at_even_pace(recording)
            .into_iter()
            .map(|(i, _)| i)
            .collect();
        let fps = if looped {
            FrameRate::new(steps.len() as f64 * heart_rate / 60.0)
        } else {
            recording.rate
        };
        let fps = fps.ok_or(Unfit::NoRate)?.fps();
        Ok(Self {
            side: crop.square.side,
            sector,
            steps,
            fps,
            looped,
        })
    }

    /// Leaves out the frames that are the same as the ones before in the sector of all clips: a frame that is
    /// shown twice would tell clips of one class from others. What was padded with such frames has in truth
    /// a lower rate.
    ///
    /// # Errors
    /// When a frame cannot be decoded, or nothing moves.
    pub fn settle(&mut self, opened: &Opened, sector: &[bool]) -> Result<(), Unfit> {
        let crop = Crop::from(opened.first_square());
        let side = self.side.min(SIDE);
        let sector = reduced(sector, side);
        let mut last = Vec::new();
        let mut kept = Vec::with_capacity(self.steps.len());
        for &place in &self.steps {
            let frame = opened.recording.frame(place).map_err(Unfit::Unreadable)?;
            let mut levels = crop.levels(&frame, side);
            for (level, inside) in levels.iter_mut().zip(&sector) {
                *level *= u8::from(*inside);
            }
            if levels != last {
                kept.push(place);
                last = levels;
            }
        }
        if kept.len() < 2 {
            return Err(Unfit::Still);
        }
        self.fps *= kept.len() as f64 / self.steps.len() as f64;
        self.steps = kept;
        Ok(())
    }

    /// Gives a loop of one beat its pace, in beats a minute.
    pub fn beats(&mut self, heart_rate: f64) {
        if self.looped {
            self.fps = self.steps.len() as f64 * heart_rate / 60.0;
        }
    }

    /// Seconds that can be shown of it; a loop has no end.
    pub fn seconds(&self) -> f64 {
        if self.looped {
            f64::INFINITY
        } else {
            self.steps.len() as f64 / self.fps
        }
    }

    /// Which of its frames are shown: by time, from a start or a phase by chance, none of them twice and none
    /// of them blended.
    fn places(&self, common: &Common, random: &mut Random) -> Vec<usize> {
        let (n, ratio) = (self.steps.len(), self.fps / common.fps);
        let length = (common.frames - 1) as f64 * ratio;
        // Of whole and half numbers none is lost to rounding.
        const ROUNDING: f64 = 1e-6;
        let room = if self.looped {
            n as f64
        } else {
            (n as f64 - 1.0 - length).max(0.0)
        };
        let start = random.share() * room;
        let place = |k: usize| {
            let step = (start + k as f64 * ratio + ROUNDING) as usize;
            let step = if self.looped {
                step % n
            } else {
                step.min(n - 1)
            };
            self.steps.get(step).copied().unwrap_or(0)
        };
        (0..common.frames).map(place).collect()
    }

    /// The clip as it is shown but for its levels: `[frames, side, side]`, 8 bits, 0 outside the sector.
    ///
    /// # Errors
    /// When a frame cannot be decoded.
    pub fn take(
        &self,
        opened: &Opened,
        common: &Common,
        random: &mut Random,
    ) -> Result<Vec<u8>, Unfit> {
        let crop = Crop::from(opened.first_square());
        let mut all = Vec::with_capacity(common.frames * common.sector.len());
        for place in self.places(common, random) {
            let frame = opened.recording.frame(place);
            let frame = frame.map_err(Unfit::Unreadable)?;
            let levels = crop.levels(&frame, common.side);
            let inside = levels.into_iter().zip(&common.sector);
            all.extend(inside.map(|(level, inside)| if *inside { level } else { 0 }));
        }
        Ok(all)
    }
}

/// The sector of a clip: of some of its frames together, since in one of them a part may be dark.
fn sector(recording: &Recording, crop: &Crop) -> Result<Vec<bool>, Unfit> {
    const LOOKED_AT: usize = 5;
    let n = recording.frames();
    let mut all = vec![false; SIDE * SIDE];
    for k in 0..LOOKED_AT.min(n) {
        let frame = recording.frame(k * n / LOOKED_AT.min(n));
        let frame = frame.map_err(Unfit::Unreadable)?;
        let unreadable = |e: candle_core::Error| Unfit::Unreadable(e.to_string());
        let planes = crop.planes(&frame).map_err(unreadable)?;
        let levels = crate::media::region::gray(&planes);
        let picture = Picture::new(1, SIDE, levels);
        let picture = picture.map_err(|e| Unfit::Unreadable(e.to_string()))?;
        for (all, inside) in all.iter_mut().zip(carry::mask(&picture)) {
            *all |= inside;
        }
    }
    Ok(all)
}

/// Where all clips have tissue, at 112 x 112, and who costs the others much of it.
///
/// # Errors
/// When they have too little in common.
pub fn sector_of_all(surveys: &[&Survey]) -> Result<(Vec<bool>, Costs), NotAlike> {
    const LEAST_PERCENT: f64 = 5.0;
    let (sector, costly) = intersection(surveys);
    let area = sector.iter().filter(|&&inside| inside).count();
    let percent = 100.0 * area as f64 / sector.len() as f64;
    if percent < LEAST_PERCENT {
        return Err(NotAlike::Sector { percent });
    }
    Ok((sector, costly))
}

/// How all clips are shown: at the slowest rate of them, or at `rate`, if that is slower; for `seconds`, or as
/// long as the shortest; at the size of the smallest, 112 pixels at most; in the sector of all.
///
/// # Errors
/// When they have too little in common.
pub fn common(
    surveys: &[&Survey],
    sector: &[bool],
    rate: Option<f64>,
    seconds: f64,
) -> Result<Common, NotAlike> {
    let slowest = surveys.iter().map(|s| s.fps).fold(f64::INFINITY, f64::min);
    let fps = rate
        .filter(|r| *r > 0.0)
        .unwrap_or(f64::INFINITY)
        .min(slowest);
    let shortest = surveys
        .iter()
        .map(|s| s.seconds())
        .enumerate()
        .min_by(|a, b| a.1.total_cmp(&b.1));
    let shown = shortest.map_or(seconds, |(_, s)| s.min(seconds));
    if let Some((clip, seconds)) = shortest
        && shown < LEAST_SECONDS
        && seconds < LEAST_SECONDS
    {
        return Err(NotAlike::Short { clip, seconds });
    }
    // As many as every clip has at that rate.
    let frames = (shown * fps + 1e-6) as usize;
    if frames < 2 {
        return Err(NotAlike::Slow { fps });
    }
    let side = surveys
        .iter()
        .map(|s| s.side)
        .min()
        .unwrap_or(SIDE)
        .min(SIDE);
    Ok(Common {
        frames,
        fps,
        side,
        sector: reduced(sector, side),
    })
}

/// Where all clips have tissue, at 112 x 112, and who costs how much of it alone.
fn intersection(surveys: &[&Survey]) -> (Vec<bool>, Costs) {
    let mut outside = vec![0usize; SIDE * SIDE];
    for survey in surveys {
        for (count, inside) in outside.iter_mut().zip(&survey.sector) {
            *count += usize::from(!inside);
        }
    }
    let sector: Vec<bool> = outside.iter().map(|&n| n == 0).collect();
    let area = sector.iter().filter(|&&inside| inside).count();
    let cost = |(i, survey): (usize, &&Survey)| {
        let alone = outside.iter().zip(&survey.sector);
        let alone = alone.filter(|(n, inside)| **n == 1 && !**inside).count();
        let share = alone as f64 / (area + alone).max(1) as f64;
        (share > COSTLY).then_some((i, share))
    };
    let costly = surveys.iter().enumerate().filter_map(cost).collect();
    (sector, costly)
}

/// A sector of 112 x 112 at another size: what lies inside as a whole.
fn reduced(sector: &[bool], side: usize) -> Vec<bool> {
    let ends = |i: usize| i * SIDE / side..((i + 1) * SIDE).div_ceil(side);
    let inside = |i: usize| {
        let (rows, columns) = (ends(i / side), ends(i % side));
        rows.into_iter().all(|y| {
            columns
                .clone()
                .all(|x| sector.get(y * SIDE + x) == Some(&true))
        })
    };
    (0..side * side).map(inside).collect()
}

/// Beats a minute for a loop of one beat: one that a recorded clip has.
pub fn heart_rate(recorded: &[f64], random: &mut Random) -> f64 {
    match recorded.get(random.below(recorded.len())) {
        Some(rate) => *rate,
        None => {
            let Range { start, end } = USUAL_HEART_RATES;
            start + (end - start) * random.share()
        }
    }
}

#[cfg(test)]
mod tests;
