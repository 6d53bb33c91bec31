//! A picture of what a cascade made of the first anatomies.

use crate::clip::{Frame, Pixels};
use crate::engine::{Generated, Provenance};
use crate::media::export;
use crate::media::region::{Anatomy, SIDE};
use anyhow::Context;
use std::path::Path;

/// Frames of the first anatomies, at end-diastole and end-systole.
#[derive(Default)]
pub(super) struct Sheet {
    rows: Vec<Vec<Frame>>,
    provenance: Option<Provenance>,
}

/// Pixels of the sheet along one of a frame.
const ENLARGED: usize = 2;

impl Sheet {
    pub(super) fn add(&mut self, anatomy: &Anatomy, made: &[Generated]) {
        let mut tiles = vec![tile(&anatomy.gray_bytes(), &[])];
        for cine in made {
            let p = &cine.provenance;
            for frame in [
                p.ed_frame.unwrap_or(0),
                p.es_frame.unwrap_or(cine.cine.video.frames / 3),
            ] {
                let Pixels::Gray(levels) = cine.cine.video.gray_frame(frame).pixels else {
                    continue;
                };
                let share = frame as f64 / cine.cine.video.frames.max(1) as f64;
                let beating = cine.cine.beating.as_ref();
                tiles.push(tile(
                    &levels,
                    &beating.map_or(Vec::new(), |b| b.outline_at(share)),
                ));
            }
        }
        self.rows.push(tiles);
        self.provenance = made.first().map(|m| m.provenance.clone());
    }

    pub(super) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let provenance = self
            .provenance
            .as_ref()
            .context("Nothing was made to be shown.")?;
        let side = ENLARGED * SIDE;
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let (width, height) = (columns * side, self.rows.len() * side);
        let mut pixels = vec![0u8; width * height];
        for (r, row) in self.rows.iter().enumerate() {
            for (c, tile) in row.iter().enumerate() {
                for y in 0..side {
                    for x in 0..side {
                        pixels[(r * side + y) * width + c * side + x] = tile.rgb(x, y)[0];
                    }
                }
            }
        }
        let frame = Frame {
            width,
            height,
            pixels: Pixels::Gray(pixels),
        };
        let words = "Anatomy, then each EF at end-diastole and end-systole";
        let picture = export::Picture {
            frame: &frame,
            words: &[words.into()],
            provenance,
            rungs: &[],
            anatomy: None,
        };
        export::write_picture(&picture, path)?;
        Ok(())
    }
}

/// A frame, enlarged, with an outline in shares of the picture.
fn tile(levels: &[u8], outline: &[[f32; 2]]) -> Frame {
    let side = ENLARGED * SIDE;
    let level = |x: usize, y: usize| levels.get(y * SIDE + x).copied().unwrap_or(0);
    let mut pixels: Vec<u8> = (0..side * side)
        .map(|i| level(i % side / ENLARGED, i / side / ENLARGED))
        .collect();
    let ends = outline.iter().zip(outline.iter().cycle().skip(1));
    for (a, b) in ends {
        const STEPS: usize = 8;
        for k in 0..STEPS {
            let share = k as f32 / STEPS as f32;
            let at = [0, 1].map(|i| ((a[i] + share * (b[i] - a[i])) * side as f32) as usize);
            if let Some(pixel) = pixels.get_mut(at[1] * side + at[0].min(side - 1)) {
                *pixel = 255;
            }
        }
    }
    Frame {
        width: side,
        height: side,
        pixels: Pixels::Gray(pixels),
    }
}
