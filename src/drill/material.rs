//! What of a case is seen: a heart that beats, made from its number or opened from a folder.

use super::case::{Case, Recipe};
use super::folder::pixels_of;
use super::outlines::Outlines;
use crate::clip::{Frame, Pixels};
use crate::media;
use crate::media::mark::Mark;
use crate::phantom::{self, Heart, Quality};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// Frames of a simulated beat.
pub const FRAMES: usize = 16;
/// Frames a second of a clip whose file says none.
const USUAL_FPS: f64 = 25.0;
/// Decoded bytes of a clip.
const MOST_BYTES: usize = 256 << 20;

/// What tells one picture of a heart from another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// EF in hundredths of a percent.
    Simulated {
        seed: u64,
        quality: Quality,
        ef_hundredths: u32,
    },
    Clip {
        pixels_sha256: String,
    },
}

impl Subject {
    /// Of a simulated heart, EF in percent.
    pub fn simulated(seed: u64, quality: Quality, ef_percent: f64) -> Self {
        Self::Simulated {
            seed,
            quality,
            ef_hundredths: (100.0 * ef_percent).round().clamp(0.0, 10_000.0) as u32,
        }
    }
}

impl Case {
    pub fn subject(&self) -> Subject {
        match &self.recipe {
            Recipe::Simulated { seed } => Subject::simulated(*seed, self.quality, self.ef_percent),
            Recipe::Clip { pixels_sha256 } => Subject::Clip {
                pixels_sha256: pixels_sha256.clone(),
            },
        }
    }
}

/// What plays.
#[derive(Clone, Debug, PartialEq)]
pub struct Material {
    pub frames: Vec<Arc<Frame>>,
    /// How long all frames take.
    pub seconds: f64,
    /// What is known of a simulated beat, or of one that a motion cascade made.
    pub beat: Option<Beat>,
}

impl Material {
    /// Bytes of all its frames.
    pub fn bytes(&self) -> usize {
        self.frames.iter().map(|f| f.bytes()).sum()
    }

    /// Whether the ventricle's border is known.
    pub fn has_outline(&self) -> bool {
        self.beat.as_ref().is_some_and(|b| !b.outlines.is_empty())
    }
}

/// One beat from end-diastole, with the left ventricle that it was drawn from.
#[derive(Clone, Debug, PartialEq)]
pub struct Beat {
    /// Of each frame, `[x, y]` in pixels, a pixel's centre at whole numbers; none where it is not known.
    pub outlines: Vec<Vec<[f32; 2]>>,
    /// Of each frame as a share of that at end-diastole.
    pub volumes: Vec<f64>,
    pub ed_frame: usize,
    pub es_frame: usize,
}

/// How much it is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Haste {
    /// Somebody waits for it.
    Now,
    /// Something is drawn meanwhile, and comes first.
    Aside,
}

/// A rest after each frame that is made aside, in frames' own times.
const REST: u32 = 2;

/// Makes what is seen; not for the window's thread.
///
/// # Errors
/// A sentence, when a clip is in no folder that was looked through, or cannot be decoded.
pub fn material(subject: &Subject, clips: &Clips, haste: Haste) -> Result<Material, String> {
    match subject {
        Subject::Simulated {
            seed,
            quality,
            ef_hundredths,
        } => Ok(simulated(
            *seed,
            *quality,
            f64::from(*ef_hundredths) / 10_000.0,
            haste,
        )),
        Subject::Clip { pixels_sha256 } => clips.material(pixels_sha256),
    }
}

/// `ef` as a share.
fn simulated(seed: u64, quality: Quality, ef: f64, haste: Haste) -> Material {
    let heart = Heart::from_seed(seed, quality);
    let mut since = Instant::now();
    let beat = match haste {
        Haste::Now => heart.beat(ef, FRAMES),
        Haste::Aside => heart.beat_aside(ef, FRAMES, || {
            std::thread::sleep(REST * since.elapsed());
            since = Instant::now();
        }),
    };
    let frame = |pixels: &[u8]| {
        Arc::new(Frame {
            width: beat.size,
            height: beat.size,
            pixels: Pixels::Gray(pixels.to_vec()),
        })
    };
    Material {
        frames: beat
            .frames
            .chunks_exact(phantom::SIZE * phantom::SIZE)
            .map(frame)
            .collect(),
        seconds: 60.0 / heart.beats_per_minute(),
        beat: Some(Beat {
            outlines: beat.outlines,
            volumes: shares(&beat.volumes, beat.ed_frame),
            ed_frame: beat.ed_frame,
            es_frame: beat.es_frame,
        }),
    }
}

/// Volumes as shares of one of them.
fn shares(volumes: &[f64], of: usize) -> Vec<f64> {
    let whole = volumes.get(of).copied().filter(|v| *v > 0.0);
    let share = |v: &f64| whole.map_or(0.0, |whole| v / whole);
    volumes.iter().map(share).collect()
}

