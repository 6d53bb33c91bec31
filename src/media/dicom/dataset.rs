//! The attributes that are needed to show a picture, and where its pixels lie. Nothing else of a
//! data set is read: what could name a patient never comes into memory.

use super::start::Start;
use super::walk::{Damaged, Element, Walk};
use crate::media::bytes::Bytes;
use crate::media::mark::place;
use dicom_core::value::PrimitiveValue;
use dicom_core::{DataElementHeader, Tag, VR};
use dicom_dictionary_std::tags;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Values of attributes that are not sequences.
#[derive(Default)]
pub struct Values(BTreeMap<Tag, PrimitiveValue>);

impl Values {
    pub fn get(&self, tag: Tag) -> Option<&PrimitiveValue> {
        self.0.get(&tag)
    }

    #[cfg(test)]
    pub fn put(&mut self, tag: Tag, value: PrimitiveValue) {
        self.0.insert(tag, value);
    }

    pub fn integer(&self, tag: Tag) -> Option<i64> {
        self.get(tag)?.to_int::<i64>().ok()
    }

    pub fn size(&self, tag: Tag) -> Option<usize> {
        self.integer(tag).and_then(|v| usize::try_from(v).ok())
    }

    pub fn float(&self, tag: Tag) -> Option<f64> {
        self.get(tag)?.to_float64().ok().filter(|v| v.is_finite())
    }

    pub fn floats(&self, tag: Tag) -> Vec<f64> {
        let values = self.get(tag).map(|v| v.to_multi_float64());
        values.and_then(Result::ok).unwrap_or_default()
    }

    /// Without the padding.
    pub fn text(&self, tag: Tag) -> Option<String> {
        let text = self.get(tag)?.to_str();
        Some(text.trim_end_matches(['\0', ' ']).trim().to_owned())
    }
}

/// Where the pixels lie in the file.
pub enum Pixels {
    /// One run of bytes.
    Native { at: u64, length: u64, vr: VR },
    /// Basic offset table, and `(position, length)` of each fragment.
    Encapsulated {
        offsets: Vec<u32>,
        fragments: Vec<(u64, u32)>,
        /// The last of them is followed by the delimiter.
        whole: bool,
    },
}

#[derive(Default)]
pub struct DataSet {
    pub values: Values,
    /// Items of the Sequence of Ultrasound Regions.
    pub regions: Vec<Values>,
    /// Of the functional groups that all frames share.
    pub of_all: Values,
    /// Of each frame's own functional groups.
    pub of_frames: Vec<Values>,
    /// Referenced File IDs of a DICOMDIR: path components.
    pub referenced: Vec<Vec<String>>,
    pub pixels: Option<Pixels>,
}

/// A whole data set is read within this time, or it is no scan.
const MOST_TIME: Duration = Duration::from_millis(1200);
/// Longer values are not read; the longest that is needed is a palette.
const MOST_VALUE: u32 = 1 << 18;
const MOST_FRAGMENTS: usize = 1 << 20;
const MOST_REFERENCED: usize = 100_000;

const WANTED: &[Tag] = &[
    tags::SAMPLES_PER_PIXEL,
    tags::PHOTOMETRIC_INTERPRETATION,
    tags::PLANAR_CONFIGURATION,
    tags::NUMBER_OF_FRAMES,
    tags::ROWS,
    tags::COLUMNS,
    tags::BITS_ALLOCATED,
    tags::BITS_STORED,
    tags::PIXEL_REPRESENTATION,
    tags::ULTRASOUND_COLOR_DATA_PRESENT,
    tags::WINDOW_CENTER,
    tags::WINDOW_WIDTH,
    tags::VOILUT_FUNCTION,
    tags::RESCALE_INTERCEPT,
    tags::RESCALE_SLOPE,
    tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
    tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
    tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
    tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    tags::SEGMENTED_RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    tags::SEGMENTED_GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    tags::SEGMENTED_BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    tags::FRAME_INCREMENT_POINTER,
    tags::FRAME_TIME,
    tags::FRAME_TIME_VECTOR,
    tags::CINE_RATE,
    tags::RECOMMENDED_DISPLAY_FRAME_RATE,
    tags::HEART_RATE,
    tags::R_WAVE_TIME_VECTOR,
    place::DICOM_CREATOR,
    place::DICOM,
];

const WANTED_OF_REGIONS: &[Tag] = &[
    tags::REGION_SPATIAL_FORMAT,
    tags::REGION_DATA_TYPE,
    tags::REGION_LOCATION_MIN_X0,
    tags::REGION_LOCATION_MIN_Y0,
    tags::REGION_LOCATION_MAX_X1,
    tags::REGION_LOCATION_MAX_Y1,
    tags::PHYSICAL_UNITS_X_DIRECTION,
    tags::PHYSICAL_UNITS_Y_DIRECTION,
    tags::PHYSICAL_DELTA_X,
    tags::PHYSICAL_DELTA_Y,
];

/// Of the functional groups of enhanced multi-frame images: how values become levels.
const WANTED_OF_GROUPS: &[Tag] = &[
    tags::WINDOW_CENTER,
    tags::WINDOW_WIDTH,
    tags::VOILUT_FUNCTION,
    tags::RESCALE_INTERCEPT,
    tags::RESCALE_SLOPE,
];

