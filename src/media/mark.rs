//! What a cine made here says of itself, inside its file.

use crate::clip::{Frame, FrameRate, Pixels};
use crate::ef::EfOrigin;
use crate::phantom::Quality;
use crate::provenance::{Part, Provenance};
use crate::recording::{FrameReader, Recording};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A rectangle of the file's picture, `[x, y, width, height]`.
pub type Area = [usize; 4];

/// Where a mark stands in each kind of file: exporters write it there, and readers look for it.
pub mod place {
    use dicom_core::Tag;

    /// The keyword of the mark's text in PNG.
    pub const PNG: &str = "Comment";
    /// The label of a GIF's comment.
    pub const GIF: u8 = 0xfe;
    /// The mark in DICOM, and who has the block of private elements that it stands in.
    pub const DICOM: Tag = Tag(0x0009, 0x1001);
    pub const DICOM_CREATOR: Tag = Tag(0x0009, 0x0010);
    pub const DICOM_CREATOR_NAME: &str = "ECHOIF";
    /// The box that holds XMP in MP4 (ISO 16684-3), by its UUID.
    #[cfg(feature = "mp4")]
    pub const MP4_XMP: [u8; 16] = [
        0xbe, 0x7a, 0xcf, 0xcb, 0x97, 0xa9, 0x42, 0xe8, 0x9c, 0x71, 0x99, 0x94, 0x91, 0xe3, 0xaf,
        0xac,
    ];
}

/// Words in a picture at most, of any file of ours.
const MOST_WORDS: usize = 256;

/// The machine-readable mark.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Mark {
    /// Always `echoif`.
    pub program: String,
    pub version: String,
    /// Always true.
    pub synthetic: bool,
    /// The IPTC term for what a generative model made.
    pub digital_source_type: String,
    /// The picture's rectangle in the file.
    pub picture: Area,
    /// Words that were painted over corners of the picture, in the picture.
    pub words: Vec<Area>,
    pub beat_normalised: bool,
    /// Frames a second.
    pub fps: f64,
    pub part: Option<Part>,
    /// The source's own EF in percent, and whose word that is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factual_ef_percent: Option<f64>,
    #[serde(default)]
    pub factual_ef_origin: EfOrigin,
    /// How it was made.
    #[serde(skip_serializing_if = "is_nothing")]
    pub provenance: Provenance,
    /// How it was computed, where no network had a part in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drawn: Option<Drawn>,
    /// How each cine was made, of a picture that shows several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rungs: Vec<Provenance>,
}

fn is_nothing(provenance: &Provenance) -> bool {
    *provenance == Provenance::default()
}

/// A heart that was computed, so that everything of it is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Drawn {
    pub what: Puppetry,
    /// Of which it is made again.
    pub seed: u64,
    /// Of its picture; none of a puppet, which has that of its still.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<Quality>,
    /// Whether it is shown as by a machine that averages several looks.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub compounded: bool,
    /// Exact.
    pub ef_percent: f64,
}

/// What of a heart is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Puppetry {
    /// All of it.
    SimulatedHeart,
    /// How a still of somebody's moves.
    Puppet,
}

impl Puppetry {
    /// As pictures say it.
    pub fn title(self) -> &'static str {
        match self {
            Self::SimulatedHeart => "Simulated heart",
            Self::Puppet => "Puppet of a still",
        }
    }

    /// The IPTC's term for it.
    fn source_type(self) -> &'static str {
        match self {
            Self::SimulatedHeart => "algorithmicMedia",
            Self::Puppet => "compositeSynthetic",
        }
    }
}

/// The IPTC's code for it (cv.iptc.org, NewsCodes, Digital Source Type).
pub const SOURCE_TYPE: &str = "trainedAlgorithmicMedia";
/// The same of what is recorded in part.
pub const COMPOSITE_TYPE: &str = "compositeWithTrainedAlgorithmicMedia";
/// What an XMP packet and a mark begin with, to be found again.
const PROGRAM: &str = "echoif";

