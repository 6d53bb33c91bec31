//! MP4 with H.264, decoded by OpenH264: built with the feature `mp4`.

use super::bytes::Bytes;
use super::mark::Mark;
use super::mark::place;
use super::{Error, Kind, MAX_SIDE, Opened};
use crate::clip::{Frame, FrameRate, Pixels};
use crate::recording::{FrameReader, Recording};
use h264_reader::avcc::AvcDecoderConfigurationRecord;
use h264_reader::nal::sps::SeqParameterSet;
use h264_reader::rbsp::{BitReader, decode_nal};
use mp4parse::unstable::{CheckedInteger, create_sample_table};
use mp4parse::{SampleEntry, Track, TrackType, VideoCodecSpecific, VideoSampleEntry};
use openh264::decoder::{DecodedYUV, Decoder, DecoderConfig, Flush};
use openh264::formats::YUVSource;
use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Frames of a clip; an hour at 60 a second has fewer.
const MOST_FRAMES: u64 = 300_000;
/// Bytes of one coded frame.
const MOST_CODED: u64 = 64 << 20;
/// Outermost boxes that are walked over, and bytes of an XMP packet.
const MOST_BOXES: usize = 10_000;
const MOST_XMP: u64 = 1 << 20;
/// Places in the clip that decoders stay at, for those who read it at the same time.
const DECODERS: usize = 3;
const EXPORT_AGAIN: &str = "Export it again, as AVI with Motion JPEG or as DICOM.";

pub fn open(path: &Path) -> Result<Opened, Error> {
    let undecodable = |why: &str| Error::undecodable(path, format!("{why}. {EXPORT_AGAIN}"));
    let file = std::fs::File::open(path).map_err(|e| Error::io(path, e))?;
    let bytes = Bytes::of_file(file).map_err(|e| Error::io(path, e))?;
    let mut reader = bytes.reader(0);
    let context = mp4parse::read_mp4(&mut reader).map_err(|_| undecodable("it is damaged"))?;
    drop(reader);
    let mut tracks = context.tracks.iter();
    let track = tracks
        .find(|t| t.track_type == TrackType::Video)
        .ok_or_else(|| undecodable("it has no video"))?;
    let mark = mark(&bytes).map_err(|e| Error::io(path, e))?;
    let stream = Stream::of(track, bytes).map_err(undecodable)?;
    let (n, rate) = (stream.samples.len(), stream.rate);
    let frames = Mp4Frames {
        stream,
        decoders: Mutex::default(),
    };
    let recording =
        Recording::new(n, rate, Box::new(frames)).map_err(|why| undecodable(why.as_str()))?;
    Ok(Opened {
        mark,
        ..Opened::new(recording, Kind::Mp4)
    })
}

/// The mark in XMP, by a walk over the outermost boxes.
fn mark(bytes: &Bytes) -> std::io::Result<Option<Mark>> {
    let mut at = 0;
    for _ in 0..MOST_BOXES {
        let head = bytes.at(at, 24)?;
        let (Some(length), Some(name)) = (head.first_chunk::<4>(), head.get(4..8)) else {
            break;
        };
        let length = match u32::from_be_bytes(*length) {
            0 => break,
            // The length follows, of eight bytes.
            1 => match head.get(8..16).and_then(|l| l.first_chunk::<8>()) {
                Some(long) => u64::from_be_bytes(*long),
                None => break,
            },
            length => u64::from(length),
        };
        if name == b"uuid"
            && head.get(8..24) == Some(place::MP4_XMP.as_slice())
            && length < MOST_XMP
        {
            let packet = bytes.at(at + 24, (length as usize).saturating_sub(24))?;
            return Ok(Mark::in_xmp(&packet));
        }
        at = at.saturating_add(length.max(8));
    }
    Ok(None)
}

/// A coded video.
struct Stream {
    bytes: Bytes,
    /// In the order of decoding.
    samples: Vec<Sample>,
    /// Samples that decoding can begin with, as many frames being shown before as decoded.
    starts: Vec<usize>,
    /// The parameter sets, each after a start code.
    header: Vec<u8>,
    /// Bytes of the length before each unit of a sample: 1, 2 or 4.
    length_bytes: usize,
    /// Luminance is 0..255 and not 16..235.
    full_range: bool,
    rate: Option<FrameRate>,
}

struct Sample {
    at: u64,
    bytes: u64,
    /// When it is shown.
    time: i64,
}

