//! The square from the Sequence of Ultrasound Regions, where that is valid.

use crate::media::region::Square;
use dicom_core::Tag;
use dicom_dictionary_std::tags;
use dicom_object::{DefaultDicomObject, InMemDicomObject};

/// Region Spatial Format: two-dimensional. Region Data Type: tissue.
const TWO_D: i64 = 1;
const TISSUE: i64 = 1;

/// The largest centred square of the largest 2-D tissue region that lies within the image.
pub fn square(object: &DefaultDicomObject, columns: usize, rows: usize) -> Option<Square> {
    let regions = object
        .element_opt(tags::SEQUENCE_OF_ULTRASOUND_REGIONS)
        .ok()??
        .items()?;
    let rectangles = regions.iter().filter_map(|r| rectangle(r, columns, rows));
    let [x, y, width, height] = rectangles.max_by_key(|[_, _, w, h]| w * h)?;
    let side = width.min(height);
    Some(Square {
        x: x + (width - side) / 2,
        y: y + (height - side) / 2,
        side,
    })
}

/// `[x, y, width, height]`; nothing for what is not tissue in 2-D or reaches out of the image.
fn rectangle(region: &InMemDicomObject, columns: usize, rows: usize) -> Option<[usize; 4]> {
    let number = |tag: Tag| region.element_opt(tag).ok()??.to_int::<i64>().ok();
    if number(tags::REGION_SPATIAL_FORMAT)? != TWO_D || number(tags::REGION_DATA_TYPE)? != TISSUE {
        return None;
    }
    let at = |tag| number(tag).and_then(|v| usize::try_from(v).ok());
    let (x0, y0) = (
        at(tags::REGION_LOCATION_MIN_X0)?,
        at(tags::REGION_LOCATION_MIN_Y0)?,
    );
    let (x1, y1) = (
        at(tags::REGION_LOCATION_MAX_X1)?,
        at(tags::REGION_LOCATION_MAX_Y1)?,
    );
    let inside = x0 < x1 && y0 < y1 && x1 < columns && y1 < rows;
    inside.then(|| [x0, y0, x1 - x0 + 1, y1 - y0 + 1])
}
