//! What the one path leaves to tell clips apart by. *Presentation* has to be equal in all classes, else
//! nothing is planned. *Content* may differ, as a real generator's does: how much each figure alone tells
//! fake from real is said beside what readers can tell, never hidden and never corrected.

use super::key::Class;
use super::plan::Presentation;
use crate::statistics::roc::Auc;
use serde::{Deserialize, Serialize};

/// Of the intervals.
const LEVEL: f64 = 0.95;
/// Pixels along a block of JPEG and its like.
const BLOCK: usize = 8;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Audit {
    pub presentation_equal: bool,
    pub presentation: Vec<Shown>,
    pub content: Vec<Content>,
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

const SHOWN: [&str; 7] = [
    "frames",
    "width",
    "height",
    "bytes",
    "values_off_the_levels",
    "values_outside_the_sector",
    "repeated_frames",
];
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
            width as f64,
            height as f64,
            clip.len() as f64,
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
        super::normalise::cut(&mut all, levels);
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
            let none = i >= 4;
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
        let auc = of_fake(&values);
        let interval = auc.as_ref().and_then(|auc| auc.interval(LEVEL));
        Content {
            feature: (*feature).into(),
            auc: auc.map(|auc| auc.auc),
            low: interval.map(|i| i.low),
            high: interval.map(|i| i.high),
            clips: values.len(),
        }
    });
    Audit {
        presentation_equal: shown.iter().all(|s| s.equal),
        content: content.collect(),
        presentation: shown,
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
mod tests {
    use super::*;
    use crate::study::secret::{Random, Secret};

    const SIDE: usize = 32;

    fn presentation() -> Presentation {
        Presentation {
            frames: 4,
            fps: 20.0,
            width: SIDE,
            height: SIDE,
            levels: 64,
            points: 448,
            loop_gap_ms: 300,
        }
    }

    fn sector() -> Vec<bool> {
        (0..SIDE * SIDE)
            .map(|i| i / SIDE > 3 && i / SIDE < 28)
            .collect()
    }

    fn clip(random: &mut Random, brighter: u8) -> Vec<u8> {
        let sector = sector();
        let mut clip: Vec<u8> = (0..4 * SIDE * SIDE)
            .map(|i| {
                let level = 40 + random.below(120) as u8 + brighter;
                if sector[i % (SIDE * SIDE)] { level } else { 0 }
            })
            .collect();
        crate::study::normalise::cut(&mut clip, 64);
        clip
    }

    fn of(clips: &[(Class, Vec<u8>)]) -> Audit {
        let figures: Vec<Figures> = clips
            .iter()
            .map(|(class, clip)| Figures::of(clip, &sector(), &presentation(), *class, None, None))
            .collect();
        audit(&figures)
    }

    fn clips(brighter: u8) -> Vec<(Class, Vec<u8>)> {
        let mut random = Secret::new([3; 32]).random("clips");
        let classes = [
            Class::Real,
            Class::Factual,
            Class::Real,
            Class::Counterfactual,
        ];
        let class = classes.into_iter().cycle().take(40);
        class
            .map(|class| {
                (
                    class,
                    clip(&mut random, if class.is_fake() { brighter } else { 0 }),
                )
            })
            .collect()
    }

    fn content<'a>(audit: &'a Audit, feature: &str) -> &'a Content {
        audit.content.iter().find(|c| c.feature == feature).unwrap()
    }

    #[test]
    fn clips_that_are_shown_alike_are_equal_and_nothing_tells_them() {
        let audit = of(&clips(0));
        assert!(audit.presentation_equal);
        for shown in &audit.presentation {
            assert!(shown.equal && shown.auc == Some(0.5), "{shown:?}");
        }
        for content in &audit.content {
            // Without an interval where it is the same in all.
            if let (Some(low), Some(high)) = (content.low, content.high) {
                assert!(low <= 0.5 && 0.5 <= high, "{content:?}");
            }
        }
        assert_eq!(content(&audit, "measured_ef_percent").auc, None);
    }

    #[test]
    fn a_brighter_class_is_told_by_its_mean() {
        let audit = of(&clips(30));
        assert!(audit.presentation_equal);
        assert_eq!(content(&audit, "mean").auc, Some(1.0));
        let sharpness = content(&audit, "sharpness").auc.unwrap();
        assert!((0.2..0.8).contains(&sharpness), "{sharpness}");
    }

    #[test]
    fn what_is_shown_differently_is_found() {
        let unequal = |change: &dyn Fn(&mut Vec<u8>), feature: &str| {
            let mut clips = clips(0);
            change(&mut clips[1].1);
            let audit = of(&clips);
            let names: Vec<&str> = audit
                .presentation
                .iter()
                .filter(|s| !s.equal)
                .map(|s| s.feature.as_str())
                .collect();
            assert!(
                !audit.presentation_equal && names.contains(&feature),
                "{names:?}"
            );
        };
        unequal(&|clip| clip[0] = 95, "values_outside_the_sector");
        unequal(&|clip| clip[10 * SIDE] = 41, "values_off_the_levels");
        unequal(
            &|clip| clip.copy_within(..SIDE * SIDE, SIDE * SIDE),
            "repeated_frames",
        );
        unequal(&|clip| clip.truncate(3 * SIDE * SIDE), "frames");
        // Also where it is so in all of them.
        let all: Vec<_> = clips(0)
            .into_iter()
            .map(|(class, mut clip)| {
                clip[0] = 95;
                (class, clip)
            })
            .collect();
        assert!(!of(&all).presentation_equal);
    }

    #[test]
    fn blocks_are_seen() {
        let (presentation, sector) = (presentation(), vec![true; SIDE * SIDE]);
        let mut random = Secret::new([4; 32]).random("blocks");
        let mut blocks = [[0u8; 4]; 4];
        for block in blocks.iter_mut().flatten() {
            *block = random.below(200) as u8;
        }
        let frame: Vec<u8> = (0..SIDE * SIDE)
            .map(|i| blocks[i / SIDE / 8][i % SIDE / 8] + random.below(4) as u8)
            .collect();
        assert!(blockiness(&frame, &sector, presentation.width) > 5.0);
        let noise: Vec<u8> = (0..SIDE * SIDE).map(|_| random.below(200) as u8).collect();
        let seen = blockiness(&noise, &sector, presentation.width);
        assert!((0.8..1.25).contains(&seen), "{seen}");
    }
}
