//! `NAME.outlines.json`: the left ventricle's border beside a generated clip, which its own file does not hold.

use crate::files::head::{Head, head};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

pub const FORMAT: &str = "echoif-outlines";
pub const VERSION: u32 = 1;
const MOST_BYTES: usize = 4 << 20;
/// Points of one border.
const MOST_POINTS: usize = 1000;

/// The border in each frame of a clip.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outlines {
    pub format: String,
    pub version: u32,
    /// Of each frame, closed lines of points `[x, y]` as shares of the picture's width and height.
    pub outlines: Vec<Vec<[f32; 2]>>,
}

/// Beside the clip of a path.
pub fn path_of(clip: &Path) -> PathBuf {
    clip.with_extension("outlines.json")
}

impl Outlines {
    /// Rounded to a ten-thousandth of the picture.
    pub fn new(outlines: Vec<Vec<[f32; 2]>>) -> Self {
        let rounded = |p: [f32; 2]| p.map(|v| (10_000.0 * v).round() / 10_000.0);
        let line = |line: Vec<[f32; 2]>| line.into_iter().map(rounded).collect();
        Self {
            format: FORMAT.into(),
            version: VERSION,
            outlines: outlines.into_iter().map(line).collect(),
        }
    }

    /// None where it is none of this version, or not of so many frames.
    pub fn parse(bytes: &[u8], frames: usize) -> Option<Self> {
        if !matches!(head(bytes, FORMAT, VERSION), Head::Ours) {
            return None;
        }
        let found: Self = serde_json::from_slice(bytes).ok()?;
        let is_near = |v: &f32| (-1.0..=2.0).contains(v);
        let is_line =
            |line: &Vec<[f32; 2]>| line.len() <= MOST_POINTS && line.iter().flatten().all(is_near);
        let sound = found.outlines.len() == frames && found.outlines.iter().all(is_line);
        sound.then_some(found)
    }

    /// Those beside a clip of so many frames, where there are any.
    pub fn beside(clip: &Path, frames: usize) -> Option<Self> {
        let bytes = crate::files::read_at_most(&path_of(clip), MOST_BYTES).ok()??;
        Self::parse(&bytes, frames)
    }

    /// Compact, always the same.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// In pixels of a picture, a pixel's centre at whole numbers.
    pub fn in_pixels(&self, width: usize, height: usize) -> Vec<Vec<[f32; 2]>> {
        let at = |[x, y]: &[f32; 2]| [x * width as f32 - 0.5, y * height as f32 - 0.5];
        let line = |line: &Vec<[f32; 2]>| line.iter().map(at).collect();
        self.outlines.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two() -> Outlines {
        Outlines::new(vec![vec![[0.25, 0.5], [0.333_333, 0.1]], Vec::new()])
    }

    #[test]
    fn borders_are_read_as_they_were_written_for_their_frames_alone() {
        let folder = tempfile::tempdir().unwrap();
        let clip = folder.path().join("a-ef35.gif");
        assert_eq!(Outlines::beside(&clip, 2), None);
        std::fs::write(path_of(&clip), two().to_bytes()).unwrap();
        assert_eq!(path_of(&clip), folder.path().join("a-ef35.outlines.json"));
        assert_eq!(Outlines::beside(&clip, 2), Some(two()));
        assert_eq!(Outlines::beside(&clip, 3), None);
        assert_eq!(two().in_pixels(112, 112)[0][0], [27.5, 55.5]);
    }

    #[test]
    fn damage_is_refused_or_harmless() {
        for damaged in crate::damage::mutations(&two().to_bytes(), 3000) {
            if let Some(read) = Outlines::parse(&damaged, 2) {
                assert_eq!(Outlines::parse(&read.to_bytes(), 2), Some(read));
            }
        }
    }
}
