use super::Work;
use crate::clip::Pixels;
use crate::media::mark::place;
use gif::{AnyExtension, DisposalMethod, Encoder, ExtensionData, Repeat};

/// A lossless GIF of 256 grays, looping, with the mark as its comment.
pub fn encode(work: &Work<'_>) -> Result<Vec<u8>, String> {
    let (w, h) = (work.width as u16, work.height as u16);
    let palette: Vec<u8> = (0..=255u8).flat_map(|v| [v; 3]).collect();
    let mut bytes = Vec::new();
    let mut encode = || -> Result<(), gif::EncodingError> {
        let mut encoder = Encoder::new(&mut bytes, w, h, &palette)?;
        encoder.set_repeat(Repeat::Infinite)?;
        let comment = work.mark.to_json();
        let chunks: Vec<&[u8]> = comment.as_bytes().chunks(255).collect();
        encoder.write_raw_extension(AnyExtension(place::GIF), &chunks)?;
        // GIF counts in hundredths of a second.
        let delay = (work.rate.frame_ms() / 10.0).round().clamp(2.0, 6000.0) as u16;
        for frame in work.frames {
            let Pixels::Gray(pixels) = &frame.pixels else {
                continue;
            };
            let keep = DisposalMethod::Keep;
            encoder.write_extension(ExtensionData::new_control_ext(delay, keep, false, None))?;
            encoder.write_frame(&gif::Frame {
                width: w,
                height: h,
                delay,
                buffer: pixels.into(),
                ..gif::Frame::default()
            })?;
        }
        Ok(())
    };
    encode().map_err(|e| e.to_string())?;
    Ok(bytes)
}
