//! Clips with their ejection fractions, as the published loader hands them out: a window in time, one of its frames as
//! the anatomy, and the EF.

mod list;
#[cfg(test)]
mod tests;

use super::dice::Dice;
use super::samples::{EFS, Still, stills_sha256};
use crate::clip::FrameRate;
use crate::clip::resample::{resample, to_size, with_channels};
use crate::hash::{combined, sha256, sha256_file};
use crate::media;
use crate::media::region;
use crate::nn::Interrupt;
use crate::phantom::puppet::{Life, PuppetError, Sway};
use crate::phantom::{Heart, Quality, Take, WallMotion};
use candle_core::{Device, Tensor};
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// Height and width of a clip, and of its anatomy.
pub const SIDE: usize = 112;

/// Why clips cannot be had.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ClipsError {
    #[error("{}: it cannot be read ({why}).", path.display())]
    Unreadable { path: PathBuf, why: String },
    #[error("Stopped before all clips were read.")]
    Stopped,
    #[error("{}: {why}", path.display())]
    List { path: PathBuf, why: String },
    #[error(transparent)]
    Puppet(#[from] PuppetError),
    /// The sentence names the file.
    #[error("{0}")]
    Unopened(String),
    #[error("{}: it is a still; a clip has more than one frame. Leave it out of the list.", .0.display())]
    Still(PathBuf),
    #[error("{}: it is cut off: its EF is of more frames than there are. Leave it out of the list, or copy it again.", .0.display())]
    CutOff(PathBuf),
    /// The sentence says which frames.
    #[error("{}: {why} Its EF is of all of them. Leave it out of the list, or copy it again.", path.display())]
    Damaged { path: PathBuf, why: String },
    /// All that cannot be learned from, so that the list is put right at once.
    #[error("{}", several(.0))]
    Several(Vec<ClipsError>),
    #[error("{}: it does not say how many frames a second it has. Leave it out of the list.", .0.display())]
    NoRate(PathBuf),
    #[error(
        "{}: there is no list of clips in it. Put a CSV with the columns file and ef_percent into it, or name a folder \
         with EchoNet-Dynamic's FileList.csv and Videos.",
        .0.display()
    )]
    None(PathBuf),
}

/// A line each.
fn several(faults: &[ClipsError]) -> String {
    const MOST_NAMED: usize = 20;
    let named = faults.iter().take(MOST_NAMED).map(ToString::to_string);
    let mut lines: Vec<String> = named.collect();
    if let Some(more) = faults
        .len()
        .checked_sub(MOST_NAMED)
        .filter(|more| *more > 0)
    {
        lines.push(format!("And {more} more."));
    }
    lines.join("\n")
}

/// The EFs in percent of a list with EchoNet-Dynamic's columns, of one of its splits (`TRAIN`, `VAL`, `TEST`). The clips
/// themselves need not be there.
///
/// # Errors
/// When the file cannot be read, lacks a column, or says an EF that is none.
pub fn recorded_efs(list: &Path, split: &str) -> Result<Vec<f64>, ClipsError> {
    list::recorded_efs(list, split)
}

/// One recorded clip.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub path: PathBuf,
    /// A share.
    pub ef: f64,
}

/// What is drawn when it is needed: simulated hearts and puppets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Drawn {
    /// Puppets are made of them; there may be none.
    pub stills: Vec<Still>,
    /// The share of clips that are puppets.
    pub puppets: f64,
    /// The share of simulated hearts that are shown as today's machines show them.
    pub compounded: f64,
}

/// Where clips come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Clips {
    Drawn(Drawn),
    Recorded(Vec<Entry>),
}

/// What a step sees of a clip.
pub struct Window {
    /// `[1, c, f, 112, 112]` in 0..1.
    pub video: Tensor,
    /// One of its frames, `[1, c, 112, 112]`.
    pub cond: Tensor,
    /// Frames that are the clip's; those behind them are black.
    pub there: usize,
    /// A share.
    pub ef: f64,
}

impl Clips {
    /// Of a folder: EchoNet-Dynamic's training split, where it has a FileList.csv, else its one CSV with the columns
    /// `file` and `ef_percent`. Files are looked for, not yet read.
    ///
    /// # Errors
    /// [`ClipsError`], with a sentence.
    pub fn of_folder(folder: &Path) -> Result<Self, ClipsError> {
        Self::of_split(folder, "TRAIN")
    }

    /// The same of another of EchoNet-Dynamic's splits: `VAL` or `TEST`. A folder's own CSV has none.
    ///
    /// # Errors
    /// As for [`Self::of_folder`].
    pub fn of_split(folder: &Path, split: &str) -> Result<Self, ClipsError> {
        list::entries(folder, split).map(Self::Recorded)
    }

