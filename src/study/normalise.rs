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
const LEAST_SIDE: usize = 32;
/// Seconds that every clip is shown at least.
pub const LEAST_SECONDS: f64 = 0.5;
/// Beats a minute that a loop of one beat is drawn from where no recorded clip says its own.
const USUAL_HEART_RATES: Range<f64> = 50.0..90.0;
/// A clip that costs all others more of the common sector than this is named.
pub const COSTLY: f64 = 0.02;
/// Numbers of gray levels that are tried.
const LEVELS: [usize; 5] = [256, 128, 64, 32, 16];

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

/// The sector of a clip: of its middle frame, without what is the same in all frames as far as the picture's
/// edge.
fn sector(recording: &Recording, crop: &Crop) -> Result<Vec<bool>, Unfit> {
    let n = recording.frames();
    let frame = recording.frame(n / 2).map_err(Unfit::Unreadable)?;
    let unreadable = |e: candle_core::Error| Unfit::Unreadable(e.to_string());
    let planes = crop.planes(&frame).map_err(unreadable)?;
    let levels = crate::media::region::gray(&planes);
    let picture = Picture::new(1, SIDE, levels).map_err(|e| Unfit::Unreadable(e.to_string()))?;
    Ok(carry::mask(&picture))
}

/// Where all clips have tissue, at 112 x 112, and who costs the others much of it.
///
/// # Errors
/// When they have too little in common.
pub fn sector_of_all(surveys: &[&Survey]) -> Result<(Vec<bool>, Costs), NotAlike> {
    const LEAST_PERCENT: f64 = 20.0;
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
/// How often each of the 256 values is in a clip, inside the sector.
#[derive(Clone, Debug)]
pub struct Histogram([usize; 256]);

impl Histogram {
    pub fn of(clip: &[u8], sector: &[bool]) -> Self {
        let mut counts = [0; 256];
        for frame in clip.chunks_exact(sector.len().max(1)) {
            for (&level, inside) in frame.iter().zip(sector) {
                if *inside {
                    counts[usize::from(level)] += 1;
                }
            }
        }
        Self(counts)
    }

    /// Whether a clip that is cut to so many levels has no gaps between them: one that was stored in fewer
    /// levels would be known by its gaps. A gap counts by how often the levels around it are there, since
    /// levels that hardly occur may be missing in any clip. Black and white are cut off by scanners and do not
    /// count.
    fn fills(&self, levels: usize) -> bool {
        const AROUND: usize = 4;
        const MISSING: f64 = 0.02;
        let mut counts = vec![0usize; levels];
        for (value, &count) in self.0.iter().enumerate().take(255).skip(1) {
            counts[level_of(value as u8, levels)] += count;
        }
        let all: usize = counts.iter().sum();
        let used = |n: &usize| *n > 0;
        let first = counts.iter().position(used).unwrap_or(0);
        let last = counts.iter().rposition(used).unwrap_or(0);
        let gaps = (first..last).filter(|&i| counts[i] == 0).map(|i| {
            let around = counts
                .iter()
                .take(i + AROUND + 1)
                .skip(i.saturating_sub(AROUND));
            around.sum::<usize>() as f64 / (2 * AROUND + 1) as f64
        });
        gaps.sum::<f64>() <= MISSING * all as f64
    }
}

/// The most levels that all clips fill.
pub fn levels(histograms: &[Histogram]) -> usize {
    let fill = |levels: &usize| histograms.iter().all(|h| h.fills(*levels));
    let least = LEVELS[LEVELS.len() - 1];
    LEVELS.into_iter().find(fill).unwrap_or(least)
}

fn level_of(value: u8, levels: usize) -> usize {
    usize::from(value) * levels / 256
}

/// Cuts a clip to so many levels, spread over 0 to 255; 0 stays 0.
pub fn cut(clip: &mut [u8], levels: usize) {
    let step = |value: u8| (level_of(value, levels) * 255 / (levels - 1).max(1)) as u8;
    for value in clip {
        *value = step(*value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::{Frame, Pixels};
    use crate::media::Kind;
    use crate::recording::FrameReader;
    use crate::study::secret::Secret;
    use std::sync::Arc;

    /// Frames of noise in a sector; the first pixel of the middle row is the frame's number.
    struct Drawn {
        side: usize,
        border: u8,
        step: u8,
    }

    impl FrameReader for Drawn {
        fn read(&self, i: usize) -> Result<Arc<Frame>, String> {
            let side = self.side;
            let pixels = (0..side * side).map(|p| {
                let (x, y) = (
                    (p % side) as f64 / side as f64,
                    (p / side) as f64 / side as f64,
                );
                let inside =
                    (x - 0.5).abs() < 0.1 + 0.4 * y && x.hypot(y) < 1.2 && y > 0.02 && y < 0.9;
                let noise = (p as u64 + 977 * i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56;
                let level = (30.0 + 0.7 * noise as f64 * (1.0 - 0.3 * y)) as u8;
                if inside {
                    level / self.step * self.step
                } else {
                    self.border
                }
            });
            Ok(Arc::new(Frame {
                width: side,
                height: side,
                pixels: Pixels::Gray(pixels.collect()),
            }))
        }
    }

    fn opened(side: usize, frames: usize, fps: f64, border: u8, step: u8) -> Opened {
        let reader = Drawn { side, border, step };
        let recording = Recording::new(frames, FrameRate::new(fps), Box::new(reader)).unwrap();
        Opened::new(recording, Kind::Gif)
    }

    fn shown(surveys: &[Survey], rate: Option<f64>) -> Result<Common, NotAlike> {
        let surveys: Vec<&Survey> = surveys.iter().collect();
        let (sector, _) = sector_of_all(&surveys)?;
        common(&surveys, &sector, rate, 2.0)
    }

    fn random(n: u8) -> Random {
        Secret::new([n; 32]).random("window")
    }

    #[test]
    fn clips_of_all_kinds_come_out_alike() {
        let sources = [
            opened(112, 64, 32.0, 0, 1),
            opened(112, 120, 50.0, 94, 1),
            opened(300, 100, 60.0, 0, 1),
            opened(112, 90, 40.0, 0, 4),
        ];
        let surveys: Vec<Survey> = sources
            .iter()
            .map(|o| Survey::of(o, 60.0).unwrap())
            .collect();
        let common = shown(&surveys, None).unwrap();
        // 100 frames at 60 a second last 1.67 s.
        assert_eq!((common.fps, common.frames, common.side), (32.0, 53, 112));
        let mut clips: Vec<Vec<u8>> = sources
            .iter()
            .zip(&surveys)
            .map(|(o, s)| s.take(o, &common, &mut random(1)).unwrap())
            .collect();
        let histograms: Vec<_> = clips
            .iter()
            .map(|c| Histogram::of(c, &common.sector))
            .collect();
        let levels = levels(&histograms);
        assert_eq!(levels, 64);
        for clip in &mut clips {
            cut(clip, levels);
            assert_eq!(clip.len(), 53 * 112 * 112);
            let frames: Vec<&[u8]> = clip.chunks_exact(112 * 112).collect();
            assert!(
                frames.windows(2).all(|pair| pair[0] != pair[1]),
                "a frame twice"
            );
            let outside = frames.iter().flat_map(|f| f.iter().zip(&common.sector));
            assert!(
                outside
                    .filter(|(_, inside)| !**inside)
                    .all(|(v, _)| *v == 0)
            );
            assert!(
                Histogram::of(clip, &common.sector)
                    .0
                    .iter()
                    .filter(|n| **n > 0)
                    .count()
                    <= levels
            );
        }
    }

    #[test]
    fn windows_begin_by_chance_and_loops_at_any_phase() {
        let long = opened(112, 200, 50.0, 0, 1);
        let survey = Survey::of(&long, 60.0).unwrap();
        let common = shown(std::slice::from_ref(&survey), Some(25.0)).unwrap();
        assert_eq!((common.fps, common.frames), (25.0, 50));
        let starts: std::collections::BTreeSet<usize> = (0..200)
            .map(|n| {
                let places = survey.places(&common, &mut random(n));
                assert!(places.windows(2).all(|p| p[1] - p[0] == 2) && places[49] < 200);
                places[0]
            })
            .collect();
        assert!(starts.len() > 60 && starts.contains(&0), "{starts:?}");

        let mut beat = opened(112, 16, 16.0, 0, 1);
        beat.recording.beat_normalised = true;
        let looped = Survey::of(&beat, 90.0).unwrap();
        assert_eq!((looped.fps, looped.seconds()), (24.0, f64::INFINITY));
        let places = looped.places(&common_of(&looped), &mut random(1));
        assert!(places.windows(2).all(|p| (p[0] + 1) % 16 == p[1]));
        let phases: std::collections::BTreeSet<usize> = (0..200)
            .map(|n| looped.places(&common_of(&looped), &mut random(n))[0])
            .collect();
        assert_eq!(phases.len(), 16);
    }

    fn common_of(survey: &Survey) -> Common {
        shown(std::slice::from_ref(survey), None).unwrap()
    }

    /// Every frame twice.
    struct Padded(Drawn);

    impl FrameReader for Padded {
        fn read(&self, i: usize) -> Result<Arc<Frame>, String> {
            self.0.read(i / 2)
        }
    }

    #[test]
    fn frames_that_repeat_are_not_counted() {
        let reader = Padded(Drawn {
            side: 112,
            border: 0,
            step: 1,
        });
        let recording = Recording::new(80, FrameRate::new(50.0), Box::new(reader)).unwrap();
        let padded = Opened::new(recording, Kind::Gif);
        let mut survey = Survey::of(&padded, 60.0).unwrap();
        let sector = survey.sector.clone();
        survey.settle(&padded, &sector).unwrap();
        assert_eq!(
            (survey.fps, survey.seconds(), survey.steps.len()),
            (25.0, 1.6, 40)
        );
        let clip = survey
            .take(&padded, &common_of(&survey), &mut random(1))
            .unwrap();
        let frames: Vec<&[u8]> = clip.chunks_exact(112 * 112).collect();
        assert_eq!(frames.len(), 40);
        assert!(frames.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn who_costs_the_others_sector_is_named() {
        let mut surveys: Vec<Survey> = (0..3)
            .map(|_| Survey::of(&opened(112, 64, 32.0, 0, 1), 60.0).unwrap())
            .collect();
        let costly = |surveys: &[Survey]| {
            let surveys: Vec<&Survey> = surveys.iter().collect();
            sector_of_all(&surveys).unwrap().1
        };
        assert!(costly(&surveys).is_empty());
        surveys[1].sector[40 * SIDE..60 * SIDE].fill(false);
        let found = costly(&surveys);
        assert!(
            matches!(found[..], [(1, share)] if share > 0.1),
            "{found:?}"
        );
        surveys[2].sector.fill(false);
        assert!(matches!(
            shown(&surveys, None),
            Err(NotAlike::Sector { .. })
        ));
    }

    #[test]
    fn what_cannot_be_shown_is_refused() {
        let survey = |o: &Opened| Survey::of(o, 60.0);
        assert_eq!(
            survey(&opened(112, 1, 32.0, 0, 1)).err(),
            Some(Unfit::Still)
        );
        assert_eq!(
            survey(&opened(20, 9, 32.0, 0, 1)).err(),
            Some(Unfit::Small(20))
        );
        let mut silent = opened(112, 9, 32.0, 0, 1);
        silent.recording.rate = None;
        assert_eq!(survey(&silent).err(), Some(Unfit::NoRate));
        let short = survey(&opened(112, 8, 32.0, 0, 1)).unwrap();
        assert_eq!(
            shown(&[short], None),
            Err(NotAlike::Short {
                clip: 0,
                seconds: 0.25
            })
        );
    }

    #[test]
    fn levels_are_spread_over_the_whole_range() {
        for levels in LEVELS {
            let mut all: Vec<u8> = (0..=255).collect();
            cut(&mut all, levels);
            assert_eq!((all[0], all[255]), (0, 255));
            all.dedup();
            assert_eq!(all.len(), levels);
        }
    }

    #[test]
    fn heart_rates_are_those_of_recorded_clips() {
        let drawn: Vec<f64> = (0..50)
            .map(|n| heart_rate(&[52.0, 71.0], &mut random(n)))
            .collect();
        assert!(drawn.contains(&52.0) && drawn.contains(&71.0));
        assert!(drawn.iter().all(|r| [52.0, 71.0].contains(r)));
        assert!(USUAL_HEART_RATES.contains(&heart_rate(&[], &mut random(1))));
    }
}
