//! Several cines side by side in one file: each marked for what it is, with its words below it.

use super::banner::{self, Canvas, FONT, SMALL_FONT, size_of};
use super::{Format, Work, beside, encode};
use crate::clip::{Clip, Frame, FrameRate, Pixels};
use crate::media::Error;
use crate::media::mark::{COMPOSITE_TYPE, Mark};
use crate::media::region::Anatomy;
use crate::provenance::{Part, Provenance};
use image::imageops::{FilterType, resize};
use image::{GrayImage, Luma};
use std::path::{Path, PathBuf};

/// One of the pictures.
pub struct Panel {
    /// Above its words.
    pub title: String,
    pub words: Vec<String>,
    /// Else it is recorded, and says so.
    pub is_synthetic: bool,
    /// Of one that is synthetic but for what lies to the left of this share of its width: that is recorded.
    pub recorded_until: Option<f32>,
    /// Gray, square, of one size; as many as the others have.
    pub frames: Vec<Frame>,
    pub drawn: Vec<Drawn>,
    /// Volumes over the beat, shares of the greatest; none where nobody knows.
    pub volumes: Vec<f64>,
    /// An M-mode's strip, gray: a column a time of the loop.
    pub strip: Option<Frame>,
}

/// What a person drew on a picture, with what it says.
pub struct Drawn {
    /// In shares of the picture.
    pub points: Vec<[f32; 2]>,
    pub is_closed: bool,
    /// The frame that it was drawn on; pale on the others.
    pub frame: usize,
    pub words: Vec<String>,
}

/// Side by side, from left to right.
pub struct Panes<'a> {
    pub panels: &'a [Panel],
    /// Side of a picture in pixels.
    pub side: usize,
    /// Whether the volumes stand below, with the time in them.
    pub with_volumes: bool,
    pub rate: FrameRate,
    pub beat_normalised: bool,
    /// Of a picture instead of a cine: which of the frames.
    pub at: Option<usize>,
    /// How the cine was made that an export of it is repeated from.
    pub provenance: &'a Provenance,
    /// How each of the synthetic ones was made.
    pub rungs: &'a [Provenance],
    /// `None` leaves it out of the sidecar.
    pub anatomy: Option<&'a Anatomy>,
}

/// Sizes of a picture that can be chosen, in 112ths of its side.
pub const SCALES: std::ops::RangeInclusive<usize> = 1..=6;
const GAP: usize = 6;
/// Height of the volumes.
const CURVE: usize = 60;
/// Levels of a curve, of what was drawn on another frame, of what divides.
const WHITE: u8 = 255;
const PALE: u8 = 110;
const FAINT: u8 = 60;

/// Writes the cine and its sidecar; its path. Never DICOM: what was drawn on a synthetic picture must not look as if
/// it had been measured on a patient.
///
/// # Errors
/// When the name says no format, or DICOM; when a file cannot be written. Nothing is left half-written.
pub fn write_panes(panes: &Panes<'_>, path: &Path) -> Result<PathBuf, Error> {
    // One frame is an animated PNG of one, which every program shows.
    let format = match panes.at {
        Some(_) => Format::Apng,
        None => Format::of(path)?,
    };
    let fail = |why: String| Error::Write {
        path: path.to_owned(),
        why,
    };
    if format == Format::Dicom {
        let why = "several pictures side by side are no DICOM: choose GIF, AVI or another format";
        return Err(fail(why.into()));
    }
    let clip = Clip {
        frames: panes.frames(),
        rate: Some(panes.rate),
        beat_normalised: panes.beat_normalised,
    };
    let recorded = panes.panels.iter().any(|p| !p.is_synthetic);
    let line = match recorded {
        true => "SYNTHETIC, NOT A SCAN, but for what says RECORDED",
        false => "SYNTHETIC, NOT A SCAN",
    };
    // Each picture has its own words.
    let marked = banner::add(&clip, &[line], "");
    let mut mark = Mark::new(
        marked.picture,
        Vec::new(),
        panes.beat_normalised,
        panes.rate,
        Part::Counterfactual,
        panes.provenance.clone(),
    );
    mark.rungs = panes.rungs.to_vec();
    if recorded {
        mark.digital_source_type = COMPOSITE_TYPE.into();
    }
    let work = Work::of(&marked.frames, panes.rate, &mark).map_err(fail)?;
    encode(&work, format, path)?;
    beside(path, mark, panes.anatomy, clip.frames.len())
}

