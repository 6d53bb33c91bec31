//! The sector in a picture: what moves, or what is lit, against a static overlay. Its square is
//! the one that the networks were trained on: the tip in the middle of the top, the arc at the
//! bottom.

use super::region::{Anatomy, SIDE, Square};
use crate::clip::{Frame, luminance};
use crate::parts::parts;
use crate::recording::Recording;
use std::sync::Arc;

/// Frames that are looked at.
const SAMPLES: usize = 6;
/// Cells along the longer side of the picture.
const CELLS: usize = 200;
/// Change of level from frame to frame that counts as motion.
const MOVES: f32 = 5.0;
/// Level that counts as lit.
const LIT: f32 = 12.0;

/// The square to begin with: of the sector inside `region` or the whole picture, else of the
/// region itself, else none.
pub fn square(recording: &Recording, region: Option<Square>) -> Option<Square> {
    let frames = sampled(recording);
    let first = frames.first()?;
    // A picture of the networks' own size has been cropped for them.
    if (first.width, first.height) == (SIDE, SIDE) && region.is_none() {
        return None;
    }
    // One that is cropped as the networks want it is left alone.
    if first.width == first.height && region.is_none() {
        let whole = Square::centred(first.width, first.height);
        let is_view = Anatomy::from_frame(first, &whole.into())
            .is_ok_and(|anatomy| anatomy.view.is_like_training());
        if is_view {
            return None;
        }
    }
    let found = find(&frames);
    let contained = |found: &Square| {
        region.is_none_or(|r| {
            let middle = [found.x + found.side / 2, found.y + found.side / 2];
            (r.x..r.x + r.side).contains(&middle[0])
                && (r.y..r.y + r.side).contains(&middle[1])
                && 10 * found.side > 6 * r.side
                && 10 * found.side < 14 * r.side
        })
    };
    found.filter(contained).or(region)
}

fn sampled(recording: &Recording) -> Vec<Arc<Frame>> {
    let n = recording.frames();
    let count = SAMPLES.min(n);
    (0..count)
        .filter_map(|k| recording.frame(k * n / count).ok())
        .collect()
}

/// The picture as cells: levels of the first frame, and how much they change.
struct Cells {
    width: usize,
    height: usize,
    /// Pixels along a cell.
    scale: usize,
    levels: Vec<f32>,
    motion: Vec<f32>,
}

impl Cells {
    fn of(frames: &[Arc<Frame>]) -> Option<Self> {
        let first = frames.first()?;
        let scale = first.width.max(first.height).div_ceil(CELLS).max(1);
        let (width, height) = (first.width / scale, first.height / scale);
        let means = |frame: &Frame| -> Vec<f32> {
            let mean = |i: usize| {
                let (x, y) = (i % width * scale, i / width * scale);
                let mut sum = 0.0;
                for k in 0..scale * scale {
                    let [r, g, b] = frame.rgb(x + k % scale, y + k / scale).map(f32::from);
                    sum += luminance(r, g, b);
                }
                sum / (scale * scale) as f32
            };
            (0..width * height).map(mean).collect()
        };
        let levels = means(first);
        let (mut low, mut high) = (levels.clone(), levels.clone());
        for frame in &frames[1..] {
            for (i, level) in means(frame).into_iter().enumerate() {
                low[i] = low[i].min(level);
                high[i] = high[i].max(level);
            }
        }
        Some(Self {
            width,
            height,
            scale,
            levels,
            motion: high.iter().zip(&low).map(|(h, l)| h - l).collect(),
        })
    }

    /// The ultrasound: for each row its first and last column. Of the parts that are lit or move, it is
    /// the one with the most motion: where only a wall or a valve moves, the rest of the sector is lit
    /// around it. Without motion it is the largest part that is lit.
    fn sector(&self) -> Option<Vec<Option<[usize; 2]>>> {
        let moving: Vec<bool> = self.motion.iter().map(|&m| m > MOVES).collect();
        let lit: Vec<bool> = self.levels.iter().map(|&l| l > LIT).collect();
        let many = moving.iter().filter(|&&m| m).count() * 25 > moving.len();
        let largest = |active: &[bool]| parts(active, self.width).into_iter().max_by_key(Vec::len);
        if !many {
            return self.rows(&largest(&self.closed(&lit))?);
        }
        let either: Vec<bool> = moving.iter().zip(&lit).map(|(&m, &l)| m || l).collect();
        let motion = |part: &Vec<usize>| part.iter().filter(|&&i| moving[i]).count();
        let whole = parts(&self.closed(&either), self.width);
        let whole = whole.into_iter().max_by_key(motion)?;
        // A picture whose background is not black is lit all over.
        if self.reaches_all_edges(&whole) {
            return self.rows(&largest(&self.closed(&moving))?);
        }
        self.rows(&whole)
    }

