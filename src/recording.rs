//! A recording: frames that are decoded when they are asked for, the latest of them kept.

use crate::clip::{Clip, Frame, FrameRate};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

/// Gives frames in any order, on any thread.
pub trait FrameReader: Send + Sync {
    /// Frame `i`, counted from 0.
    ///
    /// # Errors
    /// A phrase that says why this frame cannot be shown.
    fn read(&self, i: usize) -> Result<Arc<Frame>, String>;
}

/// Decoded pixels that a recording keeps, in bytes.
const KEPT_BYTES: usize = 64 << 20;
/// Frames that are tried for the size.
const MOST_TRIED: usize = 64;

/// What is open: a still is one of a single frame. All frames are of one size.
pub struct Recording {
    frames: usize,
    width: usize,
    height: usize,
    /// Where the file says it.
    pub rate: Option<FrameRate>,
    /// One heart beat from end-diastole, whatever its duration.
    pub beat_normalised: bool,
    /// When each frame begins, in milliseconds, where that is not by the rate alone.
    times: Option<Vec<f64>>,
    reader: Box<dyn FrameReader>,
    kept: Mutex<Kept>,
    /// Frames that could not be had when they were asked for, and why.
    missing: Mutex<BTreeMap<usize, String>>,
}

#[derive(Default)]
struct Kept {
    frames: HashMap<usize, (Arc<Frame>, u64)>,
    bytes: usize,
    /// Counts uses, so that the frame used longest ago goes first.
    uses: u64,
}

impl Recording {
    /// Decodes the first frame that can be decoded to know the size.
    ///
    /// # Errors
    /// A phrase that says why the first frame cannot be shown, and none of those that follow.
    pub fn new(
        frames: usize,
        rate: Option<FrameRate>,
        reader: Box<dyn FrameReader>,
    ) -> Result<Self, String> {
        let mut missing = BTreeMap::new();
        let tried = (0..frames.clamp(1, MOST_TRIED)).find_map(|i| {
            let frame = guarded(reader.as_ref(), i);
            let frame = frame.map_err(|why| missing.insert(i, why));
            frame.ok().map(|frame| (i, frame))
        });
        let Some((i, first)) = tried else {
            let why = missing.into_values().next();
            return Err(why.unwrap_or_else(|| "it has no frames".into()));
        };
        let (width, height) = (first.width, first.height);
        if frames == 0 || width == 0 || height == 0 {
            return Err("it has no frames".into());
        }
        let recording = Self {
            frames,
            width,
            height,
            rate,
            beat_normalised: false,
            times: None,
            reader,
            kept: Mutex::default(),
            missing: Mutex::new(missing),
        };
        recording.keep(i, first);
        Ok(recording)
    }

    /// The same with the time of each frame, in milliseconds, one a frame; `None` where the rate says
    /// all.
    pub fn with_times(self, times: Option<Vec<f64>>) -> Self {
        let times = times.filter(|t| t.len() == self.frames);
        Self { times, ..self }
    }

    /// When each frame begins, in milliseconds from the first, where that is not by the rate alone.
    pub fn times(&self) -> Option<&[f64]> {
        self.times.as_deref()
    }

