use super::Work;
use crate::clip::{Frame, Pixels};
use crate::media::mark::place;
use png::{BitDepth, ColorType, Encoder, EncodingError};

/// The keyword that XMP has in PNG.
const XMP: &str = "XML:com.adobe.xmp";

/// A lossless animated PNG of 8-bit gray, looping, with mark and XMP as its texts.
pub fn encode(work: &Work<'_>) -> Result<Vec<u8>, String> {
    picture(work, work.frames).map_err(|e| e.to_string())
}

/// One frame or several as PNG.
pub fn picture(work: &Work<'_>, frames: &[Frame]) -> Result<Vec<u8>, EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, work.width as u32, work.height as u32);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(BitDepth::Eight);
    encoder.add_itxt_chunk(place::PNG.into(), work.mark.to_json())?;
    encoder.add_itxt_chunk(XMP.into(), work.mark.to_xmp())?;
    if frames.len() > 1 {
        encoder.set_animated(frames.len() as u32, 0)?;
        // In ten-thousandths of a second, as near as two bytes allow.
        let per_frame = (work.rate.frame_ms() * 10.0).round().clamp(1.0, 65_535.0);
        encoder.set_frame_delay(per_frame as u16, 10_000)?;
    }
    let mut writer = encoder.write_header()?;
    for frame in frames {
        if let Pixels::Gray(pixels) = &frame.pixels {
            writer.write_image_data(pixels)?;
        }
    }
    writer.finish()?;
    Ok(bytes)
}
