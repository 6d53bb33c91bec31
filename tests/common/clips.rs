//! Clips that tests of studies draw: they look like no heart, and differ as tests want them to.

use std::path::Path;

/// How the clips of a class are drawn.
#[derive(Clone, Copy)]
pub struct Drawn {
    pub side: u16,
    pub frames: usize,
    /// Hundredths of a second a frame.
    pub delay: u16,
    pub border: u8,
    /// Between the gray levels that there are.
    pub step: u8,
    pub brighter: u8,
}

pub const USUAL: Drawn = Drawn {
    side: 112,
    frames: 48,
    delay: 4,
    border: 0,
    step: 1,
    brighter: 0,
};

/// A sector of speckle that differs from frame to frame and from clip to clip.
pub fn draw(path: &Path, which: usize, drawn: Drawn) {
    let Drawn { side, .. } = drawn;
    let palette: Vec<u8> = (0..=255).flat_map(|v| [v; 3]).collect();
    let file = std::fs::File::create(path).unwrap();
    let mut encoder = gif::Encoder::new(file, side, side, &palette).unwrap();
    encoder.set_repeat(gif::Repeat::Infinite).unwrap();
    for f in 0..drawn.frames {
        let pixel = |p: usize| {
            let (x, y) = (p % usize::from(side), p / usize::from(side));
            let (x, y) = (x as f64 / f64::from(side), y as f64 / f64::from(side));
            if (x - 0.5).abs() > 0.08 + 0.45 * y || !(0.02..0.93).contains(&y) {
                return drawn.border;
            }
            let cell = (x * 56.0) as u64 + 64 * (y * 56.0) as u64;
            let seed = cell + 7919 * f as u64 + 1_000_003 * which as u64;
            let noise = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23) >> 57;
            let level = 35 + noise as u8 + (p % 3) as u8 + drawn.brighter;
            level / drawn.step * drawn.step
        };
        let pixels: Vec<u8> = (0..usize::from(side).pow(2)).map(pixel).collect();
        let mut frame = gif::Frame::from_indexed_pixels(side, side, pixels, None);
        frame.delay = drawn.delay;
        encoder.write_frame(&frame).unwrap();
    }
}
