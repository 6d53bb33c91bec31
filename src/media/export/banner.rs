//! The words that no exported picture is without.

use crate::clip::{Clip, Frame, Pixels, luminance};
use crate::media::mark::Area;
use embedded_graphics::mono_font::ascii::{FONT_4X6, FONT_6X10};
use embedded_graphics::mono_font::{MonoFont, MonoTextStyle};
use embedded_graphics::pixelcolor::{Gray8, GrayColor};
use embedded_graphics::prelude::{
    DrawTarget, Drawable, OriginDimensions, Pixel, Point, Primitive, Size,
};
use embedded_graphics::primitives::{Polyline, PrimitiveStyle};
use embedded_graphics::text::{Baseline, Text};
use std::convert::Infallible;

/// Of words, and of those in a small picture.
pub const FONT: MonoFont<'_> = FONT_6X10;
pub const SMALL_FONT: MonoFont<'_> = FONT_4X6;
const MARGIN: usize = 3;
/// The corner words keep this far from the picture's edges.
const INSET: usize = 1;
const CORNER: &str = "SYNTHETIC";

/// Frames with their words, and where in them picture and words are.
pub struct Marked {
    pub frames: Vec<Frame>,
    pub picture: Area,
    /// In the picture.
    pub words: Vec<Area>,
}

/// Adds a strip of words below gray frames, and words in their two upper corners, where the sector
/// leaves the picture black: a strip can be cut off, those only with the sector's tip.
pub fn add(clip: &Clip, lines: &[&str], right_corner: &str) -> Marked {
    let (w, h) = clip.frames.first().map_or((0, 0), |f| (f.width, f.height));
    let line = |text: &&str| size_of(&FONT, text).0;
    let width = w.max(lines.iter().map(line).max().unwrap_or(0) + 2 * MARGIN);
    let (_, glyph) = size_of(&FONT, "X");
    let height = h + lines.len() * (glyph + MARGIN) + MARGIN;
    let x = (width - w) / 2;
    let mut strip = Canvas::black(width, height);
    for (i, text) in lines.iter().enumerate() {
        let left = (width - line(text)) / 2;
        strip.write(&FONT, left, h + MARGIN + i * (glyph + MARGIN), text);
    }
    // Without words for the right corner there are no black corners.
    let corners = [(CORNER, false), (right_corner, true)];
    match right_corner {
        "" => painted(clip, &strip, x, &[]),
        _ => painted(clip, &strip, x, &corners),
    }
}

/// The word alone, in the upper left corner: frames keep their size, and nothing in them tells of the cine, which a
/// network that learns from them could read.
pub fn corner(clip: &Clip) -> Marked {
    let (w, h) = clip.frames.first().map_or((0, 0), |f| (f.width, f.height));
    painted(clip, &Canvas::black(w, h), 0, &[(CORNER, false)])
}

/// Frames on a canvas at `x`, with words in their upper corners, the left or the right, where they fit.
fn painted(clip: &Clip, strip: &Canvas, x: usize, corners: &[(&str, bool)]) -> Marked {
    let (w, h) = clip.frames.first().map_or((0, 0), |f| (f.width, f.height));
    let (width, height) = (strip.width, strip.height);
    let mut words: Vec<(Area, &str)> = Vec::new();
    for &(text, on_the_right) in corners {
        let (tw, th) = size_of(&SMALL_FONT, text);
        if !text.is_empty() && 2 * (tw + INSET) < w && th + INSET < h {
            let left = if on_the_right { w - INSET - tw } else { INSET };
            words.push(([left, INSET, tw, th], text));
        }
    }
    let frames = clip.frames.iter().map(|frame| {
        let mut canvas = strip.clone();
        for row in 0..h {
            for column in 0..w {
                canvas.pixels[row * width + x + column] = gray(frame.rgb(column, row));
            }
        }
        for &([left, top, tw, th], text) in &words {
            for row in top..top + th {
                canvas.pixels[row * width + x + left..][..tw].fill(0);
            }
            canvas.write(&SMALL_FONT, x + left, top, text);
        }
        Frame {
            width,
            height,
            pixels: Pixels::Gray(canvas.pixels),
        }
    });
    Marked {
        frames: frames.collect(),
        picture: [x, 0, w, h],
        words: words.iter().map(|(area, _)| *area).collect(),
    }
}

fn gray([r, g, b]: [u8; 3]) -> u8 {
    if r == g && g == b {
        return r;
    }
    luminance(r.into(), g.into(), b.into()).round() as u8
}

/// Width and height of a line of text.
pub fn size_of(font: &MonoFont<'_>, text: &str) -> (usize, usize) {
    let glyph = font.character_size;
    let width = text.chars().count() * glyph.width as usize;
    (width, glyph.height as usize)
}

/// Gray levels to draw on.
#[derive(Clone)]
pub struct Canvas {
    pixels: Vec<u8>,
    width: usize,
    height: usize,
}

impl Canvas {
    pub fn black(width: usize, height: usize) -> Self {
        Self {
            pixels: vec![0; width * height],
            width,
            height,
        }
    }

    pub fn width(&self) -> usize {
        self.width
    }

    pub fn height(&self) -> usize {
        self.height
    }

    pub fn into_pixels(self) -> Vec<u8> {
        self.pixels
    }

    /// Levels from left to right, which must fit.
    pub fn row(&mut self, left: usize, top: usize, levels: &[u8]) {
        let start = top * self.width + left;
        self.pixels[start..start + levels.len()].copy_from_slice(levels);
    }

    /// A dark rectangle for words, cut at the borders.
    pub fn plate(&mut self, left: usize, top: usize, width: usize, height: usize) {
        let right = (left + width).min(self.width);
        for row in top..(top + height).min(self.height) {
            self.pixels[row * self.width + left.min(right)..row * self.width + right].fill(0);
        }
    }

    /// A line through points, cut at the borders.
    pub fn line(&mut self, points: &[[i32; 2]], level: u8) {
        let style = PrimitiveStyle::with_stroke(Gray8::new(level), 1);
        let points: Vec<Point> = points.iter().map(|&[x, y]| Point::new(x, y)).collect();
        // A drawing that cannot fail.
        let Ok(()) = Polyline::new(&points).into_styled(style).draw(self);
    }

    pub fn write(&mut self, font: &MonoFont<'_>, left: usize, top: usize, text: &str) {
        let style = MonoTextStyle::new(font, Gray8::WHITE);
        let at = Point::new(left as i32, top as i32);
        // A drawing that cannot fail.
        let Ok(_) = Text::with_baseline(text, at, style, Baseline::Top).draw(self);
    }
}

impl OriginDimensions for Canvas {
    fn size(&self) -> Size {
        Size::new(self.width as u32, self.height as u32)
    }
}

impl DrawTarget for Canvas {
    type Color = Gray8;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Gray8>>>(
        &mut self,
        pixels: I,
    ) -> Result<(), Infallible> {
        for Pixel(at, colour) in pixels {
            let (Ok(x), Ok(y)) = (usize::try_from(at.x), usize::try_from(at.y)) else {
                continue;
            };
            if x < self.width && y < self.height {
                self.pixels[y * self.width + x] = colour.luma();
            }
        }
        Ok(())
    }
}
