//! The panes as one file: what is shown to a colleague.

use super::super::Explore;
use super::super::view::{Comparison, Pane};
use super::choice::{Choice, What};
use super::export_dialog::PackageKind;
use crate::clip::{Frame, Pixels};
use crate::ef::{EfOrigin, EfPercent};
use crate::engine::{Cine, Generated};
use crate::media::export::{DrawnOver, Panel};
use crate::media::region::SIDE;
use std::cmp::Ordering;
use std::sync::Arc;

/// A pane, with frames that another thread still has to draw.
pub struct PaneOf {
    panel: Panel,
    /// Drawn at the source's own resolution, where that is finer than the networks'.
    fine: Option<Arc<Cine>>,
}

impl PaneOf {
    /// With all its frames, so that a picture of this side is as sharp as can be.
    pub fn drawn(self, side: usize) -> Panel {
        let mut panel = self.panel;
        let beating = self.fine.as_ref().and_then(|cine| cine.beating.as_ref());
        let fine = beating.filter(|_| side > SIDE);
        if let Some(video) = fine.and_then(|beating| beating.fine_video()) {
            panel.frames = (0..video.frames).map(|k| video.gray_frame(k)).collect();
        }
        panel
    }
}

impl Explore {
    /// Those that are there, the recorded source only if that was ticked.
    pub(super) fn panes_package(&self, choice: &Choice) -> Option<PackageKind> {
        let shown = self.made.counterfactual.as_ref()?;
        let (n, _) = self.cycle();
        // Text in it, which may name somebody, may still wait for the user's word.
        let with_source = choice.with_source && !self.case.text_is_proposed();
        let panes = self.panes_there(with_source).into_iter();
        // What is being made anew is not what is set.
        let panes = panes.filter(|pane| {
            let cine = self.made.cine_of(*pane);
            *pane == Pane::Source || cine.is_some_and(|c| !c.stale)
        });
        let line = self.view.line.filter(|_| choice.with_strips);
        let (mut drawn, mut rungs) = (Vec::new(), Vec::new());
        for pane in panes {
            let Some(mut of) = self.pane_of(pane, n) else {
                continue;
            };
            of.panel.strip = line.and_then(|line| self.strip_of(pane, line));
            let cine = self.made.cine_of(pane);
            rungs.extend(cine.map(|c| c.result.provenance.clone()));
            drawn.push(of);
        }
        if choice.with_comparison {
            drawn.extend(self.comparison_pane(with_source));
        }
        let ladder = self.made.ladder.iter().filter(|_| choice.with_ladder);
        for rung in ladder.flat_map(|strip| &strip.rungs) {
            let mut of = made_pane(&rung.result, "EF ladder".into(), Vec::new());
            // The plot is of the panes.
            of.panel.volumes.clear();
            drawn.push(of);
            rungs.push(rung.result.provenance.clone());
        }
        Some(PackageKind::Panes {
            rungs,
            panes: drawn,
            at: (choice.what == What::Moment).then_some(choice.at),
            side: SIDE * choice.scale,
            with_volumes: choice.with_volumes,
            rate: shown.result.rate_at(self.view.heart_rate),
            beat_normalised: shown.result.beat_normalised,
        })
    }

    /// What of the comparison on screen can be a pane of its own: in words, and whether what it needs is there. A flicker
    /// shows what the panes show.
    pub(super) fn comparison_in_words(&self) -> Option<(&'static str, bool)> {
        let words = match self.view.mode {
            Comparison::Wipe => "The wipe beside them",
            Comparison::Difference => "The difference beside them",
            _ => return None,
        };
        Some((words, self.comparison_pane(true).is_some()))
    }

    /// The wipe or the difference that is on screen, over the loop. One with the source is made only where the source may
    /// leave the program, too.
    fn comparison_pane(&self, with_source: bool) -> Option<PaneOf> {
        let (against, mode) = (self.view.against, self.view.mode);
        let is_stale = |pane| self.made.cine_of(pane).is_some_and(|cine| cine.stale);
        if is_stale(against)
            || is_stale(Pane::Counterfactual)
            || (against == Pane::Source && !with_source)
        {
            return None;
        }
        let source = self.case.source.as_ref()?;
        let is_recorded = against == Pane::Source && source.is_recorded();
        // While its frames are read there is one alone.
        if against == Pane::Source && self.source_key(0).is_none() {
            return None;
        }
        let n = self
            .made
            .cine_of(Pane::Counterfactual)?
            .result
            .cine
            .video
            .frames;
        let (_, seconds) = self.cycle();
        let frame = |k: usize| {
            let at = match against {
                Pane::Source => self.source_frame_at(seconds * k as f64 / n.max(1) as f64),
                pane => {
                    let frames = self.made.cine_of(pane)?.result.cine.video.frames;
                    k.min(frames.saturating_sub(1))
                }
            };
            let (a, b) = (self.gray(against, at)?, self.gray(Pane::Counterfactual, k)?);
            let levels = match mode {
                Comparison::Wipe => wiped(&a, &b, self.view.edge),
                Comparison::Difference => difference(&a, &b, self.view.gain),
                _ => return None,
            };
            Some(Frame {
                width: SIDE,
                height: SIDE,
                pixels: Pixels::Gray(levels),
            })
        };
        let mut other = against.name().to_lowercase();
        if is_recorded {
            other += " (recorded)";
        }
        let (title, words) = match mode {
            Comparison::Wipe => (
                "Wipe",
                vec![format!("left: {other}"), "right: counterfactual".into()],
            ),
            _ => (
                "Difference",
                vec![
                    format!("counterfactual - {other}, x {:.1}", self.view.gain),
                    "gray where alike".into(),
                ],
            ),
        };
        Some(PaneOf {
            panel: Panel {
                title: title.into(),
                words,
                is_synthetic: true,
                recorded_until: (is_recorded && mode == Comparison::Wipe).then_some(self.view.edge),
                frames: (0..n).map(frame).collect::<Option<Vec<_>>>()?,
                drawn: Vec::new(),
                volumes: Vec::new(),
                strip: None,
            },
            fine: None,
        })
    }

