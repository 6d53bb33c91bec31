//! What is open, ready to be shown. Made off the window's thread, since it decodes.

use crate::clip::{Clip, Frame, FrameRate};
use crate::media::region::{Anatomy, Crop, Mask, Scale, Square};
use crate::media::{Kind, Opened, text_areas, view};
use crate::recording::Recording;
use std::sync::Arc;

/// Where the source comes from, as screens say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    SimulatedHeart(usize),
    /// The anatomy of an exported cine, or of a run of the history.
    Sidecar,
    File(Kind),
}

/// Said of a cine that this program made.
const SYNTHETIC: &str = "This file is a synthetic cine that EchoIf made, not a patient's scan.";

pub struct Source {
    pub recording: Arc<Recording>,
    pub origin: Origin,
    /// The frame that is the anatomy.
    pub frame: usize,
    /// That frame, or the last one that was there while it is decoded.
    pub picture: Arc<Frame>,
    /// The number of `picture`.
    pub picture_number: usize,
    pub crop: Crop,
    /// How large the recording's pixels are, where the file says it.
    pub scale: Option<Scale>,
    /// The square as it was found.
    pub found: Square,
    pub anatomy: Arc<Anatomy>,
    /// Areas that look like text and wait for the user's word.
    pub proposals: Vec<Mask>,
    /// The square that was searched for them; none for what this program made.
    pub searched: Option<Square>,
    /// The file says, or the picture shows, flow in colour.
    pub coloured: bool,
    /// The file's, or the user's where the file says none.
    pub rate: Option<FrameRate>,
    /// The file says its rate.
    pub rate_is_known: bool,
    /// Beats a minute, where the file says it.
    pub heart_rate: Option<f64>,
    /// Times of the R waves in milliseconds, where the file says them.
    pub r_waves_ms: Vec<f64>,
    pub warnings: Vec<String>,
    /// The file is a cine that this program made.
    pub is_synthetic: bool,
    /// Tells one source's pictures from another's.
    pub id: u64,
}

impl Source {
    /// Decodes the first frame and takes the anatomy.
    ///
    /// # Errors
    /// A sentence.
    pub fn prepare(opened: Opened, origin: Origin) -> Result<Self, String> {
        let square = opened.first_square();
        let recording = Arc::new(opened.recording);
        let picture = recording
            .frame(0)
            .map_err(|why| format!("The file cannot be shown: {why}."))?;
        let mut warnings = opened.warnings;
        if opened.mark.is_some() {
            warnings.push(SYNTHETIC.into());
        }
        let crop = Crop::from(square);
        let anatomy = Anatomy::from_frame(&picture, &crop).map_err(|e| e.to_string())?;
        // What this program made has its words outside the picture.
        let searched = opened.mark.is_none().then_some(square);
        let proposals = searched.map(|s| text_areas::propose(&recording, s));
        Ok(Self {
            coloured: opened.colour_doppler || view::is_coloured(&picture, square),
            rate: recording.rate,
            rate_is_known: recording.rate.is_some(),
            recording,
            origin,
            frame: 0,
            picture,
            picture_number: 0,
            crop,
            scale: opened.scale,
            found: square,
            anatomy: Arc::new(anatomy),
            proposals: proposals.unwrap_or_default(),
            searched,
            heart_rate: opened.heart_rate,
            r_waves_ms: opened.r_waves_ms,
            warnings,
            is_synthetic: opened.mark.is_some(),
            id: 0,
        })
    }

    /// An anatomy as it is, a still of its size.
    ///
    /// # Errors
    /// A sentence, when memory runs out.
    pub fn of_anatomy(anatomy: &Anatomy, origin: Origin) -> Result<Self, String> {
        let recording = Recording::of_clip(Clip::still(anatomy.to_frame()))?;
        let mut source = Self::prepare(Opened::new(recording, Kind::Still), origin)?;
        source.proposals.clear();
        source.searched = None;
        Ok(source)
    }

    /// What the networks would get of the picture now.
    ///
    /// # Errors
    /// A sentence, when memory runs out.
    pub fn take_anatomy(&self) -> Result<Anatomy, String> {
        Anatomy::from_frame(&self.picture, &self.crop).map_err(|e| e.to_string())
    }

    /// Frames and size, as a list says it.
    pub fn size(&self) -> String {
        let (width, height) = (self.recording.width(), self.recording.height());
        match self.recording.frames() {
            1 => format!("still, {width} x {height}"),
            n => format!("{n} frames, {width} x {height}"),
        }
    }

    /// Whether it is somebody's, neither generated nor simulated.
    pub fn is_recorded(&self) -> bool {
        !(self.is_synthetic || self.is_simulated())
    }

    pub fn is_simulated(&self) -> bool {
        matches!(self.origin, Origin::SimulatedHeart(_))
    }

    /// As the screen names it.
    pub fn about(&self) -> String {
        match self.origin {
            Origin::SimulatedHeart(i) => format!("Simulated heart {}", i + 1),
            Origin::Sidecar => "Anatomy of a run".into(),
            Origin::File(kind) => kind.text().into(),
        }
    }
}