impl Panes<'_> {
    fn frames(&self) -> Vec<Frame> {
        let n = self.panels.iter().map(|p| p.frames.len()).max();
        match self.at {
            Some(k) => vec![self.frame(k, n.unwrap_or(1))],
            None => {
                let n = n.unwrap_or(0);
                (0..n).map(|k| self.frame(k, n)).collect()
            }
        }
    }

    /// Frame `k` of so many.
    fn frame(&self, k: usize, n: usize) -> Frame {
        let (_, glyph) = size_of(&FONT, "X");
        let lines = self.panels.iter().map(|p| 1 + p.words.len()).max();
        let words = lines.unwrap_or(0) * (glyph + 2) + GAP;
        let curve = if self.has_curve() { CURVE + GAP } else { 0 };
        let columns: Vec<usize> = self.panels.iter().map(|p| self.column(p)).collect();
        let width = columns.iter().sum::<usize>() + GAP * columns.len().saturating_sub(1);
        let strips = if self.has_strips() {
            self.side / 2 + GAP
        } else {
            0
        };
        let mut canvas = Canvas::black(width, self.side + words + strips + curve);
        let mut left = 0;
        for (panel, column) in self.panels.iter().zip(&columns) {
            let at = left + (column - self.side) / 2;
            self.picture(&mut canvas, panel, at, k);
            let title = std::iter::once(&panel.title);
            for (i, text) in title.chain(&panel.words).enumerate() {
                let top = self.side + GAP / 2 + i * (glyph + 2);
                canvas.write(&FONT, at, top, text);
            }
            if let Some(strip) = &panel.strip {
                self.strip(
                    &mut canvas,
                    strip,
                    [at, self.side + words],
                    k as f64 / n.max(1) as f64,
                );
            }
            left += column + GAP;
        }
        if self.has_curve() {
            self.curves(&mut canvas, self.side + words + strips, k);
        }
        Frame {
            width,
            height: canvas.height(),
            pixels: Pixels::Gray(canvas.into_pixels()),
        }
    }

    /// The width of a picture, or of its words where those are wider.
    fn column(&self, panel: &Panel) -> usize {
        let title = std::iter::once(&panel.title);
        let words = title.chain(&panel.words).map(|t| size_of(&FONT, t).0);
        words.max().unwrap_or(0).max(self.side)
    }

    fn picture(&self, canvas: &mut Canvas, panel: &Panel, left: usize, k: usize) {
        // One that has fewer frames, as a still has, stays at its last.
        let Some(frame) = panel.frames.get(k).or(panel.frames.last()) else {
            return;
        };
        let scaled = enlarged(frame, self.side);
        for (row, levels) in scaled.chunks_exact(self.side).enumerate() {
            canvas.row(left, row, levels);
        }
        for drawn in &panel.drawn {
            let level = if drawn.frame == k { WHITE } else { PALE };
            let place = |p: &[f32; 2]| {
                let at = |share: f32| (share * self.side as f32) as i32;
                [left as i32 + at(p[0]), at(p[1])]
            };
            let mut points: Vec<[i32; 2]> = drawn.points.iter().map(place).collect();
            let last = points.last().copied();
            if drawn.is_closed {
                points.extend(points.first().copied());
            }
            canvas.line(&points, level);
            let Some([x, y]) = last else { continue };
            for (i, text) in drawn.words.iter().enumerate() {
                let (w, h) = size_of(&FONT, text);
                let right = left + self.side;
                let x = (x.max(0) as usize + 4).min(right.saturating_sub(w));
                let y = (y.max(0) as usize + i * h).min(self.side.saturating_sub(h));
                canvas.plate(x, y, w, h);
                canvas.write(&FONT, x, y, text);
            }
        }
        let font = if self.side > 200 { &FONT } else { &SMALL_FONT };
        let mut tag = |text: &str, at: fn(usize, usize) -> usize| {
            let (w, h) = size_of(font, text);
            let (x, top) = (left + at(self.side, w), self.side.saturating_sub(h + 1));
            canvas.plate(x, top, w, h);
            canvas.write(font, x, top, text);
        };
        let at_left = |_, _| 1;
        match (panel.recorded_until, panel.is_synthetic) {
            // A part of which nothing is seen says nothing.
            (Some(edge), _) => {
                if edge > 0.0 {
                    tag("RECORDED", at_left);
                }
                if edge < 1.0 {
                    tag("SYNTHETIC", |side, w| side.saturating_sub(w + 1));
                }
            }
            (None, true) => tag("SYNTHETIC", at_left),
            (None, false) => tag("RECORDED", at_left),
        }
    }

    fn has_strips(&self) -> bool {
        self.panels.iter().any(|p| p.strip.is_some())
    }

    /// A strip under its picture, as wide as that, and where in it the loop is.
    fn strip(&self, canvas: &mut Canvas, strip: &Frame, [left, top]: [usize; 2], share: f64) {
        let (width, height) = (self.side, self.side / 2);
        let (w, h) = (width as u32, height as u32);
        let levels = resize(&gray(strip), w, h, FilterType::Triangle).into_raw();
        for (row, levels) in levels.chunks_exact(width).enumerate() {
            canvas.row(left, top + row, levels);
        }
        let x = (left + (share * width as f64) as usize) as i32;
        canvas.line(&[[x, top as i32], [x, (top + height) as i32]], WHITE);
    }

    fn has_curve(&self) -> bool {
        self.with_volumes && self.panels.iter().any(|p| p.volumes.len() > 1)
    }

    /// The volumes over the beat, the last panel's brightest, and where the beat is.
    fn curves(&self, canvas: &mut Canvas, top: usize, k: usize) {
        let (width, known) = (canvas.width(), self.panels.iter());
        let known: Vec<&Panel> = known.filter(|p| p.volumes.len() > 1).collect();
        let n = known.iter().map(|p| p.volumes.len()).max().unwrap_or(1);
        let x = |k: usize, n: usize| (k * (width - 1) / n.max(1)) as i32;
        let at = x(k, n);
        canvas.line(&[[at, top as i32], [at, (top + CURVE) as i32]], FAINT);
        for (i, panel) in known.iter().enumerate() {
            let n = panel.volumes.len();
            let y = |k: usize| {
                let share = panel.volumes.get(k % n).copied().unwrap_or_default();
                (top + CURVE) as i32 - (share.clamp(0.0, 1.0) * (CURVE - 2) as f64) as i32
            };
            let points: Vec<[i32; 2]> = (0..=n).map(|k| [x(k, n), y(k)]).collect();
            let level = if i + 1 == known.len() { WHITE } else { PALE };
            canvas.line(&points, level);
        }
        canvas.write(&SMALL_FONT, 2, top, "volume of the left ventricle");
    }
}