impl Stream {
    fn of(track: &Track, bytes: Bytes) -> Result<Self, &'static str> {
        let damaged = "it is damaged";
        let entries = track.stsd.as_ref().ok_or(damaged)?;
        let Some(SampleEntry::Video(VideoSampleEntry {
            codec_specific: VideoCodecSpecific::AVCConfig(config),
            ..
        })) = entries.descriptions.first()
        else {
            return Err("its video is not coded as H.264");
        };
        let config = AvcDecoderConfigurationRecord::try_from(config.as_slice())
            .map_err(|_| "its video is coded in a way that is not known here")?;
        let mut header = Vec::new();
        let mut full_range = false;
        for set in config.sequence_parameter_sets() {
            let set = set.map_err(|_| damaged)?;
            full_range = is_full_range(set)?;
            unit(&mut header, set);
        }
        for set in config.picture_parameter_sets() {
            unit(&mut header, set.map_err(|_| damaged)?);
        }
        let (samples, synced) = samples(track, bytes.len()).ok_or(damaged)?;
        // No frame before one is shown after it, and none after is shown before: else decoding from
        // there would miss a frame.
        let mut latest = i64::MIN;
        let mut earliest_after: Vec<i64> = samples.iter().map(|s| s.time).collect();
        for i in (1..samples.len()).rev() {
            earliest_after[i - 1] = earliest_after[i - 1].min(earliest_after[i]);
        }
        let mut starts = vec![0];
        for (i, sample) in samples.iter().enumerate() {
            let closed = latest < sample.time && sample.time == earliest_after[i];
            if i > 0 && closed && synced.binary_search(&i).is_ok() {
                starts.push(i);
            }
            latest = latest.max(sample.time);
        }
        let times = || samples.iter().map(|s| s.time);
        let span = times()
            .max()
            .zip(times().min())
            .map(|(a, b)| (a - b) as f64);
        let scale = track.timescale.map(|t| t.0 as f64);
        let rate = span
            .zip(scale)
            .and_then(|(span, scale)| FrameRate::new((samples.len() - 1) as f64 * scale / span));
        Ok(Self {
            bytes,
            starts,
            header,
            length_bytes: usize::from(config.length_size_minus_one()) + 1,
            full_range,
            rate,
            samples,
        })
    }

    /// Sample `i` as units after start codes, the parameter sets before it where decoding begins.
    fn packet(&self, i: usize, begins: bool) -> Result<Vec<u8>, String> {
        let damaged = || "its data is damaged".to_owned();
        let sample = self.samples.get(i).ok_or_else(damaged)?;
        let coded = self.bytes.at(sample.at, sample.bytes as usize);
        let coded = coded.map_err(|_| "the file cannot be read any more")?;
        let mut packet = if begins {
            self.header.clone()
        } else {
            Vec::new()
        };
        let mut rest = coded.as_slice();
        while let Some((length, after)) = rest.split_at_checked(self.length_bytes) {
            let length = length.iter().fold(0usize, |n, &b| n << 8 | usize::from(b));
            let (one, after) = after.split_at_checked(length).ok_or_else(damaged)?;
            unit(&mut packet, one);
            rest = after;
        }
        Ok(packet)
    }
}

/// Adds a unit after a start code (ITU-T H.264, annex B).
fn unit(stream: &mut Vec<u8>, unit: &[u8]) {
    stream.extend_from_slice(&[0, 0, 0, 1]);
    stream.extend_from_slice(unit);
}

/// What a sequence parameter set says of the range, after a check of what it says of the size.
fn is_full_range(set: &[u8]) -> Result<bool, &'static str> {
    let unknown = "its video is coded in a way that is not known here";
    let set = decode_nal(set).map_err(|_| unknown)?;
    let set = SeqParameterSet::from_bits(BitReader::new(set.as_ref())).map_err(|_| unknown)?;
    let (width, height) = set.pixel_dimensions().map_err(|_| unknown)?;
    if width.max(height) as usize > MAX_SIDE {
        return Err("it claims a picture too large to be one");
    }
    let signal = set.vui_parameters.and_then(|v| v.video_signal_type);
    Ok(signal.is_some_and(|s| s.video_full_range_flag))
}

/// Where the samples are, and which of them can be decoded without those before.
fn samples(track: &Track, end: u64) -> Option<(Vec<Sample>, Vec<usize>)> {
    // What the tables claim is counted before it is allocated.
    let chunks = track.stco.as_ref()?.offsets.len() as u64;
    let runs = &track.stsc.as_ref()?.samples;
    let mut claimed = 0u64;
    for (i, run) in runs.iter().enumerate() {
        let next = runs
            .get(i + 1)
            .map_or(chunks + 1, |r| u64::from(r.first_chunk));
        let chunks = next.saturating_sub(u64::from(run.first_chunk));
        claimed = claimed.saturating_add(chunks.saturating_mul(u64::from(run.samples_per_chunk)));
    }
    if claimed == 0 || claimed > MOST_FRAMES {
        return None;
    }
    let table = create_sample_table(track, CheckedInteger(0))?;
    let synced = table.iter().enumerate().filter(|(_, s)| s.sync);
    let synced = synced.map(|(i, _)| i).collect();
    let samples = table.iter().map(|s| {
        let (at, to) = (s.start_offset.0, s.end_offset.0);
        let bytes = to.checked_sub(at).filter(|&n| n <= MOST_CODED)?;
        (to <= end).then_some(Sample {
            at,
            bytes,
            time: s.start_composition.0,
        })
    });
    Some((samples.collect::<Option<_>>()?, synced))
}

