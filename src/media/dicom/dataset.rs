//! The attributes that are needed to show a picture, and where its pixels lie. Nothing else of a
//! data set is read: what could name a patient never comes into memory.

use super::start::{BIG_ENDIAN, Start};
use crate::media::bytes::{Bytes, ReadSeek};
use crate::media::export::{CREATOR, CREATOR_NAME, DICOM_MARK};
use dicom_core::value::PrimitiveValue;
use dicom_core::{Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_encoding::TransferSyntax;
use dicom_parser::StatefulDecode;
use dicom_parser::dataset::LazyDataToken;
use dicom_parser::dataset::lazy_read::LazyDataSetReader;
use dicom_parser::stateful::decode::DynStatefulDecoder;
use dicom_transfer_syntax_registry::entries::{
    EXPLICIT_VR_BIG_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN,
};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Values of attributes that are not sequences.
#[derive(Default)]
pub struct Values(BTreeMap<Tag, PrimitiveValue>);

impl Values {
    pub fn get(&self, tag: Tag) -> Option<&PrimitiveValue> {
        self.0.get(&tag)
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
    },
}

#[derive(Default)]
pub struct DataSet {
    pub values: Values,
    /// Items of the Sequence of Ultrasound Regions.
    pub regions: Vec<Values>,
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
    tags::RESCALE_INTERCEPT,
    tags::RESCALE_SLOPE,
    tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
    tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
    tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
    tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    tags::FRAME_INCREMENT_POINTER,
    tags::FRAME_TIME,
    tags::FRAME_TIME_VECTOR,
    tags::CINE_RATE,
    tags::RECOMMENDED_DISPLAY_FRAME_RATE,
    tags::HEART_RATE,
    tags::R_WAVE_TIME_VECTOR,
    CREATOR,
    DICOM_MARK,
];

const WANTED_OF_REGIONS: &[Tag] = &[
    tags::REGION_SPATIAL_FORMAT,
    tags::REGION_DATA_TYPE,
    tags::REGION_LOCATION_MIN_X0,
    tags::REGION_LOCATION_MIN_Y0,
    tags::REGION_LOCATION_MAX_X1,
    tags::REGION_LOCATION_MAX_Y1,
];

type Source<'a> = Box<dyn ReadSeek + 'a>;

/// Reads up to the pixels.
///
/// # Errors
/// A phrase that says why the data set cannot be followed.
pub fn read(start: &Start) -> Result<DataSet, &'static str> {
    let damaged = "it is damaged";
    let syntax: TransferSyntax = match start.layout {
        uids::IMPLICIT_VR_LITTLE_ENDIAN => IMPLICIT_VR_LITTLE_ENDIAN.erased(),
        BIG_ENDIAN => EXPLICIT_VR_BIG_ENDIAN.erased(),
        _ => EXPLICIT_VR_LITTLE_ENDIAN.erased(),
    };
    let source = start.bytes.reader(start.at).map_err(|_| damaged)?;
    let mut reader = LazyDataSetReader::new_with_ts(source, &syntax).map_err(|_| damaged)?;
    let began = Instant::now();
    let mut found = DataSet::default();
    let mut sequences: Vec<Tag> = Vec::new();
    let mut tokens = 0u32;
    loop {
        tokens = tokens.wrapping_add(1);
        if tokens.is_multiple_of(256) && began.elapsed() > MOST_TIME {
            return Err("it is too tangled to be a scan");
        }
        let token = match reader.advance() {
            None => return Ok(found),
            // Attributes after the damage are lost, those before it are not.
            Some(Err(_)) if found.pixels.is_some() => return Ok(found),
            Some(Err(_)) => return Err(damaged),
            Some(Ok(token)) => token,
        };
        match token {
            LazyDataToken::SequenceStart { tag, .. } => sequences.push(tag),
            LazyDataToken::SequenceEnd => {
                sequences.pop();
            }
            LazyDataToken::PixelSequenceStart => {
                if sequences.is_empty() {
                    found.pixels = Some(fragments(&start.bytes, reader.into_decoder().position())?);
                    return Ok(found);
                }
                // A thumbnail's.
                sequences.push(tags::PIXEL_DATA);
            }
            LazyDataToken::ItemStart { .. }
                if sequences == [tags::SEQUENCE_OF_ULTRASOUND_REGIONS] =>
            {
                found.regions.push(Values::default());
            }
            LazyDataToken::LazyItemValue { len, decoder } => {
                decoder.skip_bytes(len).map_err(|_| damaged)?;
            }
            LazyDataToken::LazyValue { header, decoder } => {
                let length = u64::from(header.len.get().ok_or(damaged)?);
                let at = decoder.position();
                if header.tag == tags::PIXEL_DATA && sequences.is_empty() {
                    let vr = header.vr;
                    found.pixels = Some(Pixels::Native { at, length, vr });
                    return Ok(found);
                }
                if at.saturating_add(length) > start.bytes.len() {
                    return Err("it is cut off");
                }
                value(&mut found, &sequences, header, decoder).ok_or(damaged)?;
            }
            _ => {}
        }
    }
}

/// Keeps the value if it is wanted, else skips it.
fn value(
    found: &mut DataSet,
    sequences: &[Tag],
    header: dicom_core::DataElementHeader,
    decoder: &mut DynStatefulDecoder<Source<'_>>,
) -> Option<()> {
    let (tag, length) = (header.tag, header.len.get()?);
    // What another maker keeps in that place is none of ours.
    let is_ours = || found.values.text(CREATOR).as_deref() == Some(CREATOR_NAME);
    let values = match sequences {
        [] if tag == DICOM_MARK && !is_ours() => None,
        [] if WANTED.contains(&tag) => Some(&mut found.values),
        [tags::SEQUENCE_OF_ULTRASOUND_REGIONS] if WANTED_OF_REGIONS.contains(&tag) => {
            found.regions.last_mut()
        }
        _ => None,
    };
    let is_file = tag == tags::REFERENCED_FILE_ID && found.referenced.len() < MOST_REFERENCED;
    if length > MOST_VALUE || (values.is_none() && !is_file) {
        return decoder.skip_bytes(length).ok();
    }
    let value = decoder.read_value_preserved(&header).ok()?;
    match values {
        Some(values) => {
            values.0.insert(tag, value);
        }
        None => found.referenced.push(
            value
                .to_multi_str()
                .iter()
                .map(|part| part.trim_end_matches(['\0', ' ']).to_owned())
                .collect(),
        ),
    }
    Some(())
}

/// The items of encapsulated pixels, which begin at `at`. A file that is cut off has fewer.
fn fragments(bytes: &Bytes, mut at: u64) -> Result<Pixels, &'static str> {
    const ITEM: [u8; 4] = [0xfe, 0xff, 0x00, 0xe0];
    let mut offsets = None;
    let mut fragments = Vec::new();
    while fragments.len() < MOST_FRAGMENTS {
        let head = bytes.at(at, 8).map_err(|_| "it cannot be read")?;
        let (Some(&ITEM), Some(length)) = (head.first_chunk(), head.last_chunk()) else {
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
        } else if length > 0 {
            fragments.push((at, length));
        }
        at += u64::from(length);
    }
    Ok(Pixels::Encapsulated {
        offsets: offsets.unwrap_or_default(),
        fragments,
    })
}