    /// A sentence on the frames that could not be had so far, if any.
    pub fn missing(&self) -> Option<String> {
        const MOST_NAMED: usize = 5;
        let missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, why) = missing.first_key_value()?;
        let mut named: Vec<String> = missing
            .keys()
            .take(MOST_NAMED)
            .map(usize::to_string)
            .collect();
        if missing.len() > MOST_NAMED {
            named.push("...".into());
        }
        let (n, all) = (missing.len(), self.frames);
        let (frames, named) = (if n == 1 { "frame" } else { "frames" }, named.join(", "));
        Some(format!(
            "{n} of {all} frames cannot be shown ({frames} {named}, counted from 0): {why}."
        ))
    }

    /// Frames that are in memory already.
    ///
    /// # Errors
    /// When there are none.
    pub fn of_clip(clip: Clip) -> Result<Self, String> {
        let frames: Vec<Arc<Frame>> = clip.frames.into_iter().map(Arc::new).collect();
        let n = frames.len();
        let mut recording = Self::new(n, clip.rate, Box::new(Resident(frames)))?;
        recording.beat_normalised = clip.beat_normalised;
        Ok(recording)
    }

    pub fn frames(&self) -> usize {
        self.frames
    }

    /// In pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// In pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    pub fn is_still(&self) -> bool {
        self.frames <= 1
    }

    /// Frame `i`, decoded now unless it is kept. Not for the window's thread.
    ///
    /// # Errors
    /// A phrase that says why this frame cannot be shown.
    pub fn frame(&self, i: usize) -> Result<Arc<Frame>, String> {
        if let Some(frame) = self.kept(i) {
            return Ok(frame);
        }
        let frame = self.decoded(i)?;
        self.keep(i, frame.clone());
        Ok(frame)
    }

    /// The same for one who looks at every frame once, while others are shown: of a recording that
    /// is not kept whole, what is on the screen or due there is not pushed out for it.
    ///
    /// # Errors
    /// A phrase that says why this frame cannot be shown.
    pub fn frame_in_passing(&self, i: usize) -> Result<Arc<Frame>, String> {
        if self.capacity() == self.frames {
            return self.frame(i);
        }
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let frame = kept.frames.get(&i).map(|(frame, _)| frame.clone());
        drop(kept);
        frame.map_or_else(|| self.decoded(i), Ok)
    }

    fn decoded(&self, i: usize) -> Result<Arc<Frame>, String> {
        if i >= self.frames {
            return Err(format!("there are {} frames", self.frames));
        }
        let frame = guarded(self.reader.as_ref(), i).and_then(|frame| {
            let same = (frame.width, frame.height) == (self.width, self.height);
            same.then_some(frame)
                .ok_or_else(|| "its size is not that of the first frame".into())
        });
        frame.inspect_err(|why| {
            let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
            missing.insert(i, why.clone());
        })
    }

    /// Frame `i` if it is in memory; never waits for a decoder.
    pub fn kept(&self, i: usize) -> Option<Arc<Frame>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.uses += 1;
        let now = kept.uses;
        let (frame, used) = kept.frames.get_mut(&i)?;
        *used = now;
        Some(frame.clone())
    }

    /// How many frames are kept at most, at least one.
    pub fn capacity(&self) -> usize {
        (KEPT_BYTES / (3 * self.width * self.height).max(1)).clamp(1, self.frames)
    }

    /// Every frame in memory; for clips that are known to be small.
    ///
    /// # Errors
    /// A phrase that says why a frame cannot be shown.
    pub fn to_clip(&self) -> Result<Clip, String> {
        let frames = (0..self.frames).map(|i| Ok(self.frame(i)?.as_ref().clone()));
        Ok(Clip {
            frames: frames.collect::<Result<_, String>>()?,
            rate: self.rate,
            beat_normalised: self.beat_normalised,
        })
    }

    fn keep(&self, i: usize, frame: Arc<Frame>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.uses += 1;
        let now = kept.uses;
        kept.bytes += frame.bytes();
        if let Some((old, _)) = kept.frames.insert(i, (frame, now)) {
            kept.bytes -= old.bytes();
        }
        while kept.bytes > KEPT_BYTES && kept.frames.len() > 1 {
            let oldest = kept.frames.iter().min_by_key(|(_, (_, used))| *used);
            let Some(&oldest) = oldest.map(|(i, _)| i) else {
                return;
            };
            if let Some((old, _)) = kept.frames.remove(&oldest) {
                kept.bytes -= old.bytes();
            }
        }
    }
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            frames,
            width,
            height,
            ..
        } = self;
        write!(f, "Recording({frames} frames of {width} x {height})")
    }
}

/// A decoder that panics on damaged data must cost one frame, not the program.
fn guarded(reader: &dyn FrameReader, i: usize) -> Result<Arc<Frame>, String> {
    catch_unwind(AssertUnwindSafe(|| reader.read(i)))
        .unwrap_or_else(|_| Err("its data could not be decoded".into()))
}

struct Resident(Vec<Arc<Frame>>);

impl FrameReader for Resident {
    fn read(&self, i: usize) -> Result<Arc<Frame>, String> {
        let frame = self.0.get(i).ok_or("it has no frames")?;
        Ok(frame.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::Pixels;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Large frames of one tone; counts how often it is asked.
    struct Tones(Arc<AtomicUsize>);

    impl FrameReader for Tones {
        fn read(&self, i: usize) -> Result<Arc<Frame>, String> {
            self.0.fetch_add(1, Ordering::Relaxed);
            assert!(i != 99, "a decoder's panic");
            Ok(Arc::new(Frame {
                width: 4096,
                height: 4096,
                pixels: Pixels::Gray(vec![i as u8; 4096 * 4096]),
            }))
        }
    }

    #[test]
    fn few_frames_are_kept_and_the_latest_of_them() {
        let count = Arc::new(AtomicUsize::new(0));
        let recording = Recording::new(100, None, Box::new(Tones(count.clone()))).unwrap();
        for i in 0..12 {
            recording.frame(i).unwrap();
        }
        assert_eq!(count.load(Ordering::Relaxed), 12);
        // Four of 16 MB fit.
        let kept: Vec<usize> = (0..100).filter(|&i| recording.kept(i).is_some()).collect();
        assert_eq!(kept, (8..12).collect::<Vec<_>>());
        // Who passes through takes what is kept, and pushes nothing out.
        for i in 0..12 {
            recording.frame_in_passing(i).unwrap();
        }
        assert_eq!(count.load(Ordering::Relaxed), 20);
        assert!((8..12).all(|i| recording.kept(i).is_some()));
        assert!(recording.kept(0).is_none());
        assert!(recording.missing().is_none());
        assert!(recording.frame(99).unwrap_err().contains("decoded"));
        assert!(recording.missing().unwrap().starts_with("1 of 100 frames"));
        assert!(recording.frame(100).is_err());
    }
}