    fn pane_of(&self, pane: Pane, n: usize) -> Option<PaneOf> {
        let drawn = self.calipers_of(pane);
        let Some(shown) = self.made.cine_of(pane) else {
            return self.source_of(n, drawn);
        };
        let title = match (pane, self.case.ef_origin) {
            (Pane::Factual, EfOrigin::Assumed) => "At an assumed EF".into(),
            _ => pane.name().to_owned(),
        };
        Some(made_pane(&shown.result, title, drawn))
    }

    /// The source as the networks see it: nothing outside the square, and the masks.
    fn source_of(&self, n: usize, mut drawn: Vec<DrawnOver>) -> Option<PaneOf> {
        let source = self.case.source.as_ref()?;
        let (_, seconds) = self.cycle();
        let frame_at = |k: usize| self.source_frame_at(seconds * k as f64 / n.max(1) as f64);
        for over in &mut drawn {
            // A frame of the recording that does not come up is none of the file's.
            let here = (0..n).find(|k| frame_at(*k) == over.frame);
            over.frame = here.unwrap_or(usize::MAX);
        }
        let frames = (0..n).map(|k| {
            let at = frame_at(k);
            let levels = self.gray(Pane::Source, at)?;
            Some(Frame {
                width: SIDE,
                height: SIDE,
                pixels: Pixels::Gray(levels.into_owned()),
            })
        });
        let ef = EfPercent::measured(self.case.factual_ef).get();
        let words = match self.case.ef_origin {
            EfOrigin::Given => vec![format!("EF {ef:.0}%")],
            EfOrigin::Measured => vec![format!("measured EF {ef:.0}%")],
            EfOrigin::Assumed => vec!["EF not known".into()],
        };
        Some(PaneOf {
            panel: Panel {
                title: Pane::Source.name().into(),
                words,
                is_synthetic: !source.is_recorded(),
                recorded_until: None,
                frames: frames.collect::<Option<Vec<_>>>()?,
                drawn,
                volumes: Vec::new(),
                strip: None,
            },
            fine: None,
        })
    }
}

/// A generated cine with its words.
fn made_pane(made: &Generated, title: String, drawn: Vec<DrawnOver>) -> PaneOf {
    let p = &made.provenance;
    // Of glyphs that the font has.
    let percent = |ef: f64| format!("{:.0}%", EfPercent::measured(ef).get());
    let mut words = vec![format!("asked EF {}", percent(p.requested_ef_percent))];
    words.extend(
        p.conditioning_ef_percent
            .map(|ef| format!("calibrated, conditioned on {}", percent(ef))),
    );
    words.extend(
        p.outline_ef_percent
            .map(|ef| format!("outline EF {}", percent(ef))),
    );
    words.push(format!("measured EF {}", percent(p.measured_ef_percent)));
    if p.best_of > 1 {
        words.push(format!("closest of {}", p.best_of));
    }
    let video = &made.cine.video;
    PaneOf {
        panel: Panel {
            title,
            words,
            is_synthetic: true,
            recorded_until: None,
            frames: (0..video.frames).map(|k| video.gray_frame(k)).collect(),
            drawn,
            volumes: p.volumes.clone().unwrap_or_default(),
            strip: None,
        },
        fine: Some(made.cine.clone()),
    }
}

/// The first to the left of an edge, the second to its right; the edge is white.
fn wiped(left: &[u8], right: &[u8], edge: f32) -> Vec<u8> {
    let edge = (edge * SIDE as f32) as usize;
    let pixels = left.iter().zip(right).enumerate();
    pixels
        .map(|(i, (left, right))| match (i % SIDE).cmp(&edge) {
            Ordering::Less => *left,
            Ordering::Equal => u8::MAX,
            Ordering::Greater => *right,
        })
        .collect()
}

/// The second less the first so many times over, as gray files can say it: middle gray where they are alike.
fn difference(first: &[u8], second: &[u8], gain: f32) -> Vec<u8> {
    let level = |(a, b): (&u8, &u8)| {
        let by = gain * (f32::from(*b) - f32::from(*a));
        (127.5 + by).round().clamp(0.0, 255.0) as u8
    };
    first.iter().zip(second).map(level).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wipe_is_of_both_and_a_difference_has_its_sign() {
        let (dark, light) = ([10; SIDE * SIDE], [90; SIDE * SIDE]);
        let row = &wiped(&dark, &light, 0.5)[..SIDE];
        assert_eq!([row[0], row[55], row[56], row[57]], [10, 10, 255, 90]);
        assert_eq!(
            difference(&[50, 50, 50, 0], &[50, 60, 40, 255], 2.0),
            [128, 148, 108, 255]
        );
    }
}
