//! What the attributes say of the pixels.

use super::dataset::Values;
use crate::media::MAX_SIDE;
use dicom_dictionary_std::tags;

#[derive(Clone, Debug)]
pub struct Shape {
    pub rows: usize,
    pub columns: usize,
    /// As claimed; at least one.
    pub frames: usize,
    pub photometric: String,
    pub samples: usize,
    pub bits_allocated: usize,
    pub bits_stored: usize,
    pub signed: bool,
    /// All reds, then all greens, then all blues.
    pub planar: bool,
}

/// No scan has more.
const MOST_FRAMES: usize = 100_000;

impl Shape {
    /// # Errors
    /// What is wrong with them.
    pub fn read(values: &Values) -> Result<Self, String> {
        let size = |tag| values.size(tag);
        let (Some(rows), Some(columns)) = (size(tags::ROWS), size(tags::COLUMNS)) else {
            return Err("it does not say how large its picture is".into());
        };
        let frames = size(tags::NUMBER_OF_FRAMES).unwrap_or(1).max(1);
        let sound = |v: usize| (1..=MAX_SIDE).contains(&v);
        if !sound(rows) || !sound(columns) || frames > MOST_FRAMES {
            return Err(format!(
                "it claims {frames} frames of {columns} x {rows} pixels, which no scan has"
            ));
        }
        let samples = size(tags::SAMPLES_PER_PIXEL).unwrap_or(1);
        let bits_allocated = size(tags::BITS_ALLOCATED).unwrap_or(8);
        if ![1, 3].contains(&samples) || ![1, 8, 16, 32].contains(&bits_allocated) {
            return Err(format!(
                "pixels of {samples} samples with {bits_allocated} bits are not supported"
            ));
        }
        let stored = size(tags::BITS_STORED).unwrap_or(bits_allocated);
        Ok(Self {
            rows,
            columns,
            frames,
            photometric: values
                .text(tags::PHOTOMETRIC_INTERPRETATION)
                .unwrap_or_default(),
            samples,
            bits_allocated,
            bits_stored: stored.clamp(1, bits_allocated),
            signed: values.integer(tags::PIXEL_REPRESENTATION) == Some(1),
            planar: samples > 1 && values.integer(tags::PLANAR_CONFIGURATION) == Some(1),
        })
    }

    /// Pixels of a frame.
    pub fn area(&self) -> usize {
        self.rows * self.columns
    }

    pub fn is_422(&self) -> bool {
        self.samples == 3
            && ["YBR_FULL_422", "YBR_PARTIAL_422"].contains(&self.photometric.as_str())
    }

    /// Bits of an uncompressed frame, as it lies in the file.
    pub fn native_bits(&self) -> usize {
        let bits = self.area() * self.bits_allocated;
        match self.photometric.as_str() {
            _ if self.is_422() => 2 * bits,
            "YBR_PARTIAL_420" if self.samples == 3 => bits * 3 / 2,
            _ => self.samples * bits,
        }
    }

    /// Takes a label of shared colour back where `bytes` of uncompressed pixels are enough for colour
    /// of its own for every pixel: tools that unpack files leave the label as it was.
    pub fn fit(&mut self, bytes: u64) {
        let whole = (self.area() * self.samples * self.bits_allocated) as u64;
        if self.samples == 3 && (bytes + 1) * 8 >= whole * self.frames as u64 {
            self.photometric = match self.photometric.as_str() {
                "YBR_FULL_422" => "YBR_FULL".into(),
                "YBR_PARTIAL_422" | "YBR_PARTIAL_420" => "YBR_PARTIAL".into(),
                _ => return,
            };
        }
    }
}
