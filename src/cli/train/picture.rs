//! The losses of a run as a picture.

use crate::train::Step;
use embedded_graphics::mono_font::MonoTextStyle;
use embedded_graphics::mono_font::ascii::FONT_6X10;
use embedded_graphics::pixelcolor::{Rgb888, RgbColor, WebColors};
use embedded_graphics::prelude::{
    DrawTarget, Drawable, OriginDimensions, Pixel, Point, Primitive, Size,
};
use embedded_graphics::primitives::{Line, PrimitiveStyle};
use embedded_graphics::text::{Alignment, Text};
use image::{ImageFormat, RgbImage};
use std::convert::Infallible;
use std::io::Cursor;

const WIDTH: u32 = 900;
const HEIGHT: u32 = 420;
/// Left, top, right and bottom of the axes.
const AXES: [i32; 4] = [70, 20, 880, 380];
/// Points of the line: each is the mean of the steps there.
const POINTS: usize = 200;

struct Canvas(RgbImage);

impl OriginDimensions for Canvas {
    fn size(&self) -> Size {
        Size::new(WIDTH, HEIGHT)
    }
}

impl DrawTarget for Canvas {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Rgb888>>>(
        &mut self,
        pixels: I,
    ) -> Result<(), Infallible> {
        for Pixel(at, colour) in pixels {
            let inside = (0..WIDTH as i32).contains(&at.x) && (0..HEIGHT as i32).contains(&at.y);
            if inside {
                let pixel = image::Rgb([colour.r(), colour.g(), colour.b()]);
                self.0.put_pixel(at.x as u32, at.y as u32, pixel);
            }
        }
        Ok(())
    }
}

/// Means of equal parts of the run: the step in their middle, and the loss.
fn means(steps: &[Step]) -> Vec<(f64, f64)> {
    let each = steps.len().div_ceil(POINTS).max(1);
    let parts = steps.chunks(each).map(|part| {
        let n = part.len() as f64;
        let sum = |of: &dyn Fn(&Step) -> f64| part.iter().map(of).sum::<f64>() / n;
        (sum(&|s| s.step as f64), sum(&|s| s.loss))
    });
    parts.collect()
}

/// As PNG: the loss, on a logarithmic axis, over the steps.
pub fn of(steps: &[Step]) -> anyhow::Result<Vec<u8>> {
    let mut canvas = Canvas(RgbImage::from_pixel(WIDTH, HEIGHT, image::Rgb([255; 3])));
    let points: Vec<(f64, f64)> = means(steps)
        .into_iter()
        .filter(|(_, loss)| *loss > 0.0 && loss.is_finite())
        .map(|(step, loss)| (step, loss.log10()))
        .collect();
    let [left, top, right, bottom] = AXES;
    let grey = PrimitiveStyle::with_stroke(Rgb888::CSS_LIGHT_GRAY, 1);
    let text = MonoTextStyle::new(&FONT_6X10, Rgb888::CSS_DIM_GRAY);
    let low = points.iter().fold(f64::INFINITY, |m, p| m.min(p.1));
    let high = points.iter().fold(f64::NEG_INFINITY, |m, p| m.max(p.1));
    // At least a factor of two, so that little is not made to look like much.
    let (low, high) = match (high - low) < 0.301 {
        true => (0.5 * (low + high) - 0.16, 0.5 * (low + high) + 0.16),
        false => (low, high),
    };
    let last = steps.last().map_or(1.0, |s| s.step.max(1) as f64);
    let x = |step: f64| left + (f64::from(right - left) * step / last) as i32;
    let y = |log: f64| bottom - (f64::from(bottom - top) * (log - low) / (high - low)) as i32;
    let Ok(()) = (|| -> Result<(), Infallible> {
        for k in 0..=4 {
            let part = f64::from(k) / 4.0;
            let log = low + part * (high - low);
            let across = [Point::new(left, y(log)), Point::new(right, y(log))];
            Line::new(across[0], across[1])
                .into_styled(grey)
                .draw(&mut canvas)?;
            let at = Point::new(left - 6, y(log) + 3);
            let label = format!("{:.3}", 10f64.powf(log));
            Text::with_alignment(&label, at, text, Alignment::Right).draw(&mut canvas)?;
            let at = Point::new(x(part * last), bottom + 16);
            let label = format!("{:.0}", part * last);
            Text::with_alignment(&label, at, text, Alignment::Center).draw(&mut canvas)?;
        }
        let at = Point::new(left, 12);
        Text::new("loss over steps, means", at, text).draw(&mut canvas)?;
        let line = PrimitiveStyle::with_stroke(Rgb888::CSS_STEEL_BLUE, 2);
        for pair in points.windows(2) {
            let at = |p: &(f64, f64)| Point::new(x(p.0), y(p.1));
            Line::new(at(&pair[0]), at(&pair[1]))
                .into_styled(line)
                .draw(&mut canvas)?;
        }
        Ok(())
    })();
    let mut bytes = Cursor::new(Vec::new());
    canvas.0.write_to(&mut bytes, ImageFormat::Png)?;
    Ok(bytes.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_falling_loss_is_a_falling_line_and_none_is_an_empty_picture() {
        let steps: Vec<Step> = (0..1000)
            .map(|step| Step {
                step,
                loss: 10.0 * 0.995f64.powi(step as i32),
                norm: 1.0,
                step_size: 1e-3,
            })
            .collect();
        let picture = image::load_from_memory(&of(&steps).unwrap())
            .unwrap()
            .to_rgb8();
        let blue = |x: u32| {
            let is_blue = |y: &u32| picture.get_pixel(x, *y).0 == [70, 130, 180];
            (0..HEIGHT).find(is_blue).unwrap()
        };
        assert!(blue(100) + 100 < blue(800), "{} {}", blue(100), blue(800));
        assert_eq!(means(&steps).len(), POINTS);
        assert!(image::load_from_memory(&of(&[]).unwrap()).is_ok());
        assert!(image::load_from_memory(&of(&steps[..1]).unwrap()).is_ok());
    }
}
