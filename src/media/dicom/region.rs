//! The square and the scale from the Sequence of Ultrasound Regions, where that is valid.

use super::dataset::Values;
use crate::media::region::{Scale, Square};
use dicom_dictionary_std::tags;

/// Region Spatial Format: two-dimensional. Region Data Type: tissue.
const TWO_D: i64 = 1;
const TISSUE: i64 = 1;
/// Region Data Type: colour flow.
const COLOUR_FLOW: i64 = 2;
/// Physical Units X and Y Direction: centimetres.
const CENTIMETRES: i64 = 3;

/// The largest 2-D tissue region that lies within the image, as `[x, y, width, height]`, and its scale.
pub fn tissue(
    regions: &[Values],
    columns: usize,
    rows: usize,
) -> Option<([usize; 4], Option<Scale>)> {
    let rectangles = regions
        .iter()
        .filter_map(|r| Some((rectangle(r, columns, rows)?, r)));
    let (place, region) = rectangles.max_by_key(|([_, _, w, h], _)| w * h)?;
    Some((place, scale(region, place)))
}

/// How large a pixel of a region is (PS3.3 C.8.5.5): only where both directions are in centimetres.
fn scale(region: &Values, place: [usize; 4]) -> Option<Scale> {
    let units = [
        tags::PHYSICAL_UNITS_X_DIRECTION,
        tags::PHYSICAL_UNITS_Y_DIRECTION,
    ];
    if units.map(|tag| region.integer(tag)) != [Some(CENTIMETRES); 2] {
        return None;
    }
    // A direction may be counted backwards.
    let cm = [tags::PHYSICAL_DELTA_X, tags::PHYSICAL_DELTA_Y].map(|tag| region.float(tag));
    Scale::new([cm[0]?.abs(), cm[1]?.abs()], place)
}

/// The largest centred square of a rectangle.
pub fn square([x, y, width, height]: [usize; 4]) -> Square {
    let side = width.min(height);
    Square {
        x: x + (width - side) / 2,
        y: y + (height - side) / 2,
        side,
    }
}

/// Whether one of the regions is colour flow.
pub fn has_colour_flow(regions: &[Values]) -> bool {
    regions
        .iter()
        .any(|r| r.integer(tags::REGION_DATA_TYPE) == Some(COLOUR_FLOW))
}

/// `[x, y, width, height]`; nothing for what is not tissue in 2-D or reaches out of the image.
fn rectangle(region: &Values, columns: usize, rows: usize) -> Option<[usize; 4]> {
    let is = |tag, value| region.integer(tag) == Some(value);
    if !is(tags::REGION_SPATIAL_FORMAT, TWO_D) || !is(tags::REGION_DATA_TYPE, TISSUE) {
        return None;
    }
    let (x0, y0) = (
        region.size(tags::REGION_LOCATION_MIN_X0)?,
        region.size(tags::REGION_LOCATION_MIN_Y0)?,
    );
    let (x1, y1) = (
        region.size(tags::REGION_LOCATION_MAX_X1)?,
        region.size(tags::REGION_LOCATION_MAX_Y1)?,
    );
    let inside = x0 < x1 && y0 < y1 && x1 < columns && y1 < rows;
    inside.then(|| [x0, y0, x1 - x0 + 1, y1 - y0 + 1])
}