    /// Whether a part reaches all four edges of the picture.
    fn reaches_all_edges(&self, part: &[usize]) -> bool {
        let (w, h) = (self.width, self.height);
        let any = |is: &dyn Fn(usize, usize) -> bool| part.iter().any(|&i| is(i % w, i / w));
        any(&|x, _| x == 0)
            && any(&|x, _| x + 1 == w)
            && any(&|_, y| y == 0)
            && any(&|_, y| y + 1 == h)
    }

    /// The same without its holes.
    fn closed(&self, active: &[bool]) -> Vec<bool> {
        // Speckle and blood leave holes: a cell counts when a third of those around it do.
        let near = |i: usize| {
            let (x, y) = ((i % self.width) as isize, (i / self.width) as isize);
            let mut count = 0;
            for k in 0..25isize {
                let (nx, ny) = (x + k % 5 - 2, y + k / 5 - 2);
                let inside =
                    nx >= 0 && ny >= 0 && nx < self.width as isize && ny < self.height as isize;
                if inside && active[ny as usize * self.width + nx as usize] {
                    count += 1;
                }
            }
            count >= 8
        };
        (0..active.len()).map(near).collect()
    }

    /// For each row of a part its first and last column; `None` for a part too small to be a sector.
    fn rows(&self, part: &[usize]) -> Option<Vec<Option<[usize; 2]>>> {
        if part.len() * 20 < self.width * self.height {
            return None;
        }
        let mut rows = vec![None; self.height];
        for i in part {
            let x = i % self.width;
            let row: &mut Option<[usize; 2]> = &mut rows[i / self.width];
            let [first, last] = row.unwrap_or([x, x]);
            *row = Some([first.min(x), last.max(x)]);
        }
        Some(rows)
    }
}

/// The sector's square, where something like a sector is there.
fn find(frames: &[Arc<Frame>]) -> Option<Square> {
    let cells = Cells::of(frames)?;
    let rows = cells.sector()?;
    let top = rows.iter().position(Option::is_some)?;
    let bottom = rows.iter().rposition(Option::is_some)?;
    let height = bottom - top;
    // The sides of the sector, where they are straight.
    let straight = top + height * 12 / 100..top + height * 55 / 100;
    let edge = |side: usize| -> Option<(f32, f32)> {
        let points: Vec<(f32, f32)> = straight
            .clone()
            .filter_map(|r| Some((r as f32, (*rows.get(r)?)?[side] as f32)))
            .collect();
        line(&points)
    };
    let (left, right) = (edge(0)?, edge(1)?);
    let (top, height) = (top as f32, height as f32);
    let first: Vec<f32> = rows
        .iter()
        .flatten()
        .take((height as usize / 8).max(1))
        .map(|[a, b]| (a + b) as f32 / 2.0)
        .collect();
    let first_rows = first.iter().sum::<f32>() / first.len().max(1) as f32;
    let wedge = left.1 < -0.2 && right.1 > 0.2 && left.1 > -2.2 && right.1 < 2.2;
    let (tip_row, tip_column) = if wedge && (left.1 + right.1).abs() < 0.45 {
        // Where both sides meet; a curved probe's tip lies a little above what is lit.
        let row = (left.0 - right.0) / (right.1 - left.1);
        let column = left.0 + left.1 * row;
        // One side that fades out pulls the meeting point aside.
        if (column - first_rows).abs() < 0.08 * height {
            (row, column)
        } else {
            (row, first_rows)
        }
    } else {
        // Walls that fade out have no straight sides.
        let wide = rows.iter().flatten().map(|[a, b]| b - a).max()? as f32;
        if !(0.5..2.4).contains(&(height / wide.max(1.0))) {
            return None;
        }
        (top, first_rows)
    };
    let tip_row = tip_row.clamp(top - 0.12 * height, top + 0.03 * height);
    // The arc is deepest below the tip.
    let near = |r: &usize| {
        rows[*r].is_some_and(|[a, b]| (a as f32) <= tip_column && tip_column <= b as f32)
    };
    let arc = (0..rows.len()).rev().find(near)? as f32 + 1.0;
    let scale = cells.scale as f32;
    let side = (arc - tip_row) * scale;
    let first = frames.first()?;
    let side = (side.round() as usize).min(first.width.min(first.height));
    if side < 32 {
        return None;
    }
    let square = Square {
        x: (tip_column * scale - side as f32 / 2.0).max(0.0).round() as usize,
        y: (tip_row * scale).max(0.0).round() as usize,
        side,
    };
    Some(square.within(first.width, first.height))
}