fn gray(frame: &Frame) -> GrayImage {
    GrayImage::from_fn(frame.width as u32, frame.height as u32, |x, y| {
        Luma([frame.rgb(x as usize, y as usize)[0]])
    })
}

/// Gray levels of a square at another side: bicubic when enlarging, else by area.
fn enlarged(frame: &Frame, side: usize) -> Vec<u8> {
    let picture = gray(frame);
    let filter = match frame.width < side {
        true => FilterType::CatmullRom,
        false => FilterType::Triangle,
    };
    match frame.width == side {
        true => picture.into_raw(),
        false => resize(&picture, side as u32, side as u32, filter).into_raw(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn panel(is_synthetic: bool) -> Panel {
        let frame = |level| Frame {
            width: 112,
            height: 112,
            pixels: Pixels::Gray(vec![level; 112 * 112]),
        };
        Panel {
            title: "Counterfactual".into(),
            words: vec!["asked EF 30%".into(), "got EF 31%".into()],
            is_synthetic,
            recorded_until: None,
            frames: vec![frame(40), frame(50)],
            drawn: vec![Drawn {
                points: vec![[0.2, 0.5], [0.8, 0.5]],
                is_closed: false,
                frame: 1,
                words: vec!["67.2 px".into()],
            }],
            volumes: vec![1.0, 0.5],
            strip: None,
        }
    }

    fn written(panels: &[Panel], scale: usize, name: &str) -> (Result<PathBuf, Error>, PathBuf) {
        written_at(panels, scale, name, None)
    }

    fn written_at(
        panels: &[Panel],
        scale: usize,
        name: &str,
        at: Option<usize>,
    ) -> (Result<PathBuf, Error>, PathBuf) {
        let folder = tempfile::tempdir().unwrap().keep();
        let path = folder.join(name);
        let provenance = Provenance::default();
        let panes = Panes {
            panels,
            side: 112 * scale,
            with_volumes: true,
            rate: FrameRate::new(16.0).unwrap(),
            beat_normalised: true,
            at,
            provenance: &provenance,
            rungs: &[],
            anatomy: None,
        };
        (write_panes(&panes, &path), path)
    }

    #[test]
    fn panes_are_marked_each_for_what_it_is_and_the_file_is_synthetic() {
        let panels = [panel(false), panel(true)];
        let (beside, path) = written(&panels, 2, "panes.gif");
        assert!(beside.unwrap().is_file());
        let opened = crate::media::open(&path).unwrap();
        let mark = opened.mark.unwrap();
        assert!(mark.synthetic && mark.digital_source_type == COMPOSITE_TYPE);
        let frames = image::open(&path).unwrap().to_luma8();
        // Two pictures of 224, and words, curve and banner below.
        assert_eq!(frames.width(), 2 * 224 + GAP as u32);
        assert!(frames.height() > 224 + CURVE as u32);
        // In the first frame the line is pale, and there are bright words in both lower corners.
        assert_eq!(frames.get_pixel(100, 112).0[0], PALE);
        assert_eq!(frames.get_pixel(100, 60).0[0], 40);
        for left in [0, 224 + GAP as u32] {
            let corner = (214..224).flat_map(|y| (left..left + 60).map(move |x| (x, y)));
            let bright = corner.filter(|&(x, y)| frames.get_pixel(x, y).0[0] == WHITE);
            assert!(bright.count() > 40, "no word at {left}");
        }
        std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }

    #[test]
    fn a_wipe_says_of_each_side_what_it_is() {
        let bright_in_corners = |edge: f32| {
            let wipe = Panel {
                recorded_until: Some(edge),
                ..panel(true)
            };
            let (beside, path) = written(&[panel(false), wipe], 2, "wipe.gif");
            beside.unwrap();
            let frames = image::open(&path).unwrap().to_luma8();
            let left = 224 + GAP as u32;
            let found = [left, left + 224 - 60].map(|left| {
                let corner = (214..224).flat_map(|y| (left..left + 60).map(move |x| (x, y)));
                let bright = corner.filter(|&(x, y)| frames.get_pixel(x, y).0[0] == WHITE);
                bright.count() > 40
            });
            std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
            found
        };
        assert_eq!(bright_in_corners(0.5), [true, true]);
        assert_eq!(bright_in_corners(0.0), [false, true]);
        assert_eq!(bright_in_corners(1.0), [true, false]);
    }

    #[test]
    fn one_moment_with_strips_is_a_picture() {
        let strip = |level| Frame {
            width: 2,
            height: 112,
            pixels: Pixels::Gray(vec![level; 2 * 112]),
        };
        let panels = [90, 120].map(|level| Panel {
            strip: Some(strip(level)),
            ..panel(true)
        });
        let (beside, path) = written_at(&panels, 1, "moment.png", Some(1));
        beside.unwrap();
        assert!(crate::media::open(&path).unwrap().mark.unwrap().synthetic);
        let picture = image::open(&path).unwrap().to_luma8();
        // The second of both frames, and below the words its strips with the line in their middle.
        assert_eq!(picture.get_pixel(60, 20).0[0], 50);
        let column = |x: u32| (112..picture.height()).map(move |y| (x, y));
        let of = |x: u32, level: u8| {
            column(x)
                .filter(|&(x, y)| picture.get_pixel(x, y).0[0] == level)
                .count()
        };
        assert!(of(20, 90) >= 50 && of(112 + GAP as u32 + 20, 120) >= 50);
        assert!(of(56, WHITE) >= 50, "{}", of(56, WHITE));
        std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }

    #[test]
    fn panes_are_never_dicom_and_nothing_is_written_then() {
        let (refused, path) = written(&[panel(true)], 1, "panes.dcm");
        assert!(refused.unwrap_err().to_string().contains("no DICOM"));
        let folder = path.parent().unwrap();
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), 0);
        std::fs::remove_dir_all(folder).unwrap();
    }
}
