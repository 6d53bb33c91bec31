//! What the one path leaves to tell clips apart by. *Presentation* has to be equal in all classes, else
//! nothing is planned. *Content* may differ, as a real generator's does: how much each figure alone tells
//! fake from real is said beside what readers can tell, never hidden and never corrected.

use super::key::{Class, ClipTruth, Key};
use super::plan::{Plan, Presentation};
use crate::statistics::roc::Auc;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Of the intervals.
const LEVEL: f64 = 0.95;
/// Pixels along a block of JPEG and its like.
const BLOCK: usize = 8;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Audit {
    pub presentation_equal: bool,
    pub presentation: Vec<Shown>,
    pub content: Vec<Content>,
    /// Places in the bundle and, on average, in the readers' lists: both follow from the secret, so what they
    /// tell is chance.
    #[serde(default)]
    pub position: Vec<Content>,
}

/// A figure of how clips are shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    pub feature: String,
    pub equal: bool,
    /// Smallest and greatest over all clips.
    pub low: f64,
    pub high: f64,
    /// How well it alone tells fake from real; 0.5 where it is the same in all.
    pub auc: Option<f64>,
}

/// A figure of what clips show.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Content {
    pub feature: String,
    /// Area under the curve of the figure alone for fake against real, and its interval (DeLong). None where
    /// it is not known of both.
    pub auc: Option<f64>,
    pub low: Option<f64>,
    pub high: Option<f64>,
    /// Clips that it is known of.
    pub clips: usize,
}

/// A clip's own figures.
#[derive(Clone, Debug)]
pub struct Figures {
    class: Class,
    shown: Vec<f64>,
    content: Vec<Option<f64>>,
}

const SHOWN: [&str; 10] = [
    "frames",
    "frames_a_second",
    "width",
    "height",
    "bytes",
    "levels",
    "pixels_of_the_sector",
    "values_off_the_levels",
    "values_outside_the_sector",
    "repeated_frames",
];
/// From here on nothing may be there at all.
const FIRST_OF_NONE: usize = 7;
const CONTENT: [&str; 9] = [
    "mean",
    "sd",
    "used_levels",
    "temporal_noise",
    "sharpness",
    "blockiness",
    "first_to_last",
    "measured_ef_percent",
    "heart_rate",
];

impl Figures {
    /// Of a clip as it is shown: `[frames, height, width]`. What is known of it beside its pixels may be
    /// missing.
    pub fn of(
        clip: &[u8],
        sector: &[bool],
        presentation: &Presentation,
        class: Class,
        ef_percent: Option<f64>,
        heart_rate: Option<f64>,
    ) -> Self {
        let Presentation { width, height, .. } = *presentation;
        let pixels = (width * height).max(1);
        let frames: Vec<&[u8]> = clip.chunks_exact(pixels).collect();
        let pairs = || frames.iter().zip(frames.iter().skip(1));
        let grid = Grid::new(presentation.levels);
        let inside = |frame: &[u8]| -> Vec<f64> {
            let of = frame.iter().zip(sector).filter(|(_, inside)| **inside);
            of.map(|(v, _)| f64::from(*v)).collect()
        };
        let outside = frames.iter().flat_map(|f| f.iter().zip(sector));
        let outside = outside.filter(|(v, inside)| !**inside && **v != 0).count();
        let shown = vec![
            frames.len() as f64,
            presentation.fps,
            width as f64,
            height as f64,
            clip.len() as f64,
            presentation.levels as f64,
            sector.iter().filter(|inside| **inside).count() as f64,
            clip.iter().filter(|v| !grid.holds(**v)).count() as f64,
            outside as f64,
            pairs().filter(|(a, b)| a == b).count() as f64,
        ];

        let levels: Vec<f64> = frames.iter().flat_map(|f| inside(f)).collect();
        let (mean, sd) = crate::statistics::mean_and_sd(&levels);
        let mut used = [false; 256];
        for &level in clip {
            used[usize::from(level)] = true;
        }
        let difference = |a: &[u8], b: &[u8]| {
            let (a, b) = (inside(a), inside(b));
            crate::statistics::mean(a.iter().zip(&b).map(|(a, b)| (a - b).abs()))
        };
        let ends = frames.first().zip(frames.last());
        let by_frame = |figure: &dyn Fn(&[u8]) -> f64| {
            crate::statistics::mean(frames.iter().map(|frame| figure(frame)))
        };
        let content = vec![
            Some(mean),
            Some(sd),
            Some(used.iter().filter(|&&u| u).count() as f64),
            Some(crate::statistics::mean(
                pairs().map(|(a, b)| difference(a, b)),
            )),
            Some(by_frame(&|frame| sharpness(frame, sector, width))),
            Some(by_frame(&|frame| blockiness(frame, sector, width))),
            ends.map(|(first, last)| difference(first, last)),
            ef_percent,
            heart_rate,
        ];
        Self {
            class,
            shown,
            content,
        }
    }

    /// Consecutive frames that are the same.
    pub fn repeated(&self) -> usize {
        self.shown.last().map_or(0, |n| *n as usize)
    }
}

/// The levels that a clip may have.
struct Grid([bool; 256]);

