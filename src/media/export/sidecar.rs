//! The sidecar `NAME.EXT.json`: what a cine is, and all that its run can be repeated from.

use crate::clip::{Frame, Pixels};
use crate::files::text_of;
use crate::media::Error;
use crate::media::mark::Mark;
use crate::media::region::{Anatomy, Crop, SIDE, Square};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use image::ImageFormat;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

const STATEMENT: &str =
    "Synthetic. Not a patient's scan. Research and education only, not for diagnosis.";
/// A sidecar is a few tens of kilobytes.
const MOST_BYTES: u64 = 4 << 20;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sidecar {
    pub statement: String,
    pub frames: usize,
    #[serde(flatten)]
    pub mark: Mark,
    /// The masked anatomy, 112 x 112, as PNG in base 64, unless the user left it out.
    pub anatomy_png: Option<String>,
    /// What is known of a heart that was computed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truth: Option<serde_json::Value>,
}

/// Where the sidecar of a file lies.
pub fn sidecar_of(path: &Path) -> PathBuf {
    let mut name: OsString = path.file_name().unwrap_or_default().to_owned();
    name.push(".json");
    path.with_file_name(name)
}

impl Sidecar {
    pub(super) fn new(mark: Mark, anatomy: Option<&Anatomy>, frames: usize) -> Result<Self, Error> {
        Ok(Self {
            statement: STATEMENT.into(),
            frames,
            mark,
            anatomy_png: anatomy.and_then(anatomy_to_png),
            truth: None,
        })
    }

    pub(super) fn of_drawn(mark: Mark, frames: usize, truth: serde_json::Value) -> Self {
        Self {
            statement: STATEMENT.into(),
            frames,
            mark,
            anatomy_png: None,
            truth: Some(truth),
        }
    }

    pub(super) fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Reads a sidecar.
    ///
    /// # Errors
    /// A sentence when the file is none.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let file = std::fs::File::open(path).map_err(|e| Error::io(path, e))?;
        let mut text = Vec::new();
        let read = file.take(MOST_BYTES).read_to_end(&mut text);
        read.map_err(|e| Error::io(path, e))?;
        Self::parse(&text).ok_or_else(|| {
            Error::undecodable(
                path,
                "it is no sidecar of an exported cine. Open another file.",
            )
        })
    }

    /// `None` for any other text.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let sidecar: Self = serde_json::from_str(&text_of(text).ok()?).ok()?;
        (sidecar.mark.program == "echoif" && sidecar.mark.synthetic).then_some(sidecar)
    }

    /// The anatomy, where it was not left out and is the one that the cine was made of.
    pub fn anatomy(&self) -> Option<Anatomy> {
        let anatomy = anatomy_from_png(self.anatomy_png.as_ref()?)?;
        (anatomy.sha256 == self.mark.provenance.anatomy_sha256).then_some(anatomy)
    }
}

/// The anatomy as PNG in base 64.
pub fn anatomy_to_png(anatomy: &Anatomy) -> Option<String> {
    let mut bytes = Cursor::new(Vec::new());
    let picture = anatomy.to_frame().to_image();
    picture.write_to(&mut bytes, ImageFormat::Png).ok()?;
    Some(BASE64_STANDARD.encode(bytes.into_inner()))
}

/// The reverse; `None` for anything that is no 112 x 112 PNG.
pub fn anatomy_from_png(text: &str) -> Option<Anatomy> {
    let bytes = BASE64_STANDARD.decode(text).ok()?;
    let reader = image::ImageReader::with_format(Cursor::new(&bytes), ImageFormat::Png);
    if reader.into_dimensions().ok()? != (SIDE as u32, SIDE as u32) {
        return None;
    }
    let picture = image::load_from_memory_with_format(&bytes, ImageFormat::Png).ok()?;
    let frame = Frame {
        width: SIDE,
        height: SIDE,
        pixels: Pixels::Rgb(picture.to_rgb8().into_raw()),
    };
    Anatomy::from_frame(&frame, &Crop::from(Square::centred(SIDE, SIDE))).ok()
}
