//! Colours as the attributes name them and as a picture shows them (PS3.3 C.7.6.3.1.2).

use super::shape::Shape;

/// Levels within which a pixel counts as gray.
const NEAR: u8 = 4;

/// The colour space of the same name with a sample of each component for every pixel.
pub fn full_range(photometric: &str) -> &'static str {
    match photometric {
        "YBR_PARTIAL_422" | "YBR_PARTIAL_420" | "YBR_PARTIAL" => "YBR_PARTIAL",
        p if p.starts_with("YBR") => "YBR_FULL",
        _ => "RGB",
    }
}

/// The colour space that 8-bit interleaved samples are in, by what they show: an ultrasound picture is
/// mostly gray, and gray is three equal levels in RGB, and 128 twice beside luminance. `label`
/// where the picture does not say.
pub fn seen<'a>(bytes: &[u8], shape: &Shape, label: &'a str) -> &'a str {
    if shape.bits_allocated != 8 || shape.samples != 3 {
        return label;
    }
    let (pixels, _) = bytes.as_chunks::<3>();
    let (mut as_rgb, mut as_ybr) = (0usize, 0usize);
    for &[a, b, c] in pixels {
        let rgb = a.abs_diff(b) <= NEAR && b.abs_diff(c) <= NEAR && a.abs_diff(c) <= NEAR;
        let ybr = b.abs_diff(128) <= NEAR && c.abs_diff(128) <= NEAR;
        // Mid-gray is both.
        as_rgb += usize::from(rgb && !ybr);
        as_ybr += usize::from(ybr && !rgb);
    }
    let most = |n: usize, other: usize| 2 * n > pixels.len() && n > 4 * other;
    match (most(as_rgb, as_ybr), most(as_ybr, as_rgb)) {
        (true, _) if label != "RGB" => "RGB",
        (_, true) if label == "RGB" => "YBR_FULL",
        _ => label,
    }
}

/// Full-range YCbCr.
pub fn from_full([y, cb, cr]: [u8; 3]) -> [u8; 3] {
    let (y, cb, cr) = (f32::from(y), f32::from(cb) - 128.0, f32::from(cr) - 128.0);
    [
        y + 1.402 * cr,
        y - 0.344_136 * cb - 0.714_136 * cr,
        y + 1.772 * cb,
    ]
    .map(|v| v.round().clamp(0.0, 255.0) as u8)
}

/// YCbCr of video: luminance from 16 to 235, colour differences from 16 to 240.
pub fn from_partial([y, cb, cr]: [u8; 3]) -> [u8; 3] {
    let y = (f32::from(y) - 16.0) * (255.0 / 219.0);
    let [cb, cr] = [cb, cr].map(|c| (f32::from(c) - 128.0) * (255.0 / 224.0));
    [
        y + 1.402 * cr,
        y - 0.344_136 * cb - 0.714_136 * cr,
        y + 1.772 * cb,
    ]
    .map(|v| v.round().clamp(0.0, 255.0) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn video_range_reaches_black_and_white() {
        assert_eq!(from_partial([16, 128, 128]), [0; 3]);
        assert_eq!(from_partial([235, 128, 128]), [255; 3]);
        assert_eq!(from_full([235, 128, 128]), [235; 3]);
        // Red of BT.601 in video range.
        let [r, g, b] = from_partial([81, 90, 240]);
        assert!(r >= 253 && g <= 2 && b <= 2, "{r} {g} {b}");
    }
}