    /// Decodes every recorded clip, so that a run does not come upon one that cannot be learned from. `looked` is called
    /// after each.
    ///
    /// # Errors
    /// All that cannot be opened, have frames that cannot be shown, are stills or do not say their frames a second; or
    /// when `stop` says so.
    pub fn check(
        &self,
        stop: impl Fn() -> bool + Sync,
        looked: impl Fn() + Sync,
    ) -> Result<(), ClipsError> {
        let Self::Recorded(entries) = self else {
            return Ok(());
        };
        let found = entries.par_iter().map(|entry| {
            if stop() {
                return Err(ClipsError::Stopped);
            }
            let (opened, _) = opened(&entry.path)?;
            for i in 0..opened.recording.frames().min(region::MOST_MEASURED) {
                // What cannot be shown is noted there.
                let _ = opened.recording.frame_in_passing(i);
            }
            looked();
            whole(&opened, &entry.path)
        });
        // In the list's order, however many threads look.
        let faults = found.collect::<Vec<_>>().into_iter();
        let mut faults: Vec<ClipsError> = faults.filter_map(Result::err).collect();
        if faults.contains(&ClipsError::Stopped) {
            return Err(ClipsError::Stopped);
        }
        match faults.len() {
            0 => Ok(()),
            1 => Err(faults.remove(0)),
            _ => Err(ClipsError::Several(faults)),
        }
    }

    /// SHA-256 of what is recorded, in its order, with the EFs; or of the stills with their outlines.
    ///
    /// # Errors
    /// When a file cannot be read, or `stop` says so before all are.
    pub fn sha256(&self, stop: impl Fn() -> bool) -> Result<String, ClipsError> {
        let entries = match self {
            Self::Drawn(drawn) => return Ok(stills_sha256(&drawn.stills)),
            Self::Recorded(entries) => entries,
        };
        let each = entries.iter().map(|entry| {
            let file = sha256_file(&entry.path, &stop).map_err(|e| ClipsError::Unreadable {
                path: entry.path.clone(),
                why: e.to_string(),
            })?;
            let text = format!("{} {}", file.ok_or(ClipsError::Stopped)?, entry.ef);
            Ok(sha256(text.as_bytes()))
        });
        Ok(combined(
            &each.collect::<Result<Vec<String>, ClipsError>>()?,
        ))
    }