struct Mp4Frames {
    stream: Stream,
    /// The one used last at the end.
    decoders: Mutex<Vec<Place>>,
}

/// A decoder at a place in the stream.
struct Place {
    decoder: Decoder,
    next_sample: usize,
    /// In the order of showing.
    next_frame: usize,
    ready: VecDeque<Frame>,
    begins: bool,
}

impl Place {
    fn at(start: usize) -> Result<Self, String> {
        // The decoder puts frames into the order of showing unless it is made to give each at once.
        let config = DecoderConfig::new().flush_after_decode(Flush::NoFlush);
        let api = openh264::OpenH264API::from_source();
        let decoder = Decoder::with_api_config(api, config);
        Ok(Self {
            decoder: decoder.map_err(|_| "the H.264 decoder does not start")?,
            next_sample: start,
            next_frame: start,
            ready: VecDeque::new(),
            begins: true,
        })
    }

    fn next(&mut self, stream: &Stream) -> Result<Frame, String> {
        let damaged = |_| "its data is damaged".to_owned();
        loop {
            if let Some(frame) = self.ready.pop_front() {
                self.next_frame += 1;
                return Ok(frame);
            }
            if self.next_sample == stream.samples.len() {
                let last = self.decoder.flush_remaining().map_err(damaged)?;
                let last = last.iter().map(|yuv| frame(yuv, stream.full_range));
                self.ready = last.collect::<Result<_, _>>()?;
                if self.ready.is_empty() {
                    return Err("its data is damaged".into());
                }
                continue;
            }
            let packet = stream.packet(self.next_sample, std::mem::take(&mut self.begins))?;
            self.next_sample += 1;
            if let Some(yuv) = self.decoder.decode(&packet).map_err(damaged)? {
                self.ready.push_back(frame(&yuv, stream.full_range)?);
            }
        }
    }
}

impl FrameReader for Mp4Frames {
    fn read(&self, i: usize) -> Result<Arc<Frame>, String> {
        let mut decoders = self.decoders.lock().unwrap_or_else(PoisonError::into_inner);
        let start = self.stream.starts.iter().rev().find(|&&s| s <= i);
        let start = start.copied().unwrap_or(0);
        // One on its way to this frame, else a new one from where decoding can begin.
        let on_the_way = decoders
            .iter()
            .position(|d| (start..=i).contains(&d.next_frame));
        let mut place = match on_the_way {
            Some(k) => decoders.remove(k),
            None => Place::at(start)?,
        };
        while place.next_frame < i {
            place.next(&self.stream)?;
        }
        let frame = place.next(&self.stream)?;
        decoders.push(place);
        if decoders.len() > DECODERS {
            decoders.remove(0);
        }
        Ok(Arc::new(frame))
    }
}

/// Red, green and blue by ITU-R BT.601; gray where no pixel has a colour.
fn frame(yuv: &DecodedYUV<'_>, full_range: bool) -> Result<Frame, String> {
    let (width, height) = yuv.dimensions();
    if width.max(height) > MAX_SIDE {
        return Err("it claims a picture too large to be one".into());
    }
    let (y_stride, u_stride, v_stride) = yuv.strides();
    let (y, u, v) = (yuv.y(), yuv.u(), yuv.v());
    let (scale, offset, chroma) = if full_range {
        (1.0, 0.0, 1.0)
    } else {
        (255.0 / 219.0, 16.0, 255.0 / 224.0)
    };
    let at = |plane: &[u8], i: usize| f32::from(plane.get(i).copied().unwrap_or(128));
    let byte = |v: f32| v.round().clamp(0.0, 255.0) as u8;
    let mut rgb = Vec::with_capacity(3 * width * height);
    for row in 0..height {
        for column in 0..width {
            let light = scale * (at(y, row * y_stride + column) - offset);
            let blue = chroma * (at(u, row / 2 * u_stride + column / 2) - 128.0);
            let red = chroma * (at(v, row / 2 * v_stride + column / 2) - 128.0);
            rgb.extend([
                byte(light + 1.402 * red),
                byte(light - 0.344_136 * blue - 0.714_136 * red),
                byte(light + 1.772 * blue),
            ]);
        }
    }
    let gray = rgb.chunks_exact(3).all(|p| p[0] == p[1] && p[1] == p[2]);
    let pixels = if gray {
        Pixels::Gray(rgb.into_iter().step_by(3).collect())
    } else {
        Pixels::Rgb(rgb)
    };
    Ok(Frame {
        width,
        height,
        pixels,
    })
}