/// Intercept and slope by the median of the slopes between points (Theil and Sen).
fn line(points: &[(f32, f32)]) -> Option<(f32, f32)> {
    let mut slopes = Vec::new();
    for (i, a) in points.iter().enumerate() {
        for b in &points[i + 1..] {
            slopes.push((b.1 - a.1) / (b.0 - a.0));
        }
    }
    let slope = median(&mut slopes)?;
    let mut intercepts: Vec<f32> = points.iter().map(|p| p.1 - slope * p.0).collect();
    Some((median(&mut intercepts)?, slope))
}

fn median(values: &mut [f32]) -> Option<f32> {
    values.sort_by(f32::total_cmp);
    values.get(values.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::{Clip, Pixels};
    use crate::hearts::simulated_heart;

    /// A simulated heart, three times as large, on an 800 x 600 screen with static overlays.
    fn screen(heart: usize) -> Recording {
        let small = simulated_heart(heart).unwrap().frame;
        let mut pixels = vec![0u8; 800 * 600];
        for y in 0..336 {
            for x in 0..336 {
                pixels[(y + 150) * 800 + x + 300] = small.rgb(x / 3, y / 3)[0];
            }
        }
        // A name at the top, a gray bar at the left, a trace below.
        for x in 40..360 {
            for y in 10..24 {
                pixels[y * 800 + x] = if (x / 5 + y / 3) % 2 == 0 { 255 } else { 0 };
            }
            pixels[(560 + x % 17) * 800 + 2 * x] = 200;
        }
        for y in 100..400 {
            pixels[y * 800 + 20..][..12].fill((y - 100) as u8 / 2);
        }
        let frame = Frame {
            width: 800,
            height: 600,
            pixels: Pixels::Gray(pixels),
        };
        Recording::of_clip(Clip::still(frame)).unwrap()
    }

    #[test]
    fn the_sector_is_found_among_overlays() {
        for heart in 0..3 {
            let square = square(&screen(heart), None).expect("a sector is there");
            let near = |v: usize, expected: usize| v.abs_diff(expected) <= 20;
            assert!(
                near(square.x, 300) && near(square.y, 150) && near(square.side, 336),
                "{square:?}"
            );
            // What is taken looks as the networks know it.
            let frame = screen(heart).frame(0).unwrap();
            let anatomy = Anatomy::from_frame(&frame, &square.into()).unwrap();
            assert!(anatomy.view.is_like_training(), "{:?}", anatomy.view);
        }
    }

    #[test]
    fn the_whole_sector_is_found_when_a_part_of_it_moves() {
        let still = screen(0).frame(0).unwrap();
        let whole = square(&screen(0), None).unwrap();
        // What moves: the left half, the lower half, or a patch in the middle; beside a clock.
        for [x0, y0, x1, y1] in [
            [300, 150, 468, 486],
            [300, 318, 636, 486],
            [390, 240, 540, 390],
        ] {
            let frames = (0..8).map(|k| {
                let Pixels::Gray(mut pixels) = still.pixels.clone() else {
                    panic!("it was made gray");
                };
                for y in y0..y1 {
                    for x in x0..x1 {
                        let lit = pixels[y * 800 + x];
                        if lit > 12 {
                            pixels[y * 800 + x] =
                                lit.saturating_add(if k % 2 == 0 { 40 } else { 0 });
                        }
                    }
                }
                for x in 700..760 {
                    pixels[30 * 800 + x..][..1].fill(if (x + k) % 3 == 0 { 255 } else { 0 });
                }
                Frame {
                    pixels: Pixels::Gray(pixels),
                    ..(*still).clone()
                }
            });
            let recording = Recording::of_clip(Clip {
                frames: frames.collect(),
                rate: None,
                beat_normalised: false,
            });
            let found = square(&recording.unwrap(), None).expect("a sector is there");
            let near = |a: usize, b: usize| a.abs_diff(b) <= 12;
            assert!(
                near(found.x, whole.x) && near(found.y, whole.y) && near(found.side, whole.side),
                "{found:?} is not {whole:?}"
            );
        }
    }

    #[test]
    fn what_is_cropped_already_stays_and_nothing_is_found_in_nothing() {
        let heart = simulated_heart(0).unwrap().frame;
        let recording = Recording::of_clip(Clip::still(heart)).unwrap();
        assert_eq!(square(&recording, None), None);
        let black = Frame {
            width: 640,
            height: 480,
            pixels: Pixels::Gray(vec![0; 640 * 480]),
        };
        let recording = Recording::of_clip(Clip::still(black)).unwrap();
        assert_eq!(square(&recording, None), None);
    }
}