/// What a mark says of a generated beat.
fn beat_of(mark: &Mark) -> Option<Beat> {
    let made = &mark.provenance;
    Some(Beat {
        outlines: Vec::new(),
        volumes: made.volumes.clone()?,
        ed_frame: made.ed_frame?,
        es_frame: made.es_frame?,
    })
}

/// Clips of a folder, by what they show.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Clips {
    by_pixels: BTreeMap<String, PathBuf>,
}

impl Clips {
    /// Looks through a folder, not through those within it. What cannot be opened is none of its clips. `report`
    /// hears which share is done, and says whether to go on.
    ///
    /// # Errors
    /// A sentence, when the folder cannot be read.
    pub fn of_folder(folder: &Path, report: &dyn Fn(f64) -> bool) -> Result<Self, String> {
        let unreadable =
            |e: std::io::Error| format!("{}: it cannot be read ({e}).", folder.display());
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            let text = ["csv", "json", "echocases", "echoclass", "echoresult", "txt"];
            let is_text = |e: &std::ffi::OsStr| text.iter().any(|t| e.eq_ignore_ascii_case(t));
            if path.is_file() && !path.extension().is_some_and(is_text) {
                paths.push(path);
            }
        }
        paths.sort();
        let mut clips = Self::default();
        for (i, path) in paths.iter().enumerate() {
            if !report(i as f64 / paths.len() as f64) {
                break;
            }
            if let Ok(hash) = pixels_of(path) {
                clips.by_pixels.insert(hash, path.clone());
            }
        }
        Ok(clips)
    }

    /// Takes those of another folder, too.
    pub fn extend(&mut self, other: &Self) {
        let more = other.by_pixels.iter();
        self.by_pixels
            .extend(more.map(|(k, v)| (k.clone(), v.clone())));
    }

    pub fn has(&self, pixels_sha256: &str) -> bool {
        self.by_pixels.contains_key(pixels_sha256)
    }

    pub fn is_empty(&self) -> bool {
        self.by_pixels.is_empty()
    }

    fn material(&self, pixels_sha256: &str) -> Result<Material, String> {
        let path = self.by_pixels.get(pixels_sha256).ok_or(
            "The clip of this case is not in the folder of the set's clips: choose the folder that has it.",
        )?;
        let shown = path.display();
        let opened = media::open(path).map_err(|e| e.to_string())?;
        let recording = &opened.recording;
        let bytes = 3 * recording.width() * recording.height() * recording.frames();
        if bytes > MOST_BYTES {
            return Err(format!(
                "{shown}: it is too long to be played in training: cut it to a few beats."
            ));
        }
        // Of what this program made the words around and in the picture, which tell its EF, are taken away already.
        let frames: Result<Vec<_>, String> = (0..recording.frames())
            .map(|i| recording.frame(i).map_err(|e| format!("{shown}: {e}")))
            .collect();
        let frames = frames?;
        let rate = recording.rate.map_or(USUAL_FPS, |rate| rate.fps());
        Ok(Material {
            seconds: frames.len() as f64 / rate,
            beat: opened.mark.as_ref().and_then(|mark| {
                let (width, height) = (recording.width(), recording.height());
                let outlines = Outlines::beside(path, frames.len());
                Some(Beat {
                    outlines: outlines.map_or_else(Vec::new, |o| o.in_pixels(width, height)),
                    ..beat_of(mark)?
                })
            }),
            frames,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_simulated_case_is_a_beat_with_its_outline() {
        let subject = Subject::simulated(7, Quality::Good, 38.0);
        let made = material(&subject, &Clips::default(), Haste::Now).unwrap();
        assert_eq!(made.frames.len(), FRAMES);
        assert!((0.5..1.3).contains(&made.seconds), "{}", made.seconds);
        let beat = made.beat.as_ref().unwrap();
        let [ed, es] = [beat.ed_frame, beat.es_frame].map(|f| beat.volumes[f]);
        assert!((100.0 * (1.0 - es / ed) - 38.0).abs() < 0.1);
        assert_eq!(beat.outlines.len(), FRAMES);
        let aside = material(&subject, &Clips::default(), Haste::Aside);
        assert_eq!(aside, Ok(made), "on one thread or several");
    }

    #[test]
    fn a_clip_that_is_not_there_is_a_sentence() {
        let subject = Subject::Clip {
            pixels_sha256: "00".into(),
        };
        let why = material(&subject, &Clips::default(), Haste::Now).unwrap_err();
        assert!(why.contains("folder"), "{why}");
        let nowhere = Clips::of_folder(Path::new("no such folder"), &|_| true);
        assert!(nowhere.unwrap_err().contains("no such folder"));
    }
}