impl Grid {
    fn new(levels: usize) -> Self {
        let mut all: Vec<u8> = (0..=255).collect();
        super::levels::cut(&mut all, levels);
        let mut on = [false; 256];
        for level in all {
            on[usize::from(level)] = true;
        }
        Self(on)
    }

    fn holds(&self, value: u8) -> bool {
        self.0[usize::from(value)]
    }
}

/// Steps from a pixel to its right and lower neighbours, where all are in the sector: their places and by
/// which column or row they go.
fn steps(sector: &[bool], width: usize) -> impl Iterator<Item = (usize, usize, usize)> {
    let inside = move |i: usize| sector.get(i) == Some(&true);
    (0..sector.len())
        .filter(move |&i| inside(i))
        .flat_map(move |i| {
            let (x, y) = (i % width.max(1), i / width.max(1));
            let right = (x + 1 < width && inside(i + 1)).then_some((i, i + 1, x + 1));
            let below = inside(i + width).then_some((i, i + width, y + 1));
            [right, below].into_iter().flatten()
        })
}

/// Mean difference between neighbours.
fn sharpness(frame: &[u8], sector: &[bool], width: usize) -> f64 {
    let differences = steps(sector, width).filter_map(|(a, b, _)| difference(frame, a, b));
    crate::statistics::mean(differences)
}

/// Mean difference across the edges of 8 x 8 blocks over the mean difference elsewhere; 1 where blocks are not
/// seen.
fn blockiness(frame: &[u8], sector: &[bool], width: usize) -> f64 {
    let (mut edges, mut others) = (Vec::new(), Vec::new());
    for (a, b, place) in steps(sector, width) {
        let to = if place.is_multiple_of(BLOCK) {
            &mut edges
        } else {
            &mut others
        };
        to.extend(difference(frame, a, b));
    }
    let mean = |values: Vec<f64>| crate::statistics::mean(values.into_iter());
    let (edges, others) = (mean(edges), mean(others));
    if others > 0.0 { edges / others } else { 1.0 }
}

fn difference(frame: &[u8], a: usize, b: usize) -> Option<f64> {
    Some((f64::from(*frame.get(a)?) - f64::from(*frame.get(b)?)).abs())
}

/// The audit of all clips of a plan.
pub fn audit(figures: &[Figures]) -> Audit {
    let shown: Vec<Shown> = SHOWN
        .iter()
        .enumerate()
        .map(|(i, feature)| {
            let values: Vec<(Class, f64)> = figures
                .iter()
                .filter_map(|f| Some((f.class, *f.shown.get(i)?)))
                .collect();
            let low = values.iter().map(|v| v.1).fold(f64::INFINITY, f64::min);
            let high = values.iter().map(|v| v.1).fold(f64::NEG_INFINITY, f64::max);
            // Nothing may be off the levels, outside the sector or repeated, in no class.
            let none = i >= FIRST_OF_NONE;
            Shown {
                feature: (*feature).into(),
                equal: low == high && (!none || high == 0.0),
                low,
                high,
                auc: of_fake(&values).map(|auc| auc.auc),
            }
        })
        .collect();
    let content = CONTENT.iter().enumerate().map(|(i, feature)| {
        let known = |f: &Figures| Some((f.class, (*f.content.get(i)?)?));
        let values: Vec<(Class, f64)> = figures.iter().filter_map(known).collect();
        told_by(feature, &values)
    });
    Audit {
        presentation_equal: shown.iter().all(|s| s.equal),
        content: content.collect(),
        presentation: shown,
        position: Vec::new(),
    }
}

impl Audit {
    /// Adds where the clips of a plan stand.
    pub fn place(&mut self, plan: &Plan, key: &Key) {
        let of = |feature: &str, places: BTreeMap<&str, Vec<f64>>| {
            let mean = |clip: &ClipTruth| {
                let all = places.get(clip.clip.as_str())?;
                Some((clip.class, crate::statistics::mean(all.iter().copied())))
            };
            told_by(
                feature,
                &key.clips.iter().filter_map(mean).collect::<Vec<_>>(),
            )
        };
        let in_file = plan.clips().into_iter().zip(1..);
        let in_file = in_file.map(|(clip, place)| (clip, vec![f64::from(place)]));
        let mut in_lists: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for trial in plan.readers.iter().flat_map(|r| &r.trials) {
            let places = in_lists.entry(trial.clip.as_str()).or_default();
            places.push(trial.trial as f64);
        }
        self.position = vec![
            of("place_in_the_file", in_file.collect()),
            of("place_in_the_lists", in_lists),
        ];
    }
}

/// How well one figure alone tells fake from real.
fn told_by(feature: &str, values: &[(Class, f64)]) -> Content {
    let auc = of_fake(values);
    let interval = auc.as_ref().and_then(|auc| auc.interval(LEVEL));
    Content {
        feature: feature.into(),
        auc: auc.map(|auc| auc.auc),
        low: interval.map(|i| i.low),
        high: interval.map(|i| i.high),
        clips: values.len(),
    }
}

fn of_fake(values: &[(Class, f64)]) -> Option<Auc> {
    let of = |fake: bool| -> Vec<f64> {
        let of = values.iter().filter(|(class, _)| class.is_fake() == fake);
        of.map(|(_, value)| *value).collect()
    };
    Auc::from_ratings(&of(true), &of(false))
}

#[cfg(test)]
mod tests;