/// Reads up to the pixels.
///
/// # Errors
/// A phrase that says why the data set cannot be followed.
pub fn read(start: &Start) -> Result<DataSet, &'static str> {
    let damaged = "it is damaged";
    let mut walk = Walk::new(&start.bytes, start.at, start.layout).map_err(|_| damaged)?;
    let began = Instant::now();
    let mut found = DataSet::default();
    let mut elements = 0u32;
    loop {
        elements = elements.wrapping_add(1);
        if elements.is_multiple_of(256) && began.elapsed() > MOST_TIME {
            return Err("it is too tangled to be a scan");
        }
        let element = match walk.next() {
            Ok(element) => element,
            // A directory may be followed by whatever filled the disc's block.
            Err(Damaged) if !found.referenced.is_empty() => return Ok(found),
            Err(Damaged) if walk.position() >= start.bytes.len() => {
                return Err("it ends before its pixels");
            }
            Err(Damaged) => return Err(damaged),
        };
        match element {
            None => return Ok(found),
            Some(Element::Item) => match walk.path() {
                [tags::SEQUENCE_OF_ULTRASOUND_REGIONS] => found.regions.push(Values::default()),
                [tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE] => {
                    found.of_frames.push(Values::default());
                }
                _ => {}
            },
            Some(Element::Fragments) => {
                found.pixels = Some(fragments(&start.bytes, walk.position())?);
                return Ok(found);
            }
            Some(Element::Value(header)) => {
                let length = header.len.get().ok_or(damaged)?;
                let at = walk.position();
                if header.tag == tags::PIXEL_DATA && walk.path().is_empty() {
                    found.pixels = Some(Pixels::Native {
                        at,
                        length: u64::from(length),
                        vr: header.vr,
                    });
                    return Ok(found);
                }
                if at.saturating_add(u64::from(length)) > start.bytes.len() {
                    return Err("it ends before its pixels");
                }
                value(&mut found, &mut walk, &header, length).map_err(|_| damaged)?;
            }
        }
    }
}

/// Keeps the value if it is wanted, else skips it.
fn value(
    found: &mut DataSet,
    walk: &mut Walk<'_>,
    header: &DataElementHeader,
    length: u32,
) -> Result<(), Damaged> {
    let tag = header.tag;
    // What another maker keeps in that place is none of ours.
    let is_ours =
        || found.values.text(place::DICOM_CREATOR).as_deref() == Some(place::DICOM_CREATOR_NAME);
    let values = match walk.path() {
        [] if tag == place::DICOM && !is_ours() => None,
        [] if WANTED.contains(&tag) => Some(&mut found.values),
        [tags::SEQUENCE_OF_ULTRASOUND_REGIONS] if WANTED_OF_REGIONS.contains(&tag) => {
            found.regions.last_mut()
        }
        [tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, group] if of_group(*group, tag) => {
            Some(&mut found.of_all)
        }
        [tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, group] if of_group(*group, tag) => {
            found.of_frames.last_mut()
        }
        _ => None,
    };
    let is_file = tag == tags::REFERENCED_FILE_ID && found.referenced.len() < MOST_REFERENCED;
    if length > MOST_VALUE || (values.is_none() && !is_file) {
        return walk.skip(length);
    }
    let value = walk.read(header)?;
    match values {
        // The first of several items counts, as of several values.
        Some(values) => {
            values.0.entry(tag).or_insert(value);
        }
        None => found.referenced.push(
            value
                .to_multi_str()
                .iter()
                .map(|part| part.trim_end_matches(['\0', ' ']).to_owned())
                .collect(),
        ),
    }
    Ok(())
}

/// Whether an attribute is wanted of a functional group.
fn of_group(group: Tag, tag: Tag) -> bool {
    let groups = [
        tags::FRAME_VOILUT_SEQUENCE,
        tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE,
    ];
    groups.contains(&group) && WANTED_OF_GROUPS.contains(&tag)
}

/// The items of encapsulated pixels, which begin at `at`. A file that is cut off has fewer; one
/// without bytes may stand for a frame.
pub fn fragments(bytes: &Bytes, mut at: u64) -> Result<Pixels, &'static str> {
    const ITEM: [u8; 4] = [0xfe, 0xff, 0x00, 0xe0];
    let mut offsets = None;
    let mut fragments = Vec::new();
    let mut whole = false;
    while fragments.len() < MOST_FRAGMENTS {
        let head = bytes.at(at, 8).map_err(|_| "it cannot be read")?;
        let (Some(&ITEM), Some(length)) = (head.first_chunk(), head.last_chunk()) else {
            whole = head.starts_with(b"\xfe\xff\xdd\xe0");
            break;
        };
        let length = u32::from_le_bytes(*length);
        at += 8;
        if head.len() < 8 || at + u64::from(length) > bytes.len() {
            break;
        }
        if offsets.is_none() {
            let table = bytes.at(at, length.min(4 << 20) as usize);
            let table = table.map_err(|_| "it cannot be read")?;
            let entries = table.as_chunks::<4>().0.iter();
            offsets = Some(entries.map(|&e| u32::from_le_bytes(e)).collect());
        } else {
            fragments.push((at, length));
        }
        at += u64::from(length);
    }
    Ok(Pixels::Encapsulated {
        offsets: offsets.unwrap_or_default(),
        fragments,
        whole,
    })
}