impl Mark {
    pub fn new(
        picture: Area,
        words: Vec<Area>,
        beat_normalised: bool,
        rate: FrameRate,
        part: Part,
        provenance: Provenance,
    ) -> Self {
        Self {
            program: PROGRAM.into(),
            version: env!("CARGO_PKG_VERSION").into(),
            synthetic: true,
            digital_source_type: SOURCE_TYPE.into(),
            picture,
            words,
            beat_normalised,
            fps: rate.fps(),
            part: Some(part),
            factual_ef_percent: None,
            factual_ef_origin: EfOrigin::Assumed,
            provenance,
            drawn: None,
            rungs: Vec::new(),
        }
    }

    /// Of what was computed, not made by a network.
    pub fn drawn(
        picture: Area,
        words: Vec<Area>,
        beat_normalised: bool,
        rate: FrameRate,
        about: Drawn,
    ) -> Self {
        Self {
            program: PROGRAM.into(),
            version: env!("CARGO_PKG_VERSION").into(),
            synthetic: true,
            digital_source_type: about.what.source_type().into(),
            picture,
            words,
            beat_normalised,
            fps: rate.fps(),
            drawn: Some(about),
            ..Self::default()
        }
    }

    /// As one line of ASCII.
    pub fn to_json(&self) -> String {
        let text = serde_json::to_string(self).unwrap_or_default();
        let mut ascii = String::with_capacity(text.len());
        for c in text.chars() {
            if c.is_ascii() {
                ascii.push(c);
            } else {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    ascii.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
        ascii
    }

    /// Reads a mark; `None` for whatever else a file has in that place.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mark: Self = serde_json::from_slice(text.trim_ascii()).ok()?;
        (mark.program == PROGRAM && mark.synthetic).then_some(mark)
    }

    /// An XMP packet that says where the picture comes from.
    pub fn to_xmp(&self) -> String {
        let description = escaped(&self.to_json());
        format!(
            "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\
             <x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\
             <rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\
             <rdf:Description rdf:about=\"\" \
             xmlns:Iptc4xmpExt=\"http://iptc.org/std/Iptc4xmpExt/2008-02-29/\" \
             xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\" \
             xmlns:echoif=\"urn:echoif:mark:1\" \
             xmp:CreatorTool=\"EchoIf {}\" \
             Iptc4xmpExt:DigitalSourceType=\
             \"http://cv.iptc.org/newscodes/digitalsourcetype/{}\">\
             <echoif:mark>{description}</echoif:mark>\
             </rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end=\"r\"?>",
            self.version, self.digital_source_type
        )
    }

    /// The mark in an XMP packet of ours.
    pub fn in_xmp(packet: &[u8]) -> Option<Self> {
        let packet = std::str::from_utf8(packet).ok()?;
        let (_, rest) = packet.split_once("<echoif:mark>")?;
        let (inside, _) = rest.split_once("</echoif:mark>")?;
        let text = inside.replace("&lt;", "<").replace("&gt;", ">");
        Self::parse(text.replace("&amp;", "&").as_bytes())
    }

    /// The picture alone, without the words around and in it.
    ///
    /// # Errors
    /// A phrase that says why the first frame cannot be shown.
    pub fn strip(&self, recording: Recording) -> Result<Recording, String> {
        let [x, y, w, h] = self.picture;
        let inside = w > 0
            && h > 0
            && x.saturating_add(w) <= recording.width()
            && y.saturating_add(h) <= recording.height();
        if !inside {
            return Ok(recording);
        }
        let frames = recording.frames();
        let rate = FrameRate::new(self.fps).filter(|_| frames > 1);
        let mut words = vec![false; w * h];
        for &[wx, wy, ww, wh] in self.words.iter().take(MOST_WORDS) {
            let columns = wx.min(w)..wx.saturating_add(ww).min(w);
            for row in wy.min(h)..wy.saturating_add(wh).min(h) {
                words[row * w..][columns.clone()].fill(true);
            }
        }
        let reader = Stripped {
            recording,
            picture: self.picture,
            words,
        };
        let mut stripped = Recording::new(frames, rate, Box::new(reader))?;
        stripped.beat_normalised = self.beat_normalised;
        Ok(stripped)
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

struct Stripped {
    recording: Recording,
    picture: Area,
    /// Of each pixel of the picture.
    words: Vec<bool>,
}

impl FrameReader for Stripped {
    fn read(&self, i: usize) -> Result<Arc<Frame>, String> {
        let frame = self.recording.frame(i)?;
        let [x, y, w, h] = self.picture;
        let at = |p: usize| {
            let (column, row) = (p % w, p / w);
            if self.words[p] {
                [0; 3]
            } else {
                frame.rgb(x + column, y + row)
            }
        };
        let rgb: Vec<[u8; 3]> = (0..w * h).map(at).collect();
        let gray = rgb.iter().all(|[r, g, b]| r == g && g == b);
        let pixels = if gray {
            Pixels::Gray(rgb.into_iter().map(|[r, _, _]| r).collect())
        } else {
            Pixels::Rgb(rgb.into_flattened())
        };
        Ok(Arc::new(Frame {
            width: w,
            height: h,
            pixels,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::Clip;
    use crate::damage::mutations;
    use proptest::prelude::*;

    fn gray(width: usize, height: usize) -> Recording {
        let frame = Frame {
            width,
            height,
            pixels: Pixels::Gray(vec![200; width * height]),
        };
        Recording::of_clip(Clip::still(frame)).unwrap()
    }

    proptest! {
        /// Wherever a mark says that picture and words are, they are blackened there and nowhere else.
        #[test]
        fn any_picture_and_words_are_taken_out(
            picture: [u8; 4],
            words in prop::collection::vec([0..40usize, 0..40, 0..usize::MAX, 0..20], 0..4),
        ) {
            let mark = Mark {
                picture: picture.map(|v| usize::from(v % 40)),
                words: words.clone(),
                ..Mark::default()
            };
            let stripped = mark.strip(gray(30, 20)).unwrap();
            let [x, y, w, h] = mark.picture;
            if w > 0 && h > 0 && x + w <= 30 && y + h <= 20 {
                prop_assert_eq!((stripped.width(), stripped.height()), (w, h));
                let frame = stripped.frame(0).unwrap();
                for (row, column) in (0..h).flat_map(|row| (0..w).map(move |column| (row, column))) {
                    let within = |&[wx, wy, ww, wh]: &Area| {
                        column >= wx && column - wx < ww && row >= wy && row - wy < wh
                    };
                    let black = words.iter().any(within);
                    prop_assert_eq!(frame.rgb(column, row)[0], if black { 0 } else { 200 });
                }
            } else {
                prop_assert_eq!((stripped.width(), stripped.height()), (30, 20));
            }
        }
    }

    #[test]
    fn a_damaged_mark_is_none_or_says_synthetic() {
        let mark = Mark {
            program: PROGRAM.into(),
            synthetic: true,
            picture: [1, 2, 8, 8],
            words: vec![[0, 0, 3, 3]],
            fps: 16.0,
            ..Mark::default()
        };
        assert_eq!(Mark::parse(mark.to_json().as_bytes()), Some(mark.clone()));
        assert_eq!(Mark::in_xmp(mark.to_xmp().as_bytes()), Some(mark.clone()));
        let json = mutations(mark.to_json().as_bytes(), 1500).filter_map(|m| Mark::parse(&m));
        let xmp = mutations(mark.to_xmp().as_bytes(), 1500).filter_map(|m| Mark::in_xmp(&m));
        let mut read = 0;
        for mark in json.chain(xmp) {
            read += 1;
            assert!(mark.synthetic && mark.program == PROGRAM);
            mark.strip(gray(30, 20)).unwrap();
        }
        assert!(read > 100, "{read}");
    }
}
