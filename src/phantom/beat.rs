//! One heartbeat in frames.

use super::motion::{Moment, end_systole};
use super::outline;
use super::random::{Purpose, Random};
use super::scanner::Room;
use super::tissue::Section;
use super::{EF_RANGE, FRAMES_RANGE, Heart, SIZE, WallMotion};

/// How a heart is recorded. What is out of its range is brought to its ends, and what is no number to the least.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Take {
    /// The ejection fraction, a share, 0 to 0.9.
    pub ef: f64,
    /// How many frames there are, 2 to 512, the first at end-diastole.
    pub frames: usize,
    /// How many of them a beat takes, 2 or more: frames a second times 60 by beats a minute. Not always a whole
    /// number.
    pub frames_per_beat: f64,
    pub wall_motion: WallMotion,
}

impl Take {
    /// One beat in so many frames.
    pub fn beat(ef: f64, frames: usize) -> Self {
        let frames = frames.clamp(*FRAMES_RANGE.start(), *FRAMES_RANGE.end());
        Self {
            ef,
            frames,
            frames_per_beat: frames as f64,
            wall_motion: WallMotion::default(),
        }
    }

    /// Of each frame the phase of its beat, 0 to below 1.
    pub(super) fn phase(&self, frame: usize) -> f64 {
        (frame as f64 / self.frames_per_beat).fract()
    }

    pub(super) fn checked(self) -> Self {
        let finite = |v: f64, least: f64| if v.is_nan() { least } else { v };
        Self {
            ef: finite(self.ef, 0.0).clamp(*EF_RANGE.start(), *EF_RANGE.end()),
            frames: self
                .frames
                .clamp(*FRAMES_RANGE.start(), *FRAMES_RANGE.end()),
            frames_per_beat: finite(self.frames_per_beat, 2.0).clamp(2.0, 1e6),
            ..self
        }
    }

    /// The frame at the first end-systole, counted from 0, which is there if so many frames are.
    pub(super) fn end_systole(&self, heart: &Heart) -> (usize, f64) {
        end_systole(heart.anatomy.systole, self.frames_per_beat)
    }
}

/// A heart in frames, from end-diastole: one beat, or more, or a part of one.
#[derive(Clone, Debug, PartialEq)]
pub struct Beat {
    /// Gray levels `[frames, 112, 112]`, row by row.
    pub frames: Vec<u8>,
    /// Pixels along a side of a frame, 112.
    pub size: usize,
    /// Of each frame the left ventricle's inner border as `[x, y]` in pixels, a pixel's centre at whole numbers:
    /// [`OUTLINE_POINTS`](super::OUTLINE_POINTS) points from the septal end of the mitral annulus over the apex
    /// (point [`APEX`](super::APEX)) to the lateral end. The line between both ends closes it.
    pub outlines: Vec<Vec<[f32; 2]>>,
    /// Of each frame in ml, by the single-plane method of disks from its outline.
    pub volumes: Vec<f64>,
    /// The ejection fraction of these volumes, a share.
    pub ef: f64,
    /// Of the largest volume: always 0.
    pub ed_frame: usize,
    /// Of the least volume in the first beat, the same for all ejection fractions of a heart; past the last frame
    /// where there are too few.
    pub es_frame: usize,
    /// Of each frame the phase of the beat, 0 at end-diastole to below 1.
    pub phases: Vec<f64>,
}

impl Beat {
    pub(super) fn of(heart: &Heart, take: &Take) -> Self {
        let (moments, mut beat) = Self::planned(heart, take);
        beat.frames = drawn(heart, &moments);
        beat
    }

    pub(super) fn aside(heart: &Heart, take: &Take, mut rest: impl FnMut()) -> Self {
        let (moments, mut beat) = Self::planned(heart, take);
        let pixels = SIZE * SIZE;
        beat.frames = vec![0; moments.len() * pixels];
        let each = moments.iter().zip(beat.frames.chunks_mut(pixels));
        for (frame, (moment, picture)) in each.enumerate() {
            draw(heart, frame, std::slice::from_ref(moment), picture);
            rest();
        }
        beat
    }

    /// What is known of a beat before any frame is drawn, and the moments to draw.
    pub(super) fn planned(heart: &Heart, take: &Take) -> (Vec<Moment>, Self) {
        let take = take.checked();
        let (es_frame, systole) = take.end_systole(heart);
        let phases: Vec<f64> = (0..take.frames).map(|k| take.phase(k)).collect();
        let moments: Vec<Moment> = phases
            .iter()
            .map(|phase| Moment::of(&heart.anatomy, take.ef, take.wall_motion, *phase, systole))
            .collect();
        let outlines: Vec<Vec<[f32; 2]>> = moments
            .iter()
            .map(|moment| {
                let border = outline::of(&heart.anatomy, moment);
                let in_pixels = |p: &[f64; 2]| heart.view.to_pixels(*p).map(|v| v as f32);
                border.iter().map(in_pixels).collect()
            })
            .collect();
        let scale = heart.pixels_per_cm();
        let volumes: Vec<f64> = outlines
            .iter()
            .map(|o| outline::volume(o) / (scale * scale * scale))
            .collect();
        let least = volumes.iter().copied().fold(f64::INFINITY, f64::min);
        let greatest = volumes.iter().copied().fold(0.0, f64::max);
        let beat = Self {
            frames: Vec::new(),
            size: SIZE,
            outlines,
            ef: 1.0 - least / greatest,
            volumes,
            ed_frame: 0,
            es_frame,
            phases,
        };
        (moments, beat)
    }

    /// How many frames there are.
    pub fn len(&self) -> usize {
        self.volumes.len()
    }

    /// Never: a beat has two frames at least.
    pub fn is_empty(&self) -> bool {
        self.volumes.is_empty()
    }

    /// Gray levels of one frame, `[112, 112]`.
    pub fn frame(&self, k: usize) -> Option<&[u8]> {
        self.frames.chunks_exact(SIZE * SIZE).nth(k)
    }
}

/// All frames, on as many threads as there are processors. No frame depends on another, nor on the threads.
fn drawn(heart: &Heart, moments: &[Moment]) -> Vec<u8> {
    let pixels = SIZE * SIZE;
    let mut pictures = vec![0; moments.len() * pixels];
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = moments.len().div_ceil(threads.min(moments.len()).max(1));
    std::thread::scope(|scope| {
        let parts = moments
            .chunks(share)
            .zip(pictures.chunks_mut(share * pixels));
        let mut parts = parts.enumerate();
        let own = parts.next();
        for (part, (moments, pictures)) in parts {
            scope.spawn(move || draw(heart, part * share, moments, pictures));
        }
        // The first part here, while the others are drawn.
        if let Some((_, (moments, pictures))) = own {
            draw(heart, 0, moments, pictures);
        }
    });
    pictures
}

/// Frames one after another, the first of which has the number `first`.
pub(super) fn draw(heart: &Heart, first: usize, moments: &[Moment], pictures: &mut [u8]) {
    let mut room = Room::new();
    let pictures = pictures.chunks_exact_mut(SIZE * SIZE);
    for (frame, (moment, picture)) in (first..).zip(moments.iter().zip(pictures)) {
        let section = Section::new(&heart.anatomy, moment, &heart.settings, &heart.texture);
        let noise = Random::new(heart.seed, Purpose::Noise { frame });
        // Far enough to meet other scatterers, and not again those of a frame before.
        let stir = 3.7 * frame as f32;
        let texture = &heart.texture;
        heart
            .scanner
            .frame(&section, texture, noise, stir, &mut room, picture);
    }
}
