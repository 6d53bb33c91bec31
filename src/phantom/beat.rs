//! One heartbeat in frames.

use super::motion::{Moment, end_systole};
use super::outline;
use super::random::{Purpose, Random};
use super::scanner::Room;
use super::tissue::Section;
use super::{EF_RANGE, FRAMES_RANGE, Heart, SIZE};

/// One heartbeat, from end-diastole.
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
    /// Of the least volume, the same for all ejection fractions of a heart.
    pub es_frame: usize,
}

impl Beat {
    pub(super) fn of(heart: &Heart, ef: f64, frames: usize) -> Self {
        let (moments, mut beat) = Self::planned(heart, ef, frames);
        beat.frames = drawn(heart, &moments);
        beat
    }

    pub(super) fn aside(heart: &Heart, ef: f64, frames: usize, mut rest: impl FnMut()) -> Self {
        let (moments, mut beat) = Self::planned(heart, ef, frames);
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
    pub(super) fn planned(heart: &Heart, ef: f64, frames: usize) -> (Vec<Moment>, Self) {
        let ef = if ef.is_nan() { 0.0 } else { ef };
        let ef = ef.clamp(*EF_RANGE.start(), *EF_RANGE.end());
        let frames = frames.clamp(*FRAMES_RANGE.start(), *FRAMES_RANGE.end());
        let (es_frame, systole) = end_systole(heart.anatomy.systole, frames);
        let moments: Vec<Moment> = (0..frames)
            .map(|k| Moment::new(&heart.anatomy, ef, k as f64 / frames as f64, systole))
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
fn draw(heart: &Heart, first: usize, moments: &[Moment], pictures: &mut [u8]) {
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
