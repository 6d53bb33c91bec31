use super::Work;
use crate::clip::Pixels;
use crate::media::mark::place;
use mp4::{AvcConfig, Bytes, Mp4Config, Mp4Sample, Mp4Writer, TrackConfig};
use openh264::OpenH264API;
use openh264::encoder::{
    BitRate, Encoder, EncoderConfig, FrameRate, IntraFramePeriod, QpRange, RateControlMode,
    VuiConfig,
};
use openh264::formats::YUVSource;
use std::io::Cursor;

/// Ticks a second.
const TIMESCALE: u32 = 90_000;
/// Quantiser: what a viewer does not see of 8-bit gray.
const FINE: QpRange = QpRange::new(8, 16);

/// MP4 with H.264 in the full range of luminance, every frame decodable alone, the mark in XMP.
pub fn encode(work: &Work<'_>) -> Result<Vec<u8>, String> {
    let why = |e: mp4::Error| e.to_string();
    let (mut sets, mut coded) = (Sets::default(), Vec::new());
    let mut encoder = encoder(work)?;
    for frame in work.frames {
        let Pixels::Gray(pixels) = &frame.pixels else {
            continue;
        };
        let luma = Luma::of(pixels, work.width, work.height);
        let stream = encoder.encode(&luma).map_err(|e| e.to_string())?.to_vec();
        coded.push(sets.take(&stream));
    }
    let track = TrackConfig::from(AvcConfig {
        width: even(work.width) as u16,
        height: even(work.height) as u16,
        seq_param_set: sets.sequence.ok_or("the encoder gave no header")?,
        pic_param_set: sets.picture.ok_or("the encoder gave no header")?,
    });
    let track = TrackConfig {
        timescale: TIMESCALE,
        ..track
    };
    let brand = |name: &[u8; 4]| (*name).into();
    let config = Mp4Config {
        major_brand: brand(b"isom"),
        minor_version: 512,
        compatible_brands: [b"isom", b"iso2", b"avc1", b"mp41"].map(brand).to_vec(),
        timescale: TIMESCALE,
    };
    let mut writer = Mp4Writer::write_start(Cursor::new(Vec::new()), &config).map_err(why)?;
    writer.add_track(&track).map_err(why)?;
    let duration = (work.rate.frame_ms() * f64::from(TIMESCALE) / 1000.0).round() as u32;
    for (i, bytes) in coded.into_iter().enumerate() {
        let sample = Mp4Sample {
            start_time: i as u64 * u64::from(duration),
            duration,
            rendering_offset: 0,
            is_sync: true,
            bytes: Bytes::from(bytes),
        };
        writer.write_sample(1, &sample).map_err(why)?;
    }
    writer.write_end().map_err(why)?;
    let mut file = writer.into_writer().into_inner();
    let packet = work.mark.to_xmp();
    file.extend((24 + packet.len() as u32).to_be_bytes());
    file.extend(b"uuid");
    file.extend(place::MP4_XMP);
    file.extend(packet.as_bytes());
    Ok(file)
}

fn encoder(work: &Work<'_>) -> Result<Encoder, String> {
    let config = EncoderConfig::new()
        .skip_frames(false)
        .rate_control_mode(RateControlMode::Bufferbased)
        .bitrate(BitRate::from_bps(8_000_000))
        .qp(FINE)
        .max_frame_rate(FrameRate::from_hz(work.rate.fps() as f32))
        .intra_frame_period(IntraFramePeriod::from_num_frames(1))
        .vui(VuiConfig::bt601().full_range(true));
    Encoder::with_api_config(OpenH264API::from_source(), config).map_err(|e| e.to_string())
}

fn even(n: usize) -> usize {
    n + n % 2
}

/// Luminance with an even width and height, and neutral colour.
struct Luma {
    width: usize,
    height: usize,
    y: Vec<u8>,
    neutral: Vec<u8>,
}

impl Luma {
    fn of(pixels: &[u8], width: usize, height: usize) -> Self {
        let (w, h) = (even(width), even(height));
        let mut y = vec![0; w * h];
        for (to, from) in y.chunks_exact_mut(w).zip(pixels.chunks_exact(width)) {
            to[..width].copy_from_slice(from);
        }
        Self {
            width: w,
            height: h,
            y,
            neutral: vec![128; w / 2 * (h / 2)],
        }
    }
}

impl YUVSource for Luma {
    fn dimensions(&self) -> (usize, usize) {
        (self.width, self.height)
    }
    fn strides(&self) -> (usize, usize, usize) {
        (self.width, self.width / 2, self.width / 2)
    }
    fn y(&self) -> &[u8] {
        &self.y
    }
    fn u(&self) -> &[u8] {
        &self.neutral
    }
    fn v(&self) -> &[u8] {
        &self.neutral
    }
}

/// The parameter sets, which MP4 keeps apart from the frames.
#[derive(Default)]
struct Sets {
    sequence: Option<Vec<u8>>,
    picture: Option<Vec<u8>>,
}

impl Sets {
    /// Takes the sets out of a stream with start codes; the rest comes back with lengths.
    fn take(&mut self, stream: &[u8]) -> Vec<u8> {
        let mut sample = Vec::with_capacity(stream.len());
        for unit in openh264::nal_units(stream) {
            let code = if unit.starts_with(&[0, 0, 0, 1]) {
                4
            } else {
                3
            };
            let unit = unit.get(code..).unwrap_or_default();
            match unit.first().map(|b| b & 0x1f) {
                Some(7) => self.sequence = Some(unit.to_vec()),
                Some(8) => self.picture = Some(unit.to_vec()),
                Some(_) => {
                    sample.extend((unit.len() as u32).to_be_bytes());
                    sample.extend(unit);
                }
                None => {}
            }
        }
        sample
    }
}