    /// Clips, or stills.
    pub fn len(&self) -> usize {
        match self {
            Self::Drawn(drawn) => drawn.stills.len(),
            Self::Recorded(entries) => entries.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The lowest and the highest EF, shares.
    pub fn ef_range(&self) -> [f64; 2] {
        match self {
            Self::Drawn(_) => EFS,
            Self::Recorded(entries) => entries.iter().fold([1.0, 0.0], |[low, high], entry| {
                [low.min(entry.ef), high.max(entry.ef)]
            }),
        }
    }

    /// Window `number` of a run: of the clips in their order, one after the other, and again from the first; where it
    /// begins, and which of its frames is the anatomy, is chance. What is missing at its end is black, as published.
    ///
    /// # Errors
    /// When the clip cannot be read.
    pub fn window(
        &self,
        seed: u64,
        number: u64,
        (frames, fps): (usize, f64),
        channels: usize,
    ) -> Result<Window, ClipsError> {
        let mut dice = Dice::new(seed, number);
        let (clip, ef, path) = match self {
            Self::Drawn(drawn) => {
                let (clip, ef) = drawn.clip(&mut dice, frames, fps)?;
                (clip, ef, Path::new("a drawn heart"))
            }
            Self::Recorded(entries) => {
                let at = number.checked_rem(entries.len() as u64);
                let entry = at.and_then(|at| entries.get(at as usize));
                let entry = entry.ok_or_else(|| ClipsError::None(PathBuf::new()))?;
                (recorded(&entry.path, fps)?, entry.ef, entry.path.as_path())
            }
        };
        let there = clip.dim(2).unwrap_or_default().min(frames);
        let mut cut = || -> candle_core::Result<(Tensor, Tensor)> {
            let there = clip.dim(2)?;
            let clip = match frames.checked_sub(there) {
                Some(missing) if missing > 0 => clip.pad_with_zeros(2, 0, missing)?,
                _ => clip.clone(),
            };
            // The published loader never takes the last window.
            let first = dice.below(clip.dim(2)? - frames);
            let video = clip.narrow(2, first, frames)?.contiguous()?;
            let video = with_channels(&video, channels)?;
            let cond = video.narrow(2, dice.below(frames), 1)?.squeeze(2)?;
            Ok((video, cond.contiguous()?))
        };
        let (video, cond) = cut().map_err(|e| ClipsError::Unreadable {
            path: path.to_owned(),
            why: e.to_string(),
        })?;
        Ok(Window {
            video,
            cond,
            there,
            ef,
        })
    }
}

impl Drawn {
    /// A heart of any EF and rate, from any phase of its beat, `[1, 1, f, 112, 112]`, and its EF. Of puppets half the
    /// speckle is renewed as it is in recordings, by any share, and the probe moves a little.
    fn clip(&self, dice: &mut Dice, frames: usize, fps: f64) -> Result<(Tensor, f64), ClipsError> {
        let ef = dice.within(EFS);
        let per_beat = (fps * 60.0 / dice.within([45.0, 115.0])).max(2.0);
        let before = dice.below(per_beat.ceil() as usize + 1);
        let take = Take {
            ef,
            frames: frames + before,
            frames_per_beat: per_beat,
            wall_motion: WallMotion::default(),
        };
        let is_puppet = dice.share() < self.puppets && !self.stills.is_empty();
        let levels = if is_puppet {
            let still = &self.stills[dice.below(self.stills.len())];
            let life = Life {
                decorrelation: match dice.share() {
                    s if s < 0.5 => dice.share(),
                    _ => 0.0,
                },
                sway: Sway {
                    probe: dice.share(),
                    pose: 1.0,
                    ..Sway::default()
                },
                leaflets: dice.share() < 0.5,
                seed: dice.number(),
            };
            still.puppet(dice)?.take(&take, &life)?.frames
        } else {
            let quality = Quality::ALL[dice.below(Quality::ALL.len())];
            let mut heart = Heart::from_seed(dice.number(), quality);
            // Without any, no die is cast: samples are those of before.
            if self.compounded > 0.0 && dice.share() < self.compounded {
                heart = heart.compounded();
            }
            let beat = heart.take(&take);
            let frames = (0..beat.len()).filter_map(|i| beat.frame(i));
            frames.flatten().copied().collect()
        };
        let shown = levels.iter().skip(before * SIDE * SIDE);
        let shown: Vec<f32> = shown.map(|v| f32::from(*v) / 255.0).collect();
        let shape = (1, 1, shown.len() / (SIDE * SIDE), SIDE, SIDE);
        let clip = Tensor::from_vec(shown, shape, &Device::Cpu);
        // As many levels as the shape has.
        Ok((clip.unwrap_or_else(|e| unreachable!("{e}")), ef))
    }
}

/// A recorded clip at another rate, in 256 levels, `[1, 1, f, 112, 112]`.
fn recorded(path: &Path, fps: f64) -> Result<Tensor, ClipsError> {
    let (opened, rate) = opened(path)?;
    let crop = opened.first_square().into();
    let made = || -> candle_core::Result<Tensor> {
        let video = region::video(&opened.recording, &crop, || false)?;
        let shape = (1, 1, video.frames, video.height, video.width);
        let clip = Tensor::from_vec(video.data, shape, &Device::Cpu)?;
        // Whole numbers, so that a mean of two is exact.
        let levels = (to_size(&clip, SIDE, &Interrupt::new())? * 255.0)?.round()?;
        let levels = resample(&levels, fps / rate.fps())?;
        (levels + 0.5)?.floor()? / 255.0
    };
    made().map_err(|e| ClipsError::Unreadable {
        path: path.to_owned(),
        why: e.to_string(),
    })
}

/// Refuses a clip of which a frame could not be shown: the one before would be learned in its place.
fn whole(opened: &media::Opened, path: &Path) -> Result<(), ClipsError> {
    match opened.recording.missing() {
        None => Ok(()),
        Some(why) => Err(ClipsError::Damaged {
            path: path.to_owned(),
            why,
        }),
    }
}

/// A clip with its rate.
fn opened(path: &Path) -> Result<(media::Opened, FrameRate), ClipsError> {
    let opened = media::open(path).map_err(|e| ClipsError::Unopened(e.to_string()))?;
    if opened.recording.frames() < 2 {
        return Err(ClipsError::Still(path.to_owned()));
    }
    let Some(rate) = opened.recording.rate else {
        return Err(ClipsError::NoRate(path.to_owned()));
    };
    // What is missing would be learned as the EF of all of it.
    if opened.cut_off {
        return Err(ClipsError::CutOff(path.to_owned()));
    }
    Ok((opened, rate))
}
