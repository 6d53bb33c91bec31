//! Which frame is on screen follows the time since the clip came there, not the number of passes.

use crate::study::plan::Presentation;

/// What is to be on screen in place of the clip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// The frame with this place in the clip.
    At(usize),
    /// The gap between two repeats.
    Blank,
}

/// The frame so many milliseconds after the clip came on screen: the clip, the gap, the clip again.
pub fn frame_at(elapsed_ms: f64, shown: &Presentation) -> Frame {
    let (_, within_ms) = repeats(elapsed_ms, shown);
    let frame = (within_ms * shown.fps / 1000.0).floor() as usize;
    if within_ms >= clip_ms(shown) {
        Frame::Blank
    } else {
        Frame::At(frame.min(shown.frames.saturating_sub(1)))
    }
}

/// How often the clip was shown to its end by then.
pub fn loops_at(elapsed_ms: f64, shown: &Presentation) -> usize {
    let (repeats, within_ms) = repeats(elapsed_ms, shown);
    repeats + usize::from(within_ms >= clip_ms(shown))
}

/// Milliseconds of a clip without its gap.
fn clip_ms(shown: &Presentation) -> f64 {
    shown.frames as f64 * 1000.0 / shown.fps
}

/// Repeats that are over, and milliseconds since the last began.
fn repeats(elapsed_ms: f64, shown: &Presentation) -> (usize, f64) {
    // The larger of zero and what is no number is zero.
    let elapsed_ms = elapsed_ms.max(0.0);
    let repeats = (elapsed_ms / shown.loop_ms()).floor();
    (repeats as usize, elapsed_ms - repeats * shown.loop_ms())
}

/// What practice is done with: gray bars that move, `[frames, height, width]` of 8 bits. Nothing in them is
/// a heart's.
pub fn bars(shown: &Presentation) -> Vec<u8> {
    let Presentation {
        frames,
        width,
        height,
        ..
    } = *shown;
    // Two bars across the picture, which move by one in a clip, so that it repeats without a jump.
    let gray = |frame: usize, x: usize| {
        let place = 2.0 * x as f64 / width.max(1) as f64 + frame as f64 / frames.max(1) as f64;
        let wave = (place * std::f64::consts::TAU).cos();
        (96.0 + 64.0 * wave).round() as u8
    };
    let row = |frame: usize| (0..width).map(move |x| gray(frame, x));
    (0..frames)
        .flat_map(|frame| (0..height).flat_map(move |_| row(frame)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::testing::plan;
    use proptest::prelude::*;

    #[test]
    fn frames_follow_time_and_a_gap_follows_the_last() {
        // 4 frames at 4 a second, then 300 ms of nothing.
        let shown = plan().presentation;
        for (ms, frame, loops) in [
            (-5.0, Frame::At(0), 0),
            (f64::NAN, Frame::At(0), 0),
            (0.0, Frame::At(0), 0),
            (249.9, Frame::At(0), 0),
            (250.0, Frame::At(1), 0),
            (999.9, Frame::At(3), 0),
            (1000.0, Frame::Blank, 1),
            (1299.9, Frame::Blank, 1),
            (1300.0, Frame::At(0), 1),
            (1300.0 * 1000.0 + 500.0, Frame::At(2), 1000),
            (1300.0 * 1000.0 + 1100.0, Frame::Blank, 1001),
        ] {
            assert_eq!(frame_at(ms, &shown), frame, "{ms}");
            assert_eq!(loops_at(ms, &shown), loops, "{ms}");
        }
        // The issue's own example: 64 frames at 32 a second were seen seven times in 16203.4 ms.
        let usual = Presentation {
            frames: 64,
            fps: 32.0,
            ..shown
        };
        assert_eq!(loops_at(16203.4, &usual), 7);
    }

    #[test]
    fn bars_move_and_come_back() {
        let shown = plan().presentation;
        let bars = bars(&shown);
        assert_eq!(bars.len(), shown.clip_bytes());
        let frames: Vec<&[u8]> = bars.chunks(64).collect();
        assert!(frames.windows(2).all(|pair| pair[0] != pair[1]));
        assert_eq!(frames[0][..8], frames[0][56..]);
    }

    proptest! {
        #[test]
        fn every_frame_is_of_the_clip(
            ms in -1e3..1e9, frames in 1usize..200, fps in 0.1..240.0, gap in 0u32..10_000,
        ) {
            let shown = Presentation { frames, fps, loop_gap_ms: gap, ..plan().presentation };
            if let Frame::At(frame) = frame_at(ms, &shown) {
                prop_assert!(frame < frames);
            }
            prop_assert!(loops_at(ms + shown.loop_ms(), &shown) > loops_at(ms, &shown));
        }
    }
}
